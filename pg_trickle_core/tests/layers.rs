//! Who may use whom in the core: a module may use only those before it in [`ORDER`], and no file may use itself by way
//! of others.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::{Path, PathBuf};

/// The modules of the crate, lowest first. `lib.rs` is above all of them.
const ORDER: [&str; 17] = [
    "json",
    "error",
    "sorted",
    "plan",
    "oids",
    "node",
    "query",
    "catalog",
    "answers",
    "sql",
    "facts",
    "maintain",
    "stages",
    "rewrite",
    "operators",
    "planner",
    "explain",
];

/// The operators, lowest first. An operator may plan its stage by one before it.
const OPERATORS: [&str; 11] = [
    "full_refresh",
    "constant",
    "linear",
    "temporal",
    "partitioned",
    "aggregate",
    "distinct",
    "outer",
    "set_operation",
    "limit",
    "recursion",
];

/// Modules whose files may use each other, because what they handle is recursive: expressions hold queries, queries
/// hold expressions, and each has a file of its own.
const RECURSIVE: [&str; 2] = ["query", "sql"];

/// A module path, such as `operators::linear::scan`; the crate's root is empty.
type Module = String;

fn source() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("src")
}

/// All source files, by module.
fn files() -> BTreeMap<Module, PathBuf> {
    let mut found = BTreeMap::new();
    let mut folders = vec![source()];
    while let Some(folder) = folders.pop() {
        for entry in fs::read_dir(folder).expect("a folder") {
            let path = entry.expect("an entry").path();
            if path.is_dir() {
                folders.push(path);
            } else {
                found.insert(module_of(&path), path);
            }
        }
    }
    found
}

fn module_of(path: &Path) -> Module {
    let relative = path.strip_prefix(source()).expect("inside").with_extension("");
    let mut parts: Vec<&str> = relative.iter().map(|part| part.to_str().expect("UTF-8")).collect();
    if matches!(parts.last(), Some(&("mod" | "lib"))) {
        parts.pop();
    }
    parts.join("::")
}

/// The text without comments, and without the tests at the end of a file.
fn code(text: &str) -> String {
    let text = text.split("#[cfg(test)]").next().unwrap_or_default();
    let lines = text.lines().map(|line| line.split("//").next().unwrap_or_default());
    lines.collect::<Vec<_>>().join("\n")
}

/// The paths that start with a word such as `crate::`, with groups in braces expanded.
fn paths(code: &str, word: &str) -> Vec<String> {
    let mut found = Vec::new();
    for (at, _) in code.match_indices(word) {
        let before = code[..at].chars().next_back();
        if before.is_some_and(|letter| letter.is_alphanumeric() || letter == '_' || letter == ':') {
            continue;
        }
        expand(&code[at + word.len()..], "", &mut found);
    }
    found
}

/// One path after `crate::`, and the text that follows it.
fn expand<'t>(text: &'t str, prefix: &str, found: &mut Vec<String>) -> &'t str {
    let text = text.trim_start();
    if let Some(mut rest) = text.strip_prefix('{') {
        loop {
            rest = expand(rest, prefix, found).trim_start();
            match rest.strip_prefix(',') {
                Some(next) if !next.trim_start().starts_with('}') => rest = next,
                Some(next) => return next.trim_start().strip_prefix('}').unwrap_or(next),
                None => return rest.strip_prefix('}').unwrap_or(rest),
            }
        }
    }
    let end = text
        .find(|letter: char| !letter.is_ascii_alphanumeric() && letter != '_')
        .unwrap_or(text.len());
    let path = if prefix.is_empty() {
        text[..end].to_owned()
    } else {
        format!("{prefix}::{}", &text[..end])
    };
    let rest = &text[end..];
    match rest.strip_prefix("::") {
        Some(next) => expand(next, &path, found),
        None => {
            found.push(path);
            rest
        }
    }
}

