//! A flattened FROM and WHERE as SQL: scans with their names and keys, conditions, and whether they can be folded.
//!
//! VALUES and functions in FROM are scans without changes of their own. A function of columns of other items changes
//! with them, row by row: δ(R × f(R)) = δR × f(δR), the rule of projection.

use super::block::Block;
use super::outer_join::{Tree, TreePair};
use super::scan::{Scan, UsedColumn};
use crate::catalog::{Catalog, Relation};
use crate::error::Error;
use crate::facts::fallback::{Fallback, reason};
use crate::facts::join_tree::{self, JoinTree, PairKind};
use crate::facts::keys;
use crate::facts::linear_block::{Flat, Source};
use crate::facts::stability;
use crate::facts::types::{collate, null_sql};
use crate::maintain::operator_tree::OperatorTree;
use crate::plan::is_stage_relid;
use crate::query::{Expr, Rte, RteKind, Var};
use crate::sql::ident::{qualified, quote_ident};
use crate::sql::statement::and;

/// The scans, in order. Fails if the transition tables of a table would not show its whole change.
fn scans(flat: &Flat, catalog: &dyn Catalog) -> Result<Vec<Scan>, Fallback> {
    flat.scans
        .iter()
        .enumerate()
        .map(|(position, source)| match source {
            Source::Table { relation, inherit } => table(relation, *inherit, position, catalog),
            Source::Derived(rte) => derived(flat, rte, position, catalog),
        })
        .collect()
}

fn table(relation: &Relation, inherit: bool, position: usize, catalog: &dyn Catalog) -> Result<Scan, Fallback> {
    let name = qualified(&relation.schema, &relation.name);
    foldable(relation, inherit)?;
    Ok(Scan {
        relid: relation.oid,
        delta: catalog.delta(relation.oid),
        table: if inherit { name } else { format!("ONLY {name}") },
        alias: alias(position),
        columns: String::new(),
        key: key(relation, catalog)?,
        used: Vec::new(),
        place: Vec::new(),
    })
}

/// Fails if the transition tables of a table do not show what the query sees of its changes.
pub fn foldable(relation: &Relation, inherit: bool) -> Result<(), Fallback> {
    if !inherit && relation.is_partitioned {
        return reason("ONLY over a partitioned table");
    }
    if relation.row_security {
        return reason("a table with row-level security");
    }
    Ok(())
}

fn derived(flat: &Flat, rte: &Rte, position: usize, catalog: &dyn Catalog) -> Result<Scan, Fallback> {
    let exprs: Vec<&Expr> = match &rte.kind {
        RteKind::Function { functions, .. } => {
            functions
                .iter()
                .try_for_each(|function| stability::settled_columns(function, catalog))?;
            functions.iter().map(|function| &function.expr).collect()
        }
        RteKind::Values { rows, .. } => rows.iter().flatten().collect(),
        _ => Vec::new(),
    };
    for expr in exprs {
        check(flat, expr, catalog)?;
    }
    let names: Vec<String> = (1..=rte.columns.len()).map(|n| format!("c{n}")).collect();
    let item = crate::sql::query::derived(rte, &|var: &Var| var_sql(flat, var, catalog), catalog)?;
    Ok(Scan {
        relid: 0,
        delta: 0,
        table: format!("LATERAL {item}"),
        alias: alias(position),
        columns: format!("({})", names.join(", ")),
        key: Vec::new(),
        used: Vec::new(),
        place: Vec::new(),
    })
}

/// The first key of a table, with the equality operator of each column.
fn key(relation: &Relation, catalog: &dyn Catalog) -> Result<Vec<(String, String)>, Error> {
    let Some(key) = relation.keys.first() else {
        return Ok(Vec::new());
    };
    let mut columns = Vec::new();
    for column in key.columns.iter().filter_map(|attnum| relation.column(*attnum)) {
        if let Some(default) = catalog.default_equality(column.type_oid)? {
            columns.push((column.name.clone(), crate::sql::expr::operator_sql(&default.equality)));
        }
    }
    Ok(columns)
}

/// The alias of the scan at a position, counted from 0.
#[must_use]
pub fn alias(position: usize) -> String {
    format!("a{}", position + 1)
}

fn position_of(var: &Var) -> Result<usize, Error> {
    usize::try_from(var.varno - 1).map_err(|_| Error::Tree(format!("Var of scan {}", var.varno)))
}

