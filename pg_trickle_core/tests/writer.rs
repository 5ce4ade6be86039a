//! Writes the fixtures of the reader: the text of every view must be the same for the trees of both servers.
//!
//! `tests/writer/printed.sql` holds the texts; `UPDATE_GOLDEN=1` rewrites them. `ts/tests/roundtrip.test.ts` tests that
//! PostgreSQL's analysis makes the same trees of them.

mod recorded;

use std::fmt::Write as _;
use std::fs;

use pg_trickle_core::print_query;
use recorded::{Recorded, fixtures, tests};

/// All views of one server, as text.
fn printed(version: &str) -> String {
    let catalog = Recorded::of(version);
    let mut text = String::new();
    for (name, tree) in fixtures(version) {
        match print_query(&tree, &catalog) {
            Ok(sql) => writeln!(text, "-- {name}\n{sql};\n").expect("written"),
            Err(error) => panic!("{version}/{name}: {error}"),
        }
    }
    text
}

#[test]
fn both_servers_give_the_same_text() {
    for (seventeen, eighteen) in printed("17").lines().zip(printed("18").lines()) {
        assert_eq!(seventeen, eighteen);
    }
}

#[test]
fn the_text_is_the_known_one() {
    let file = tests().join("writer/printed.sql");
    let text = printed("18");
    if std::env::var_os("UPDATE_GOLDEN").is_some() {
        fs::write(&file, &text).expect("written");
    }
    let known = fs::read_to_string(&file).unwrap_or_default();
    for (known, line) in known.lines().zip(text.lines()) {
        assert_eq!(known, line);
    }
    assert_eq!(known.len(), text.len());
}
