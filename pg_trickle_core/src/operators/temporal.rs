//! Temporal filters: scans, inner joins and filters that compare a value of the row with the clock.
//!
//! The clock is a stored row (`stages/clock.rs`) with what the other side of each comparison, the *bound*, is as of the
//! moment up to which the stream table is right, and was as of the moment before. With F(T, v) for the rows of the
//! tables T under the bounds v, and p for the bounds before:
//!
//! 1. Stored rows with values between p and v leave: F(T₀, p) becomes F(T₀, v).
//! 2. The change of the tables is folded under v: F(T₁, v).
//!
//! A bound from above (`ts <= now()`) lets rows enter as time passes. These rows wait in the storage: a flag says whether
//! a row has entered, the view reads the flag, and step 1 sets it. Any comparison that is selected as a column is such a
//! flag. If a bound from below moves back, rows enter that are not stored, and the query runs again.
//!
//! State: the rows that have entered or will enter, with an index on each compared value. Cost: the change, and the
//! rows between the bounds. Source: temporal filters of Materialize; the range between two bounds, as in the dynamic
//! filters of RisingWave.

use super::linear::bag::Bag;
use super::linear::plan::with_bag;
use crate::facts::clock::{Comparison, all, comparisons};
use crate::facts::fallback::Fallback;
use crate::facts::linear_block::conjuncts;
use crate::maintain::crossing::Crossing;
use crate::maintain::operator_tree::OperatorTree;
use crate::maintain::stage::Maintenance;
use crate::plan::{Change, Oid, Program, Returns, Source, Statement, Way};
use crate::query::{Expr, Query, SqlLeaf, Target, attno};
use crate::sql::ident::quote_ident;
use crate::sql::statement::{and, column, op};
use crate::stages::clock::{Clock, bound, bound_before};
use crate::stages::graph::StageGraph;
use crate::stages::stage_plan::StagePlan;
use crate::stages::stored::StorageTable;
use crate::stages::view::column_of;

/// A bag whose rows also change as the clock moves.
struct Temporal {
    /// The storage of the clock.
    clock: Oid,
    /// Folds the change of the tables.
    bag: Bag,
    /// Lets stored rows leave, and sets flags.
    crossing: Vec<Statement>,
}

impl Maintenance for Temporal {
    fn way(&self) -> Way {
        Way::Fold
    }

    fn program(&self, changes: &[Change]) -> Program {
        let is_clock = |change: &&Change| change.relid == self.clock;
        let rows: Vec<Change> = changes.iter().filter(|change| !is_clock(change)).copied().collect();
        let folded = self.bag.program(&rows);
        match folded {
            Program::Run(folded) if rows.len() < changes.len() => {
                Program::Run(self.crossing.iter().cloned().chain(folded).collect())
            }
            other => other,
        }
    }

    fn cost(&self, source: &Source, sources: &[Source]) -> &'static str {
        if source.relid == self.clock {
            "the rows between the bounds before and now"
        } else {
            self.bag.cost(source, sources)
        }
    }
}

/// A comparison, where its value is stored, and the number of its bound.
struct Stored {
    comparison: Comparison,
    position: usize,
    bound: usize,
}

impl Stored {
    /// The comparison with the bound now.
    fn test(&self, clock: &Clock) -> Expr {
        let given = &self.comparison.bound;
        let bound = clock.sql(&column("c", &bound(self.bound)));
        let bound = SqlLeaf::text(bound, given.type_oid(), given.typmod(), given.collation());
        let operator = format!(" OPERATOR(pg_catalog.{}) ", self.comparison.order.sql());
        SqlLeaf::condition(&["", &operator, ""], vec![self.comparison.value.clone(), bound])
    }
}

/// The comparisons of a query: the bounds from below in WHERE, those from above, and those that are selected.
struct Filter {
    lower: Vec<Stored>,
    upper: Vec<Stored>,
    selected: Vec<(usize, Vec<Stored>)>,
    rest: Vec<Expr>,
    /// The targets of the query, and the values that it does not select.
    targets: Vec<Target>,
}

impl Filter {
    fn of(query: &Query, graph: &StageGraph) -> Result<Self, Fallback> {
        let mut filter = Filter {
            lower: Vec::new(),
            upper: Vec::new(),
            selected: Vec::new(),
            rest: Vec::new(),
            targets: query.targets.clone(),
        };
        for conjunct in conjuncts(query.quals.as_ref()) {
            match comparisons(&conjunct, graph)? {
                None => filter.rest.push(conjunct),
                Some(found) => {
                    for comparison in found {
                        let is_lower = comparison.order.is_lower();
                        let stored = filter.store(comparison, graph)?;
                        if is_lower { &mut filter.lower } else { &mut filter.upper }.push(stored);
                    }
                }
            }
        }
        for (position, target) in query.targets.iter().enumerate() {
            if let Some(found) = comparisons(&target.expr, graph)? {
                let stored = found.into_iter().map(|comparison| filter.store(comparison, graph));
                let stored = stored.collect::<Result<_, _>>()?;
                filter.selected.push((position, stored));
            }
        }
        Ok(filter)
    }

