//! What the core asks of the database, answered by SPI and remembered for one compilation, or for several that follow
//! each other.

use super::error::{Result, SqlError};
use super::ffi::{self, Oid, Row};
use super::settings;
use super::spi;
use pg_trickle_core::answers::{Answers, Question, read};
use pg_trickle_core::catalog::{Catalog, DefaultOperators, Function, Operator, Relation, Type};
use pg_trickle_core::error::Error;
use pg_trickle_core::json::Json;
use pg_trickle_core::sorted::{Map, Set};
use std::cell::RefCell;
use std::rc::Rc;

type Kept<K, V> = RefCell<Map<K, V>>;

/// What has been asked. What is known of a relation depends on who reads it.
#[derive(Default)]
struct Known {
    functions: Kept<Oid, Function>,
    operators: Kept<Oid, Operator>,
    types: Kept<Oid, Type>,
    type_texts: Kept<(Oid, i32), String>,
    relations: Kept<(Oid, Oid), Relation>,
    defaults: Kept<Oid, Option<DefaultOperators>>,
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
}

/// What is known by `key`, which is all that the answer depends on.
fn cached<K: Ord, V: Clone>(answers: &Kept<K, V>, key: K, ask: impl FnOnce() -> Answer<V>) -> Answer<V> {
    if let Some(known) = answers.borrow().get(&key) {
        return Ok(known.clone());
    }
    let answer = ask()?;
    answers.borrow_mut().insert(key, answer.clone());
    Ok(answer)
}

/// The query that answers a question. `$1` is what it is about; who asks comes last.
fn query(question: Question) -> &'static str {
    match question {
        Question::Function => {
            "SELECT pronamespace::regnamespace, proname, provolatile, prokind, proretset, proisstrict, proargtypes, \
         provariadic::oid, prorettype::oid FROM pg_proc WHERE oid = $1::oid"
        }
        Question::Out => {
            "SELECT coalesce(nullif(o.name, ''), 'column' || row_number() OVER (ORDER BY o.n)) FROM pg_proc p, \
         unnest(p.proargmodes, p.proargnames) WITH ORDINALITY o(mode, name, n) \
         WHERE p.oid = $1::oid AND o.mode IN ('o', 'b', 't') ORDER BY o.n"
        }
        Question::Compiled => {
            "SELECT l.lanname = 'c' FROM pg_proc p JOIN pg_language l ON l.oid = p.prolang WHERE p.oid = $1::oid"
        }
        Question::Operator => {
            "SELECT oprnamespace::regnamespace, oprname, oprleft::oid, oprright::oid, oprresult::oid, oprcode::oid, \
         coalesce((SELECT provolatile FROM pg_proc p WHERE p.oid = oprcode), 'v') FROM pg_operator o WHERE oid = $1::oid"
        }
        Question::Type => {
            "SELECT typnamespace::regnamespace, typname, typtype, typcategory, \
         CASE WHEN typsubscript = 'array_subscript_handler'::regproc THEN typelem ELSE 0 END::oid, \
         typarray::oid, typbasetype::oid, typtypmod, typrelid::oid, typcollation::oid FROM pg_type WHERE oid = $1::oid"
        }
        // Names of the path, which shows pg_catalog only, stand without a schema. Those that are no words of SQL get it:
        // the text will be read under another path.
        Question::TypeText => {
            "SELECT CASE WHEN $4 = 'pg_catalog' AND $3 <> 'interval' AND quote_ident($3) = \
             substring(format_type($1::oid, $2::int) FROM '^[^][ (]+') THEN 'pg_catalog.' ELSE '' END || format_type($1::oid, $2::int)"
        }
        Question::Collation => {
            "SELECT n.nspname, c.collname FROM pg_collation c \
             JOIN pg_namespace n ON n.oid = c.collnamespace WHERE c.oid = $1::oid"
        }
        Question::Relation => {
            "SELECT relnamespace::regnamespace, relname, relkind, relpersistence, relhassubclass, relrowsecurity \
         FROM pg_class WHERE oid = $1::oid"
        }
        Question::Child => "SELECT 1 FROM pg_inherits WHERE inhparent = $1::oid LIMIT 1",
        // PostgreSQL 18 has NOT NULL constraints that are NOT VALID.
        Question::Constraint => {
            "SELECT contype = 'f', conkey[1] FROM pg_constraint WHERE conrelid = $1::oid AND \
         (contype = 'n' AND NOT convalidated OR confrelid = conrelid AND confupdtype <> 'a' AND confupdtype <> 'r')"
        }
        Question::Column => {
            "SELECT attnum, attname, atttypid::oid, atttypmod, attcollation::oid, attnotnull, attisdropped, attgenerated \
         FROM pg_attribute WHERE attrelid = $1::oid AND attnum > 0 ORDER BY attnum"
        }
        // `indnkeyatts` leaves INCLUDE columns out; a WITHOUT OVERLAPS key is an exclusion index.
        Question::Index => {
            "SELECT indkey, indoption, indnkeyatts, indisprimary, indisunique AND indimmediate AND NOT indisexclusion FROM pg_index \
         WHERE indrelid = $1::oid AND indisvalid AND indpred IS NULL ORDER BY indisprimary DESC, indexrelid"
        }
        // `check_enable_rls` of PostgreSQL's utils/misc/rls.c.
        Question::Restricted => {
            "SELECT NOT (r.rolsuper OR r.rolbypassrls \
         OR NOT c.relforcerowsecurity AND pg_has_role(r.oid, c.relowner, 'USAGE')) \
         FROM pg_class c, pg_roles r WHERE c.oid = $1::oid AND r.oid = $2::oid"
        }
        // A view of another role shows relations without the privilege, or with policies that apply to the owner of the view as
        // they may not to this role.
        Question::Foreign => {
            "SELECT v.relowner <> $2::oid \
         AND NOT coalesce((SELECT o.option_value::boolean FROM pg_options_to_table(v.reloptions) o \
         WHERE o.option_name = 'security_invoker'), false) AND EXISTS (SELECT FROM pg_rewrite w, pg_depend d, pg_class c \
         WHERE w.ev_class = v.oid AND d.classid = 'pg_rewrite'::regclass AND d.objid = w.oid \
         AND d.refclassid = 'pg_class'::regclass AND d.refobjid <> v.oid AND c.oid = d.refobjid AND c.relkind IN ('r', 'p', 'v') \
         AND (c.relrowsecurity OR NOT has_schema_privilege($2::oid, c.relnamespace, 'USAGE') \
         OR NOT has_table_privilege($2::oid, c.oid, 'SELECT'))) FROM pg_class v WHERE v.oid = $1::oid"
        }
        Question::View => "SELECT ev_action FROM pg_rewrite WHERE ev_class = $1::oid AND rulename = '_RETURN'",
        // Strategies 1, 3 and 5 of btree are less, equal and greater; 1 of hash is equal. A class is right for a type that it
        // names, or that casts to the named type without a function, or that is an array, enum or range where it names any.
        Question::Operators => {
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
         JOIN pg_amop o ON o.amopfamily = b.opcfamily AND o.amoplefttype = b.opcintype AND o.amoprighttype = b.opcintype"
        }
        // Answered without a query.
        Question::Constant => "",
    }
}

