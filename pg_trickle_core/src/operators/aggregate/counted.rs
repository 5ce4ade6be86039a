//! Counts the rows of several linear queries by value, for DISTINCT and the set operations.

use super::group::Group;
use super::keys::key;
use super::lookups::Lookups;
use super::plan::number;
use super::state::{Aggregate, GroupKey, Kind, State};
use crate::catalog::Catalog;
use crate::error::Error;
use crate::facts::fallback::{Fallback, reason};
use crate::facts::types::collate;
use crate::maintain::operator_tree::OperatorTree;
use crate::oids::INT8;
use crate::operators::linear::block::Part;
use crate::operators::linear::branch::{Branch, branch, coerced, union_of};
use crate::operators::linear::recognise::print;
use crate::query::{Query, SqlLeaf, Target};
use crate::stages::graph::StageGraph;
use crate::stages::stored::{StorageTable, StoredColumn, stored_name};
use crate::stages::view::column_of;

/// A union of linear queries, grouped by all columns, with a count of the rows on each side.
pub struct Counted {
    /// The grouped storage.
    pub group: Group,
    /// The operators below the grouping, for `explain`.
    pub input: OperatorTree,
    /// Its columns: keys, the count of rows, the count of each side.
    pub stored: Vec<StoredColumn>,
}

impl Counted {
    /// A view with each row once. `targets` are those of the query, as they were grouped.
    pub fn view(
        &self,
        query: &Query,
        targets: &[&Target],
        storage: &StorageTable,
        graph: &StageGraph,
    ) -> Result<Query, Error> {
        let names: Vec<String> = self.group.aggregate.keys.iter().map(|key| key.name.clone()).collect();
        let mut view = graph.register(storage, &self.stored, &names)?;
        let shown = targets
            .iter()
            .enumerate()
            .map(|(n, target)| {
                Ok(Target {
                    expr: column_of(&self.stored, n)?,
                    ..(*target).clone()
                })
            })
            .collect::<Result<_, Error>>()?;
        view.targets = shown;
        view.sort.clone_from(&query.sort);
        if names.is_empty() {
            // Without columns, there is one stored row even if there are no rows.
            let count = column_of(&self.stored, 0)?;
            view.quals = Some(SqlLeaf::condition(&["", " OPERATOR(pg_catalog.>) 0"], vec![count]));
        }
        Ok(view)
    }
}

/// Groups branches by all their columns. Each leaf comes with its side, of which there are `sides`.
pub fn counted(
    targets: &[&Target],
    leaves: &[(Query, usize)],
    sides: usize,
    storage: &StorageTable,
    graph: &StageGraph,
) -> Result<Counted, Fallback> {
    let branches: Vec<(Branch, usize)> = leaves
        .iter()
        .map(|(leaf, side)| Ok((branch(leaf, graph)?, *side)))
        .collect::<Result<_, Fallback>>()?;
    let mut keys: Vec<GroupKey> = Vec::new();
    let mut stored = Vec::new();
    for (position, target) in targets.iter().enumerate() {
        let mut all: Option<GroupKey> = None;
        for (branch, _) in &branches {
            let Some(own) = branch.targets.iter().filter(|own| !own.junk).nth(position) else {
                return reason("branches with different numbers of columns");
            };
            let own = key(&branch.flat, &coerced(&own.expr, &target.expr, graph)?, graph)?;
            let nullable = own.nullable || all.as_ref().is_some_and(|all| all.nullable);
            all = Some(GroupKey {
                nullable,
                ..all.unwrap_or(own)
            });
        }
        let Some(mut key) = all else {
            return reason("set operation without branches");
        };
        key.name = match &target.name {
            Some(name) => stored_name(name),
            None => format!("__pgt_k{}", position + 1),
        };
        key.type_sql = graph.type_sql(target.expr.type_oid(), target.expr.typmod())?;
        key.collate = collate(target.expr.type_oid(), target.expr.collation(), graph)?;
        stored.push(StoredColumn {
            not_null: !key.nullable,
            ..StoredColumn::of(key.name.clone(), &target.expr, graph)?
        });
        keys.push(key);
    }
    let count = |name: String, argument: Option<usize>| State {
        name,
        type_oid: INT8,
        type_sql: "pg_catalog.int8".to_owned(),
        collate: String::new(),
        collation: 0,
        kind: Kind::Count,
        argument,
        times: None,
    };
    let mut states = vec![count("__pgt_s0".to_owned(), None)];
    if sides > 1 {
        states.extend((0..sides).map(|side| count(format!("__pgt_s{}", side + 1), Some(side))));
    }
    for state in &states {
        stored.push(StoredColumn {
            name: state.name.clone(),
            type_oid: INT8,
            typmod: -1,
            collation: 0,
            not_null: false,
            numbered: false,
            generated: None,
        });
    }
    number(&mut stored, keys.len(), storage);
    let arguments = states.len() - 1;
    let mut parts = Vec::new();
    let mut supplied = Vec::new();
    let mut trees = Vec::new();
    for (branch, side) in branches {
        let mut values: Vec<String> = branch
            .targets
            .iter()
            .filter(|own| !own.junk)
            .zip(targets)
            .map(|(own, target)| print(&branch.flat, &coerced(&own.expr, &target.expr, graph)?, graph))
            .collect::<Result<_, Error>>()?;
        supplied.push((0..arguments).map(|n| n == side).collect());
        values.extend((0..arguments).map(|n| if n == side { "1" } else { "NULL::pg_catalog.int4" }.to_owned()));
        parts.push(Part {
            block: branch.block,
            values,
        });
        trees.push(branch.operators);
    }
    Ok(Counted {
        group: Group {
            table: storage.sql(),
            aggregate: Aggregate {
                keys,
                arguments: vec!["1".to_owned(); arguments],
                states,
                rounds_once: false,
            },
            parts,
            supplied,
            lookups: Lookups::Row,
        },
        input: union_of(trees),
        stored,
    })
}
