//! The rows that a change leaves without support ([`super`] says what that is).
//!
//! A recursive CTE cannot ask for the rows that it found in earlier rounds. One whose working table is a single row can:
//! `gone` has the places of all rows without support, `last` those of the last round. `OFFSET 0` keeps the planner from
//! joining what a round asks about each row, so that indexes are used, whatever the planner expects.

use super::maintenance::{IS_FEW, LOST, OTHERS, Recursion, RecursionBranch, Versions, kept};
use crate::operators::linear::block::Block;
use crate::plan::Change;
use crate::sql::statement::{and, column, op, or};
use crate::stages::stored::RANK;

/// A round copies the places that earlier rounds found. If the rounds times the places are more than this, the query runs
/// again.
const WORK: &str = "1000000";
/// The sequence jumps to the next multiple of two to this power when the query runs.
const EPOCH: &str = "32";
/// So far above it, ranks are valid.
const VALID: &str = "2147483648";

/// How often the query has run. `sequence` has the ranks of the stored rows.
fn epoch(sequence: &str) -> String {
    let last = format!("COALESCE(pg_catalog.pg_sequence_last_value({}), 0)", regclass(sequence));
    op(&last, ">>", EPOCH)
}

fn regclass(sequence: &str) -> String {
    format!("'{}'::pg_catalog.regclass", sequence.replace('\'', "''"))
}

/// A condition that is true, and puts all stored ranks out of date. Those to come are `valid`, or out of date too.
pub fn jump(sequence: &str, valid: bool) -> String {
    let mut next = op(&op(&epoch(sequence), "+", "1"), "<<", EPOCH);
    if valid {
        next = op(&next, "+", VALID);
    }
    op(
        &format!("(SELECT pg_catalog.setval({}, {next}))", regclass(sequence)),
        ">",
        "0",
    )
}

/// The places of the rows `m`, as an array.
fn places(which: &str) -> String {
    format!("COALESCE(pg_catalog.array_agg(m.rid){which}, '{{}}')")
}

