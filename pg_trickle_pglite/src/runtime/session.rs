//! What a session remembers: open statements, pending changes, and compiled stream tables.
//!
//! The state is borrowed only inside the functions of this file, and none of them calls PostgreSQL.

use super::stream_table::{SourceTable, StageKey, StreamTable};
use crate::edge::error::{Result, SqlError};
use crate::edge::ffi::{Cause, Oid, Store};
use pg_trickle_core::sorted::{Map, Set};
use std::cell::{Cell, RefCell};
use std::rc::Rc;

/// A change of one table that has not been applied yet.
#[derive(Clone, Debug)]
pub struct PendingChange {
    /// The table.
    pub relid: Oid,
    /// New versions of rows.
    pub added: Option<(Store, usize)>,
    /// Old versions of rows.
    pub removed: Option<(Store, usize)>,
    /// There are no rows that describe the change, as after TRUNCATE.
    pub opaque: bool,
    /// The rows are our own copies.
    pub owned: bool,
    /// Stages that read none of the columns that an UPDATE touched.
    pub skips: Vec<StageKey>,
}

/// A row that maintenance added to a stream table, or removed, where users' triggers wait for it or its changes are kept.
#[derive(Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct NotedRow {
    /// The stream table.
    pub id: i32,
    /// Its key as text, empty if it has none.
    pub key: String,
    /// The row as text.
    pub row: String,
    /// 1 if it was added, -1 if it was removed.
    pub weight: i64,
}

#[derive(Default)]
struct Session {
    /// The sources of statements that have begun and not ended yet.
    open: Vec<Oid>,
    pending: Vec<PendingChange>,
    /// What users' triggers will be fired for.
    noted: Vec<NotedRow>,
    /// What the feeds will be told when the transaction commits.
    kept: Vec<NotedRow>,
    flushing: bool,
    /// Our own DDL is running: event triggers have nothing to do.
    busy: u32,
    /// Statements that call functions of queries are running.
    guests: u32,
    saved: Vec<Saved>,
    tables: Map<Oid, Rc<SourceTable>>,
    stream_tables: Map<i32, Rc<StreamTable>>,
    /// Those that may be outdated: something they depend on has changed.
    suspects: Map<i32, Rc<StreamTable>>,
}

/// The state at the start of a subtransaction, restored when it aborts.
#[derive(Default)]
struct Saved {
    open: Vec<Oid>,
    pending: usize,
    noted: usize,
    kept: usize,
    flushing: bool,
    busy: u32,
}

thread_local! {
    static SESSION: RefCell<Session> = RefCell::default();
    /// Relations that compiled stages depend on. Kept apart from the rest: PostgreSQL reports changes at any moment.
    static WATCHED: RefCell<Set<Oid>> = const { RefCell::new(Set::new()) };
    static CHANGED: RefCell<Set<Oid>> = const { RefCell::new(Set::new()) };
    static STALE: Cell<bool> = const { Cell::new(false) };
    /// A change was missed: nothing that was compiled can be trusted.
    static VOID: Cell<bool> = const { Cell::new(false) };
    /// Why the bookkeeping of the transaction cannot be trusted.
    static DAMAGED: Cell<Option<Cause>> = const { Cell::new(None) };
    /// The stream table on which a statement of ours may fire triggers.
    static ALLOWED: Cell<Option<Oid>> = const { Cell::new(None) };
    /// The highest number of a stream table that the session has seen.
    static HIGHEST_ID: Cell<i32> = const { Cell::new(0) };
    static CHOICE: Cell<Choice> = const { Cell::new(Choice::Cheapest) };
}

/// How changes are applied, whatever they touch. Tests set it to run each way over small tables.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Choice {
    /// The cheapest way.
    #[default]
    Cheapest,
    /// By plans that are made for many rows.
    Many,
    /// By the whole query of each stage.
    Whole,
    /// By the whole query of the stream table.
    AtOnce,
}

/// How changes are applied from now on.
pub fn choose(choice: Choice) {
    CHOICE.set(choice);
}

/// How changes are applied.
#[must_use]
pub fn choice() -> Choice {
    CHOICE.get()
}

fn with<T>(body: impl FnOnce(&mut Session) -> T) -> T {
    SESSION.with(|session| body(&mut session.borrow_mut()))
}

