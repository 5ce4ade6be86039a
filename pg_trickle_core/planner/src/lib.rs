//! The core without a database, for JavaScript: `@pgtrickle/pglite/planner`. Text in, JSON out.

#![forbid(unsafe_code)]
#![warn(missing_docs)]

use pg_trickle_core::answers::recorded::Recorded;
use pg_trickle_core::error::Error;
use pg_trickle_core::json::Json;
use pg_trickle_core::plan::PreAggregate;
use pg_trickle_core::{Input, Plan, Stage, compile, explain};
use wasm_bindgen::prelude::wasm_bindgen;

/// Plans a stream table. `answers` are what the catalog says, as `ts/src/planner/plan.ts` writes them; `definition`,
/// `schema` and `storage` are names as in [`Input`]. Returns the plan as JSON, or an object with the member `error`.
#[wasm_bindgen]
#[must_use]
pub fn plan(
    tree: &str,
    answers: &str,
    definition: &str,
    schema: &str,
    storage: &str,
    fallback: Option<String>,
) -> String {
    let input = Input {
        tree,
        definition,
        schema,
        storage,
        fallback: fallback.as_deref(),
        windows_on_read: false,
        pre_aggregate: PreAggregate::Never,
    };
    let members = match compile(&input, &Recorded::read(answers)) {
        Ok(plan) => members(&plan),
        Err(error) => vec![("error", described(&error))],
    };
    Json::Object(members).write()
}

fn members(plan: &Plan) -> Vec<(&'static str, Json)> {
    let stages: Vec<&Stage> = plan.stages.iter().collect();
    let mut members = explain::members(&stages, &plan.columns);
    let made = plan.stages.iter().map(|stage| {
        Json::Object(vec![
            ("name", Json::Text(stage.storage.clone())),
            ("create", Json::texts(&stage.ddl)),
            ("fill", Json::Text(stage.fill_statement().sql)),
        ])
    });
    members.push(("storage", Json::Array(made.collect())));
    members.push(("view", Json::Text(plan.view.clone())));
    members
}

fn described(error: &Error) -> Json {
    let fragment = match error {
        Error::Unsupported { fragment, .. } => Some(fragment.as_str()),
        Error::Catalog(_) | Error::Tree(_) => None,
    };
    Json::Object(vec![
        ("message", Json::Text(error.to_string())),
        ("code", Json::Text(error.sqlstate().to_owned())),
        ("fragment", Json::optional(fragment)),
        ("hint", Json::optional(error.hint())),
    ])
}
