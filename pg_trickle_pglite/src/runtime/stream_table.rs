//! Stream tables as a session holds them: compiled, with the plans that maintain them.

use super::plans::{self, Action, ActionCache, Plans};
use super::session::Guests;
use crate::edge::error::{Result, SqlError};
use crate::edge::ffi::{self, Delta, Oid, Outcome, Row, Run, Setting, Steps, c_string};
use crate::edge::{settings, spi};
use crate::text::{hidden, names};
use pg_trickle_core::Stage;
use pg_trickle_core::plan::{Change, OutputColumn, Returns, Source, Statement, Way};
use pg_trickle_core::sorted::Set;
use std::cell::{OnceCell, RefCell};
use std::ffi::{CStr, CString};
use std::rc::Rc;

/// A stream table, compiled.
pub struct StreamTable {
    /// Its id in our catalog.
    pub id: i32,
    /// Its qualified name.
    pub name: String,
    /// The user's view.
    pub relid: Oid,
    /// The longest chain of stream tables below it.
    pub depth: u32,
    /// Its owner.
    pub role: Oid,
    /// The qualified name of the definition view.
    pub definition: String,
    /// The name of the storage table, without its schema.
    pub storage: String,
    /// It has been filled and is maintained.
    pub populated: bool,
    /// The relations whose change invalidates this.
    pub depends: Set<Oid>,
    /// What the catalogs said about these when it was compiled.
    pub fingerprint: String,
    /// Why its query is run again after every change, whatever operators there are for it.
    pub fallback: Option<String>,
    /// Its view computes windows.
    pub windows_on_read: bool,
    /// The visible columns.
    pub columns: Vec<OutputColumn>,
    /// The query that turns changed rows of the storage into what users see, as text.
    pub change_rows: String,
    /// The same for rows as documents, if its changes are kept for `pgtrickle.changes()`.
    pub change_documents: Option<String>,
    /// The events for which users made triggers, as the bits of `pg_trigger.tgtype`.
    pub triggers: u32,
    /// What it takes without its programs, in bytes.
    pub weight: usize,
    /// Why it cannot be maintained: its owner has lost a privilege that its query needs.
    pub denied: Option<Box<SqlError>>,
    /// What [`super::load::at_once`] has compiled.
    pub at_once: OnceCell<Option<Rc<Statement>>>,
    /// Its stages, bottom first; the last one's storage is what users see.
    pub stages: Vec<Rc<StageRunner>>,
}

/// The settings that a statement runs under.
#[derive(Clone, Copy)]
enum Under<'a> {
    /// Those of the query.
    Query,
    /// The same in a time zone.
    Zone(&'a CStr),
    /// The same for values that are written as text.
    Writing,
}

/// Which stage of which stream table.
pub type StageKey = (i32, usize);

/// A stage, ready to be maintained.
pub struct StageRunner {
    /// The stream table, and the stage's place in it, from the bottom.
    pub key: StageKey,
    /// Depth of the stream table.
    pub depth: u32,
    /// What to do.
    pub stage: Stage,
    role: Oid,
    label: String,
    search_path: CString,
    /// The storage has the columns that the stage was compiled for.
    fits: bool,
    /// The same where the session has temporary objects, which may be those of another role.
    safe_path: CString,
    /// The tables that it reads.
    pub sources: Vec<SourceNames>,
    /// The clock of the stream table, if time alone can change it and this is not the clock itself.
    pub clock: Option<Rc<StageRunner>>,
    /// It is the whole query, run again after every change.
    pub is_whole: bool,
    /// It is one of several of its stream table, and changes may reach the top one without the others.
    pub may_skip: bool,
    /// Why the query does not compile any more to what is stored.
    pub unfit: Option<Box<SqlError>>,
    cache: RefCell<ActionCache>,
    question: RefCell<Option<Rc<Steps>>>,
    large: RefCell<Option<Rc<Steps>>>,
}

/// A table that a stage reads.
pub struct SourceNames {
    /// The table.
    pub relid: Oid,
    /// The OID that the compiler knows it by.
    pub core_relid: Oid,
    /// The name of its transition table of new versions.
    pub added: CString,
    /// The name of its transition table of old versions.
    pub removed: CString,
    /// The columns that are read.
    pub columns: Vec<i16>,
    /// The physical position of rows matters.
    pub physical: bool,
}

