//! What is compiled, and what a compiled stream table consists of: its storage, how it is filled, and the program for each
//! set of changes.
//!
//! Data only. The backend runs it; nothing here knows how.

use std::borrow::Cow;

/// An object identifier of PostgreSQL.
pub type Oid = u32;

/// The input of a compilation.
#[derive(Clone, Copy, Debug)]
pub struct Input<'a> {
    /// The analysed query: `pg_rewrite.ev_action` of the definition view.
    pub tree: &'a str,
    /// Qualified, quoted name of the definition view.
    pub definition: &'a str,
    /// Schema of the storage tables, unquoted.
    pub schema: &'a str,
    /// Name of the storage table of the final stage, unquoted. The storage of the other stages has `_1`, `_2`, ...
    /// appended.
    pub storage: &'a str,
    /// Why the query is to be run again after every change, whatever operators there are for it.
    pub fallback: Option<&'a str>,
    /// True if the view is to compute the windows of the query, over stored rows without them.
    pub windows_on_read: bool,
    /// Whether facts are added up before they are joined to their dimensions.
    pub pre_aggregate: PreAggregate,
}

/// Whether facts are added up before they are joined to their dimensions.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum PreAggregate {
    /// They are joined as they are.
    Never,
    /// It depends on how many there are now.
    BySize,
    /// They are, wherever it is possible.
    Always,
    /// They were, while the query was planned.
    Done,
}

/// The OID by which the core knows the storage table of a stage, which may not exist yet. The final stage, whose
/// storage is the stream table's, has number 0. These OIDs count down from the maximum; PostgreSQL assigns OIDs from
/// the bottom.
#[must_use]
pub fn stage_relid(number: u32) -> Oid {
    Oid::MAX - number
}

/// True for the OID of a stage: no table of a database has one of the last million.
#[must_use]
pub fn is_stage_relid(relid: Oid) -> bool {
    relid > Oid::MAX - 1_000_000
}

/// How a stage is maintained (docs/ARCHITECTURE.md, "Ways to maintain a stage").
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Way {
    /// The delta is computed by the query's own expressions and folded into the stored rows.
    Fold,
    /// The keys that the change touches are found, and the query is run again for these only.
    Rekey,
    /// The query is run again and the stored rows are patched with the difference.
    Rebuild,
}

impl Way {
    /// The name that `explain` and the catalog show.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Way::Fold => "fold",
            Way::Rekey => "rekey",
            Way::Rebuild => "rebuild",
        }
    }
}

/// A visible column of a stream table.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct OutputColumn {
    /// The column's name, unquoted.
    pub name: String,
    /// The type as SQL text, with modifier.
    pub type_sql: String,
}

/// A table whose changes reach the stream table.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Source {
    /// The table's OID.
    pub relid: Oid,
    /// Its qualified, quoted name when the program was compiled.
    pub name: String,
    /// The number of the table in this plan, by which statements name its changes.
    pub delta: u32,
    /// How often the query reads it (more than once in a self-join).
    pub occurrences: usize,
    /// The columns that the query reads, by attribute number. An UPDATE of other columns is not a change.
    pub columns: Vec<i16>,
    /// True if the query depends on where rows are stored (TABLESAMPLE, ctid), so that every UPDATE is a change.
    pub physical: bool,
    /// True if the query reads `ONLY` this table, which has children: an UPDATE or DELETE of the table may have changed
    /// rows of theirs.
    pub only: bool,
    /// True if one UPDATE of the table can change a row twice.
    pub updates_itself: bool,
}

/// The name of a table's new transition table, given the table's number in the plan.
#[must_use]
pub fn added(delta: u32) -> String {
    format!("__pgt_new_{delta}")
}

/// The name of its old transition table.
#[must_use]
pub fn removed(delta: u32) -> String {
    format!("__pgt_old_{delta}")
}

impl Source {
    /// The name by which statements read its inserted rows.
    #[must_use]
    pub fn added(&self) -> String {
        added(self.delta)
    }

    /// The name by which statements read its deleted rows.
    #[must_use]
    pub fn removed(&self) -> String {
        removed(self.delta)
    }
}

/// What happened to one source in the statement being maintained.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Change {
    /// The table's OID.
    pub relid: Oid,
    /// True if the new transition table is registered and has rows ([`Source::added`]).
    pub new: bool,
    /// True if the old transition table is registered and has rows ([`Source::removed`]).
    pub old: bool,
    /// True if rows may have changed twice: then an intermediate version of a row is in both transition tables.
    pub repeated: bool,
}

/// The meaning of the single row that a statement returns.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Returns {
    /// The statement returns no row.
    Nothing,
    /// `(verdict bigint, 0 bigint)`: 0 if all is done; −1 if the statement did nothing, because the change touches many
    /// rows; 1 if the stored rows do not match the sources, so that the stage must be rebuilt; 2 if it must be filled anew. The other text of such a
    /// statement returns the same, or nothing.
    Verdict,
    /// `(inserted bigint, deleted bigint, updated bigint)`: the number of rows that a full refresh had to patch.
    Patched,
    /// `(answer bigint)`: the answer to a question, such as [`crate::Stage::question`].
    Answer,
}

/// One SQL statement of a program.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Statement {
    /// The text. It has no parameters.
    pub sql: String,
    /// Another text with the same effect, for changes of many rows, if no single plan suits both. [`MOST`] stands for
    /// how many rows they may touch.
    pub bulk: Option<String>,
    /// What it returns.
    pub returns: Returns,
}

/// Stands for a number that is not known when a statement is made. No text that PostgreSQL accepts has this character.
pub const MOST: &str = "\0";

impl Statement {
    /// The text for few rows, or for changes that touch at most so many.
    #[must_use]
    pub fn text(&self, most: Option<i64>) -> Cow<'_, str> {
        match (&self.bulk, most) {
            (Some(bulk), Some(most)) => Cow::Owned(bulk.replace(MOST, &most.to_string())),
            _ => Cow::Borrowed(&self.sql),
        }
    }
}

/// How one set of changes is applied to a stage.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Program {
    /// The changes cannot affect the stage.
    Nothing,
    /// Run these in order.
    Run(Vec<Statement>),
    /// Run [`crate::Stage::rebuild`].
    Rebuild,
}
