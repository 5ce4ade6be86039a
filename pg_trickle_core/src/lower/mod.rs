//! From the analysed query to the operators of a stage, or to the reason why it is a Rebuild.
//!
//! Everything that Fold does not cover is named here and in [`linear`], construct by construct.

mod bag;
mod columns;
mod grouped;
mod keys;
mod linear;
mod order;
mod recomputed;
mod scale;
mod scans;
mod sources;
mod states;
mod stop;
mod volatility;

use crate::catalog::Catalog;
use crate::error::Error;
use crate::plan::{Oid, OutputColumn, Way};
use crate::query::Query;
use crate::stage::rebuild::{self, Compared};
use crate::stage::storage::Identity;
use crate::stage::{Fold, Stage};
use stop::{Stop, reason};

/// A query with its storage decided.
struct Lowered {
    columns: Vec<OutputColumn>,
    ddl: Vec<String>,
    view: String,
    /// The stored columns that are written, in the order of `query`.
    compared: Vec<Compared>,
    identity: Identity,
    key: Vec<String>,
    /// Gives the stored rows from scratch.
    query: String,
    constraints: Vec<Oid>,
    fold: Option<Fold>,
}

/// Compiles the analysed defining query of a stream table.
///
/// `definition` and `storage` are the qualified, quoted names of the view that holds the query and of the storage table.
pub fn stage(query: &Query, definition: &str, storage: &str, catalog: &dyn Catalog) -> Result<Stage, Error> {
    volatility::refuse_volatile(query, catalog)?;
    let mut sources = sources::sources(query, catalog)?;
    let attempt = no_other_operators(query).and_then(|()| {
        if is_grouped(query) {
            grouped::lower(query, storage, catalog)
        } else {
            bag::lower(query, storage, catalog)
        }
    });
    let (lowered, why) = match attempt {
        Ok(lowered) => (lowered, None),
        Err(Stop::Error(error)) => return Err(error),
        Err(Stop::Reason(why)) => (recomputed::lower(query, definition, storage, catalog)?, Some(why)),
    };
    for source in &mut sources {
        source.fold = lowered.fold.is_some();
    }
    let names: Vec<String> = lowered.compared.iter().map(|compared| compared.name.clone()).collect();
    let into = if names.is_empty() {
        String::new()
    } else {
        format!(" ({})", crate::sql::statement::names(&names))
    };
    Ok(Stage {
        columns: lowered.columns,
        way: if why.is_none() { Way::Fold } else { Way::Rebuild },
        reason: why,
        layout: lowered.ddl.join(";"),
        ddl: lowered.ddl,
        view: lowered.view,
        init: format!("INSERT INTO {storage}{into} {}", lowered.query),
        rebuild: vec![rebuild::statement(
            storage,
            &lowered.query,
            &lowered.compared,
            &lowered.identity,
        )],
        sources,
        key: lowered.key,
        constraints: lowered.constraints,
        advice: Vec::new(),
        fold: lowered.fold,
    })
}

/// Fails unless scans, inner joins, filters and a projection are all there is.
fn only_linear(query: &Query) -> Result<(), Stop> {
    no_other_operators(query)?;
    if is_grouped(query) {
        return reason("aggregate in a subquery");
    }
    if query.has_target_srfs {
        return reason("set-returning function in a subquery's select list");
    }
    Ok(())
}

/// True where the query groups or aggregates.
fn is_grouped(query: &Query) -> bool {
    query.has_aggs || !query.group.is_empty() || query.having.is_some()
}

/// Fails where the query has an operator beyond scan, join, filter, projection and plain grouping.
fn no_other_operators(query: &Query) -> Result<(), Stop> {
    if query.set_operations.is_some() {
        return reason("UNION, INTERSECT or EXCEPT");
    }
    if query.has_windows {
        return reason("window function");
    }
    if query.distinct_on {
        return reason("DISTINCT ON");
    }
    if !query.distinct.is_empty() {
        return reason("DISTINCT");
    }
    if !query.grouping_sets.is_empty() {
        return reason("GROUPING SETS, ROLLUP or CUBE");
    }
    if query.limit_count.is_some() || query.limit_offset.is_some() {
        return reason("LIMIT or OFFSET");
    }
    if !query.row_marks.is_empty() {
        return reason("FOR UPDATE or FOR SHARE");
    }
    Ok(())
}