/// Who reads a table.
pub struct SourceTable {
    /// The table.
    pub relid: Oid,
    /// The stages.
    pub readers: Vec<SourceReader>,
    /// The stream table whose storage it is, if subscribers or users' triggers want to know of changed rows, or
    /// these are kept.
    pub followed: Option<i32>,
    /// It has virtual generated columns, whose values are not in the rows of a change.
    pub is_virtual: bool,
}

/// A stage that reads a table.
pub struct SourceReader {
    /// The stage.
    pub stage: Rc<StageRunner>,
    /// The columns that it reads.
    pub columns: Vec<i16>,
    /// The rows of a change tell everything it does to the stage. They do not where the stage reads a parent or a child of
    /// this table: the rows then belong to that table too, and its triggers do not fire.
    pub sees_all: bool,
    /// Every UPDATE is a change, whatever it does to the columns.
    pub physical: bool,
}

impl SourceTable {
    /// How a stage reads it, where it does.
    #[must_use]
    pub fn reader(&self, key: StageKey) -> Option<&SourceReader> {
        self.readers.iter().find(|reader| reader.stage.key == key)
    }
}

impl StreamTable {
    /// Whether its storage is what its query compiles to.
    #[must_use]
    pub fn fits(&self) -> bool {
        self.stages.iter().all(|stage| stage.fits)
    }

    /// The clock, if time alone can change the stream table.
    #[must_use]
    pub fn clock(&self) -> Option<&Rc<StageRunner>> {
        self.stages.first().filter(|stage| stage.stage.is_clock())
    }

    /// Fails if its owner may not read what its query reads. The rows of a change do not tell.
    pub fn must_be_allowed(&self) -> Result<()> {
        self.denied.clone().map_or(Ok(()), Err)
    }

    /// What it and its plans take, in bytes.
    #[must_use]
    pub fn size(&self) -> usize {
        let at_once = self.at_once.get().into_iter().flatten();
        let at_once: usize = at_once.map(|statement| statement.sql.len()).sum();
        self.weight + at_once + self.stages.iter().map(|stage| stage.plans()).sum::<usize>()
    }

    /// The qualified name of the storage table.
    #[must_use]
    pub fn storage_name(&self) -> String {
        hidden::qualified(&self.storage)
    }
}

impl StageRunner {
    /// The names of a source's transition tables; nothing for a table that is no source itself.
    #[must_use]
    pub fn names(&self, relid: Oid) -> Option<&SourceNames> {
        self.sources.iter().find(|source| source.relid == relid)
    }

    /// The first table that it reads.
    #[must_use]
    pub fn first_source(&self) -> Option<Oid> {
        self.sources.first().map(|source| source.relid)
    }

    /// Comes before another that reads it.
    #[must_use]
    pub fn order(&self) -> (u32, StageKey) {
        (self.depth, self.key)
    }

    /// What to do for few changes.
    #[must_use]
    pub fn action(&self, changes: &[Change]) -> Action {
        if let Some(action) = self.cache.borrow().find(changes) {
            return action;
        }
        let action = plans::action(&self.stage, changes, None);
        self.cache.borrow_mut().keep(changes, &action);
        action
    }

    /// What its programs take, in bytes.
    fn plans(&self) -> usize {
        let asked = [&self.question, &self.large];
        let questions = asked.map(|place| place.borrow().as_ref().map_or(0, |steps| steps.size()));
        self.cache.borrow().size() + questions.into_iter().sum::<usize>()
    }

    /// The error for maintenance that changes what it reads.
    #[must_use]
    pub fn never_ends(&self) -> Box<SqlError> {
        SqlError::new(
            "54001",
            format!(
                "maintenance of stream table {} does not end: its query changes what it reads",
                self.label
            ),
        )
        .hint("Functions of the query must not write; declare those that do as VOLATILE.")
        .about(&self.label)
    }

    /// Fails where the storage is not what the program was made for.
    pub fn must_fit(&self) -> Result<()> {
        if self.fits {
            return Ok(());
        }
        Err(SqlError::new(
            "55000",
            format!(
                "the storage of stream table {} is of another version, or for other rights of its owner",
                self.label
            ),
        )
        .hint(format!(
            "Run SELECT pgtrickle.refresh_stream_table('{}') once.",
            self.label.replace('\'', "''")
        ))
        .about(&self.label))
    }

    /// Runs statements that read no changes, and forgets them; the numbers that the last one returned.
    pub fn run_once(&self, statements: &[Statement]) -> Result<[i64; 3]> {
        self.run_once_in_zone(statements, None)
    }

