//! How a query with outer joins, EXISTS and IN is flattened: scans, and a tree of joins over them.

use super::fallback::{Fallback, reason};
use super::from_items::with_outputs;
use super::join_tree::{self, JoinTree, PairKind, scans_of};
use super::linear_block::{Flat, Resolver, Source, conjuncts, flatten_and};
use super::shape::{has_sublink, only_linear};
use crate::catalog::Catalog;
use crate::query::{BoolOp, Expr, FromItem, JoinKind, Query, RteKind, SubLink, SubLinkKind, Var};

/// The most full joins in one block. The change of a full join mentions that of its inputs several times.
const MOST_FULL: usize = 3;

/// The most occurrences of a table in one block. All of them change together.
const MOST: usize = 3;

/// A condition that waits for its place in the tree.
enum Pending {
    /// A condition without subqueries, over the scans.
    Plain(Expr),
    /// A row must match (or must not) the rows of a subquery.
    Subquery { right: JoinTree, on: Vec<Expr>, anti: bool },
}

/// Flattens FROM and WHERE of a query that may have outer joins, and EXISTS and IN as conjuncts of WHERE. The block has a
/// tree unless all its joins are inner.
pub fn resolve<'q>(query: &'q Query, flat: &mut Flat, catalog: &dyn Catalog) -> Result<Resolver<'q>, Fallback> {
    if query.from.is_empty() {
        return Resolver::new(query, flat, catalog);
    }
    let mut resolver = Resolver::empty(query, None);
    let tree = level(&mut resolver, query, flat, catalog)?;
    if tree.is_inner() {
        // A plain block.
        tree.for_each_condition(&mut |condition| flat.quals.push(condition.clone()));
        if flat.scans.len() > 1 {
            use_columns(query, &resolver, flat);
        }
        return Ok(resolver);
    }
    changes_alone(&tree, flat)?;
    if tree.full_joins() > MOST_FULL {
        return reason("more full joins than a fold takes");
    }
    let tables = || {
        flat.scans.iter().filter_map(|source| match source {
            Source::Table { relation, .. } => Some(relation.oid),
            Source::Derived(_) => None,
        })
    };
    if tables().any(|oid| tables().filter(|other| *other == oid).count() > MOST) {
        return reason("outer joins of more occurrences of a table than a fold takes");
    }
    let preserved = tree.preserved();
    flat.nullable = tree.visible();
    flat.nullable.retain(|scan| !preserved.contains(scan));
    use_columns(query, &resolver, flat);
    use_keys(&preserved, flat);
    flat.tree = Some(tree);
    Ok(resolver)
}

/// The tree of one query level.
fn level(resolver: &mut Resolver, query: &Query, flat: &mut Flat, catalog: &dyn Catalog) -> Result<JoinTree, Fallback> {
    let mut pending = Vec::new();
    let mut items = Vec::new();
    for item in &query.from {
        items.push(from(resolver, item, flat, Some(&mut pending), catalog)?);
    }
    for qual in pending.into_iter().chain(conjuncts(query.quals.as_ref())) {
        let qual = condition(resolver, &qual, flat, catalog)?;
        if items.len() > 1 || items.is_empty() {
            let all = std::mem::take(&mut items);
            items.push(JoinTree::Inner(all, Vec::new()));
        }
        place(&mut items[0], qual);
    }
    Ok(match (items.pop(), items.is_empty()) {
        (Some(only), true) => only,
        (last, _) => {
            items.extend(last);
            JoinTree::Inner(items, Vec::new())
        }
    })
}

fn place(tree: &mut JoinTree, pending: Pending) {
    match pending {
        Pending::Plain(condition) => tree.filter(condition),
        Pending::Subquery { right, on, anti } => {
            let own = std::mem::replace(tree, JoinTree::Scan(0));
            *tree = own.pair(if anti { PairKind::Anti } else { PairKind::Semi }, right, on);
        }
    }
}

