//! A query without grouping, as a bag over a linear block; and UNION ALL of such queries.
//!
//! Rule: that of the linear operators under it (`op/filter.rs`, `op/project.rs`, `op/inner_join.rs`, `op/union_all.rs`). Cost: the
//! change and its matches.

use super::builder::{Builder, Storage, Stored, stored_name};
use super::columns::{equality, is_pseudo, storage_columns, type_of};
use super::linear::{Flat, Resolver};
use super::scans::{any_block, check, print, reads_a_table};
use super::stop::{Stop, reason};
use super::{Lowered, Maintain, keys};
use crate::catalog::Catalog;
use crate::error::Error;
use crate::op::Op;
use crate::op::project::{Output, Project};
use crate::op::term::Part;
use crate::query::{Expr, Query, SqlLeaf, Target};
use crate::stage::Into;
use crate::stage::bag::Bag;
use crate::stage::rebuild;
use crate::stage::storage::Identity;

/// The column with the hash of a row that has no key.
pub const HASH: &str = "__pgt_hash";

/// One branch: its block, its operators, and its targets over the scans.
pub struct Branch {
    /// The scans and conjuncts.
    pub flat: Flat,
    /// The select list.
    pub targets: Vec<Target>,
    /// The block as SQL.
    pub block: crate::op::term::Block,
    /// Its operators.
    pub tree: Op,
}

/// Lowers one linear query as a branch.
pub fn branch(query: &Query, catalog: &dyn Catalog) -> Result<Branch, Stop> {
    let branch = any_branch(query, catalog)?;
    reads_a_table(&branch.block)?;
    Ok(branch)
}

/// The same for one that may read no table.
pub fn any_branch(query: &Query, catalog: &dyn Catalog) -> Result<Branch, Stop> {
    let mut flat = Flat::default();
    let resolver = Resolver::new(query, &mut flat, catalog)?;
    let targets = resolver.targets()?;
    let (block, tree) = any_block(&flat, catalog)?;
    for target in &targets {
        check(&flat, &target.expr, catalog)?;
    }
    Ok(Branch {
        flat,
        targets,
        block,
        tree,
    })
}

/// Lowers a query that does not group.
pub fn lower(query: &Query, storage: &Storage, builder: &Builder) -> Result<Lowered, Stop> {
    let branch = branch(query, builder)?;
    let (mut outputs, mut stored) = outputs(&branch, builder)?;
    let key = if query.has_target_srfs {
        None
    } else {
        keys::of_join(&branch.flat, builder)?
    };
    let mut key_names = Vec::new();
    let mut key_equals = Vec::new();
    if let Some(columns) = key {
        for var in columns {
            let expr = Expr::Var(var);
            key_equals.push(equality(expr.type_oid(), builder)?);
            let selected = branch.targets.iter().position(|target| target.expr == expr);
            let position = match selected {
                Some(position) => position,
                None => {
                    let name = format!("__pgt_k{}", key_names.len() + 1);
                    outputs.push(output(&branch.flat, &expr, &name, true, builder)?);
                    stored.push(Stored::of(name, &expr, builder)?);
                    stored.len() - 1
                }
            };
            stored[position].not_null = true;
            key_names.push(outputs[position].name.clone());
        }
    }
    let identity = if key_names.is_empty() {
        Identity::Hash(HASH.to_owned())
    } else {
        Identity::Key(key_names)
    };
    let part = Part {
        block: branch.block,
        values: outputs.iter().map(|output| output.sql.clone()).collect(),
    };
    finish(Finish {
        query,
        reads: query.clone(),
        storage,
        outputs,
        stored,
        parts: vec![part],
        trees: vec![branch.tree],
        identity,
        key_equals,
        builder,
    })
}

