//! `create_stream_table` and its two relatives.

use super::find::{self, Target};
use super::{alter, define, must_be_idle};
use crate::error::{Result, SqlError};
use crate::ffi;
use crate::json::Json;
use crate::names;
use crate::session::{self, Busy};
use crate::spi::{self, Values};
use crate::stages::{self, Compiled, Maintained};
use crate::{plans, sql, triggers};
use pg_trickle_core::Stage;
use pg_trickle_core::plan::Way;
use std::rc::Rc;

/// The array that a parameter holds as JSON.
macro_rules! texts {
    ($parameter:literal) => {
        concat!("ARRAY(SELECT jsonb_array_elements_text(", $parameter, "::jsonb))")
    };
}

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
}

/// Makes a stream table.
pub fn run(request: &Request) -> Result<()> {
    check_mode(request)?;
    let parsed = names::parse(request.name)?;
    must_be_idle("create a stream table")?;
    let schema = schema(parsed.schema.as_deref())?;
    let name = readable(&schema, &parsed.name)?;
    if matches!(schema.as_str(), "pgtrickle" | "pg_catalog" | "information_schema") {
        return Err(SqlError::new("42939", format!("the schema {schema} is reserved"))
            .hint("Make the stream table in a schema of your own, for example public.")
            .about(&name));
    }
    match at(&name)? {
        Target::Nothing => {}
        Target::StreamTable(found) => match request.exists {
            Exists::Skip => {
                return ffi::notice(&format!("stream table {} already exists, skipping", found.name), None);
            }
            Exists::Replace => return alter::change(&found, request.query),
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
    make(request, &schema, &name).map_err(|error| error.about(&name))
}

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
        SqlError::new("0A000", format!("Not supported in PGlite: {what}. Use IMMEDIATE mode."))
            .hint("Leave schedule and refresh_mode out: a stream table is up to date after every statement.")
            .about(request.name),
    )
}

/// The schema to create in.
fn schema(given: Option<&str>) -> Result<String> {
    let found = spi::as_user(
        "SELECT n.nspname FROM pg_catalog.pg_namespace n \
         WHERE n.nspname OPERATOR(pg_catalog.=) coalesce($1::pg_catalog.name, pg_catalog.current_schema())",
        &[given],
    )?;
    match found.into_iter().next() {
        Some(row) => Values::of(row).text(),
        None => Err(match given {
            Some(schema) => {
                SqlError::new("3F000", format!("schema {schema} does not exist")).hint("Create the schema first.")
            }
            None => SqlError::new("3F000", "no schema has been selected to create in")
                .hint("Set search_path, or write schema.name."),
        }),
    }
}

/// Quoted only where it has to be.
fn readable(schema: &str, name: &str) -> Result<String> {
    let quoted = spi::catalog_value("SELECT format('%I.%I', $1, $2)", &[Some(schema), Some(name)])?;
    Ok(quoted.unwrap_or_default())
}

fn at(name: &str) -> Result<Target> {
    match spi::catalog_value("SELECT to_regclass($1)::oid", &[Some(name)])? {
        Some(relid) => find::by_relid(&relid),
        None => Ok(Target::Nothing),
    }
}

fn make(request: &Request, schema: &str, name: &str) -> Result<()> {
    define::check(request.query)?;
    let _busy = Busy::start();
    let id = next_id()?;
    let definition = define::define(schema, id, request.query)?;
    let compiled = stages::compile(&definition, &sql::storage(id))?;
    make_storage(&compiled, &users_value("SELECT current_user")?)?;
    our_text(&sql::user_view(name, &compiled.view, false), 0)?;
    for statement in sql::refuse_writes(name) {
        spi::catalog(&statement, &[])?;
    }
    bind(&definition, name)?;
    let search_path = search_path()?;
    let [columns, key] = visible(&compiled)?;
    spi::catalog(
        concat!(
            "INSERT INTO pgtrickle.stream_table (id, columns, key, layout, relid, definition, storage, query, status, \
             search_path) VALUES ($1::int, ",
            texts!("$2"),
            ", ",
            texts!("$3"),
            ", $4, $5::regclass, $6::regclass, $7::regclass, $8, $9, $10)"
        ),
        &[
            Some(&id.to_string()),
            Some(&columns),
            Some(&key),
            Some(&compiled.layout()),
            Some(name),
            Some(&definition),
            Some(&compiled.top()?.storage),
            Some(request.query),
            Some(if request.initialize { "ACTIVE" } else { "UNPOPULATED" }),
            Some(&search_path),
        ],
    )?;
    record_stages(id, name, &compiled)?;
    triggers::record_sources(id, &read(&compiled)?)?;
    let stages = stages::made(id, name, &search_path, compiled.stages);
    if request.initialize {
        fill(&stages)?;
        triggers::sync()?;
    }
    session::forget(id);
    spi::catalog(stages::ANNOUNCE, &[])?;
    announce_rebuild(name, &stages)
}

