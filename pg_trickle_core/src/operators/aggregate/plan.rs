//! Recognises a query with GROUP BY, aggregates or HAVING, and plans its groups over a linear block.

use super::calls::{States, Value};
use super::distinct_arguments::{self, DistinctArgument};
use super::group::Group;
use super::keys::{GroupKeys, is_key_only};
use super::lookups::Lookups;
use super::percentile::Percentile;
use super::state::{Aggregate, GroupKey, State};
use crate::catalog::{Catalog, IndexColumn, Relation};
use crate::error::Error;
use crate::facts::fallback::{Fallback, reason};
use crate::facts::join_block;
use crate::facts::join_tree::index;
use crate::facts::linear_block::Flat;
use crate::facts::stability;
use crate::maintain::operator_tree::OperatorTree;
use crate::maintain::storage::Identity;
use crate::operators::linear::block::{Block, Part};
use crate::operators::linear::branch::union_of;
use crate::operators::linear::compared;
use crate::operators::linear::recognise::{block, print};
use crate::operators::partitioned;
use crate::query::{Expr, Query, Target};
use crate::sql::ident::{is_one_of, quote_ident};
use crate::stages::advice;
use crate::stages::graph::StageGraph;
use crate::stages::indexes::is_small;
use crate::stages::stage_plan::StagePlan;
use crate::stages::stored::{StorageTable, StoredColumn, stored_name, written};
use crate::stages::view::column_of;

/// Plans a query that groups: as a Fold if all its aggregates have states, else by recomputing the touched groups.
pub fn plan(query: &Query, storage: &StorageTable, graph: &StageGraph) -> Result<StagePlan, Fallback> {
    let before = graph.len();
    let mut advice = Vec::new();
    match folded(query, storage, &mut advice, graph) {
        Err(Fallback::Reason(why)) => {
            graph.truncate(before);
            let mut stage = partitioned::plan::groups(query, &why, storage, graph)?;
            stage.advice.append(&mut advice);
            Ok(stage)
        }
        other => other,
    }
}

/// Plans a query that groups as a Fold.
pub fn fold(query: &Query, storage: &StorageTable, graph: &StageGraph) -> Result<StagePlan, Fallback> {
    folded(query, storage, &mut Vec::new(), graph)
}

/// What is grouped: the rows of a block, or of several with the same columns.
pub struct Rows {
    /// The scans that keys and arguments refer to.
    pub flat: Flat,
    /// The select list over these scans.
    pub targets: Vec<Target>,
    /// HAVING over these scans.
    pub having: Option<Expr>,
    /// The blocks.
    pub blocks: Vec<Block>,
    /// The operators below the grouping, for `explain`.
    pub operators: OperatorTree,
    /// The queries of the blocks.
    pub reads: Query,
    /// Indexes that the blocks want.
    pub advice: Vec<String>,
    /// The columns that can be NULL, if the blocks are branches of a union.
    pub branches: Option<Vec<bool>>,
}

/// The same. `missing` takes the advice for indexes for want of which it is none.
fn folded(
    query: &Query,
    storage: &StorageTable,
    missing: &mut Vec<String>,
    graph: &StageGraph,
) -> Result<StagePlan, Fallback> {
    if !query.grouping_sets.is_empty() {
        return reason("GROUPING SETS, ROLLUP or CUBE");
    }
    let mut flat = Flat::default();
    let resolver = join_block::resolve(query, &mut flat, graph)?;
    let targets = resolver.targets()?;
    let having = query
        .having
        .as_ref()
        .map(|having| resolver.resolve(having))
        .transpose()?;
    let (mut block, operators) = block(&flat, graph)?;
    let outputs: Vec<&Expr> = targets.iter().map(|target| &target.expr).chain(&having).collect();
    block.between = compared::find(&flat, &outputs, graph)?;
    let advice = compared::advice(&flat, &outputs, graph)?;
    let rows = Rows {
        flat,
        targets,
        having,
        blocks: vec![block],
        operators,
        reads: query.clone(),
        advice,
        branches: None,
    };
    grouped(query, rows, storage, missing, graph)
}

