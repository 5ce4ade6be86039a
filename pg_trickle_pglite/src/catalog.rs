//! What the core asks of the database, answered by SPI and remembered for one compilation.

use crate::error::{Result, SqlError};
use crate::ffi::{self, Oid, Setting};
use crate::spi::{self, Values};
use pg_trickle_core::catalog::{Catalog, Column, DefaultOperators, Function, Key, Operator, Relation, Type};
use pg_trickle_core::error::Error;
use pg_trickle_core::sorted::{Map, Set};
use std::cell::RefCell;

/// Constants are written so that they mean the same under all settings.
const WRITING: &[Setting] = &[
    Setting::new(c"DateStyle", c"ISO"),
    Setting::new(c"IntervalStyle", c"iso_8601"),
    Setting::new(c"extra_float_digits", c"1"),
    Setting::new(c"bytea_output", c"hex"),
    Setting::new(c"search_path", c"pg_catalog"),
];

/// The type `record`.
const RECORD: Oid = 2249;

type Answers<K, V> = RefCell<Map<K, V>>;

/// The catalog as it is during one compilation.
#[derive(Default)]
pub struct SpiCatalog {
    functions: Answers<Oid, Function>,
    operators: Answers<Oid, Operator>,
    types: Answers<Oid, Type>,
    type_texts: Answers<(Oid, i32), String>,
    relations: Answers<Oid, Relation>,
    defaults: Answers<Oid, Option<DefaultOperators>>,
    depends: RefCell<Set<Oid>>,
    /// The first error of PostgreSQL. It must be raised, whatever the core makes of it.
    failure: RefCell<Option<Box<SqlError>>>,
}

type Answer<T> = std::result::Result<T, Error>;

impl SpiCatalog {
    /// Knows nothing yet.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// The relations that were asked for; fails when a question failed.
    pub fn finish(self) -> Result<Set<Oid>> {
        match self.failure.into_inner() {
            Some(failure) => Err(failure),
            None => Ok(self.depends.into_inner()),
        }
    }

    fn note<T>(&self, result: Result<T>) -> Answer<T> {
        result.map_err(|failure| {
            let message = failure.message.clone();
            self.failure.borrow_mut().get_or_insert(failure);
            Error::Catalog(message)
        })
    }

    /// What is known of `oid`; `key` is all that the answer depends on.
    fn cached<K: Ord, V: Clone>(
        &self,
        answers: &Answers<K, V>,
        oid: Oid,
        key: K,
        ask: impl FnOnce() -> Result<Option<V>>,
        what: &str,
    ) -> Answer<V> {
        if let Some(known) = answers.borrow().get(&key) {
            return Ok(known.clone());
        }
        let answer = self
            .note(ask())?
            .ok_or_else(|| Error::Catalog(format!("there is no {what} {oid}")))?;
        answers.borrow_mut().insert(key, answer.clone());
        Ok(answer)
    }
}

fn one(text: &str, oid: Oid) -> Result<Option<Values>> {
    let mut rows = spi::catalog(text, &[Some(&oid.to_string())])?;
    Ok(rows.pop().map(Values::of))
}

fn function(oid: Oid) -> Result<Option<Function>> {
    let Some(mut v) = one(
        "SELECT n.nspname, p.proname, p.provolatile, p.prokind, p.proretset, p.proisstrict, p.proargtypes, \
         p.provariadic::oid, p.prorettype::oid FROM pg_proc p JOIN pg_namespace n ON n.oid = p.pronamespace \
         WHERE p.oid = $1::oid",
        oid,
    )?
    else {
        return Ok(None);
    };
    let mut function = Function {
        oid,
        schema: v.text()?,
        name: v.text()?,
        volatility: v.character()?,
        kind: v.character()?,
        returns_set: v.boolean()?,
        strict: v.boolean()?,
        arg_types: v.numbers()?,
        variadic: v.number()?,
        result: v.number()?,
        out_names: Vec::new(),
    };
    if function.result == RECORD {
        function.out_names = out_names(oid)?;
    }
    Ok(Some(function))
}

