//! Applies changes: runs every affected stream table once, in dependency order.

use super::best_way::{Best, best_way};
use super::plans::{self, Action, Plans};
use super::session::{self, Choice, Flushing, PendingChange};
use super::stream_table::{StageKey, StageRunner, StreamTable};
use super::{behind, load, sources};
use crate::edge::error::{Result, SqlError};
use crate::edge::ffi::{self, Delta, Oid, Outcome, Steps, Store};
use pg_trickle_core::FEW_CHANGES;
use pg_trickle_core::plan::{Change, Statement};
use pg_trickle_core::sorted::{Map, Set};
use std::borrow::Cow;
use std::ffi::CString;
use std::rc::Rc;

/// A stage runs once, or a few times while the session still has an outdated order. One that keeps running has a function
/// that writes to what it reads.
const TOO_OFTEN: u32 = 50;

/// How a clock has moved.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Moved {
    /// Stored rows tell what it changes.
    On,
    /// Rows enter that are not stored.
    Back,
}

/// Maintains a stream table by a full refresh of its query from now on, because of an error that the query itself does not
/// raise. If it does, that is the error. Only makes the storage anew where that is of another version.
pub type FallBack = fn(i32, &SqlError) -> Result<()>;

/// All changes of a flush, and the stages they reach.
struct Flush {
    fall_back: FallBack,
    changes: Vec<PendingChange>,
    /// The stages still to run, lowest first.
    queue: Map<(u32, StageKey), Rc<StageRunner>>,
    /// How many of the changes each stage has seen, and how often it ran.
    seen: Map<StageKey, (usize, u32)>,
    /// The clocks that have moved over values that are stored, by stream table.
    moved: Map<i32, Moved>,
    /// The stages that have followed.
    told: Set<StageKey>,
    /// The stream tables whose changes reach the top stage without the lower ones.
    skipping: Set<i32>,
    /// Copies that combine several changes of one table.
    merged: Vec<Store>,
}

/// Applies the pending changes, and one whose rows are still the trigger's own.
pub fn run(first: Option<PendingChange>, fall_back: FallBack) -> Result<()> {
    maintain(&[], first.into_iter().collect(), fall_back)
}

fn maintain(clocks: &[Rc<StageRunner>], first: Vec<PendingChange>, fall_back: FallBack) -> Result<()> {
    let Some(flushing) = Flushing::start() else {
        return Err(SqlError::internal("maintenance was started inside itself"));
    };
    let mut flush = Flush {
        fall_back,
        changes: Vec::new(),
        queue: Map::new(),
        seen: Map::new(),
        moved: Map::new(),
        told: Set::default(),
        skipping: Set::default(),
        merged: Vec::new(),
    };
    flush.add(session::take_pending())?;
    flush.add(first)?;
    for clock in clocks {
        flush.enqueue(clock);
    }
    while let Some((_, stage)) = flush.queue.pop_first() {
        flush.maintain(&stage)?;
        flush.add(session::take_pending())?;
    }
    drop(flushing);
    flush.free();
    Ok(())
}

/// Moves these clocks to the present, and applies what time has changed.
pub fn advance(clocks: &[Rc<StageRunner>], fall_back: FallBack) -> Result<()> {
    maintain(clocks, Vec::new(), fall_back)
}

/// Runs the query of one stream table again, stage by stage. Returns how many rows it inserted, deleted and updated.
pub fn rebuild(table: &StreamTable, fall_back: FallBack) -> Result<[i64; 3]> {
    let mut total = [0; 3];
    let mut stages = table.stages.as_slice();
    if let [.., top] = stages
        && top.may_skip
        && behind::count(table.id)? > 0
    {
        let Some(_flushing) = Flushing::start() else {
            return Err(SqlError::internal("maintenance was started inside itself"));
        };
        behind::refill(table)?;
        stages = std::slice::from_ref(top);
    }
    for stage in stages {
        let patched = {
            let Some(_flushing) = Flushing::start() else {
                return Err(SqlError::internal("maintenance was started inside itself"));
            };
            stage.run_once(&[stage.stage.rebuild()])?
        };
        for (sum, count) in total.iter_mut().zip(patched) {
            *sum += count;
        }
        if stage.stage.is_clock() {
            advance(std::slice::from_ref(stage), fall_back)?;
        } else {
            run(None, fall_back)?;
        }
    }
    Ok(total)
}

/// What a change makes a stage do.
enum Work<'a> {
    /// Run its query again.
    Rebuild,
    /// Run these, which replace its rows.
    Load(Cow<'a, [Statement]>),
    /// Apply the change, with plans that are kept or not.
    Program {
        steps: Rc<Steps>,
        deltas: Vec<Delta<'a>>,
        plans: Plans,
        /// May that raise an error that the query does not?
        may_raise: bool,
    },
}

