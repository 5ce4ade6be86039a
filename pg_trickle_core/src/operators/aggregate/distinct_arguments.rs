//! Aggregates over distinct values, such as `count(DISTINCT x)`. The distinct values of each group are a stage of their
//! own, and its rows are one more branch of the grouped union. Its columns are the keys of the group and the value. The
//! value is NULL in the other branches, and their arguments are NULL in this one.
//!
//! Rule: δ(γ(R)) = γ over R ⊎ distinct(π(R)). The row of a value appears with its first copy, and disappears with its
//! last. Cost: one stored row for the value, one for the group.
//!
//! Source: the counting algorithm of Gupta, Mumick, Subrahmanian, 1993, for distinct(π(R)).

use super::family::repeats_matter;
use crate::catalog::Catalog;
use crate::facts::fallback::{Fallback, reason};
use crate::facts::linear_block::{Flat, Source};
use crate::operators::linear::branch::{Branch, branch};
use crate::query::{Aggref, Expr, FromItem, NullTest, Query, Rte, RteKind, SortGroup};
use crate::rewrite::simplify::simplify;
use crate::stages::graph::StageGraph;

/// The distinct values of an argument in each group.
pub struct DistinctArgument {
    argument: Expr,
    filter: Option<Expr>,
    /// The query that reads the stage.
    pub reads: Query,
    /// The same query as a branch: keys, then the value.
    pub branch: Branch,
}

impl DistinctArgument {
    /// True if the call aggregates these values.
    pub fn is_of(&self, call: &Aggref) -> bool {
        !call.distinct.is_empty()
            && call.filter == self.filter
            && matches!(call.args.first(), Some(first) if first.expr == self.argument)
    }

    /// The expression of the value.
    pub fn value(&self) -> Option<&Expr> {
        self.branch.targets.last().map(|target| &target.expr)
    }
}

/// Makes the stages that the calls need. All expressions are over the scans of the block.
pub fn stages(
    calls: &[Aggref],
    keys: &[Expr],
    flat: &Flat,
    graph: &StageGraph,
) -> Result<Vec<DistinctArgument>, Fallback> {
    let mut inputs: Vec<DistinctArgument> = Vec::new();
    for call in calls {
        let Some(argument) = call.args.first().map(|first| &first.expr) else {
            continue;
        };
        if call.distinct.is_empty() || inputs.iter().any(|known| known.is_of(call)) {
            continue;
        }
        if !repeats_matter(call, graph)? {
            continue;
        }
        if flat.tree.is_some() {
            return reason("aggregate with DISTINCT over an outer join");
        }
        if matches!(graph.type_(argument.type_oid())?.kind, 'c' | 'p') {
            return reason("aggregate with a DISTINCT argument of a row type");
        }
        let mut lower = as_query(flat);
        for (expr, target_ref) in keys.iter().chain([argument]).zip(1..) {
            lower.push_column(expr.clone(), target_ref)?;
            lower.distinct.push(SortGroup::by(target_ref));
        }
        call.filter.iter().for_each(|filter| lower.add_qual(filter.clone()));
        let given = NullTest {
            arg: argument.clone(),
            negated: true,
            is_row: false,
        };
        lower.add_qual(Expr::NullTest(Box::new(given)));
        let mut reads = graph.cut(&lower)?;
        simplify(&mut reads, graph)?;
        inputs.push(DistinctArgument {
            argument: argument.clone(),
            filter: call.filter.clone(),
            branch: branch(&reads, graph)?,
            reads,
        });
    }
    Ok(inputs)
}

/// A block as a query without a select list.
fn as_query(flat: &Flat) -> Query {
    let mut query = Query::default();
    for (source, varno) in flat.scans.iter().zip(1..) {
        query.rtable.push(match source {
            Source::Derived(rte) => (**rte).clone(),
            Source::Table { relation, inherit } => {
                let names = relation.columns.iter().map(|column| column.name.clone()).collect();
                let kind = RteKind::Relation {
                    relid: relation.oid,
                    relkind: relation.kind,
                    tablesample: None,
                };
                Rte {
                    inh: *inherit,
                    ..Rte::new(kind, &relation.name, names)
                }
            }
        });
        query.from.push(FromItem::Rel(varno));
    }
    for qual in &flat.quals {
        query.add_qual(qual.clone());
    }
    query
}
