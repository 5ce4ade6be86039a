//! `explain_st` and `explain_st_json`.

use super::find::{self, Found};
use crate::error::Result;
use crate::json::Json;
use crate::stages::{self, Maintained};
use pg_trickle_core::plan::{Change, Program, Source};
use std::rc::Rc;

fn load(name: &str) -> Result<(Found, Rc<Maintained>)> {
    let found = find::stream_table(name)?;
    find::must_read(&found)?;
    let stage = stages::load(found.id)?;
    Ok((found, stage))
}

/// Rows of (section, key, value), as a JSON array of arrays.
pub fn rows(name: &str) -> Result<String> {
    let (_, stage) = load(name)?;
    let mut rows = vec![row("stream table", "name", &stage.name)];
    for (section, key, value) in stage.stage.explain() {
        rows.push(row(&section, &key, &value));
    }
    Ok(Json::Array(rows).write())
}

fn row(section: &str, key: &str, value: &str) -> Json {
    Json::Array([section, key, value].map(|text| Json::Text(text.to_owned())).into())
}

/// The same as one object.
pub fn json(name: &str) -> Result<String> {
    let (found, stage) = load(name)?;
    let compiled = &stage.stage;
    let explained = compiled.explain();
    let told = |section: &str, key: &str| {
        explained
            .iter()
            .find(|(s, k, _)| s == section && k == key)
            .map(|(_, _, value)| value.as_str())
    };
    let way = || Json::Text(compiled.way.name().to_owned());
    let reason = || Json::optional(compiled.reason.as_deref());
    let operators: Vec<String> = told("stage 1", "operators")
        .unwrap_or_default()
        .lines()
        .map(str::to_owned)
        .collect();
    let sources = compiled
        .sources
        .iter()
        .map(|source| {
            let cost = told(&format!("source {}", source.name), "cost");
            explain_source(&stage, source, cost)
        })
        .collect();
    let columns: Vec<String> = compiled.columns.iter().map(|column| column.name.clone()).collect();
    Ok(Json::Object(vec![
        ("name", Json::Text(stage.name.clone())),
        ("schema", Json::Text(found.schema)),
        ("way", way()),
        ("reason", reason()),
        ("key", Json::texts(&compiled.key)),
        ("columns", Json::texts(&columns)),
        (
            "stages",
            Json::Array(vec![Json::Object(vec![
                ("name", Json::Text(stage.storage.clone())),
                ("way", way()),
                ("reason", reason()),
                ("operators", Json::texts(&operators)),
                ("sources", Json::Array(sources)),
            ])]),
        ),
        ("advice", Json::texts(&compiled.advice)),
    ])
    .write())
}

fn explain_source(stage: &Maintained, source: &Source, cost: Option<&str>) -> Json {
    let program = |new, old| {
        let change = Change {
            relid: source.relid,
            new,
            old,
        };
        statements(stage, &stage.stage.program(&[change]))
    };
    let rebuild = || statements(stage, &Program::Rebuild);
    Json::Object(vec![
        ("name", Json::Text(source.name.clone())),
        (
            "occurrences",
            Json::Number(i64::try_from(source.occurrences).unwrap_or(i64::MAX)),
        ),
        (
            "way",
            Json::Text(if source.fold { "fold" } else { "rebuild" }.to_owned()),
        ),
        ("cost", Json::optional(cost)),
        ("insert", program(true, false)),
        ("delete", program(false, true)),
        ("update", program(true, true)),
        ("truncate", rebuild()),
    ])
}

fn statements(stage: &Maintained, program: &Program) -> Json {
    let statements = match program {
        Program::Nothing => return Json::Array(Vec::new()),
        Program::Run(statements) => statements,
        Program::Rebuild => &stage.stage.rebuild,
    };
    Json::Array(
        statements
            .iter()
            .map(|statement| Json::Text(statement.sql.clone()))
            .collect(),
    )
}
