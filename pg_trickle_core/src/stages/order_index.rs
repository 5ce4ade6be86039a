//! Indexes in the order of a clause: of ORDER BY, or of a window's PARTITION BY and ORDER BY.

use super::graph::StageGraph;
use crate::catalog::{Catalog, Relation};
use crate::error::Error;
use crate::query::{Expr, SortGroup, Target, Var};
use crate::sql::ident::quote_ident;

/// The columns of an index.
pub struct OrderIndex {
    /// Each column as SQL, with its direction.
    pub columns: Vec<String>,
    /// Their attribute numbers.
    pub attnos: Vec<i16>,
}

impl OrderIndex {
    /// The index on a table that returns its rows in this order. `None` if an item is no plain column of the table, in
    /// the default order of its type or its reverse. `targets` are what the items refer to.
    pub fn new(
        relation: &Relation,
        order: &[SortGroup],
        targets: &[Target],
        graph: &StageGraph,
    ) -> Result<Option<Self>, Error> {
        let mut index = OrderIndex {
            columns: Vec::new(),
            attnos: Vec::new(),
        };
        for item in order {
            let target = targets.iter().find(|target| target.ressortgroupref == item.target_ref);
            let Some(Expr::Var(Var { attno, .. })) = target.map(|target| &target.expr) else {
                return Ok(None);
            };
            let Some(column) = relation.column(*attno) else {
                return Ok(None);
            };
            let Some(descending) = is_descending(item, column.type_oid, graph)? else {
                return Ok(None);
            };
            if index.attnos.contains(attno) {
                continue;
            }
            index.attnos.push(*attno);
            index.columns.push(format!(
                "{} {} NULLS {}",
                quote_ident(&column.name),
                if descending { "DESC" } else { "ASC" },
                if item.nulls_first { "FIRST" } else { "LAST" }
            ));
        }
        Ok((!index.columns.is_empty()).then_some(index))
    }
}

/// True if an item sorts by the `>` of its type, false if by the `<`, `None` if by anything else.
pub fn is_descending(item: &SortGroup, type_oid: u32, graph: &StageGraph) -> Result<Option<bool>, Error> {
    let Some(default) = graph.default_equality(type_oid)? else {
        return Ok(None);
    };
    let is = |operator: &Option<crate::catalog::Operator>| {
        operator.as_ref().is_some_and(|operator| operator.oid == item.sort_op)
    };
    Ok(match (is(&default.less), is(&default.greater)) {
        (true, _) => Some(false),
        (_, true) => Some(true),
        _ => None,
    })
}