    /// The same in a time zone, if one is given.
    pub fn run_once_in_zone(&self, statements: &[Statement], zone: Option<&CStr>) -> Result<[i64; 3]> {
        let _guests = Guests::start();
        let steps = plans::steps(statements, None);
        let under = zone.map_or(Under::Query, Under::Zone);
        let row = self.as_owner_freely(&[], false, under, |run| run.answer(&steps))?;
        let mut numbers = [0; 3];
        for (to, from) in numbers.iter_mut().zip(row) {
            if let Some(text) = from {
                *to = spi::number(&text)?;
            }
        }
        Ok(numbers)
    }

    /// The OID by which the compiler knows the clock of the stream table, if the stage reads it.
    #[must_use]
    pub fn reads_clock(&self) -> Option<Oid> {
        let clock = self.clock.as_ref()?.stage.relid;
        let reads = self.sources.iter().any(|source| source.core_relid == clock);
        reads.then_some(clock)
    }

    /// For a clock: moves it to the present. The answer is that of [`Stage::due`].
    pub fn advance(&self) -> Result<i64> {
        let Action::Run { steps, .. } = self.action(&[]) else {
            return Ok(0);
        };
        self.ask(&steps, &[], true)
    }

    /// For a clock: whether time alone has changed what the stages of its stream table store.
    pub fn is_due(&self) -> Result<bool> {
        let Some(question) = &self.stage.due else {
            return Ok(false);
        };
        Ok(self.ask_often(&self.question, question)? > 0)
    }

    /// Are all sources that these changes are joined to so small that a plan can scan them for each row?
    pub fn scans_small(&self, changes: &[Change]) -> Result<bool> {
        let large = self.ask_often(&self.large, &self.stage.large())?;
        Ok(self.stage.scans_small(large, changes))
    }

    /// Asks a question whose plan is kept in `place`.
    fn ask_often(&self, place: &RefCell<Option<Rc<Steps>>>, question: &Statement) -> Result<i64> {
        let known = place.borrow().clone();
        let steps = known.unwrap_or_else(|| Rc::new(plans::steps(std::slice::from_ref(question), None)));
        *place.borrow_mut() = Some(Rc::clone(&steps));
        self.ask(&steps, &[], true)
    }

    /// Asks a question about changes; the number that it returns, 0 if it returns no row.
    pub fn ask(&self, question: &Steps, deltas: &[Delta], keep: bool) -> Result<i64> {
        let row = self.as_owner(deltas, keep, |run| run.answer(question))?;
        row.into_iter()
            .next()
            .flatten()
            .map_or(Ok(0), |text| spi::number(&text))
    }

    /// What the planner thinks that a program costs for this change. It keeps the plans for it.
    pub fn cost(&self, steps: &Steps, deltas: &[Delta]) -> Result<f64> {
        self.as_owner(deltas, true, |run| {
            let planning = settings::FOR_MANY;
            Run { planning, ..*run }.cost(steps)
        })
    }

    /// Runs the query of the definition to its end, for the error that it may raise.
    pub fn run_query(&self, definition: &str) -> Result<()> {
        let sql = format!(
            "SELECT pg_catalog.count(*) FILTER (WHERE pgtrickle.row_hash(ROW(q.*)) IS NULL) FROM {definition} AS q"
        );
        let question = Statement {
            sql,
            bulk: None,
            returns: Returns::Answer,
        };
        self.run_once(&[question]).map(|_| ())
    }

    /// Runs a program.
    pub fn run(&self, steps: &Steps, deltas: &[Delta], plans: Plans) -> Result<Outcome> {
        self.as_owner(deltas, plans != Plans::Once, |run| {
            // Plans that were given back, for want of memory, are made anew for what they were made for.
            let planning = if plans == Plans::Made {
                settings::FOR_MANY
            } else {
                run.planning
            };
            Run { planning, ..*run }.run(steps)
        })
    }

    /// Runs a program that fires users' triggers. Their functions may do more than those of the query.
    pub fn fire(&self, steps: &Steps) -> Result<()> {
        self.as_owner_freely(&[], false, Under::Query, |run| run.run(steps))
            .map(|_| ())
    }

    /// Runs a program, and passes on the rows that its last statement returns.
    pub fn each(&self, steps: &Steps, deltas: &[Delta], keep: bool, receiver: impl FnMut(Row) + 'static) -> Result<()> {
        self.as_owner(deltas, keep, |run| run.each(steps, receiver))
    }

