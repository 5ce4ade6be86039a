//! What the core asks, made of rows. Each function fails with [`Error::Catalog`] if nothing is known of the object.
#![allow(clippy::missing_errors_doc, reason = "said above")]

use super::values::{Values, column};
use super::{Answers, Question, Row};
use crate::catalog::{
    Catalog, Column, DefaultOperators, Function, IndexColumn, Key, Operator, Relation, Type, default_operators_of,
};
use crate::error::Error;
use crate::oids::RECORD;
use crate::plan::Oid;

type Answer<T> = Result<T, Error>;

fn all(from: &dyn Answers, question: Question, oid: Oid) -> Answer<Vec<Row>> {
    from.rows(question, &[&oid.to_string()])
}

fn first(from: &dyn Answers, question: Question, about: &[&str]) -> Answer<Option<Values>> {
    Ok(from.rows(question, about)?.into_iter().next().map(Values::of))
}

fn one(from: &dyn Answers, question: Question, about: &[&str]) -> Answer<Values> {
    first(from, question, about)?
        .ok_or_else(|| Error::Catalog(format!("nothing is known of {} {}", question.name(), about.join(" "))))
}

fn object(from: &dyn Answers, question: Question, oid: Oid) -> Answer<Values> {
    one(from, question, &[&oid.to_string()])
}

/// Whether something is so of an object; `unknown` where there is no answer.
fn whether(from: &dyn Answers, question: Question, oid: Oid, unknown: bool) -> Answer<bool> {
    first(from, question, &[&oid.to_string()])?.map_or(Ok(unknown), |mut values| values.boolean())
}

/// The one value of the answer.
pub fn text(from: &dyn Answers, question: Question, about: &[&str]) -> Answer<String> {
    one(from, question, about)?.text()
}

/// [`Catalog::function`].
pub fn function(from: &dyn Answers, oid: Oid) -> Answer<Function> {
    let mut values = object(from, Question::Function, oid)?;
    let mut function = Function {
        oid,
        schema: values.identifier()?,
        name: values.text()?,
        volatility: values.character()?,
        kind: values.character()?,
        returns_set: values.boolean()?,
        strict: values.boolean()?,
        arg_types: values.numbers()?,
        variadic: values.number()?,
        result: values.number()?,
        out_names: Vec::new(),
    };
    if function.result == RECORD {
        function.out_names = column(all(from, Question::Out, oid)?)?;
    }
    Ok(function)
}

/// [`Catalog::is_compiled`].
pub fn is_compiled(from: &dyn Answers, function: Oid) -> Answer<bool> {
    whether(from, Question::Compiled, function, false)
}

/// [`Catalog::operator`].
pub fn operator(from: &dyn Answers, oid: Oid) -> Answer<Operator> {
    let mut values = object(from, Question::Operator, oid)?;
    Ok(Operator {
        oid,
        schema: values.identifier()?,
        name: values.text()?,
        left: values.number()?,
        right: values.number()?,
        result: values.number()?,
        function: values.number()?,
        volatility: values.character()?,
    })
}

/// [`Catalog::type_`].
pub fn type_(from: &dyn Answers, oid: Oid) -> Answer<Type> {
    let mut values = object(from, Question::Type, oid)?;
    Ok(Type {
        oid,
        schema: values.identifier()?,
        name: values.text()?,
        kind: values.character()?,
        category: values.character()?,
        element: values.number()?,
        array: values.number()?,
        base: values.number()?,
        base_typmod: values.number()?,
        relid: values.number()?,
        collation: values.number()?,
    })
}

/// [`Catalog::collation`].
pub fn collation(from: &dyn Answers, oid: Oid) -> Answer<(String, String)> {
    let mut values = object(from, Question::Collation, oid)?;
    Ok((values.text()?, values.text()?))
}

