//! A stage: what it stores, how it is filled, and the program that maintains it for each set of changes.

use super::bounded::FEW;
use super::crossing::Crossing;
use super::full_refresh::Contents;
use super::key::KeyColumn;
use crate::plan::{Change, Oid, Program, Returns, Source, Statement, Way};
use crate::sql::statement::or;

/// Plans that are kept are for at most this many changed rows.
pub const FEW_CHANGES: usize = 256;
/// If each changed row may read many that it does not touch, they are for at most this many.
const FEW_READERS: usize = 16;
/// A change counts as large if no table has more than this many times its rows.
pub const LARGE: usize = 2;
/// Scanning a table of this many bytes for each touched key takes less time than making a plan that does not.
const SMALL: usize = 65_536;
/// To skip a stage pays for a share of its rows that is this many times smaller than one for which its query runs, if not
/// for less.
const SKIPPED: usize = 5;
/// To write a row takes at least as long as to read this many.
const WRITTEN: usize = 4;
/// As many rows are on a page of a table, if PostgreSQL has not counted them.
const PAGE_ROWS: usize = 64;

/// The rows that a program reads or writes, where they can be more than those that changed.
pub enum Reach {
    /// Stored rows: a SELECT with one row for each of them.
    Stored(String),
    /// Rows of a delta. The program for many rows finds out whether there are more than it is told.
    Delta {
        /// How many rows there are of which these are a part, as SQL, where they can be more than a table has. It may be too
        /// few.
        of: Option<String>,
        /// In how many parts these rows are, as SQL, where a program gives up once it has to read some of the parts again.
        parts: Option<String>,
    },
    /// As many as the planner expects.
    Planned,
}

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
    /// What the storage table holds.
    pub(crate) contents: Contents,
    /// The tables whose changes reach this stage, in the order in which its query names them: views are inlined, and lower
    /// stages are included.
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
    /// True if an expression of its query can raise an error.
    pub(crate) may_raise: bool,
    /// True if it is the only stage of its stream table.
    pub(crate) is_only: bool,
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

    /// The rows that the program reads or writes for these changes, unless it reads only the changed rows themselves.
    fn reach(&self, _changes: &[Change]) -> Option<Reach> {
        None
    }

    /// True if a changed row may read more rows than the program touches.
    fn reads_more(&self, _changes: &[Change]) -> bool {
        false
    }

    /// True if the program compares each changed row with all of another table, where the query may find them by an index.
    fn compares_all(&self) -> bool {
        false
    }

    /// How many times as many rows as have changed a table must have at least, for the program to pay.
    fn least(&self, _changes: &[Change]) -> usize {
        LARGE
    }

    /// Stored columns that identify a row, if they do so without a unique index.
    fn row_key(&self) -> Option<&[KeyColumn]> {
        None
    }

    /// The rows that fill the empty storage, where those of the query leave out what changes find out for themselves.
    fn filled(&self) -> Option<String> {
        None
    }

    /// True if a change may give most stored rows another result.
    fn rewrites_most(&self) -> bool {
        false
    }

    /// True if every change runs the whole query again, at least if it has many rows.
    fn runs_query(&self) -> bool {
        false
    }

    /// True if an INSERT or DELETE costs little more with the program for an UPDATE.
    fn runs_as_update(&self, _change: &Change) -> bool {
        false
    }

    /// True if a program evaluates the query's expressions for nothing but the rows of the change, each by itself.
    fn reads_only_the_change(&self) -> bool {
        false
    }

    /// True if sums of floats are rounded once, at the end. The query rounds at each row, so its result depends on
    /// their order.
    fn rounds_once(&self) -> bool {
        false
    }

    /// True if the program reads nothing but the changed rows and the tables that these are joined to.
    fn joins_only(&self) -> bool {
        false
    }

    /// True if there is an index for every order in which a small change reads rows, so that its plan must not sort them.
    fn reads_in_order(&self) -> bool {
        false
    }

    /// True if plans must be made anew for these changes, because some table without an index is scanned in full, more
    /// than once. `advised` says that indexes are missing that would help.
    fn needs_fresh_plans(&self, _advised: bool, _changes: &[Change]) -> bool {
        false
    }
}

