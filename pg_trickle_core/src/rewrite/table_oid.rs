//! `tableoid` of a table that no other inherits from is a constant, which a transition table need not hold.
//!
//! Not so where an outer join can make it NULL: that remains a system column.

use crate::catalog::Catalog;
use crate::error::Error;
use crate::facts::from_items::preserved;
use crate::facts::sources::TABLE_OID;
use crate::oids::OID;
use crate::query::{Expr, Query, RteKind, SqlLeaf};
use crate::sql::ident::qualified;
use crate::sql::literal::quote_literal;

/// Replaces `tableoid` in the query, and in all queries in it.
pub fn replace(query: &mut Query, catalog: &dyn Catalog) -> Result<(), Error> {
    for rte in &mut query.rtable {
        if let RteKind::Subquery(subquery) = &mut rte.kind {
            replace(subquery, catalog)?;
        }
    }
    for cte in &mut query.ctes {
        replace(&mut cte.query, catalog)?;
    }
    let mut result = Ok(());
    query.for_each_expr_mut(&mut |expr| in_sublinks(expr, catalog, &mut result));
    result?;
    let mut wanted: Vec<i32> = Vec::new();
    query.replace_vars(&mut |var| {
        if var.attno == TABLE_OID && !wanted.contains(&var.varno) {
            wanted.push(var.varno);
        }
        None
    });
    if wanted.is_empty() {
        return Ok(());
    }
    let mut never_null = Vec::new();
    for item in &query.from {
        preserved(query, item, &mut never_null);
    }
    let mut known: Vec<(i32, String)> = Vec::new();
    for varno in wanted.into_iter().filter(|varno| never_null.contains(varno)) {
        let position = query.position(varno)?;
        let Some(relid) = query.table(varno) else { continue };
        let relation = catalog.relation(relid)?;
        let is_one_of_many = relation.is_partitioned || relation.has_children && query.rtable[position].inh;
        if !is_one_of_many {
            known.push((varno, quote_literal(&qualified(&relation.schema, &relation.name))));
        }
    }
    query.replace_vars(&mut |var| {
        let (_, name) = known.iter().find(|(varno, _)| *varno == var.varno)?;
        let sql = || format!("{name}::pg_catalog.regclass::pg_catalog.oid");
        (var.attno == TABLE_OID).then(|| SqlLeaf::text(sql(), OID, -1, 0))
    });
    Ok(())
}

fn in_sublinks(expr: &mut Expr, catalog: &dyn Catalog, result: &mut Result<(), Error>) {
    if result.is_err() {
        return;
    }
    if let Expr::SubLink(sublink) = expr {
        *result = replace(&mut sublink.query, catalog);
    }
    expr.for_each_child_mut(&mut |child| in_sublinks(child, catalog, result));
}
