//! SQL that does nothing where it would touch more rows than it is for, and says so.

use crate::plan::{MOST, Returns, Statement};
use crate::sql::statement::op;

/// Plans that are kept are for at most this many touched rows.
pub const FEW: usize = 1000;

/// SQL for few rows: the CTEs with at most [`FEW`] rows of `rows` and with their number, the SELECT of these rows, which
/// is empty if there are more of them, and the condition that there are no more.
pub struct Bounded {
    /// The CTEs, without WITH.
    pub with: String,
    /// The SELECT.
    pub rows: String,
    /// The condition.
    pub is_few: String,
}

impl Bounded {
    /// The rows of a SELECT, if there are at most this many, as SQL.
    #[must_use]
    pub fn new(rows: &str, most: &str) -> Self {
        let is_few = size_within(most);
        Bounded {
            with: format!(
                "__pgt_delta AS MATERIALIZED (SELECT * FROM ({rows}) AS d LIMIT {}), \
                 __pgt_size AS MATERIALIZED (SELECT pg_catalog.count(*) AS n FROM __pgt_delta)",
                op(most, "+", "1")
            ),
            rows: format!("SELECT d.* FROM __pgt_delta AS d WHERE {is_few}"),
            is_few,
        }
    }

    /// A statement whose texts are made of these rows, by `text`, and do nothing if there are more than they are for. What
    /// `text` is told is whether its text is for many.
    pub fn statement(rows: &str, text: impl Fn(&Self, bool) -> String) -> Statement {
        let of = |most: &str, many| text(&Bounded::new(rows, most), many);
        Statement {
            sql: of(&FEW.to_string(), false),
            bulk: Some(of(MOST, true)),
            returns: Returns::Verdict,
        }
    }

    /// The text that writes what `over` makes of the rows.
    #[must_use]
    pub fn written(&self, over: &dyn Fn(&str) -> String) -> String {
        format!(
            "WITH {}, written AS ({} RETURNING 1) {}",
            self.with,
            over(&self.rows),
            verdict(&self.is_few, "0"),
        )
    }
}

/// The condition that the CTE `__pgt_size` has counted at most this many rows, in its column `n`.
#[must_use]
pub fn size_within(most: &str) -> String {
    op("(SELECT z.n FROM __pgt_size AS z)", "<=", most)
}

/// The verdict that the whole query is to run unless there are few rows.
#[must_use]
pub fn whole_unless(is_few: &str) -> String {
    format!("(NOT {is_few})::pg_catalog.int4")
}

/// The SELECT of [`Returns::Verdict`], given whether there are few rows, and the verdict if there are.
#[must_use]
pub fn verdict(is_few: &str, of_few: &str) -> String {
    format!("SELECT CASE WHEN {is_few} THEN {of_few} ELSE -1 END::pg_catalog.int8, 0::pg_catalog.int8")
}

/// The same for a statement without which the whole query is to run.
#[must_use]
pub fn or_whole(is_few: &str) -> String {
    format!("SELECT {}::pg_catalog.int8, 0::pg_catalog.int8", whole_unless(is_few))
}
