//! From the analysed query to stages.
//!
//! A query is taken apart from the top: LIMIT over DISTINCT over windows over grouping over what FROM and WHERE give.
//! An operator that needs the rows of the operator below it stored makes that one a stage of its own ([`split`]); so
//! do subqueries with operators of their own ([`simplify`]). What no rule covers becomes a stage that is recomputed, with
//! the construct named.

mod advice;
mod anti_join;
mod bag;
mod branches;
mod builder;
mod columns;
mod deduplicated;
mod distinct;
mod from_items;
mod grouped;
mod indexes;
mod keys;
mod linear;
mod moments;
mod partition;
mod prepare;
mod recomputed;
mod recursion;
mod scale;
mod scans;
mod set_operation;
mod shown;
mod simplify;
mod sources;
mod spine;
mod split;
mod states;
mod stop;
mod top;
mod touch;
mod volatility;

use crate::catalog::Catalog;
use crate::error::Error;
use crate::op::Op;
use crate::op::union_all::UnionAll;
use crate::plan::{OutputColumn, Way};
use crate::query::{Expr, Query, Var};
use crate::stage::rebuild;
use crate::stage::recursion::Recursion;
use crate::stage::rekey::Rekey;
use crate::stage::storage::{self, Identity, StorageColumn};
use crate::stage::{Into, Maintained, Stage};
use builder::{Builder, Storage, Stored};
use stop::{Stop, reason};

/// How a stage is maintained.
enum Maintain {
    Fold(Into),
    Rekey(Rekey),
    Recursion(Box<Recursion>),
    /// The query as a whole, by a plan that is kept: it is known to read few rows.
    Whole,
    Rebuild,
}

/// A query with its storage decided.
struct Lowered {
    columns: Vec<StorageColumn>,
    /// Further indexes: their columns in parentheses, after USING where it is not a B-tree.
    indexes: Vec<String>,
    /// The query's result, read from the storage.
    view: Query,
    /// The stored columns that are written, in the order of `rows`.
    written: Vec<String>,
    identity: Identity,
    key: Vec<String>,
    /// Gives the stored rows from scratch.
    rows: String,
    /// What it reads.
    reads: Query,
    /// Columns by which touched rows are looked up.
    looked_up: Vec<advice::Column>,
    /// Indexes that would help, other than on those columns.
    advice: Vec<String>,
    tree: Option<Op>,
    maintain: Maintain,
}

/// A stream table, compiled.
pub struct Compiled {
    /// Its stages, bottom first.
    pub stages: Vec<Stage>,
    /// The visible columns.
    pub columns: Vec<OutputColumn>,
    /// The SELECT of the user's view.
    pub view: String,
    /// The same over rows of the storage named `__pgt_shown`: for each row its text, and the text of its key or NULL.
    pub shown: String,
}

/// Compiles the analysed defining query of a stream table.
///
/// `definition` is the qualified, quoted name of the view that holds the query; its storage will be `schema.base`.
pub fn compile(
    query: &Query,
    definition: &str,
    schema: &str,
    base: &str,
    catalog: &dyn Catalog,
) -> Result<Compiled, Error> {
    volatility::refuse_volatile(query, catalog)?;
    sources::sources(query, catalog)?;
    let builder = Builder::new(schema, base, catalog);
    let mut prepared = query.clone();
    let attempt = simplify::prepare(&mut prepared)
        .and_then(|()| plan(&prepared, &builder.top(), &builder))
        .and_then(with_index);
    let (lowered, why) = match attempt {
        Ok(lowered) => (lowered, None),
        Err(Stop::Error(error)) => return Err(error),
        Err(Stop::Reason(why)) => {
            builder.truncate(0);
            let lowered = recomputed::lower(query, Some(definition), &builder.top(), &builder)?;
            (lowered, Some(why))
        }
    };
    let (mut top, view) = finish(lowered, why, &builder.top(), &builder)?;
    if view.from.len() > 1 {
        // It shows a stored row several times.
        top.key.clear();
    }
    let mut columns = Vec::new();
    for target in view.targets.iter().filter(|target| !target.junk) {
        columns.push(OutputColumn {
            name: target.name.clone().unwrap_or_default(),
            type_sql: catalog.type_sql(columns::type_of(&target.expr, &builder)?, target.expr.typmod())?,
        });
    }
    let shown = shown::query(&view, &top.key, &builder)?;
    let view = crate::sql::query::print(&view, &builder)?;
    Ok(Compiled {
        stages: builder.finish(top),
        columns,
        view,
        shown,
    })
}

