//! Compiled stream tables: read from the catalog and compiled when first needed, remembered in the session.

use crate::catalog::SpiCatalog;
use crate::error::{Result, SqlError};
use crate::ffi::{Delta, Oid, Outcome, Row, Run, Steps};
use crate::plans::{self, Action, Kept};
use crate::push;
use crate::session;
use crate::spi::{self, Values};
use crate::sql;
use pg_trickle_core::plan::{Change, OutputColumn, Source, Statement};
use pg_trickle_core::sorted::Set;
use pg_trickle_core::{Input, Stage, compile as compile_query};
use std::cell::RefCell;
use std::ffi::CString;
use std::rc::Rc;

/// A stream table, compiled.
pub struct StreamTable {
    /// Its id in our catalog.
    pub id: i32,
    /// Its qualified name.
    pub name: String,
    /// The user's view.
    pub relid: Oid,
    /// Stream tables below it, at most, on the way to a plain table.
    pub depth: u32,
    /// Its owner.
    pub role: Oid,
    /// The qualified name of the definition view.
    pub definition: String,
    /// The qualified name of the storage table.
    pub storage: String,
    /// What the catalog says the storage looks like.
    pub stored_layout: String,
    /// Filled, and maintained.
    pub populated: bool,
    /// The relations whose change makes all this obsolete.
    pub depends: Set<Oid>,
    /// What the catalogs said of these when it was compiled.
    fingerprint: String,
    /// The visible columns.
    pub columns: Vec<OutputColumn>,
    /// Gives the text of the rows that a change of the storage is to users ([`pg_trickle_core::Plan::change_rows`]).
    pub shown: String,
    /// Its stages, bottom first; the last one's storage is what users see.
    pub stages: Vec<Rc<Maintained>>,
}

/// Which stage of which stream table.
pub type StageKey = (i32, usize);

/// A stage, ready to be maintained.
pub struct Maintained {
    /// The stream table, and the stage's place in it, from the bottom.
    pub key: StageKey,
    /// Depth of the stream table.
    pub depth: u32,
    /// What to do.
    pub stage: Stage,
    role: Oid,
    label: CString,
    search_path: CString,
    sources: Vec<Names>,
    kept: RefCell<Kept>,
}

/// A table that a stage reads.
pub struct Names {
    /// The table.
    pub relid: Oid,
    /// The OID that the compiler knows it by.
    pub known_as: Oid,
    /// The name of its transition table of new versions.
    pub added: CString,
    /// The name of its transition table of old versions.
    pub removed: CString,
    /// The columns that are read.
    pub columns: Vec<i16>,
    /// Where rows lie matters.
    pub physical: bool,
}

/// Who reads a table.
pub struct Table {
    /// The table.
    pub relid: Oid,
    /// The stages.
    pub users: Vec<User>,
    /// The stream table with subscribers whose storage it is.
    pub pushes: Option<i32>,
}

/// A stage that reads a table.
pub struct User {
    /// The stage.
    pub stage: Rc<Maintained>,
    /// The columns that it reads.
    pub columns: Vec<i16>,
    /// The rows of a change tell all that it does to the stage. Not so where the stage reads a parent or a child of the
    /// table: those rows are a part of another table's then, and no trigger of that table tells them.
    pub follows: bool,
    /// Every UPDATE is a change, whatever it does to the columns.
    pub physical: bool,
}

impl Table {
    /// How a stage reads it, where it does.
    #[must_use]
    pub fn user(&self, key: StageKey) -> Option<&User> {
        self.users.iter().find(|user| user.stage.key == key)
    }
}

impl Maintained {
    /// The names of a source's transition tables; nothing for a table that is no source itself.
    #[must_use]
    pub fn names(&self, relid: Oid) -> Option<&Names> {
        self.sources.iter().find(|source| source.relid == relid)
    }

    /// The first table that it reads.
    #[must_use]
    pub fn first_source(&self) -> Option<Oid> {
        self.sources.first().map(|source| source.relid)
    }