impl Recursion {
    /// CTEs: [`LOST`], the rows among the candidates of the SELECTs `seeds` that have no support, and again those among what
    /// they derive; [`OTHERS`], those of them that a branch derives from another row than from the one that led to them; and
    /// whether they are few.
    pub(super) fn unsupported(&self, seeds: &[String], changes: &[Change], values: &str) -> String {
        let table = &self.table;
        let place = "__pgt_place".to_owned();
        let gone = "(SELECT pg_catalog.unnest(x.gone))";
        let is_gone = |place: &str| format!("({place} OPERATOR(pg_catalog.=) ANY {gone})");
        let floor = "(SELECT z.floor FROM __pgt_floor AS z)";
        let is_valid = op("m.rank", ">", floor);

        let mut step = self.step.part.clone();
        let scan = &mut step.block.scans[self.own];
        scan.table = format!(
            "(SELECT c.*, c.ctid AS {place} FROM pg_catalog.unnest(x.last) AS l(rid), {table} AS c WHERE {})",
            op("c.ctid", "=", "l.rid")
        );
        let mut columns = step.columns(&self.columns);
        let alias = step.block.scans[self.own].alias.clone();
        columns.extend([
            (column(&alias, RANK), "low".to_owned()),
            (column(&alias, &place), place.clone()),
        ]);
        let derived = step
            .block
            .select(&self.surviving(&step.block, changes), columns)
            .to_string();
        let bases: Vec<String> = self
            .base
            .iter()
            .map(|branch| self.derives(branch, changes, &[]))
            .collect();
        let not_place = op(&column(&alias, "ctid"), "<>", &column("q", &place));
        let smaller: &[String] = &[is_valid.clone(), op(&column(&alias, RANK), "<", "m.rank")];
        let left = format!("(NOT {})", is_gone(&column(&alias, "ctid")));
        let most = "(SELECT z.most FROM __pgt_floor AS z)";
        let is_few = op("(SELECT pg_catalog.count(*) FROM __pgt_seeds)", "<=", most);
        let is_next = format!(
            "({} OR NOT ({is_valid} OR {}))",
            op("m.rank", ">", "q.low"),
            is_gone("m.rid")
        );
        let round = |rows: &str, n: &str, others: &[String], left: &[String], when: &str| {
            let support = [smaller, others, left].concat();
            let mut supported = bases.clone();
            supported.push(and(&["o.more".to_owned(), self.derives(&self.step, changes, &support)]));
            format!(
                "(SELECT {all} AS a, {others} AS o, {n} AS n FROM (SELECT DISTINCT m.rid, o.more FROM ({rows}) AS q, \
                 LATERAL (SELECT c.ctid AS rid, c.{RANK} AS rank {stored} LIMIT 1) AS m, \
                 LATERAL (SELECT {is_other} AS more OFFSET 0) AS o WHERE {when} AND NOT {supported}) AS m) AS y",
                all = places(""),
                others = places(" FILTER (WHERE m.more)"),
                is_other = self.derives(&self.step, changes, others),
                stored = self.stored(),
                supported = or(&supported),
            )
        };
        let count = |array: &str| format!("pg_catalog.cardinality({array})");
        format!(
            "__pgt_floor AS MATERIALIZED (SELECT {last_floor} AS floor, {at_most} AS most), \
             __pgt_seeds AS MATERIALIZED (SELECT {values} FROM ({seeds}) AS q LIMIT {limit}), \
             __pgt_loop(gone, last, others, n) AS (SELECT y.a, y.a, y.o, y.n FROM {first} UNION ALL \
             SELECT pg_catalog.array_cat(x.gone, y.a), y.a, pg_catalog.array_cat(x.others, y.o), y.n \
             FROM __pgt_loop AS x, LATERAL {next} WHERE {goes_on}), \
             __pgt_end AS MATERIALIZED (SELECT x.* FROM __pgt_loop AS x ORDER BY x.n DESC LIMIT 1), \
             __pgt_size AS MATERIALIZED (SELECT {few} AS few, EXISTS (SELECT FROM pg_catalog.unnest(x.gone) AS g(rid), {table} AS q \
             WHERE {same} AND NOT {is_fresh}) AS worn FROM __pgt_end AS x), \
             {LOST} AS (SELECT g.rid FROM __pgt_end AS x, pg_catalog.unnest(x.gone) AS g(rid) WHERE {IS_FEW}), \
             {OTHERS} AS (SELECT {values}, q.ctid AS rid FROM __pgt_end AS x, pg_catalog.unnest(x.others) AS g(rid), {table} AS q \
             WHERE {same} AND {IS_FEW})",
            last_floor = op(&op(&epoch(&self.ranks), "<<", EPOCH), "+", VALID),
            at_most = self.most(),
            seeds = seeds.join(" UNION ALL "),
            limit = op(most, "+", "1"),
            first = round(
                &format!("SELECT DISTINCT {values} FROM __pgt_seeds AS q"),
                "1",
                &[],
                &[],
                &is_few
            ),
            next = round(&derived, &op("x.n", "+", "1"), &[not_place], &[left], &is_next),
            goes_on = and(&[
                op(&count("x.last"), ">", "0"),
                op(&count("x.gone"), "<=", most),
                op(&op("x.n", "*", &count("x.gone")), "<", WORK),
            ]),
            few = and(&[is_few, op(&count("x.last"), "=", "0")]),
            same = op("q.ctid", "=", "g.rid"),
            is_fresh = op(&column("q", RANK), ">", floor),
        )
    }

    /// The versions of the tables that support rows: as they are, but without inserted rows where an expression could fail.
    fn surviving(&self, block: &Block, changes: &[Change]) -> Versions {
        if self.may_raise {
            kept(&block.changed(changes))
        } else {
            Vec::new()
        }
    }

    /// The condition that a branch derives the row `q`.
    fn derives(&self, branch: &RecursionBranch, changes: &[Change], more: &[String]) -> String {
        let block = &branch.part.block;
        let mut select = block.select(&self.surviving(block, changes), Vec::new());
        let (_, same, _) = self.matches(branch, "q");
        select.filter.extend(same);
        select.filter.extend_from_slice(more);
        format!("EXISTS ({select} OFFSET 0)")
    }
}