/// Plans a query that groups these rows as a Fold.
pub fn grouped(
    query: &Query,
    rows: Rows,
    storage: &StorageTable,
    missing: &mut Vec<String>,
    graph: &StageGraph,
) -> Result<StagePlan, Fallback> {
    let Rows {
        flat,
        targets,
        having,
        blocks,
        operators,
        reads,
        mut advice,
        branches,
    } = rows;
    let mut keys = GroupKeys::new(&flat, graph);
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
        stability::same_when_stored(expr, graph)?;
        keys.add_dependent(expr)?;
        calls.extend(expr.aggregates());
    }
    if let Some(nullable) = &branches {
        for (expr, key) in &mut keys.keys {
            if let Expr::Var(var) = expr {
                key.nullable = nullable.get(index(var.attno.into())).is_none_or(|nullable| *nullable);
            }
        }
    }
    let key_exprs: Vec<Expr> = keys.keys.iter().map(|(expr, _)| expr.clone()).collect();
    let mut extremum_arguments: Vec<Expr> = Vec::new();
    for call in &calls {
        if let [argument] = call.args.as_slice()
            && is_one_of(&graph.function(call.function)?.name, "min max")
            && !extremum_arguments.contains(&argument.expr)
        {
            extremum_arguments.push(argument.expr.clone());
        }
    }
    let distinct = distinct_arguments::stages(&calls, &key_exprs, &flat, graph)?;
    let mut states = States::new(&flat, &distinct, graph);
    for call in calls.iter().filter(|call| call.kind == 'o') {
        if states.value(call).is_none()
            && let Some((percentile, of)) = Percentile::of(call, graph)?
        {
            match by_value(&flat, &key_exprs, &of, graph) {
                ByValue::Found => states.add_percentile(call, percentile, &of)?,
                ByValue::Missing(relation, columns) => {
                    let why = "the percentiles of a group are followed by it";
                    missing.push(advice::sentence(relation, &columns, why));
                }
                ByValue::Never => {}
            }
        }
    }
    states.add(calls)?;
    name(&mut keys, &mut states, &targets);
    let mut stored = stored(&keys, &states.states);
    number(&mut stored, keys.keys.len(), storage);
    let key_names: Vec<String> = keys.keys.iter().map(|(_, key)| key.name.clone()).collect();
    let mut view = graph.register(storage, &stored, &key_names)?;
    let columns = (0..stored.len())
        .map(|n| column_of(&stored, n))
        .collect::<Result<Vec<_>, Error>>()?;
    let column = |n: usize| columns[n].clone();
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
    let keys: Vec<GroupKey> = keys.keys.into_iter().map(|(_, key)| key).collect();
    let values = |part: usize, mut values: Vec<String>| {
        values.extend(arguments.iter().map(|argument| argument.of(part)));
        values
    };
    let own: Vec<String> = keys.iter().map(|key| key.sql.clone()).collect();
    let part = |block| Part {
        block,
        values: values(0, own.clone()),
    };
    let mut parts: Vec<Part> = blocks.into_iter().map(part).collect();
    let first = parts.len();
    let mut trees = vec![operators];
    let mut reads = reads;
    if !distinct.is_empty() {
        reads = Query::reading_all([&reads].into_iter().chain(distinct.iter().map(|input| &input.reads)));
    }
    for (DistinctArgument { branch, .. }, part) in distinct.into_iter().zip(1..) {
        let own = branch.targets.iter().take(keys.len());
        let own = own.map(|target| print(&branch.flat, &target.expr, graph));
        parts.push(Part {
            values: values(part, own.collect::<Result<_, Error>>()?),
            block: branch.block,
        });
        trees.push(branch.operators);
    }
    let aggregate = Aggregate {
        keys,
        arguments: arguments.iter().map(|argument| argument.of(argument.part)).collect(),
        states,
        rounds_once: floats,
    };
    let mut looked_up = Vec::new();
    let mut lookups = Lookups::Row;
    if branches.is_some() && aggregate.looks_up() {
        return reason("min or max over UNION ALL");
    }
    if aggregate.looks_up() {
        let advised = advice.len();
        let by_value = extremes(&flat, &key_exprs, &extremum_arguments, &mut advice, graph);
        if !by_value {
            let keys: Vec<Expr> = query.referred(&query.group).cloned().collect();
            looked_up = advice::columns(&keys, query);
        }
        if !by_value || advice.len() > advised || aggregate.has_bits() {
            lookups = Lookups::of(&flat, &key_exprs, graph);
        }
    }
    let group = Group {
        lookups,
        table: storage.sql(),
        supplied: (0..parts.len())
            .map(|part| part.saturating_sub(first - 1))
            .map(|part| arguments.iter().map(|argument| argument.part == part).collect())
            .collect(),
        aggregate,
        parts,
    };
    Ok(StagePlan {
        advice,
        looked_up,
        ..grouped_stage(group, union_of(trees), stored, view, &reads, graph)?
    })
}

