//! The catalog of the servers that the fixtures come from, as recorded by `tests/fixtures/generate.mjs`.

use std::collections::BTreeMap;
use std::fs;
use std::str::FromStr;

use pg_trickle_core::catalog::{
    Catalog, Column, DefaultOperators, Function, IndexColumn, Key, Operator, Relation, Type,
};
use pg_trickle_core::error::Error;

use crate::trees::{tests, tree};

/// The answers in `tests/fixtures/catalog-*.tsv`.
pub struct Recorded {
    version: String,
    /// Whether objects that come later have the lower OIDs.
    reversed: bool,
    /// The answers, by question.
    answers: BTreeMap<(String, String), Vec<String>>,
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

/// The first OID of the users' objects, and one after the last.
const USERS: std::ops::Range<u32> = 16384..32768;

/// The text with the OIDs of users' objects in the opposite order. Nothing but the options of a window's frame is another
/// number of this size.
fn with_reversed_oids(text: &str) -> String {
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

impl Recorded {
    /// The answers of one server.
    pub fn of(version: &str) -> Self {
        Self::read(version, false)
    }

    /// The answers of one server, had it handed out the OIDs of the users' objects in the opposite order.
    #[allow(dead_code, reason = "not every test asks")]
    pub fn reversed(version: &str) -> Self {
        Self::read(version, true)
    }

    /// A text of this server, with its OIDs.
    pub fn with_oids(&self, text: &str) -> String {
        if self.reversed {
            with_reversed_oids(text)
        } else {
            text.to_owned()
        }
    }

    fn read(version: &str, reversed: bool) -> Self {
        let file = tests().join(format!("fixtures/catalog-{version}.tsv"));
        let text = fs::read_to_string(file).expect("readable");
        let mut answers = BTreeMap::new();
        for line in text.lines() {
            let line = if reversed {
                with_reversed_oids(line)
            } else {
                line.to_owned()
            };
            let mut fields = line.split('\t').map(unescaped);
            let what = fields.next().expect("what it is");
            let mut key = fields.next().expect("which one");
            if what == "type_sql" {
                key = format!("{key} {}", fields.next().expect("a modifier"));
            }
            answers.insert((what, key), fields.collect());
        }
        Recorded {
            version: version.to_owned(),
            reversed,
            answers,
        }
    }

    fn ask(&self, what: &str, key: &str) -> Result<&[String], Error> {
        self.answers
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

fn flag(text: &str) -> bool {
    matches!(text, "t" | "true")
}

fn column(attnum: i16, text: &str) -> Column {
    let fields: Vec<&str> = text.splitn(7, ' ').collect();
    Column {
        attnum,
        name: fields[6].to_owned(),
        type_oid: parsed(fields[0]),
        typmod: parsed(fields[1]),
        collation: parsed(fields[2]),
        not_null: flag(fields[3]),
        dropped: flag(fields[4]),
        generated: fields[5].chars().find(|kind| *kind != '-'),
    }
}

fn key(text: &str) -> Key {
    let (primary, columns) = text.split_once(' ').expect("a key has columns");
    Key {
        columns: words(columns),
        primary: flag(primary),
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

    fn is_compiled(&self, _function: u32) -> Result<bool, Error> {
        Ok(false)
    }

    fn collation(&self, oid: u32) -> Result<(String, String), Error> {
        let answer = self.ask("collation", &oid.to_string())?;
        Ok((answer[0].clone(), answer[1].clone()))
    }

    fn relation(&self, oid: u32) -> Result<Relation, Error> {
        let answer = self.ask("relation", &oid.to_string())?;
        let listed = |text: &str| -> Vec<String> {
            let parts = text.split(';').filter(|part| !part.is_empty());
            parts.map(str::to_owned).collect()
        };
        // Pairs of a column and its `indoption`.
        let index = |text: &str| -> Vec<IndexColumn> {
            let column = |pair: &[i16]| IndexColumn {
                attnum: pair[0],
                descending: pair[1] & 1 != 0,
                nulls_first: pair[1] & 2 != 0,
            };
            words::<i16>(text).chunks(2).map(column).collect()
        };
        Ok(Relation {
            oid,
            schema: answer[0].clone(),
            name: answer[1].clone(),
            kind: parsed(&answer[2]),
            persistence: parsed(&answer[3]),
            columns: listed(&answer[9])
                .iter()
                .zip(1_i16..)
                .map(|(text, attnum)| column(attnum, text))
                .collect(),
            keys: listed(&answer[8]).iter().map(|text| key(text)).collect(),
            has_children: flag(&answer[4]),
            is_partitioned: answer[2] == "p",
            row_security: flag(&answer[5]),
            indexes: listed(&answer[7]).iter().map(|text| index(text)).collect(),
            is_system: matches!(answer[0].as_str(), "pg_catalog" | "information_schema"),
            updates_itself: flag(&answer[6]),
        })
    }

    fn is_foreign_view(&self, _: u32) -> Result<bool, Error> {
        Ok(false)
    }

    fn view_tree(&self, oid: u32) -> Result<String, Error> {
        let view = self.relation(oid)?.name;
        let tree = tree(&self.version, &view).map(|tree| self.with_oids(&tree));
        tree.ok_or_else(|| Error::Catalog(format!("{view} is no view")))
    }

    fn const_text(&self, node: &str) -> Result<String, Error> {
        Ok(self.ask("constant", node)?[0].clone())
    }

    fn default_equality(&self, type_oid: u32) -> Result<Option<DefaultOperators>, Error> {
        let operators: Vec<u32> = words(&self.ask("equality", &type_oid.to_string())?[0]);
        let optional = |place: usize| operators.get(place).map(|oid| self.operator(*oid)).transpose();
        Ok(match optional(0)? {
            Some(equality) => Some(DefaultOperators {
                equality,
                less: optional(1)?,
                greater: optional(2)?,
            }),
            None => None,
        })
    }
}
