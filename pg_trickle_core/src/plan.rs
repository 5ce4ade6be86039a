//! What a compiled stream table is: its storage, how it is filled, and the program for each set of changes.
//!
//! Data only. The backend runs it; nothing here knows how.

/// An object identifier of PostgreSQL.
pub type Oid = u32;

/// The OID by which the core knows the storage table of a stage, which may not exist yet: 0 for the stage at the top,
/// whose storage is the stream table's. PostgreSQL hands out OIDs from below.
#[must_use]
pub fn stage_relid(number: u32) -> Oid {
    Oid::MAX - number
}

/// How a stage is maintained (docs/ARCHITECTURE.md, "Three ways to maintain a stage").
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Way {
    /// The change is mapped through the query and folded into the stored rows.
    Fold,
    /// The keys that the change touches are found, and the query is run again for these alone.
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
    /// How often the query reads it (more than once in a self-join).
    pub occurrences: usize,
    /// Attribute numbers the query reads. An UPDATE of other columns only is no change.
    pub columns: Vec<i16>,
    /// The query looks at where rows lie (TABLESAMPLE, ctid), so that every UPDATE is a change.
    pub physical: bool,
    /// The query reads `ONLY` this table, which has children: what an UPDATE or DELETE of it changed may be rows of theirs.
    pub only: bool,
    /// An UPDATE of it can change a row twice.
    pub updates_itself: bool,
}

/// What happened to one source in the statement being maintained.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Change {
    /// The table's OID.
    pub relid: Oid,
    /// `__pgt_new_<relid>` is registered and holds rows.
    pub new: bool,
    /// `__pgt_old_<relid>` is registered and holds rows.
    pub old: bool,
    /// Rows may have changed twice: a version that came and went is in both.
    pub repeated: bool,
}

/// What the one row that a statement returns means.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Returns {
    /// The statement returns no row.
    Nothing,
    /// `(expected bigint, done bigint)`: stored rows the change should remove, and rows removed.
    /// When they differ the stored rows do not describe the sources: rebuild.
    Removed,
    /// `(inserted bigint, deleted bigint, updated bigint)`: the rows a Rebuild had to patch.
    Patched,
}

/// One SQL statement of a program.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Statement {
    /// The text; needs no parameters.
    pub sql: String,
    /// Another text with the same effect for changes of many rows, where one plan cannot serve both.
    pub bulk: Option<String>,
    /// What it returns.
    pub returns: Returns,
}

/// How one set of changes is applied to a stage.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Program {
    /// The changes cannot alter the stage.
    Nothing,
    /// Run these in order.
    Run(Vec<Statement>),
    /// Run [`Stage::rebuild`].
    Rebuild,
}