    /// Comes before another that reads it.
    #[must_use]
    pub fn order(&self) -> (u32, StageKey) {
        (self.depth, self.key)
    }

    /// What to do for these changes.
    #[must_use]
    pub fn action(&self, changes: &[Change], bulk: bool) -> Action {
        if bulk {
            return plans::action(&self.stage.program(changes), true);
        }
        if let Some(action) = self.kept.borrow().find(changes) {
            return action;
        }
        let action = plans::action(&self.stage.program(changes), false);
        self.kept.borrow_mut().keep(changes, &action);
        action
    }

    /// The error for maintenance that changes what it reads.
    #[must_use]
    pub fn never_ends(&self) -> Box<SqlError> {
        let name = self.label.to_string_lossy();
        SqlError::new(
            "54001",
            format!("maintenance of stream table {name} does not end: its query changes what it reads"),
        )
        .hint("Functions of the query must not write; declare those that do as VOLATILE.")
        .about(&name)
    }

    /// Runs statements that read no changes, and forgets them; the values that the last one returned.
    pub fn run_once(&self, statements: &[Statement]) -> Result<[i64; 3]> {
        match self.run(&plans::steps(statements, true), &[], false)? {
            Outcome::Done(values) => Ok(values),
            Outcome::Mismatch => Err(SqlError::internal("a rebuild found its own result wrong")),
        }
    }

    /// Runs a program as the owner.
    pub fn run(&self, steps: &Steps, deltas: &[Delta], keep: bool) -> Result<Outcome> {
        Run {
            label: &self.label,
            search_path: &self.search_path,
            deltas,
            settings: if keep { plans::FOR_FEW } else { plans::PARSING },
            keep,
            role: self.role,
        }
        .run(steps)
        .map_err(SqlError::without_our_statement)
    }
}

/// A definition, compiled.
pub struct Compiled {
    /// Its stages, bottom first.
    pub stages: Vec<Stage>,
    /// The visible columns.
    pub columns: Vec<OutputColumn>,
    /// The SELECT of the user's view.
    pub view: String,
    /// Gives the text of the rows that the view shows.
    pub shown: String,
    /// The relations that it was compiled from.
    pub depends: Set<Oid>,
}

impl Compiled {
    /// What all its storage looks like.
    #[must_use]
    pub fn layout(&self) -> String {
        let layouts: Vec<&str> = self.stages.iter().map(|stage| stage.layout.as_str()).collect();
        layouts.join(";\n")
    }

    /// The stage that users see.
    pub fn top(&self) -> Result<&Stage> {
        self.stages
            .last()
            .ok_or_else(|| SqlError::internal("a stream table without a stage"))
    }

    /// The tables that are read and are no storage of its own.
    #[must_use]
    pub fn sources(&self) -> Vec<&Source> {
        let mut sources: Vec<&Source> = Vec::new();
        for source in self.stages.iter().flat_map(|stage| &stage.sources) {
            let own = self.stages.iter().any(|stage| stage.relid == source.relid);
            if !own && !sources.iter().any(|known| known.relid == source.relid) {
                sources.push(source);
            }
        }
        sources
    }
}

/// Compiles the query of a definition view. `storage` is the unquoted name of the storage table.
pub fn compile(definition: &str, storage: &str) -> Result<Compiled> {
    let tree = spi::catalog_value(
        "SELECT ev_action FROM pg_rewrite WHERE ev_class = $1::regclass AND rulename = '_RETURN'",
        &[Some(definition)],
    )?
    .ok_or_else(|| SqlError::internal(format_args!("{definition} is no view")))?;
    let catalog = SpiCatalog::new();
    let compiled = compile_query(
        &Input {
            tree: &tree,
            definition,
            schema: sql::SCHEMA,
            storage,
        },
        &catalog,
    );
    let depends = catalog.finish()?;
    let compiled = compiled?;
    Ok(Compiled {
        stages: compiled.stages,
        columns: compiled.columns,
        view: compiled.view,
        shown: compiled.change_rows,
        depends,
    })
}

