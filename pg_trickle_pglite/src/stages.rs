//! Compiled stream tables: read from the catalog and compiled when first needed, remembered in the session.

use crate::catalog::SpiCatalog;
use crate::error::{Result, SqlError};
use crate::ffi::{self, Delta, Oid, Outcome, Run, Steps};
use crate::plans::{self, Action, Kept};
use crate::session;
use crate::spi::{self, Values};
use pg_trickle_core::plan::{Change, Source};
use pg_trickle_core::{Input, Stage, compile as compile_query};
use std::cell::RefCell;
use std::collections::BTreeSet;
use std::ffi::CString;
use std::rc::Rc;

/// A stream table, ready to be maintained.
pub struct Maintained {
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
    pub depends: BTreeSet<Oid>,
    /// What to do.
    pub stage: Stage,
    label: CString,
    search_path: CString,
    names: Vec<(Oid, Names)>,
    kept: RefCell<Kept>,
}

/// The names of a source's transition tables.
pub struct Names {
    /// Of new versions.
    pub added: CString,
    /// Of old versions.
    pub removed: CString,
}

/// Who reads a table.
pub struct Table {
    /// The table.
    pub relid: Oid,
    /// The stream tables.
    pub users: Vec<User>,
}

/// A stream table that reads a table.
pub struct User {
    /// The stream table.
    pub stage: Rc<Maintained>,
    /// The columns that it reads. None are listed where it reads the table through a parent.
    pub columns: Vec<i16>,
}

impl Table {
    /// Is this stream table among those that read it?
    #[must_use]
    pub fn concerns(&self, id: i32) -> bool {
        self.users.iter().any(|user| user.stage.id == id)
    }
}

impl Maintained {
    /// The names of a source's transition tables; nothing for a table that is no source itself.
    #[must_use]
    pub fn names(&self, relid: Oid) -> Option<&Names> {
        self.names
            .iter()
            .find(|(source, _)| *source == relid)
            .map(|(_, names)| names)
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
    /// What to do.
    pub stage: Stage,
    /// The relations that it was compiled from.
    pub depends: BTreeSet<Oid>,
}

/// Compiles the query of a definition view.
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
            storage,
        },
        &catalog,
    );
    let depends = catalog.finish()?;
    Ok(Compiled {
        stage: compiled?,
        depends,
    })
}

/// The stream tables that read a table, lowest first.
pub fn table(relid: Oid) -> Result<Rc<Table>> {
    session::freshen();
    if let Some(table) = session::table(relid) {
        return Ok(table);
    }
    watch_catalog()?;
    let rows = spi::catalog(
        "SELECT s.id FROM pgtrickle.source s JOIN pgtrickle.stream_table t ON t.id = s.id \
         WHERE s.relid = $1::oid AND t.status = 'ACTIVE' ORDER BY 1",
        &[Some(&relid.to_string())],
    )?;
    let mut users = Vec::with_capacity(rows.len());
    for row in rows {
        let stage = load(Values::of(row).number()?)?;
        let columns = stage
            .stage
            .sources
            .iter()
            .find(|source| source.relid == relid)
            .map_or_else(Vec::new, |source: &Source| source.columns.clone());
        users.push(User { stage, columns });
    }
    users.sort_by_key(|user| (user.stage.depth, user.stage.id));
    let table = Rc::new(Table { relid, users });
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
pub fn load(id: i32) -> Result<Rc<Maintained>> {
    session::freshen();
    if let Some(stage) = session::stage(id) {
        return Ok(stage);
    }
    build(id, None)
}

/// The same when it has just been compiled.
pub fn load_compiled(id: i32, compiled: Compiled) -> Result<Rc<Maintained>> {
    build(id, Some(compiled))
}

fn build(id: i32, compiled: Option<Compiled>) -> Result<Rc<Maintained>> {
    let key = id.to_string();
    let row = spi::catalog(
        "WITH RECURSIVE below(id, depth) AS (SELECT $1::int, 0 UNION SELECT lower.id, b.depth + 1 \
         FROM below b JOIN pgtrickle.source s ON s.id = b.id JOIN pgtrickle.stream_table lower ON lower.storage = s.relid) \
         SELECT t.relid::oid, format('%I.%I', vn.nspname, v.relname), (SELECT max(depth) FROM below), s.relowner, \
         format('%I.%I', dn.nspname, d.relname), format('%I.%I', sn.nspname, s.relname), t.layout, \
         t.status = 'ACTIVE', t.search_path, t.definition::oid, t.storage::oid \
         FROM pgtrickle.stream_table t \
         JOIN pg_class v ON v.oid = t.relid JOIN pg_namespace vn ON vn.oid = v.relnamespace \
         JOIN pg_class d ON d.oid = t.definition JOIN pg_namespace dn ON dn.oid = d.relnamespace \
         JOIN pg_class s ON s.oid = t.storage JOIN pg_namespace sn ON sn.oid = s.relnamespace WHERE t.id = $1::int",
        &[Some(&key)],
    )?
    .pop()
    .ok_or_else(|| SqlError::internal(format_args!("there is no stream table {id}")))?;
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
    let mut compiled = match compiled {
        Some(compiled) => compiled,
        None => compile(&definition, &storage).map_err(|error| error.about(&name))?,
    };
    compiled.depends.extend([relid, values.number()?, values.number()?]);
    let names = compiled
        .stage
        .sources
        .iter()
        .map(|source| {
            let relid = source.relid;
            let names = Names {
                added: ffi::c_string(&format!("__pgt_new_{relid}")),
                removed: ffi::c_string(&format!("__pgt_old_{relid}")),
            };
            (relid, names)
        })
        .collect();
    let stage = Rc::new(Maintained {
        id,
        label: ffi::c_string(&name),
        name,
        relid,
        depth,
        role,
        definition,
        storage,
        stored_layout,
        populated,
        depends: compiled.depends,
        stage: compiled.stage,
        search_path: ffi::c_string(&search_path),
        names,
        kept: RefCell::default(),
    });
    session::remember_stage(&stage);
    Ok(stage)
}
