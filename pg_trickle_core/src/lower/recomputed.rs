//! A query that is run again as a whole: its result is stored as it is.

use super::builder::{Builder, Storage, Stored};
use super::columns::storage_columns;
use super::partition::{Restricted, names, view};
use super::stop::Stop;
use super::{Lowered, Maintain};
use crate::error::Error;
use crate::query::Query;
use crate::stage::storage::Identity;

/// Lowers any query. `definition` is a view of it, where there is one.
pub fn lower(query: &Query, definition: Option<&str>, storage: &Storage, builder: &Builder) -> Result<Lowered, Error> {
    let attempt = Restricted::new(query, &[], builder);
    let (restricted, sorted) = match attempt {
        Ok(restricted) => (restricted, true),
        Err(Stop::Error(error)) => return Err(error),
        // No column can hold a row value, so the view cannot sort by one.
        Err(Stop::Reason(_)) => {
            let unsorted = Query {
                sort: Vec::new(),
                ..query.clone()
            };
            match Restricted::new(&unsorted, &[], builder) {
                Ok(restricted) => (restricted, false),
                Err(Stop::Error(error)) => return Err(error),
                Err(Stop::Reason(why)) => return Err(Error::Tree(why)),
            }
        }
    };
    let mut stored: Vec<Stored> = restricted.stored;
    // A limit needs the order that it cuts, whatever is stored.
    let mut fresh = restricted.query;
    fresh.sort.clone_from(&query.sort);
    let visible = query.targets.iter().filter(|target| !target.junk).count();
    let rows = match definition {
        Some(definition) if stored.len() == visible => format!("SELECT * FROM {definition}"),
        _ => crate::sql::query::print(&fresh, builder)?,
    };
    let columns = names(&stored);
    let mut view = view(query, &restricted.positions, storage, &mut stored, builder);
    if !sorted {
        view.sort.clear();
    }
    Ok(Lowered {
        columns: storage_columns(&stored, builder)?,
        indexes: Vec::new(),
        view,
        written: columns,
        identity: Identity::None,
        key: Vec::new(),
        rows,
        reads: query.clone(),
        looked_up: Vec::new(),
        advice: Vec::new(),
        tree: None,
        maintain: Maintain::Rebuild,
    })
}