/// A number that no stream table has had.
pub fn next_id() -> Result<i32> {
    let id = spi::catalog_value("SELECT nextval('pgtrickle.stream_table_id_seq')", &[])?;
    id.and_then(|id| id.parse().ok())
        .ok_or_else(|| SqlError::internal("no number for the stream table"))
}

/// A statement of the core's, as a role (0 for the current user).
pub fn our_text(text: &str, role: u32) -> Result<()> {
    ffi::query(text, &[], plans::PARSING, role, None)?;
    Ok(())
}

/// Makes the storage tables, and gives them to their owner.
pub fn make_storage(compiled: &Compiled, owner: &str) -> Result<()> {
    for stage in &compiled.stages {
        for statement in &stage.ddl {
            our_text(statement, spi::SUPERUSER)?;
        }
        spi::catalog(&sql::give(&stage.storage, owner), &[])?;
    }
    Ok(())
}

/// Writes down the storage tables of the stages below the top, and makes them a part of the user's view.
pub fn record_stages(id: i32, view: &str, compiled: &Compiled) -> Result<()> {
    let below = compiled.stages.len().saturating_sub(1);
    for stage in &compiled.stages[..below] {
        spi::catalog(
            "INSERT INTO pgtrickle.stage (id, storage) VALUES ($1::int, $2::regclass)",
            &[Some(&id.to_string()), Some(&stage.storage)],
        )?;
        bind(&stage.storage, view)?;
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

/// Makes the definition view a part of the user's view: it goes with it, and in what PostgreSQL says about
/// dependencies the user's view stands for it.
pub fn bind(definition: &str, view: &str) -> Result<()> {
    spi::catalog(
        "INSERT INTO pg_depend (classid, objid, objsubid, refclassid, refobjid, refobjsubid, deptype) \
         VALUES ('pg_class'::regclass, $1::regclass, 0, 'pg_class'::regclass, $2::regclass, 0, 'i')",
        &[Some(definition), Some(view)],
    )?;
    Ok(())
}

/// Writes down what the compiler found, in place of what it found before: columns, key, layout, sources.
pub fn describe(id: i32, compiled: &Compiled) -> Result<()> {
    let id_text = id.to_string();
    let [columns, key] = visible(compiled)?;
    spi::catalog(
        concat!(
            "UPDATE pgtrickle.stream_table SET columns = ",
            texts!("$2"),
            ", key = ",
            texts!("$3"),
            ", layout = $4 WHERE id = $1::int"
        ),
        &[Some(&id_text), Some(&columns), Some(&key), Some(&compiled.layout())],
    )?;
    spi::catalog("DELETE FROM pgtrickle.source WHERE id = $1::int", &[Some(&id_text)])?;
    triggers::record_sources(id, &read(compiled)?)
}

/// The columns that users see, and the key among them, as JSON.
fn visible(compiled: &Compiled) -> Result<[String; 2]> {
    let columns: Vec<String> = compiled.columns.iter().map(|column| column.name.clone()).collect();
    let key = visible_key(compiled.top()?, &columns);
    Ok([columns, key].map(|names| Json::texts(&names).write()))
}

/// The tables that are read, stages below the top among them.
fn read(compiled: &Compiled) -> Result<Vec<u32>> {
    let top = compiled.top()?;
    let own = stages::own_storage(compiled)?;
    let mut relids: Vec<u32> = compiled.sources().iter().map(|source| source.relid).collect();
    // The top is read by nobody here.
    let below = own.iter().filter(|(known, _)| *known != top.relid);
    relids.extend(below.map(|(_, relid)| *relid));
    Ok(relids)
}

/// The key, where users see all of it.
fn visible_key(top: &Stage, columns: &[String]) -> Vec<String> {
    if top.key.iter().all(|name| columns.contains(name)) {
        top.key.clone()
    } else {
        Vec::new()
    }
}

fn announce_rebuild(name: &str, stages: &[Rc<Maintained>]) -> Result<()> {
    for maintained in stages.iter().filter(|maintained| maintained.stage.way == Way::Rebuild) {
        let reason = maintained
            .stage
            .reason
            .as_deref()
            .unwrap_or("its query is not covered yet");
        let what = if stages.len() > 1 {
            "a part of its query"
        } else {
            "its query"
        };
        ffi::notice(
            &format!("stream table {name} runs {what} again after every change: {reason}"),
            Some("It is exact, at the cost of the query for each statement that changes what it reads."),
        )?;
    }
    Ok(())
}

/// Fills the empty storage tables.
pub fn fill(stages: &[Rc<Maintained>]) -> Result<()> {
    for maintained in stages {
        maintained.run_once(&[maintained.stage.fill()])?;
    }
    Ok(())
}

/// From now on it is maintained.
pub fn activate(id: i32) -> Result<()> {
    spi::catalog(
        "UPDATE pgtrickle.stream_table SET status = 'ACTIVE' WHERE id = $1::int",
        &[Some(&id.to_string())],
    )?;
    triggers::sync()
}
