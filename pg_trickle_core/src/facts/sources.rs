//! The base tables of a query, views inlined, and the columns it reads of each.

use crate::catalog::Catalog;
use crate::error::Error;
use crate::plan::{Oid, Source};
use crate::query::{Expr, Query, RteKind, Var};
use crate::sorted::{Map, Set};
use crate::sql::ident::{qualified, quote_ident};

/// `SelfItemPointerAttributeNumber`.
const CTID: i16 = -1;
/// `TableOidAttributeNumber`.
pub const TABLE_OID: i16 = -6;

/// What the walk has collected.
#[derive(Default)]
struct Found {
    /// In order of appearance.
    occurrences: Vec<(Oid, usize)>,
    columns: Map<Oid, Set<i16>>,
    /// Tables that some occurrence reads without their children.
    only: Set<Oid>,
}

/// The tables whose changes reach the query, in the order in which it names them. Fails for a table whose changes no trigger can see.
pub fn sources(query: &Query, catalog: &dyn Catalog) -> Result<Vec<Source>, Error> {
    let mut found = Found::default();
    collect(query, &mut Vec::new(), &mut found, catalog)?;
    found
        .occurrences
        .into_iter()
        .map(|(relid, occurrences)| {
            let relation = catalog.relation(relid)?;
            let read = found.columns.remove(&relid).unwrap_or_default();
            let columns = relation
                .columns
                .iter()
                .filter(|column| !column.dropped)
                .map(|column| column.attnum)
                .filter(|attnum| read.contains(&0) || read.contains(attnum))
                .collect();
            Ok(Source {
                relid,
                delta: catalog.delta(relid),
                name: qualified(&relation.schema, &relation.name),
                occurrences,
                columns,
                // A row stays in its table unless this is partitioned.
                physical: read
                    .iter()
                    .any(|attnum| *attnum < 0 && (*attnum != TABLE_OID || relation.has_children)),
                only: relation.has_children && found.only.contains(&relid),
                updates_itself: relation.updates_itself,
            })
        })
        .collect()
}

/// Walks one query; `outer` holds the queries around it, innermost last.
fn collect<'q>(
    query: &'q Query,
    outer: &mut Vec<&'q Query>,
    found: &mut Found,
    catalog: &dyn Catalog,
) -> Result<(), Error> {
    outer.push(query);
    for rte in &query.rtable {
        match &rte.kind {
            RteKind::Relation {
                relid,
                relkind,
                tablesample,
            } => {
                relation(*relid, *relkind, found, catalog)?;
                if !rte.inh {
                    found.only.insert(*relid);
                }
                if tablesample.is_some() {
                    found.columns.or_default(*relid).insert(CTID);
                }
            }
            RteKind::Subquery(subquery) => collect(subquery, outer, found, catalog)?,
            _ => {}
        }
    }
    for cte in &query.ctes {
        collect(&cte.query, outer, found, catalog)?;
    }
    let mut result = Ok(());
    query.for_each_expr(&mut |expr| {
        if result.is_ok() {
            result = expression(expr, outer, found, catalog);
        }
    });
    outer.pop();
    result
}

fn relation(relid: Oid, relkind: char, found: &mut Found, catalog: &dyn Catalog) -> Result<(), Error> {
    let refuse = |what: &str, hint: &str| {
        Err(Error::Unsupported {
            what: what.to_owned(),
            fragment: quote_ident(&catalog.relation(relid)?.name),
            hint: hint.to_owned(),
        })
    };
    match relkind {
        'v' => {
            let view = crate::query::read_view(&catalog.view_tree(relid)?)?;
            return collect(&view, &mut Vec::new(), found, catalog);
        }
        'S' => {
            return refuse(
                "sequence as a source",
                "A sequence does not report changes. Read plain tables, views over them, or other stream tables.",
            );
        }
        'm' => {
            return refuse(
                "materialized view as a source",
                "A materialized view does not report changes to its rows. Create a stream table from its query instead.",
            );
        }
        'f' => {
            return refuse(
                "foreign table as a source",
                "A foreign table does not report changes to its rows. Copy its rows into a local table.",
            );
        }
        _ => {}
    }
    if catalog.relation(relid)?.is_system {
        return refuse(
            "system catalog as a source",
            "PostgreSQL runs no triggers on its own catalogs, so changes to them cannot be tracked.",
        );
    }
    match found.occurrences.iter_mut().find(|(known, _)| *known == relid) {
        Some((_, count)) => *count += 1,
        None => found.occurrences.push((relid, 1)),
    }
    Ok(())
}

fn expression<'q>(
    expr: &'q Expr,
    outer: &mut Vec<&'q Query>,
    found: &mut Found,
    catalog: &dyn Catalog,
) -> Result<(), Error> {
    let mut result = Ok(());
    expr.for_each(&mut |node| match node {
        Expr::Var(var) => column(var, outer, found),
        Expr::SubLink(sublink) if result.is_ok() => result = collect(&sublink.query, outer, found, catalog),
        _ => {}
    });
    result
}

/// Notes the column that a Var of the innermost query reads.
fn column(var: &Var, levels: &[&Query], found: &mut Found) {
    let Some(level) = levels.len().checked_sub(1 + var.levels_up as usize) else {
        return;
    };
    let Ok(position) = usize::try_from(var.varno - 1) else {
        return;
    };
    match levels[level].rtable.get(position).map(|rte| &rte.kind) {
        Some(RteKind::Relation { relid, .. }) => {
            // A LATERAL subquery can precede the table it refers to in the range table.
            found.columns.or_default(*relid).insert(var.attno);
        }
        Some(RteKind::Join { alias_vars, .. }) => {
            let wanted = usize::from(var.attno.unsigned_abs());
            for (n, alias) in alias_vars.iter().enumerate() {
                if wanted == 0 || wanted == n + 1 {
                    alias.for_each(&mut |node| {
                        if let Expr::Var(inner) = node {
                            column(inner, &levels[..=level], found);
                        }
                    });
                }
            }
        }
        _ => {}
    }
}
