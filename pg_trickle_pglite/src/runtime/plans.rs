//! Programs and their plans: kept for small changes, planned anew for large ones.

use crate::edge::ffi::Steps;
use pg_trickle_core::plan::{Change, Program, Returns, Statement};
use std::rc::Rc;

/// A change of more rows than this is planned for its size.
pub const FEW: usize = 256;

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

/// The program of a stage, for plans that are kept or, in bulk, for one run.
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

/// The actions of one stage for small changes, by kind of change.
#[derive(Default)]
pub struct ActionCache {
    actions: Vec<(Vec<Change>, Action)>,
}

impl ActionCache {
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
