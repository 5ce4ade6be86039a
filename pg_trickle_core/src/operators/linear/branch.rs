//! Linear queries as branches: the bag union of their rows feeds a bag or a grouping.
//!
//! Union all: Δ(R ∪ S) = ΔR ∪ ΔS as bags. It is linear, so the delta has the terms of all branches. State: none. Cost:
//! the change. Source: the sum of Z-sets; Griffin, Libkin, "Incremental maintenance of views with duplicates", 1995.

use super::block::Block;
use super::compared;
use super::recognise::{any_block, check, reads_a_table};
use crate::catalog::Catalog;
use crate::error::Error;
use crate::facts::fallback::Fallback;
use crate::facts::join_block;
use crate::facts::linear_block::{Flat, Resolver};
use crate::maintain::operator_tree::OperatorTree;
use crate::query::{Expr, Query, SqlLeaf, Target};

/// One branch: its block, its operators, and its select list over the scans.
pub struct Branch {
    /// The scans and conjuncts.
    pub flat: Flat,
    /// The select list.
    pub targets: Vec<Target>,
    /// The block as SQL.
    pub block: Block,
    /// Its operators.
    pub operators: OperatorTree,
}

/// A linear query, which may have outer joins, EXISTS and IN, as a branch. Fails if it reads no table.
pub fn branch(query: &Query, catalog: &dyn Catalog) -> Result<Branch, Fallback> {
    let mut flat = Flat::default();
    let resolver = join_block::resolve(query, &mut flat, catalog)?;
    let branch = of_block(&resolver, flat, catalog)?;
    reads_a_table(&branch.block)?;
    Ok(branch)
}

/// A linear query of inner joins as a branch, even if it reads no table.
pub fn any_branch(query: &Query, catalog: &dyn Catalog) -> Result<Branch, Fallback> {
    let mut flat = Flat::default();
    let resolver = Resolver::new(query, &mut flat, catalog)?;
    of_block(&resolver, flat, catalog)
}

fn of_block(resolver: &Resolver, flat: Flat, catalog: &dyn Catalog) -> Result<Branch, Fallback> {
    let targets = resolver.targets()?;
    let (mut block, operators) = any_block(&flat, catalog)?;
    let outputs: Vec<&Expr> = targets.iter().map(|target| &target.expr).collect();
    block.between = compared::find(&flat, &outputs, catalog)?;
    for target in &targets {
        check(&flat, &target.expr, catalog)?;
    }
    Ok(Branch {
        flat,
        targets,
        block,
        operators,
    })
}

/// A branch's value, in the type that the set operation gives its column.
pub fn coerced(own: &Expr, target: &Expr, catalog: &dyn Catalog) -> Result<Expr, Error> {
    if own.type_oid() == target.type_oid() {
        return Ok(own.clone());
    }
    let type_sql = catalog.type_sql(target.type_oid(), -1)?;
    Ok(Expr::Sql(SqlLeaf {
        parts: vec!["(".to_owned(), format!(")::{type_sql}")],
        args: vec![own.clone()],
        type_oid: target.type_oid(),
        typmod: -1,
        collation: target.collation(),
    }))
}

/// A single tree, or a union of several.
pub fn union_of(trees: Vec<OperatorTree>) -> OperatorTree {
    let mut trees = trees;
    match (trees.pop(), trees.is_empty()) {
        (Some(only), true) => only,
        (last, _) => {
            trees.extend(last);
            OperatorTree::new(format!("union all of {}", trees.len()), trees)
        }
    }
}
