//! The feeds: changes of stream tables in a table, for readers that ask for them with `pgtrickle.changes()`.
//!
//! What a statement changes in a stream table whose changes are kept is noted as documents. When the transaction is about to
//! commit, after everything that could change more, what is left of it is written. A rollback takes it away, and changes
//! have numbers in the order in which transactions commit.

use super::feed::all_rows;
use crate::edge::error::{Result, SqlError};
use crate::edge::ffi::{Delta, Steps};
use crate::edge::spi::{self, Values};
use crate::runtime::load;
use crate::runtime::session::{self, NotedRow};
use crate::runtime::stream_table::StreamTable;
use pg_trickle_core::json::Json;
use std::cell::Cell;

/// How many bytes of changes are written by one statement.
const PORTION: usize = 1 << 20;

/// How many changes that are no longer kept are deleted at once.
const TOGETHER: i64 = 100;

/// The longest payload of a notification.
const LONGEST_PAYLOAD: usize = 7999;

thread_local! {
    /// The extension may have been dropped in this transaction.
    static MAY_BE_GONE: Cell<bool> = const { Cell::new(false) };
}

/// How all rows of a stream table are read.
#[derive(Clone, Copy, PartialEq, Eq)]
pub enum Reading {
    /// From its storage, with keys that users may not see.
    Storage,
    /// Through its view, because the storage is of another version.
    View,
}

/// Notes what a statement added to a stream table whose changes are kept, or removed.
pub fn note(table: &StreamTable, is_added: bool, steps: &Steps, deltas: &[Delta]) -> Result<()> {
    let Some(top) = table.stages.last() else {
        return Ok(());
    };
    let (id, weight) = (table.id, if is_added { 1 } else { -1 });
    top.each_document(steps, deltas, !deltas.is_empty(), move |row| {
        let mut values = row.into_iter().map(Option::unwrap_or_default);
        session::keep(NotedRow {
            id,
            row: values.next().unwrap_or_default(),
            key: values.next().unwrap_or_default(),
            weight,
        });
    })
}

/// Notes all rows as removed, because their storage or their columns are replaced, if changes are kept. What they become is
/// read in the same way.
pub fn leave(table: &StreamTable) -> Result<Option<Reading>> {
    if table.change_documents.is_none() {
        return Ok(None);
    }
    let how = if table.fits() { Reading::Storage } else { Reading::View };
    note_all(table, how, false)?;
    Ok(Some(how))
}

/// Notes all rows as added.
pub fn enter(table: &StreamTable, how: Reading) -> Result<()> {
    note_all(table, how, true)
}

fn note_all(table: &StreamTable, how: Reading, is_added: bool) -> Result<()> {
    let Some(documents) = &table.change_documents else {
        return Ok(());
    };
    let steps = match how {
        Reading::Storage => all_rows(table, documents),
        Reading::View => {
            let text = format!(
                "SELECT d.row::pg_catalog.text, (SELECT pg_catalog.jsonb_object_agg(k, d.row OPERATOR(pg_catalog.->) k) \
                 FROM pg_catalog.unnest((SELECT key FROM pgtrickle.stream_table WHERE id = {})) k)::pg_catalog.text \
                 FROM (SELECT pg_catalog.to_jsonb(__pgt_row) FROM {} AS __pgt_row) AS d(row)",
                table.id, table.name
            );
            Steps::new([(text.as_str(), false)].into_iter())
        }
    };
    note(table, is_added, &steps, &[])
}

/// Lets a feed start here: what the transaction has changed before is not part of it.
pub fn start(id: i32) {
    session::keep(NotedRow {
        id,
        key: String::new(),
        row: String::new(),
        weight: 0,
    });
}

/// The extension may be dropped, and its tables with it.
pub fn may_be_gone() {
    MAY_BE_GONE.set(true);
}

/// A stream table was dropped. Its numbers are not given again, so that a reader cannot take another feed for this one.
pub fn dropped(id: &str) -> Result<()> {
    let had_one = spi::catalog(
        "WITH gone AS (DELETE FROM pgtrickle.feed WHERE id = $1::int RETURNING last) \
         INSERT INTO pgtrickle.feed (id, retain, start, gone, trimmed, last) \
         SELECT 0, 0, last, last, last, last FROM gone \
         ON CONFLICT (id) DO UPDATE SET last = greatest(feed.last, excluded.last) RETURNING id",
        &[Some(id)],
    )?;
    if !had_one.is_empty() {
        spi::catalog("DELETE FROM pgtrickle.change WHERE id = $1::int", &[Some(id)])?;
    }
    Ok(())
}

/// What has happened to a row in a transaction.
#[derive(Debug, PartialEq, Eq)]
struct Change {
    id: i32,
    key: String,
    old: Option<String>,
    row: Option<String>,
}

