//! Operators that are a UNION ALL of simpler ones.
//!
//! - FULL JOIN: the LEFT JOIN, and the rows of the right side that have no partner.
//! - GROUPING SETS, ROLLUP, CUBE: one grouping for each set. What a set does not group by is NULL, and GROUPING() is a
//!   constant.
//!
//! Rule: δ(R ⊎ S) = δR ⊎ δS, each branch by its own rule. Cost: the sum of what the branches cost; for grouping sets one
//! stored row per changed group of each set. Source: the definitions of the SQL standard; Gray et al., "Data cube", 1997.

use super::from_items::rels;
use super::linear::conjuncts;
use super::stop::{Stop, reason};
use crate::query::{
    Bool, BoolOp, Expr, FromItem, GroupingSet, JoinExpr, JoinKind, Query, Rte, RteKind, SetOp, SetOperation, SqlLeaf,
    SubLink, SubLinkKind, Target, Var,
};

/// Most grouping sets that get a grouping each.
const MAX_SETS: usize = 16;

/// UNION ALL of queries with the columns of `like`, in its order.
fn union_all(leaves: Vec<Query>, like: &Query) -> Result<Query, Stop> {
    let mut operation: Option<SetOperation> = None;
    let types = like
        .targets
        .iter()
        .map(|target| target.expr.type_oid())
        .collect::<Vec<_>>();
    let typmods = like
        .targets
        .iter()
        .map(|target| target.expr.typmod())
        .collect::<Vec<_>>();
    let collations = like
        .targets
        .iter()
        .map(|target| target.expr.collation())
        .collect::<Vec<_>>();
    let names: Vec<String> = (1..=types.len()).map(|n| format!("c{n}")).collect();
    let mut rtable = Vec::new();
    for (varno, mut leaf) in (1..).zip(leaves) {
        leaf.sort.clear();
        let own = SetOperation::Rel(varno);
        operation = Some(match operation {
            None => own,
            Some(left) => SetOperation::Op {
                op: SetOp::Union,
                all: true,
                left: Box::new(left),
                right: Box::new(own),
                types: types.clone(),
                typmods: typmods.clone(),
                collations: collations.clone(),
                groups: Vec::new(),
            },
        });
        rtable.push(Rte::new(RteKind::Subquery(Box::new(leaf)), "branch", names.clone()));
    }
    if rtable.len() < 2 {
        return reason("UNION ALL of one branch");
    }
    let targets = like
        .targets
        .iter()
        .zip(1..)
        .map(|(target, attno)| Target {
            expr: Expr::Var(Var {
                varno: 1,
                attno,
                type_oid: target.expr.type_oid(),
                typmod: target.expr.typmod(),
                collation: target.expr.collation(),
                levels_up: 0,
            }),
            ..target.clone()
        })
        .collect();
    Ok(Query {
        rtable,
        targets,
        sort: like.sort.clone(),
        set_operations: operation,
        ..Query::default()
    })
}

fn null_like(expr: &Expr, type_sql: &str) -> Expr {
    SqlLeaf::text(
        format!("NULL::{type_sql}"),
        expr.type_oid(),
        expr.typmod(),
        expr.collation(),
    )
}

/// The type of an expression as SQL.
type TypeSql<'a> = &'a dyn Fn(&Expr) -> Result<String, Stop>;

// ---- FULL JOIN ----

/// True where a FULL JOIN stands in FROM with no outer join above it.
pub fn has_full_join(query: &Query) -> bool {
    query.from.iter().any(|item| find_full(item).is_some())
}

fn find_full(item: &FromItem) -> Option<&JoinExpr> {
    let FromItem::Join(join) = item else { return None };
    match join.kind {
        JoinKind::Full => Some(join),
        JoinKind::Inner => find_full(&join.left).or_else(|| find_full(&join.right)),
        JoinKind::Left => find_full(&join.left),
        JoinKind::Right => find_full(&join.right),
    }
}

