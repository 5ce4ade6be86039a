//! The query of a stage that is maintained key by key: the columns it must select so that its rows can be found by key,
//! and its restriction to the touched keys.

use super::graph::StageGraph;
use super::stage_plan::MAX_INDEX_COLUMNS;
use super::stored::{StoredColumn, stored_name};
use crate::catalog::Catalog;
use crate::error::Error;
use crate::facts::fallback::{Fallback, reason};
use crate::facts::types::{equality, is_pseudo, type_of};
use crate::maintain::key::KeyColumn;
use crate::maintain::nulls::{KeyMatch, searches};
use crate::maintain::rekey::{IS_TOUCHED, TOUCHED, key_column};
use crate::query::{Bool, BoolOp, Expr, FromItem, Query, Rte, RteKind, SqlLeaf, Target, Var, attno, varno};
use crate::sql::ident::quote_ident;

/// A query that selects its key, ready to be restricted to some keys.
pub struct Restricted {
    /// The query, with all stored columns visible and without ORDER BY.
    pub query: Query,
    /// What is stored.
    pub stored: Vec<StoredColumn>,
    /// The stored position of each target of the original query.
    pub positions: Vec<Option<usize>>,
    /// The stored position of each key column.
    pub key_positions: Vec<usize>,
}

impl Restricted {
    /// Adds the missing key columns to the select list.
    pub fn new(original: &Query, keys: &[Expr], catalog: &dyn Catalog) -> Result<Self, Fallback> {
        let mut query = original.clone();
        let sorts = std::mem::take(&mut query.sort);
        let is_sorted = |target: &Target| sorts.iter().any(|sort| sort.target_ref == target.ressortgroupref);
        let mut positions = Vec::new();
        let mut stored = Vec::new();
        let mut visible = Vec::new();
        let mut junk = Vec::new();
        for (position, mut target) in std::mem::take(&mut query.targets).into_iter().enumerate() {
            if target.junk && (!is_sorted(&target) || is_pseudo(type_of(&target.expr, catalog)?, catalog)?) {
                if is_sorted(&target) {
                    return reason("ORDER BY a row");
                }
                positions.push(None);
                junk.push(target);
                continue;
            }
            if target.junk || target.name.is_none() {
                target.name = Some(format!("__pgt_o{}", position + 1));
            }
            positions.push(Some(stored.len()));
            if !target.junk
                && let Some(name) = &target.name
            {
                target.name = Some(stored_name(name));
            }
            target.junk = false;
            stored.push(StoredColumn::of(
                target.name.clone().unwrap_or_default(),
                &target.expr,
                catalog,
            )?);
            visible.push(target);
        }
        let mut key_positions = Vec::new();
        for (n, key) in keys.iter().enumerate() {
            let known = visible.iter().position(|target| target.expr == *key);
            let position = match known {
                Some(position) => position,
                None => {
                    let name = format!("__pgt_k{}", n + 1);
                    // A grouping expression that was not selected becomes visible, and keeps its reference.
                    let own = junk.iter().position(|target| target.expr == *key);
                    let ressortgroupref = own.map_or(0, |own| junk.remove(own).ressortgroupref);
                    stored.push(StoredColumn::of(name.clone(), key, catalog)?);
                    visible.push(Target {
                        expr: key.clone(),
                        name: Some(name),
                        resno: 0,
                        ressortgroupref,
                        junk: false,
                    });
                    visible.len() - 1
                }
            };
            key_positions.push(position);
        }
        // DISTINCT ON keeps its ORDER BY, which decides which row it keeps.
        if query.distinct_on {
            query.sort = sorts;
        }
        visible.append(&mut junk);
        for (n, target) in visible.iter_mut().enumerate() {
            target.resno = attno(n)?;
        }
        query.targets = visible;
        Ok(Restricted {
            query,
            stored,
            positions,
            key_positions,
        })
    }
}