/// What became of it.
enum Tried {
    /// It is done.
    Done,
    /// Nothing is done: there are too many rows for its plans.
    TooMany,
    /// Its query has to run again.
    Wrong,
    /// Its query has to run again, and to fill it anew.
    Worn,
    /// Nothing is done, because of an error that another way may avoid.
    Failed(Box<SqlError>),
}

impl Work<'_> {
    fn run(&self, stage: &StageRunner) -> Result<Tried> {
        match self {
            Work::Rebuild => {
                stage.run_once(&[stage.stage.refresh()])?;
            }
            Work::Load(statements) => {
                stage.run_once(statements)?;
            }
            Work::Program {
                steps, deltas, plans, ..
            } => match stage.run(steps, deltas, *plans)? {
                Outcome::Done => {}
                Outcome::TooMany => return Ok(Tried::TooMany),
                Outcome::Wrong => return Ok(Tried::Wrong),
                Outcome::Worn => return Ok(Tried::Worn),
            },
        }
        Ok(Tried::Done)
    }

    /// Whether this can fail where the query of the stream table would not.
    fn is_guarded(&self, stage: &StageRunner) -> bool {
        match self {
            Work::Rebuild | Work::Load(_) => !stage.is_whole,
            // What PostgreSQL has accepted once it accepts again.
            Work::Program { steps, may_raise, .. } => *may_raise || !steps.are_planned(),
        }
    }

    fn attempt(&self, stage: &StageRunner) -> Result<Tried> {
        if !self.is_guarded(stage) {
            return self.run(stage);
        }
        match ffi::nested(|| self.run(stage)) {
            Err(error) if error.is_avoidable() => Ok(Tried::Failed(error)),
            other => other,
        }
    }
}

impl Flush {
    fn add(&mut self, changes: Vec<PendingChange>) -> Result<()> {
        for change in changes {
            let table = sources::locked_table(change.relid)?;
            for reader in &table.readers {
                if !change.skips.contains(&reader.stage.key) {
                    self.enqueue(&reader.stage);
                }
            }
            self.changes.push(change);
        }
        Ok(())
    }

    /// Puts a stage in its place in the queue. The clock of its stream table comes before it, once.
    fn enqueue(&mut self, stage: &Rc<StageRunner>) {
        if let Some(clock) = &stage.clock
            && self.seen.get(&clock.key).is_none()
        {
            self.queue.insert(clock.order(), Rc::clone(clock));
        }
        self.queue.insert(stage.order(), Rc::clone(stage));
    }

    /// Moves a clock to the present. If that changes what stages store, they run.
    fn advance(&mut self, clock: &StageRunner) -> Result<()> {
        let moved = match clock.advance()? {
            1 => Moved::On,
            2 => Moved::Back,
            _ => return Ok(()),
        };
        let (id, _) = clock.key;
        self.moved.insert(id, moved);
        for stage in &load::load(id)?.stages {
            if stage.reads_clock().is_some() {
                self.queue.insert(stage.order(), Rc::clone(stage));
            }
        }
        Ok(())
    }

