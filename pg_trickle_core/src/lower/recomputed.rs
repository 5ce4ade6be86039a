//! A query that is maintained by Rebuild: its result is stored as it is.

use super::columns::{column_type, contains_composite, is_pseudo, type_of};
use super::stop::Stop;
use super::{Lowered, order};
use crate::catalog::Catalog;
use crate::error::Error;
use crate::plan::OutputColumn;
use crate::query::Query;
use crate::sql::ident::quote_ident;
use crate::sql::statement::column;
use crate::stage::rebuild::Compared;
use crate::stage::storage::{self, Identity, StorageColumn};

/// Lowers any query.
pub fn lower(query: &Query, definition: &str, table: &str, catalog: &dyn Catalog) -> Result<Lowered, Error> {
    let mut junk_sorts = false;
    let mut keep_order = true;
    for target in &query.targets {
        if target.junk && is_sorted_by(query, target.ressortgroupref) {
            junk_sorts = true;
            // No column can hold a row value, so the view cannot sort by one.
            keep_order &= !is_pseudo(type_of(&target.expr, catalog)?, catalog)?;
        }
    }
    junk_sorts &= keep_order;
    let mut rows = format!("SELECT * FROM {definition}");
    let mut stored = query.clone();
    if junk_sorts {
        for (position, target) in stored.targets.iter_mut().enumerate() {
            if target.junk && is_sorted_by(query, target.ressortgroupref) {
                target.junk = false;
                target.name = Some(format!("__pgt_o{}", position + 1));
            }
        }
        rows = crate::sql::query::print(&stored, catalog)?;
    }
    let mut columns = Vec::new();
    let mut storage_columns = Vec::new();
    let mut compared = Vec::new();
    for (target, original) in stored.targets.iter().zip(&query.targets) {
        let Some(name) = target.name.clone().filter(|_| !target.junk) else {
            continue;
        };
        let (type_sql, collate) = column_type(&target.expr, catalog)?;
        compared.push(Compared {
            name: name.clone(),
            by_text: contains_composite(type_of(&target.expr, catalog)?, catalog)?,
        });
        if !original.junk {
            columns.push(OutputColumn {
                name: name.clone(),
                type_sql: type_sql.clone(),
            });
        }
        storage_columns.push(StorageColumn {
            name,
            type_sql,
            collate,
            not_null: false,
            generated: None,
        });
    }
    Ok(Lowered {
        view: view(query, keep_order.then_some(&stored), table, catalog)?,
        columns,
        ddl: storage::create(table, &storage_columns, &Identity::None),
        compared,
        identity: Identity::None,
        key: Vec::new(),
        query: rows,
        constraints: Vec::new(),
        fold: None,
    })
}

fn is_sorted_by(query: &Query, target_ref: u32) -> bool {
    target_ref != 0 && query.sort.iter().any(|sort| sort.target_ref == target_ref)
}

fn view(query: &Query, sorted: Option<&Query>, table: &str, catalog: &dyn Catalog) -> Result<String, Error> {
    let visible: Vec<String> = query
        .targets
        .iter()
        .filter(|target| !target.junk)
        .filter_map(|target| Some(column("s", target.name.as_deref()?)))
        .collect();
    let mut view = format!("SELECT {} FROM {table} AS s", visible.join(", "));
    let Some(stored) = sorted else {
        return Ok(view);
    };
    let sorts = order::targets(query).map_err(|stop| match stop {
        Stop::Error(error) => error,
        Stop::Reason(why) => Error::Tree(why),
    })?;
    let mut items = Vec::new();
    for (position, sort) in sorts {
        let name = stored.targets[position].name.as_deref().unwrap_or_default();
        items.push(order::item(&format!("s.{}", quote_ident(name)), sort, catalog)?);
    }
    if !items.is_empty() {
        view.push_str(&format!(" ORDER BY {}", items.join(", ")));
    }
    Ok(view)
}