fn out_names(oid: Oid) -> Result<Vec<String>> {
    spi::catalog(
        "SELECT coalesce(nullif(o.name, ''), 'column' || row_number() OVER (ORDER BY o.n)) FROM pg_proc p, \
         unnest(p.proargmodes, p.proargnames) WITH ORDINALITY o(mode, name, n) \
         WHERE p.oid = $1::oid AND o.mode IN ('o', 'b', 't') ORDER BY o.n",
        &[Some(&oid.to_string())],
    )?
    .into_iter()
    .map(|row| Values::of(row).text())
    .collect()
}

fn operator(oid: Oid) -> Result<Option<Operator>> {
    let Some(mut v) = one(
        "SELECT n.nspname, o.oprname, o.oprleft::oid, o.oprright::oid, o.oprresult::oid, o.oprcode::oid, \
         coalesce(p.provolatile, 'v') FROM pg_operator o JOIN pg_namespace n ON n.oid = o.oprnamespace \
         LEFT JOIN pg_proc p ON p.oid = o.oprcode WHERE o.oid = $1::oid",
        oid,
    )?
    else {
        return Ok(None);
    };
    Ok(Some(Operator {
        oid,
        schema: v.text()?,
        name: v.text()?,
        left: v.number()?,
        right: v.number()?,
        result: v.number()?,
        function: v.number()?,
        volatility: v.character()?,
    }))
}

fn type_(oid: Oid) -> Result<Option<Type>> {
    let Some(mut v) = one(
        "SELECT n.nspname, t.typname, t.typtype, t.typcategory, \
         CASE WHEN t.typsubscript = 'array_subscript_handler'::regproc THEN t.typelem ELSE 0 END::oid, \
         t.typarray::oid, t.typbasetype::oid, t.typtypmod, t.typrelid::oid, t.typcollation::oid \
         FROM pg_type t JOIN pg_namespace n ON n.oid = t.typnamespace WHERE t.oid = $1::oid",
        oid,
    )?
    else {
        return Ok(None);
    };
    Ok(Some(Type {
        oid,
        schema: v.text()?,
        name: v.text()?,
        kind: v.character()?,
        category: v.character()?,
        element: v.number()?,
        array: v.number()?,
        base: v.number()?,
        base_typmod: v.number()?,
        relid: v.number()?,
        collation: v.number()?,
    }))
}

/// Outside of `pg_catalog`, `format_type` writes the schema unless the path shows the type; the path shows nothing
/// else here. Names of `pg_catalog` that are no words of SQL are written with their schema.
fn type_text(oid: Oid, typmod: i32) -> Result<Option<String>> {
    spi::catalog_value(
        "SELECT CASE WHEN n.nspname <> 'pg_catalog' THEN format_type(t.oid, m.typmod) \
         WHEN e.typname = 'interval' THEN format_type(t.oid, m.typmod) \
         WHEN quote_ident(e.typname) = substring(format_type(e.oid, m.typmod) FROM '^[^ (]+') \
         THEN 'pg_catalog.' || format_type(t.oid, m.typmod) ELSE format_type(t.oid, m.typmod) END \
         FROM (SELECT $2::int AS typmod) m, pg_type t \
         JOIN pg_type e ON e.oid = CASE WHEN t.typsubscript = 'array_subscript_handler'::regproc AND t.typelem <> 0 \
         AND t.typlen = -1 THEN t.typelem ELSE t.oid END \
         JOIN pg_namespace n ON n.oid = e.typnamespace WHERE t.oid = $1::oid",
        &[Some(&oid.to_string()), Some(&typmod.to_string())],
    )
}

fn relation(oid: Oid) -> Result<Option<Relation>> {
    let Some(mut v) = one(
        "SELECT n.nspname, c.relname, c.relkind, c.relpersistence, \
         EXISTS (SELECT FROM pg_inherits i WHERE i.inhparent = c.oid), c.relrowsecurity, \
         n.nspname IN ('pg_catalog', 'information_schema') OR n.nspname LIKE 'pg\\_toast%' \
         FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace WHERE c.oid = $1::oid",
        oid,
    )?
    else {
        return Ok(None);
    };
    let (schema, name) = (v.text()?, v.text()?);
    let (kind, persistence) = (v.character()?, v.character()?);
    let (has_children, row_security, is_system) = (v.boolean()?, v.boolean()?, v.boolean()?);
    let is_partitioned = kind == 'p';
    Ok(Some(Relation {
        oid,
        schema,
        name,
        kind,
        persistence,
        columns: columns(oid)?,
        keys: if has_children && !is_partitioned {
            Vec::new()
        } else {
            keys(oid)?
        },
        indexed: indexed(oid)?,
        has_children,
        is_partitioned,
        row_security,
        is_system,
    }))
}

