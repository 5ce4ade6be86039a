//! Compiles every fixture and compares everything that results with `tests/golden`: the plan, the storage, and the SQL
//! for each set of changes. `UPDATE_GOLDEN=1` rewrites the files; read the diff.
//!
//! The trees of both servers must give the same bytes, and so must a catalog whose OIDs have another order. A program that
//! resembles an earlier one of its stage refers to lines of that one, counted as if all of them were there. `ts/tests`
//! tests what the SQL does.

#[path = "compile_golden/layout.rs"]
mod layout;
mod recorded;
mod trees;

use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write as _;
use std::fs;
use std::path::PathBuf;
use std::thread;

use layout::broken;
use pg_trickle_core::catalog::Catalog;
use pg_trickle_core::error::Error;
use pg_trickle_core::json::Json;
use pg_trickle_core::plan::{Change, MOST, PreAggregate, Program, Source, Statement, Way};
use pg_trickle_core::{Input, Plan, Stage, compile, explain, print_query};
use recorded::{catalog, reversed_catalog, with_reversed_oids};
use trees::{tests, trees};

/// The rows from which a change may be a load.
const MANY: usize = 256;

/// What happened to a table, with its changed rows: new ones, old ones, and whether a row may have changed twice.
const EVENTS: [(&str, bool, bool, bool); 4] = [
    ("INSERT", true, false, false),
    ("DELETE", false, true, false),
    ("UPDATE", true, true, false),
    ("UPDATE twice", true, true, true),
];

/// The events of two tables that change together. All terms of a change are among those of two updates.
const PAIRS: [[usize; 2]; 2] = [[0, 1], [2, 2]];

/// A set of changes with its name.
type Case = (String, Vec<Change>);

fn change(source: &Source, event: usize) -> (String, Change) {
    let (name, new, old, repeated) = EVENTS[event];
    let change = Change {
        relid: source.relid,
        new,
        old,
        repeated,
    };
    (format!("{name} {}", source.name), change)
}

fn case(changes: impl Iterator<Item = (String, Change)>) -> Case {
    let (names, mut changes): (Vec<String>, Vec<Change>) = changes.unzip();
    changes.sort();
    (names.join(" and "), changes)
}

/// Each event of each source, two sources at a time, and all of them.
fn cases(sources: &[Source]) -> Vec<Case> {
    let mut cases = Vec::new();
    for source in sources {
        cases.extend((0..EVENTS.len()).map(|event| case([change(source, event)].into_iter())));
    }
    for (place, one) in sources.iter().enumerate() {
        for other in &sources[place + 1..] {
            cases.extend(PAIRS.map(|[a, b]| case([change(one, a), change(other, b)].into_iter())));
        }
    }
    if sources.len() > 2 {
        cases.push(case(sources.iter().map(|source| change(source, 2))));
    }
    cases
}

/// A heading with statements under it; nothing where there are none.
fn section<'a>(text: &mut String, heading: &str, statements: impl IntoIterator<Item = &'a str>) {
    let statements: Vec<String> = statements.into_iter().map(|sql| broken(sql, "  ")).collect();
    if !statements.is_empty() {
        write!(text, "{heading}:\n{};\n\n", statements.join(";\n")).expect("written");
    }
}

fn texts(statements: &[Statement]) -> String {
    let mut text = String::new();
    for Statement { sql, bulk, returns } in statements {
        writeln!(text, "  -- returns {returns:?}\n{};", broken(sql, "  ")).expect("written");
        // A statement that fits few rows is the same without its first CTEs.
        if let Some(bulk) = bulk
            && !sql.contains("__pgt_size AS MATERIALIZED")
        {
            writeln!(
                text,
                "  -- for many rows\n{};",
                broken(&bulk.replace(MOST, "MOST"), "  ")
            )
            .expect("written");
        }
    }
    text
}

fn program(program: &Program) -> String {
    match program {
        Program::Nothing => "  nothing\n".to_owned(),
        Program::Rebuild => "  rebuild\n".to_owned(),
        Program::Run(statements) => texts(statements),
    }
}

