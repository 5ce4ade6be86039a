//! The SQL functions of the extension.

mod alter;
mod create;
mod define;
mod drop;
mod explain;
mod find;
mod print;
mod refresh;
pub mod replace;
mod restore;
mod verify;
mod view;

use crate::error::{Result, SqlError};
use crate::push;
use crate::session;

/// Runs a command: its name, then its arguments. What it answers is text, JSON where it is more than a word.
pub fn run(args: &[Option<String>]) -> Result<Option<String>> {
    let args: Vec<Option<&str>> = args.iter().map(Option::as_deref).collect();
    match args.as_slice() {
        [Some("row"), row, key] => push::row(row.unwrap_or_default(), key.unwrap_or_default()).map(|()| None),
        [Some("listen"), Some(function), Some(channel)] => Ok(Some(push::listen(function, channel))),
        [Some("tidy")] => push::tidy().map(|()| None),
        [Some("open"), Some(id), Some(reader)] => {
            must_be_idle("subscribe to a stream table")?;
            push::open(id, reader).map(|()| None)
        }
        [Some("close"), Some(reader)] => push::close(reader).map(|()| None),
        [Some("create"), name, query, schedule, mode, initialize, exists] => {
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
            };
            create::run(&request).map(|()| None)
        }
        [Some("alter"), name, query] => alter::run(required(*name, "name")?, required(*query, "query")?).map(|()| None),
        [Some("drop"), name, cascade] => drop::run(required(*name, "name")?, *cascade == Some("true")).map(|()| None),
        [Some("find"), name] => {
            let found = find::stream_table(required(*name, "name")?)?;
            Ok(Some(found.id.to_string()))
        }
        [Some("readable"), name] => {
            let found = find::stream_table(required(*name, "name")?)?;
            find::must_read(&found)?;
            Ok(Some(found.id.to_string()))
        }
        [Some("refresh"), name] => refresh::run(required(*name, "name")?).map(Some),
        [Some("restore")] => restore::run().map(|()| None),
        [Some("verify"), name] => verify::run(required(*name, "name")?).map(Some),
        [Some("print"), view] => print::run(required(*view, "view")?).map(Some),
        [Some("explain"), name] => explain::rows(required(*name, "name")?).map(Some),
        [Some("explain_json"), name] => explain::json(required(*name, "name")?).map(Some),
        _ => Err(SqlError::internal("an unknown command, or one with other arguments")),
    }
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
        .hint("Do it outside of triggers and of functions that such a statement calls."));
    }
    Ok(())
}
