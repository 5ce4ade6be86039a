//! The catalog as a list of answers, which a database gave earlier: the rows of the queries in
//! `pg_trickle_pglite/src/edge/catalog.rs`, which says what their columns are.

use pg_trickle_core::catalog::{
    Catalog, Column, DefaultOperators, Function, IndexColumn, Key, Operator, Relation, Type, default_operators_of,
};
use pg_trickle_core::error::Error;
use pg_trickle_core::plan::Oid;
use pg_trickle_core::sorted::Map;
use std::str::FromStr;

/// Rows by question and what it is about.
pub struct Answers {
    known: Map<(String, String), Vec<Vec<String>>>,
}

type Answer<T> = Result<T, Error>;

/// The fields of one answer, read from the first to the last.
struct Fields<'a>(std::slice::Iter<'a, String>);

impl Fields<'_> {
    fn text(&mut self) -> Answer<String> {
        let field = self.0.next().cloned();
        field.ok_or_else(|| Error::Catalog("an answer is too short".to_owned()))
    }

    fn parsed<T: FromStr>(&mut self) -> Answer<T> {
        let text = self.text()?;
        text.parse()
            .map_err(|_| Error::Catalog(format!("an answer holds {text}")))
    }

    fn flag(&mut self) -> Answer<bool> {
        Ok(self.text()? == "t")
    }

    /// A character, which is a space where the field is empty.
    fn character(&mut self) -> Answer<char> {
        Ok(self.text()?.chars().next().unwrap_or(' '))
    }

    /// A name as PostgreSQL quotes it.
    fn identifier(&mut self) -> Answer<String> {
        let name = self.text()?;
        let quoted = name.strip_prefix('"').and_then(|rest| rest.strip_suffix('"'));
        Ok(quoted.map_or_else(|| name.clone(), |quoted| quoted.replace("\"\"", "\"")))
    }

    /// An OID, unless it is NULL.
    fn optional(&mut self) -> Answer<Option<Oid>> {
        let text = self.text()?;
        Ok(text.parse().ok())
    }

    fn list<T: FromStr>(&mut self) -> Answer<Vec<T>> {
        let text = self.text()?;
        let words = text.split(' ').filter(|word| !word.is_empty());
        words
            .map(|word| {
                word.parse()
                    .map_err(|_| Error::Catalog(format!("an answer holds {word}")))
            })
            .collect()
    }
}

fn unescaped(text: &str) -> String {
    let mut plain = String::with_capacity(text.len());
    let mut letters = text.chars();
    while let Some(letter) = letters.next() {
        plain.push(match letter {
            '\\' => match letters.next() {
                Some('t') => '\t',
                Some('n') => '\n',
                other => other.unwrap_or('\\'),
            },
            letter => letter,
        });
    }
    plain
}

impl Answers {
    /// One row on each line: the question, what it is about, and the columns of the row, with tabs between. Backslashes, tabs
    /// and line ends in a field are escaped; NULL is empty.
    pub fn read(text: &str) -> Self {
        let mut known: Map<(String, String), Vec<Vec<String>>> = Map::new();
        for line in text.lines() {
            let mut fields = line.split('\t').map(unescaped);
            if let (Some(what), Some(about)) = (fields.next(), fields.next()) {
                known.or_default((what, about)).push(fields.collect());
            }
        }
        Answers { known }
    }

    fn all(&self, what: &str, about: &str) -> &[Vec<String>] {
        self.known
            .get(&(what.to_owned(), about.to_owned()))
            .map_or(&[], Vec::as_slice)
    }

    fn one(&self, what: &str, about: &str) -> Answer<Fields<'_>> {
        let answer = self.all(what, about).first();
        answer
            .map(|fields| Fields(fields.iter()))
            .ok_or_else(|| Error::Catalog(format!("the definition does not say what {what} {about} is")))
    }

    fn about(&self, what: &str, oid: Oid) -> Answer<Fields<'_>> {
        self.one(what, &oid.to_string())
    }
}

impl Catalog for Answers {
    fn function(&self, oid: Oid) -> Answer<Function> {
        let mut fields = self.about("function", oid)?;
        let out = self.all("out", &oid.to_string());
        Ok(Function {
            oid,
            schema: fields.identifier()?,
            name: fields.text()?,
            volatility: fields.character()?,
            kind: fields.character()?,
            returns_set: fields.flag()?,
            strict: fields.flag()?,
            arg_types: fields.list()?,
            variadic: fields.parsed()?,
            result: fields.parsed()?,
            out_names: out.iter().filter_map(|row| row.first().cloned()).collect(),
        })
    }

    fn is_compiled(&self, function: Oid) -> Answer<bool> {
        self.about("compiled", function)?.flag()
    }

    fn operator(&self, oid: Oid) -> Answer<Operator> {
        let mut fields = self.about("operator", oid)?;
        Ok(Operator {
            oid,
            schema: fields.identifier()?,
            name: fields.text()?,
            left: fields.parsed()?,
            right: fields.parsed()?,
            result: fields.parsed()?,
            function: fields.parsed()?,
            volatility: fields.character()?,
        })
    }

