//! The writer on the fixtures of the reader: the text of every view, the same from the trees of both servers.
//!
//! `tests/writer/printed.sql` holds the texts; `UPDATE_GOLDEN=1` writes them anew. That PostgreSQL analyses them to the
//! same trees is what `ts/tests/roundtrip.test.ts` tests.

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::fs;
use std::path::PathBuf;
use std::str::FromStr;

use pg_trickle_core::catalog::{Catalog, Column, DefaultOperators, Function, Operator, Relation, Type};
use pg_trickle_core::error::Error;
use pg_trickle_core::print_query;

/// The answers in `tests/writer/catalog-*.tsv`, by what they answer.
struct Recorded(BTreeMap<(String, String), Vec<String>>);

fn tests() -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("tests")
}

fn unescaped(text: &str) -> String {
    let mut plain = String::new();
    let mut letters = text.chars();
    while let Some(letter) = letters.next() {
        plain.push(match letter {
            '\\' => match letters.next() {
                Some('t') => '\t',
                Some('n') => '\n',
                other => other.expect("a letter after the backslash"),
            },
            letter => letter,
        });
    }
    plain
}

impl Recorded {
    fn of(version: &str) -> Self {
        let file = tests().join(format!("writer/catalog-{version}.tsv"));
        let text = fs::read_to_string(file).expect("readable");
        let mut answers = BTreeMap::new();
        for line in text.lines() {
            let mut fields = line.split('\t').map(unescaped);
            let what = fields.next().expect("what it is");
            let mut key = fields.next().expect("which one");
            if what == "type_sql" {
                key = format!("{key} {}", fields.next().expect("a modifier"));
            }
            answers.insert((what, key), fields.collect());
        }
        Recorded(answers)
    }

    fn ask(&self, what: &str, key: &str) -> Result<&[String], Error> {
        self.0
            .get(&(what.to_owned(), key.to_owned()))
            .map(Vec::as_slice)
            .ok_or_else(|| Error::Catalog(format!("no answer about {what} {key}")))
    }
}

fn parsed<T: FromStr>(text: &str) -> T {
    text.parse()
        .unwrap_or_else(|_| panic!("{text:?} is not what it should be"))
}

fn words<T: FromStr>(text: &str) -> Vec<T> {
    text.split_whitespace().map(parsed).collect()
}

fn column(attnum: i16, text: &str) -> Column {
    let fields: Vec<&str> = text.splitn(5, ' ').collect();
    Column {
        attnum,
        name: fields[4].to_owned(),
        type_oid: parsed(fields[0]),
        typmod: parsed(fields[1]),
        collation: parsed(fields[2]),
        not_null: false,
        dropped: fields[3] == "t",
        generated: None,
    }
}

impl Catalog for Recorded {
    fn function(&self, oid: u32) -> Result<Function, Error> {
        let answer = self.ask("function", &oid.to_string())?;
        Ok(Function {
            oid,
            schema: answer[0].clone(),
            name: answer[1].clone(),
            volatility: parsed(&answer[2]),
            kind: parsed(&answer[3]),
            returns_set: parsed(&answer[4]),
            strict: parsed(&answer[5]),
            arg_types: words(&answer[6]),
            variadic: parsed(&answer[7]),
            result: parsed(&answer[8]),
            out_names: words(&answer[9]),
        })
    }

    fn operator(&self, oid: u32) -> Result<Operator, Error> {
        let answer = self.ask("operator", &oid.to_string())?;
        Ok(Operator {
            oid,
            schema: answer[0].clone(),
            name: answer[1].clone(),
            left: parsed(&answer[2]),
            right: parsed(&answer[3]),
            result: parsed(&answer[4]),
            function: parsed(&answer[5]),
            volatility: parsed(&answer[6]),
        })
    }

    fn type_(&self, oid: u32) -> Result<Type, Error> {
        let answer = self.ask("type", &oid.to_string())?;
        Ok(Type {
            oid,
            schema: answer[0].clone(),
            name: answer[1].clone(),
            kind: parsed(&answer[2]),
            category: parsed(&answer[3]),
            element: parsed(&answer[4]),
            array: parsed(&answer[5]),
            base: parsed(&answer[6]),
            base_typmod: parsed(&answer[7]),
            relid: parsed(&answer[8]),
            collation: parsed(&answer[9]),
        })
    }

    fn type_sql(&self, oid: u32, typmod: i32) -> Result<String, Error> {
        Ok(self.ask("type_sql", &format!("{oid} {typmod}"))?[0].clone())
    }

    fn collation(&self, oid: u32) -> Result<(String, String), Error> {
        let answer = self.ask("collation", &oid.to_string())?;
        Ok((answer[0].clone(), answer[1].clone()))
    }

    fn relation(&self, oid: u32) -> Result<Relation, Error> {
        let answer = self.ask("relation", &oid.to_string())?;
        let columns = answer[3].split(';').zip(1_i16..);
        Ok(Relation {
            oid,
            schema: answer[0].clone(),
            name: answer[1].clone(),
            kind: parsed(&answer[2]),
            persistence: 'p',
            columns: columns.map(|(text, attnum)| column(attnum, text)).collect(),
            keys: Vec::new(),
            has_children: false,
            is_partitioned: false,
            row_security: false,
            indexed: Vec::new(),
            is_system: false,
            updates_itself: false,
        })
    }

    fn view_tree(&self, oid: u32) -> Result<String, Error> {
        Err(Error::Catalog(format!("the writer has no business in view {oid}")))
    }

    fn const_text(&self, node: &str) -> Result<String, Error> {
        Ok(self.ask("constant", node)?[0].clone())
    }

    fn default_equality(&self, type_oid: u32) -> Result<Option<DefaultOperators>, Error> {
        let operators: Vec<u32> = words(&self.ask("equality", &type_oid.to_string())?[0]);
        let [equality, less, greater] = operators.as_slice() else {
            return Ok(None);
        };
        Ok(Some(DefaultOperators {
            equality: self.operator(*equality)?,
            less: Some(self.operator(*less)?),
            greater: Some(self.operator(*greater)?),
        }))
    }
}

/// All views of one server, as text.
fn printed(version: &str) -> String {
    let catalog = Recorded::of(version);
    let mut files: Vec<PathBuf> = fs::read_dir(tests().join("fixtures").join(version))
        .expect("the directory is there")
        .map(|entry| entry.expect("an entry").path())
        .collect();
    files.sort();
    let mut text = String::new();
    for file in files {
        let name = file.file_stem().expect("a name").to_string_lossy().into_owned();
        let tree = fs::read_to_string(&file).expect("readable");
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