/// The SQL of a Var, over the aliases of the scans.
pub fn var_sql(flat: &Flat, var: &Var, catalog: &dyn Catalog) -> Result<String, Error> {
    let position = position_of(var)?;
    let alias = alias(position);
    let Some(relation) = flat.table(position) else {
        return Ok(format!("{alias}.c{}", var.attno));
    };
    if var.attno == 0 {
        // A transition table has no named row type, so build the row from its columns.
        let values: Vec<String> = relation
            .columns
            .iter()
            .filter(|column| !column.dropped)
            .map(|column| format!("{alias}.{}", quote_ident(&column.name)))
            .collect();
        let row_type = catalog.type_sql(var.type_oid, -1)?;
        return Ok(format!("ROW({})::{row_type}", values.join(", ")));
    }
    let column = relation
        .column(var.attno)
        .ok_or_else(|| Error::Tree(format!("column {} of {}", var.attno, relation.name)))?;
    Ok(format!("{alias}.{}", quote_ident(&column.name)))
}

/// Fails for columns that a transition table does not have.
fn check_columns(flat: &Flat, expr: &Expr) -> Result<(), Fallback> {
    let mut result = Ok(());
    expr.for_each(&mut |node| {
        if let Expr::Var(var) = node
            && result.is_ok()
        {
            result = check_var(flat, var);
        }
    });
    result
}

fn check_var(flat: &Flat, var: &Var) -> Result<(), Fallback> {
    if var.attno < 0 {
        return reason("system column");
    }
    let Some(relation) = flat.table(position_of(var)?) else {
        return if var.attno == 0 {
            reason("whole-row reference to a function")
        } else {
            Ok(())
        };
    };
    let is_virtual = relation
        .columns
        .iter()
        .any(|column| (var.attno == 0 || column.attnum == var.attno) && column.generated == Some('v'));
    if is_virtual {
        // PostgreSQL 18 leaves virtual generated columns NULL in transition tables.
        return reason("virtual generated column");
    }
    Ok(())
}

/// Whether an expression over the scans can be NULL.
pub fn nullable(flat: &Flat, expr: &Expr) -> Result<bool, Error> {
    Ok(match expr {
        Expr::Var(var) if flat.nullable.contains(&var.varno) => true,
        Expr::Var(var) => !flat
            .table(position_of(var)?)
            .and_then(|relation| relation.column(var.attno))
            .is_some_and(|column| column.not_null),
        Expr::Const(constant) => constant.is_null,
        _ => true,
    })
}

/// The SQL of an expression, over the aliases of the scans.
pub fn print(flat: &Flat, expr: &Expr, catalog: &dyn Catalog) -> Result<String, Error> {
    crate::sql::expr::print(expr, &|var: &Var| var_sql(flat, var, catalog), catalog)
}

/// Fails if the value of an expression over the scans can change without a change to the scans, or if a transition
/// table lacks one of its columns.
pub fn check(flat: &Flat, expr: &Expr, catalog: &dyn Catalog) -> Result<(), Fallback> {
    stability::settled(expr, catalog)?;
    check_columns(flat, expr)
}

/// The linear block of a flattened query, and its operator tree. Fails if it reads no table.
pub fn block(flat: &Flat, catalog: &dyn Catalog) -> Result<(Block, OperatorTree), Fallback> {
    let (block, operators) = any_block(flat, catalog)?;
    reads_a_table(&block)?;
    Ok((block, operators))
}

/// Fails for a block that reads no table.
pub fn reads_a_table(block: &Block) -> Result<(), Fallback> {
    if block.scans.iter().all(|scan| scan.relid == 0) {
        return reason("no table in FROM");
    }
    Ok(())
}

/// The linear block of a flattened query, and its operator tree, even if it reads no table.
pub fn any_block(flat: &Flat, catalog: &dyn Catalog) -> Result<(Block, OperatorTree), Fallback> {
    let mut scans = scans(flat, catalog)?;
    let mut conditions = Vec::new();
    for qual in &flat.quals {
        check(flat, qual, catalog)?;
        conditions.push(print(flat, qual, catalog)?);
    }
    let mut inputs: Vec<OperatorTree> = scans
        .iter()
        .map(|scan| OperatorTree::new(scan.label(), Vec::new()))
        .collect();
    let mut tree = match (inputs.pop(), inputs.is_empty()) {
        (Some(only), true) => only,
        (last, _) => {
            inputs.extend(last);
            OperatorTree::new(format!("inner join of {}", inputs.len()), inputs)
        }
    };
    if !conditions.is_empty() {
        tree = OperatorTree::new(format!("filter {}", conditions.join(" AND ")), vec![tree]);
    }
    let joins = match &flat.tree {
        Some(joins) => {
            columns(flat, &mut scans, catalog)?;
            Some(sql_tree(flat, joins, &mut tree, catalog)?)
        }
        None => {
            read_columns(flat, &mut scans);
            None
        }
    };
    let (filters, compares) = search(flat, catalog)?;
    Ok((
        Block {
            fans_out: keys::fan_out(flat, catalog)?,
            scans,
            conditions,
            tree: joins,
            between: Vec::new(),
            filters,
            compares,
            outputs: None,
        },
        tree,
    ))
}

