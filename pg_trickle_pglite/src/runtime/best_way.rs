//! The best way to apply a change of many rows: its program, or the whole query.

use super::load;
use super::plans::{self, Action};
use super::stream_table::StageRunner;
use crate::edge::error::Result;
use crate::edge::ffi::{Delta, Steps};
use pg_trickle_core::plan::{Change, Source};

/// The best way to apply a change of many rows.
pub enum Best {
    /// The result of the query fills the empty storage.
    Fill,
    /// The whole query, which may have a plan.
    Whole(Option<Steps>),
    /// The program for the change, which may have a plan that is kept for it, and the whole query if that has one.
    Program(Option<Action>, Option<Steps>),
}

/// The whole query runs at once if it costs less than this, as the planner counts: as much as to make a plan for a program.
const CHEAP: f64 = 150.0;
/// A program runs if it costs at most as much as the whole query, or, where rows have no key, this share of it: to find stored
/// rows by what they look like takes longer than the planner thinks.
const SHARE_WITHOUT_KEY: f64 = 0.6;
/// So a program may touch this many times fewer of them.
const FEWER_WITHOUT_KEY: i64 = 2;
/// The share of the cost where a program compares each changed row with all of another table. The planner takes a comparison
/// for cheaper than it is, and expects many more rows in a range than there are.
const SHARE_WITHOUT_INDEX: f64 = 0.15;
/// What it costs to write a row of a stage that may be skipped, which the planner does not count.
const WRITTEN: f64 = 0.7;

/// Finds the best way, by what the change touches and, if that may not say what the program reads, by the planner's
/// estimates.
pub fn best_way(
    stage: &StageRunner,
    changes: &[Change],
    deltas: &[Delta],
    rows: usize,
    may_be_skipped: bool,
) -> Result<Best> {
    let rival = rival(stage, changes, may_be_skipped)?;
    let (whole, cost) = rival.map_or((None, None), |(whole, cost)| (whole, Some(cost)));
    if cost.is_some_and(|cost| cost < CHEAP) && !may_be_skipped {
        return Ok(Best::Whole(whole));
    }
    let question = stage.stage.question(rows, changes, may_be_skipped);
    let answer = stage.ask(&plans::steps(&[question], None), deltas, false)?;
    match answer {
        1 => return Ok(Best::Fill),
        2 => return Ok(Best::Whole(whole)),
        // No table may have many more rows than changed.
        most if most > 0 && most < i64::try_from(rows).unwrap_or(i64::MAX) => return Ok(Best::Whole(whole)),
        _ => {}
    }
    let Some(cost) = cost else {
        return Ok(Best::Program(None, None));
    };
    let most = if answer > 0 { answer } else { i64::from(u32::MAX) };
    let (most, share) = if stage.stage.key.is_empty() {
        (most / FEWER_WITHOUT_KEY, SHARE_WITHOUT_KEY)
    } else {
        (most, 1.0)
    };
    let share = if stage.stage.compares_all() {
        SHARE_WITHOUT_INDEX
    } else {
        share
    };
    let written = if may_be_skipped {
        WRITTEN * (rows * occurrences(stage, changes)) as f64
    } else {
        0.0
    };
    let action = plans::action(&stage.stage, changes, Some(most));
    if let Action::Run { steps, .. } = &action
        && stage.cost(steps, deltas)? + written > cost * share
    {
        return Ok(Best::Whole(whole));
    }
    Ok(Best::Program(Some(action), whole))
}

/// How often the query of a stage reads the changed table of which it reads most.
fn occurrences(stage: &StageRunner, changes: &[Change]) -> usize {
    let is_changed = |source: &&Source| changes.iter().any(|change| change.relid == source.relid);
    let changed = stage.stage.sources.iter().filter(is_changed);
    changed.map(|source| source.occurrences).max().unwrap_or(1)
}

/// What a program must not cost more than, and what that costs: the whole query; if the stage may be skipped, that of the
/// stream table, whose plan is not kept. Nothing if the program reads little more than the changed rows.
fn rival(stage: &StageRunner, changes: &[Change], may_be_skipped: bool) -> Result<Option<(Option<Steps>, f64)>> {
    if may_be_skipped {
        let table = load::load(stage.key.0)?;
        if let (Some(statement), Some(top)) = (load::at_once(&table)?, table.stages.last()) {
            let steps = plans::steps(std::slice::from_ref(&*statement), None);
            return Ok(Some((None, top.cost(&steps, &[])?)));
        }
    }
    let Some(query) = stage.stage.rival(changes) else {
        return Ok(None);
    };
    let steps = plans::steps(&[query], None);
    let cost = stage.cost(&steps, &[])?;
    Ok(Some((Some(steps), cost)))
}
