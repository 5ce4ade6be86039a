//! A stage: what it stores, how it is filled, and the program that maintains it for each set of changes.

pub mod bag;
pub mod group;
pub mod rebuild;
pub mod recursion;
pub mod rekey;
pub mod storage;

use crate::op::term::Block;
use crate::plan::{Change, Oid, Program, Returns, Source, Statement, Way};
use crate::sql::statement::or;
use bag::Bag;
use group::Group;
use recursion::Recursion;
use rekey::Rekey;

/// A change is large beside a source that has at most this many times its rows.
const LARGE: usize = 2;

/// One stage of a stream table, compiled.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Stage {
    /// The OID by which other stages of the stream table know its storage ([`crate::plan::stage_relid`]).
    pub relid: Oid,
    /// Qualified, quoted name of its storage table.
    pub storage: String,
    /// How changes are applied.
    pub way: Way,
    /// Why the way is not a better one.
    pub reason: Option<String>,
    /// Statements that make the storage table and its indexes.
    pub ddl: Vec<String>,
    /// Fills an empty storage table.
    pub init: String,
    /// Recomputes everything and patches the stored rows; the last statement returns
    /// [`crate::plan::Returns::Patched`].
    pub rebuild: Vec<Statement>,
    /// Recomputes everything and stores it in place of what is there, by statements that tell nothing; none where a large
    /// change is applied like others.
    pub whole: Vec<String>,
    /// The tables whose changes reach this stage, views inlined, by OID; stages below among them.
    pub sources: Vec<Source>,
    /// Storage columns that identify a row; empty where rows can repeat.
    pub key: Vec<String>,
    /// Names the storage layout: two compilations with one layout can share a storage table.
    pub layout: String,
    /// Indexes that would make maintenance cheaper, as sentences.
    pub advice: Vec<String>,
    /// The operator tree as indented lines, root first.
    pub operators: Vec<String>,
    pub(crate) maintained: Maintained,
}

/// The pieces that programs are made of.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Maintained {
    /// The change is folded into the stored rows.
    Fold(Into),
    /// Touched keys are recomputed.
    Rekey(Rekey),
    /// A recursive CTE.
    Recursion(Box<Recursion>),
    /// Everything is recomputed, by a statement that is known to read little.
    Whole,
    /// Everything is recomputed.
    Rebuild,
}

/// The two shapes of storage that a Fold writes.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Into {
    Bag(Bag),
    Group(Group),
}

impl Stage {
    /// The program for one set of changes (sorted by table).
    #[must_use]
    pub fn program(&self, changes: &[Change]) -> Program {
        let mut relevant = Vec::new();
        for change in changes.iter().filter(|change| change.new || change.old) {
            if let Some(source) = self.sources.iter().find(|source| source.relid == change.relid) {
                relevant.push(Change {
                    repeated: change.repeated || source.updates_itself && change.new && change.old,
                    ..*change
                });
            }
        }
        if relevant.is_empty() {
            return Program::Nothing;
        }
        match &self.maintained {
            Maintained::Fold(into) => {
                let parts = match into {
                    Into::Bag(bag) => &bag.parts,
                    Into::Group(group) => &group.parts,
                };
                if parts.iter().any(|part| Block::too_many(&part.block.changed(&relevant))) {
                    return Program::Rebuild;
                }
                Program::Run(match into {
                    Into::Bag(bag) => bag.program(&relevant),
                    Into::Group(group) => group.program(&relevant),
                })
            }
            Maintained::Rekey(rekey) => Program::Run(rekey.program(&relevant)),
            Maintained::Recursion(recursion) => recursion.program(&relevant),
            Maintained::Whole => Program::Run(self.rebuild.clone()),
            Maintained::Rebuild => Program::Rebuild,
        }
    }

    /// Asks whether a change of so many rows is applied as [`Stage::at_once`] says: no source has more than [`LARGE`] times
    /// these rows, so that the query reads about what the change and all that it touches are.
    #[must_use]
    pub fn is_load(&self, rows: usize) -> Statement {
        let exists = |table: &str, offset: usize| format!("EXISTS (SELECT FROM {table} OFFSET {offset})");
        let stored = exists(&self.storage, 0);
        let tables = self.sources.iter().map(|source| &source.name);
        let mut large: Vec<String> = tables.map(|table| exists(table, LARGE * rows)).collect();
        let mut patched = String::new();
        if !self.whole.is_empty() {
            large.push(exists(&self.storage, LARGE * rows));
            patched = format!(" WHEN {stored} THEN 2");
        } else {
            large.insert(0, stored);
        }
        Statement {
            sql: format!(
                "SELECT CASE WHEN {} THEN 0{patched} ELSE 1 END::pg_catalog.int8",
                or(&large)
            ),
            bulk: None,
            returns: Returns::Patched,
        }
    }

