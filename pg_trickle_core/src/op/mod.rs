//! The operators of a stage, one file each.
//!
//! A stage is a linear block (scan, inner join, filter, project) and at most one operator that keeps state on top of
//! it (aggregate, with having). Linear operators map a Z-set (rows with weights) to a Z-set; their rule is to become
//! part of a [`term::Term`]. The operator on top says which state it stores and how a Z-set is folded into it.

pub mod aggregate;
pub mod filter;
pub mod having;
pub mod inner_join;
pub mod per_key;
pub mod project;
pub mod recursion;
pub mod scan;
pub mod spine;
pub mod term;
pub mod union_all;

use aggregate::Aggregate;
use filter::Filter;
use having::Having;
use inner_join::InnerJoin;
use per_key::PerKey;
use project::Project;
use recursion::Recursion;
use scan::Scan;
use spine::Spine;
use union_all::UnionAll;

/// One node of the operator tree.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Op {
    /// A stored table.
    Scan(Scan),
    /// `JOIN` and the comma of FROM.
    InnerJoin(InnerJoin),
    /// `WHERE` and `ON`.
    Filter(Filter),
    /// The select list of a query without grouping.
    Project(Project),
    /// `GROUP BY` and aggregate functions.
    Aggregate(Aggregate),
    /// Windows, DISTINCT ON, aggregates group by group.
    PerKey(PerKey),
    /// Outer joins and subqueries.
    Spine(Spine),
    /// A recursive CTE.
    Recursion(Recursion),
    /// `UNION ALL`.
    UnionAll(UnionAll),
    /// `HAVING`, and the select list above an aggregate.
    Having(Having),
}

/// What every operator tells about itself; `explain` prints it.
pub trait Operator {
    /// The operator's name, with what it works on.
    fn describe(&self) -> String;
    /// The operators it reads.
    fn inputs(&self) -> Vec<&Op>;
}

impl Op {
    /// The operator behind the variant.
    #[must_use]
    pub fn operator(&self) -> &dyn Operator {
        match self {
            Op::Scan(op) => op,
            Op::InnerJoin(op) => op,
            Op::Filter(op) => op,
            Op::Project(op) => op,
            Op::Aggregate(op) => op,
            Op::Having(op) => op,
            Op::UnionAll(op) => op,
            Op::PerKey(op) => op,
            Op::Spine(op) => op,
            Op::Recursion(op) => op,
        }
    }

    /// The tree as indented lines, root first.
    #[must_use]
    pub fn tree(&self) -> Vec<String> {
        let mut lines = Vec::new();
        self.write_tree(0, &mut lines);
        lines
    }

    fn write_tree(&self, depth: usize, lines: &mut Vec<String>) {
        let operator = self.operator();
        lines.push(format!("{}{}", "  ".repeat(depth), operator.describe()));
        for input in operator.inputs() {
            input.write_tree(depth + 1, lines);
        }
    }
}
