//! Maintenance programs: `PGT_RUN`.

use super::{Oid, PGT_RUN, Setting, Store, call, count};
use crate::error::{Result, SqlError};
use crate::names::c_string;
use std::cell::{Cell, RefCell};
use std::ffi::{CStr, CString, c_char, c_int, c_void};
use std::ptr;

#[repr(C)]
struct RawDelta {
    name: *const c_char,
    relid: Oid,
    rows: *mut c_void,
    estimate: f64,
}

#[repr(C)]
struct RawStep {
    value: [i64; 3],
    sql: *const c_char,
    plan: *mut c_void,
    found: i32,
    compare: i32,
}

#[repr(C)]
struct RawRun {
    label: *const c_char,
    search_path: *const c_char,
    deltas: *const RawDelta,
    steps: *mut RawStep,
    settings: *const Setting,
    ndeltas: i32,
    nsteps: i32,
    nsettings: i32,
    keep: i32,
    role: Oid,
}

unsafe extern "C" {
    /// PostgreSQL's own; raises nothing.
    fn SPI_freeplan(plan: *mut c_void) -> c_int;
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

/// The statements of a program, with the plans that are kept of them.
pub struct Steps {
    raw: RefCell<Vec<RawStep>>,
    _texts: Vec<CString>,
    kept: Cell<bool>,
}

impl Steps {
    /// Each statement with whether the program stops when the first two values it returns differ.
    #[must_use]
    pub fn new<'a>(statements: impl Iterator<Item = (&'a str, bool)>) -> Self {
        let (texts, compare): (Vec<CString>, Vec<bool>) =
            statements.map(|(sql, compare)| (c_string(sql), compare)).unzip();
        let raw = texts
            .iter()
            .zip(compare)
            .map(|(sql, compare)| RawStep {
                value: [0; 3],
                sql: sql.as_ptr(),
                plan: ptr::null_mut(),
                found: 0,
                compare: i32::from(compare),
            })
            .collect();
        Self {
            raw: RefCell::new(raw),
            _texts: texts,
            kept: Cell::new(false),
        }
    }
}

impl Drop for Steps {
    fn drop(&mut self) {
        if !self.kept.get() {
            return;
        }
        for step in self.raw.get_mut() {
            if !step.plan.is_null() {
                // SAFETY: a kept plan of our own, freed once; nobody runs it while the program is being dropped.
                unsafe { SPI_freeplan(step.plan) };
            }
        }
    }
}

/// How a program is run.
pub struct Run<'a> {
    /// The stream table, for error contexts.
    pub label: &'a CStr,
    /// What the functions of the query see.
    pub search_path: &'a CStr,
    /// The rows it works on.
    pub deltas: &'a [Delta<'a>],
    /// Settings while it is parsed and planned.
    pub settings: &'a [Setting],
    /// Keep the plans.
    pub keep: bool,
    /// Run as.
    pub role: Oid,
}

/// How a program ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Outcome {
    /// Ran to its end; the values of the row that the last statement returned.
    Done([i64; 3]),
    /// A statement that compares returned two different values.
    Mismatch,
}

impl Run<'_> {
    /// Runs a program.
    pub fn run(&self, steps: &Steps) -> Result<Outcome> {
        let Ok(mut raw_steps) = steps.raw.try_borrow_mut() else {
            return Err(SqlError::internal("a program was started inside itself"));
        };
        if self.keep {
            steps.kept.set(true);
        } else if steps.kept.get() {
            return Err(SqlError::internal("a kept program was run without its plans"));
        }
        let deltas: Vec<RawDelta> = self
            .deltas
            .iter()
            .map(|delta| RawDelta {
                name: delta.name.as_ptr(),
                relid: delta.relid,
                rows: delta.store.0,
                estimate: delta.estimate,
            })
            .collect();
        let mut raw = RawRun {
            label: self.label.as_ptr(),
            search_path: self.search_path.as_ptr(),
            deltas: deltas.as_ptr(),
            steps: raw_steps.as_mut_ptr(),
            settings: self.settings.as_ptr(),
            ndeltas: count(deltas.len()),
            nsteps: count(raw_steps.len()),
            nsettings: count(self.settings.len()),
            keep: i32::from(self.keep),
            role: self.role,
        };
        let result = call(PGT_RUN, &mut raw);
        if !self.keep {
            // These plans were freed with the SPI connection that made them.
            for step in raw_steps.iter_mut() {
                step.plan = ptr::null_mut();
            }
        }
        result?;
        let differs = |step: &RawStep| step.compare != 0 && step.value[0] != step.value[1];
        if raw_steps.iter().any(differs) {
            for step in raw_steps.iter_mut() {
                step.value = [0; 3];
            }
            return Ok(Outcome::Mismatch);
        }
        Ok(Outcome::Done(match raw_steps.last() {
            Some(step) if step.found != 0 => step.value,
            Some(_) | None => [0; 3],
        }))
    }
}
