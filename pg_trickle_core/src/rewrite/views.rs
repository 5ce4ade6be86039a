//! Views as subqueries; and the mark of a view that is for reading only.

use super::{ctes, join_names, table_oid};
use crate::catalog::Catalog;
use crate::error::Error;
use crate::facts::fallback::{Fallback, reason};
use crate::query::{FromItem, Query, Rte, RteKind, read_view, varno};

/// Replaces a range table entry that reads a view by the view's query. Returns true if the entry was a view.
pub fn expand(query: &mut Query, position: usize, catalog: &dyn Catalog) -> Result<bool, Fallback> {
    let RteKind::Relation {
        relid, relkind: 'v', ..
    } = query.rtable[position].kind
    else {
        return Ok(false);
    };
    if catalog.is_foreign_view(relid)? {
        return reason("a view that reads with the rights of another role");
    }
    let mut view = read_view(&catalog.view_tree(relid)?)?;
    unmark(&mut view);
    ctes::inline(&mut view)?;
    join_names::dissolve(&mut view)?;
    table_oid::replace(&mut view, catalog)?;
    // A view may have got more columns since it was first read. They are part of its row.
    let names = view
        .visible_targets()
        .map(|target| target.name.clone().unwrap_or_default());
    let known = query.rtable[position].columns.len();
    query.rtable[position]
        .columns
        .extend(names.skip(known).collect::<Vec<_>>());
    query.rtable[position].kind = RteKind::Subquery(Box::new(view));
    Ok(true)
}

/// The name of the mark in FROM.
const READ_ONLY: &str = "read_only";

/// Marks a view, so that PostgreSQL does not take it for one that can be written to, as it does with every view that
/// selects columns of one table. The mark is an item of FROM with one row and no columns. Planning a query removes it.
pub fn mark_read_only(view: &mut Query) -> Result<(), Error> {
    if let [FromItem::Rel(_)] = view.from.as_slice() {
        let mark = RteKind::Subquery(Box::default());
        view.rtable.push(Rte::new(mark, READ_ONLY, Vec::new()));
        view.from.push(FromItem::Rel(varno(view.rtable.len() - 1)?));
    }
    Ok(())
}

fn unmark(view: &mut Query) {
    let is_mark = |rte: &Rte| matches!(&rte.kind, RteKind::Subquery(query) if **query == Query::default());
    if let [first, FromItem::Rel(second)] = view.from.as_slice()
        && view.rte(*second).is_some_and(is_mark)
    {
        view.from = vec![first.clone()];
    }
}