/// Makes the indexes by which the extremes of a group are found if the block is a stage, and advises them if it is a table
/// of the user that lacks them: with an index on the group alone, its rows are read. False if there can be no such index.
fn extremes(flat: &Flat, keys: &[Expr], arguments: &[Expr], found: &mut Vec<String>, graph: &StageGraph) -> bool {
    let mut all = !arguments.is_empty();
    for argument in arguments {
        match by_value(flat, keys, argument, graph) {
            ByValue::Found => {}
            ByValue::Missing(relation, columns) => {
                let why = "when the smallest or largest value of a group is deleted, the next one is found by it";
                found.push(advice::sentence(relation, &columns, why));
            }
            ByValue::Never => all = false,
        }
    }
    all
}

/// Whether a table has an index on the key of its groups and a value.
enum ByValue<'a> {
    Found,
    /// None, but there could be one: the table, and the columns.
    Missing(&'a Relation, String),
    /// There can be none.
    Never,
}

/// Looks for the index; makes it, if the block is a stage.
fn by_value<'a>(flat: &'a Flat, keys: &[Expr], argument: &Expr, graph: &StageGraph) -> ByValue<'a> {
    let ([_], Some(relation)) = (flat.scans.as_slice(), flat.table(0)) else {
        return ByValue::Never;
    };
    let (mut names, mut attnos) = (Vec::new(), Vec::new());
    for expr in keys.iter().chain([argument]) {
        if let Expr::Var(var) = expr
            && is_small(var.type_oid)
            && let Some(column) = relation.column(var.attno)
        {
            names.push(quote_ident(&column.name));
            attnos.push(var.attno);
        }
    }
    let serves = |index: &Vec<IndexColumn>| {
        let own: Vec<i16> = index.iter().take(attnos.len()).map(|column| column.attnum).collect();
        own.last() == attnos.last() && attnos.iter().all(|attno| own.contains(attno))
    };
    if attnos.len() <= keys.len() {
        ByValue::Never
    } else if graph.is_stage(relation.oid) {
        graph.add_index(relation.oid, "", &names);
        ByValue::Found
    } else if relation.indexes.iter().any(serves) {
        ByValue::Found
    } else {
        ByValue::Missing(relation, names.join(", "))
    }
}

/// The stage of a grouping over `input`.
pub fn grouped_stage(
    group: Group,
    input: OperatorTree,
    stored: Vec<StoredColumn>,
    view: Query,
    reads: &Query,
    graph: &StageGraph,
) -> Result<StagePlan, Error> {
    let key: Vec<String> = group.aggregate.keys.iter().map(|key| key.name.clone()).collect();
    let identity = if key.is_empty() {
        Identity::Single
    } else {
        Identity::Key(key.clone())
    };
    let label = group.aggregate.label();
    let above = if view.quals.is_some() {
        "having, select list"
    } else {
        "select list"
    };
    let visible = view.visible_targets();
    let shown: Vec<String> = visible.map(|target| target.name.clone().unwrap_or_default()).collect();
    let operators = OperatorTree::new(
        format!("{above} over groups: {}", shown.join(", ")),
        vec![OperatorTree::new(label, vec![input])],
    );
    let mut written = written(&stored, graph)?;
    written.uncounted = group.aggregate.pointers();
    Ok(StagePlan {
        written,
        stored,
        indexes: Vec::new(),
        view,
        identity,
        key,
        rows: group.query(),
        reads: reads.clone(),
        looked_up: Vec::new(),
        advice: Vec::new(),
        crossings: Vec::new(),
        operators: Some(operators),
        maintenance: Box::new(group),
    })
}

/// Names the stored columns. A key or state that is itself a target gets the visible name, the others get hidden names.
fn name(keys: &mut GroupKeys, states: &mut States, targets: &[Target]) {
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

/// Numbers the stored rows of a lower stage, unless its groups have a short key.
pub fn number(stored: &mut Vec<StoredColumn>, keys: usize, storage: &StorageTable) {
    let is_short = |key: &StoredColumn| key.not_null && is_small(key.type_oid);
    if storage.is_inner() && !((1..=2).contains(&keys) && stored[..keys].iter().all(is_short)) {
        stored.push(StoredColumn::number());
    }
}

fn stored(keys: &GroupKeys, states: &[State]) -> Vec<StoredColumn> {
    let keys = keys.keys.iter().map(|(expr, key)| StoredColumn {
        name: key.name.clone(),
        type_oid: expr.type_oid(),
        typmod: expr.typmod(),
        collation: expr.collation(),
        not_null: !key.nullable,
        numbered: false,
        generated: None,
    });
    let states = states.iter().map(|state| StoredColumn {
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

/// A resolved expression, over the columns of the storage: keys first, then states.
fn over_storage(expr: &Expr, keys: &GroupKeys, states: &States, column: &dyn Fn(usize) -> Expr) -> Expr {
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