/// Lowers the branches of a UNION ALL. `query` is the whole, with its ORDER BY; `reads` what all of them read.
pub fn lower_union(
    query: &Query,
    leaves: &[Query],
    reads: Query,
    storage: &Storage,
    builder: &Builder,
) -> Result<Lowered, Stop> {
    let branches: Vec<Branch> = leaves
        .iter()
        .map(|leaf| branch(leaf, builder))
        .collect::<Result<_, Stop>>()?;
    let Some(first) = branches.first() else {
        return reason("UNION ALL of nothing");
    };
    let mut outputs = Vec::new();
    let mut stored = Vec::new();
    for (position, target) in query.targets.iter().filter(|target| !target.junk).enumerate() {
        let Some(own) = first.targets.get(position) else {
            return reason("UNION ALL of different widths");
        };
        let name = match &target.name {
            Some(name) => stored_name(name),
            None => format!("__pgt_o{}", position + 1),
        };
        let own = coerced(&own.expr, &target.expr, builder)?;
        outputs.push(output(&first.flat, &own, &name, false, builder)?);
        stored.push(Stored::of(name, &target.expr, builder)?);
    }
    let mut parts = Vec::new();
    let mut trees = Vec::new();
    for branch in branches {
        let values = branch
            .targets
            .iter()
            .filter(|target| !target.junk)
            .zip(query.targets.iter().filter(|target| !target.junk))
            .map(|(own, target)| print(&branch.flat, &coerced(&own.expr, &target.expr, builder)?, builder))
            .collect::<Result<_, Error>>()?;
        parts.push(Part {
            block: branch.block,
            values,
        });
        trees.push(branch.tree);
    }
    finish(Finish {
        query,
        reads,
        storage,
        outputs,
        stored,
        parts,
        trees,
        identity: Identity::Hash(HASH.to_owned()),
        key_equals: Vec::new(),
        builder,
    })
}

/// A branch's value in the type that the set operation gives its column.
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

fn outputs(branch: &Branch, builder: &Builder) -> Result<(Vec<Output>, Vec<Stored>), Stop> {
    let mut outputs = Vec::new();
    let mut stored = Vec::new();
    for (position, target) in branch.targets.iter().enumerate() {
        let name = match (&target.name, target.junk) {
            (Some(name), false) => stored_name(name),
            _ => format!("__pgt_o{}", position + 1),
        };
        if target.junk && is_pseudo(target.expr.type_oid(), builder)? {
            return reason("ORDER BY a row");
        }
        outputs.push(output(&branch.flat, &target.expr, &name, target.junk, builder)?);
        stored.push(Stored::of(name, &target.expr, builder)?);
    }
    Ok((outputs, stored))
}

fn output(flat: &Flat, expr: &Expr, name: &str, hidden: bool, catalog: &dyn Catalog) -> Result<Output, Error> {
    let type_oid = type_of(expr, catalog)?;
    Ok(Output {
        sql: print(flat, expr, catalog)?,
        name: name.to_owned(),
        type_sql: catalog.type_sql(type_oid, expr.typmod())?,
        hidden,
    })
}

/// The column with the hash of a row of these columns.
pub fn hash(columns: &[String]) -> Stored {
    Stored {
        name: HASH.to_owned(),
        type_oid: super::columns::INT8,
        typmod: -1,
        collation: 0,
        not_null: false,
        numbered: false,
        generated: Some(rebuild::hash(None, columns)),
    }
}

struct Finish<'a> {
    query: &'a Query,
    reads: Query,
    storage: &'a Storage,
    outputs: Vec<Output>,
    stored: Vec<Stored>,
    parts: Vec<Part>,
    trees: Vec<Op>,
    identity: Identity,
    key_equals: Vec<String>,
    builder: &'a Builder<'a>,
}

fn finish(from: Finish) -> Result<Lowered, Stop> {
    let bag = Bag {
        table: from.storage.sql(),
        outputs: from.outputs,
        parts: from.parts,
        identity: from.identity,
        key_equals: from.key_equals,
    };
    let mut stored = from.stored;
    let mut key = Vec::new();
    match &bag.identity {
        Identity::Key(names) => key.clone_from(names),
        Identity::Hash(_) => stored.push(hash(&bag.column_names())),
        Identity::Single | Identity::None => {}
    }
    if from.storage.is_inner() && !matches!(bag.identity, Identity::Key(_)) {
        stored.push(Stored::number());
    }
    let view = super::view_of_columns(from.query, from.storage, &stored, &key, from.builder);
    let outputs = bag.outputs.clone();
    let tree = super::union_tree(
        from.trees
            .into_iter()
            .map(|tree| {
                Op::Project(Project {
                    input: Box::new(tree),
                    outputs: outputs.clone(),
                })
            })
            .collect(),
    );
    Ok(Lowered {
        columns: storage_columns(&stored, from.builder)?,
        indexes: Vec::new(),
        view,
        written: bag.column_names(),
        identity: bag.identity.clone(),
        key,
        rows: bag.query(),
        reads: from.reads,
        looked_up: Vec::new(),
        advice: Vec::new(),
        tree: Some(tree),
        maintain: Maintain::Fold(Into::Bag(bag)),
    })
}