/// Makes a stage inside of a stream table; what no rule covers is recomputed.
fn lower(query: &Query, storage: &Storage, builder: &Builder) -> Result<(Stage, Query), Stop> {
    let before = builder.len();
    match plan(query, storage, builder).and_then(with_index) {
        Ok(lowered) => Ok(finish(lowered, None, storage, builder)?),
        Err(Stop::Error(error)) => Err(error.into()),
        Err(Stop::Reason(why)) => {
            builder.truncate(before);
            let lowered = recomputed::lower(query, None, storage, builder)?;
            Ok(finish(lowered, Some(why), storage, builder)?)
        }
    }
}

/// The most columns of an index (`INDEX_MAX_KEYS` in pg_config_manual.h).
const MAX_KEYS: usize = 32;

/// Stops where no index can be on the key.
fn with_index(lowered: Lowered) -> Result<Lowered, Stop> {
    match &lowered.identity {
        Identity::Key(key) if key.len() > MAX_KEYS => reason("key of more than 32 columns"),
        _ => Ok(lowered),
    }
}

/// Chooses the rule for the topmost operator of a prepared query.
fn plan(query: &Query, storage: &Storage, builder: &Builder) -> Result<Lowered, Stop> {
    if !query.row_marks.is_empty() {
        return reason("FOR UPDATE or FOR SHARE");
    }
    if !query.ctes.is_empty() {
        return recursion::lower(query, storage, builder);
    }
    if let Some(cte) = recursion::shown(query) {
        return recursion::show(query, cte, storage, builder);
    }
    if query.limit_count.is_some() || query.limit_offset.is_some() {
        return top::lower(query, storage, builder);
    }
    if query.set_operations.is_some() {
        return set_operation::lower(query, storage, builder);
    }
    if query.has_sublinks && simplify::has_outer_aggregate(query) {
        return reason("aggregate inside of a subquery that belongs to the query around it");
    }
    let grouped = is_grouped(query);
    let stacked = grouped || query.has_windows || query.has_target_srfs;
    if !query.distinct.is_empty() && stacked {
        return plan(&split::above_select_list(query, builder)?, storage, builder);
    }
    let above_groups = query.has_windows
        || query.has_target_srfs
        || query.having.as_ref().is_some_and(simplify::has_sublink)
        || query
            .targets
            .iter()
            .any(|target| simplify::has_sublink_outside_aggregates(&target.expr));
    if grouped && !query.has_target_srfs && split::has_sublink_key(query) {
        let above = split::above_from(query, false, builder)?;
        if split::has_sublink_key(&above) {
            return reason("subquery in a row of GROUP BY");
        }
        return plan(&above, storage, builder);
    }
    if grouped && above_groups {
        return plan(&split::above_grouping(query, builder)?, storage, builder);
    }
    let type_sql = |expr: &Expr| Ok(builder.type_sql(columns::type_of(expr, builder)?, expr.typmod())?);
    if !query.grouping_sets.is_empty() {
        return if has_hidden_order(query) {
            plan(&split::above_select_list(query, builder)?, storage, builder)
        } else {
            plan(&branches::grouping_sets(query, &type_sql)?, storage, builder)
        };
    }
    let mut query = query.clone();
    simplify::simplify(&mut query, builder)?;
    let complex = simplify::is_complex(&query);
    if complex && !query.distinct.is_empty() {
        return plan(&split::above_select_list(&query, builder)?, storage, builder);
    }
    if complex && stacked {
        return plan(&split::above_from(&query, true, builder)?, storage, builder);
    }
    if branches::has_full_join(&query) {
        return if query.targets.iter().any(|target| target.junk) {
            plan(&split::above_select_list(&query, builder)?, storage, builder)
        } else {
            plan(&branches::full_join(&query, &type_sql)?, storage, builder)
        };
    }
    if !query.distinct.is_empty() {
        return distinct::lower(&query, storage, builder);
    }
    if query.has_windows {
        partition::windows(&query, storage, builder)
    } else if grouped {
        grouped::lower(&query, storage, builder)
    } else if complex {
        spine::lower(&query, storage, builder)
    } else {
        bag::lower(&query, storage, builder)
    }
}

/// True where ORDER BY names something that is not selected.
fn has_hidden_order(query: &Query) -> bool {
    let is_sorted = |target_ref| query.sort.iter().any(|sort| sort.target_ref == target_ref);
    query
        .targets
        .iter()
        .any(|target| target.junk && is_sorted(target.ressortgroupref))
}

