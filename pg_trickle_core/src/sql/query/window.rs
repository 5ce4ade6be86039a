//! WINDOW, and window definitions.

use crate::error::Error;
use crate::query::{Query, Window, frame};
use crate::sql::expr::{Printer, target_of};
use crate::sql::ident::quote_ident;

impl Printer<'_> {
    /// ` WINDOW name AS (...), ...`: the named windows. The others are written where they are used.
    pub(super) fn window_clause(&self, query: &Query) -> Result<String, Error> {
        let mut texts = Vec::new();
        for window in &query.windows {
            if let Some(name) = &window.name {
                texts.push(format!("{} AS {}", quote_ident(name), self.window_definition(window)?));
            }
        }
        Ok(if texts.is_empty() {
            String::new()
        } else {
            format!(" WINDOW {}", texts.join(", "))
        })
    }

    /// `(name PARTITION BY .. ORDER BY .. frame)`.
    pub(in crate::sql) fn window_definition(&self, window: &Window) -> Result<String, Error> {
        let targets = &self.own_level()?.query.targets;
        let mut parts = Vec::new();
        // Clauses of the named window are not repeated.
        if let Some(name) = &window.refname {
            parts.push(quote_ident(name));
        } else if !window.partition.is_empty() {
            let items: Vec<String> = window
                .partition
                .iter()
                .map(|item| self.expr(&target_of(targets, item.target_ref)?.expr))
                .collect::<Result<_, Error>>()?;
            parts.push(format!("PARTITION BY {}", items.join(", ")));
        }
        if !window.copied_order && !window.order.is_empty() {
            let order = self.order_by(&window.order, targets)?;
            parts.push(order.trim_start().to_owned());
        }
        if window.frame_options & frame::NONDEFAULT != 0 {
            parts.push(self.frame(window)?);
        }
        Ok(format!("({})", parts.join(" ")))
    }

    fn frame(&self, window: &Window) -> Result<String, Error> {
        let has = |bit: i32| window.frame_options & bit != 0;
        let mode = if has(frame::RANGE) {
            "RANGE"
        } else if has(frame::ROWS) {
            "ROWS"
        } else if has(frame::GROUPS) {
            "GROUPS"
        } else {
            return Err(Error::Tree("a window frame without a mode".to_owned()));
        };
        let offset = |offset: &Option<crate::query::Expr>, word: &str| match offset {
            Some(offset) => Ok(format!("{} {word}", self.expr(offset)?)),
            None => Err(Error::Tree("a window frame without its offset".to_owned())),
        };
        let start = if has(frame::START_UNBOUNDED_PRECEDING) {
            "UNBOUNDED PRECEDING".to_owned()
        } else if has(frame::START_CURRENT_ROW) {
            "CURRENT ROW".to_owned()
        } else if has(frame::START_OFFSET_PRECEDING) {
            offset(&window.start_offset, "PRECEDING")?
        } else if has(frame::START_OFFSET_FOLLOWING) {
            offset(&window.start_offset, "FOLLOWING")?
        } else {
            return Err(Error::Tree("a window frame without a start".to_owned()));
        };
        let mut text = format!("{mode} {start}");
        if has(frame::BETWEEN) {
            let end = if has(frame::END_UNBOUNDED_FOLLOWING) {
                "UNBOUNDED FOLLOWING".to_owned()
            } else if has(frame::END_CURRENT_ROW) {
                "CURRENT ROW".to_owned()
            } else if has(frame::END_OFFSET_PRECEDING) {
                offset(&window.end_offset, "PRECEDING")?
            } else if has(frame::END_OFFSET_FOLLOWING) {
                offset(&window.end_offset, "FOLLOWING")?
            } else {
                return Err(Error::Tree("a window frame without an end".to_owned()));
            };
            text = format!("{mode} BETWEEN {start} AND {end}");
        }
        if has(frame::EXCLUDE_CURRENT_ROW) {
            text.push_str(" EXCLUDE CURRENT ROW");
        } else if has(frame::EXCLUDE_GROUP) {
            text.push_str(" EXCLUDE GROUP");
        } else if has(frame::EXCLUDE_TIES) {
            text.push_str(" EXCLUDE TIES");
        }
        Ok(text)
    }
}
