//! SELECT DISTINCT, over a linear block: the rows are counted, and shown while their count is not 0.
//!
//! Rule: the count of a row changes by its weight in the change; it comes with its first copy and goes with its last.
//! Cost: one stored row per changed value. Source: counting, Gupta, Mumick, Subrahmanian, 1993.

use super::Lowered;
use super::builder::{Builder, Storage};
use super::grouped::{counted, finish};
use super::partition;
use super::stop::Stop;
use crate::query::{Query, Target};

/// Lowers DISTINCT or DISTINCT ON.
pub fn lower(query: &Query, storage: &Storage, builder: &Builder) -> Result<Lowered, Stop> {
    if query.distinct_on {
        return partition::distinct_on(query, storage, builder);
    }
    match fold(query, storage, builder) {
        Err(Stop::Reason(why)) => partition::distinct(query, &why, storage, builder),
        other => other,
    }
}

fn fold(query: &Query, storage: &Storage, builder: &Builder) -> Result<Lowered, Stop> {
    let targets: Vec<&Target> = query.targets.iter().filter(|target| !target.junk).collect();
    let leaf = Query {
        distinct: Vec::new(),
        sort: Vec::new(),
        ..query.clone()
    };
    let counted = counted(&targets, &[(leaf, 0)], 1, storage, builder)?;
    let view = counted.view(query, &targets, storage, builder);
    finish(counted.group, counted.stored, view, query, builder)
}