fn replace_full(item: &mut FromItem, by: &mut dyn FnMut(&JoinExpr) -> FromItem) -> bool {
    let FromItem::Join(join) = item else { return false };
    match join.kind {
        JoinKind::Full => {
            *item = by(join);
            true
        }
        JoinKind::Inner => replace_full(&mut join.left, by) || replace_full(&mut join.right, by),
        JoinKind::Left => replace_full(&mut join.left, by),
        JoinKind::Right => replace_full(&mut join.right, by),
    }
}

/// The two branches of the first FULL JOIN. All targets must be visible.
pub fn full_join(query: &Query, type_sql: TypeSql) -> Result<Query, Stop> {
    let Some(join) = query.from.iter().find_map(find_full).cloned() else {
        return reason("FULL JOIN below another outer join");
    };
    if query.from.iter().any(|item| has_odd_full_join(item, &join)) {
        return reason("FULL JOIN beside one that compares no columns");
    }
    let mut matched = query.clone();
    for item in &mut matched.from {
        let found = replace_full(item, &mut |join| {
            FromItem::Join(Box::new(JoinExpr {
                kind: JoinKind::Left,
                ..join.clone()
            }))
        });
        if found {
            break;
        }
    }
    let left = rels(&join.left);
    let mut partners = Query {
        rtable: query.rtable.clone(),
        from: vec![join.left.clone()],
        quals: join.quals.clone(),
        targets: vec![Target {
            expr: SqlLeaf::text("1".to_owned(), 23, -1, 0),
            name: Some("one".to_owned()),
            resno: 1,
            ressortgroupref: 0,
            junk: false,
        }],
        ..Query::default()
    };
    // What is not of the left side is one level up from there, also where LATERAL refers to it.
    partners.replace_vars(&mut |var| {
        (!left.contains(&var.varno)).then(|| {
            Expr::Var(Var {
                levels_up: 1,
                ..var.clone()
            })
        })
    });
    let mut alone = query.clone();
    for item in &mut alone.from {
        if replace_full(item, &mut |join| join.right.clone()) {
            break;
        }
    }
    let mut failed = None;
    alone.replace_vars(&mut |var| {
        let expr = Expr::Var(var.clone());
        left.contains(&var.varno).then(|| match type_sql(&expr) {
            Ok(type_sql) => null_like(&expr, &type_sql),
            Err(stop) => {
                failed.get_or_insert(stop);
                expr
            }
        })
    });
    if let Some(stop) = failed {
        return Err(stop);
    }
    let unmatched = Expr::Bool(Bool {
        op: BoolOp::Not,
        args: vec![Expr::SubLink(Box::new(SubLink {
            kind: SubLinkKind::Exists,
            test: None,
            operator_name: Vec::new(),
            query: partners,
        }))],
    });
    super::prepare::pull_up::add_qual(&mut alone, Some(unmatched));
    alone.has_sublinks = true;
    union_all(vec![matched, alone], query)
}

/// True where another FULL JOIN is on more than equal columns. PostgreSQL accepts it as long as the joins around reduce it
/// to a LEFT JOIN, which they do no longer in a branch.
fn has_odd_full_join(item: &FromItem, but: &JoinExpr) -> bool {
    let FromItem::Join(join) = item else { return false };
    let plain = |qual: &Expr| matches!(qual, Expr::Op(op) if op.args.iter().all(|arg| matches!(arg, Expr::Var(_))));
    let odd = join.kind == JoinKind::Full && **join != *but && !conjuncts(join.quals.as_ref()).iter().all(plain);
    odd || has_odd_full_join(&join.left, but) || has_odd_full_join(&join.right, but)
}

// ---- GROUPING SETS ----

