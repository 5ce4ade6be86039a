//! ORDER BY of the query, as ORDER BY of the user's view.

use super::stop::{Stop, reason};
use crate::catalog::Catalog;
use crate::error::Error;
use crate::query::{Query, SortGroup};

/// One item: what to sort by is put in by the caller, who knows where the value is stored.
pub fn item(value: &str, sort: &SortGroup, catalog: &dyn Catalog) -> Result<String, Error> {
    let operator = catalog.operator(sort.sort_op)?;
    let nulls = if sort.nulls_first { "FIRST" } else { "LAST" };
    Ok(format!(
        "{value} USING OPERATOR({}.{}) NULLS {nulls}",
        crate::sql::ident::quote_ident(&operator.schema),
        operator.name
    ))
}

/// Position of the target of each sort item.
pub fn targets(query: &Query) -> Result<Vec<(usize, &SortGroup)>, Stop> {
    query
        .sort
        .iter()
        .map(|sort| {
            let position = query
                .targets
                .iter()
                .position(|target| target.ressortgroupref == sort.target_ref);
            match position {
                Some(position) => Ok((position, sort)),
                None => reason("ORDER BY without a target"),
            }
        })
        .collect()
}