/// Is a stream table `t` whole? The definition is bound to the view when it is made; a dump does not carry that over.
macro_rules! is_bound {
    () => {
        "EXISTS (SELECT FROM pg_depend b WHERE b.classid = 'pg_class'::regclass AND b.objid = t.definition \
         AND b.refobjid = t.relid AND b.deptype = 'i')"
    };
}
pub(crate) use is_bound;

/// The stages that read a table, lowest first.
pub fn table(relid: Oid) -> Result<Rc<Table>> {
    session::freshen();
    if let Some(table) = session::table(relid) {
        return Ok(table);
    }
    watch_catalog()?;
    let key = relid.to_string();
    let rows = spi::catalog(
        "SELECT s.id FROM pgtrickle.source s JOIN pgtrickle.stream_table t ON t.id = s.id JOIN pg_class v ON v.oid = t.relid \
         WHERE s.relid = $1::oid AND t.status = 'ACTIVE' ORDER BY 1",
        &[Some(&key)],
    )?;
    let relatives: Set<Oid> = spi::catalog(
        "WITH RECURSIVE above(relid) AS (SELECT inhparent FROM pg_inherits WHERE inhrelid = $1::oid UNION \
         SELECT i.inhparent FROM pg_inherits i JOIN above a ON i.inhrelid = a.relid), \
         below(relid) AS (SELECT inhrelid FROM pg_inherits WHERE inhparent = $1::oid UNION \
         SELECT i.inhrelid FROM pg_inherits i JOIN below b ON i.inhparent = b.relid) \
         SELECT relid FROM above UNION SELECT relid FROM below",
        &[Some(&key)],
    )?
    .into_iter()
    .map(|row| Values::of(row).number())
    .collect::<Result<_>>()?;
    let mut users = Vec::new();
    for row in rows {
        for stage in &load(Values::of(row).number()?)?.stages {
            let own = stage.names(relid);
            let reads_relative = stage.sources.iter().any(|source| relatives.contains(&source.relid));
            if own.is_some() || reads_relative {
                users.push(User {
                    stage: Rc::clone(stage),
                    columns: own.map_or_else(Vec::new, |names| names.columns.clone()),
                    follows: !reads_relative,
                    physical: own.is_some_and(|names| names.physical),
                });
            }
        }
    }
    users.sort_by_key(|user| user.stage.order());
    let pushes = push::stream_table_of(relid)?;
    let table = Rc::new(Table { relid, users, pushes });
    session::remember_table(&table);
    Ok(table)
}

/// A change of our catalog, in whatever session, ends with a change of this table's access rights.
pub const ANNOUNCE: &str = "GRANT SELECT ON TABLE pgtrickle.stream_table TO PUBLIC";

fn watch_catalog() -> Result<()> {
    let relid = spi::catalog_value("SELECT 'pgtrickle.stream_table'::regclass::oid", &[])?;
    session::watch(relid.and_then(|relid| relid.parse().ok()));
    Ok(())
}

/// The stream table with this id.
pub fn load(id: i32) -> Result<Rc<StreamTable>> {
    session::freshen();
    if let Some(table) = session::stream_table(id) {
        return Ok(table);
    }
    // PostgreSQL tells of every change of a relation, and most are none to us: ANALYZE, VACUUM, a trigger.
    if let Some(table) = session::take_suspect(id)
        && fingerprint(&described(id)?, &table.depends)? == table.fingerprint
    {
        session::remember(&table);
        return Ok(table);
    }
    build(id)
}

/// The stages of a stream table that is being made by its owner, to be filled and forgotten.
#[must_use]
pub fn made(id: i32, name: &str, search_path: &str, stages: Vec<Stage>) -> Vec<Rc<Maintained>> {
    let by = Maintainer {
        id,
        depth: 0,
        role: 0,
        name,
        search_path,
    };
    by.maintain(stages, &[])
}