/// The query, restricted to the touched keys: one SELECT for each combination of NULLs. `keys` are its key expressions.
pub fn for_touched(
    query: &Query,
    keys: &[Expr],
    key: &[KeyColumn],
    graph: &StageGraph,
) -> Result<Vec<String>, Fallback> {
    for_rows(TOUCHED, query, keys, key, graph)
}

/// The same for the keys in another CTE.
pub fn for_rows(
    cte: &str,
    query: &Query,
    keys: &[Expr],
    key: &[KeyColumn],
    graph: &StageGraph,
) -> Result<Vec<String>, Fallback> {
    if key.is_empty() {
        // Even a query that returns a row for empty input, such as a plain aggregate, must return none if nothing is
        // touched.
        let query = crate::sql::query::print(query, graph)?;
        return Ok(vec![format!("SELECT q.* FROM ({query}) AS q WHERE {IS_TOUCHED}")]);
    }
    let nullable: Vec<bool> = key.iter().map(|key| key.nullable).collect();
    let mut texts = Vec::new();
    for search in searches(&nullable) {
        let mut query = query.clone();
        let columns = (0..key.len()).map(key_column).collect();
        let touched = varno(query.rtable.len())?;
        query.rtable.push(touched_keys(cte, columns));
        query.from.insert(0, FromItem::Rel(touched));
        let given: Vec<Expr> = keys
            .iter()
            .enumerate()
            .map(|(n, expr)| {
                Ok(Expr::Var(Var {
                    varno: touched,
                    attno: attno(n)?,
                    type_oid: expr.type_oid(),
                    typmod: -1,
                    collation: expr.collation(),
                    levels_up: 0,
                }))
            })
            .collect::<Result<_, Error>>()?;
        with_keys(&mut query, keys, key, &given, &search);
        texts.push(format!("({})", crate::sql::query::print(&query, graph)?));
    }
    Ok(texts)
}

/// Adds the condition that the key of a row is the given one, as one search compares it.
pub fn with_keys(query: &mut Query, keys: &[Expr], key: &[KeyColumn], given: &[Expr], search: &[KeyMatch]) {
    for (((expr, key), given), how) in keys.iter().zip(key).zip(given).zip(search) {
        let equal = SqlLeaf::condition(
            &["", &format!(" {} ", key.equals), ""],
            vec![expr.clone(), given.clone()],
        );
        let both_null = Expr::and(vec![Expr::is_null(expr.clone()), Expr::is_null(given.clone())]);
        query.add_qual(match how {
            KeyMatch::Equal => equal,
            KeyMatch::BothNull => both_null,
            KeyMatch::EqualOrBothNull => Expr::Bool(Bool {
                op: BoolOp::Or,
                args: vec![equal, both_null],
            }),
        });
    }
}

/// A column of the key of a row, which is a column of a primary key.
pub fn row_key(name: &str, own: &Expr, graph: &StageGraph) -> Result<KeyColumn, Fallback> {
    Ok(KeyColumn {
        name: name.to_owned(),
        equals: equality(own.type_oid(), graph)?,
        nullable: false,
        ordered: true,
        wrapped: true,
    })
}

/// The index that finds stored rows by key. A hash index takes one column.
pub fn index(key: &[KeyColumn]) -> Vec<String> {
    let ordered = key.iter().filter(|key| key.ordered).take(MAX_INDEX_COLUMNS);
    let columns: Vec<String> = ordered.map(|key| quote_ident(&key.name)).collect();
    match (columns.as_slice(), key.first()) {
        ([], Some(key)) => vec![format!("USING hash ({})", quote_ident(&key.name))],
        ([], None) => Vec::new(),
        (columns, _) => vec![format!("({})", columns.join(", "))],
    }
}

fn touched_keys(cte: &str, columns: Vec<String>) -> Rte {
    Rte::new(RteKind::NamedTuplestore { name: cte.to_owned() }, cte, columns)
}