impl Stage {
    /// The program for one set of changes, at most one for each table.
    #[must_use]
    pub fn program(&self, changes: &[Change]) -> Program {
        if self.is_clock() {
            return self.maintenance.program(&[]);
        }
        let relevant = self.relevant(changes);
        if relevant.is_empty() {
            return Program::Nothing;
        }
        let is_only = |source: &Source, change: &Change| source.relid == change.relid && source.only && change.old;
        let others = |change: &Change| self.sources.iter().any(|source| is_only(source, change));
        if relevant.iter().any(others) {
            return Program::Rebuild;
        }
        self.maintenance.program(&relevant)
    }

    /// True for the clock of a stream table, which has no sources: maintenance moves it to the present before it runs
    /// any other stage.
    #[must_use]
    pub fn is_clock(&self) -> bool {
        self.due.is_some()
    }

    /// The changes to the stage's sources, in the order of these.
    fn relevant(&self, changes: &[Change]) -> Vec<Change> {
        self.sources
            .iter()
            .filter_map(|source| {
                let is_change = |change: &&Change| change.relid == source.relid && (change.new || change.old);
                let change = changes.iter().find(is_change)?;
                Some(Change {
                    repeated: change.repeated || source.updates_itself && change.new && change.old,
                    ..*change
                })
            })
            .collect()
    }

    /// The changes for which a plan is kept that serves these: where an UPDATE costs as much as an INSERT or DELETE, one
    /// plan instead of three. One of the transition tables of such a change may be empty.
    #[must_use]
    pub fn as_kept(&self, changes: &[Change]) -> Vec<Change> {
        let is_plain = |source: &Source| !source.only && !source.updates_itself;
        let source = |change: &Change| self.sources.iter().find(|source| source.relid == change.relid);
        let widened = changes.iter().map(|change| {
            let widens = source(change).is_some_and(is_plain) && self.maintenance.runs_as_update(change);
            Change {
                new: change.new || widens,
                old: change.old || widens,
                ..*change
            }
        });
        widened.collect()
    }

    /// True if the program for these changes may raise an error that the query of the stream table does not raise: it
    /// evaluates expressions for rows, or pairs of rows, that are neither in the old nor in the new state, or that
    /// another stage leaves out.
    #[must_use]
    pub fn may_raise_alone(&self, changes: &[Change]) -> bool {
        let as_query = self.is_only && self.maintenance.reads_only_the_change();
        self.may_raise && !(as_query && self.relevant(changes).iter().all(|change| !change.repeated))
    }