    fn store(&mut self, comparison: Comparison, graph: &StageGraph) -> Result<Stored, Fallback> {
        let (_, bound) = graph.clock(Some(&comparison.bound))?;
        let known = self.targets.iter().position(|target| target.expr == comparison.value);
        let position = match known {
            Some(position) => position,
            None => self.add(comparison.value.clone())?,
        };
        Ok(Stored {
            comparison,
            position,
            bound,
        })
    }

    /// Adds a hidden column.
    fn add(&mut self, expr: Expr) -> Result<usize, Fallback> {
        let position = self.targets.len();
        self.targets.push(Target {
            expr,
            name: None,
            resno: attno(position)?,
            ressortgroupref: 0,
            junk: true,
        });
        Ok(position)
    }

    fn all(&self) -> impl Iterator<Item = &Stored> {
        let selected = self.selected.iter().flat_map(|(_, stored)| stored);
        self.lower.iter().chain(&self.upper).chain(selected)
    }
}

/// Plans a linear query with comparisons with the clock, each of them a conjunct of WHERE or selected.
pub fn plan(query: &Query, storage: &StorageTable, graph: &StageGraph) -> Result<StagePlan, Fallback> {
    let filter = Filter::of(query, graph)?;
    let (clock, _) = graph.clock(None)?;
    let mut base = query.clone();
    base.targets.clone_from(&filter.targets);
    // Each flag: its position among the targets, and the comparisons that set it.
    let mut flags: Vec<(usize, &[Stored])> = Vec::new();
    for (position, stored) in &filter.selected {
        base.targets[*position].expr = tests(stored, &clock);
        flags.push((*position, stored));
    }
    for stored in filter.upper.chunks(1) {
        flags.push((base.targets.len(), stored));
        base.targets.push(Target {
            expr: tests(stored, &clock),
            name: None,
            resno: attno(base.targets.len())?,
            ressortgroupref: 0,
            junk: true,
        });
    }
    let mut conditions = filter.rest.clone();
    conditions.extend(filter.lower.iter().map(|stored| stored.test(&clock)));
    base.quals = all(conditions);
    let (mut plan, bag) = with_bag(&base, storage, graph)?;
    let table = storage.sql();
    let crossing_of = |stored: &Stored, drops: bool| Crossing {
        table: table.clone(),
        column: plan.stored[stored.position].name.clone(),
        bound: stored.bound,
        between: stored.comparison.order.between(),
        drops,
    };
    let ends =
        |stored: &Stored| [bound_before(stored.bound), bound(stored.bound)].map(|name| clock.sql(&column("c", &name)));
    let mut crossing = Vec::new();
    let mut crossings = Vec::new();
    for stored in &filter.lower {
        let of = crossing_of(stored, true);
        let [was, is] = ends(stored);
        crossing.push(silent(format!(
            "DELETE FROM {table} AS s WHERE {}",
            of.between(&was, &is)
        )));
        crossings.push(of);
    }
    for (position, stored) in &flags {
        let name = quote_ident(&plan.stored[*position].name);
        let tests: Vec<String> = stored
            .iter()
            .map(|stored| {
                let [_, is] = ends(stored);
                let value = column("s", &plan.stored[stored.position].name);
                op(&value, stored.comparison.order.sql(), &is)
            })
            .collect();
        for stored in *stored {
            let of = crossing_of(stored, false);
            let [was, is] = ends(stored);
            crossing.push(silent(format!(
                "UPDATE {table} AS s SET {name} = {} WHERE {}",
                and(&tests),
                of.between(&was, &is)
            )));
            crossings.push(of);
        }
    }
    for of in &crossings {
        let index = format!("({})", quote_ident(&of.column));
        if !plan.indexes.contains(&index) {
            plan.indexes.push(index);
        }
    }
    plan.crossings = crossings;
    let labels: Vec<String> = filter
        .all()
        .map(|stored| {
            let value = quote_ident(&plan.stored[stored.position].name);
            format!("{value} {} {}", stored.comparison.order.sql(), bound(stored.bound))
        })
        .collect();
    let mut numbers: Vec<usize> = filter.all().map(|stored| stored.bound).collect();
    numbers.sort_unstable();
    numbers.dedup();
    graph.read_clock(&mut plan.reads, &numbers)?;
    plan.view.targets.truncate(query.targets.len());
    let shown = flags.iter().skip(filter.selected.len());
    let shown = shown.map(|(position, _)| column_of(&plan.stored, *position));
    plan.view.quals = all(shown.collect::<Result<_, _>>()?);
    plan.operators = plan
        .operators
        .map(|tree| OperatorTree::new(format!("temporal filter {}", labels.join(", ")), vec![tree]));
    plan.maintenance = Box::new(Temporal {
        clock: clock.storage.relid,
        bag,
        crossing,
    });
    Ok(plan)
}

/// The comparisons with the bounds now, as one condition.
fn tests(stored: &[Stored], clock: &Clock) -> Expr {
    all(stored.iter().map(|stored| stored.test(clock)).collect()).unwrap_or_else(Expr::always)
}

fn silent(sql: String) -> Statement {
    Statement {
        sql,
        bulk: None,
        returns: Returns::Nothing,
    }
}