/// Whether a block does more than to join each table by one column, since any other condition may hold for few of the rows
/// that an index finds; and whether it compares tables, but none of them by equality.
fn search(flat: &Flat, catalog: &dyn Catalog) -> Result<(bool, bool), Error> {
    let mut conditions: Vec<&Expr> = flat.quals.iter().collect();
    if let Some(tree) = &flat.tree {
        tree.for_each_condition(&mut |condition| conditions.push(condition));
    }
    let mut filters = conditions.len() >= flat.scans.len();
    let (mut equates, mut compares) = (false, false);
    for condition in &conditions {
        let (mut is_equality, mut is_plain) = (false, false);
        if let Expr::Op(compared) = condition {
            is_equality = catalog.operator(compared.operator)?.name == "=";
            is_plain = matches!(compared.args.as_slice(), [Expr::Var(_), Expr::Var(_)]);
        }
        let mut first = None;
        let joins =
            condition.any(&mut |node| matches!(node, Expr::Var(var) if *first.get_or_insert(var.varno) != var.varno));
        filters |= !(is_plain && is_equality && joins);
        equates |= is_equality && joins;
        compares |= joins;
    }
    Ok((filters, compares && !equates))
}

/// Adds the columns that are read of each scan.
fn read_columns(flat: &Flat, scans: &mut [Scan]) {
    for (position, scan) in scans.iter_mut().enumerate() {
        let Some(relation) = flat.table(position) else { continue };
        let is_used = |attnum: i16| {
            let of_scan = |var: &&Var| join_tree::index(var.varno) == position;
            flat.used
                .iter()
                .filter(of_scan)
                .any(|var| var.attno == 0 || var.attno == attnum)
        };
        let used = relation
            .columns
            .iter()
            .filter(|column| !column.dropped && is_used(column.attnum));
        scan.used = used
            .map(|column| UsedColumn {
                name: column.name.clone(),
                null: String::new(),
            })
            .collect();
    }
}

/// Adds what outer joins need to know of the scans.
fn columns(flat: &Flat, scans: &mut [Scan], catalog: &dyn Catalog) -> Result<(), Fallback> {
    for (scan, own) in scans.iter_mut().zip(1..) {
        let relation = flat.table(join_tree::index(own));
        if let Some(relation) = relation {
            scan.place.push(format!("{}.ctid", scan.alias));
            if relation.has_children || relation.is_partitioned {
                scan.place.push(format!("{}.tableoid", scan.alias));
            }
        }
        for var in flat.used.iter().filter(|var| var.varno == own) {
            if var.attno < 0 {
                return reason("system column");
            }
            if var.attno == 0 {
                // A row of NULLs is not a NULL row.
                return reason("whole row of a table beside an outer join");
            }
            let name = match relation {
                Some(relation) => relation.column(var.attno).map(|column| column.name.clone()),
                None => Some(format!("c{}", var.attno)),
            };
            scan.used.push(UsedColumn {
                name: name.ok_or_else(|| Error::Tree(format!("column {} of a scan", var.attno)))?,
                null: format!(
                    "{}{}",
                    null_sql(var.type_oid, var.typmod, catalog)?,
                    collate(var.type_oid, var.collation, catalog)?
                ),
            });
        }
    }
    Ok(())
}