fn columns(oid: Oid) -> Result<Vec<Column>> {
    spi::catalog(
        "SELECT attnum, attname, atttypid::oid, atttypmod, attcollation::oid, attnotnull, attisdropped, attgenerated \
         FROM pg_attribute WHERE attrelid = $1::oid AND attnum > 0 ORDER BY attnum",
        &[Some(&oid.to_string())],
    )?
    .into_iter()
    .map(|row| {
        let mut v = Values::of(row);
        Ok(Column {
            attnum: v.number()?,
            name: v.text()?,
            type_oid: v.number()?,
            typmod: v.number()?,
            collation: v.number()?,
            not_null: v.boolean()?,
            dropped: v.boolean()?,
            generated: v.text()?.chars().next(),
        })
    })
    .collect()
}

fn indexed(oid: Oid) -> Result<Vec<i16>> {
    let list = spi::catalog_value(
        "SELECT string_agg(DISTINCT i.indkey[0]::text, ' ') FROM pg_index i \
         WHERE i.indrelid = $1::oid AND i.indisvalid AND i.indpred IS NULL",
        &[Some(&oid.to_string())],
    )?;
    let list = list.unwrap_or_default();
    Ok(list
        .split_whitespace()
        .filter_map(|attnum| attnum.parse().ok())
        .collect())
}

/// `indnkeyatts` leaves INCLUDE columns out; a WITHOUT OVERLAPS key is an exclusion index.
fn keys(oid: Oid) -> Result<Vec<Key>> {
    spi::catalog(
        "SELECT (SELECT string_agg(k.attnum::text, ' ' ORDER BY k.n) \
         FROM unnest(i.indkey::int2[]) WITH ORDINALITY k(attnum, n) WHERE k.n <= i.indnkeyatts), \
         i.indisprimary FROM pg_index i \
         WHERE i.indrelid = $1::oid AND i.indisunique AND i.indimmediate AND i.indisvalid AND i.indpred IS NULL \
         AND NOT i.indisexclusion AND NOT EXISTS (SELECT FROM unnest(i.indkey::int2[]) WITH ORDINALITY k(attnum, n) \
         LEFT JOIN pg_attribute a ON a.attrelid = i.indrelid AND a.attnum = k.attnum \
         WHERE k.n <= i.indnkeyatts AND a.attnotnull IS NOT TRUE) ORDER BY i.indisprimary DESC, i.indexrelid",
        &[Some(&oid.to_string())],
    )?
    .into_iter()
    .map(|row| {
        let mut v = Values::of(row);
        Ok(Key {
            columns: v.numbers()?,
            primary: v.boolean()?,
        })
    })
    .collect()
}

