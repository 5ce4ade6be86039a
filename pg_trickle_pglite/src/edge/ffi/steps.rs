//! Programs with the plans that are kept of them, and which of these are given back first.

use super::{RawText, c_string};
use std::cell::{Cell, RefCell};
use std::ffi::{CString, c_int, c_void};
use std::rc::{Rc, Weak};

unsafe extern "C" {
    /// PostgreSQL's own; raises nothing.
    fn SPI_freeplan(plan: *mut c_void) -> c_int;
}

thread_local! {
    /// The programs with kept plans.
    static KEPT: RefCell<Vec<Weak<Program>>> = const { RefCell::new(Vec::new()) };
    /// Counts runs, to tell which program has not run for longest.
    static RUNS: Cell<u64> = const { Cell::new(0) };
}

/// The statements of a program, with the plans that are kept of them.
pub struct Steps(Rc<Program>);

pub(super) struct Program {
    pub(super) raw: RefCell<Vec<RawText>>,
    pub(super) texts: Vec<CString>,
    kept: Cell<bool>,
    last_run: Cell<u64>,
}

impl Steps {
    /// Each statement with whether the program stops when the first two values it returns differ.
    #[must_use]
    pub fn new<'a>(statements: impl Iterator<Item = (&'a str, bool)>) -> Self {
        let (texts, compare): (Vec<CString>, Vec<bool>) =
            statements.map(|(sql, compare)| (c_string(sql), compare)).unzip();
        let raw = texts.iter().zip(compare).map(|(sql, compare)| RawText {
            compare: i32::from(compare),
            ..RawText::new(sql)
        });
        Self(Rc::new(Program {
            raw: RefCell::new(raw.collect()),
            texts,
            kept: Cell::new(false),
            last_run: Cell::new(0),
        }))
    }

    /// All its statements have plans that are kept: PostgreSQL has accepted them.
    #[must_use]
    pub fn are_planned(&self) -> bool {
        let raw = self.0.raw.try_borrow();
        self.0.kept.get() && raw.is_ok_and(|raw| raw.iter().all(|step| !step.plan.is_null()))
    }

    /// What the planner thought that it costs, where it was asked.
    pub(super) fn cost(&self) -> f64 {
        self.0.raw.borrow().iter().map(|step| step.cost).sum()
    }

    /// What its texts and its plans take, in bytes. Nothing while it runs.
    #[must_use]
    pub fn size(&self) -> usize {
        let texts: usize = self.0.texts.iter().map(|text| text.as_bytes().len()).sum();
        texts + self.0.size()
    }

    /// The program, which is about to run.
    pub(super) fn program(&self) -> &Program {
        &self.0
    }

    /// It runs, and its plans will be kept.
    pub(super) fn keep(&self) {
        self.0.last_run.set(RUNS.get());
        RUNS.set(RUNS.get() + 1);
        if !self.0.kept.get() {
            // May fail for want of memory: then nothing is kept.
            KEPT.with_borrow_mut(|kept| kept.push(Rc::downgrade(&self.0)));
            self.0.kept.set(true);
        }
    }
}

impl Program {
    /// Whether its plans are kept.
    pub(super) fn is_kept(&self) -> bool {
        self.kept.get()
    }

    fn size(&self) -> usize {
        let raw = self.raw.try_borrow();
        raw.map_or(0, |raw| {
            let planned = raw.iter().filter(|step| !step.plan.is_null());
            planned.map(|step| step.size).sum()
        })
    }

    /// Gives its plans back, unless it runs. Its next run makes them anew.
    fn give_back(&self) {
        if let Ok(mut raw) = self.raw.try_borrow_mut() {
            free(&mut raw);
        }
    }
}

impl Drop for Program {
    fn drop(&mut self) {
        if self.kept.get() {
            free(self.raw.get_mut());
        }
    }
}

fn free(raw: &mut [RawText]) {
    for step in raw {
        let plan = std::mem::replace(&mut step.plan, std::ptr::null_mut());
        if !plan.is_null() {
            // SAFETY: a kept plan of our own, freed once; nobody runs it, since the program is borrowed for as long as it runs.
            unsafe { SPI_freeplan(plan) };
        }
    }
}

/// What the plans take that are kept, in bytes.
#[must_use]
pub fn plan_bytes() -> usize {
    programs().iter().map(|program| program.size()).sum()
}

/// Gives back the plans of those programs that have not run for longest, until the others take no more than this.
pub fn give_back_plans(at_most: usize) {
    let mut programs = programs();
    let mut total: usize = programs.iter().map(|program| program.size()).sum();
    if total <= at_most {
        return;
    }
    programs.sort_by_key(|program| program.last_run.get());
    for program in programs {
        if total <= at_most {
            return;
        }
        total -= program.size();
        program.give_back();
    }
}

/// The programs with kept plans. Forgets those that are gone.
fn programs() -> Vec<Rc<Program>> {
    KEPT.with_borrow_mut(|kept| {
        kept.retain(|program| program.strong_count() > 0);
        kept.iter().filter_map(Weak::upgrade).collect()
    })
}

#[cfg(test)]
mod tests {
    use super::{Steps, c_int, c_void, give_back_plans, plan_bytes};
    use std::ptr;

    thread_local!(static FREED: super::RefCell<Vec<usize>> = const { super::RefCell::new(Vec::new()) });

    /// Tests run without PostgreSQL.
    #[unsafe(no_mangle)]
    extern "C" fn SPI_freeplan(plan: *mut c_void) -> c_int {
        FREED.with_borrow_mut(|freed| freed.push(plan.addr()));
        0
    }

    /// A program of one statement, with a plan of this number and size.
    fn planned(plan: usize, size: usize) -> Steps {
        let steps = Steps::new([("SELECT", false)].into_iter());
        steps.keep();
        {
            let mut raw = steps.program().raw.borrow_mut();
            raw[0].plan = ptr::without_provenance_mut(plan);
            raw[0].size = size;
        }
        steps
    }

    #[test]
    fn the_longest_unused_plans_go_first_and_those_in_use_stay() {
        let programs = [planned(1, 100), planned(2, 100), planned(3, 100), planned(4, 100)];
        programs[0].keep(); // runs again
        assert_eq!(plan_bytes(), 400);
        give_back_plans(400);
        assert_eq!(FREED.take(), []);
        let running = programs[1].program().raw.borrow_mut();
        give_back_plans(200);
        assert_eq!(FREED.take(), [3], "2 runs, and is not counted");
        drop(running);
        assert!(programs[1].are_planned() && !programs[2].are_planned());
        give_back_plans(0);
        assert_eq!(FREED.take(), [2, 4, 1]);
        assert_eq!(plan_bytes(), 0);
        drop(programs);
        assert_eq!(FREED.take(), [], "freed once");
    }

    #[test]
    fn a_dropped_program_frees_its_plans() {
        drop(planned(5, 1));
        assert_eq!(FREED.take(), [5]);
        assert_eq!(plan_bytes(), 0);
    }
}