/// The modules that a module uses.
fn used(module: &str, code: &str, all: &BTreeMap<Module, PathBuf>) -> BTreeSet<Module> {
    let parent = |module: &str| module.rsplit_once("::").map_or("", |(parent, _)| parent).to_owned();
    let inside = |base: &str, path: &str| {
        if base.is_empty() {
            path.to_owned()
        } else {
            format!("{base}::{path}")
        }
    };
    let mut named: Vec<String> = paths(code, "crate::");
    named.extend(paths(code, "self::").iter().map(|path| inside(module, path)));
    for path in paths(code, "super::") {
        let mut base = parent(module);
        let mut rest = path.as_str();
        while let Some(next) = rest.strip_prefix("super::") {
            base = parent(&base);
            rest = next;
        }
        named.push(inside(&base, rest));
    }
    let children = all.keys().filter(|other| parent(other) == module && !other.is_empty());
    for child in children {
        let name = child.rsplit("::").next().expect("a name");
        named.extend(paths(code, &format!("{name}::")).iter().map(|path| inside(child, path)));
    }
    named
        .into_iter()
        .filter_map(|mut path| {
            while !all.contains_key(&path) {
                path = path.rsplit_once("::")?.0.to_owned();
            }
            Some(path)
        })
        .filter(|path| path != module && !path.is_empty())
        .collect()
}

/// The modules that each module uses.
fn graph() -> BTreeMap<Module, BTreeSet<Module>> {
    let all = files();
    all.iter()
        .map(|(module, path)| {
            let text = fs::read_to_string(path).expect("readable");
            (module.clone(), used(module, &code(&text), &all))
        })
        .collect()
}

fn is_in(module: &str, folder: &str) -> bool {
    module == folder || module.strip_prefix(folder).is_some_and(|rest| rest.starts_with("::"))
}

/// Uses of a module that does not come first in the order.
fn upward(order: &[&str], base: &str) -> Vec<String> {
    let place = |module: &str| {
        let module = module.strip_prefix(base)?;
        order.iter().position(|own| is_in(module, own))
    };
    let mut wrong = Vec::new();
    for (module, uses) in graph() {
        for used in uses {
            if let (Some(own), Some(other)) = (place(&module), place(&used))
                && other > own
            {
                wrong.push(format!("{module} uses {used}"));
            }
        }
    }
    wrong
}

#[test]
fn modules_use_lower_ones_only() {
    let wrong = upward(&ORDER, "");
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

#[test]
fn operators_use_lower_ones_only() {
    let wrong = upward(&OPERATORS, "operators::");
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

#[test]
fn no_file_uses_itself_by_way_of_others() {
    let graph = graph();
    let mut circles = BTreeSet::new();
    for start in graph.keys() {
        let mut seen = BTreeSet::new();
        let mut open = vec![start];
        while let Some(module) = open.pop() {
            for next in &graph[module] {
                if seen.insert(next) {
                    open.push(next);
                }
            }
        }
        if seen.contains(start) && !RECURSIVE.iter().any(|folder| is_in(start, folder)) {
            circles.insert(start.as_str());
        }
    }
    assert!(circles.is_empty(), "in circles: {circles:?}");
}

#[test]
fn every_file_is_a_module_and_has_its_place() {
    let all = files();
    for module in all.keys().filter(|module| !module.is_empty()) {
        let (parent, name) = module.rsplit_once("::").unwrap_or(("", module));
        let text = fs::read_to_string(&all[parent]).expect("readable");
        let declared = text.lines().any(|line| {
            let line = line.trim_start_matches("pub ").trim_start_matches("pub(super) ");
            line.strip_prefix("mod ").and_then(|rest| rest.strip_suffix(';')) == Some(name)
        });
        assert!(declared, "no `mod` line names {module}");
    }
    for (order, base) in [(&ORDER[..], ""), (&OPERATORS[..], "operators::")] {
        let tops: BTreeSet<&str> = all
            .keys()
            .filter_map(|module| module.strip_prefix(base))
            .filter_map(|module| module.split("::").next())
            .filter(|module| !module.is_empty())
            .collect();
        assert_eq!(
            tops,
            order.iter().copied().collect(),
            "the modules, and those in the order"
        );
    }
}

#[test]
fn paths_are_found() {
    assert_eq!(
        paths("use crate::query::{Expr, read::{a, b}};", "crate::"),
        ["query::Expr", "query::read::a", "query::read::b"]
    );
    assert_eq!(
        paths("f(crate::plan::X, crate::sql::print(1))", "crate::"),
        ["plan::X", "sql::print"]
    );
    assert_eq!(paths("use super::super::bag;", "super::"), ["super::bag"]);
    assert_eq!(code("let a = 1; // crate::planner"), "let a = 1; ");
}
