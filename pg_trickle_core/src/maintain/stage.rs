//! A stage: what it stores, how it is filled, and the program that maintains it for each set of changes.

use crate::plan::{Change, Oid, Program, Returns, Source, Statement, Way};
use crate::sql::statement::or;

/// A change is large beside a source that has at most this many times its rows.
const LARGE: usize = 2;

/// One stage of a stream table, compiled.
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
    pub(crate) maintenance: Box<dyn Maintenance>,
}

/// How the stored rows of a stage follow its sources. Each operator that is stored has an implementation.
pub trait Maintenance {
    /// The way that `explain` shows.
    fn way(&self) -> Way;

    /// The program for changes of the stage's sources, each of which holds rows.
    fn program(&self, changes: &[Change]) -> Program;

    /// The cost class of a change of `source`, which is one of `sources`.
    fn cost(&self, source: &Source, sources: &[Source]) -> &'static str;

    /// The statements that store the result of the query `rows` in place of what is there, for a change that touches most
    /// of it; `fill` stores it in an empty table. None where a large change is applied like others.
    fn replace(&self, _rows: &str, _fill: &str) -> Vec<String> {
        Vec::new()
    }

    /// Every change runs the query again.
    fn runs_query(&self) -> bool {
        false
    }

    /// Sums of floats are rounded otherwise than by the query, whose result depends on the order of its rows.
    fn rounds_once(&self) -> bool {
        false
    }

    /// Plans must be made for each change, because tables are read as a whole that have no index, and more than once.
    /// `advised` says that indexes are missing which would help.
    fn needs_fresh_plans(&self, _advised: bool) -> bool {
        false
    }
}

impl Stage {
    /// The program for one set of changes (sorted by table).
    #[must_use]
    pub fn program(&self, changes: &[Change]) -> Program {
        let mut relevant = Vec::new();
        for change in changes.iter().filter(|change| change.new || change.old) {
            if let Some(source) = self.sources.iter().find(|source| source.relid == change.relid) {
                if source.only && change.old {
                    return Program::Rebuild;
                }
                relevant.push(Change {
                    repeated: change.repeated || source.updates_itself && change.new && change.old,
                    ..*change
                });
            }
        }
        if relevant.is_empty() {
            return Program::Nothing;
        }
        self.maintenance.program(&relevant)
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
        self.maintenance.runs_query()
    }

    /// Plans must be made for each change, because tables are read as a whole that have no index, and more than once.
    #[must_use]
    pub fn is_unindexed(&self) -> bool {
        self.maintenance.needs_fresh_plans(!self.advice.is_empty())
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
        self.maintenance.rounds_once()
    }

    /// The cost class of a change of one source.
    #[must_use]
    pub fn cost(&self, source: &Source) -> &'static str {
        self.maintenance.cost(source, &self.sources)
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