/// A join tree with its conditions as SQL, and its operators.
fn sql_tree(
    flat: &Flat,
    tree: &JoinTree,
    operators: &mut OperatorTree,
    catalog: &dyn Catalog,
) -> Result<Tree, Fallback> {
    let conditions = |on: &[Expr]| {
        on.iter()
            .map(|condition| {
                check(flat, condition, catalog)?;
                Ok(print(flat, condition, catalog)?)
            })
            .collect::<Result<Vec<String>, Fallback>>()
    };
    let filtered = |tree: OperatorTree, on: &[String]| {
        if on.is_empty() {
            tree
        } else {
            OperatorTree::new(format!("filter {}", on.join(" AND ")), vec![tree])
        }
    };
    match tree {
        JoinTree::Scan(scan) => {
            let position = join_tree::index(*scan);
            *operators = scan_label(flat, position, catalog)?;
            Ok(Tree::Scan(position))
        }
        JoinTree::Inner(items, on) => {
            let mut inputs = Vec::new();
            let mut trees = Vec::new();
            for item in items {
                let mut input = OperatorTree::new(String::new(), Vec::new());
                trees.push(sql_tree(flat, item, &mut input, catalog)?);
                inputs.push(input);
            }
            let on = conditions(on)?;
            let joined = match (inputs.pop(), inputs.is_empty()) {
                (Some(only), true) => only,
                (last, _) => {
                    inputs.extend(last);
                    OperatorTree::new(format!("inner join of {}", inputs.len()), inputs)
                }
            };
            *operators = filtered(joined, &on);
            Ok(Tree::Inner(trees, on))
        }
        JoinTree::Pair(pair) => {
            let mut left = OperatorTree::new(String::new(), Vec::new());
            let mut right = OperatorTree::new(String::new(), Vec::new());
            let trees = (
                sql_tree(flat, &pair.left, &mut left, catalog)?,
                sql_tree(flat, &pair.right, &mut right, catalog)?,
            );
            let on = conditions(&pair.on)?;
            let kind = match pair.kind {
                PairKind::Left => "left join",
                PairKind::Full => "full join",
                PairKind::Semi => "semi-join",
                PairKind::Anti => "anti-join",
            };
            *operators = OperatorTree::new(format!("{kind} on {}", and(&on)), vec![left, right]);
            let mut compared = Vec::new();
            for scan in pair.left.scans().into_iter().chain(pair.right.scans()) {
                let used = flat.used.iter().filter(|var| var.varno == scan);
                for (n, var) in used.enumerate() {
                    let mentions = |condition: &Expr| condition.any(&mut |node| *node == Expr::Var(var.clone()));
                    if pair.on.iter().any(mentions) {
                        compared.push((join_tree::index(scan), n));
                    }
                }
            }
            Ok(Tree::Pair(Box::new(TreePair {
                kind: pair.kind,
                left: trees.0,
                right: trees.1,
                on,
                compared,
                unindexed: [
                    unindexed(flat, &pair.left, &pair.on),
                    unindexed(flat, &pair.right, &pair.on),
                ],
            })))
        }
    }
}

fn scan_label(flat: &Flat, position: usize, catalog: &dyn Catalog) -> Result<OperatorTree, Fallback> {
    let scan = match &flat.scans[position] {
        Source::Table { relation, inherit } => table(relation, *inherit, position, catalog)?,
        Source::Derived(rte) => derived(flat, rte, position, catalog)?,
    };
    Ok(OperatorTree::new(scan.label(), Vec::new()))
}

/// A value that no row of an input lacks, if the condition compares by `=` but no index finds the rows of the input by it.
fn unindexed(flat: &Flat, input: &JoinTree, on: &[Expr]) -> Option<String> {
    let visible = input.visible();
    let mut compares = false;
    for condition in on {
        let Expr::Op(op) = condition else { continue };
        let [left, right] = op.args.as_slice() else { continue };
        for (own, other) in [(left, right), (right, left)] {
            let own_scans = join_tree::scans_of(own);
            let is_inside = |scan: &i32| visible.contains(scan);
            if own_scans.is_empty()
                || !own_scans.iter().all(is_inside)
                || join_tree::scans_of(other).iter().any(is_inside)
            {
                continue;
            }
            compares = true;
            if let Expr::Var(var) = own
                && let Some(relation) = flat.table(join_tree::index(var.varno))
                && (relation.is_indexed(var.attno) || is_stage_relid(relation.oid))
            {
                return None;
            }
            // An index on any expression is assumed to be the right one.
            let of_table = |scan: &i32| {
                flat.table(join_tree::index(*scan))
                    .is_some_and(|table| table.is_indexed(0))
            };
            if !matches!(own, Expr::Var(_)) && own_scans.iter().any(of_table) {
                return None;
            }
        }
    }
    let table = |scan: &i32| flat.table(join_tree::index(*scan)).is_some();
    let always = input.preserved().into_iter().find(table)?;
    compares.then(|| format!("{}.ctid", alias(join_tree::index(always))))
}