    fn type_(&self, oid: Oid) -> Answer<Type> {
        let mut fields = self.about("type", oid)?;
        Ok(Type {
            oid,
            schema: fields.identifier()?,
            name: fields.text()?,
            kind: fields.character()?,
            category: fields.character()?,
            element: fields.parsed()?,
            array: fields.parsed()?,
            base: fields.parsed()?,
            base_typmod: fields.parsed()?,
            relid: fields.parsed()?,
            collation: fields.parsed()?,
        })
    }

    fn type_sql(&self, oid: Oid, typmod: i32) -> Answer<String> {
        self.one("typeText", &format!("{oid} {typmod}"))?.text()
    }

    fn collation(&self, oid: Oid) -> Answer<(String, String)> {
        let mut fields = self.about("collation", oid)?;
        Ok((fields.text()?, fields.text()?))
    }

    fn relation(&self, oid: Oid) -> Answer<Relation> {
        let mut fields = self.about("relation", oid)?;
        let about = oid.to_string();
        let (schema, name) = (fields.identifier()?, fields.text()?);
        let (kind, persistence) = (fields.character()?, fields.character()?);
        let has_children = fields.flag()? && !self.all("child", &about).is_empty();
        let is_partitioned = kind == 'p';
        // Constraints that are no foreign keys are NOT NULL and not valid: the column may hold NULL.
        let (mut updates_itself, mut unsure) = (false, Vec::new());
        for row in self.all("constraint", &about) {
            let mut fields = Fields(row.iter());
            if fields.flag()? {
                updates_itself = true;
            } else {
                unsure.push(fields.parsed::<i16>()?);
            }
        }
        let columns = self.columns(&about, &unsure)?;
        let (indexes, mut keys) = self.indexes(&about, &columns)?;
        if has_children && !is_partitioned {
            keys.clear();
        }
        let has_policies = fields.flag()?;
        Ok(Relation {
            oid,
            is_system: matches!(schema.as_str(), "pg_catalog" | "information_schema") || schema.starts_with("pg_toast"),
            schema,
            name,
            kind,
            persistence,
            columns,
            keys,
            indexes,
            has_children,
            is_partitioned,
            row_security: has_policies && self.about("restricted", oid)?.flag()?,
            updates_itself,
        })
    }

    fn is_foreign_view(&self, oid: Oid) -> Answer<bool> {
        self.about("foreign", oid)?.flag()
    }

    fn view_tree(&self, oid: Oid) -> Answer<String> {
        self.about("view", oid)?.text()
    }

    fn const_text(&self, node: &str) -> Answer<String> {
        self.one("constant", node)?.text()
    }

    fn default_equality(&self, type_oid: Oid) -> Answer<Option<DefaultOperators>> {
        default_operators_of(self, type_oid, |base| {
            let mut fields = self.about("operators", base)?;
            Ok(Some([fields.optional()?, fields.optional()?, fields.optional()?]))
        })
    }
}

impl Answers {
    fn columns(&self, about: &str, unsure: &[i16]) -> Answer<Vec<Column>> {
        let column = |row: &Vec<String>| {
            let mut fields = Fields(row.iter());
            let attnum = fields.parsed()?;
            Ok(Column {
                attnum,
                name: fields.text()?,
                type_oid: fields.parsed()?,
                typmod: fields.parsed()?,
                collation: fields.parsed()?,
                not_null: fields.flag()? && !unsure.contains(&attnum),
                dropped: fields.flag()?,
                generated: fields.text()?.chars().next(),
            })
        };
        self.all("column", about).iter().map(column).collect()
    }

    fn indexes(&self, about: &str, columns: &[Column]) -> Answer<(Vec<Vec<IndexColumn>>, Vec<Key>)> {
        let holds_no_null = |attnum: &i16| columns.iter().any(|column| column.attnum == *attnum && column.not_null);
        let (mut indexes, mut keys) = (Vec::new(), Vec::new());
        for row in self.all("index", about) {
            let mut fields = Fields(row.iter());
            let mut attnums: Vec<i16> = fields.list()?;
            let options: Vec<i16> = fields.list()?;
            attnums.truncate(fields.parsed()?);
            let primary = fields.flag()?;
            // `INDOPTION_DESC` and `INDOPTION_NULLS_FIRST` in index.h.
            let column = |(attnum, option): (&i16, i16)| IndexColumn {
                attnum: *attnum,
                descending: option & 1 != 0,
                nulls_first: option & 2 != 0,
            };
            indexes.push(attnums.iter().zip(options).map(column).collect());
            if fields.flag()? && attnums.iter().all(holds_no_null) {
                keys.push(Key {
                    columns: attnums,
                    primary,
                });
            }
        }
        Ok((indexes, keys))
    }
}