fn finish(
    lowered: Lowered,
    why: Option<String>,
    storage: &Storage,
    catalog: &Builder,
) -> Result<(Stage, Query), Error> {
    let mut sources = sources::sources(&lowered.reads, catalog)?;
    // A recursive CTE reads itself.
    sources.retain(|source| source.relid != storage.relid);
    if !matches!(lowered.maintain, Maintain::Rebuild) {
        indexes::add(&lowered.reads, &lowered.looked_up, catalog)?;
    }
    let mut advice = lowered.advice;
    advice.extend(advice::indexes(&lowered.reads, &lowered.looked_up, catalog)?);
    let table = storage.sql();
    let into = if lowered.written.is_empty() {
        String::new()
    } else {
        format!(" ({})", crate::sql::statement::names(&lowered.written))
    };
    let ddl = storage::create(&table, &lowered.columns, &lowered.identity, &lowered.indexes);
    let (way, maintained) = match lowered.maintain {
        Maintain::Fold(into) => (Way::Fold, Maintained::Fold(into)),
        Maintain::Rekey(rekey) => (Way::Rekey, Maintained::Rekey(rekey)),
        Maintain::Recursion(recursion) => (recursion.way(), Maintained::Recursion(recursion)),
        Maintain::Whole => (Way::Rekey, Maintained::Whole),
        Maintain::Rebuild => (Way::Rebuild, Maintained::Rebuild),
    };
    for source in &mut sources {
        // What is stored holds keys, also where the query does not select them.
        let relation = catalog.relation(source.relid)?;
        for attnum in relation.keys.first().into_iter().flat_map(|key| &key.columns) {
            if !source.columns.contains(attnum) {
                source.columns.push(*attnum);
            }
        }
    }
    let init = format!("INSERT INTO {table}{into} {}", lowered.rows);
    let whole = match &maintained {
        Maintained::Rekey(rekey) => rekey.whole(&lowered.rows, &init),
        _ => Vec::new(),
    };
    let stage = Stage {
        relid: storage.relid,
        storage: table.clone(),
        way,
        reason: why,
        layout: ddl.join(";"),
        ddl,
        init,
        rebuild: vec![rebuild::statement(
            &table,
            &lowered.rows,
            &lowered.written,
            &lowered.identity,
        )],
        whole,
        sources,
        key: lowered.key,
        advice,
        operators: lowered.tree.map(|tree| tree.tree()).unwrap_or_default(),
        maintained,
    };
    Ok((stage, lowered.view))
}

/// The query's visible and sorting columns as columns of the storage, by position: the first columns of the storage are
/// the query's targets.
fn view_of_columns(query: &Query, storage: &Storage, stored: &[Stored], key: &[String], builder: &Builder) -> Query {
    let mut view = builder.register(storage, stored, key);
    let columns = std::mem::take(&mut view.targets);
    view.targets = query
        .targets
        .iter()
        .zip(columns)
        .map(|(target, column)| crate::query::Target {
            expr: column.expr,
            ..target.clone()
        })
        .collect();
    view.sort.clone_from(&query.sort);
    view
}

/// The `n`-th column of the storage that a view reads, counted from 0.
fn column_of(view: &Query, stored: &[Stored], n: usize) -> Expr {
    debug_assert_eq!(view.rtable.len(), 1, "a view over one storage table");
    Expr::Var(Var {
        varno: 1,
        attno: i16::try_from(n + 1).unwrap_or(i16::MAX),
        type_oid: stored[n].type_oid,
        typmod: stored[n].typmod,
        collation: stored[n].collation,
        levels_up: 0,
    })
}

/// One tree, or a union of several.
fn union_tree(trees: Vec<Op>) -> Op {
    let mut trees = trees;
    match (trees.pop(), trees.is_empty()) {
        (Some(only), true) => only,
        (last, _) => {
            trees.extend(last);
            Op::UnionAll(UnionAll { inputs: trees })
        }
    }
}

/// Fails unless scans, joins, filters and a projection are all there is.
fn only_linear(query: &Query) -> Result<(), Stop> {
    if query.set_operations.is_some() {
        return reason("UNION, INTERSECT or EXCEPT");
    }
    if query.has_windows {
        return reason("window function");
    }
    if query.distinct_on {
        return reason("DISTINCT ON");
    }
    if !query.distinct.is_empty() {
        return reason("DISTINCT");
    }
    if query.limit_count.is_some() || query.limit_offset.is_some() {
        return reason("LIMIT or OFFSET");
    }
    if !query.row_marks.is_empty() {
        return reason("FOR UPDATE or FOR SHARE");
    }
    if !query.ctes.is_empty() {
        return reason("WITH");
    }
    if is_grouped(query) {
        return reason("aggregate in a subquery");
    }
    if query.has_target_srfs {
        return reason("set-returning function in a subquery's select list");
    }
    Ok(())
}

/// True where the query groups or aggregates.
fn is_grouped(query: &Query) -> bool {
    query.has_aggs || !query.group.is_empty() || !query.grouping_sets.is_empty() || query.having.is_some()
}