    fn maintain(&mut self, stage: &StageRunner) -> Result<()> {
        if let Some(error) = &stage.unfit {
            return self.give_up(stage, error);
        }
        if let Err(error) = stage.must_fit() {
            return self.give_up(stage, &error);
        }
        let (from, runs) = self.seen.get(&stage.key).copied().unwrap_or_default();
        self.seen.insert(stage.key, (self.changes.len(), runs + 1));
        if runs == TOO_OFTEN {
            return Err(stage.never_ends());
        }
        if stage.stage.is_clock() {
            return self.advance(stage);
        }
        if stage.may_skip && (self.skipping.contains(&stage.key.0) || behind::count(stage.key.0)? > 0) {
            return self.at_once(stage);
        }
        let mut by_table: Map<Oid, Vec<&PendingChange>> = Map::new();
        for change in &self.changes[from..] {
            let table = sources::table(change.relid)?;
            match table.reader(stage.key) {
                Some(reader) if !change.skips.contains(&stage.key) => {
                    if change.opaque || !reader.sees_all {
                        return self.work(stage, &Work::Rebuild);
                    }
                    by_table.or_default(change.relid).push(change);
                }
                Some(_) | None => {}
            }
        }
        let mut changes = Vec::new();
        let mut deltas = Vec::new();
        let (mut rows, mut largest) = (0, 0);
        for (relid, parts) in by_table.iter() {
            let Some(names) = stage.names(*relid) else {
                continue;
            };
            let added = together(parts.iter().filter_map(|part| part.added), &mut self.merged)?;
            let removed = together(parts.iter().filter_map(|part| part.removed), &mut self.merged)?;
            changes.push(Change {
                relid: names.core_relid,
                new: added.is_some(),
                old: removed.is_some(),
                repeated: parts.len() > 1 && added.is_some() && removed.is_some(),
            });
            for (name, store) in [(&names.added, added), (&names.removed, removed)] {
                let (store, count) = store.unwrap_or((Store::EMPTY, 0));
                rows += count;
                largest = largest.max(count);
                deltas.push((name, *relid, store, count));
            }
        }
        if let Some(clock) = stage.reads_clock()
            && let Some(moved) = self.moved.get(&stage.key.0)
            && !self.told.contains(&stage.key)
        {
            if *moved == Moved::Back {
                return self.work(stage, &Work::Rebuild);
            }
            changes.push(Change {
                relid: clock,
                new: true,
                old: true,
                repeated: false,
            });
            self.told.insert(stage.key);
        }
        if changes.is_empty() {
            return Ok(());
        }
        let choice = session::choice();
        let may_keep = || -> Result<bool> {
            let are_few = rows <= stage.stage.few(&changes);
            Ok(are_few && !stage.stage.needs_fresh_plans(&changes) || stage.scans_small(&changes)?)
        };
        if rows <= FEW_CHANGES && choice == Choice::Cheapest && may_keep()? {
            // A kept plan must not depend on the change it was made for.
            let kept = stage.stage.as_kept(&changes);
            if kept == changes {
                deltas.retain(|(.., count)| *count > 0);
            }
            let Some(work) = work_of(stage.action(&kept), || registered(&deltas, Some(1.0)), Plans::Kept) else {
                return Ok(());
            };
            if self.is_done(stage, &work)? {
                return Ok(());
            }
        }
        deltas.retain(|(.., count)| *count > 0);
        let deltas = registered(&deltas, None);
        let asks = !stage.stage.runs_query();
        let may_be_skipped = asks && is_better_skipped(stage)?;
        let best = match choice {
            _ if !asks => Best::Program(None, None),
            Choice::Cheapest => {
                match ffi::nested(|| best_way(stage, &changes, &deltas, largest, may_be_skipped)) {
                    // The program that it is about is guarded too.
                    Err(error) if error.is_avoidable() => Best::Program(None, None),
                    other => other?,
                }
            }
            Choice::Many => Best::Program(None, None),
            Choice::Whole | Choice::AtOnce => Best::Whole(None),
        };
        let (action, plans, whole) = match best {
            Best::Fill => return self.work(stage, &Work::Load(vec![stage.stage.fill_statement()].into())),
            Best::Whole(steps) => return self.run_query(stage, steps, may_be_skipped),
            Best::Program(Some(action), whole) => (action, Plans::Made, whole),
            Best::Program(None, whole) => {
                let unlimited = Some(i64::from(u32::MAX));
                (plans::action(&stage.stage, &changes, unlimited), Plans::Once, whole)
            }
        };
        match work_of(action, || deltas, plans) {
            Some(Work::Rebuild) => self.work(stage, &Work::Rebuild),
            Some(work) if !self.is_done(stage, &work)? => self.run_query(stage, whole, may_be_skipped),
            Some(_) | None => Ok(()),
        }
    }

    /// Runs the whole query of a stage, which may have a plan, and stores the difference; or skips the stage.
    fn run_query(&mut self, stage: &StageRunner, planned: Option<Steps>, may_be_skipped: bool) -> Result<()> {
        if may_be_skipped {
            return self.skip(stage);
        }
        let work = match planned {
            Some(steps) => Work::Program {
                steps: Rc::new(steps),
                deltas: Vec::new(),
                plans: Plans::Made,
                may_raise: !stage.is_whole,
            },
            None => Work::Load(vec![stage.stage.refresh()].into()),
        };
        self.work(stage, &work)
    }

    fn work(&mut self, stage: &StageRunner, work: &Work) -> Result<()> {
        if matches!(work, Work::Rebuild) && is_better_skipped(stage)? {
            return self.skip(stage);
        }
        self.is_done(stage, work).map(|_| ())
    }

    /// Lets the changes reach the top stage without this one and the other lower ones.
    fn skip(&mut self, stage: &StageRunner) -> Result<()> {
        self.skipping.insert(stage.key.0);
        self.at_once(stage)
    }

