//! Change rows: a change to the storage as subscribers see it. The expressions of the view, over the changed rows only.

use crate::catalog::Catalog;
use crate::error::Error;
use crate::oids::TEXT;
use crate::query::{Expr, Query, RteKind, SqlLeaf, Target, Var};
use crate::sql::ident::quote_ident;

/// The name under which the query reads rows of the storage table.
const ROWS: &str = "__pgt_change_rows";

/// How a row is written.
#[derive(Clone, Copy, PartialEq, Eq)]
pub enum Form {
    /// As PostgreSQL writes a row, in the order of the view.
    Text,
    /// As a document (jsonb) by the names of the columns, in any order. So is its key where users see all of its columns.
    Document,
}

/// A query over changed rows of the storage. It returns the text of each row that the view makes of them, and the text of
/// its key, or NULL if there is no key.
pub fn query(view: &Query, key: &[String], form: Form, catalog: &dyn Catalog) -> Result<String, Error> {
    let mut shown = view.clone();
    let is_visible = |name: &String| view.visible_targets().any(|target| target.name.as_ref() == Some(name));
    let key_form = if key.iter().all(is_visible) { form } else { Form::Text };
    if form == Form::Document {
        shown.sort.clear();
    }
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
    let (mut row, mut names) = (Vec::new(), Vec::new());
    for target in shown.targets.iter_mut().filter(|target| !target.junk) {
        // Targets that sort stay, but hidden; windows sort documents, too.
        target.junk = true;
        row.push(target.expr.clone());
        names.push(target.name.clone().unwrap_or_default());
    }
    let key = match columns {
        Some(columns) if !columns.is_empty() => text_of_row(columns, key, key_form),
        Some(_) | None => SqlLeaf::text("NULL::pg_catalog.text".to_owned(), TEXT, -1, 0),
    };
    shown
        .targets
        .retain(|target| (form == Form::Text || view.has_windows) && target.ressortgroupref != 0);
    shown
        .targets
        .extend([text_of_row(row, &names, form), key].map(|expr| Target {
            expr,
            name: None,
            resno: 0,
            ressortgroupref: 0,
            junk: false,
        }));
    crate::sql::query::print(&shown, catalog)
}

fn text_of_row(columns: Vec<Expr>, names: &[String], form: Form) -> Expr {
    let last = columns.len();
    let mut parts = vec![", ".to_owned(); last + 1];
    parts[0].clear();
    let (start, end) = match form {
        Form::Text => ("ROW(", ")::pg_catalog.text"),
        // A function with names and values takes 100 arguments at most.
        Form::Document => (
            "pg_catalog.to_jsonb((SELECT __pgt_row FROM (SELECT ",
            ") AS __pgt_row))::pg_catalog.text",
        ),
    };
    if form == Form::Document {
        for (part, name) in parts[1..].iter_mut().zip(names) {
            *part = format!(" AS {}, ", quote_ident(name));
        }
    }
    // No comma follows the last column.
    let length = parts[last].len().saturating_sub(", ".len());
    parts[last].truncate(length);
    parts[0].insert_str(0, start);
    parts[last].push_str(end);
    Expr::Sql(SqlLeaf {
        parts,
        args: columns,
        type_oid: TEXT,
        typmod: -1,
        collation: 0,
    })
}
