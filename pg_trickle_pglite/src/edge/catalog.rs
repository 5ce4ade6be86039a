//! What the core asks of the database, answered by SPI and remembered for one compilation, or for several that follow
//! each other.

use super::error::{Result, SqlError};
use super::ffi::{self, Oid, Row};
use super::settings;
use super::spi::{self, Values};
use pg_trickle_core::catalog::{
    BaseOperators, Catalog, Column, DefaultOperators, Function, IndexColumn, Key, Operator, Relation, Type,
    default_operators_of,
};
use pg_trickle_core::error::Error;
use pg_trickle_core::json::Json;
use pg_trickle_core::sorted::{Map, Set};
use std::cell::RefCell;
use std::rc::Rc;

/// The type `record`.
const RECORD: Oid = 2249;

type Answers<K, V> = RefCell<Map<K, V>>;

/// What has been asked. What is known of a relation depends on who reads it.
#[derive(Default)]
struct Known {
    functions: Answers<Oid, Function>,
    operators: Answers<Oid, Operator>,
    types: Answers<Oid, Type>,
    type_texts: Answers<(Oid, i32), String>,
    relations: Answers<(Oid, Oid), Relation>,
    defaults: Answers<Oid, Option<DefaultOperators>>,
}

thread_local! {
    /// What compilations share that follow each other.
    static SHARED: RefCell<Option<Rc<Known>>> = const { RefCell::new(None) };
    /// The answers so far, while they are recorded.
    static ANSWERS: RefCell<Option<Vec<Json>>> = const { RefCell::new(None) };
}

/// Records all questions that `body` asks, with the rows that PostgreSQL answers: what the planner without a database needs.
pub fn recorded(body: impl FnOnce() -> Result<()>) -> Result<Json> {
    ANSWERS.set(Some(Vec::new()));
    let done = body();
    let answers = ANSWERS.take().unwrap_or_default();
    done.map(|()| Json::Array(answers))
}

fn record(question: &str, args: &[&str], rows: &[Row]) {
    ANSWERS.with_borrow_mut(|record| {
        if let Some(record) = record {
            let row = |row: &Row| Json::Array(row.iter().map(|value| Json::optional(value.as_deref())).collect());
            let args = args.iter().map(|arg| Json::Text((*arg).to_owned()));
            record.push(Json::Array(vec![
                Json::Text(question.to_owned()),
                Json::Array(args.collect()),
                Json::Array(rows.iter().map(row).collect()),
            ]));
        }
    });
}

/// Asks the catalog. `question` names the query, for the planner without a database.
fn ask(question: &str, text: &str, args: &[&str]) -> Result<Vec<Row>> {
    let values: Vec<Option<&str>> = args.iter().copied().map(Some).collect();
    let rows = spi::catalog(text, &values)?;
    record(question, args, &rows);
    Ok(rows)
}

/// While it exists, compilations share what they ask. Nothing may change the catalog.
pub struct Shared(bool);

impl Shared {
    /// Several compilations follow, of queries that are likely to read the same tables.
    #[must_use]
    pub fn start() -> Self {
        Self(SHARED.with_borrow_mut(|shared| {
            let is_first = shared.is_none();
            shared.get_or_insert_default();
            is_first
        }))
    }
}

impl Drop for Shared {
    fn drop(&mut self) {
        if self.0 {
            drop(SHARED.take());
        }
    }
}

/// The catalog as it is during one compilation.
pub struct SpiCatalog {
    /// The owner of the stream table.
    owner: Oid,
    known: Rc<Known>,
    depends: RefCell<Set<Oid>>,
    /// The first error of PostgreSQL. It must be raised, whatever the core makes of it.
    failure: RefCell<Option<Box<SqlError>>>,
}

type Answer<T> = std::result::Result<T, Error>;