/// The tree of a FROM item. Conditions of inner joins that hold for every result row go to `upper`, if it is given.
fn from(
    resolver: &mut Resolver,
    item: &FromItem,
    flat: &mut Flat,
    upper: Option<&mut Vec<Expr>>,
    catalog: &dyn Catalog,
) -> Result<JoinTree, Fallback> {
    let join = match item {
        FromItem::Rel(varno) => return Ok(JoinTree::Scan(resolver.scan(*varno, flat, catalog)?)),
        FromItem::Join(join) => join,
    };
    let mut own = Vec::new();
    if join.kind == JoinKind::Inner {
        let conditions = upper.unwrap_or(&mut own);
        let left = from(resolver, &join.left, flat, Some(&mut *conditions), catalog)?;
        let right = from(resolver, &join.right, flat, Some(&mut *conditions), catalog)?;
        if let Some(quals) = &join.quals {
            flatten_and(quals.clone(), conditions);
        }
        let mut tree = JoinTree::Inner(vec![left, right], Vec::new());
        for condition in own {
            tree.filter(plain(resolver, &condition)?);
        }
        return Ok(tree);
    }
    let left = from(resolver, &join.left, flat, None, catalog)?;
    let right = from(resolver, &join.right, flat, None, catalog)?;
    let conditions = conjuncts(join.quals.as_ref());
    let conditions: Vec<Expr> = conditions
        .iter()
        .map(|qual| plain(resolver, qual))
        .collect::<Result<_, _>>()?;
    let (kind, left, mut right) = match join.kind {
        JoinKind::Left | JoinKind::Inner => (PairKind::Left, left, right),
        JoinKind::Right => (PairKind::Left, right, left),
        JoinKind::Full => (PairKind::Full, left, right),
    };
    let mut on = Vec::new();
    let inside = right.visible();
    for condition in conditions {
        let scans = scans_of(&condition);
        // What concerns the nullable side alone decides which of its rows there are.
        if kind == PairKind::Left && !scans.is_empty() && scans.iter().all(|scan| inside.contains(scan)) {
            right.filter(condition);
        } else {
            on.push(condition);
        }
    }
    if kind == PairKind::Full && (has_filters(&left) || has_filters(&right)) {
        return reason("FULL JOIN of filtered rows");
    }
    Ok(left.pair(kind, right, on))
}

/// True if conditions would have to be applied to the rows of a tree before it is joined.
fn has_filters(tree: &JoinTree) -> bool {
    match tree {
        JoinTree::Scan(_) => false,
        JoinTree::Inner(items, on) => !on.is_empty() || items.iter().any(has_filters),
        JoinTree::Pair(pair) => match pair.kind {
            PairKind::Left | PairKind::Full => has_filters(&pair.left),
            PairKind::Semi | PairKind::Anti => true,
        },
    }
}

fn plain(resolver: &Resolver, condition: &Expr) -> Result<Expr, Fallback> {
    if has_sublink(condition) {
        return reason("subquery in the condition of an outer join");
    }
    resolver.resolve(condition)
}

/// A conjunct of WHERE, of which only the truth counts.
fn condition(
    resolver: &Resolver,
    condition: &Expr,
    flat: &mut Flat,
    catalog: &dyn Catalog,
) -> Result<Pending, Fallback> {
    let (sublink, anti) = match condition {
        Expr::SubLink(sublink) => (sublink, false),
        Expr::Bool(boolean) if boolean.op == BoolOp::Not => match boolean.args.as_slice() {
            [Expr::SubLink(sublink)] if sublink.kind == SubLinkKind::Exists => (sublink, true),
            _ => return Ok(Pending::Plain(resolver.resolve(condition)?)),
        },
        _ => return Ok(Pending::Plain(resolver.resolve(condition)?)),
    };
    subquery(resolver, sublink, anti, flat, catalog)
}

fn subquery(
    around: &Resolver,
    sublink: &SubLink,
    anti: bool,
    flat: &mut Flat,
    catalog: &dyn Catalog,
) -> Result<Pending, Fallback> {
    if !matches!(sublink.kind, SubLinkKind::Exists | SubLinkKind::Any) {
        return reason("subquery in an expression");
    }
    let query = &sublink.query;
    only_linear(query)?;
    if query.from.is_empty() {
        return reason("subquery without FROM");
    }
    let mut resolver = Resolver::empty(query, Some(around));
    let mut right = level(&mut resolver, query, flat, catalog)?;
    let mut on = Vec::new();
    if let Some(test) = &sublink.test {
        let outputs: Vec<Expr> = query
            .visible_targets()
            .map(|target| resolver.resolve(&target.expr))
            .collect::<Result<_, _>>()?;
        let test = with_outputs(&around.resolve(test)?, &outputs);
        flatten_and(test, &mut on);
    }
    lift(&mut right, &mut on)?;
    use_columns(query, &resolver, flat);
    Ok(Pending::Subquery { right, on, anti })
}