/// What `explain` shows, without the programs, which follow. They must be the same ones.
fn explained(stage: &Stage) -> String {
    let mut text = String::new();
    for (section, key, value) in stage.explain() {
        let Some(event) = EVENTS.iter().position(|event| event.0 == key) else {
            let section = section.replace(&format!("stage {}", stage.storage), "stage");
            let value = value.replace('\n', "\n    ");
            writeln!(text, "  {section}, {key}: {value}").expect("written");
            continue;
        };
        let source = stage.sources.iter().find(|source| section.ends_with(&source.name));
        let (_, changes) = case([change(source.expect("a source"), event)].into_iter());
        let expected = match stage.program(&changes) {
            Program::Nothing => "nothing".to_owned(),
            Program::Rebuild => "rebuild".to_owned(),
            Program::Run(statements) => {
                let texts: Vec<String> = statements.into_iter().map(|statement| statement.sql).collect();
                texts.join(";\n")
            }
        };
        assert_eq!(value, expected, "explain and program differ");
    }
    text
}

fn stage_text(stage: &Stage) -> String {
    let mut text = format!("=== stage {}\n\n{}", stage.storage, explained(stage));
    for source in &stage.sources {
        let Source {
            name,
            columns,
            physical,
            updates_itself,
            ..
        } = source;
        writeln!(
            text,
            "  reads {name}: columns {columns:?}, physical {physical}, updates itself {updates_itself}"
        )
        .expect("written");
    }
    writeln!(
        text,
        "  is whole: {}, is unindexed: {}, rounds once: {}\n",
        stage.runs_query(),
        stage
            .sources
            .iter()
            .any(|source| stage.needs_fresh_plans(&[change(source, 2).1])),
        stage.rounds_once()
    )
    .expect("written");
    assert_eq!(stage.layout, stage.ddl.join(";"), "a layout is named by its DDL");
    section(&mut text, "storage", stage.ddl.iter().map(String::as_str));
    section(&mut text, "fill", [stage.fill_statement().sql.as_str()]);
    if stage.is_clock() {
        writeln!(text, "advance:\n{}", program(&stage.program(&[]))).expect("written");
        section(
            &mut text,
            "is due",
            stage.due.iter().map(|statement| statement.sql.as_str()),
        );
        return text;
    }
    assert_eq!(stage.program(&[]), Program::Nothing);
    write!(text, "rebuild:\n{}\n", texts(&[stage.rebuild()])).expect("written");
    let mut known: Vec<(String, Vec<String>)> = Vec::new();
    for (name, changes) in cases(&stage.sources) {
        let mut program = program(&stage.program(&changes));
        if !stage.runs_query() && known.is_empty() {
            let question = stage.question(MANY, &changes, false).sql;
            writeln!(
                program,
                "  -- whether many rows are a load\n{};",
                broken(&question, "  ")
            )
            .expect("written");
        }
        let lines: Vec<String> = program.lines().map(str::to_owned).collect();
        writeln!(text, "{name}:\n{}", without_known(&lines, &known)).expect("written");
        known.push((name, lines));
    }
    text
}

/// The least number of lines that are replaced by a reference.
const LEAST_SHARED: usize = 2;

/// The lines of a text with references in place of those that it shares with the most similar of the known texts.
fn without_known(lines: &[String], known: &[(String, Vec<String>)]) -> String {
    let unchanged = lines.iter().map(|line| format!("{line}\n")).collect();
    // The first one of several that are as similar.
    known.iter().fold(unchanged, |best: String, (name, other)| {
        let text = with_references(lines, name, other);
        if text.len() < best.len() { text } else { best }
    })
}

/// The lines of a text with references in place of those that follow each other in another one, in the same order.
fn with_references(lines: &[String], name: &str, other: &[String]) -> String {
    if lines == other {
        return format!("  as {name}\n");
    }
    let mut text = String::new();
    let (mut place, mut from) = (0, 0);
    while place < lines.len() {
        let run = |start: &usize| {
            let pairs = lines[place..].iter().zip(&other[*start..]);
            pairs.take_while(|(one, other)| one == other).count()
        };
        let longest = (from..other.len()).rev().max_by_key(run);
        match longest.map(|start| (start, run(&start))) {
            Some((start, length)) if length >= LEAST_SHARED => {
                writeln!(text, "  [lines {} to {} of {name}]", start + 1, start + length).expect("written");
                place += length;
                from = start + length;
            }
            _ => {
                writeln!(text, "{}", lines[place]).expect("written");
                place += 1;
            }
        }
    }
    text
}

