//! The SQL functions of the extension.

mod advance;
mod alter;
mod changes;
mod create;
pub mod drop;
mod explain;
mod export;
pub mod fallback;
mod find;
mod keep_changes;
mod memory;
mod print;
mod refresh;
pub mod replace;
mod restore;
mod upgrade;
mod verify;

use crate::edge::error::{Result, SqlError};
use crate::edge::{ffi, spi};
use crate::runtime::session::{self, Choice};
use crate::subscribe::{feed, outbox};

/// Runs a command: its name, then its arguments. Returns text, as JSON where it is more than a word; often an empty one.
pub fn run(args: &[Option<String>]) -> Result<String> {
    let args: Vec<Option<&str>> = args.iter().map(Option::as_deref).collect();
    match args.as_slice() {
        #[cfg(target_family = "wasm")]
        [Some("listen"), Some(function), Some(channel), ..] => done(outbox::listen(function, channel)),
        [Some("channel"), Some(id), ..] => find::readable(id).map(|_| outbox::channel()),
        [Some("tidy"), ..] => {
            must_be_idle("clean up after subscribers")?;
            done(feed::tidy())
        }
        [Some("open"), Some(id), Some(reader), ..] => {
            must_be_idle("subscribe to a stream table")?;
            let id = find::readable(id)?.id;
            fallback::fit(id)?;
            done(feed::open(id, reader))
        }
        [Some("close"), Some(reader), ..] => done(feed::close(reader)),
        // With what there is then, which the plugin returns: were that another statement, it could fail by itself.
        [
            Some(how @ ("create" | "create_json")),
            name,
            query,
            schedule,
            mode,
            initialize,
            exists,
            choices @ ..,
        ] => {
            let request = create::Request {
                name: required(*name, "name")?,
                query: required(*query, "query")?,
                schedule: *schedule,
                mode: *mode,
                initialize: *initialize != Some("false"),
                exists: match exists {
                    Some("skip") => create::Exists::Skip,
                    Some("replace") => create::Exists::Replace,
                    Some(_) | None => create::Exists::Fail,
                },
                windows: choices.first().copied().flatten(),
                pre_aggregate: choices.get(1).copied().flatten(),
            };
            described(&create::run(&request)?, *how == "create_json")
        }
        [Some(how @ ("alter" | "alter_json")), name, query, choices @ ..] => {
            let name = alter::run(
                required(*name, "name")?,
                required(*query, "query")?,
                choices.first().copied().flatten(),
                choices.get(1).copied().flatten(),
            )?;
            described(&name, *how == "alter_json")
        }
        [Some("drop"), name, cascade, ..] => done(drop::run(required(*name, "name")?, *cascade == Some("true"))),
        [Some("find"), name, ..] => {
            let found = find::stream_table(required(*name, "name")?)?;
            Ok(found.id.to_string())
        }
        [Some("readable"), name, ..] => {
            let found = find::stream_table(required(*name, "name")?)?;
            find::must_read(&found)?;
            Ok(found.id.to_string())
        }
        [Some("keep"), name, retain, max_age, ..] => keep_changes::run(required(*name, "name")?, *retain, *max_age),
        [Some("changes"), name, after, max, snapshot, ..] => changes::run(&changes::Request {
            name: required(*name, "name")?,
            after: *after,
            max: *max,
            snapshot: *snapshot == Some("true"),
        }),
        [Some("refresh"), name, ..] => refresh::run(required(*name, "name")?),
        [Some("memory"), ..] => memory::run(),
        [Some("memory_limit"), bytes, ..] => done(memory::limit(required(*bytes, "bytes")?)),
        [Some("restore"), ..] => done(restore::run()),
        [Some("upgrade"), ..] => done(upgrade::run()),
        [Some("advance"), Some("idle"), ..] if ffi::is_in_transaction() => done(Ok(())),
        [Some("advance"), ..] => advance::run(),
        [Some("verify"), name, ..] => verify::run(required(*name, "name")?),
        [Some("print"), view, ..] => print::run(required(*view, "view")?),
        [Some("export"), definition, storage, fallback, ..] => export::run(
            required(*definition, "definition")?,
            required(*storage, "storage")?,
            *fallback,
        ),
        [Some("explain"), name, ..] => explain::rows(required(*name, "name")?),
        [Some("explain_json"), name, ..] => explain::json(required(*name, "name")?),
        [Some("choose"), way, ..] => {
            session::choose(match way {
                Some("many") => Choice::Many,
                Some("whole") => Choice::Whole,
                Some("at once") => Choice::AtOnce,
                Some(_) | None => Choice::Cheapest,
            });
            done(Ok(()))
        }
        // For tests: the session is that of every role.
        [Some("panic"), Some(entry), ..] if ffi::current_user() == spi::SUPERUSER => {
            Ok(ffi::panic_at(spi::number(entry)?).to_string())
        }
        // A number would be taken for the address of a function.
        #[cfg(not(target_family = "wasm"))]
        [Some("listen"), ..] => outbox::must_be_open().map(|()| String::new()),
        _ => Err(SqlError::internal("an unknown command, or one with other arguments")),
    }
}

/// The row of a stream table in `stream_tables`, as JSON; nothing where that is not wanted.
fn described(name: &str, is_wanted: bool) -> Result<String> {
    if !is_wanted {
        return Ok(String::new());
    }
    let row = spi::catalog_value(
        "SELECT to_json(s)::text FROM pgtrickle.stream_tables s WHERE format('%I.%I', s.schema, s.name) = $1",
        &[Some(name)],
    )?;
    row.ok_or_else(|| SqlError::internal("a stream table that is not there"))
}

/// The result of a command that returns nothing.
fn done(result: Result<()>) -> Result<String> {
    result.map(|()| String::new())
}

fn required<'a>(argument: Option<&'a str>, name: &str) -> Result<&'a str> {
    argument
        .ok_or_else(|| SqlError::new("22004", format!("the argument {name} is NULL")).hint(format!("Give a {name}.")))
}

/// Fails inside a statement on a source and inside maintenance: half of a change would be seen.
fn must_be_idle(what: &str) -> Result<()> {
    if session::is_active() || session::is_busy() {
        return Err(SqlError::new(
            "55006",
            format!("cannot {what} inside a statement that changes what stream tables read, or inside one's query"),
        )
        .hint("Do it outside of triggers, and outside of functions that such a statement calls."));
    }
    Ok(())
}
