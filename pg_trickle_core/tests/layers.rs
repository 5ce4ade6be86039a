//! Who may use whom inside the core: a module only those that stand before it in [`ORDER`].

use std::fs;
use std::path::{Path, PathBuf};

/// The modules of the crate, lowest first. `lib.rs` stands above all of them.
const ORDER: [&str; 10] = [
    "error", "sorted", "plan", "node", "query", "catalog", "sql", "op", "stage", "lower",
];

fn source() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("src")
}

/// The files of a module, whether it is a file or a folder.
fn files(module: &str) -> Vec<PathBuf> {
    let file = source().join(module).with_extension("rs");
    let mut found: Vec<PathBuf> = file.is_file().then_some(file).into_iter().collect();
    let mut folders = vec![source().join(module)];
    while let Some(folder) = folders.pop() {
        for entry in fs::read_dir(folder).into_iter().flatten() {
            let path = entry.expect("an entry").path();
            if path.is_dir() {
                folders.push(path);
            } else {
                found.push(path);
            }
        }
    }
    found
}

/// The modules that a line of code names by `crate::`, also those of a `use crate::{..}`.
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
fn modules_use_lower_ones_only() {
    let mut wrong = Vec::new();
    for (place, module) in ORDER.iter().enumerate() {
        let files = files(module);
        assert!(!files.is_empty(), "there is no module {module}");
        for file in files {
            let text = fs::read_to_string(&file).expect("readable");
            for (number, line) in text.lines().enumerate() {
                for used in named(line) {
                    if !ORDER[..=place].contains(&used) {
                        let file = file.strip_prefix(source()).expect("inside").display();
                        wrong.push(format!("{file}:{}: {module} uses {used}", number + 1));
                    }
                }
            }
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

#[test]
fn every_module_has_its_place() {
    let lib = fs::read_to_string(source().join("lib.rs")).expect("readable");
    let declared: Vec<&str> = lib
        .lines()
        .filter_map(|line| line.trim_start_matches("pub ").strip_prefix("mod "))
        .filter_map(|rest| rest.strip_suffix(';'))
        .collect();
    for module in &declared {
        assert!(ORDER.contains(module), "{module} has no place in the order");
    }
    for module in ORDER {
        assert!(declared.contains(&module), "{module} is not declared");
    }
}

#[test]
fn names_are_found() {
    assert_eq!(named("use crate::query::{Expr, Var};"), ["query"]);
    assert_eq!(named("use crate::{op::Op, sql};"), ["op", "sql"]);
    assert_eq!(named("let a = crate::lower::stage(crate::plan::X);"), ["lower", "plan"]);
    assert!(named("//! as [`crate::lower`] does").is_empty());
}