impl Change {
    /// As an element of a JSON array. The texts are JSON, but for the key of a row that users do not see.
    fn write(&self, out: &mut String) {
        let op = match (&self.old, &self.row) {
            (None, _) => "[\"insert\",",
            (_, None) => "[\"delete\",",
            _ => "[\"update\",",
        };
        out.push_str(op);
        let key = self.key.starts_with('{').then_some(&self.key);
        for (text, end) in [(key, ','), (self.old.as_ref(), ','), (self.row.as_ref(), ']')] {
            out.push_str(text.map_or("null", String::as_str));
            out.push(end);
        }
    }
}

/// Writes what the transaction has changed. Call it when nothing can change any more.
pub fn write() -> Result<()> {
    let noted = session::take_kept();
    if noted.is_empty() {
        return Ok(());
    }
    if MAY_BE_GONE.replace(false) && spi::catalog_value("SELECT to_regclass($1)", &[Some("pgtrickle.feed")])?.is_none()
    {
        return Ok(());
    }
    let mut told = Vec::new();
    for changes in net(noted).chunk_by(|a, b| a.id == b.id) {
        told.extend(append(changes)?);
    }
    payloads(told).iter().try_for_each(|payload| {
        let notify = "SELECT pg_notify('pgtrickle', $1)";
        spi::catalog(notify, &[Some(payload)]).map(|_| ())
    })
}

/// Writes the changes of one stream table. Its name, and the number of the last one; nothing if they are not kept any more.
fn append(changes: &[Change]) -> Result<Option<(String, i64)>> {
    let Some(change) = changes.first() else { return Ok(None) };
    let id = change.id.to_string();
    let key = Some(id.as_str());
    let row = spi::catalog(
        "UPDATE pgtrickle.feed SET last = last + $2::bigint, gone = greatest(gone, last + $2::bigint - retain) \
         WHERE id = $1::int AND retain IS DISTINCT FROM 0 RETURNING last, gone, trimmed, max_age IS NOT NULL",
        &[key, Some(&changes.len().to_string())],
    )?
    .pop();
    let Some(row) = row else { return Ok(None) };
    let mut values = Values::of(row);
    let (last, mut gone, trimmed): (i64, i64, i64) = (values.number()?, values.number()?, values.number()?);
    let count = i64::try_from(changes.len()).map_err(SqlError::internal)?;
    let (mut from, mut to) = (last - count, last - count);
    let mut portion = String::new();
    for change in changes {
        portion.push(if portion.is_empty() { '[' } else { ',' });
        change.write(&mut portion);
        to += 1;
        if portion.len() < PORTION && to < last {
            continue;
        }
        portion.push(']');
        spi::catalog(
            "INSERT INTO pgtrickle.change (id, seq, tx, at, op, key, old, \"row\") \
             SELECT $1::int, $2::bigint + e.n, pg_current_xact_id()::text::bigint, statement_timestamp(), e.v ->> 0, \
             nullif(e.v -> 1, 'null'), nullif(e.v -> 2, 'null'), nullif(e.v -> 3, 'null') \
             FROM jsonb_array_elements($3::jsonb) WITH ORDINALITY AS e(v, n)",
            &[key, Some(&from.to_string()), Some(&portion)],
        )?;
        from = to;
        portion.clear();
    }
    if values.boolean()? {
        let aged = spi::catalog_number(
            "UPDATE pgtrickle.feed f SET gone = greatest(f.gone, (SELECT c.seq - 1 FROM pgtrickle.change c WHERE c.id = f.id \
             AND c.seq > f.gone AND c.at >= statement_timestamp() - f.max_age ORDER BY c.seq LIMIT 1)) \
             WHERE f.id = $1::int RETURNING f.gone",
            &[key],
        )?;
        gone = aged.unwrap_or(gone);
    }
    if gone - trimmed >= TOGETHER {
        trim(key, trimmed, gone)?;
    }
    Ok(Some((load::load(change.id)?.name.clone(), last)))
}

/// Deletes what is no longer kept, between two numbers.
fn trim(id: Option<&str>, from: i64, to: i64) -> Result<()> {
    spi::catalog(
        "DELETE FROM pgtrickle.change WHERE id = $1::int AND seq > $2::bigint AND seq <= $3::bigint",
        &[id, Some(&from.to_string()), Some(&to.to_string())],
    )?;
    spi::catalog("UPDATE pgtrickle.feed SET trimmed = gone WHERE id = $1::int", &[id])?;
    Ok(())
}

