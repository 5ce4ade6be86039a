//! A compiled stream table as a JSON document: what `explain_st_json` answers, and the planner without a database.

use crate::json::Json;
use crate::maintain::stage::Stage;
use crate::plan::{Change, OutputColumn, Program, Source, Way};

/// The key of the stage that users see, if they see all of its columns.
#[must_use]
pub fn visible_key<'a>(stage: &'a Stage, columns: &[OutputColumn]) -> &'a [String] {
    let is_visible = |name: &String| columns.iter().any(|column| column.name == *name);
    if stage.key.iter().all(is_visible) {
        &stage.key
    } else {
        &[]
    }
}

/// The members of the document. The stages come bottom first, as in [`crate::Plan::stages`].
#[must_use]
pub fn members(stages: &[&Stage], columns: &[OutputColumn]) -> Vec<(&'static str, Json)> {
    // The least that a stage does tells what a change may cost.
    let weakest = stages.iter().map(|stage| stage.way).max();
    let reason = stages
        .iter()
        .filter(|stage| Some(stage.way) == weakest)
        .find_map(|stage| stage.reason.as_deref());
    let key = stages.last().map_or(&[][..], |top| visible_key(top, columns));
    let advice: Vec<String> = stages.iter().flat_map(|stage| stage.advice.clone()).collect();
    vec![
        ("way", Json::Text(weakest.map_or("fold", Way::name).to_owned())),
        ("reason", Json::optional(reason)),
        ("key", Json::texts(key)),
        ("columns", Json::texts(columns.iter().map(|column| &column.name))),
        ("stages", Json::Array(stages.iter().map(|each| stage(each)).collect())),
        ("advice", Json::texts(&advice)),
    ]
}

fn stage(stage: &Stage) -> Json {
    let sources = stage.sources.iter().map(|each| source(stage, each));
    Json::Object(vec![
        ("name", Json::Text(stage.storage.clone())),
        ("way", Json::Text(stage.way.name().to_owned())),
        ("reason", Json::optional(stage.reason.as_deref())),
        ("key", Json::texts(&stage.key)),
        ("operators", Json::texts(&stage.operators)),
        ("sources", Json::Array(sources.collect())),
    ])
}

fn source(stage: &Stage, source: &Source) -> Json {
    let program = |new, old| {
        let change = Change {
            relid: source.relid,
            new,
            old,
            repeated: false,
        };
        statements(stage, &stage.program(&[change]))
    };
    Json::Object(vec![
        ("name", Json::Text(source.name.clone())),
        (
            "occurrences",
            Json::Number(i64::try_from(source.occurrences).unwrap_or(i64::MAX)),
        ),
        ("way", Json::Text(stage.way.name().to_owned())),
        ("cost", Json::Text(stage.cost(source).to_owned())),
        ("choice", Json::Text(stage.choice(source))),
        ("insert", program(true, false)),
        ("delete", program(false, true)),
        ("update", program(true, true)),
        ("truncate", statements(stage, &Program::Rebuild)),
    ])
}

fn statements(stage: &Stage, program: &Program) -> Json {
    match program {
        Program::Nothing => Json::Array(Vec::new()),
        Program::Run(statements) => Json::texts(statements.iter().map(|statement| &statement.sql)),
        Program::Rebuild => Json::texts([&stage.rebuild().sql]),
    }
}
