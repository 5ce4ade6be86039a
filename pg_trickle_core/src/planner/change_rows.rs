//! Change rows: a change to the storage as subscribers see it. The expressions of the view, over the changed rows only.

use crate::catalog::Catalog;
use crate::error::Error;
use crate::oids::TEXT;
use crate::query::{Expr, Query, RteKind, SqlLeaf, Target, Var};

/// The name under which the query reads rows of the storage table.
const ROWS: &str = "__pgt_change_rows";

/// A query over changed rows of the storage. It returns the text of each row that the view makes of them, in the order
/// of the view, and the text of its key, or NULL if there is no key.
pub fn query(view: &Query, key: &[String], catalog: &dyn Catalog) -> Result<String, Error> {
    let mut shown = view.clone();
    let storage = &mut shown.rtable[0];
    let columns: Option<Vec<Expr>> = key
        .iter()
        .map(|name| {
            let position = storage.columns.iter().position(|column| column == name)?;
            Some(Expr::Var(Var {
                varno: 1,
                attno: i16::try_from(position + 1).ok()?,
                type_oid: TEXT,
                typmod: -1,
                collation: 0,
                levels_up: 0,
            }))
        })
        .collect();
    storage.kind = RteKind::NamedTuplestore { name: ROWS.to_owned() };
    let mut row = Vec::new();
    for target in shown.targets.iter_mut().filter(|target| !target.junk) {
        // Targets that sort stay, but hidden.
        target.junk = true;
        row.push(target.expr.clone());
    }
    let key = match columns {
        Some(columns) if !columns.is_empty() => text_of_row(columns),
        Some(_) | None => SqlLeaf::text("NULL::pg_catalog.text".to_owned(), TEXT, -1, 0),
    };
    shown.targets.retain(|target| target.ressortgroupref != 0);
    shown.targets.extend([text_of_row(row), key].map(|expr| Target {
        expr,
        name: None,
        resno: 0,
        ressortgroupref: 0,
        junk: false,
    }));
    crate::sql::query::print(&shown, catalog)
}

fn text_of_row(columns: Vec<Expr>) -> Expr {
    let mut parts = vec![", ".to_owned(); columns.len() + 1];
    parts[columns.len()] = ")::pg_catalog.text".to_owned();
    parts[0] = if columns.is_empty() {
        "ROW()::pg_catalog.text"
    } else {
        "ROW("
    }
    .to_owned();
    Expr::Sql(SqlLeaf {
        parts,
        args: columns,
        type_oid: TEXT,
        typmod: -1,
        collation: 0,
    })
}