/// A transaction is about to commit: all statements have ended, whatever their triggers did. Returns whether changes are
/// left, because a trigger was disabled.
#[must_use]
pub fn end_statements() -> bool {
    with(|session| {
        session.open.clear();
        !session.pending.is_empty()
    })
}

/// A transaction has ended. Returns whether its bookkeeping was damaged.
pub fn end_transaction() -> bool {
    with(|session| {
        session.open.clear();
        // The rows lived in the transaction's memory.
        session.pending.clear();
        session.noted.clear();
        session.kept.clear();
        session.flushing = false;
        session.busy = 0;
        session.saved.clear();
    });
    DAMAGED.take().is_some()
}

/// A subtransaction starts.
pub fn start_subtransaction() {
    with(|session| {
        session.saved.push(Saved {
            open: session.open.clone(),
            pending: session.pending.len(),
            noted: session.noted.len(),
            kept: session.kept.len(),
            flushing: session.flushing,
            busy: session.busy,
        });
    });
}

/// A subtransaction commits. One that began before this library was loaded is unknown here.
pub fn commit_subtransaction() {
    with(|session| session.saved.pop());
}

/// A subtransaction aborts.
pub fn abort_subtransaction() {
    let dropped = with(|session| {
        let saved = session.saved.pop().unwrap_or_default();
        session.open = saved.open;
        session.flushing = saved.flushing;
        session.busy = saved.busy;
        session.noted.truncate(saved.noted);
        session.kept.truncate(saved.kept);
        let kept = saved.pending.min(session.pending.len());
        session.pending.split_off(kept)
    });
    dropped.into_iter().for_each(PendingChange::free);
}

/// A change of a relation was missed: everything compiled is void.
pub fn void() {
    VOID.set(true);
}

/// The start or end of a subtransaction was missed, so pending changes may have been rolled back. The transaction cannot
/// maintain anything and cannot commit.
pub fn damage(cause: Cause) {
    DAMAGED.set(DAMAGED.get().or(Some(cause)));
    VOID.set(true);
}

/// Fails if the bookkeeping of the transaction is damaged.
pub fn check() -> Result<()> {
    match DAMAGED.get() {
        None => Ok(()),
        Some(Cause::Memory) => Err(
            SqlError::new("53200", "out of memory: pg_trickle lost track of a savepoint")
                .hint("Roll back the transaction and retry it with more memory."),
        ),
        Some(Cause::Panic) => Err(SqlError::internal("a panic lost track of a savepoint")),
    }
}

impl PendingChange {
    /// A change that no rows describe.
    #[must_use]
    pub fn opaque(relid: Oid) -> Self {
        Self {
            relid,
            added: None,
            removed: None,
            opaque: true,
            owned: false,
            skips: Vec::new(),
        }
    }

    /// Frees the rows if they are copies.
    pub fn free(self) {
        if self.owned {
            for (store, _) in [self.added, self.removed].into_iter().flatten() {
                store.free();
            }
        }
    }
}

/// A statement on a source begins. Returns whether it is the only open one.
pub fn begin_statement(source: Oid) -> bool {
    with(|session| {
        session.open.push(source);
        session.open.len() == 1
    })
}

/// When to apply the change of a statement that ends.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum When {
    /// Now: nothing else is open or pending.
    Alone,
    /// Now, with the pending ones: it is the last of several statements.
    Last,
    /// Later: other statements have to end first.
    Later,
}

/// A statement on a source ends.
pub fn end_statement(source: Oid) -> When {
    with(|session| {
        // Not there: the statement began before a trigger was made or enabled.
        if let Some(place) = session.open.iter().rposition(|open| *open == source) {
            session.open.remove(place);
        }
        if !session.open.is_empty() || session.flushing {
            When::Later
        } else if session.pending.is_empty() {
            When::Alone
        } else {
            When::Last
        }
    })
}

/// Keeps a change for later.
pub fn push(change: PendingChange) {
    with(|session| session.pending.push(change));
}

/// Takes the pending changes.
#[must_use]
pub fn take_pending() -> Vec<PendingChange> {
    with(|session| std::mem::take(&mut session.pending))
}

/// Notes a changed row for users' triggers.
pub fn note(row: NotedRow) {
    with(|session| session.noted.push(row));
}

/// Takes the changed rows that were noted.
#[must_use]
pub fn take_noted() -> Vec<NotedRow> {
    with(|session| std::mem::take(&mut session.noted))
}