impl Answers for SpiCatalog {
    fn rows(&self, question: Question, about: &[&str]) -> Answer<Vec<Row>> {
        let owner = self.owner.to_string();
        let mut args = about.to_vec();
        if matches!(question, Question::Restricted | Question::Foreign) {
            args.push(&owner);
        }
        let rows = match question {
            Question::Constant => ffi::const_text(about[0], settings::WRITING).map(|text| vec![vec![Some(text)]]),
            _ => spi::catalog(query(question), &args.iter().copied().map(Some).collect::<Vec<_>>()),
        };
        let rows = rows.map_err(|failure| {
            let message = failure.message.clone();
            self.failure.borrow_mut().get_or_insert(failure);
            Error::Catalog(message)
        })?;
        record(question.name(), &args, &rows);
        Ok(rows)
    }
}

impl Catalog for SpiCatalog {
    fn function(&self, oid: Oid) -> Answer<Function> {
        cached(&self.known.functions, oid, || read::function(self, oid))
    }

    fn operator(&self, oid: Oid) -> Answer<Operator> {
        cached(&self.known.operators, oid, || read::operator(self, oid))
    }

    fn type_(&self, oid: Oid) -> Answer<Type> {
        cached(&self.known.types, oid, || read::type_(self, oid))
    }

    fn type_sql(&self, oid: Oid, typmod: i32) -> Answer<String> {
        cached(&self.known.type_texts, (oid, typmod), || {
            let mut named = self.type_(oid)?;
            if named.element != 0 {
                named = self.type_(named.element)?;
            }
            let about = [&oid.to_string(), &typmod.to_string(), &named.name, &named.schema];
            read::text(self, Question::TypeText, &about.map(String::as_str))
        })
    }

    fn is_compiled(&self, function: Oid) -> Answer<bool> {
        read::is_compiled(self, function)
    }

    fn collation(&self, oid: Oid) -> Answer<(String, String)> {
        read::collation(self, oid)
    }

    fn relation(&self, oid: Oid) -> Answer<Relation> {
        self.depends.borrow_mut().insert(oid);
        cached(&self.known.relations, (oid, self.owner), || read::relation(self, oid))
    }

    fn row_count(&self, relid: Oid) -> Answer<i64> {
        // Where nobody has counted rows, as many as there are of usual ones on a page.
        let rows = spi::catalog_number(
            "SELECT (pg_relation_size(c.oid) / 8192 * CASE WHEN c.reltuples > 0 AND c.relpages > 0 \
             THEN c.reltuples / c.relpages ELSE 64 END)::bigint FROM pg_class c WHERE c.oid = $1::oid",
            &[Some(&relid.to_string())],
        );
        let rows = rows.map_err(|failure| {
            let message = failure.message.clone();
            self.failure.borrow_mut().get_or_insert(failure);
            Error::Catalog(message)
        })?;
        Ok(rows.unwrap_or(0))
    }

    fn is_foreign_view(&self, oid: Oid) -> Answer<bool> {
        read::is_foreign_view(self, oid)
    }

    fn view_tree(&self, oid: Oid) -> Answer<String> {
        self.depends.borrow_mut().insert(oid);
        read::view_tree(self, oid)
    }

    fn const_text(&self, node: &str) -> Answer<String> {
        read::text(self, Question::Constant, &[node])
    }

    fn default_equality(&self, type_oid: Oid) -> Answer<Option<DefaultOperators>> {
        cached(&self.known.defaults, type_oid, || {
            read::default_equality(self, self, type_oid)
        })
    }
}