/// What the stages of a stream table have in common.
struct Maintainer<'a> {
    id: i32,
    depth: u32,
    /// 0 for the current user.
    role: Oid,
    name: &'a str,
    search_path: &'a str,
}

impl Maintainer<'_> {
    /// Makes compiled stages ready to be maintained.
    fn maintain(&self, stages: Vec<Stage>, own: &[(Oid, Oid)]) -> Vec<Rc<Maintained>> {
        let maintained = stages.into_iter().enumerate().map(|(place, stage)| {
            Rc::new(Maintained {
                key: (self.id, place),
                depth: self.depth,
                role: self.role,
                label: crate::names::c_string(self.name),
                search_path: crate::names::c_string(self.search_path),
                sources: stage.sources.iter().map(|source| names(source, own)).collect(),
                stage,
                kept: RefCell::default(),
            })
        });
        maintained.collect()
    }
}

/// What our catalog says of a stream table.
fn described(id: i32) -> Result<Row> {
    let key = id.to_string();
    spi::catalog(
        concat!("WITH RECURSIVE below(id, depth) AS (SELECT $1::int, 0 UNION SELECT lower.id, b.depth + 1 \
         FROM below b JOIN pgtrickle.source s ON s.id = b.id JOIN pgtrickle.stream_table lower ON lower.storage = s.relid) \
         SELECT t.relid::oid, format('%I.%I', vn.nspname, v.relname), (SELECT max(depth) FROM below), s.relowner, \
         format('%I.%I', dn.nspname, d.relname), s.relname, t.layout, \
         t.status = 'ACTIVE', t.search_path, t.definition::oid, t.storage::oid, ", is_bound!(), " \
         FROM pgtrickle.stream_table t \
         JOIN pg_class v ON v.oid = t.relid JOIN pg_namespace vn ON vn.oid = v.relnamespace \
         JOIN pg_class d ON d.oid = t.definition JOIN pg_namespace dn ON dn.oid = d.relnamespace \
         JOIN pg_class s ON s.oid = t.storage WHERE t.id = $1::int"),
        &[Some(&key)],
    )?
    .pop()
    .ok_or_else(|| SqlError::new("42P01", "the stream table was dropped"))
    .and_then(whole)
}

/// Fails for one that a dump has brought, until it is restored.
fn whole(mut row: Row) -> Result<Row> {
    if row.pop().flatten().as_deref() == Some("t") {
        return Ok(row);
    }
    let name = row.into_iter().nth(1).flatten().unwrap_or_default();
    Err(SqlError::new(
        "55000",
        format!("stream table {name} comes from a dump and is not maintained yet"),
    )
    .hint("Run SELECT pgtrickle.restore_stream_tables() once, when all of the dump is there.")
    .about(&name))
}

/// Differs where the definition of one of the relations does. A version of a catalog's row is told by who wrote it and
/// where it lies; statistics are written over the old ones and leave both as they are.
fn fingerprint(described: &Row, relations: &Set<Oid>) -> Result<String> {
    let list: Vec<String> = relations.iter().map(Oid::to_string).collect();
    let versions = spi::catalog_value(
        "SELECT string_agg(v.version, ';' ORDER BY v.version) FROM (SELECT $1::oid[] AS relids) r, LATERAL (\
         SELECT format('c %s %s %s', c.oid, c.xmin, c.ctid) FROM pg_class c WHERE c.oid = ANY (r.relids) UNION ALL \
         SELECT format('n %s %s', n.oid, n.nspname) FROM pg_namespace n WHERE n.oid IN \
         (SELECT c.relnamespace FROM pg_class c WHERE c.oid = ANY (r.relids)) UNION ALL \
         SELECT format('a %s %s', a.attrelid, string_agg(concat_ws(' ', a.attnum, a.xmin, a.ctid), ',' ORDER BY a.attnum)) \
         FROM pg_attribute a WHERE a.attrelid = ANY (r.relids) GROUP BY a.attrelid UNION ALL \
         SELECT format('k %s %s %s', k.oid, k.xmin, k.ctid) FROM pg_constraint k WHERE k.conrelid = ANY (r.relids) UNION ALL \
         SELECT format('i %s %s %s', i.indexrelid, i.xmin, i.ctid) FROM pg_index i WHERE i.indrelid = ANY (r.relids) UNION ALL \
         SELECT format('h %s %s', h.inhrelid, h.inhparent) FROM pg_inherits h \
         WHERE h.inhrelid = ANY (r.relids) OR h.inhparent = ANY (r.relids) UNION ALL \
         SELECT format('r %s %s %s', w.oid, w.xmin, w.ctid) FROM pg_rewrite w WHERE w.ev_class = ANY (r.relids) \
         ) AS v(version)",
        &[Some(&sql::array(&list))],
    )?;
    let mut all = versions.unwrap_or_default();
    for value in described {
        all.push('\u{1f}');
        all.push_str(value.as_deref().unwrap_or_default());
    }
    Ok(all)
}

