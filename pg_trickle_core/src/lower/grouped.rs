//! A query with GROUP BY, aggregates or HAVING, as groups over a linear block. Rule, cost and source: `op/aggregate.rs`.

use super::bag::{Branch, branch, coerced};
use super::builder::{Builder, Storage, Stored, stored_name};
use super::columns::{INT8, collate, equal_is_same, is_pseudo, storage_columns};
use super::deduplicated::{self, Deduplicated};
use super::linear::{Flat, Resolver};
use super::scans::{block, check, nullable, print};
use super::states::{States, Value};
use super::stop::{Stop, reason};
use super::{Lowered, Maintain, advice, column_of, partition, set_operation};
use crate::catalog::Catalog;
use crate::error::Error;
use crate::op::Op;
use crate::op::aggregate::{Aggregate, Key, State};
use crate::op::having::{Having, Visible};
use crate::op::term::Part;
use crate::query::{Expr, Query, Target};
use crate::stage::Into;
use crate::stage::group::Group;
use crate::stage::storage::Identity;

/// Lowers a query that groups: by folding where all its aggregates have states, else by recomputing touched groups.
pub fn lower(query: &Query, storage: &Storage, builder: &Builder) -> Result<Lowered, Stop> {
    let before = builder.len();
    match fold(query, storage, builder) {
        Err(Stop::Reason(why)) => {
            builder.truncate(before);
            partition::groups(query, &why, storage, builder)
        }
        other => other,
    }
}

fn fold(query: &Query, storage: &Storage, builder: &Builder) -> Result<Lowered, Stop> {
    if !query.grouping_sets.is_empty() {
        return reason("GROUPING SETS, ROLLUP or CUBE");
    }
    let mut flat = Flat::default();
    let resolver = Resolver::new(query, &mut flat, builder)?;
    let targets = resolver.targets()?;
    let having = query
        .having
        .as_ref()
        .map(|having| resolver.resolve(having))
        .transpose()?;
    let (block, tree) = block(&flat, builder)?;
    let mut keys = Keys::new(&flat, builder);
    for group in &query.group {
        let target = targets.iter().find(|target| target.ressortgroupref == group.target_ref);
        let Some(target) = target else {
            return reason("GROUP BY without a target");
        };
        keys.add(&target.expr)?;
    }
    let used: Vec<&Expr> = targets
        .iter()
        .filter(|target| !is_key_only(target, query))
        .map(|target| &target.expr)
        .chain(&having)
        .collect();
    let mut calls = Vec::new();
    for expr in used {
        keys.add_dependent(expr)?;
        expr.for_each(&mut |node| {
            if let Expr::Aggref(call) = node {
                calls.push((**call).clone());
            }
        });
    }
    let key_exprs: Vec<Expr> = keys.keys.iter().map(|(expr, _)| expr.clone()).collect();
    let distinct = deduplicated::inputs(&calls, &key_exprs, &flat, builder)?;
    let mut states = States::new(&flat, &distinct, builder);
    states.add(calls)?;
    name(&mut keys, &mut states, &targets);
    let mut stored = stored(&keys, &states.states);
    if storage.is_inner() {
        stored.push(Stored::number());
    }
    let key_names: Vec<String> = keys.keys.iter().map(|(_, key)| key.name.clone()).collect();
    let mut view = builder.register(storage, &stored, &key_names);
    let column = |n: usize| column_of(&view, &stored, n);
    let over_storage = |expr: &Expr| over_storage(expr, &keys, &states, &column);
    let shown: Vec<Target> = targets
        .iter()
        .filter(|target| !is_key_only(target, query))
        .map(|target| Target {
            expr: over_storage(&target.expr),
            ..target.clone()
        })
        .collect();
    let condition = having.as_ref().map(over_storage);
    view.targets = shown;
    view.quals = condition;
    view.sort.clone_from(&query.sort);
    let States {
        arguments,
        states,
        floats,
        ..
    } = states;
    let keys: Vec<Key> = keys.keys.into_iter().map(|(_, key)| key).collect();
    let values = |part: usize, mut values: Vec<String>| {
        values.extend(arguments.iter().map(|argument| argument.of(part)));
        values
    };
    let own = keys.iter().map(|key| key.sql.clone()).collect();
    let mut parts = vec![Part {
        block,
        values: values(0, own),
    }];
    let mut trees = vec![tree];
    let mut reads = query.clone();
    if !distinct.is_empty() {
        reads = set_operation::reads([query].into_iter().chain(distinct.iter().map(|input| &input.reads)));
    }
    for (Deduplicated { branch, .. }, part) in distinct.into_iter().zip(1..) {
        let own = branch.targets.iter().take(keys.len());
        let own = own.map(|target| print(&branch.flat, &target.expr, builder));
        parts.push(Part {
            values: values(part, own.collect::<Result<_, Error>>()?),
            block: branch.block,
        });
        trees.push(branch.tree);
    }
    let aggregate = Aggregate {
        input: Box::new(super::union_tree(trees)),
        keys,
        arguments: arguments.iter().map(|argument| argument.of(argument.part)).collect(),
        states,
        rounds_once: floats,
    };
    let group = Group {
        table: storage.sql(),
        aggregate,
        parts,
    };
    let is_looked_up = group.aggregate.looks_up();
    let mut lowered = finish(group, stored, view, &reads, builder)?;
    if is_looked_up {
        let keys = query.group.iter().filter_map(|key| query.target(key.target_ref));
        let keys: Vec<Expr> = keys.map(|target| target.expr.clone()).collect();
        lowered.looked_up = advice::columns(&keys, query);
    }
    Ok(lowered)
}

