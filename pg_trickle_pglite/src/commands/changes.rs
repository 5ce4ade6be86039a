//! `changes`: what a feed has kept, or the rows of its stream table with the number after which to go on.

use super::find::{self, Found};
use super::must_be_idle;
use crate::edge::error::{Result, SqlError};
use crate::edge::spi::{self, Values};
use crate::edge::{ffi, settings};
use crate::runtime::load;
use crate::runtime::session;
use crate::text::names::quoted;
use pg_trickle_core::explain::visible_key;
use pg_trickle_core::sql::literal::quote_literal;

/// What a reader asks for.
pub struct Request<'a> {
    /// The stream table.
    pub name: &'a str,
    /// The number of the last change that it knows.
    pub after: Option<&'a str>,
    /// How many changes it wants at most.
    pub max: Option<&'a str>,
    /// It wants all rows first.
    pub snapshot: bool,
}

/// SQLSTATE of a feed that does not lead from where a reader is to where the stream table is.
const NOT_KEPT: &str = "72T01";

/// The feed of a stream table.
struct Feed {
    /// The number before its first change.
    start: i64,
    /// The last number that is no longer kept.
    gone: i64,
    /// The last number.
    last: i64,
}

/// The changes as a JSON array of objects.
pub fn run(request: &Request) -> Result<String> {
    let found = find::stream_table(request.name)?;
    find::must_read(&found)?;
    let answer = if request.snapshot {
        snapshot(&found, request)
    } else {
        changes(&found, request)
    };
    answer.map_err(|error| error.about(&found.name))
}

fn feed(found: &Found) -> Result<Feed> {
    let row = spi::catalog(
        "SELECT start, gone, last FROM pgtrickle.feed WHERE id = $1::int AND retain IS DISTINCT FROM 0",
        &[Some(&found.id.to_string())],
    )?
    .pop()
    .ok_or_else(|| {
        SqlError::new(
            "55000",
            format!("the changes of stream table {} are not kept", found.name),
        )
        .hint(format!(
            "Run SELECT pgtrickle.keep_changes({}) once: from then on they are.",
            quote_literal(&found.name)
        ))
    })?;
    let mut values = Values::of(row);
    Ok(Feed {
        start: values.number()?,
        gone: values.number()?,
        last: values.number()?,
    })
}

fn changes(found: &Found, request: &Request) -> Result<String> {
    let feed = feed(found)?;
    let after: Option<i64> = request.after.map(spi::number).transpose()?;
    if request.max.is_some_and(|max| max.starts_with('-')) {
        return Err(SqlError::new("22023", "the number of changes is negative").hint("Give at most how many you want."));
    }
    let lost = match after {
        Some(after) if after > feed.last => format!("has no change {after}: the last one is {}", feed.last),
        // Who has read nothing has missed nothing.
        Some(after) if after < feed.gone && !(after == 0 && feed.gone == feed.start) => {
            format!(
                "keeps no changes after {after}: the first that it keeps is {}",
                feed.gone + 1
            )
        }
        Some(_) | None => String::new(),
    };
    if !lost.is_empty() {
        return Err(
            SqlError::new(NOT_KEPT, format!("the feed of stream table {} {lost}", found.name)).hint(format!(
                "Read the stream table again, then go on after {}: SELECT * FROM pgtrickle.changes({}, snapshot => true) \
                 gives its rows and this number.",
                feed.last,
                quote_literal(&found.name)
            )),
        );
    }
    let rows = spi::catalog_value(
        "SELECT json_agg(c) FROM (SELECT c.seq, c.tx, c.at, c.op, c.key, c.old, c.row FROM pgtrickle.change c \
         WHERE c.id = $1::int AND c.seq > $2::bigint ORDER BY c.seq LIMIT $3::bigint) c",
        &[
            Some(&found.id.to_string()),
            Some(&after.unwrap_or(0).max(feed.gone).to_string()),
            request.max,
        ],
    )?;
    Ok(rows.unwrap_or_else(|| "[]".to_owned()))
}

fn snapshot(found: &Found, request: &Request) -> Result<String> {
    must_be_idle("read a snapshot of a stream table")?;
    if request.after.is_some() || request.max.is_some() {
        return Err(
            SqlError::new("22023", "a snapshot goes neither with after nor with max")
                .hint("Take the snapshot, then ask for the changes after its number."),
        );
    }
    let feed = feed(found)?;
    if session::has_kept(found.id) {
        return Err(SqlError::new(
            "25001",
            format!(
                "this transaction has changed stream table {}, and changes get their numbers at its end",
                found.name
            ),
        )
        .hint("Commit it, and then read the snapshot."));
    }
    let table = load::load(found.id)?;
    let mut key = String::from("NULL::pg_catalog.jsonb");
    if let Some(top) = table.stages.last() {
        let columns: Vec<String> = visible_key(&top.stage, &table.columns)
            .iter()
            .map(|name| format!("{}, __pgt_row.{}", quote_literal(name), quoted(name)))
            .collect();
        if !columns.is_empty() {
            key = format!("pg_catalog.jsonb_build_object({})", columns.join(", "));
        }
    }
    // As the user, whose rights the functions of the view run with.
    let text = format!(
        "SELECT pg_catalog.json_agg(pg_catalog.json_build_object('seq', {0}, 'op', 'insert', 'key', {key}, \
         'row', pg_catalog.to_jsonb(__pgt_row))), pg_catalog.to_json(pg_catalog.statement_timestamp()) FROM {1} AS __pgt_row",
        feed.last, found.name
    );
    let row = ffi::query(&text, &[], &settings::READING, 0, None)?
        .pop()
        .unwrap_or_default();
    let mut values = Values::of(row);
    let rows = values.optional().unwrap_or_default();
    let at = values.text()?;
    let begin = format!("[{{\"seq\":{},\"at\":{at},\"op\":\"snapshot\"}}", feed.last);
    Ok(match rows.strip_prefix('[') {
        Some(rows) => format!("{begin},{rows}"),
        None => format!("{begin}]"),
    })
}
