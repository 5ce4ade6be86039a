//! What the core asks, made of rows. A function fails with [`Error::Catalog`] if nothing is known of the object.
#![allow(clippy::missing_errors_doc, reason = "said above")]

use super::values::Values;
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

/// What the first row says, as `read` reads it.
fn one<T>(
    from: &dyn Answers,
    question: Question,
    about: &[&str],
    read: impl FnOnce(&mut Values) -> Option<T>,
) -> Answer<T> {
    let row = from.rows(question, about)?.into_iter().next();
    row.and_then(|row| read(&mut Values::of(row)))
        .ok_or_else(|| unknown(question, about))
}

fn unknown(question: Question, about: &[&str]) -> Error {
    Error::Catalog(format!("nothing is known of {} {}", question.name(), about.join(" ")))
}

fn object<T>(
    from: &dyn Answers,
    question: Question,
    oid: Oid,
    read: impl FnOnce(&mut Values) -> Option<T>,
) -> Answer<T> {
    one(from, question, &[&oid.to_string()], read)
}

/// What `read` makes of all rows about an object.
fn each<T>(
    from: &dyn Answers,
    question: Question,
    oid: Oid,
    read: impl FnMut(&mut Values) -> Option<T>,
) -> Answer<Vec<T>> {
    let mut read = read;
    let mut found = Vec::new();
    for row in all(from, question, oid)? {
        found.push(read(&mut Values::of(row)).ok_or_else(|| unknown(question, &[&oid.to_string()]))?);
    }
    Ok(found)
}

/// Whether something is so of an object; `unknown` where there is no answer.
fn whether(from: &dyn Answers, question: Question, oid: Oid, unknown: bool) -> Answer<bool> {
    let row = all(from, question, oid)?.into_iter().next();
    Ok(row.and_then(|row| Values::of(row).boolean()).unwrap_or(unknown))
}

/// The one value of the answer.
pub fn text(from: &dyn Answers, question: Question, about: &[&str]) -> Answer<String> {
    one(from, question, about, Values::text)
}

/// [`Catalog::function`].
pub fn function(from: &dyn Answers, oid: Oid) -> Answer<Function> {
    let mut function = object(from, Question::Function, oid, |values| {
        Some(Function {
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
        })
    })?;
    if function.result == RECORD {
        function.out_names = each(from, Question::Out, oid, Values::text)?;
    }
    Ok(function)
}

/// [`Catalog::is_compiled`].
pub fn is_compiled(from: &dyn Answers, function: Oid) -> Answer<bool> {
    whether(from, Question::Compiled, function, false)
}

/// [`Catalog::operator`].
pub fn operator(from: &dyn Answers, oid: Oid) -> Answer<Operator> {
    object(from, Question::Operator, oid, |values| {
        Some(Operator {
            oid,
            schema: values.identifier()?,
            name: values.text()?,
            left: values.number()?,
            right: values.number()?,
            result: values.number()?,
            function: values.number()?,
            volatility: values.character()?,
        })
    })
}

