//! Indexes in the order of a clause: of ORDER BY, or of a window's PARTITION BY and ORDER BY.

use super::graph::StageGraph;
use crate::catalog::{Catalog, IndexColumn, Operator, Relation};
use crate::error::Error;
use crate::plan::Oid;
use crate::query::{Expr, SortGroup, Target, Var};
use crate::sql::ident::quote_ident;

/// An index, as its columns.
pub struct OrderIndex {
    /// Each column with its name.
    pub items: Vec<(IndexColumn, String)>,
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
        let mut items: Vec<(IndexColumn, String)> = Vec::new();
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
            if items.iter().any(|(known, _)| known.attnum == *attno) {
                continue;
            }
            let column_of_index = IndexColumn {
                attnum: *attno,
                descending,
                nulls_first: item.nulls_first,
            };
            items.push((column_of_index, column.name.clone()));
        }
        Ok((!items.is_empty()).then_some(OrderIndex { items }))
    }

    /// Each column as SQL, with its direction.
    pub fn columns(&self) -> Vec<String> {
        let column = |(column, name): &(IndexColumn, String)| {
            format!(
                "{} {} NULLS {}",
                quote_ident(name),
                if column.descending { "DESC" } else { "ASC" },
                if column.nulls_first { "FIRST" } else { "LAST" }
            )
        };
        self.items.iter().map(column).collect()
    }

    /// The attribute numbers of the columns.
    pub fn attnos(&self) -> Vec<i16> {
        self.items.iter().map(|(column, _)| column.attnum).collect()
    }

    /// True if a table has an index that returns its rows in this order, forwards or backwards.
    pub fn is_served(&self, relation: &Relation) -> bool {
        let serves = |index: &Vec<IndexColumn>| {
            let pairs = || index.iter().zip(&self.items);
            let not_null = |column: &IndexColumn| relation.column(column.attnum).is_some_and(|column| column.not_null);
            let runs = |reversed: bool| {
                pairs().all(|(own, (wanted, _))| {
                    own.attnum == wanted.attnum
                        && (own.descending != wanted.descending) == reversed
                        && (not_null(own) || (own.nulls_first != wanted.nulls_first) == reversed)
                })
            };
            index.len() >= self.items.len() && (runs(false) || runs(true))
        };
        relation.indexes.iter().any(serves)
    }
}

/// True if an item sorts by the `>` of its type, false if by the `<`, `None` if by anything else.
pub fn is_descending(item: &SortGroup, type_oid: Oid, graph: &StageGraph) -> Result<Option<bool>, Error> {
    let Some(default) = graph.default_equality(type_oid)? else {
        return Ok(None);
    };
    let is = |operator: &Option<Operator>| operator.as_ref().is_some_and(|operator| operator.oid == item.sort_op);
    Ok(match (is(&default.less), is(&default.greater)) {
        (true, _) => Some(false),
        (_, true) => Some(true),
        _ => None,
    })
}