/// Takes the conditions that mention scans outside of a tree from its top.
fn lift(tree: &mut JoinTree, found: &mut Vec<Expr>) -> Result<(), Fallback> {
    let own = tree.scans();
    let is_inside = |condition: &Expr| scans_of(condition).iter().all(|scan| own.contains(scan));
    fn take(tree: &mut JoinTree, is_inside: &dyn Fn(&Expr) -> bool, found: &mut Vec<Expr>) {
        match tree {
            JoinTree::Scan(_) => {}
            JoinTree::Inner(items, on) => {
                items.iter_mut().for_each(|item| take(item, is_inside, found));
                let (inside, outside): (Vec<Expr>, Vec<Expr>) = std::mem::take(on).into_iter().partition(is_inside);
                *on = inside;
                found.extend(outside);
            }
            JoinTree::Pair(pair) if pair.kind != PairKind::Full => take(&mut pair.left, is_inside, found),
            JoinTree::Pair(_) => {}
        }
    }
    take(tree, &is_inside, found);
    let mut left = false;
    tree.for_each_condition(&mut |condition| left |= !is_inside(condition));
    if left {
        return reason("correlated condition of an outer join in a subquery");
    }
    Ok(())
}

/// Fails if the rows of an input depend on the rows of another one that is not inside it, so that its change alone cannot
/// be computed.
fn changes_alone(tree: &JoinTree, flat: &Flat) -> Result<(), Fallback> {
    let is_table = |scan: &i32| {
        flat.scan(*scan)
            .is_some_and(|source| matches!(source, Source::Table { .. }))
    };
    match tree {
        JoinTree::Scan(_) => Ok(()),
        JoinTree::Inner(items, _) => items.iter().try_for_each(|item| changes_alone(item, flat)),
        JoinTree::Pair(pair) => {
            changes_alone(&pair.left, flat)?;
            changes_alone(&pair.right, flat)?;
            let mut inputs = vec![&pair.right];
            if pair.kind == PairKind::Full {
                inputs.push(&pair.left);
            }
            for input in inputs {
                let scans = input.scans();
                if scans.iter().any(is_table) {
                    let outside = |scan: &i32| flat.looks_at(*scan).iter().any(|other| !scans.contains(other));
                    if scans.iter().any(outside) {
                        return reason("LATERAL beside a table on the nullable side");
                    }
                } else if pair.kind == PairKind::Full {
                    return reason("FULL JOIN with a function or VALUES");
                }
            }
            // The rows of a table are told apart by where they are stored; those of a function are not.
            let changes = pair.right.scans().iter().any(is_table);
            if changes && !pair.left.visible().iter().all(is_table) {
                return reason("outer join of a function or VALUES");
            }
            if pair.kind == PairKind::Full && !pair.right.visible().iter().all(is_table) {
                return reason("outer join of a function or VALUES");
            }
            Ok(())
        }
    }
}

/// Notes the columns of the scans that a query level mentions.
fn use_columns(query: &Query, resolver: &Resolver, flat: &mut Flat) {
    let mut query = query.clone();
    for rte in &mut query.rtable {
        if matches!(rte.kind, RteKind::Join { .. }) {
            // It lists all columns of its inputs.
            rte.kind = RteKind::Result;
        }
    }
    // Visits the Vars of this level, also those in subqueries.
    query.replace_vars(&mut |var| {
        if let Ok(var) = resolver.lookup(var)
            && !flat.used.contains(&var)
        {
            flat.used.push(var);
        }
        None
    });
}

/// Notes the key columns of scans, which the rows of the block may have to be told apart by.
fn use_keys(scans: &[i32], flat: &mut Flat) {
    for scan in scans {
        let Some(relation) = flat.table(join_tree::index(*scan)) else {
            continue;
        };
        let key = relation.keys.first().map(|key| key.columns.clone()).unwrap_or_default();
        let columns: Vec<Var> = key
            .iter()
            .filter_map(|attnum| relation.column(*attnum))
            .map(|column| Var {
                varno: *scan,
                attno: column.attnum,
                type_oid: column.type_oid,
                typmod: column.typmod,
                collation: column.collation,
                levels_up: 0,
            })
            .collect();
        for var in columns {
            if !flat.used.contains(&var) {
                flat.used.push(var);
            }
        }
    }
}
