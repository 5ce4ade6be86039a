//! Who may use whom inside this crate: a room only those that stand before it in [`ORDER`].

use std::fs;
use std::path::{Path, PathBuf};

/// The rooms of the crate, lowest first. `lib.rs` stands above all of them.
const ORDER: [&str; 7] = ["text", "edge", "runtime", "schema", "subscribe", "commands", "events"];

fn source() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("src")
}

/// All files below a folder.
fn files(folder: &Path) -> Vec<PathBuf> {
    let mut found = Vec::new();
    for entry in fs::read_dir(folder).expect("a folder") {
        let path = entry.expect("an entry").path();
        if path.is_dir() {
            found.extend(files(&path));
        } else {
            found.push(path);
        }
    }
    found
}

/// The rooms that a line of code names by `crate::`, also those of a `use crate::{..}`.
fn named(line: &str) -> Vec<&str> {
    let code = line.split("//").next().unwrap_or_default();
    let mut names = Vec::new();
    for rest in code.split("crate::").skip(1) {
        let list = match rest.strip_prefix('{') {
            Some(group) => group.split(',').collect(),
            None => vec![rest],
        };
        for path in list {
            let path = path.trim_start();
            let end = path
                .find(|letter: char| !letter.is_ascii_alphanumeric() && letter != '_')
                .unwrap_or(path.len());
            names.push(&path[..end]);
        }
    }
    names.retain(|name| !name.is_empty());
    names
}

#[test]
fn rooms_use_lower_ones_only() {
    let mut wrong = Vec::new();
    for (place, room) in ORDER.iter().enumerate() {
        for file in files(&source().join(room)) {
            let text = fs::read_to_string(&file).expect("readable");
            for (number, line) in text.lines().enumerate() {
                for used in named(line) {
                    if !ORDER[..=place].contains(&used) {
                        let file = file.strip_prefix(source()).expect("inside").display();
                        wrong.push(format!("{file}:{}: {room} uses {used}", number + 1));
                    }
                }
            }
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

#[test]
fn every_file_is_in_a_room() {
    let mut found: Vec<String> = fs::read_dir(source())
        .expect("a folder")
        .map(|entry| entry.expect("an entry").file_name().to_string_lossy().into_owned())
        .collect();
    found.sort();
    let mut expected: Vec<&str> = ORDER.into_iter().chain(["lib.rs"]).collect();
    expected.sort_unstable();
    assert_eq!(found, expected);
}

/// Other ways of writing a path would pass by the rule: `super::super::events` from `edge/ffi`, or one on a later line.
#[test]
fn rooms_are_named_from_the_crate() {
    for room in ORDER {
        for file in files(&source().join(room)) {
            let text = fs::read_to_string(&file).expect("readable");
            for other in ["super::super", "use crate::{"] {
                assert!(!text.contains(other), "{}: {other}", file.display());
            }
        }
    }
}

#[test]
fn names_are_found() {
    assert_eq!(named("use crate::edge::error::{Result, SqlError};"), ["edge"]);
    assert_eq!(named("use crate::{text::names, edge};"), ["text", "edge"]);
    assert_eq!(named("let a = crate::events::ddl(crate::text::X);"), ["events", "text"]);
    assert!(named("//! as [`crate::events`] does").is_empty());
}