/// Puts a grouped stage together.
pub fn finish(
    group: Group,
    stored: Vec<Stored>,
    view: Query,
    reads: &Query,
    builder: &Builder,
) -> Result<Lowered, Stop> {
    let key: Vec<String> = group.aggregate.keys.iter().map(|key| key.name.clone()).collect();
    let identity = if key.is_empty() {
        Identity::Single
    } else {
        Identity::Key(key.clone())
    };
    let mut tree = Op::Aggregate(group.aggregate.clone());
    let outputs = view
        .targets
        .iter()
        .filter(|target| !target.junk)
        .map(|target| Visible {
            name: target.name.clone().unwrap_or_default(),
        })
        .collect();
    tree = Op::Having(Having {
        input: Box::new(tree),
        condition: view.quals.is_some(),
        outputs,
    });
    Ok(Lowered {
        columns: storage_columns(&stored, builder)?,
        indexes: Vec::new(),
        view,
        written: group.column_names(),
        identity,
        key,
        rows: group.query(),
        reads: reads.clone(),
        looked_up: Vec::new(),
        advice: Vec::new(),
        tree: Some(tree),
        maintain: Maintain::Fold(Into::Group(group)),
    })
}

/// A junk target that only GROUP BY refers to.
pub fn is_key_only(target: &Target, query: &Query) -> bool {
    target.junk && !query.sort.iter().any(|sort| sort.target_ref == target.ressortgroupref)
}

/// The keys of a grouping while they are collected.
pub struct Keys<'a> {
    flat: &'a Flat,
    builder: &'a Builder<'a>,
    /// Each with its expression over the scans.
    pub keys: Vec<(Expr, Key)>,
}

impl<'a> Keys<'a> {
    /// None yet.
    pub fn new(flat: &'a Flat, builder: &'a Builder<'a>) -> Self {
        Keys {
            flat,
            builder,
            keys: Vec::new(),
        }
    }

    /// Adds a key, unless it is there.
    pub fn add(&mut self, expr: &Expr) -> Result<(), Stop> {
        if self.keys.iter().any(|(known, _)| known == expr) {
            return Ok(());
        }
        check(self.flat, expr, self.builder)?;
        let key = key(self.flat, expr, self.builder)?;
        self.keys.push((expr.clone(), key));
        Ok(())
    }