/// [`Catalog::relation`].
pub fn relation(from: &dyn Answers, oid: Oid) -> Answer<Relation> {
    let mut values = object(from, Question::Relation, oid)?;
    let (schema, name) = (values.identifier()?, values.text()?);
    let (kind, persistence) = (values.character()?, values.character()?);
    let (was_parent, has_policies) = (values.boolean()?, values.boolean()?);
    let has_children = was_parent && !all(from, Question::Child, oid)?.is_empty();
    let is_partitioned = kind == 'p';
    // Constraints that are no foreign keys: the column may hold NULL in rows from before.
    let (mut updates_itself, mut unsure) = (false, Vec::new());
    for row in all(from, Question::Constraint, oid)? {
        let mut values = Values::of(row);
        if values.boolean()? {
            updates_itself = true;
        } else {
            unsure.push(values.number()?);
        }
    }
    let columns = columns(from, oid, &unsure)?;
    let (indexes, mut keys) = indexes(from, oid, &columns)?;
    if has_children && !is_partitioned {
        keys.clear();
    }
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
        row_security: has_policies && whether(from, Question::Restricted, oid, true)?,
        updates_itself,
    })
}

fn columns(from: &dyn Answers, oid: Oid, unsure: &[i16]) -> Answer<Vec<Column>> {
    let mut columns = Vec::new();
    for row in all(from, Question::Column, oid)? {
        let mut values = Values::of(row);
        let attnum = values.number()?;
        columns.push(Column {
            attnum,
            name: values.text()?,
            type_oid: values.number()?,
            typmod: values.number()?,
            collation: values.number()?,
            not_null: values.boolean()? && !unsure.contains(&attnum),
            dropped: values.boolean()?,
            generated: values.text()?.chars().next(),
        });
    }
    Ok(columns)
}

/// The columns of indexes, and the keys: of unique indexes whose columns hold no NULL.
fn indexes(from: &dyn Answers, oid: Oid, columns: &[Column]) -> Answer<(Vec<Vec<IndexColumn>>, Vec<Key>)> {
    let holds_no_null = |attnum: &i16| columns.iter().any(|column| column.attnum == *attnum && column.not_null);
    let (mut indexes, mut keys) = (Vec::new(), Vec::new());
    for row in all(from, Question::Index, oid)? {
        let mut values = Values::of(row);
        let mut attnums: Vec<i16> = values.numbers()?;
        let options: Vec<i16> = values.numbers()?;
        attnums.truncate(values.number()?);
        let primary = values.boolean()?;
        // `INDOPTION_DESC` and `INDOPTION_NULLS_FIRST` in index.h.
        let indexed = |(attnum, option): (&i16, i16)| IndexColumn {
            attnum: *attnum,
            descending: option & 1 != 0,
            nulls_first: option & 2 != 0,
        };
        indexes.push(attnums.iter().zip(options).map(indexed).collect());
        if values.boolean()? && attnums.iter().all(holds_no_null) {
            keys.push(Key {
                columns: attnums,
                primary,
            });
        }
    }
    Ok((indexes, keys))
}

/// [`Catalog::is_foreign_view`].
pub fn is_foreign_view(from: &dyn Answers, oid: Oid) -> Answer<bool> {
    whether(from, Question::Foreign, oid, true)
}

/// [`Catalog::view_tree`].
pub fn view_tree(from: &dyn Answers, oid: Oid) -> Answer<String> {
    object(from, Question::View, oid)?.text()
}

/// [`Catalog::default_equality`], where `catalog` answers all else.
pub fn default_equality(from: &dyn Answers, catalog: &dyn Catalog, type_oid: Oid) -> Answer<Option<DefaultOperators>> {
    default_operators_of(catalog, type_oid, |base| {
        let Some(row) = all(from, Question::Operators, base)?.into_iter().next() else {
            return Ok(None);
        };
        let mut values = Values::of(row);
        Ok(Some([
            values.optional_number()?,
            values.optional_number()?,
            values.optional_number()?,
        ]))
    })
}
