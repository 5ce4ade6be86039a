//! A stage: what it stores, how it is filled, and the program that maintains it for each set of changes.

pub mod bag;
pub mod group;
pub mod rebuild;
pub mod storage;

use crate::op::Op;
use crate::op::term::Block;
use crate::plan::{Change, Oid, OutputColumn, Program, Source, Statement, Way};
use bag::Bag;
use group::Group;

/// A compiled stream table.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Stage {
    /// The visible columns, in the query's order.
    pub columns: Vec<OutputColumn>,
    /// How changes are applied.
    pub way: Way,
    /// Why the way is not Fold.
    pub reason: Option<String>,
    /// Statements that make the storage table and its indexes.
    pub ddl: Vec<String>,
    /// The SELECT of the user's view.
    pub view: String,
    /// Fills an empty storage table.
    pub init: String,
    /// Recomputes everything and patches the stored rows; the last statement returns
    /// [`crate::plan::Returns::Patched`].
    pub rebuild: Vec<Statement>,
    /// The tables whose changes reach this stage, views inlined, by OID.
    pub sources: Vec<Source>,
    /// Storage columns that identify a row; empty where rows can repeat.
    pub key: Vec<String>,
    /// Constraints (primary keys) that make the key one; without them the layout changes.
    pub constraints: Vec<Oid>,
    /// Names the storage layout: two compilations with one layout can share a storage table.
    pub layout: String,
    /// Indexes that would make maintenance cheaper, as sentences.
    pub advice: Vec<String>,
    pub(crate) fold: Option<Fold>,
}

/// The pieces of a stage that is maintained by Fold.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Fold {
    /// Operators, for `explain`.
    pub tree: Op,
    /// Scans, joins and filters.
    pub block: Block,
    /// What the rows are folded into.
    pub into: Into,
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
        let reaches = |change: &&Change| {
            (change.new || change.old) && self.sources.iter().any(|source| source.relid == change.relid)
        };
        let relevant: Vec<Change> = changes.iter().filter(reaches).copied().collect();
        if relevant.is_empty() {
            return Program::Nothing;
        }
        let foldable = |change: &Change| {
            self.sources
                .iter()
                .any(|source| source.relid == change.relid && source.fold)
        };
        let Some(fold) = &self.fold else {
            return Program::Rebuild;
        };
        if !relevant.iter().all(foldable) {
            return Program::Rebuild;
        }
        let changed = fold.block.changed(&relevant);
        if Block::too_many(&changed) {
            return Program::Rebuild;
        }
        Program::Run(match &fold.into {
            Into::Bag(bag) => bag.program(&fold.block, &changed),
            Into::Group(group) => group.program(&fold.block, &changed),
        })
    }

    /// What `explain` shows: rows of (section, key, value).
    #[must_use]
    pub fn explain(&self) -> Vec<(String, String, String)> {
        let mut rows = Vec::new();
        let mut row = |section: &str, key: &str, value: String| {
            rows.push((section.to_owned(), key.to_owned(), value));
        };
        row("stage 1", "way", self.way.name().to_owned());
        if let Some(reason) = &self.reason {
            row("stage 1", "reason", reason.clone());
        }
        row(
            "stage 1",
            "key",
            if self.key.is_empty() {
                "none: rows can repeat".to_owned()
            } else {
                self.key.join(", ")
            },
        );
        if let Some(fold) = &self.fold {
            row("stage 1", "operators", fold.tree.tree().join("\n"));
        }
        for source in &self.sources {
            let section = format!("source {}", source.name);
            row(&section, "occurrences", source.occurrences.to_string());
            row(&section, "cost", self.cost(source).to_owned());
            for (event, new, old) in [("INSERT", true, false), ("UPDATE", true, true), ("DELETE", false, true)] {
                let change = Change {
                    relid: source.relid,
                    new,
                    old,
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

    fn cost(&self, source: &Source) -> &'static str {
        match &self.fold {
            Some(fold) if source.fold => {
                if fold.block.scans.len() > 1 {
                    "the change times its fan-out in the join"
                } else {
                    "the change"
                }
            }
            Some(_) | None => "the whole query",
        }
    }
}