/// One grouping for each grouping set. Targets that are not visible must be grouping expressions.
pub fn grouping_sets(query: &Query, type_sql: TypeSql) -> Result<Query, Stop> {
    let mut sets: Vec<Vec<u32>> = vec![Vec::new()];
    for item in &query.grouping_sets {
        let alternatives = expand(item);
        sets = sets
            .iter()
            .flat_map(|set| {
                alternatives.iter().map(|alternative| {
                    let mut both = set.clone();
                    both.extend(alternative.iter().filter(|own| !set.contains(own)));
                    both
                })
            })
            .collect();
        if sets.len() > MAX_SETS {
            return reason("many grouping sets");
        }
    }
    for set in &mut sets {
        set.sort_unstable();
    }
    if query.group_distinct {
        sets.sort();
        sets.dedup();
    }
    let visible = Query {
        targets: query.targets.iter().filter(|target| !target.junk).cloned().collect(),
        ..query.clone()
    };
    let leaves = sets
        .iter()
        .map(|set| grouped_by(query, set, type_sql))
        .collect::<Result<Vec<_>, Stop>>()?;
    if let [only] = leaves.as_slice() {
        return Ok(only.clone());
    }
    union_all(leaves, &visible)
}

/// The sets that one item of GROUP BY stands for.
fn expand(item: &GroupingSet) -> Vec<Vec<u32>> {
    match item {
        GroupingSet::Empty => vec![Vec::new()],
        GroupingSet::Simple(refs) => vec![refs.clone()],
        GroupingSet::Rollup(items) => (0..=items.len()).rev().map(|n| joined(&items[..n])).collect(),
        GroupingSet::Cube(items) => (0..1_usize << items.len().min(MAX_SETS))
            .rev()
            .map(|bits| {
                let chosen: Vec<GroupingSet> = items
                    .iter()
                    .enumerate()
                    .filter(|(n, _)| bits & (1 << (items.len() - 1 - n)) != 0)
                    .map(|(_, item)| item.clone())
                    .collect();
                joined(&chosen)
            })
            .collect(),
        GroupingSet::Sets(items) => items.iter().flat_map(expand).collect(),
    }
}

fn joined(items: &[GroupingSet]) -> Vec<u32> {
    items
        .iter()
        .flat_map(|item| expand(item).into_iter().flatten())
        .collect()
}

fn grouped_by(query: &Query, set: &[u32], type_sql: TypeSql) -> Result<Query, Stop> {
    let mut leaf = query.clone();
    leaf.grouping_sets.clear();
    leaf.group.retain(|group| set.contains(&group.target_ref));
    let of = |target_ref: u32| query.target(target_ref).map(|target| &target.expr);
    let kept: Vec<&Expr> = set.iter().filter_map(|target_ref| of(*target_ref)).collect();
    let mut gone = Vec::new();
    for group in &query.group {
        if let Some(expr) = of(group.target_ref)
            && !kept.contains(&expr)
        {
            gone.push((expr.clone(), null_like(expr, &type_sql(expr)?)));
        }
    }
    let replaced = |expr: &Expr| {
        expr.transform(&mut |node| match node {
            Expr::Aggref(_) => Some(node.clone()),
            Expr::Grouping(call) => {
                let mask = call.refs.iter().fold(0_u64, |mask, target_ref| {
                    let is_gone = of(*target_ref).is_none_or(|expr| !kept.contains(&expr));
                    mask << 1 | u64::from(is_gone)
                });
                Some(SqlLeaf::text(mask.to_string(), 23, -1, 0))
            }
            _ => gone.iter().find(|(expr, _)| expr == node).map(|(_, null)| null.clone()),
        })
    };
    leaf.targets
        .retain(|target| !target.junk || set.contains(&target.ressortgroupref));
    for target in &mut leaf.targets {
        if !set.contains(&target.ressortgroupref) {
            target.expr = replaced(&target.expr);
            target.ressortgroupref = 0;
        }
    }
    // Without grouping expressions it is still a query that groups: it gives one row.
    leaf.having = Some(match &query.having {
        Some(having) => replaced(having),
        None => SqlLeaf::condition(&["TRUE"], Vec::new()),
    });
    Ok(leaf)
}