    /// Asks how to apply a change of many rows, the largest part of which has `rows` rows: 1 to fill the empty storage, 2
    /// to run the whole query and store the difference, 0 to run the program for these changes, and more if that may touch
    /// at most so many rows.
    ///
    /// The whole query reads each row of the sources and compares each stored row once. So it is the better choice if
    /// the program would read or write nearly as many. Stored rows that the change touches are counted, and then it is
    /// tried whether there are some multiple of this number: that depends on no statistics, which may be old or missing.
    /// Rows of a delta are counted by the program itself, since to count them is to compute them.
    ///
    /// If the stage `may_be_skipped`, the whole query is that of the stream table, which stores nothing of this stage. It is
    /// the better choice from a smaller share on.
    #[must_use]
    pub fn question(&self, rows: usize, changes: &[Change], may_be_skipped: bool) -> Statement {
        let skipped = if may_be_skipped { LARGE * SKIPPED } else { 0 };
        let factor = self.maintenance.least(changes).max(skipped);
        let exists = |table: &str, offset: &str| format!("EXISTS (SELECT FROM {table} OFFSET {offset})");
        let tables: Vec<&str> = self.sources.iter().map(|source| source.name.as_str()).collect();
        let many = (factor * rows).to_string();
        let source_is_large = or(&tables.iter().map(|table| exists(table, &many)).collect::<Vec<_>>());
        let stored = exists(&self.storage, "0");
        let is_large = or(&[exists(&self.storage, &many), source_is_large.clone()]);
        let mut is_load = format!("WHEN NOT {is_large} THEN 2 ");
        let mut with = String::new();
        let mut answer = "0".to_owned();
        let reach = self.maintenance.reach(changes);
        if !may_be_skipped && matches!(reach, Some(Reach::Delta { .. } | Reach::Planned)) {
            is_load.clear();
        }
        match reach {
            Some(Reach::Stored(rows)) => {
                with = format!("WITH r AS MATERIALIZED (SELECT pg_catalog.count(*) AS n FROM ({rows}) AS r) ");
                answer = format!(
                    "CASE WHEN {} THEN 0 ELSE 2 END",
                    exists(&self.storage, &format!("(SELECT r.n * {factor} FROM r)"))
                );
            }
            Some(Reach::Delta { of, parts }) => {
                let name = |table: &&str| format!("'{}'::pg_catalog.regclass", table.replace('\'', "''"));
                answer = format!(
                    "(SELECT CASE WHEN pg_catalog.min(t.size) > 0 THEN 3 + greatest(pg_catalog.max(t.size / 8192 * t.page){all}) / {share} \
                     ELSE {most} END FROM (SELECT pg_catalog.pg_relation_size(c.oid) AS size, \
                     CASE WHEN c.reltuples > 0 THEN c.reltuples / nullif(c.relpages, 0) ELSE {PAGE_ROWS} END AS page \
                     FROM pg_catalog.pg_class AS c WHERE c.oid IN ({names})) AS t)",
                    all = of.map_or_else(String::new, |of| format!(", {of}")),
                    share = parts.map_or_else(|| factor.to_string(), |parts| format!("greatest({factor}, {parts})")),
                    most = u32::MAX,
                    names = tables.iter().map(name).collect::<Vec<_>>().join(", "),
                );
            }
            Some(Reach::Planned) | None => {}
        }
        Statement {
            sql: format!(
                "{with}SELECT CASE WHEN NOT {stored} THEN CASE WHEN {source_is_large} THEN 0 ELSE 1 END \
                 {is_load}ELSE {answer} END::pg_catalog.int8"
            ),
            bulk: None,
            returns: Returns::Answer,
        }
    }

    /// The whole query, if it may cost less than the program for these changes, which reads more rows than changed.
    ///
    /// How many rows the program touches does not say how many it reads: it may have many terms, conditions that no index
    /// serves, or read a group for each changed row of it. So the planner is asked what both would cost. Its estimates may
    /// be wrong, but only to run the whole query.
    #[must_use]
    pub fn rival(&self, changes: &[Change]) -> Option<Statement> {
        self.maintenance.reach(&self.relevant(changes))?;
        Some(self.refresh())
    }

    /// For how many changed rows plans are kept, unless all sources are small.
    #[must_use]
    pub fn few(&self, changes: &[Change]) -> usize {
        if self.maintenance.reads_more(changes) {
            FEW_READERS
        } else {
            FEW_CHANGES
        }
    }

    /// Asks which sources are so large that no kept plan may scan them: a bit for each, and for a partitioned table.
    #[must_use]
    pub fn large(&self) -> Statement {
        let bits = self.sources.iter().enumerate().map(|(n, source)| {
            let size = sizes(&[&source.name]);
            format!(
                "CASE WHEN {size} BETWEEN 1 AND {SMALL} THEN 0 ELSE {} END::pg_catalog.int8",
                1_i64 << n.min(62)
            )
        });
        Statement {
            sql: format!("SELECT {}", bits.collect::<Vec<_>>().join(" OPERATOR(pg_catalog.|) ")),
            bulk: None,
            returns: Returns::Answer,
        }
    }

    /// Whether plans can be kept for these changes although [`Stage::needs_fresh_plans`], given the answer to
    /// [`Stage::large`]: all tables are small that they may scan.
    #[must_use]
    pub fn scans_small(&self, large: i64, changes: &[Change]) -> bool {
        let is_own =
            |source: &Source| matches!(changes, [change] if change.relid == source.relid && source.occurrences == 1);
        let mut own = self.sources.iter().position(is_own);
        own = own.filter(|n| *n < 62 && self.maintenance.joins_only());
        large & !own.map_or(0, |n| 1 << n) == 0
    }

