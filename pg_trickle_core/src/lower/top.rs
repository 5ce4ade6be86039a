//! LIMIT, OFFSET and FETCH FIRST: the first rows of a linear block in its order, read again after each change.
//!
//! Rule: the rows shown are those that the query gives now; what is different is written. Cost: the rows up to the last one
//! shown, with an index in their order (a stage below gets one); else the whole query.
//! Source: Yi et al., "Efficient maintenance of materialized top-k views", 2003; its reserve of rows is what the index gives.

use super::builder::{Builder, Storage};
use super::linear::{Flat, Resolver};
use super::simplify::{is_complex, simplify};
use super::split::above_select_list;
use super::stop::Stop;
use super::{Lowered, Maintain, advice, is_grouped, recomputed};
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
    let advice = index(&query, builder)?;
    let mut lowered = recomputed::lower(&query, None, storage, builder)?;
    lowered.maintain = Maintain::Whole;
    lowered.advice.extend(advice);
    Ok(lowered)
}

/// Gives the stage that the query reads an index in the query's order, if it is one stage and nothing else; for a table of
/// the user advises it.
fn index(query: &Query, builder: &Builder) -> Result<Option<String>, Stop> {
    let mut flat = Flat::default();
    let resolver = Resolver::new(query, &mut flat, builder)?;
    let targets = resolver.targets()?;
    let [_] = flat.scans.as_slice() else {
        return Ok(None);
    };
    let Some(relation) = flat.table(0) else { return Ok(None) };
    let mut columns = Vec::new();
    let mut leads = None;
    for sort in &query.sort {
        let Some(target) = targets.iter().find(|target| target.ressortgroupref == sort.target_ref) else {
            return Ok(None);
        };
        let Expr::Var(Var { attno, .. }) = &target.expr else {
            return Ok(None);
        };
        let Some(column) = relation.column(*attno) else {
            return Ok(None);
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
            _ => return Ok(None),
        };
        leads.get_or_insert(*attno);
        columns.push(format!(
            "{} {} NULLS {}",
            quote_ident(&column.name),
            if descending { "DESC" } else { "ASC" },
            if sort.nulls_first { "FIRST" } else { "LAST" }
        ));
    }
    let Some(leads) = leads else { return Ok(None) };
    builder.add_index(relation.oid, "", &columns);
    let is_there = builder.is_stage(relation.oid) || relation.indexed.contains(&leads);
    Ok((!is_there).then(|| advice::sentence(relation, &columns.join(", "), "the rows shown are read by it")))
}
