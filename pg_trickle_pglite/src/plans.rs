//! Programs with their plans: kept for changes of a few rows, made afresh for changes of many.

use crate::ffi::{Setting, Steps};
use pg_trickle_core::plan::{Change, Program, Returns, Statement};
use std::rc::Rc;

/// Changes of more rows are planned for their number.
pub const FEW: usize = 256;

/// One table, of which each purpose takes a part.
static SETTINGS: [Setting; 12] = [
    Setting::new(c"search_path", c"pg_catalog"),
    Setting::new(c"DateStyle", c"ISO"),
    Setting::new(c"IntervalStyle", c"iso_8601"),
    Setting::new(c"extra_float_digits", c"1"),
    Setting::new(c"bytea_output", c"hex"),
    Setting::new(c"standard_conforming_strings", c"on"),
    Setting::new(c"array_nulls", c"on"),
    Setting::new(c"transform_null_equals", c"off"),
    Setting::new(c"enable_seqscan", c"off"),
    Setting::new(c"enable_hashjoin", c"off"),
    Setting::new(c"enable_mergejoin", c"off"),
    Setting::new(c"plan_cache_mode", c"force_generic_plan"),
];

/// Constants are written so that they mean the same under all settings.
pub const WRITING: &[Setting] = SETTINGS.split_at(5).0;

/// For a text that is planned for what it works on: it means the same under all settings of the session.
pub const PARSING: &[Setting] = SETTINGS.split_at(8).0.split_at(1).1;

/// For a plan that is kept: one that was made on an empty table must still be right for a full one, so it walks
/// indexes wherever there are any.
pub const FOR_FEW: &[Setting] = SETTINGS.split_at(1).1;

/// What to do for one set of changes.
#[derive(Clone)]
pub enum Action {
    /// Nothing.
    Nothing,
    /// Run this.
    Run(Rc<Steps>),
    /// Run the query again.
    Rebuild,
}

/// The program of a stage, with plans that can be kept or for one run.
#[must_use]
pub fn action(program: &Program, bulk: bool) -> Action {
    match program {
        Program::Nothing => Action::Nothing,
        Program::Rebuild => Action::Rebuild,
        Program::Run(statements) => Action::Run(Rc::new(steps(statements, bulk))),
    }
}

/// Statements, ready to run.
#[must_use]
pub fn steps(statements: &[Statement], bulk: bool) -> Steps {
    Steps::new(statements.iter().map(|statement| {
        let text = match &statement.bulk {
            Some(text) if bulk => text,
            Some(_) | None => &statement.sql,
        };
        (text.as_str(), statement.returns == Returns::Removed)
    }))
}

/// The actions of one stage for changes of a few rows, as they come up.
#[derive(Default)]
pub struct Kept {
    actions: Vec<(Vec<Change>, Action)>,
}

impl Kept {
    /// The one for these changes.
    #[must_use]
    pub fn find(&self, changes: &[Change]) -> Option<Action> {
        let found = self.actions.iter().find(|(of, _)| of == changes)?;
        Some(found.1.clone())
    }

    /// Keeps one.
    pub fn keep(&mut self, changes: &[Change], action: &Action) {
        self.actions.push((changes.to_vec(), action.clone()));
    }
}
