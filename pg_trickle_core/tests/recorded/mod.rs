//! The catalog of the servers that the fixtures come from, as recorded by `tests/fixtures/generate.mjs`.

use std::fmt::Write;
use std::fs;

use pg_trickle_core::answers::recorded::Recorded;

use crate::trees::{tests, tree};

/// The catalog of one server.
pub fn catalog(version: &str) -> Recorded {
    Recorded::read(&answers(version))
}

/// The catalog of one server, had it handed out the OIDs of the users' objects in the opposite order.
pub fn reversed_catalog(version: &str) -> Recorded {
    Recorded::read(&with_reversed_oids(&answers(version)))
}

/// The answers in `tests/fixtures/catalog-*.tsv`, and the trees of the views, which are files of their own.
fn answers(version: &str) -> String {
    let file = tests().join(format!("fixtures/catalog-{version}.tsv"));
    let mut text = fs::read_to_string(file).expect("readable");
    let mut views = String::new();
    for line in text.lines() {
        if let ["relation", oid, _, view, "v", ..] = line.split('\t').collect::<Vec<_>>()[..] {
            let tree = tree(version, view).expect("the tree of a view");
            let tree = tree.trim_end().replace('\\', "\\\\");
            write!(views, "view\t{oid}\t{tree}\nforeign\t{oid}\tf\n").expect("written");
        }
    }
    text.push_str(&views);
    text
}

/// The first OID of the users' objects, and one after the last.
const USERS: std::ops::Range<u32> = 16384..32768;

/// The text with the OIDs of users' objects in the opposite order. Nothing but the options of a window's frame is another
/// number of this size.
pub fn with_reversed_oids(text: &str) -> String {
    let is_other = |letter: char| !letter.is_ascii_alphanumeric();
    let mut before = "";
    let mut reversed = String::new();
    for piece in text.split_inclusive(is_other) {
        let word = piece.trim_end_matches(is_other);
        match word.parse() {
            Ok(oid) if USERS.contains(&oid) && before != "frameOptions" => {
                reversed.push_str(&(USERS.end - 1 - (oid - USERS.start)).to_string());
                reversed.push_str(&piece[word.len()..]);
            }
            _ => reversed.push_str(piece),
        }
        before = word;
    }
    reversed
}
