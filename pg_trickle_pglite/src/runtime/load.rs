//! Reads stream tables from the catalog and compiles them when they are first needed; the session remembers them.

use super::choices::Choices;
use super::stream_table::{Maintainer, StreamTable};
use super::{locks, rights, session};
use crate::edge::catalog::SpiCatalog;
use crate::edge::error::{Result, SqlError};
use crate::edge::ffi::{Oid, Row, memory};
use crate::edge::spi::{self, Values};
use crate::text::{hidden, names};
use pg_trickle_core::plan::{OutputColumn, PreAggregate, Source, Statement};
use pg_trickle_core::sorted::Set;
use pg_trickle_core::{Input, Stage, compile as compile_query, compile_at_once};
use std::cell::OnceCell;
use std::rc::Rc;

/// What stored rows mean. Raise it when a version stores other values in columns that look the same: storage of an earlier
/// version is then made anew.
const LAYOUT: u32 = 1;

/// A definition, compiled.
pub struct Compiled {
    /// Its stages, bottom first.
    pub stages: Vec<Stage>,
    /// The visible columns.
    pub columns: Vec<OutputColumn>,
    /// The SELECT of the user's view.
    pub view: String,
    /// The query that gives changed rows of the storage as users see them, as text.
    pub change_rows: String,
    /// The same query, for rows as documents.
    pub change_documents: String,
    /// The result changes only when a source does.
    pub is_settled: bool,
    /// [`at_once`] gives a statement.
    pub has_skippable: bool,
    /// The view computes windows.
    pub windows_on_read: bool,
    /// Facts are added up before they are joined.
    pub pre_aggregated: bool,
    /// The relations that it was compiled from.
    pub depends: Set<Oid>,
}

impl Compiled {
    /// What all its storage looks like.
    #[must_use]
    pub fn layout(&self) -> String {
        let layouts: Vec<&str> = self.stages.iter().map(|stage| stage.layout.as_str()).collect();
        format!("{LAYOUT}: {}", layouts.join(";\n"))
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

/// Compiles the query of a definition view. `storage` is the unquoted name of the storage table; `fallback` says why the
/// query is to be run again after every change.
pub fn compile(definition: &str, storage: &str, fallback: Option<&str>) -> Result<Compiled> {
    let view = analysed(definition)?;
    compile_view(&view, view.choices.of_facts(), definition, storage, fallback)
}

/// Compiles a definition for the first time. What the sizes of tables decide is written down with it.
pub fn compile_new(definition: &str, storage: &str, fallback: Option<&str>) -> Result<Compiled> {
    let mut view = analysed(definition)?;
    if view.choices.pre_aggregate.is_some() {
        return compile_view(&view, view.choices.of_facts(), definition, storage, fallback);
    }
    let compiled = compile_view(&view, PreAggregate::BySize, definition, storage, fallback)?;
    if compiled.pre_aggregated {
        view.choices.pre_aggregate = Some(true);
        view.choices.record(definition)?;
    }
    Ok(compiled)
}

/// The same as nobody has chosen otherwise: the planner without a database knows no choices.
pub fn compile_plainly(definition: &str, storage: &str, fallback: Option<&str>) -> Result<Compiled> {
    let mut view = analysed(definition)?;
    view.choices = Choices::default();
    compile_view(&view, PreAggregate::Never, definition, storage, fallback)
}

fn compile_view(
    view: &Analysed,
    pre_aggregate: PreAggregate,
    definition: &str,
    storage: &str,
    fallback: Option<&str>,
) -> Result<Compiled> {
    let input = view.input(pre_aggregate, definition, storage, fallback);
    let (compiled, depends) = SpiCatalog::ask(view.owner, |catalog| compile_query(&input, catalog))?;
    Ok(Compiled {
        stages: compiled.stages,
        columns: compiled.columns,
        view: compiled.view,
        change_rows: compiled.change_rows,
        change_documents: compiled.change_documents,
        is_settled: compiled.is_settled,
        has_skippable: compiled.has_skippable,
        windows_on_read: compiled.windows_on_read,
        pre_aggregated: compiled.pre_aggregated,
        depends,
    })
}

/// The statement that makes the top stage what its query returns, whatever the lower stages store, if there is one.
pub fn at_once(table: &StreamTable) -> Result<Option<Rc<Statement>>> {
    if let Some(known) = table.at_once.get() {
        return Ok(known.clone());
    }
    let view = analysed(&table.definition)?;
    let input = view.input(view.choices.of_facts(), &table.definition, &table.storage, None);
    let (statement, _) = SpiCatalog::ask(view.owner, |catalog| compile_at_once(&input, catalog))?;
    Ok(table.at_once.get_or_init(|| statement.map(Rc::new)).clone())
}

/// What was chosen for a definition.
pub fn choices(definition: &str) -> Result<Choices> {
    Ok(analysed(definition)?.choices)
}

/// What a definition view says.
struct Analysed {
    /// Its analysed tree.
    tree: String,
    owner: Oid,
    choices: Choices,
}

impl Analysed {
    /// What is compiled, where the view has the name `definition`.
    fn input<'a>(
        &'a self,
        pre_aggregate: PreAggregate,
        definition: &'a str,
        storage: &'a str,
        fallback: Option<&'a str>,
    ) -> Input<'a> {
        Input {
            tree: &self.tree,
            definition,
            schema: hidden::SCHEMA,
            storage,
            fallback,
            windows_on_read: self.choices.windows_on_read,
            pre_aggregate,
        }
    }
}

