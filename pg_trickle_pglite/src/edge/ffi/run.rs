//! Statements: `PGT_RUN`.

use super::steps::{Steps, give_back_plans};
use super::{MAX_ARGS, Oid, PGT_MAINTAIN, PGT_RUN, RawText, Row, Rows, Setting, Store, c_string, call, count, memory};
use crate::edge::error::{Result, SqlError};
use std::cell::Cell;
#[cfg(not(target_family = "wasm"))]
use std::ffi::c_int;
use std::ffi::{CStr, CString, c_char, c_void};
use std::ptr;

#[repr(C)]
struct RawDelta {
    name: *const c_char,
    rows: *mut c_void,
    estimate: f64,
    relid: Oid,
}

#[repr(C)]
struct RawRun<'a> {
    statements: *mut RawText,
    args: *const *const c_char,
    deltas: *const RawDelta,
    settings: *const Setting<'a>,
    nstatements: i32,
    nargs: i32,
    ndeltas: i32,
    nsettings: i32,
    keep: i32,
    commits: i32,
    estimate: i32,
}

impl<'a> RawRun<'a> {
    fn new(statements: &mut [RawText], settings: &'a [Setting<'a>], keep: bool) -> Result<Self> {
        Ok(Self {
            statements: statements.as_mut_ptr(),
            args: ptr::null(),
            deltas: ptr::null(),
            settings: settings.as_ptr(),
            nstatements: count(statements.len())?,
            nargs: 0,
            ndeltas: 0,
            nsettings: count(settings.len())?,
            keep: i32::from(keep),
            commits: i32::from(COMMITS.get()),
            estimate: 0,
        })
    }
}

/// From where on kept plans are given back: all that do not run.
const PLANS_GO: memory::Mark = memory::Mark::share(90);

thread_local! {
    /// The transaction is about to commit.
    static COMMITS: Cell<bool> = const { Cell::new(false) };
}

/// While it exists, the transaction is about to commit: its statements have ended, and PostgreSQL has no snapshot for ours.
pub struct Commits(());

impl Commits {
    /// The last statements of the transaction follow.
    #[must_use]
    pub fn start() -> Self {
        COMMITS.set(true);
        Self(())
    }
}

impl Drop for Commits {
    fn drop(&mut self) {
        COMMITS.set(false);
    }
}

unsafe extern "C" {
    /// PostgreSQL's own; raises nothing.
    fn IsTransactionBlock() -> bool;
    #[cfg(not(target_family = "wasm"))]
    static XactIsoLevel: c_int;
}

/// Whether all statements of the transaction see the database as it was when it began: REPEATABLE READ and SERIALIZABLE.
#[cfg(not(target_family = "wasm"))]
#[must_use]
pub fn has_one_snapshot() -> bool {
    const XACT_REPEATABLE_READ: c_int = 2;
    // SAFETY: it reads a variable.
    unsafe { XactIsoLevel >= XACT_REPEATABLE_READ }
}

/// Whether the user has opened a transaction: the current statement is not a transaction of its own.
#[must_use]
pub fn is_in_transaction() -> bool {
    // SAFETY: it reads a variable.
    unsafe { IsTransactionBlock() }
}

/// A plan that lives as long as the session.
#[derive(Clone, Copy, Debug)]
pub struct Plan(*mut c_void);

impl Default for Plan {
    fn default() -> Self {
        Self(ptr::null_mut())
    }
}

/// Runs one statement with text parameters, as `role` (0 for the current user). A plan is kept for the next time: for the
/// same text with the same number of parameters.
pub fn query(
    text: &str,
    args: &[Option<&str>],
    settings: &[Setting],
    role: Oid,
    plan: Option<&mut Plan>,
) -> Result<Vec<Row>> {
    if args.len() > MAX_ARGS {
        return Err(SqlError::internal("a query with too many parameters"));
    }
    let text = c_string(text);
    let args: Vec<Option<CString>> = args.iter().map(|arg| arg.map(c_string)).collect();
    let pointers: Vec<*const c_char> = args
        .iter()
        .map(|arg| arg.as_ref().map_or(ptr::null(), |arg| arg.as_ptr()))
        .collect();
    let mut rows = Rows::default();
    let mut statement = [RawText::new(&text)];
    statement[0].rows = &raw mut rows;
    statement[0].plan = plan.as_ref().map_or(ptr::null_mut(), |plan| plan.0);
    let mut run = RawRun::new(&mut statement, &[], plan.is_some())?;
    run.args = pointers.as_ptr();
    run.nargs = count(pointers.len())?;
    let result = call(PGT_RUN, &mut run, role, settings);
    if let Some(plan) = plan {
        // Also where the query failed: a plan that was kept before lives on.
        plan.0 = statement[0].plan;
    }
    result.map(|()| rows.take())
}

/// Rows under the name that a program gives them.
pub struct Delta<'a> {
    /// The name.
    pub name: &'a CStr,
    /// Their table.
    pub relid: Oid,
    /// The rows.
    pub store: Store,
    /// How many, for the planner.
    pub estimate: f64,
}

