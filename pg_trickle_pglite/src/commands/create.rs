//! `create_stream_table` and its two relatives.

use super::find::{self, Target};
use super::{alter, fallback, must_be_idle};
use crate::edge::error::{Result, SqlError};
use crate::edge::ffi;
use crate::edge::spi::{self, Values};
use crate::runtime::choices::Choices;
use crate::runtime::session::Busy;
use crate::runtime::stream_table::{StageRunner, new_stages};
use crate::runtime::{load, locks, memory};
use crate::schema::definition::Query;
use crate::schema::{description, statements, storage, triggers};
use crate::text::{hidden, names};
use pg_trickle_core::plan::Way;
use std::rc::Rc;

/// What to do about a stream table that is there already.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Exists {
    /// Fail.
    Fail,
    /// Leave it.
    Skip,
    /// Give it the query.
    Replace,
}

/// The arguments.
pub struct Request<'a> {
    /// As the user wrote it.
    pub name: &'a str,
    /// The text of the query.
    pub query: &'a str,
    /// Must not be given.
    pub schedule: Option<&'a str>,
    /// Must be IMMEDIATE.
    pub mode: Option<&'a str>,
    /// Fill it now.
    pub initialize: bool,
    /// What to do when it is there.
    pub exists: Exists,
    /// Where the results of windows are kept: `stored` or `onRead`.
    pub windows: Option<&'a str>,
    /// Whether facts are added up before they are joined: `true` or `false`.
    pub pre_aggregate: Option<&'a str>,
}

/// Makes a stream table. Returns its qualified name.
pub fn run(request: &Request) -> Result<String> {
    check_mode(request)?;
    let choices = Choices::of(request.windows, request.pre_aggregate, Choices::default())
        .map_err(|error| error.about(request.name))?;
    let parsed = names::parse(request.name)?;
    must_be_idle("create a stream table")?;
    let (schema, temporaries) = schema(parsed.schema.as_deref())?;
    let name = names::qualified(&schema, &parsed.name);
    if matches!(schema.as_str(), "pgtrickle" | "pg_catalog" | "information_schema") {
        return Err(SqlError::new("42939", format!("the schema {schema} is reserved"))
            .hint("Create the stream table in another schema, for example public.")
            .about(&name));
    }
    match at(&name)? {
        Target::Nothing => {}
        Target::StreamTable(found) => match request.exists {
            Exists::Skip => {
                ffi::notice(&format!("stream table {} already exists, skipping", found.name), None)?;
                return Ok(found.name);
            }
            Exists::Replace => {
                alter::change(&found, request.query, choices)?;
                return Ok(found.name);
            }
            Exists::Fail => {
                return Err(SqlError::new(
                    "42P07",
                    format!("stream table {} already exists", found.name),
                )
                .hint(
                    "Use create_stream_table_if_not_exists or create_or_replace_stream_table, or drop it first.",
                )
                .about(&found.name));
            }
        },
        Target::Other(other) => {
            return Err(SqlError::new("42P07", format!("relation {other} already exists"))
                .hint("A stream table shares its namespace with tables and views; choose another name.")
                .about(&other));
        }
    }
    memory::must_have_room(&name)?;
    make(request, choices, &schema, &name, temporaries).map_err(|error| error.about(&name))?;
    Ok(name)
}

const WHERE: &str = if cfg!(target_family = "wasm") { " in PGlite" } else { "" };

fn check_mode(request: &Request) -> Result<()> {
    let mode = request.mode.unwrap_or("NULL").to_ascii_uppercase();
    let what = if mode != "IMMEDIATE" {
        format!("{mode} refresh mode")
    } else if let Some(schedule) = request.schedule {
        format!("the schedule '{schedule}'")
    } else {
        return Ok(());
    };
    Err(
        SqlError::new("0A000", format!("Not supported{WHERE}: {what}. Use IMMEDIATE mode."))
            .hint("Leave out schedule and refresh_mode: a stream table is up to date after every statement.")
            .about(request.name),
    )
}

/// The schema to create in, and whether there are temporary tables.
fn schema(given: Option<&str>) -> Result<(String, bool)> {
    let found = spi::as_user(
        "SELECT n.nspname, pg_catalog.pg_my_temp_schema() OPERATOR(pg_catalog.<>) 0 FROM pg_catalog.pg_namespace n \
         WHERE n.nspname OPERATOR(pg_catalog.=) coalesce($1::pg_catalog.name, pg_catalog.current_schema())",
        &[given],
    )?;
    match found.into_iter().next() {
        Some(row) => {
            let mut values = Values::of(row);
            Ok((values.text()?, values.boolean()?))
        }
        None => Err(match given {
            Some(schema) => {
                SqlError::new("3F000", format!("schema {schema} does not exist")).hint("Create the schema first.")
            }
            None => SqlError::new("3F000", "no schema has been selected to create in")
                .hint("Set search_path, or write schema.name."),
        }),
    }
}