/// FNV-1a of the plan as a document, by which `ts/tests/planner.test.ts` knows that other builds give the same bytes.
fn fingerprint(plan: &Plan) -> String {
    let stages: Vec<&Stage> = plan.stages.iter().collect();
    let document = Json::Object(explain::members(&stages, &plan.columns)).write();
    let step = |hash: u64, byte: u8| (hash ^ u64::from(byte)).wrapping_mul(0x0100_0000_01b3);
    format!("{:016x}", document.bytes().fold(0xcbf2_9ce4_8422_2325, step))
}

fn compiled(catalog: &dyn Catalog, tree: &str, name: &str, pre_aggregate: PreAggregate) -> Result<String, Error> {
    let query = print_query(tree, catalog)?;
    let mut text = format!("query:\n{};\n\n", broken(&query, "  "));
    let input = Input {
        tree,
        definition: &format!("pgtrickle.{name}"),
        schema: "pgtrickle",
        storage: "st",
        fallback: None,
        windows_on_read: false,
        pre_aggregate,
    };
    match compile(&input, catalog) {
        Err(error @ Error::Unsupported { .. }) => {
            let hint = error.hint().unwrap_or_default();
            writeln!(text, "{}: {error}; {hint}", error.sqlstate()).expect("written");
        }
        Err(error) => return Err(error),
        Ok(compiled) => {
            text.push_str("columns:\n");
            for column in &compiled.columns {
                writeln!(text, "  {} {}", column.name, column.type_sql).expect("written");
            }
            text.push('\n');
            section(&mut text, "view", [compiled.view.as_str()]);
            section(&mut text, "change rows", [compiled.change_rows.as_str()]);
            writeln!(text, "document: {}\n", fingerprint(&compiled)).expect("written");
            text.extend(compiled.stages.iter().map(stage_text));
        }
    }
    Ok(text.trim_end().to_owned() + "\n")
}

/// The fixture that is also compiled with its facts added up first.
const FACTS: &str = "aggregate_extrema_joined";

/// What the fixtures of one server compile to, by their names, with the answers of a catalog of this server.
fn all_compiled(catalog: &dyn Catalog, trees: BTreeMap<String, String>) -> BTreeMap<String, String> {
    let text = |tree: &str, name: &str, pre_aggregate| {
        compiled(catalog, tree, name, pre_aggregate).unwrap_or_else(|error| panic!("{name}: {error}"))
    };
    let mut all = BTreeMap::new();
    for (name, tree) in trees {
        if name == FACTS {
            all.insert(format!("{name}_added_up"), text(&tree, &name, PreAggregate::Always));
        }
        let text = text(&tree, &name, PreAggregate::Never);
        all.insert(name, text);
    }
    all
}

/// The golden files by name, as PostgreSQL 18 gives them, and what comes out otherwise elsewhere.
fn produced() -> (BTreeMap<String, String>, Vec<String>) {
    let others = ["17", "17 with other OIDs"].map(|label| {
        let made = move || {
            if label == "17" {
                return all_compiled(&catalog("17"), trees("17"));
            }
            let reversed = trees("17")
                .into_iter()
                .map(|(name, tree)| (name, with_reversed_oids(&tree)));
            all_compiled(&reversed_catalog("17"), reversed.collect())
        };
        (label, thread::spawn(made))
    });
    let new = all_compiled(&catalog("18"), trees("18"));
    let mut different = Vec::new();
    for (label, other) in others {
        let old = other.join().expect("PostgreSQL 17 compiles too");
        assert_eq!(old.keys().collect::<Vec<_>>(), new.keys().collect::<Vec<_>>());
        let pairs = old.iter().zip(&new).filter(|(old, new)| old != new);
        different.extend(pairs.map(|((name, old), (_, new))| difference(name, label, old, "18", new)));
    }
    let files = new.into_iter().map(|(name, text)| (format!("{name}.txt"), text));
    (files.collect(), different)
}

