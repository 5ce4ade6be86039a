//! How far a change reaches in a window: which other rows have another result when one row comes or goes.

use super::range;
use crate::catalog::Catalog;
use crate::error::Error;
use crate::facts::shape;
use crate::oids::{DATE, INT2, INT4, INT8, NUMERIC, TIMESTAMP, TIMESTAMPTZ};
use crate::query::{Expr, Query, WindowFunc, frame};
use crate::sql::ident::is_one_of;

/// The largest number of neighbours that are read for one changed row.
const MOST: i64 = 100;

/// The reach of a window function.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Reach {
    /// The result depends on this many rows before a row, and on this many after it.
    Near(i64, i64),
    /// The result depends on all rows before a row, and follows from that of the row before and the rows since.
    Prefix(Prefix),
    /// The result is a value of one of the first rows of the partition, of which there are so many.
    First(i64),
    /// It is a value of the last row.
    Last,
    /// It depends on the rows whose value in the order is at most so far before that of a row, and so far after it, in the
    /// units of [`range`].
    Range(i64, i64),
}

/// How the result of a prefix goes on.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Prefix {
    /// `row_number()`, `count`: add the number of further rows.
    Count,
    /// `sum` of whole or exact numbers.
    Sum,
    /// `min`.
    Least,
    /// `max`.
    Greatest,
    /// `rank()`: add the number of rows before the further ones.
    Rank,
    /// `dense_rank()`.
    DenseRank,
    /// `first_value`: the same, if there is a row before.
    First,
}

/// The reach of a window function, and whether rows that tie in the order of the window are alike for it. `None` if a
/// change can reach all rows of the partition. In an order that `is_total`, no rows tie.
pub fn of(
    call: &WindowFunc,
    query: &Query,
    is_total: bool,
    catalog: &dyn Catalog,
) -> Result<Option<(Reach, bool)>, Error> {
    let Some(window) = query.windows.iter().find(|window| window.winref == call.winref) else {
        return Ok(None);
    };
    let function = catalog.function(call.function)?;
    if window.order.is_empty() || function.schema != "pg_catalog" {
        return Ok(None);
    }
    let name = function.name.as_str();
    let near = |before: i64, after: i64| {
        let (before, after) = (before.max(0), after.max(0));
        (before + after <= MOST).then_some((Reach::Near(before, after), false))
    };
    match name {
        "row_number" => return Ok(Some((Reach::Prefix(Prefix::Count), false))),
        "rank" => return Ok(Some((Reach::Prefix(Prefix::Rank), true))),
        "dense_rank" => return Ok(Some((Reach::Prefix(Prefix::DenseRank), true))),
        "lag" | "lead" => {
            let offset = match call.args.get(1) {
                None => Some(1),
                Some(offset) => integer(offset, catalog)?,
            };
            return Ok(offset.and_then(|offset| {
                if name == "lag" {
                    near(offset, -offset)
                } else {
                    near(-offset, offset)
                }
            }));
        }
        _ if !call.is_agg && !is_one_of(name, "first_value last_value nth_value") => return Ok(None),
        _ => {}
    }
    let has = |bit: i32| window.frame_options & bit != 0;
    let argument = call.args.first().map_or(0, Expr::type_oid);
    let is_exact = [INT2, INT4, INT8, NUMERIC].contains(&argument);
    // Other types have equal values that look different; the aggregate shows one of them, LEAST another.
    let is_plain = [INT2, INT4, INT8, DATE, TIMESTAMP, TIMESTAMPTZ].contains(&argument)
        || argument == NUMERIC && call.args[0].typmod() >= 0;
    // In which order a frame has the rows that tie is not known.
    let is_any_order = match name {
        "count" | "bool_and" | "bool_or" | "every" => true,
        "min" | "max" => is_plain,
        _ => is_exact && is_one_of(name, "sum avg variance var_samp var_pop stddev stddev_samp stddev_pop"),
    };
    if is_total || is_any_order {
        let order = window.order.first().and_then(|item| query.target(item.target_ref));
        let type_oid = order.map_or(0, |target| target.expr.type_oid());
        if let Some((before, after)) = range::reach(window, type_oid, catalog)? {
            return Ok(Some((Reach::Range(before, after), true)));
        }
    }
    if has(frame::EXCLUDE_GROUP | frame::EXCLUDE_TIES) {
        return Ok(None);
    }
    let has_offset = window.start_offset.is_some() || window.end_offset.is_some();
    let by_rows = has(frame::ROWS) || is_total && (has(frame::GROUPS) || !has_offset);
    if by_rows {
        if name == "last_value" && has(frame::END_CURRENT_ROW) && !has(frame::EXCLUDE_CURRENT_ROW) {
            return Ok(near(0, 0));
        }
        let start = bound(window.start_offset.as_ref(), has, Side::START, catalog)?;
        let end = bound(window.end_offset.as_ref(), has, Side::END, catalog)?;
        if let (Some(start), Some(end)) = (start, end) {
            return Ok(near(-start, end));
        }
    }
    if !has_offset && !has(frame::EXCLUDE_CURRENT_ROW) {
        let place = match name {
            "first_value" => Some(1),
            "nth_value" if by_rows || has(frame::END_UNBOUNDED_FOLLOWING) => integer(&call.args[1], catalog)?,
            _ => None,
        };
        if let Some(place @ 1..) = place
            && has(frame::START_UNBOUNDED_PRECEDING)
        {
            return Ok(Some((Reach::First(place), false)));
        }
        if name == "last_value" && has(frame::END_UNBOUNDED_FOLLOWING) {
            return Ok(Some((Reach::Last, false)));
        }
    }
    let runs = has(frame::START_UNBOUNDED_PRECEDING)
        && has(frame::END_CURRENT_ROW)
        && !has(frame::EXCLUDE_CURRENT_ROW | frame::GROUPS);
    if !runs {
        return Ok(None);
    }
    let prefix = match name {
        "count" => Prefix::Count,
        "sum" if is_exact => Prefix::Sum,
        "min" if is_plain => Prefix::Least,
        "max" if is_plain => Prefix::Greatest,
        _ => return Ok(None),
    };
    Ok(Some((Reach::Prefix(prefix), !has(frame::ROWS))))
}

/// One side of a frame: the bits for an unbounded one, the current row, and an offset before and after it.
struct Side {
    current: i32,
    preceding: i32,
    following: i32,
}

impl Side {
    const START: Side = Side {
        current: frame::START_CURRENT_ROW,
        preceding: frame::START_OFFSET_PRECEDING,
        following: frame::START_OFFSET_FOLLOWING,
    };
    const END: Side = Side {
        current: frame::END_CURRENT_ROW,
        preceding: frame::END_OFFSET_PRECEDING,
        following: frame::END_OFFSET_FOLLOWING,
    };
}

/// The place of one end of a ROWS frame, relative to its row; `None` if unbounded or not constant.
fn bound(
    offset: Option<&Expr>,
    has: impl Fn(i32) -> bool,
    side: Side,
    catalog: &dyn Catalog,
) -> Result<Option<i64>, Error> {
    if has(side.current) {
        return Ok(Some(0));
    }
    let offset = match offset {
        Some(offset) => integer(offset, catalog)?,
        None => None,
    };
    Ok(match offset {
        Some(offset) if has(side.preceding) => Some(-offset),
        Some(offset) if has(side.following) => Some(offset),
        _ => None,
    })
}

/// The value of an integer constant of a usual size.
fn integer(expr: &Expr, catalog: &dyn Catalog) -> Result<Option<i64>, Error> {
    Ok(shape::integer(expr, catalog)?.filter(|value| value.abs() <= MOST))
}