fn at(name: &str) -> Result<Target> {
    match spi::catalog_number("SELECT to_regclass($1)::oid", &[Some(name)])? {
        Some(relid) => find::by_relid(relid),
        None => Ok(Target::Nothing),
    }
}

fn make(request: &Request, choices: Choices, schema: &str, name: &str, temporaries: bool) -> Result<()> {
    let query = Query::read(request.query, temporaries)?;
    let _busy = Busy::start();
    locks::take_catalog()?;
    let id = storage::next_id()?;
    let definition = query.define(schema, id, choices)?;
    fallback::attempt(|reason| make_parts(request, id, name, &definition, reason))
}

/// Makes everything that the definition view needs to be a stream table.
fn make_parts(request: &Request, id: i32, name: &str, definition: &str, reason: Option<&str>) -> Result<()> {
    let compiled = load::compile_new(definition, &hidden::storage(id), reason)?;
    storage::make(&compiled, &users_value("SELECT current_user")?)?;
    storage::run(&statements::user_view(name, &compiled.view, false), 0)?;
    for statement in statements::refuse_writes(name) {
        spi::catalog(&statement, &[])?;
    }
    storage::bind(definition, name)?;
    let search_path = search_path()?;
    let new = description::New {
        id,
        name,
        definition,
        query: request.query,
        active: request.initialize,
        search_path: &search_path,
        fallback: reason,
    };
    description::insert(&new, &compiled)?;
    storage::record_stages(id, name, &compiled)?;
    description::record_sources(id, &compiled, &[])?;
    let (is_settled, windows_on_read) = (compiled.is_settled, compiled.windows_on_read);
    let pre_aggregated = compiled.pre_aggregated;
    let stages = new_stages(id, name, &search_path, compiled.stages);
    if request.initialize {
        locks::take(std::iter::once(id))?;
        locks::stop_writers(id, name)?;
        storage::fill(&stages)?;
        triggers::sync()?;
    }
    description::announce(&[id])?;
    match reason {
        Some(reason) => fallback::announce(name, reason),
        None => announce(name, &stages, is_settled),
    }?;
    if request.windows == Some("onRead") && !windows_on_read {
        ffi::notice(
            &format!("stream table {name} stores all its results: no window is left to compute on read"),
            Some("Windows are computed on read where they are above everything else in a query but its ORDER BY."),
        )?;
    }
    if request.pre_aggregate == Some("true") && !pre_aggregated {
        ffi::notice(
            &format!("stream table {name} joins rows before it adds them up: no facts can be added up first"),
            Some(
                "Facts can be added up first where all that a grouped query aggregates is of one table, which inner joins \
                 compare by equality with the keys of others.",
            ),
        )?;
    }
    Ok(())
}

/// What the functions of a query are to see: the path of the session that gives the query.
pub fn search_path() -> Result<String> {
    users_value("SELECT pg_catalog.current_setting('search_path')")
}

fn users_value(text: &str) -> Result<String> {
    let row = spi::as_user(text, &[])?.pop();
    row.map_or_else(|| Ok(String::new()), |row| Values::of(row).text())
}

/// What exact means with a clock in the query.
const UNTIL_NOW: &str = "Its rows are exact as of the last change of what it reads, or the last call of pgtrickle.advance(). \
    Call it as often as rows may be late, or open the database with advanceEvery.";

/// Says what a user would not expect of a stream table: that it is costly to maintain, or that it follows the clock.
fn announce(name: &str, stages: &[Rc<StageRunner>], is_settled: bool) -> Result<()> {
    let has_clock = stages.iter().any(|runner| runner.stage.is_clock());
    let rebuilt = stages.iter().any(|runner| runner.stage.way == Way::Rebuild);
    if has_clock && !rebuilt {
        return ffi::notice(&format!("stream table {name} depends on the clock"), Some(UNTIL_NOW));
    }
    let hint = if has_clock {
        UNTIL_NOW
    } else if is_settled {
        "The result is exact, but each statement that changes a source costs as much as the query."
    } else {
        "Each statement that changes a source costs as much as the query. The result is that of the last such statement, \
         and health_check() reports it as soon as the query would give another one."
    };
    for runner in stages.iter().filter(|runner| runner.stage.way == Way::Rebuild) {
        let reason = runner.stage.reason.as_deref().unwrap_or("its query is not covered yet");
        let what = if stages.len() > 1 {
            "a part of its query"
        } else {
            "its query"
        };
        ffi::notice(
            &format!("stream table {name} runs {what} again after every change: {reason}"),
            Some(hint),
        )?;
    }
    Ok(())
}