/// How a program is run: as a security-restricted operation of its role, since it runs functions that the role chose.
pub struct Run<'a> {
    /// The stream table, for errors.
    pub label: &'a str,
    /// The rows it works on.
    pub deltas: &'a [Delta<'a>],
    /// Settings while it runs; the `search_path` is what the functions of the query see.
    pub running: &'a [Setting<'a>],
    /// Settings while it is planned, after the `search_path` while it is parsed.
    pub planning: &'a [Setting<'a>],
    /// Keep the plans.
    pub keep: bool,
    /// Run as.
    pub role: Oid,
}

/// How a program ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Outcome {
    /// Ran to its end.
    Done,
    /// Did nothing, because there are too many rows for its plans.
    TooMany,
    /// The stored rows are not those that the changes should remove.
    Wrong,
    /// The same, and what the rows say about their order is out of date.
    Worn,
}

impl Run<'_> {
    /// Runs a program.
    pub fn run(&self, steps: &Steps) -> Result<Outcome> {
        self.execute(steps, ptr::null_mut(), false)
    }

    /// Runs a program that compares nothing; the row that its last statement returned.
    pub fn answer(&self, steps: &Steps) -> Result<Row> {
        let mut rows = Rows::default();
        match self.execute(steps, &raw mut rows, false)? {
            Outcome::Done => Ok(rows.take().pop().unwrap_or_default()),
            Outcome::TooMany | Outcome::Wrong | Outcome::Worn => {
                Err(SqlError::internal("a statement found its own result wrong"))
            }
        }
    }

    /// Runs a program that compares nothing, and passes on the rows that its last statement returns.
    pub fn each(&self, steps: &Steps, receiver: impl FnMut(Row) + 'static) -> Result<()> {
        let mut rows = Rows::passed_to(receiver);
        self.execute(steps, &raw mut rows, false)?;
        rows.pass();
        Ok(())
    }

    /// What the planner thinks that a program costs. It has plans after that.
    pub fn cost(&self, steps: &Steps) -> Result<f64> {
        self.execute(steps, ptr::null_mut(), true)?;
        Ok(steps.cost())
    }

    /// Gives back plans before there is no room for those that a program still needs.
    fn make_room(&self, steps: &Steps) {
        if !steps.are_planned() {
            give_back_plans(if memory::is_taken(PLANS_GO) {
                0
            } else {
                memory::plan_budget()
            });
        }
    }

    fn execute(&self, steps: &Steps, answer: *mut Rows, estimate: bool) -> Result<Outcome> {
        let program = steps.program();
        let was_kept = program.is_kept();
        if self.keep {
            self.make_room(steps);
        } else if was_kept {
            return Err(SqlError::internal("a kept program was run without its plans"));
        }
        let Ok(mut statements) = program.raw.try_borrow_mut() else {
            return Err(SqlError::internal("a program was started inside itself"));
        };
        if !was_kept {
            for statement in statements.iter_mut() {
                // Plans of an earlier run were freed with the SPI connection that made them. They must be forgotten before
                // anything can fail: those of a program that is kept are run, or freed, whatever became of this run.
                statement.plan = ptr::null_mut();
            }
        }
        if self.keep {
            steps.keep();
        }
        let deltas: Vec<RawDelta> = self
            .deltas
            .iter()
            .map(|delta| RawDelta {
                name: delta.name.as_ptr(),
                rows: delta.store.0,
                estimate: delta.estimate,
                relid: delta.relid,
            })
            .collect();
        if let Some(last) = statements.last_mut() {
            last.rows = answer;
        }
        for statement in statements.iter_mut() {
            statement.differs = 0;
            if statement.plan.is_null() {
                statement.size = 0;
            }
        }
        let mut run = RawRun::new(&mut statements, self.planning, self.keep)?;
        run.deltas = deltas.as_ptr();
        run.ndeltas = count(deltas.len())?;
        run.estimate = i32::from(estimate);
        let result = call(PGT_MAINTAIN, &mut run, self.role, self.running);
        let refused = statements
            .iter()
            .position(|statement| statement.plan.is_null() && statement.size != 0);
        result.map_err(|error| {
            let texts = || program.texts.iter().filter_map(|text| text.to_str().ok());
            let mut error = error.in_maintenance(self.label, texts());
            if let Some(text) = refused.and_then(|place| texts().nth(place)) {
                error.statement = Some(text.to_owned());
                error.is_refused = true;
            }
            error
        })?;
        let verdicts = statements.iter().map(|statement| statement.differs);
        Ok(match verdicts.into_iter().find(|verdict| *verdict != 0) {
            None => Outcome::Done,
            Some(..0) => Outcome::TooMany,
            Some(2) => Outcome::Worn,
            Some(_) => Outcome::Wrong,
        })
    }
}

#[cfg(test)]
mod tests {
    #[unsafe(no_mangle)]
    extern "C" fn IsTransactionBlock() -> bool {
        false
    }
}
