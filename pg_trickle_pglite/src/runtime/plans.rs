//! Programs and their plans: kept for small changes, planned anew for large ones.

use crate::edge::ffi::Steps;
use pg_trickle_core::Stage;
use pg_trickle_core::plan::{Change, Program, Returns, Statement};
use std::borrow::Cow;
use std::rc::Rc;

/// What to do for one set of changes.
#[derive(Clone)]
pub enum Action {
    /// Nothing.
    Nothing,
    /// Run this.
    Run {
        /// The statements.
        steps: Rc<Steps>,
        /// They may raise an error that the query of the stream table does not.
        may_raise: bool,
    },
    /// Run the query again.
    Rebuild,
}

/// The plans of a program.
#[derive(Clone, Copy, PartialEq, Eq)]
pub enum Plans {
    /// Made once for few rows, and kept for the session.
    Kept,
    /// Made for these changes already, since they tell what the program costs.
    Made,
    /// Made for these changes when it runs.
    Once,
}

/// What a stage does for some changes, with plans that are kept or, for changes that touch at most so many rows, for one
/// run.
#[must_use]
pub fn action(stage: &Stage, changes: &[Change], most: Option<i64>) -> Action {
    match stage.program(changes) {
        Program::Nothing => Action::Nothing,
        Program::Rebuild => Action::Rebuild,
        Program::Run(statements) => Action::Run {
            steps: Rc::new(steps(&statements, most)),
            may_raise: stage.may_raise_alone(changes),
        },
    }
}

/// Statements, ready to run.
#[must_use]
pub fn steps(statements: &[Statement], most: Option<i64>) -> Steps {
    let texts: Vec<(Cow<str>, bool)> = statements
        .iter()
        .map(|statement| (statement.text(most), statement.returns == Returns::Verdict))
        .collect();
    Steps::new(texts.iter().map(|(text, compare)| (text.as_ref(), *compare)))
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

    /// What they take, in bytes.
    #[must_use]
    pub fn size(&self) -> usize {
        let sizes = self.actions.iter().map(|(_, action)| match action {
            Action::Run { steps, .. } => steps.size(),
            Action::Nothing | Action::Rebuild => 0,
        });
        sizes.sum()
    }

    /// Keeps one.
    pub fn keep(&mut self, changes: &[Change], action: &Action) {
        self.actions.push((changes.to_vec(), action.clone()));
    }
}
