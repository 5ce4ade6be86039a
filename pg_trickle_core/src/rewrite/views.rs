//! Views as subqueries.

use super::{ctes, join_names, table_oid};
use crate::catalog::Catalog;
use crate::facts::fallback::Fallback;
use crate::query::{Query, RteKind, read_view};

/// Replaces a range table entry that reads a view by the view's query. Returns true if the entry was a view.
pub fn expand(query: &mut Query, position: usize, catalog: &dyn Catalog) -> Result<bool, Fallback> {
    let RteKind::Relation {
        relid, relkind: 'v', ..
    } = query.rtable[position].kind
    else {
        return Ok(false);
    };
    let mut view = read_view(&catalog.view_tree(relid)?)?;
    ctes::inline(&mut view)?;
    join_names::dissolve(&mut view)?;
    table_oid::replace(&mut view, catalog)?;
    query.rtable[position].kind = RteKind::Subquery(Box::new(view));
    Ok(true)
}