/// Keeps a changed row for the feed of its stream table.
pub fn keep(row: NotedRow) {
    with(|session| session.kept.push(row));
}

/// Takes the changed rows that were kept.
#[must_use]
pub fn take_kept() -> Vec<NotedRow> {
    with(|session| std::mem::take(&mut session.kept))
}

/// Whether a stream table has rows that were kept.
#[must_use]
pub fn has_kept(id: i32) -> bool {
    with(|session| session.kept.iter().any(|row| row.id == id && row.weight != 0))
}

/// While it exists, one statement may write to a stream table.
pub struct Allowed(());

impl Allowed {
    /// A statement of ours on this view follows.
    #[must_use]
    pub fn write(view: Oid) -> Self {
        ALLOWED.set(Some(view));
        Self(())
    }
}

impl Drop for Allowed {
    fn drop(&mut self) {
        ALLOWED.set(None);
    }
}

/// Whether the statement that begins on a stream table is the one that is allowed. There is only one.
#[must_use]
pub fn is_allowed(view: Oid) -> bool {
    let is_allowed = ALLOWED.get() == Some(view);
    if is_allowed {
        ALLOWED.set(None);
    }
    is_allowed
}

/// While it exists, a flush is running and changes wait for it.
pub struct Flushing(());

impl Flushing {
    /// `None` if one is already running.
    #[must_use]
    pub fn start() -> Option<Self> {
        with(|session| !std::mem::replace(&mut session.flushing, true)).then_some(Self(()))
    }
}

impl Drop for Flushing {
    fn drop(&mut self) {
        with(|session| session.flushing = false);
    }
}

/// Whether a statement on a source, or the maintenance after one, is running.
#[must_use]
pub fn is_active() -> bool {
    with(|session| !session.open.is_empty() || session.flushing)
}

/// While it exists, event triggers do nothing.
pub struct Busy(());

impl Busy {
    /// Our own DDL follows.
    #[must_use]
    pub fn start() -> Self {
        with(|session| session.busy += 1);
        Self(())
    }
}

impl Drop for Busy {
    fn drop(&mut self) {
        with(|session| session.busy = session.busy.saturating_sub(1));
    }
}

/// Whether our own DDL is running.
#[must_use]
pub fn is_busy() -> bool {
    with(|session| session.busy > 0)
}

/// While it exists, functions of a query may be running.
pub struct Guests(());

impl Guests {
    /// A statement that calls them follows.
    #[must_use]
    pub fn start() -> Self {
        with(|session| session.guests += 1);
        Self(())
    }
}

impl Drop for Guests {
    fn drop(&mut self) {
        with(|session| session.guests -= 1);
    }
}

/// Whether functions of a query may be running.
#[must_use]
pub fn has_guests() -> bool {
    with(|session| session.guests > 0)
}

/// PostgreSQL says that a relation has changed; 0 stands for all.
pub fn relation_changed(relid: Oid) {
    let relevant =
        relid == 0 || WATCHED.with(|watched| watched.try_borrow().map_or(true, |watched| watched.contains(&relid)));
    if relevant {
        let noted = CHANGED.with(|changed| changed.try_borrow_mut().map(|mut changed| changed.insert(relid)));
        if noted.is_err() {
            void();
        }
        STALE.set(true);
    }
}

/// Changes of these relations will be noticed.
pub fn watch(relids: impl IntoIterator<Item = Oid>) {
    WATCHED.with(|watched| watched.borrow_mut().extend(relids));
}

/// Notes the number of a stream table. Returns the highest so far.
pub fn note_id(id: i32) -> i32 {
    HIGHEST_ID.set(HIGHEST_ID.get().max(id));
    HIGHEST_ID.get()
}

/// Forgets whatever has changed. Called before anything remembered is used.
pub fn freshen() {
    if VOID.replace(false) {
        forget_all();
    }
    if !STALE.replace(false) {
        return;
    }
    let changed = CHANGED.with(|changed| std::mem::take(&mut *changed.borrow_mut()));
    // Until all of it is told: what has been taken would be lost if memory ran out in between.
    VOID.set(true);
    let tables = with(|session| {
        let is_stale = |stage: &StreamTable| changed.contains(&0) || !changed.is_disjoint(&stage.depends);
        let stale: Vec<i32> = session
            .stream_tables
            .values()
            .filter(|stage| is_stale(stage))
            .map(|stage| stage.id)
            .collect();
        for id in stale {
            if let Some(table) = session.stream_tables.remove(&id) {
                session.suspects.insert(id, table);
            }
        }
        std::mem::take(&mut session.tables)
    });
    VOID.set(false);
    // Dropped only once the state is no longer borrowed.
    drop(tables);
}

