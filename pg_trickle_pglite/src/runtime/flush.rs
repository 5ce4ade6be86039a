//! Applies changes: runs every affected stream table once, in dependency order.

use super::plans::{self, Action, Misfit};
use super::session::{self, Choice, Flushing, PendingChange};
use super::stream_table::{StageKey, StageRunner, StreamTable};
use super::{load, sources};
use crate::edge::error::{Result, SqlError};
use crate::edge::ffi::{self, Delta, Oid, Outcome, Store};
use pg_trickle_core::FEW_CHANGES;
use pg_trickle_core::plan::Change;
use pg_trickle_core::sorted::{Map, Set};
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

/// All changes of a flush, and the stages they reach.
struct Flush {
    changes: Vec<PendingChange>,
    /// The stages still to run, lowest first.
    queue: Map<(u32, StageKey), Rc<StageRunner>>,
    /// How many of the changes each stage has seen, and how often it ran.
    seen: Map<StageKey, (usize, u32)>,
    /// The clocks that have moved over values that are stored, by stream table.
    moved: Map<i32, Moved>,
    /// The stages that have followed.
    told: Set<StageKey>,
    /// Copies that combine several changes of one table.
    merged: Vec<Store>,
}

/// Applies the pending changes, and one whose rows are still the trigger's own.
pub fn run(first: Option<PendingChange>) -> Result<()> {
    maintain(&[], first.into_iter().collect())
}

fn maintain(clocks: &[Rc<StageRunner>], first: Vec<PendingChange>) -> Result<()> {
    let Some(flushing) = Flushing::start() else {
        return Err(SqlError::internal("maintenance was started inside itself"));
    };
    let mut flush = Flush {
        changes: Vec::new(),
        queue: Map::new(),
        seen: Map::new(),
        moved: Map::new(),
        told: Set::default(),
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
pub fn advance(clocks: &[Rc<StageRunner>]) -> Result<()> {
    maintain(clocks, Vec::new())
}

/// Runs the query of one stream table again, stage by stage. Returns how many rows it inserted, deleted and updated.
pub fn rebuild(table: &StreamTable) -> Result<[i64; 3]> {
    let mut total = [0; 3];
    for stage in &table.stages {
        let patched = {
            let Some(_flushing) = Flushing::start() else {
                return Err(SqlError::internal("maintenance was started inside itself"));
            };
            stage.run_once(&stage.stage.rebuild)?
        };
        for (sum, count) in total.iter_mut().zip(patched) {
            *sum += count;
        }
        if stage.stage.is_clock() {
            advance(std::slice::from_ref(stage))?;
        } else {
            run(None)?;
        }
    }
    Ok(total)
}

fn run_rebuild(stage: &StageRunner) -> Result<()> {
    stage.run_once(std::slice::from_ref(&stage.stage.refresh)).map(|_| ())
}

impl Flush {
    fn add(&mut self, changes: Vec<PendingChange>) -> Result<()> {
        for change in changes {
            let table = sources::table(change.relid)?;
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
        stage.must_fit()?;
        let (from, runs) = self.seen.get(&stage.key).copied().unwrap_or_default();
        self.seen.insert(stage.key, (self.changes.len(), runs + 1));
        if runs == TOO_OFTEN {
            return Err(stage.never_ends());
        }
        if stage.stage.is_clock() {
            return self.advance(stage);
        }
        let mut by_table: Map<Oid, Vec<&PendingChange>> = Map::new();
        for change in &self.changes[from..] {
            let table = sources::table(change.relid)?;
            match table.reader(stage.key) {
                Some(reader) if !change.skips.contains(&stage.key) => {
                    if change.opaque || !reader.sees_all {
                        return run_rebuild(stage);
                    }
                    by_table.or_default(change.relid).push(change);
                }
                Some(_) | None => {}
            }
        }
        let mut changes = Vec::new();
        let mut deltas = Vec::new();
        let (mut rows, mut most) = (0, 0);
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
                if let Some((store, count)) = store {
                    rows += count;
                    most = most.max(count);
                    deltas.push((name, *relid, store, count));
                }
            }
        }
        if let Some(clock) = stage.reads_clock()
            && let Some(moved) = self.moved.get(&stage.key.0)
            && !self.told.contains(&stage.key)
        {
            if *moved == Moved::Back {
                return run_rebuild(stage);
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
        let may_keep = || -> Result<bool> { Ok(!stage.stage.needs_fresh_plans(&changes) || stage.is_small()?) };
        if rows <= FEW_CHANGES && choice == Choice::Cheapest && may_keep()? {
            match stage.action(&changes) {
                Action::Nothing => return Ok(()),
                // A kept plan must not depend on the change it was made for.
                Action::Run(steps, misfit) => match (stage.run(&steps, &registered(&deltas, Some(1.0)), true)?, misfit)
                {
                    (Outcome::Done, _) => return Ok(()),
                    (Outcome::Mismatch, Misfit::Many) => {}
                    (Outcome::Mismatch, Misfit::Wrong) => return run_rebuild(stage),
                },
                Action::Rebuild => return run_rebuild(stage),
            }
        }
        let deltas = registered(&deltas, None);
        if !stage.stage.runs_query() {
            let question = || plans::steps(&[stage.stage.question(most, &changes)], true);
            let answer = match choice {
                Choice::Cheapest => stage.ask(&question(), &deltas, false)?,
                Choice::Many => 0,
                Choice::Whole => 2,
            };
            let at_once = stage.stage.at_once(answer);
            if !at_once.is_empty() {
                return stage.run_once(&at_once).map(|_| ());
            }
        }
        match plans::action(&stage.stage.program(&changes), true) {
            Action::Nothing => Ok(()),
            Action::Run(steps, _) => match stage.run(&steps, &deltas, false)? {
                Outcome::Done => Ok(()),
                Outcome::Mismatch => run_rebuild(stage),
            },
            Action::Rebuild => run_rebuild(stage),
        }
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