/// The first line in which two texts differ.
fn difference(name: &str, one: &str, text: &str, other: &str, second: &str) -> String {
    let lines = text.lines().zip(second.lines());
    let line = lines.take_while(|(one, other)| one == other).count();
    let at = |text: &str| text.lines().nth(line).unwrap_or("(the end)").to_owned();
    format!("{name}:{}\n  {one}: {}\n  {other}: {}", line + 1, at(text), at(second))
}

fn golden() -> PathBuf {
    tests().join("golden")
}

#[test]
fn both_servers_give_the_same_text() {
    let [old, new] = ["17", "18"].map(|version| {
        let catalog = catalog(version);
        let print = |tree: &String| print_query(tree, &catalog).expect("printed");
        trees(version).values().map(print).collect::<Vec<_>>()
    });
    for (old, new) in old.iter().zip(&new) {
        assert_eq!(old, new);
    }
}

#[test]
fn programs_that_can_raise_alone_are_known() {
    let catalog = catalog("18");
    let trees: BTreeMap<String, String> = trees("18").into_iter().collect();
    // For an UPDATE of the first source, and for one that can have changed a row twice.
    let known = [
        ("join_scan", [false, false]),
        ("join_keyless", [false, true]),
        ("join_two", [false, false]),
        ("aggregate_sums", [false, true]),
        ("aggregate_keys", [true, true]),
        ("sublink_exists", [false, false]),
    ];
    for (name, expected) in known {
        let input = Input {
            tree: &trees[name],
            definition: "pgtrickle.def_1",
            schema: "pgtrickle",
            storage: "st",
            fallback: None,
            windows_on_read: false,
            pre_aggregate: PreAggregate::Never,
        };
        let plan = compile(&input, &catalog).expect("compiled");
        let stage = plan.stages.last().expect("a stage");
        let raises = [false, true].map(|repeated| {
            let change = Change {
                relid: stage.sources[0].relid,
                new: true,
                old: true,
                repeated,
            };
            stage.may_raise_alone(&[change])
        });
        assert_eq!(raises, expected, "{name}");
    }
}

#[test]
fn every_fixture_can_fall_back() {
    let catalog = catalog("18");
    for (name, tree) in trees("18") {
        let input = Input {
            tree: &tree,
            definition: "pgtrickle.def_1",
            schema: "pgtrickle",
            storage: "st",
            fallback: Some("a reason"),
            windows_on_read: false,
            pre_aggregate: PreAggregate::Never,
        };
        match compile(&input, &catalog) {
            Err(Error::Unsupported { .. }) => {}
            Err(error) => panic!("{name}: {error}"),
            Ok(plan) => {
                let (stage, below) = plan.stages.split_last().expect("a stage");
                assert!(
                    below.iter().all(Stage::is_clock),
                    "{name}: {} stages",
                    plan.stages.len()
                );
                assert_eq!((stage.way, stage.reason.as_deref()), (Way::Rebuild, Some("a reason")));
            }
        }
    }
}

#[test]
fn every_fixture_compiles_to_the_known_sql() {
    let (files, mut wrong) = produced();
    if std::env::var_os("UPDATE_GOLDEN").is_some() {
        let _ = fs::remove_dir_all(golden());
        fs::create_dir_all(golden()).expect("created");
        for (name, text) in &files {
            fs::write(golden().join(name), text).expect("written");
        }
    }
    for (name, text) in &files {
        let known = fs::read_to_string(golden().join(name)).unwrap_or_default();
        if known != *text {
            wrong.push(difference(name, "known", &known, "now", text));
        }
    }
    let stored: BTreeSet<String> = fs::read_dir(golden())
        .expect("there is a folder of golden files")
        .map(|entry| entry.expect("an entry").file_name().to_string_lossy().into_owned())
        .collect();
    wrong.extend(
        stored
            .into_iter()
            .filter(|name| !files.contains_key(name))
            .map(|name| format!("{name}: no fixture gives this file")),
    );
    assert!(
        wrong.is_empty(),
        "{} files differ; if they should, run with UPDATE_GOLDEN=1 and read the diff\n{}",
        wrong.len(),
        wrong.join("\n")
    );
}
