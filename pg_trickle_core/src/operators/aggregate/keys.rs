//! The grouping keys.

use super::state::GroupKey;
use crate::catalog::Catalog;
use crate::facts::fallback::{Fallback, reason};
use crate::facts::linear_block::Flat;
use crate::facts::types::{collate, has_arrays, is_pseudo};
use crate::facts::value_identity::equal_is_same;
use crate::operators::linear::recognise::{check, nullable, print};
use crate::query::{Expr, Query, Target};
use crate::stages::graph::StageGraph;

/// True for a junk target that only GROUP BY refers to.
pub fn is_key_only(target: &Target, query: &Query) -> bool {
    target.junk && !query.sort.iter().any(|sort| sort.target_ref == target.ressortgroupref)
}

/// The keys of a grouping while they are collected.
pub struct GroupKeys<'a> {
    flat: &'a Flat,
    graph: &'a StageGraph<'a>,
    /// The keys, each with its expression over the scans.
    pub keys: Vec<(Expr, GroupKey)>,
}

impl<'a> GroupKeys<'a> {
    /// No keys yet.
    pub fn new(flat: &'a Flat, graph: &'a StageGraph<'a>) -> Self {
        GroupKeys {
            flat,
            graph,
            keys: Vec::new(),
        }
    }

    /// Adds a key, unless it is already present.
    pub fn add(&mut self, expr: &Expr) -> Result<(), Fallback> {
        if self.keys.iter().any(|(known, _)| known == expr) {
            return Ok(());
        }
        check(self.flat, expr, self.graph)?;
        let key = key(self.flat, expr, self.graph)?;
        self.keys.push((expr.clone(), key));
        Ok(())
    }

    /// Adds the columns of an expression that are not in GROUP BY: a grouped primary key determines them functionally.
    pub fn add_dependent(&mut self, expr: &Expr) -> Result<(), Fallback> {
        let mut found = Vec::new();
        let _ = expr.transform(&mut |node| {
            if self.keys.iter().any(|(key, _)| key == node) || matches!(node, Expr::Aggref(_)) {
                return Some(node.clone());
            }
            if matches!(node, Expr::Var(_)) {
                found.push(node.clone());
            }
            None
        });
        for var in found {
            self.add(&var)?;
        }
        Ok(())
    }
}

/// A grouping expression as a key. Fails for types whose rows cannot be grouped in storage.
pub fn key(flat: &Flat, expr: &Expr, graph: &StageGraph) -> Result<GroupKey, Fallback> {
    let type_oid = expr.type_oid();
    let shown = || graph.type_sql(type_oid, expr.typmod());
    if is_pseudo(type_oid, graph)? {
        return reason("grouping by a row");
    }
    let ordered = graph.default_equality(type_oid)?;
    let Some(default) = ordered.filter(|default| default.less.is_some()) else {
        return reason(&format!("grouping by type {}, which has no order", shown()?));
    };
    if !equal_is_same(expr, graph)? {
        return reason(&format!(
            "grouping by type {}, whose equal values can look different",
            shown()?
        ));
    }
    Ok(GroupKey {
        sql: print(flat, expr, graph)?,
        name: String::new(),
        type_sql: shown()?,
        collate: collate(type_oid, expr.collation(), graph)?,
        equals: crate::sql::expr::operator_sql(&default.equality),
        nullable: nullable(flat, expr)?,
        wrapped: has_arrays(type_oid, graph)?,
    })
}
