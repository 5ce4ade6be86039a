//! `explain_st` and `explain_st_json`.

use super::find::{self, Found};
use crate::edge::error::Result;
use crate::edge::{ffi, settings};
use crate::runtime::load;
use crate::runtime::stream_table::StreamTable;
use pg_trickle_core::json::Json;
use pg_trickle_core::{MOMENT, Stage, explain};
use std::rc::Rc;

fn load(name: &str) -> Result<(Found, Rc<StreamTable>)> {
    let found = find::stream_table(name)?;
    find::must_read(&found)?;
    let table = load::load(found.id)?;
    Ok((found, table))
}

/// Rows of (section, key, value), as a JSON array of arrays.
pub fn rows(name: &str) -> Result<String> {
    let (_, table) = load(name)?;
    let mut rows = vec![row("stream table", "name", &table.name)];
    if let Some(moment) = as_of(&table)? {
        rows.push(row("stream table", "exact as of", &moment));
    }
    for runner in &table.stages {
        for (section, key, value) in runner.stage.explain() {
            rows.push(row(&section, &key, &value));
        }
    }
    Ok(Json::Array(rows).write())
}

/// The moment up to which a stream table that depends on the clock is right.
fn as_of(table: &StreamTable) -> Result<Option<String>> {
    let Some(clock) = table.clock() else { return Ok(None) };
    let moment = format!(
        "SELECT pg_catalog.to_json({MOMENT}) OPERATOR(pg_catalog.#>>) '{{}}' FROM {}",
        clock.stage.storage
    );
    let row = ffi::query(&moment, &[], settings::WRITING, table.role, None)?.pop();
    Ok(row.and_then(|row| row.into_iter().next().flatten()))
}

fn row(section: &str, key: &str, value: &str) -> Json {
    Json::Array([section, key, value].map(|text| Json::Text(text.to_owned())).into())
}

/// The same as one object.
pub fn json(name: &str) -> Result<String> {
    let (found, table) = load(name)?;
    let stages: Vec<&Stage> = table.stages.iter().map(|runner| &runner.stage).collect();
    let mut members = vec![
        ("name", Json::Text(found.bare)),
        ("schema", Json::Text(found.schema)),
        ("asOf", Json::optional(as_of(&table)?.as_deref())),
    ];
    members.extend(explain::members(&stages, &table.columns));
    Ok(Json::Object(members).write())
}
