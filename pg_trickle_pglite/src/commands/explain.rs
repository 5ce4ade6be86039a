//! `explain_st` and `explain_st_json`.

use super::find::{self, Found};
use crate::edge::error::{Result, SqlError};
use crate::edge::{ffi, settings};
use crate::runtime::load;
use crate::runtime::stream_table::{StreamTable, visible_key};
use crate::text::json::Json;
use pg_trickle_core::plan::{Change, Program, Source, Way};
use pg_trickle_core::{MOMENT, Stage};
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
    let stages = || table.stages.iter().map(|runner| &runner.stage);
    // The least that a stage does tells what a change may cost.
    let weakest = stages().max_by_key(|stage| stage.way).map(|stage| stage.way);
    let reason = stages()
        .filter(|stage| Some(stage.way) == weakest)
        .find_map(|stage| stage.reason.as_deref());
    let top = stages()
        .next_back()
        .ok_or_else(|| SqlError::internal("a stream table without a stage"))?;
    let advice: Vec<String> = stages().flat_map(|stage| stage.advice.clone()).collect();
    Ok(Json::Object(vec![
        ("name", Json::Text(found.bare)),
        ("schema", Json::Text(found.schema)),
        ("way", Json::Text(weakest.map_or("fold", Way::name).to_owned())),
        ("reason", Json::optional(reason)),
        ("asOf", Json::optional(as_of(&table)?.as_deref())),
        ("key", Json::texts(visible_key(top, &table.columns))),
        ("columns", Json::texts(table.columns.iter().map(|column| &column.name))),
        (
            "stages",
            Json::Array(stages().map(explain_stage).collect::<Result<_>>()?),
        ),
        ("advice", Json::texts(&advice)),
    ])
    .write())
}

fn explain_stage(stage: &Stage) -> Result<Json> {
    let sources = stage.sources.iter().map(|source| explain_source(stage, source));
    Ok(Json::Object(vec![
        ("name", Json::Text(stage.storage.clone())),
        ("way", Json::Text(stage.way.name().to_owned())),
        ("reason", Json::optional(stage.reason.as_deref())),
        ("key", Json::texts(&stage.key)),
        ("operators", Json::texts(&stage.operators)),
        ("sources", Json::Array(sources.collect::<Result<_>>()?)),
    ]))
}

fn explain_source(stage: &Stage, source: &Source) -> Result<Json> {
    let program = |new, old| {
        let change = Change {
            relid: source.relid,
            new,
            old,
            repeated: false,
        };
        statements(stage, &stage.program(&[change]))
    };
    let rebuild = || statements(stage, &Program::Rebuild);
    let occurrences = i64::try_from(source.occurrences).map_err(SqlError::internal)?;
    Ok(Json::Object(vec![
        ("name", Json::Text(source.name.clone())),
        ("occurrences", Json::Number(occurrences)),
        ("way", Json::Text(stage.way.name().to_owned())),
        ("cost", Json::Text(stage.cost(source).to_owned())),
        ("choice", Json::Text(stage.choice(source))),
        ("insert", program(true, false)),
        ("delete", program(false, true)),
        ("update", program(true, true)),
        ("truncate", rebuild()),
    ]))
}

fn statements(stage: &Stage, program: &Program) -> Json {
    let statements = match program {
        Program::Nothing => return Json::Array(Vec::new()),
        Program::Run(statements) => statements,
        Program::Rebuild => &stage.rebuild,
    };
    Json::Array(
        statements
            .iter()
            .map(|statement| Json::Text(statement.sql.clone()))
            .collect(),
    )
}