/// [`Catalog::type_`].
pub fn type_(from: &dyn Answers, oid: Oid) -> Answer<Type> {
    object(from, Question::Type, oid, |values| {
        Some(Type {
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
    })
}

/// [`Catalog::collation`].
pub fn collation(from: &dyn Answers, oid: Oid) -> Answer<(String, String)> {
    object(from, Question::Collation, oid, |values| {
        Some((values.text()?, values.text()?))
    })
}

/// [`Catalog::relation`].
pub fn relation(from: &dyn Answers, oid: Oid) -> Answer<Relation> {
    let (mut relation, has_policies) = object(from, Question::Relation, oid, |values| relation_of(oid, values))?;
    relation.has_children = relation.has_children && !all(from, Question::Child, oid)?.is_empty();
    relation.row_security = has_policies && whether(from, Question::Restricted, oid, true)?;
    // Constraints that are no foreign keys: the column may hold NULL in rows from before.
    let constraints: Vec<(bool, Option<i16>)> = each(from, Question::Constraint, oid, |values| {
        Some((values.boolean()?, values.number()))
    })?;
    relation.updates_itself = constraints.iter().any(|(is_foreign_key, _)| *is_foreign_key);
    relation.columns = each(from, Question::Column, oid, column)?;
    // What holds for a parent need not hold for its children, if these are no partitions.
    let holds_alone = relation.has_children && !relation.is_partitioned;
    for column in &mut relation.columns {
        column.not_null &= !holds_alone && !constraints.contains(&(false, Some(column.attnum)));
    }
    // Of unique indexes whose columns hold no NULL.
    let holds_no_null =
        |attnum: &i16| (relation.columns.iter()).any(|column| column.attnum == *attnum && column.not_null);
    for (columns, primary, is_unique) in each(from, Question::Index, oid, index)? {
        let attnums: Vec<i16> = columns.iter().map(|column| column.attnum).collect();
        relation.indexes.push(columns);
        if is_unique && attnums.iter().all(holds_no_null) && (!relation.has_children || relation.is_partitioned) {
            relation.keys.push(Key {
                columns: attnums,
                primary,
            });
        }
    }
    Ok(relation)
}

/// What its own row says, and whether it has policies.
fn relation_of(oid: Oid, values: &mut Values) -> Option<(Relation, bool)> {
    let schema = values.identifier()?;
    let name = values.text()?;
    let kind = values.character()?;
    let relation = Relation {
        oid,
        is_system: matches!(schema.as_str(), "pg_catalog" | "information_schema") || schema.starts_with("pg_toast"),
        schema,
        name,
        kind,
        persistence: values.character()?,
        columns: Vec::new(),
        keys: Vec::new(),
        indexes: Vec::new(),
        has_children: values.boolean()?,
        is_partitioned: kind == 'p',
        row_security: false,
        updates_itself: false,
    };
    Some((relation, values.boolean()?))
}

fn column(values: &mut Values) -> Option<Column> {
    Some(Column {
        attnum: values.number()?,
        name: values.text()?,
        type_oid: values.number()?,
        typmod: values.number()?,
        collation: values.number()?,
        not_null: values.boolean()?,
        dropped: values.boolean()?,
        generated: values.text()?.chars().next(),
    })
}

/// The columns of an index, whether it is that of the primary key, and whether it is unique at all times.
fn index(values: &mut Values) -> Option<(Vec<IndexColumn>, bool, bool)> {
    let attnums: Vec<i16> = values.numbers()?;
    let options: Vec<i16> = values.numbers()?;
    // `INDOPTION_DESC` and `INDOPTION_NULLS_FIRST` in index.h.
    let column = |(attnum, option): (i16, i16)| IndexColumn {
        attnum,
        descending: option & 1 != 0,
        nulls_first: option & 2 != 0,
    };
    let columns = attnums.into_iter().take(values.number()?).zip(options).map(column);
    Some((columns.collect(), values.boolean()?, values.boolean()?))
}

/// [`Catalog::is_foreign_view`].
pub fn is_foreign_view(from: &dyn Answers, oid: Oid) -> Answer<bool> {
    whether(from, Question::Foreign, oid, true)
}

/// [`Catalog::view_tree`].
pub fn view_tree(from: &dyn Answers, oid: Oid) -> Answer<String> {
    object(from, Question::View, oid, Values::text)
}

/// [`Catalog::default_equality`], where `catalog` answers all else.
pub fn default_equality(from: &dyn Answers, catalog: &dyn Catalog, type_oid: Oid) -> Answer<Option<DefaultOperators>> {
    default_operators_of(catalog, type_oid, |base| {
        let row = all(from, Question::Operators, base)?.into_iter().next();
        Ok(row.map(|row| {
            let mut values = Values::of(row);
            [values.number(), values.number(), values.number()]
        }))
    })
}
