//! Left and right joins, EXISTS and NOT EXISTS, IN and NOT IN, ANY and ALL, scalar and lateral subqueries.
//!
//! What a row of the result shows is decided by its row of the spine: the tables that no outer join makes NULL and that
//! stand in no subquery. Rule: find the rows of the spine that meet a changed row, through the conditions of joins and
//! subqueries; run the query for these again (`stage/rekey.rs`).
//!
//! NOT IN and ALL have three-valued logic: a NULL among the changed rows touches every row of the spine, and a row of the
//! spine with a NULL is touched by every change.
//!
//! State: the result, with the keys of the spine's tables. Cost: the touched rows of the spine, each with what it meets;
//! with indexes on the columns of the conditions.
//!
//! Source: the terms of Larson, Zhou, "Efficient maintenance of materialized outer-join views", 2007, say which rows meet a
//! change; computing these again by key takes their place, and covers subqueries alike.

use super::{Op, Operator};

/// A query that is maintained by the rows of its spine.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Spine {
    /// Names of the spine's tables.
    pub tables: Vec<String>,
    /// Names of the key's columns.
    pub keys: Vec<String>,
}

impl Operator for Spine {
    fn describe(&self) -> String {
        format!(
            "outer joins and subqueries around {} by ({})",
            self.tables.join(", "),
            self.keys.join(", ")
        )
    }

    fn inputs(&self) -> Vec<&Op> {
        Vec::new()
    }
}