    /// Columns that may stand outside of GROUP BY because a grouped primary key determines them: keys too.
    fn add_dependent(&mut self, expr: &Expr) -> Result<(), Stop> {
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

/// A grouping expression as a key; fails for types by which rows cannot be grouped in storage.
pub fn key(flat: &Flat, expr: &Expr, builder: &Builder) -> Result<Key, Stop> {
    let type_oid = expr.type_oid();
    let shown = || builder.type_sql(type_oid, expr.typmod());
    if is_pseudo(type_oid, builder)? {
        return reason("grouping by a row");
    }
    let ordered = builder.default_equality(type_oid)?;
    let Some(default) = ordered.filter(|default| default.less.is_some()) else {
        return reason(&format!("grouping by type {}, which has no order", shown()?));
    };
    if !equal_is_same(expr, builder)? {
        return reason(&format!(
            "grouping by type {}, whose equal values can look different",
            shown()?
        ));
    }
    Ok(Key {
        sql: print(flat, expr, builder)?,
        name: String::new(),
        type_sql: shown()?,
        collate: collate(type_oid, expr.collation(), builder)?,
        equals: crate::sql::expr::operator_sql(&default.equality),
        nullable: nullable(flat, expr)?,
    })
}

/// Gives the visible name to a key or state that is a target as it stands, and hidden names to the others.
fn name(keys: &mut Keys, states: &mut States, targets: &[Target]) {
    for target in targets.iter().filter(|target| !target.junk) {
        let Some(name) = &target.name else { continue };
        if let Some((_, key)) = keys.keys.iter_mut().find(|(expr, _)| *expr == target.expr) {
            if key.name.is_empty() {
                key.name = stored_name(name);
            }
        } else if let Expr::Aggref(call) = &target.expr
            && let Some(Value::State(state)) = states.value(call)
        {
            let state = &mut states.states[state];
            if state.name.is_empty() {
                state.name = stored_name(name);
            }
        }
    }
    for (n, (_, key)) in keys.keys.iter_mut().enumerate() {
        if key.name.is_empty() {
            key.name = format!("__pgt_k{}", n + 1);
        }
    }
    for (n, state) in states.states.iter_mut().enumerate() {
        if state.name.is_empty() {
            state.name = format!("__pgt_s{n}");
        }
    }
}

fn stored(keys: &Keys, states: &[State]) -> Vec<Stored> {
    let keys = keys.keys.iter().map(|(expr, key)| Stored {
        name: key.name.clone(),
        type_oid: expr.type_oid(),
        typmod: expr.typmod(),
        collation: expr.collation(),
        not_null: false,
        numbered: false,
        generated: None,
    });
    let states = states.iter().map(|state| Stored {
        name: state.name.clone(),
        type_oid: state.type_oid,
        typmod: -1,
        collation: state.collation,
        not_null: false,
        numbered: false,
        generated: None,
    });
    keys.chain(states).collect()
}

/// A resolved expression over the storage's columns: keys first, then states.
fn over_storage(expr: &Expr, keys: &Keys, states: &States, column: &dyn Fn(usize) -> Expr) -> Expr {
    let state = |n: usize| column(keys.keys.len() + n);
    expr.transform(&mut |node| {
        if let Some(position) = keys.keys.iter().position(|(known, _)| known == node) {
            return Some(column(position));
        }
        match node {
            Expr::Aggref(call) => Some(states.result(states.value(call)?, call.type_oid, &state)),
            _ => None,
        }
    })
}

/// A union of linear queries, grouped by all their columns, with the rows of each branch counted apart.
pub struct Counted {
    /// The grouped storage.
    pub group: Group,
    /// Its columns: keys, the count of rows, the count of each branch.
    pub stored: Vec<Stored>,
}

impl Counted {
    /// A view of the rows, once each; `targets` are the query's, as they were grouped.
    pub fn view(&self, query: &Query, targets: &[&Target], storage: &Storage, builder: &Builder) -> Query {
        let names: Vec<String> = self.group.aggregate.keys.iter().map(|key| key.name.clone()).collect();
        let mut view = builder.register(storage, &self.stored, &names);
        let shown = targets
            .iter()
            .enumerate()
            .map(|(n, target)| Target {
                expr: column_of(&view, &self.stored, n),
                ..(*target).clone()
            })
            .collect();
        view.targets = shown;
        view.sort.clone_from(&query.sort);
        view
    }
}

/// Groups branches by all their columns. `side` gives the side that each branch is counted on, of `sides`.
pub fn counted(
    targets: &[&Target],
    leaves: &[(Query, usize)],
    sides: usize,
    storage: &Storage,
    builder: &Builder,
) -> Result<Counted, Stop> {
    let branches: Vec<(Branch, usize)> = leaves
        .iter()
        .map(|(leaf, side)| Ok((branch(leaf, builder)?, *side)))
        .collect::<Result<_, Stop>>()?;
    let mut keys: Vec<Key> = Vec::new();
    let mut stored = Vec::new();
    for (position, target) in targets.iter().enumerate() {
        let mut all: Option<Key> = None;
        for (branch, _) in &branches {
            let Some(own) = branch.targets.iter().filter(|own| !own.junk).nth(position) else {
                return reason("branches of different widths");
            };
            let own = key(&branch.flat, &coerced(&own.expr, &target.expr, builder)?, builder)?;
            let nullable = own.nullable || all.as_ref().is_some_and(|all| all.nullable);
            all = Some(Key {
                nullable,
                ..all.unwrap_or(own)
            });
        }
        let Some(mut key) = all else {
            return reason("a set operation over nothing");
        };
        key.name = match &target.name {
            Some(name) => stored_name(name),
            None => format!("__pgt_k{}", position + 1),
        };
        key.type_sql = builder.type_sql(target.expr.type_oid(), target.expr.typmod())?;
        key.collate = collate(target.expr.type_oid(), target.expr.collation(), builder)?;
        stored.push(Stored::of(key.name.clone(), &target.expr, builder)?);
        keys.push(key);
    }
    let count = |name: String, argument: Option<usize>| State {
        name,
        type_oid: INT8,
        type_sql: "pg_catalog.int8".to_owned(),
        collate: String::new(),
        collation: 0,
        kind: crate::op::aggregate::Kind::Count,
        argument,
        times: None,
    };
    let mut states = vec![count("__pgt_s0".to_owned(), None)];
    if sides > 1 {
        states.extend((0..sides).map(|side| count(format!("__pgt_s{}", side + 1), Some(side))));
    }
    for state in &states {
        stored.push(Stored {
            name: state.name.clone(),
            type_oid: INT8,
            typmod: -1,
            collation: 0,
            not_null: false,
            numbered: false,
            generated: None,
        });
    }
    if storage.is_inner() {
        stored.push(Stored::number());
    }
    let arguments = states.len() - 1;
    let mut parts = Vec::new();
    let mut trees = Vec::new();
    for (branch, side) in branches {
        let mut values: Vec<String> = branch
            .targets
            .iter()
            .filter(|own| !own.junk)
            .zip(targets)
            .map(|(own, target)| print(&branch.flat, &coerced(&own.expr, &target.expr, builder)?, builder))
            .collect::<Result<_, Error>>()?;
        values.extend((0..arguments).map(|n| if n == side { "1" } else { "NULL::pg_catalog.int4" }.to_owned()));
        parts.push(Part {
            block: branch.block,
            values,
        });
        trees.push(branch.tree);
    }
    Ok(Counted {
        group: Group {
            table: storage.sql(),
            aggregate: Aggregate {
                input: Box::new(super::union_tree(trees)),
                keys,
                arguments: vec!["1".to_owned(); arguments],
                states,
                rounds_once: false,
            },
            parts,
        },
        stored,
    })
}