    /// The same for rows as documents.
    pub fn each_document(
        &self,
        steps: &Steps,
        deltas: &[Delta],
        keep: bool,
        receiver: impl FnMut(Row) + 'static,
    ) -> Result<()> {
        let _guests = Guests::start();
        self.as_owner_freely(deltas, keep, Under::Writing, |run| run.each(steps, receiver))
    }

    fn as_owner<T>(&self, deltas: &[Delta], keep: bool, body: impl FnOnce(&Run) -> Result<T>) -> Result<T> {
        let _guests = Guests::start();
        self.as_owner_freely(deltas, keep, Under::Query, body)
    }

    fn as_owner_freely<T>(
        &self,
        deltas: &[Delta],
        keep: bool,
        under: Under,
        body: impl FnOnce(&Run) -> Result<T>,
    ) -> Result<T> {
        // A session without temporary objects, and an owner who changes a source, need no other path.
        let path = if ffi::current_user() != self.role && ffi::has_temporaries() {
            &self.safe_path
        } else {
            &self.search_path
        };
        let (here, there, written);
        let running: &[Setting] = match under {
            Under::Query => {
                here = settings::running(path);
                &here
            }
            Under::Zone(zone) => {
                there = settings::running_in_zone(path, zone);
                &there
            }
            Under::Writing => {
                written = settings::running_and_writing(path);
                &written
            }
        };
        body(&Run {
            label: &self.label,
            deltas,
            running,
            planning: match (keep, self.stage.reads_in_order()) {
                (false, _) => settings::FOR_MANY,
                (true, false) => settings::FOR_FEW,
                (true, true) => settings::IN_ORDER,
            },
            keep,
            role: self.role,
        })
    }
}

/// The stages of a stream table that is being made by its owner, to be filled and forgotten.
#[must_use]
pub fn new_stages(id: i32, name: &str, search_path: &str, stages: Vec<Stage>) -> Vec<Rc<StageRunner>> {
    let by = Maintainer {
        id,
        depth: 0,
        role: ffi::current_user(),
        name,
        search_path,
        fits: true,
        may_skip: false,
        unfit: None,
    };
    by.maintain(stages, &[])
}

/// What the stages of a stream table have in common.
pub struct Maintainer<'a> {
    /// The stream table's id.
    pub id: i32,
    /// Its depth.
    pub depth: u32,
    /// Its owner.
    pub role: Oid,
    /// Its qualified name.
    pub name: &'a str,
    /// What the functions of its query see.
    pub search_path: &'a str,
    /// Its storage has the columns that it was compiled for.
    pub fits: bool,
    /// Changes may reach its top stage without the lower ones.
    pub may_skip: bool,
    /// Why the query does not compile any more to what is stored.
    pub unfit: Option<Box<SqlError>>,
}

impl Maintainer<'_> {
    /// Makes compiled stages ready to be maintained. `own`: their storage tables, as the compiler knows them and as they are.
    #[must_use]
    pub fn maintain(&self, stages: Vec<Stage>, own: &[(Oid, Oid)]) -> Vec<Rc<StageRunner>> {
        let is_single = stages.iter().filter(|stage| !stage.is_clock()).count() == 1;
        let mut maintained: Vec<Rc<StageRunner>> = Vec::new();
        for (place, mut stage) in stages.into_iter().enumerate() {
            // For making the storage only.
            (stage.ddl, stage.layout) = (Vec::new(), String::new());
            let clock = maintained.first().filter(|first| first.stage.is_clock()).cloned();
            maintained.push(Rc::new(StageRunner {
                key: (self.id, place),
                depth: self.depth,
                role: self.role,
                label: self.name.to_owned(),
                search_path: c_string(self.search_path),
                fits: self.fits,
                safe_path: c_string(&names::temporaries_last(self.search_path)),
                sources: stage.sources.iter().map(|source| source_names(source, own)).collect(),
                is_whole: is_single && stage.way == Way::Rebuild,
                may_skip: self.may_skip,
                unfit: self.unfit.clone(),
                stage,
                clock,
                cache: RefCell::default(),
                question: RefCell::default(),
                large: RefCell::default(),
            }));
        }
        maintained
    }
}

fn source_names(source: &Source, own: &[(Oid, Oid)]) -> SourceNames {
    let core_relid = source.relid;
    let found = own.iter().find(|(known, _)| *known == core_relid);
    SourceNames {
        relid: found.map_or(core_relid, |(_, relid)| *relid),
        core_relid,
        added: c_string(&source.added()),
        removed: c_string(&source.removed()),
        columns: source.columns.clone(),
        physical: source.physical,
    }
}