impl SpiCatalog {
    /// Asks what a role sees. Returns the answer and the relations that were asked for. Fails with the error of a question
    /// that failed, whatever `body` makes of it, and where it panics.
    pub fn ask<T>(owner: Oid, body: impl FnOnce(&Self) -> Answer<T>) -> Result<(T, Set<Oid>)> {
        let catalog = Self {
            owner,
            known: SHARED.with_borrow(Clone::clone).unwrap_or_default(),
            depends: RefCell::default(),
            failure: RefCell::default(),
        };
        let answer = ffi::caught(|| Ok(body(&catalog)));
        match catalog.failure.into_inner() {
            Some(failure) => Err(failure),
            None => Ok((answer??, catalog.depends.into_inner())),
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

fn one(question: &str, text: &str, oid: Oid) -> Result<Option<Values>> {
    let mut rows = ask(question, text, &[&oid.to_string()])?;
    Ok(rows.pop().map(Values::of))
}

fn function(oid: Oid) -> Result<Option<Function>> {
    let Some(mut v) = one(
        "function",
        "SELECT pronamespace::regnamespace, proname, provolatile, prokind, proretset, proisstrict, proargtypes, \
         provariadic::oid, prorettype::oid FROM pg_proc WHERE oid = $1::oid",
        oid,
    )?
    else {
        return Ok(None);
    };
    let mut function = Function {
        oid,
        schema: v.identifier()?,
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
    ask(
        "out",
        "SELECT coalesce(nullif(o.name, ''), 'column' || row_number() OVER (ORDER BY o.n)) FROM pg_proc p, \
         unnest(p.proargmodes, p.proargnames) WITH ORDINALITY o(mode, name, n) \
         WHERE p.oid = $1::oid AND o.mode IN ('o', 'b', 't') ORDER BY o.n",
        &[&oid.to_string()],
    )?
    .into_iter()
    .map(|row| Values::of(row).text())
    .collect()
}

fn operator(oid: Oid) -> Result<Option<Operator>> {
    let Some(mut v) = one(
        "operator",
        "SELECT oprnamespace::regnamespace, oprname, oprleft::oid, oprright::oid, oprresult::oid, oprcode::oid, \
         coalesce((SELECT provolatile FROM pg_proc p WHERE p.oid = oprcode), 'v') FROM pg_operator o WHERE oid = $1::oid",
        oid,
    )?
    else {
        return Ok(None);
    };
    Ok(Some(Operator {
        oid,
        schema: v.identifier()?,
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
        "type",
        "SELECT typnamespace::regnamespace, typname, typtype, typcategory, \
         CASE WHEN typsubscript = 'array_subscript_handler'::regproc THEN typelem ELSE 0 END::oid, \
         typarray::oid, typbasetype::oid, typtypmod, typrelid::oid, typcollation::oid FROM pg_type WHERE oid = $1::oid",
        oid,
    )?
    else {
        return Ok(None);
    };
    Ok(Some(Type {
        oid,
        schema: v.identifier()?,
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

fn relation(oid: Oid, reader: Oid) -> Result<Option<Relation>> {
    let Some(mut v) = one(
        "relation",
        "SELECT relnamespace::regnamespace, relname, relkind, relpersistence, relhassubclass, relrowsecurity \
         FROM pg_class WHERE oid = $1::oid",
        oid,
    )?
    else {
        return Ok(None);
    };
    let (schema, name) = (v.identifier()?, v.text()?);
    let (kind, persistence) = (v.character()?, v.character()?);
    let (mut has_children, has_policies) = (v.boolean()?, v.boolean()?);
    let is_system = matches!(schema.as_str(), "pg_catalog" | "information_schema") || schema.starts_with("pg_toast");
    if has_children {
        let child = one(
            "child",
            "SELECT 1 FROM pg_inherits WHERE inhparent = $1::oid LIMIT 1",
            oid,
        )?;
        has_children = child.is_some();
    }
    let is_partitioned = kind == 'p';
    // PostgreSQL 18 has NOT NULL constraints that are NOT VALID: rows from before may hold NULL. The others change rows of
    // this table when it is updated.
    let constraints = ask(
        "constraint",
        "SELECT contype = 'f', conkey[1] FROM pg_constraint WHERE conrelid = $1::oid AND \
         (contype = 'n' AND NOT convalidated OR confrelid = conrelid AND confupdtype <> 'a' AND confupdtype <> 'r')",
        &[&oid.to_string()],
    )?;
    let (mut updates_itself, mut unsure) = (false, Vec::new());
    for row in constraints {
        let mut v = Values::of(row);
        if v.boolean()? {
            updates_itself = true;
        } else {
            unsure.push(v.number()?);
        }
    }
    let columns = columns(oid, &unsure)?;
    let (indexes, mut keys) = indexes(oid, &columns)?;
    if has_children && !is_partitioned {
        keys.clear();
    }
    Ok(Some(Relation {
        oid,
        schema,
        name,
        kind,
        persistence,
        columns,
        keys,
        indexes,
        has_children,
        is_partitioned,
        row_security: has_policies && is_restricted(oid, reader)?,
        is_system,
        updates_itself,
    }))
}

/// Whether the policies of a table apply to this role: `check_enable_rls` of PostgreSQL's utils/misc/rls.c.
fn is_restricted(oid: Oid, reader: Oid) -> Result<bool> {
    let text = "SELECT NOT (r.rolsuper OR r.rolbypassrls \
         OR NOT c.relforcerowsecurity AND pg_has_role(r.oid, c.relowner, 'USAGE')) \
         FROM pg_class c, pg_roles r WHERE c.oid = $1::oid AND r.oid = $2::oid";
    Ok(answer("restricted", text, oid, reader)?.unwrap_or(true))
}

/// Whether a view of another role shows what this role cannot read by itself: relations without the privilege, or with
/// policies that apply to the owner of the view as they may not to this role.
fn is_foreign(view: Oid, reader: Oid) -> Result<bool> {
    let text = "SELECT v.relowner <> $2::oid \
         AND NOT coalesce((SELECT o.option_value::boolean FROM pg_options_to_table(v.reloptions) o \
         WHERE o.option_name = 'security_invoker'), false) AND EXISTS (SELECT FROM pg_rewrite w, pg_depend d, pg_class c \
         WHERE w.ev_class = v.oid AND d.classid = 'pg_rewrite'::regclass AND d.objid = w.oid \
         AND d.refclassid = 'pg_class'::regclass AND d.refobjid <> v.oid AND c.oid = d.refobjid AND c.relkind IN ('r', 'p', 'v') \
         AND (c.relrowsecurity OR NOT has_schema_privilege($2::oid, c.relnamespace, 'USAGE') \
         OR NOT has_table_privilege($2::oid, c.oid, 'SELECT'))) FROM pg_class v WHERE v.oid = $1::oid";
    Ok(answer("foreign", text, view, reader)?.unwrap_or(true))
}

fn answer(question: &str, text: &str, oid: Oid, reader: Oid) -> Result<Option<bool>> {
    let row = ask(question, text, &[&oid.to_string(), &reader.to_string()])?.pop();
    row.map(|row| Values::of(row).boolean()).transpose()
}

fn columns(oid: Oid, unsure: &[i16]) -> Result<Vec<Column>> {
    ask(
        "column",
        "SELECT attnum, attname, atttypid::oid, atttypmod, attcollation::oid, attnotnull, attisdropped, attgenerated \
         FROM pg_attribute WHERE attrelid = $1::oid AND attnum > 0 ORDER BY attnum",
        &[&oid.to_string()],
    )?
    .into_iter()
    .map(|row| {
        let mut v = Values::of(row);
        let attnum = v.number()?;
        Ok(Column {
            attnum,
            name: v.text()?,
            type_oid: v.number()?,
            typmod: v.number()?,
            collation: v.number()?,
            not_null: v.boolean()? && !unsure.contains(&attnum),
            dropped: v.boolean()?,
            generated: v.text()?.chars().next(),
        })
    })
    .collect()
}

/// The columns of indexes, and the keys: of unique indexes whose columns hold no NULL, the primary key first.
/// `indnkeyatts` leaves INCLUDE columns out; a WITHOUT OVERLAPS key is an exclusion index.
fn indexes(oid: Oid, columns: &[Column]) -> Result<(Vec<Vec<IndexColumn>>, Vec<Key>)> {
    let rows = ask(
        "index",
        "SELECT indkey, indoption, indnkeyatts, indisprimary, indisunique AND indimmediate AND NOT indisexclusion FROM pg_index \
         WHERE indrelid = $1::oid AND indisvalid AND indpred IS NULL ORDER BY indisprimary DESC, indexrelid",
        &[&oid.to_string()],
    )?;
    let (mut indexes, mut keys) = (Vec::new(), Vec::new());
    for row in rows {
        let mut v = Values::of(row);
        let mut attnums: Vec<i16> = v.numbers()?;
        let options: Vec<i16> = v.numbers()?;
        let (count, primary) = (v.number()?, v.boolean()?);
        attnums.truncate(count);
        // `INDOPTION_DESC` and `INDOPTION_NULLS_FIRST` in index.h.
        let column = |(attnum, option): (&i16, i16)| IndexColumn {
            attnum: *attnum,
            descending: option & 1 != 0,
            nulls_first: option & 2 != 0,
        };
        indexes.push(attnums.iter().zip(options).map(column).collect());
        let holds_no_null = |attnum: &i16| columns.iter().any(|column| column.attnum == *attnum && column.not_null);
        if v.boolean()? && attnums.iter().all(holds_no_null) {
            keys.push(Key {
                columns: attnums,
                primary,
            });
        }
    }
    Ok((indexes, keys))
}

/// Strategies 1, 3 and 5 of btree are less, equal and greater; 1 of hash is equal. A class is right for a type that it
/// names, or that casts to the named type without a function, or that is an array, enum or range where it names any.
fn default_operators(oid: Oid) -> Result<BaseOperators> {
    let row = ask(
        "operators",
        "WITH classes AS (SELECT c.opcfamily, c.opcintype, a.amname, \
         CASE WHEN c.opcintype = b.oid THEN 0 WHEN y.typtype = 'p' THEN 2 ELSE 1 END AS rank FROM pg_type b, pg_opclass c \
         JOIN pg_am a ON a.oid = c.opcmethod AND a.amname IN ('btree', 'hash') JOIN pg_type y ON y.oid = c.opcintype \
         WHERE b.oid = $1::oid AND c.opcdefault AND (c.opcintype = b.oid OR c.opcintype = 'anyarray'::regtype \
         AND b.typsubscript = 'array_subscript_handler'::regproc AND b.typelem <> 0 \
         OR c.opcintype = 'anyenum'::regtype AND b.typtype = 'e' \
         OR c.opcintype = 'anyrange'::regtype AND b.typtype = 'r' OR c.opcintype = 'anymultirange'::regtype AND b.typtype = 'm' \
         OR c.opcintype = 'record'::regtype AND b.typtype = 'c' \
         OR EXISTS (SELECT FROM pg_cast k WHERE k.castsource = b.oid AND k.casttarget = c.opcintype \
         AND k.castmethod = 'b' AND k.castcontext = 'i'))), \
         best AS (SELECT * FROM classes ORDER BY amname, rank, opcintype LIMIT 1) \
         SELECT max(o.amopopr) FILTER (WHERE o.amopstrategy = CASE b.amname WHEN 'btree' THEN 3 ELSE 1 END)::oid, \
         max(o.amopopr) FILTER (WHERE b.amname = 'btree' AND o.amopstrategy = 1)::oid, \
         max(o.amopopr) FILTER (WHERE b.amname = 'btree' AND o.amopstrategy = 5)::oid FROM best b \
         JOIN pg_amop o ON o.amopfamily = b.opcfamily AND o.amoplefttype = b.opcintype AND o.amoprighttype = b.opcintype",
        &[&oid.to_string()],
    )?
    .pop();
    let Some(row) = row else { return Ok(None) };
    let mut v = Values::of(row);
    Ok(Some([v.optional_number()?, v.optional_number()?, v.optional_number()?]))
}

impl Catalog for SpiCatalog {
    fn function(&self, oid: Oid) -> Answer<Function> {
        self.cached(&self.known.functions, oid, oid, || function(oid), "function")
    }

    fn operator(&self, oid: Oid) -> Answer<Operator> {
        self.cached(&self.known.operators, oid, oid, || operator(oid), "operator")
    }

    fn type_(&self, oid: Oid) -> Answer<Type> {
        self.cached(&self.known.types, oid, oid, || type_(oid), "type")
    }

    fn type_sql(&self, oid: Oid, typmod: i32) -> Answer<String> {
        if let Some(known) = self.known.type_texts.borrow().get(&(oid, typmod)) {
            return Ok(known.clone());
        }
        let type_ = self.type_(oid)?;
        let named = if type_.element == 0 {
            type_
        } else {
            self.type_(type_.element)?
        };
        // Names of the path, which shows pg_catalog only, stand without a schema. Those that are no words of SQL get it:
        // the text will be read under another path.
        let mut rows = self.note(ask(
            "typeText",
            "SELECT CASE WHEN $4 = 'pg_catalog' AND $3 <> 'interval' AND quote_ident($3) = \
             substring(format_type($1::oid, $2::int) FROM '^[^][ (]+') THEN 'pg_catalog.' ELSE '' END || format_type($1::oid, $2::int)",
            &[&oid.to_string(), &typmod.to_string(), &named.name, &named.schema],
        ))?;
        let text = rows
            .pop()
            .and_then(|row| row.into_iter().next().flatten())
            .unwrap_or_default();
        self.known.type_texts.borrow_mut().insert((oid, typmod), text.clone());
        Ok(text)
    }

    fn is_compiled(&self, function: Oid) -> Answer<bool> {
        let found = self.note(one(
            "compiled",
            "SELECT l.lanname = 'c' FROM pg_proc p JOIN pg_language l ON l.oid = p.prolang WHERE p.oid = $1::oid",
            function,
        ))?;
        found.map_or(Ok(false), |mut values| self.note(values.boolean()))
    }

    fn collation(&self, oid: Oid) -> Answer<(String, String)> {
        let found = self.note(one(
            "collation",
            "SELECT n.nspname, c.collname FROM pg_collation c \
             JOIN pg_namespace n ON n.oid = c.collnamespace WHERE c.oid = $1::oid",
            oid,
        ))?;
        let mut v = found.ok_or_else(|| Error::Catalog(format!("there is no collation {oid}")))?;
        Ok((self.note(v.text())?, self.note(v.text())?))
    }

    fn relation(&self, oid: Oid) -> Answer<Relation> {
        self.depends.borrow_mut().insert(oid);
        self.cached(
            &self.known.relations,
            oid,
            (oid, self.owner),
            || relation(oid, self.owner),
            "relation",
        )
    }

    fn is_foreign_view(&self, oid: Oid) -> Answer<bool> {
        self.note(is_foreign(oid, self.owner))
    }

    fn view_tree(&self, oid: Oid) -> Answer<String> {
        self.depends.borrow_mut().insert(oid);
        let found = self.note(one(
            "view",
            "SELECT ev_action FROM pg_rewrite WHERE ev_class = $1::oid AND rulename = '_RETURN'",
            oid,
        ))?;
        let tree = found.and_then(|mut values| values.optional());
        tree.ok_or_else(|| Error::Catalog(format!("relation {oid} is no view")))
    }

    fn const_text(&self, node: &str) -> Answer<String> {
        let text = self.note(ffi::const_text(node, settings::WRITING))?;
        record("constant", &[node], &[vec![Some(text.clone())]]);
        Ok(text)
    }

    fn default_equality(&self, type_oid: Oid) -> Answer<Option<DefaultOperators>> {
        if let Some(known) = self.known.defaults.borrow().get(&type_oid) {
            return Ok(known.clone());
        }
        let answer = default_operators_of(self, type_oid, |base| self.note(default_operators(base)))?;
        self.known.defaults.borrow_mut().insert(type_oid, answer.clone());
        Ok(answer)
    }
}
