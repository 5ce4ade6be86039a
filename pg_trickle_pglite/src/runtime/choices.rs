//! What was chosen for a stream table when it was made, by its owner or by the size of its tables. It is written down as the
//! comment on the definition, which goes where the definition goes, through a dump as well.

use crate::edge::error::{Result, SqlError};
use crate::edge::spi;
use pg_trickle_core::plan::PreAggregate;

const ON_READ: &str = "windows on read";
const ADDED_UP: &str = "facts added up first";
const JOINED: &str = "facts joined first";

/// How a query is to be maintained, where there is a choice.
#[derive(Clone, Copy, Default)]
pub struct Choices {
    /// The view computes windows.
    pub windows_on_read: bool,
    /// Facts are added up before they are joined to their dimensions. `None` where nobody has said so.
    pub pre_aggregate: Option<bool>,
}

impl Choices {
    /// What a user asks for. `before` is what was chosen before.
    pub fn of(windows: Option<&str>, pre_aggregate: Option<&str>, before: Self) -> Result<Self> {
        let windows_on_read = match windows {
            None => before.windows_on_read,
            Some("stored") => false,
            Some("onRead") => true,
            Some(other) => {
                return Err(SqlError::new("22023", format!("windows cannot be '{other}'"))
                    .hint("Give 'stored' or 'onRead'.")
                    .fragment(other));
            }
        };
        let asked = pre_aggregate.map(|asked| asked == "true");
        Ok(Self {
            windows_on_read,
            pre_aggregate: asked.or(before.pre_aggregate),
        })
    }

    /// Reads what was written down.
    pub fn read(comment: &str) -> Self {
        let pre_aggregate = if comment.contains(ADDED_UP) {
            Some(true)
        } else {
            comment.contains(JOINED).then_some(false)
        };
        Self {
            windows_on_read: comment.contains(ON_READ),
            pre_aggregate,
        }
    }

    /// Writes it down, with the definition of this name.
    pub fn record(self, definition: &str) -> Result<()> {
        let added = self.pre_aggregate.map(|is_so| if is_so { ADDED_UP } else { JOINED });
        let words: Vec<&str> = self
            .windows_on_read
            .then_some(ON_READ)
            .into_iter()
            .chain(added)
            .collect();
        if words.is_empty() {
            return Ok(());
        }
        let comment = format!("COMMENT ON VIEW {definition} IS '{}'", words.join(", "));
        spi::catalog(&comment, &[]).map(|_| ())
    }

    /// The choice that the core is given.
    pub fn of_facts(self) -> PreAggregate {
        match self.pre_aggregate {
            Some(true) => PreAggregate::Always,
            Some(false) | None => PreAggregate::Never,
        }
    }
}