/// Strategies 1, 3 and 5 of btree are less, equal and greater; 1 of hash is equal. A class is right for a type that it
/// names, or that casts to the named type without a function, or that is an array, enum or range where it names any.
fn default_operators(oid: Oid) -> Result<Option<[Option<Oid>; 3]>> {
    let row = spi::catalog(
        "WITH RECURSIVE bases(oid, typtype, base, n) AS (SELECT oid, typtype, typbasetype, 0 FROM pg_type WHERE oid = $1::oid \
         UNION ALL SELECT t.oid, t.typtype, t.typbasetype, b.n + 1 FROM bases b JOIN pg_type t ON t.oid = b.base AND b.typtype = 'd'), \
         base AS (SELECT t.*, t.typsubscript = 'array_subscript_handler'::regproc AND t.typelem <> 0 AS is_array \
         FROM pg_type t JOIN (SELECT oid FROM bases ORDER BY n DESC LIMIT 1) l ON l.oid = t.oid), \
         classes AS (SELECT c.opcfamily, c.opcintype, a.amname, \
         CASE WHEN c.opcintype = b.oid THEN 0 WHEN y.typtype = 'p' THEN 2 ELSE 1 END AS rank FROM base b, pg_opclass c \
         JOIN pg_am a ON a.oid = c.opcmethod AND a.amname IN ('btree', 'hash') JOIN pg_type y ON y.oid = c.opcintype \
         WHERE c.opcdefault AND (c.opcintype = b.oid \
         OR c.opcintype = 'anyarray'::regtype AND b.is_array OR c.opcintype = 'anyenum'::regtype AND b.typtype = 'e' \
         OR c.opcintype = 'anyrange'::regtype AND b.typtype = 'r' OR c.opcintype = 'anymultirange'::regtype AND b.typtype = 'm' \
         OR c.opcintype = 'record'::regtype AND b.typtype = 'c' \
         OR EXISTS (SELECT FROM pg_cast k WHERE k.castsource = b.oid AND k.casttarget = c.opcintype \
         AND k.castmethod = 'b' AND k.castcontext = 'i'))), \
         best AS (SELECT * FROM classes ORDER BY amname, rank, opcintype LIMIT 1) \
         SELECT max(o.amopopr) FILTER (WHERE o.amopstrategy = CASE b.amname WHEN 'btree' THEN 3 ELSE 1 END)::oid, \
         max(o.amopopr) FILTER (WHERE b.amname = 'btree' AND o.amopstrategy = 1)::oid, \
         max(o.amopopr) FILTER (WHERE b.amname = 'btree' AND o.amopstrategy = 5)::oid FROM best b \
         JOIN pg_amop o ON o.amopfamily = b.opcfamily AND o.amoplefttype = b.opcintype AND o.amoprighttype = b.opcintype",
        &[Some(&oid.to_string())],
    )?
    .pop();
    let Some(row) = row else { return Ok(None) };
    let mut found = [None; 3];
    for (to, from) in found.iter_mut().zip(row) {
        *to = from.and_then(|text| text.parse().ok());
    }
    Ok(Some(found))
}

impl Catalog for SpiCatalog {
    fn function(&self, oid: Oid) -> Answer<Function> {
        self.cached(&self.functions, oid, oid, || function(oid), "function")
    }

    fn operator(&self, oid: Oid) -> Answer<Operator> {
        self.cached(&self.operators, oid, oid, || operator(oid), "operator")
    }

    fn type_(&self, oid: Oid) -> Answer<Type> {
        self.cached(&self.types, oid, oid, || type_(oid), "type")
    }

    fn type_sql(&self, oid: Oid, typmod: i32) -> Answer<String> {
        self.cached(&self.type_texts, oid, (oid, typmod), || type_text(oid, typmod), "type")
    }

    fn collation(&self, oid: Oid) -> Answer<(String, String)> {
        let found = self.note(one(
            "SELECT n.nspname, c.collname FROM pg_collation c \
             JOIN pg_namespace n ON n.oid = c.collnamespace WHERE c.oid = $1::oid",
            oid,
        ))?;
        let mut v = found.ok_or_else(|| Error::Catalog(format!("there is no collation {oid}")))?;
        Ok((self.note(v.text())?, self.note(v.text())?))
    }

    fn relation(&self, oid: Oid) -> Answer<Relation> {
        self.depends.borrow_mut().insert(oid);
        self.cached(&self.relations, oid, oid, || relation(oid), "relation")
    }

    fn view_tree(&self, oid: Oid) -> Answer<String> {
        self.depends.borrow_mut().insert(oid);
        self.note(spi::catalog_value(
            "SELECT ev_action FROM pg_rewrite WHERE ev_class = $1::oid AND rulename = '_RETURN'",
            &[Some(&oid.to_string())],
        ))?
        .ok_or_else(|| Error::Catalog(format!("relation {oid} is no view")))
    }

    fn const_text(&self, node: &str) -> Answer<String> {
        self.note(ffi::const_text(node, WRITING))
    }

    fn default_equality(&self, type_oid: Oid) -> Answer<Option<DefaultOperators>> {
        if let Some(known) = self.defaults.borrow().get(&type_oid) {
            return Ok(known.clone());
        }
        let found = self.note(default_operators(type_oid))?;
        let optional = |oid: Option<Oid>| oid.map(|oid| self.operator(oid)).transpose();
        let answer = match found {
            Some([Some(equal), less, greater]) => Some(DefaultOperators {
                equality: self.operator(equal)?,
                less: optional(less)?,
                greater: optional(greater)?,
            }),
            Some([None, ..]) | None => None,
        };
        self.defaults.borrow_mut().insert(type_oid, answer.clone());
        Ok(answer)
    }
}
