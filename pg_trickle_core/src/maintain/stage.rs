//! A stage: what it stores, how it is filled, and the program that maintains it for each set of changes.

use super::crossing::Crossing;
use crate::plan::{Change, Oid, Program, Returns, Source, Statement, Way};
use crate::sql::statement::or;

/// A change counts as large if no source has more than this many times its rows.
const LARGE: usize = 2;

/// One compiled stage of a stream table.
pub struct Stage {
    /// The OID by which other stages of the stream table know its storage ([`crate::plan::stage_relid`]).
    pub relid: Oid,
    /// Qualified, quoted name of its storage table.
    pub storage: String,
    /// How changes are applied.
    pub way: Way,
    /// Why no better way is possible.
    pub reason: Option<String>,
    /// Statements that create the storage table and its indexes.
    pub ddl: Vec<String>,
    /// Fills an empty storage table.
    pub fill: String,
    /// Recomputes everything and patches the stored rows. The last statement returns
    /// [`crate::plan::Returns::Patched`].
    pub rebuild: Vec<Statement>,
    /// Recomputes everything and replaces the stored rows, by statements that report nothing. Empty if large changes
    /// are applied like others.
    pub replace: Vec<String>,
    /// The tables whose changes reach this stage, by OID: views are inlined, and lower stages are included.
    pub sources: Vec<Source>,
    /// Storage columns that identify a row; empty if rows can repeat.
    pub key: Vec<String>,
    /// The storage layout: two compilations with the same layout can share a storage table.
    pub layout: String,
    /// Indexes that would make maintenance cheaper, one sentence each.
    pub advice: Vec<String>,
    /// The operator tree as indented lines, root first.
    pub operators: Vec<String>,
    /// The values that the stage compares with the clock.
    pub crossings: Vec<Crossing>,
    /// For the clock of a stream table: asks whether time alone has changed what its stages store. The answer is
    /// that of [`Stage::program`]'s statement, which moves it: 0 if nothing has changed, 1 if rows are to be moved, and 2
    /// if the stages that read the clock must run their queries again.
    pub due: Option<Statement>,
    pub(crate) maintenance: Box<dyn Maintenance>,
}

/// How the stored rows of a stage follow its sources. Each operator that is stored implements it.
pub trait Maintenance {
    /// The way that `explain` shows.
    fn way(&self) -> Way;

    /// The program for changes to the stage's sources. Each change holds rows.
    fn program(&self, changes: &[Change]) -> Program;

    /// The cost class of a change to `source`, which is one of `sources`.
    fn cost(&self, source: &Source, sources: &[Source]) -> &'static str;

    /// The statements that replace the stored rows with the result of the query `rows`, for a change that touches most
    /// of them. `fill` stores that result in an empty table. Empty if a large change is applied like others.
    fn replace(&self, _rows: &str, _fill: &str) -> Vec<String> {
        Vec::new()
    }

    /// True if every change runs the whole query again.
    fn runs_query(&self) -> bool {
        false
    }

    /// True if sums of floats are rounded once, at the end. The query rounds at each row, so its result depends on
    /// their order.
    fn rounds_once(&self) -> bool {
        false
    }

    /// True if there is an index for every order in which a small change reads rows, so that its plan must not sort them.
    fn reads_in_order(&self) -> bool {
        false
    }

    /// True if plans must be made anew for each change, because some table without an index is scanned in full, more
    /// than once. `advised` says that indexes are missing that would help.
    fn needs_fresh_plans(&self, _advised: bool) -> bool {
        false
    }
}

impl Stage {
    /// The program for one set of changes (sorted by table).
    #[must_use]
    pub fn program(&self, changes: &[Change]) -> Program {
        if self.is_clock() {
            return self.maintenance.program(&[]);
        }
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

    /// True for the clock of a stream table, which has no sources: maintenance moves it to the present before it runs
    /// any other stage.
    #[must_use]
    pub fn is_clock(&self) -> bool {
        self.due.is_some()
    }

    /// Asks whether a change of `rows` rows should be applied by [`Stage::load`]: whether no source has more than
    /// `LARGE` times as many rows, so that the whole query reads about as much as the change and everything it touches.
    #[must_use]
    pub fn load_question(&self, rows: usize) -> Statement {
        let exists = |table: &str, offset: usize| format!("EXISTS (SELECT FROM {table} OFFSET {offset})");
        let stored = exists(&self.storage, 0);
        let tables = self.sources.iter().map(|source| &source.name);
        let mut large: Vec<String> = tables.map(|table| exists(table, LARGE * rows)).collect();
        let mut patched = String::new();
        if !self.replace.is_empty() {
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
            returns: Returns::Answer,
        }
    }

    /// The statements for a load, given the answer to [`Stage::load_question`]: 1 if the storage is empty, 2 if it is
    /// not, 0 if this is no load.
    #[must_use]
    pub fn load(&self, answer: i64) -> Vec<Statement> {
        match answer {
            1 => vec![self.fill_statement()],
            2 => self.replace.iter().map(|sql| silent(sql)).collect(),
            _ => Vec::new(),
        }
    }

    /// Fills the empty storage.
    #[must_use]
    pub fn fill_statement(&self) -> Statement {
        silent(&self.fill)
    }

    /// True if there is an index for every order in which a small change reads rows, so that its plan must not sort them.
    #[must_use]
    pub fn reads_in_order(&self) -> bool {
        self.maintenance.reads_in_order()
    }

    /// True if every change runs the whole query again.
    #[must_use]
    pub fn runs_query(&self) -> bool {
        self.maintenance.runs_query()
    }

    /// True if plans must be made anew for each change, because some table without an index is scanned in full, more
    /// than once.
    #[must_use]
    pub fn needs_fresh_plans(&self) -> bool {
        self.maintenance.needs_fresh_plans(!self.advice.is_empty())
    }

    /// The rows of `explain`: (section, key, value).
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

    /// True if sums of floats are rounded once, at the end. The query rounds at each row, so its result depends on
    /// their order.
    #[must_use]
    pub fn rounds_once(&self) -> bool {
        self.maintenance.rounds_once()
    }

    /// The cost class of a change to one source.
    #[must_use]
    pub fn cost(&self, source: &Source) -> &'static str {
        self.maintenance.cost(source, &self.sources)
    }
}

/// A statement that returns nothing.
fn silent(sql: &str) -> Statement {
    Statement {
        sql: sql.to_owned(),
        bulk: None,
        returns: Returns::Nothing,
    }
}