    /// The statements for a load, by what [`Stage::is_load`] returned: 1, the storage is empty; 2, it is not; else none.
    #[must_use]
    pub fn at_once(&self, answer: i64) -> Vec<Statement> {
        match answer {
            1 => vec![self.fill()],
            2 => self.whole.iter().map(|sql| silent(sql)).collect(),
            _ => Vec::new(),
        }
    }

    /// Fills the empty storage.
    #[must_use]
    pub fn fill(&self) -> Statement {
        silent(&self.init)
    }

    /// Every change runs the query again.
    #[must_use]
    pub fn is_whole(&self) -> bool {
        matches!(self.maintained, Maintained::Whole | Maintained::Rebuild)
    }

    /// Plans must be made for each change, because tables are read as a whole that have no index, and more than once.
    #[must_use]
    pub fn is_unindexed(&self) -> bool {
        match &self.maintained {
            Maintained::Recursion(recursion) => !recursion.indexed || !self.advice.is_empty(),
            _ => false,
        }
    }

    /// What `explain` shows: rows of (section, key, value).
    #[must_use]
    pub fn explain(&self) -> Vec<(String, String, String)> {
        let mut rows = Vec::new();
        let mut row = |section: &str, key: &str, value: String| {
            rows.push((section.to_owned(), key.to_owned(), value));
        };
        let stage = format!("stage {}", self.storage);
        row(&stage, "way", self.way.name().to_owned());
        if let Some(reason) = &self.reason {
            row(&stage, "reason", reason.clone());
        }
        row(
            &stage,
            "key",
            if self.key.is_empty() {
                "none: rows can repeat".to_owned()
            } else {
                self.key.join(", ")
            },
        );
        if !self.operators.is_empty() {
            row(&stage, "operators", self.operators.join("\n"));
        }
        for source in &self.sources {
            let section = format!("{stage} source {}", source.name);
            row(&section, "occurrences", source.occurrences.to_string());
            row(&section, "cost", self.cost(source).to_owned());
            for (event, new, old) in [("INSERT", true, false), ("UPDATE", true, true), ("DELETE", false, true)] {
                let change = Change {
                    relid: source.relid,
                    new,
                    old,
                    repeated: false,
                };
                match self.program(&[change]) {
                    Program::Nothing => row(&section, event, "nothing".to_owned()),
                    Program::Rebuild => row(&section, event, "rebuild".to_owned()),
                    Program::Run(statements) => {
                        let texts: Vec<String> = statements.into_iter().map(|statement| statement.sql).collect();
                        row(&section, event, texts.join(";\n"));
                    }
                }
            }
            row(&section, "TRUNCATE", "rebuild".to_owned());
        }
        for advice in &self.advice {
            row("advice", "index", advice.clone());
        }
        rows
    }

    /// Sums of floats are rounded otherwise than by the query, whose result depends on the order of its rows.
    #[must_use]
    pub fn rounds_once(&self) -> bool {
        matches!(&self.maintained, Maintained::Fold(Into::Group(group)) if group.aggregate.rounds_once)
    }

    /// The cost class of a change of one source.
    #[must_use]
    pub fn cost(&self, source: &Source) -> &'static str {
        match &self.maintained {
            Maintained::Fold(Into::Group(group)) if group.aggregate.looks_up() => {
                "the change and its fan-out; the rows of a group, when a value goes that decided its result"
            }
            Maintained::Fold(_) if source.occurrences > 1 || self.sources.len() > 1 => {
                "the change times its fan-out in the join"
            }
            Maintained::Fold(_) => "the change",
            Maintained::Rekey(rekey) if rekey.key.is_empty() => "all rows: they are one partition",
            Maintained::Rekey(_) => "the touched keys",
            Maintained::Recursion(_) => "the rows that hang on the change",
            Maintained::Whole => "the rows shown, with an index in their order",
            Maintained::Rebuild => "the whole query",
        }
    }
}

/// A statement that tells nothing.
fn silent(sql: &str) -> Statement {
    Statement {
        sql: sql.to_owned(),
        bulk: None,
        returns: Returns::Nothing,
    }
}