/// Reads a definition view.
fn analysed(view: &str) -> Result<Analysed> {
    let row = spi::catalog(
        "SELECT w.ev_action, (SELECT c.relowner FROM pg_class c WHERE c.oid = w.ev_class)::oid, \
         coalesce((SELECT d.description FROM pg_description d WHERE d.objoid = w.ev_class \
         AND d.classoid = 'pg_class'::regclass AND d.objsubid = 0), '') FROM pg_rewrite w \
         WHERE w.ev_class = $1::regclass AND w.rulename = '_RETURN'",
        &[Some(view)],
    )?
    .pop();
    let row = row.ok_or_else(|| SqlError::internal(format_args!("{view} is no view")))?;
    let mut values = Values::of(row);
    let (tree, owner) = (values.text()?, values.number()?);
    let choices = Choices::read(&values.text()?);
    Ok(Analysed { tree, owner, choices })
}

/// Whether what a stream table stores looks like this.
pub fn is_stored(id: i32, compiled: &Compiled) -> Result<bool> {
    let stored = spi::catalog_value(
        "SELECT layout FROM pgtrickle.stream_table WHERE id = $1::int",
        &[Some(&id.to_string())],
    )?;
    Ok(stored.is_some_and(|layout| layout == compiled.layout()))
}

/// Whether a stream table `t` is complete. Its definition is bound to its view on creation; a dump loses that.
macro_rules! is_bound {
    () => {
        "EXISTS (SELECT FROM pg_depend b WHERE b.classid = 'pg_class'::regclass AND b.objid = t.definition \
         AND b.refobjid = t.relid AND b.deptype = 'i')"
    };
}
pub(crate) use is_bound;

/// Whether a trigger `g` of a stream table is one that a user made, and PostgreSQL fires.
macro_rules! is_users {
    () => {
        "NOT g.tgisinternal AND g.tgenabled <> 'D' AND g.tgfoid <> 'pgtrickle.maintain()'::regprocedure"
    };
}
pub(crate) use is_users;

/// Whether the changes of a stream table `t` are kept.
macro_rules! is_kept {
    () => {
        "EXISTS (SELECT FROM pgtrickle.feed f WHERE f.id = t.id AND f.retain IS DISTINCT FROM 0)"
    };
}
pub(crate) use is_kept;

/// A change of our catalog, in whatever session, ends with a change of this table's access rights.
pub const ANNOUNCE: &str = "GRANT SELECT ON TABLE pgtrickle.stream_table TO PUBLIC";

/// Makes the session notice such changes.
pub fn watch_catalog() -> Result<()> {
    session::watch(spi::catalog_number(
        "SELECT 'pgtrickle.stream_table'::regclass::oid",
        &[],
    )?);
    Ok(())
}

/// The stream table with this id.
pub fn load(id: i32) -> Result<Rc<StreamTable>> {
    session::freshen();
    if let Some(table) = session::stream_table(id) {
        return Ok(table);
    }
    // PostgreSQL reports every change of a relation, and most do not concern us: ANALYZE, VACUUM, a trigger.
    if let Some(table) = session::take_suspect(id)
        && fingerprint(&described(id)?, &table.depends)? == table.fingerprint
    {
        session::remember(&table);
        return Ok(table);
    }
    build(id).map_err(locks::not_there)
}

/// The stream table with this id, if there still is one.
pub fn find(id: i32) -> Result<Option<Rc<StreamTable>>> {
    let known = spi::catalog(
        "SELECT 1 FROM pgtrickle.stream_table t JOIN pg_class v ON v.oid = t.relid WHERE t.id = $1::int",
        &[Some(&id.to_string())],
    )?;
    if known.is_empty() { Ok(None) } else { load(id).map(Some) }
}