    /// Asks whether the stage stores so much (1) that changing all of it costs more than reading these tables, the sources of
    /// the stream table: a row is written, with its indexes, in the time in which several are read.
    #[must_use]
    pub fn outweighs(&self, tables: &[&str]) -> Statement {
        let (own, others) = (sizes(&[&self.storage]), sizes(tables));
        Statement {
            sql: format!(
                "SELECT ({own} > {SMALL} AND {own} * {WRITTEN} >= greatest({others}))::pg_catalog.int4::pg_catalog.int8"
            ),
            bulk: None,
            returns: Returns::Answer,
        }
    }

    /// Fills the empty storage.
    #[must_use]
    pub fn fill_statement(&self) -> Statement {
        Statement {
            sql: self.contents.fill(&self.storage, self.maintenance.filled()),
            bulk: None,
            returns: Returns::Nothing,
        }
    }

    /// Empties the storage and fills it anew.
    #[must_use]
    pub fn refill(&self) -> Vec<Statement> {
        let empty = Statement {
            sql: format!("DELETE FROM {}", self.storage),
            bulk: None,
            returns: Returns::Nothing,
        };
        vec![empty, self.fill_statement()]
    }

    /// Runs the query again and patches the stored rows. Returns [`Returns::Patched`], unless it is a clock.
    #[must_use]
    pub fn rebuild(&self) -> Statement {
        self.contents.refresh(&self.storage, true)
    }

    /// The same without an answer.
    #[must_use]
    pub fn refresh(&self) -> Statement {
        self.contents.refresh(&self.storage, false)
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

    /// True if the program compares each changed row with all of another table, where the query may find them by an index.
    #[must_use]
    pub fn compares_all(&self) -> bool {
        self.maintenance.compares_all()
    }

    /// True if plans must be made anew for these changes, because some table without an index is scanned in full, more
    /// than once.
    #[must_use]
    pub fn needs_fresh_plans(&self, changes: &[Change]) -> bool {
        self.maintenance.needs_fresh_plans(!self.advice.is_empty(), changes)
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
            row(&section, "choice", self.choice(source));
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

    /// Which changes of one source run with plans that are kept, and which run the whole query.
    #[must_use]
    pub fn choice(&self, source: &Source) -> String {
        let changes = [Change {
            relid: source.relid,
            new: true,
            old: true,
            repeated: false,
        }];
        if self.runs_query() {
            return match self.maintenance.program(&changes) {
                Program::Run(program) if program.iter().any(|statement| statement.bulk.is_some()) => {
                    format!("kept plans for at most {FEW_CHANGES} rows; else the whole query")
                }
                _ => "always the whole query".to_owned(),
            };
        }
        let (also, whole) = match self.maintenance.reach(&changes) {
            Some(reach) => (
                format!(" that touch at most {FEW}"),
                match reach {
                    Reach::Stored(_) => format!("if 1 in {LARGE} stored rows is touched"),
                    Reach::Delta { .. } => {
                        format!("if 1/{LARGE} as many rows are touched as its largest table has")
                    }
                    Reach::Planned => "if the planner takes it for cheaper".to_owned(),
                },
            ),
            None => (
                String::new(),
                format!("if no table has more than {LARGE} times as many rows as changed"),
            ),
        };
        let kept = if self.needs_fresh_plans(&changes) {
            format!("kept plans for small tables, of at most {SMALL} bytes")
        } else {
            format!("kept plans for at most {} rows{also}", self.few(&changes))
        };
        format!("{kept}; the whole query {whole}; else plans for this change")
    }

    /// The cost class of a change to one source.
    #[must_use]
    pub fn cost(&self, source: &Source) -> &'static str {
        self.maintenance.cost(source, &self.sources)
    }
}

/// The sizes of tables in bytes, as arguments.
#[must_use]
pub fn sizes(tables: &[&str]) -> String {
    let size = |table: &&str| format!("pg_catalog.pg_relation_size('{}')", table.replace('\'', "''"));
    tables.iter().map(size).collect::<Vec<_>>().join(", ")
}