/// What is left of all changes of a transaction, by stream table: a row that was removed and added again has not changed,
/// and a row that has a key and comes back with other values is updated. What is removed comes first, so that a reader
/// never has two rows with equal values that it holds to be unique.
fn net(noted: Vec<NotedRow>) -> Vec<Change> {
    let mut rows: Vec<(NotedRow, usize)> = Vec::new();
    for (place, row) in noted.into_iter().enumerate() {
        if row.weight == 0 {
            rows.retain(|(before, _)| before.id != row.id);
        } else {
            rows.push((row, place));
        }
    }
    rows.sort_unstable();
    // By key and row, with the sum of the weights.
    rows.dedup_by(|(next, place), (row, first)| {
        let is_same = (next.id, &next.key, &next.row) == (row.id, &row.key, &row.row);
        if is_same {
            row.weight += next.weight;
            *first = (*first).min(*place);
        }
        is_same
    });
    rows.retain(|(row, _)| row.weight != 0);
    let mut changes = Vec::new();
    for of_key in rows.chunk_by_mut(|(a, _), (b, _)| a.id == b.id && a.key == b.key) {
        if let [(one, at), (other, or)] = of_key
            && !one.key.is_empty()
            && one.weight * other.weight == -1
        {
            let (old, new) = if one.weight < 0 { (one, other) } else { (other, one) };
            let [old, row] = [&mut old.row, &mut new.row].map(|text| Some(std::mem::take(text)));
            let key = std::mem::take(&mut new.key);
            changes.push((
                *at.max(or),
                Change {
                    id: new.id,
                    key,
                    old,
                    row,
                },
            ));
            continue;
        }
        for (row, place) in of_key {
            for _ in 0..row.weight.abs() {
                let text = Some(row.row.clone());
                let (old, new) = if row.weight < 0 { (text, None) } else { (None, text) };
                let key = row.key.clone();
                changes.push((
                    *place,
                    Change {
                        id: row.id,
                        key,
                        old,
                        row: new,
                    },
                ));
            }
        }
    }
    changes.sort_by_key(|(place, change)| (change.id, change.row.is_some(), *place));
    changes.into_iter().map(|(_, change)| change).collect()
}

/// The payloads of notifications: an object of names and last numbers. Normally there is one.
fn payloads(told: Vec<(String, i64)>) -> Vec<String> {
    let mut payloads: Vec<String> = Vec::new();
    for (name, last) in told {
        let member = format!("{}:{last}", Json::Text(name).write());
        match payloads.last_mut() {
            Some(payload) if payload.len() + member.len() < LONGEST_PAYLOAD => {
                payload.pop();
                payload.push(',');
                payload.push_str(&member);
                payload.push('}');
            }
            Some(_) | None => payloads.push(format!("{{{member}}}")),
        }
    }
    payloads
}

#[cfg(test)]
mod tests {
    use super::*;

    fn noted(id: i32, key: &str, row: &str, weight: i64) -> NotedRow {
        NotedRow {
            id,
            key: key.to_owned(),
            row: row.to_owned(),
            weight,
        }
    }

    fn written(rows: Vec<NotedRow>) -> String {
        let mut out = String::new();
        net(rows).iter().for_each(|change| change.write(&mut out));
        out
    }

    #[test]
    fn only_net_changes_are_written() {
        let there_and_back = vec![
            noted(1, "{}", "1", -1),
            noted(1, "{}", "2", 1),
            noted(1, "{}", "2", -1),
            noted(1, "{}", "1", 1),
        ];
        assert_eq!(written(there_and_back), "");
        let updated = vec![
            noted(1, "{}", "1", -1),
            noted(1, "{}", "2", 1),
            noted(1, "{}", "2", -1),
            noted(1, "{}", "3", 1),
        ];
        assert_eq!(written(updated), "[\"update\",{},1,3]");
        let hidden_key = vec![noted(1, "(1)", "2", 1), noted(1, "(1)", "1", -1)];
        assert_eq!(written(hidden_key), "[\"update\",null,1,2]");
        let without_key = vec![noted(1, "", "1", 1), noted(1, "", "2", -1), noted(1, "", "1", 1)];
        assert_eq!(
            written(without_key),
            "[\"delete\",null,2,null][\"insert\",null,null,1][\"insert\",null,null,1]"
        );
    }

    #[test]
    fn stream_tables_stay_apart_and_removed_rows_come_first() {
        let rows = vec![
            noted(2, "{}", "9", 1),
            noted(1, "{9}", "5", 1),
            noted(1, "{10}", "6", 1),
            noted(1, "{7}", "7", -1),
        ];
        assert_eq!(
            written(rows),
            "[\"delete\",{7},7,null][\"insert\",{9},null,5][\"insert\",{10},null,6][\"insert\",{},null,9]"
        );
    }

    #[test]
    fn a_feed_starts_where_it_is_told_to() {
        let rows = vec![
            noted(1, "", "1", 1),
            noted(2, "", "2", 1),
            noted(1, "", "", 0),
            noted(1, "", "3", 1),
        ];
        assert_eq!(written(rows), "[\"insert\",null,null,3][\"insert\",null,null,2]");
    }

    #[test]
    fn a_payload_that_is_too_long_becomes_several() {
        assert_eq!(
            payloads(vec![("a.b".to_owned(), 1), ("c".to_owned(), 2)]),
            ["{\"a.b\":1,\"c\":2}"]
        );
        let many = payloads((0..1000).map(|n| (format!("public.stream_table_{n}"), n)).collect());
        assert!(many.len() > 1 && many.iter().all(|payload| payload.len() <= LONGEST_PAYLOAD));
    }
}