/// Forgets everything compiled, and who reads what.
fn forget_all() {
    let dropped = with(|session| {
        let compiled = [
            std::mem::take(&mut session.stream_tables),
            std::mem::take(&mut session.suspects),
        ];
        (compiled, std::mem::take(&mut session.tables))
    });
    drop(dropped);
}

/// Takes a compiled stream table that may be outdated.
#[must_use]
pub fn take_suspect(id: i32) -> Option<Rc<StreamTable>> {
    with(|session| session.suspects.remove(&id))
}

/// Forgets one stream table, and who reads what.
pub fn forget(id: i32) {
    let dropped = with(|session| {
        let compiled = (session.stream_tables.remove(&id), session.suspects.remove(&id));
        (compiled, std::mem::take(&mut session.tables))
    });
    drop(dropped);
}

/// Forgets who reads what.
pub fn forget_tables() {
    drop(with(|session| std::mem::take(&mut session.tables)));
}

/// Who reads a table, where it is remembered.
#[must_use]
pub fn table(relid: Oid) -> Option<Rc<SourceTable>> {
    with(|session| session.tables.get(&relid).cloned())
}

/// Remembers who reads a table.
pub fn remember_table(table: &Rc<SourceTable>) {
    with(|session| session.tables.insert(table.relid, Rc::clone(table)));
}

/// A compiled stream table, where it is remembered.
#[must_use]
pub fn stream_table(id: i32) -> Option<Rc<StreamTable>> {
    with(|session| session.stream_tables.get(&id).cloned())
}

/// All that are remembered, also those that may be outdated.
#[must_use]
pub fn stream_tables() -> Vec<Rc<StreamTable>> {
    with(|session| {
        let all = session.stream_tables.values().chain(session.suspects.values());
        all.cloned().collect()
    })
}

/// Remembers a compiled stream table.
pub fn remember(table: &Rc<StreamTable>) {
    watch(table.depends.iter().copied());
    let replaced = with(|session| {
        let old = session.stream_tables.insert(table.id, Rc::clone(table));
        (old, session.suspects.remove(&table.id))
    });
    drop(replaced);
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A stream table that depends on these relations.
    fn compiled(id: i32, depends: &[Oid]) -> Rc<StreamTable> {
        let mut relids = Set::default();
        relids.extend(depends.iter().copied());
        Rc::new(StreamTable {
            id,
            name: String::new(),
            relid: 0,
            depth: 0,
            role: 0,
            definition: String::new(),
            storage: String::new(),
            populated: true,
            depends: relids,
            fingerprint: String::new(),
            fallback: None,
            windows_on_read: false,
            columns: Vec::new(),
            change_rows: String::new(),
            change_documents: None,
            triggers: 0,
            weight: 0,
            denied: None,
            at_once: std::cell::OnceCell::new(),
            stages: Vec::new(),
        })
    }

    fn known() -> Vec<i32> {
        freshen();
        [1, 2].into_iter().filter(|id| stream_table(*id).is_some()).collect()
    }

    #[test]
    fn a_missed_change_voids_everything() {
        for table in [compiled(1, &[11]), compiled(2, &[12])] {
            remember(&table);
        }
        relation_changed(13);
        assert_eq!(known(), [1, 2], "nobody depends on it");
        relation_changed(12);
        assert_eq!(known(), [1]);
        assert!(take_suspect(2).is_some(), "may still be right");
        void();
        assert!(known().is_empty());
        assert!(take_suspect(1).is_none(), "nothing shows whether it is still right");
        remember(&compiled(1, &[11]));
        CHANGED.with_borrow_mut(|_| relation_changed(11));
        assert!(known().is_empty(), "it could not be noted");
    }

    #[test]
    fn a_damaged_transaction_fails_until_it_has_ended() {
        assert!(check().is_ok());
        start_subtransaction();
        damage(Cause::Memory);
        damage(Cause::Panic);
        commit_subtransaction();
        assert_eq!(check().expect_err("damaged").sqlstate, "53200");
        assert!(end_transaction(), "it was damaged");
        assert!(check().is_ok());
        assert!(!end_transaction());
    }
}