    /// Makes the top stage right without the lower ones, or fills these first. In the place of the top stage: all other
    /// stream tables that it reads are right by then.
    fn at_once(&mut self, stage: &StageRunner) -> Result<()> {
        let (id, place) = stage.key;
        let table = load::load(id)?;
        if let Some(top) = table.stages.last()
            && top.key.1 > place
        {
            self.queue.insert(top.order(), Rc::clone(top));
            return Ok(());
        }
        if (self.skipping.contains(&id) || !behind::is_over(id)?)
            && let Some(statement) = load::at_once(&table)?
        {
            match Work::Load(Cow::Borrowed(std::slice::from_ref(&*statement))).attempt(stage)? {
                // A test must not pass by another way.
                Tried::Failed(error) if session::choice() == Choice::AtOnce && error.sqlstate.starts_with("42") => {
                    return Err(error);
                }
                Tried::Failed(_) | Tried::TooMany | Tried::Wrong | Tried::Worn => {}
                Tried::Done => return behind::skip(id),
            }
        }
        let refilled = ffi::nested(|| {
            behind::refill(&table)?;
            Work::Rebuild.run(stage)
        });
        match refilled {
            Err(error) if error.is_avoidable() => self.give_up(stage, &error),
            other => other.map(|_| ()),
        }
    }

    /// False if there are too many rows for the plans of a program. Runs the query of the stage again where its maintenance
    /// fails, and that of the stream table where this fails too.
    fn is_done(&mut self, stage: &StageRunner, work: &Work) -> Result<bool> {
        let error = match work.attempt(stage)? {
            Tried::Done => return Ok(true),
            Tried::TooMany => return Ok(false),
            Tried::Wrong => return self.work(stage, &Work::Rebuild).map(|()| true),
            Tried::Worn if is_better_skipped(stage)? => return self.skip(stage).map(|()| true),
            Tried::Worn => {
                return self
                    .work(stage, &Work::Load(stage.stage.refill().into()))
                    .map(|()| true);
            }
            Tried::Failed(error) => error,
        };
        let may_rebuild = !matches!(work, Work::Rebuild) && !error.is_refusal();
        if may_rebuild && !stage.is_whole && matches!(Work::Rebuild.attempt(stage)?, Tried::Done) {
            return Ok(true);
        }
        self.give_up(stage, &error)?;
        Ok(true)
    }

    fn give_up(&mut self, stage: &StageRunner, error: &SqlError) -> Result<()> {
        let gone = stage.key.0;
        (self.fall_back)(gone, error)?;
        // Its readers read another storage now.
        let mut queued = std::mem::take(&mut self.queue);
        while let Some((_, stage)) = queued.pop_first() {
            let key = stage.key;
            if key.0 != gone
                && let Some(stage) = load::load(key.0)?.stages.get(key.1)
            {
                self.queue.insert(stage.order(), Rc::clone(stage));
            }
        }
        Ok(())
    }

    fn free(self) {
        for change in self.changes {
            change.free();
        }
        for store in self.merged {
            store.free();
        }
    }
}

/// Whether a change of all that a lower stage stores is better applied to the top stage alone.
fn is_better_skipped(stage: &StageRunner) -> Result<bool> {
    let (id, place) = stage.key;
    let choice = session::choice();
    if !stage.may_skip || !matches!(choice, Choice::Cheapest | Choice::AtOnce) {
        return Ok(false);
    }
    let table = load::load(id)?;
    let is_lower = place + 1 < table.stages.len();
    if !is_lower || choice == Choice::AtOnce {
        return Ok(is_lower);
    }
    let sources = table.stages.iter().flat_map(|each| &each.stage.sources);
    let names: Vec<&str> = sources.map(|source| source.name.as_str()).collect();
    let question = plans::steps(&[stage.stage.outweighs(&names)], None);
    Ok(stage.ask(&question, &[], false)? == 1)
}

/// What an action makes a stage do, if it makes it do anything.
fn work_of<'a>(action: Action, deltas: impl FnOnce() -> Vec<Delta<'a>>, plans: Plans) -> Option<Work<'a>> {
    match action {
        Action::Nothing => None,
        Action::Rebuild => Some(Work::Rebuild),
        Action::Run { steps, may_raise } => Some(Work::Program {
            steps,
            deltas: deltas(),
            plans,
            may_raise,
        }),
    }
}

/// Changed rows as a program sees them: with their number, for the planner, or another that it is told.
fn registered<'a>(deltas: &[(&'a CString, Oid, Store, usize)], rows: Option<f64>) -> Vec<Delta<'a>> {
    let registered = deltas.iter().map(|(name, relid, store, count)| Delta {
        name,
        relid: *relid,
        store: *store,
        estimate: rows.unwrap_or(*count as f64),
    });
    registered.collect()
}

/// Combines the rows of several changes of one table in one store.
fn together(
    mut parts: impl Iterator<Item = (Store, usize)>,
    merged: &mut Vec<Store>,
) -> Result<Option<(Store, usize)>> {
    let Some(first) = parts.next() else {
        return Ok(None);
    };
    let Some(second) = parts.next() else {
        return Ok(Some(first));
    };
    let whole = ffi::append(first.0, None)?;
    merged.push(whole);
    let mut count = first.1;
    for (store, rows) in std::iter::once(second).chain(parts) {
        ffi::append(store, Some(whole))?;
        count += rows;
    }
    Ok(Some((whole, count)))
}