/// What our catalog says about a stream table.
fn described(id: i32) -> Result<Row> {
    let key = id.to_string();
    spi::catalog(
        concat!("WITH RECURSIVE below(id, depth) AS (SELECT $1::int, 0 UNION SELECT lower.id, b.depth + 1 \
         FROM below b JOIN pgtrickle.source s ON s.id = b.id JOIN pgtrickle.stream_table lower ON lower.storage = s.relid) \
         SELECT t.relid::oid, format('%I.%I', vn.nspname, v.relname), (SELECT max(depth) FROM below), s.relowner, \
         format('%I.%I', dn.nspname, d.relname), s.relname, t.layout, \
         t.status = 'ACTIVE', t.search_path, t.definition::oid, t.storage::oid, \
         (SELECT coalesce(bit_or(g.tgtype::int), 0) FROM pg_trigger g WHERE g.tgrelid = t.relid AND ", is_users!(), "), \
         (SELECT a.rolsuper FROM pg_authid a WHERE a.oid = s.relowner), t.fallback, ", is_kept!(), ", ", is_bound!(), " \
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

/// Fails for a stream table that came with a dump, until it is restored.
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

/// A hash that changes whenever the definition of one of the relations does. The writer (xmin) and place (ctid) of a
/// catalog row identify its version; statistics are updated in place and change neither.
fn fingerprint(described: &Row, relations: &Set<Oid>) -> Result<String> {
    let described: Vec<&str> = described
        .iter()
        .map(|value| value.as_deref().unwrap_or_default())
        .collect();
    let versions = spi::catalog_value(
        "SELECT md5(concat($2, string_agg(v.version, ';' ORDER BY v.version))) FROM (SELECT $1::oid[] AS relids) r, LATERAL (\
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
        &[Some(&names::array(relations.iter())), Some(&described.join("\u{1f}"))],
    )?;
    Ok(versions.unwrap_or_default())
}

const LATER: &str = if cfg!(target_family = "wasm") {
    "Open the database with that version, or a later one, of @pgtrickle/pglite."
} else {
    "Install that version, or a later one."
};

/// Fails for storage of a later version.
fn must_be_known(name: &str, layout: &str) -> Result<()> {
    let version = layout.split(':').next().and_then(|version| version.parse().ok());
    if version.is_none_or(|version: u32| version <= LAYOUT) {
        return Ok(());
    }
    Err(SqlError::new(
        "55000",
        format!("stream table {name} was made by a later version of pg_trickle"),
    )
    .hint(LATER)
    .about(name))
}

fn build(id: i32) -> Result<Rc<StreamTable>> {
    let before = memory::allocated();
    locks::note_compiled();
    let row = described(id)?;
    session::note_id(id);
    let described = row.clone();
    let mut values = Values::of(row);
    let relid = values.number()?;
    let name = values.text()?;
    let depth = values.number()?;
    let role = values.number()?;
    let definition = values.text()?;
    let storage = values.text()?;
    let stored_layout = values.text()?;
    must_be_known(&name, &stored_layout)?;
    let populated = values.boolean()?;
    let search_path = values.text()?;
    let (definition_relid, storage_relid) = (values.number()?, values.number()?);
    let triggers = values.number()?;
    let is_superuser = values.boolean()?;
    let fallback = values.optional();
    let is_kept = values.boolean()?;
    let (mut compiled, unfit) = match compile(&definition, &storage, fallback.as_deref()) {
        Ok(compiled) => (compiled, None),
        // It was compiled when it was made: other tables must not suffer from it now.
        Err(error) if error.is_avoidable() && fallback.is_none() => {
            (compile(&definition, &storage, Some(&error.reason()))?, Some(error))
        }
        Err(error) => return Err(error.about(&name)),
    };
    compiled.depends.extend([relid, definition_relid, storage_relid]);
    let own = own_storage(&compiled)?;
    compiled.depends.extend(own.iter().map(|(_, relid)| *relid));
    let fingerprint = fingerprint(&described, &compiled.depends)?;
    let by = Maintainer {
        id,
        depth,
        role,
        name: &name,
        search_path: &search_path,
        fits: compiled.layout() == stored_layout,
        may_skip: compiled.has_skippable,
        unfit,
    };
    let stages = by.maintain(compiled.stages, &own);
    let denied = if is_superuser {
        None
    } else {
        rights::lost(definition_relid, role, &compiled.depends)?.map(|error| error.about(&name))
    };
    let table = Rc::new(StreamTable {
        weight: memory::allocated().saturating_sub(before),
        id,
        name,
        relid,
        depth,
        role,
        definition,
        storage,
        populated,
        depends: compiled.depends,
        fingerprint,
        fallback,
        windows_on_read: compiled.windows_on_read,
        columns: compiled.columns,
        change_rows: compiled.change_rows,
        change_documents: is_kept.then_some(compiled.change_documents),
        triggers,
        denied,
        at_once: OnceCell::new(),
        stages,
    });
    session::remember(&table);
    Ok(table)
}

/// The storage tables of a compiled definition: the OIDs by which the compiler knows them, and their real ones. Leaves out
/// those that do not exist, because the storage is being rebuilt.
pub fn own_storage(compiled: &Compiled) -> Result<Vec<(Oid, Oid)>> {
    let mut own = Vec::new();
    for stage in &compiled.stages {
        if let Some(relid) = spi::catalog_number("SELECT to_regclass($1)::oid", &[Some(&stage.storage)])? {
            own.push((stage.relid, relid));
        }
    }
    Ok(own)
}