fn build(id: i32) -> Result<Rc<StreamTable>> {
    let row = described(id)?;
    let described = row.clone();
    let mut values = Values::of(row);
    let relid = values.number()?;
    let name = values.text()?;
    let depth = values.number()?;
    let role = values.number()?;
    let definition = values.text()?;
    let storage = values.text()?;
    let stored_layout = values.text()?;
    let populated = values.boolean()?;
    let search_path = values.text()?;
    let mut compiled = compile(&definition, &storage).map_err(|error| error.about(&name))?;
    compiled.depends.extend([relid, values.number()?, values.number()?]);
    let own = own_storage(&compiled)?;
    compiled.depends.extend(own.iter().map(|(_, relid)| *relid));
    let fingerprint = fingerprint(&described, &compiled.depends)?;
    let by = Maintainer {
        id,
        depth,
        role,
        name: &name,
        search_path: &search_path,
    };
    let stages = by.maintain(compiled.stages, &own);
    let table = Rc::new(StreamTable {
        id,
        name,
        relid,
        depth,
        role,
        definition,
        storage: sql::storage_name(&storage),
        stored_layout,
        populated,
        depends: compiled.depends,
        fingerprint,
        columns: compiled.columns,
        shown: compiled.shown,
        stages,
    });
    session::remember(&table);
    Ok(table)
}

/// The storage tables of a compiled definition: how the compiler knows them, and their OIDs. Those that do not exist
/// (the storage is being made anew) are left out.
pub fn own_storage(compiled: &Compiled) -> Result<Vec<(Oid, Oid)>> {
    let mut own = Vec::new();
    for stage in &compiled.stages {
        let relid = spi::catalog_value("SELECT to_regclass($1)::oid", &[Some(&stage.storage)])?;
        if let Some(relid) = relid.and_then(|relid| relid.parse().ok()) {
            own.push((stage.relid, relid));
        }
    }
    Ok(own)
}

fn names(source: &Source, own: &[(Oid, Oid)]) -> Names {
    let known_as = source.relid;
    let found = own.iter().find(|(known, _)| *known == known_as);
    Names {
        relid: found.map_or(known_as, |(_, relid)| *relid),
        known_as,
        added: crate::names::c_string(&format!("__pgt_new_{known_as}")),
        removed: crate::names::c_string(&format!("__pgt_old_{known_as}")),
        columns: source.columns.clone(),
        physical: source.physical,
    }
}

/// The storage table of a stream table's view.
pub fn storage_of(view: Oid) -> Result<Option<Oid>> {
    // The library may be loaded without the extension being there.
    let installed = spi::catalog_value("SELECT to_regclass('pgtrickle.stream_table')", &[])?;
    if installed.is_none() {
        return Ok(None);
    }
    let storage = spi::catalog_value(
        "SELECT storage::oid FROM pgtrickle.stream_table WHERE relid = $1::oid",
        &[Some(&view.to_string())],
    )?;
    Ok(storage.and_then(|storage| storage.parse().ok()))
}
