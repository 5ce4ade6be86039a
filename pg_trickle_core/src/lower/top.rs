//! LIMIT, OFFSET and FETCH FIRST: the first rows of a linear block in its order, read again after each change. With an
//! index in that order this reads about as many rows as are shown; a stage below gets such an index.

use super::builder::{Builder, Storage};
use super::linear::{Flat, Resolver};
use super::simplify::{is_complex, simplify};
use super::split::above_select_list;
use super::stop::Stop;
use super::{Lowered, Maintain, is_grouped, recomputed};
use crate::catalog::Catalog;
use crate::query::{Expr, Query, Var};
use crate::sql::ident::quote_ident;

/// Lowers a query with LIMIT or OFFSET.
pub fn lower(query: &Query, storage: &Storage, builder: &Builder) -> Result<Lowered, Stop> {
    let mut query = query.clone();
    if query.set_operations.is_none() {
        simplify(&mut query, builder)?;
    }
    let stacked = query.set_operations.is_some()
        || is_grouped(&query)
        || query.has_windows
        || !query.distinct.is_empty()
        || query.has_target_srfs
        || is_complex(&query);
    if stacked {
        query = above_select_list(&query, builder)?;
        simplify(&mut query, builder)?;
    }
    index(&query, builder)?;
    let mut lowered = recomputed::lower(&query, None, storage, builder)?;
    lowered.maintain = Maintain::Whole;
    Ok(lowered)
}

/// Gives the stage that the query reads an index in the query's order, if it is one stage and nothing else.
fn index(query: &Query, builder: &Builder) -> Result<(), Stop> {
    let mut flat = Flat::default();
    let resolver = Resolver::new(query, &mut flat, builder)?;
    let targets = resolver.targets()?;
    let [_] = flat.scans.as_slice() else {
        return Ok(());
    };
    let Some(relation) = flat.table(0) else { return Ok(()) };
    let mut columns = Vec::new();
    for sort in &query.sort {
        let Some(target) = targets.iter().find(|target| target.ressortgroupref == sort.target_ref) else {
            return Ok(());
        };
        let Expr::Var(Var { attno, .. }) = &target.expr else {
            return Ok(());
        };
        let Some(column) = relation.column(*attno) else {
            return Ok(());
        };
        let default = builder.default_equality(column.type_oid)?;
        let descending = match &default {
            Some(default) if default.less.as_ref().is_some_and(|less| less.oid == sort.sort_op) => false,
            Some(default)
                if default
                    .greater
                    .as_ref()
                    .is_some_and(|greater| greater.oid == sort.sort_op) =>
            {
                true
            }
            _ => return Ok(()),
        };
        columns.push(format!(
            "{} {} NULLS {}",
            quote_ident(&column.name),
            if descending { "DESC" } else { "ASC" },
            if sort.nulls_first { "FIRST" } else { "LAST" }
        ));
    }
    if !columns.is_empty() {
        builder.add_index(relation.oid, "", &columns);
    }
    Ok(())
}
