//! The maintenance of a recursive CTE: the rows that a change makes it lose and find, as recursive CTEs of one
//! statement.
//!
//! [`super`] has the rules. PostgreSQL's planner overestimates a recursive CTE tenfold, and one that reads another a
//! hundredfold. DISTINCT bounds the estimate, because the planner expects 200 distinct values if it has no statistics.
//! So `= ANY (SELECT DISTINCT ...)` is hashed once, however many rows are lost.

use crate::maintain::bounded::or_whole;
use crate::maintain::netting::{Sign, WEIGHT, netted, remaining};
use crate::maintain::stage::{LARGE, Maintenance, sizes};
use crate::maintain::storage::Written;
use crate::operators::linear::bag::net;
use crate::operators::linear::block::{Block, Part};
use crate::operators::linear::inner_join::{Changed, signed_choices};
use crate::operators::linear::scan::{Version, gained, lost};
use crate::plan::{Change, Oid, Program, Returns, Source, Statement, Way, added, removed};
use crate::sql::statement::{and, both_null, column, hash, image, is_null, names, op, or};

/// The CTE of the lost rows. It has the columns of the storage, and for UNION `rid`.
pub(super) const LOST: &str = "__pgt_lost";
/// The CTE of the lost rows that other stored rows may derive.
pub(super) const OTHERS: &str = "__pgt_others";
/// The CTE of the lost rows before it is known that they are few.
const REACHED: &str = "__pgt_reached";
/// The condition that they are.
pub(super) const IS_FEW: &str = "(SELECT z.few FROM __pgt_size AS z)";
/// The verdict. To fill the storage anew makes ranks valid, where they are not.
const VERDICT: &str = "SELECT CASE WHEN z.few THEN 0 WHEN z.worn THEN 2 ELSE 1 END::pg_catalog.int8, 0::pg_catalog.int8 \
                       FROM __pgt_size AS z";
/// To take rows apart and put them together again costs several times as much for each as the whole query: beyond one
/// row for this many bytes of storage, about a seventh of them, the query runs again.
pub const LOST_BYTES: usize = 300;
/// The same below another stage: the query of the stream table writes none of the rows, so it costs less.
pub const LOST_BYTES_BELOW: usize = 900;
/// A stored row takes about as many.
const ROW_BYTES: usize = 45;
/// A row that is taken away takes at least as many with it, where many are.
const LOST_WITH_EACH: usize = 2;
/// So many may be lost from the smallest storage.
const LEAST: &str = "100";
/// The CTE of the found rows.
const FOUND: &str = "__pgt_found";

/// Scans, each with the version of its rows that is read.
pub(super) type Versions = Vec<(usize, Version)>;

/// A branch of the CTE.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RecursionBranch {
    /// Its block and values.
    pub part: Part,
    /// Which values can be NULL.
    pub nullable: Vec<bool>,
}

/// The storage of a recursive CTE, and how changes are applied to it.
pub struct Recursion {
    /// Qualified, quoted name of the storage table.
    pub table: String,
    /// The stored columns that are written.
    pub columns: Vec<String>,
    /// The same, with what makes two values the same.
    pub written: Written,
    /// The column with the hash of a row.
    pub hash: String,
    /// The sequence of the ranks of stored rows.
    pub ranks: String,
    /// The query, for the empty storage of UNION.
    pub filled: Option<String>,
    /// The equality operator of each column for UNION; empty for UNION ALL.
    pub equals: Vec<String>,
    /// The branches that do not read the CTE.
    pub base: Vec<RecursionBranch>,
    /// The branch that does.
    pub step: RecursionBranch,
    /// The position of the storage among its scans.
    pub own: usize,
    /// True if indexes find the rows that still derive a lost row, and the stored rows that a changed row joins.
    pub indexed: bool,
    /// True if an expression can raise an error.
    pub may_raise: bool,
    /// The query runs again beyond one lost row for this many bytes of storage.
    pub lost_bytes: usize,
    /// The columns that are read, for each table.
    pub read: Vec<(Oid, u32, Vec<String>)>,
}

impl Maintenance for Recursion {
    /// UNION ALL counts rows; UNION looks them up.
    fn way(&self) -> Way {
        if self.is_all() { Way::Fold } else { Way::Rekey }
    }

    fn program(&self, changes: &[Change]) -> Program {
        if self.parts().any(|part| Block::too_many(&part.block.changed(changes))) {
            return Program::Rebuild;
        }
        let mut with: Vec<String> = changes.iter().flat_map(|change| self.net_change(change)).collect();
        Program::Run(vec![if self.is_all() {
            self.count(changes, &mut with)
        } else {
            self.rederive(changes, &mut with)
        }])
    }

    /// A program that would take too many rows apart finds so only after it has begun.
    fn least(&self, changes: &[Change]) -> usize {
        if changes.iter().any(|change| change.old) {
            LOST_WITH_EACH * self.lost_bytes / ROW_BYTES
        } else {
            LARGE
        }
    }

    fn cost(&self, _source: &Source, _sources: &[Source]) -> &'static str {
        "the rows derived from the change"
    }

    fn filled(&self) -> Option<String> {
        self.filled.clone()
    }

    fn needs_fresh_plans(&self, advised: bool, _changes: &[Change]) -> bool {
        !self.indexed || advised
    }
}

impl Recursion {
    fn is_all(&self) -> bool {
        self.equals.is_empty()
    }

    fn parts(&self) -> impl Iterator<Item = &Part> {
        self.base.iter().chain([&self.step]).map(|branch| &branch.part)
    }

    /// UNION ALL: lost and found rows, each with its weight.
    fn count(&self, changes: &[Change], with: &mut Vec<String>) -> Statement {
        let lost = self.terms(changes, None, &lost_choices);
        let list = names(&self.columns);
        let mut taken = None;
        let mut holds = "TRUE";
        let mut arms = Vec::new();
        if !lost.is_empty() {
            let step = self.step(REACHED, &kept(&self.step.part.block.changed(changes)));
            with.push(format!(
                "{REACHED}({list}) AS (({}) UNION ALL {step})",
                lost.join(" UNION ALL ")
            ));
            with.push(self.bounded());
            holds = IS_FEW;
            with.push(format!(
                "__pgt_taken AS MATERIALIZED (SELECT m.rid FROM (SELECT l.*, pg_catalog.count(*) OVER w AS __pgt_copies, \
                 pg_catalog.row_number() OVER w AS __pgt_n FROM {LOST} AS l WINDOW w AS (PARTITION BY {image})) AS q, \
                 LATERAL (SELECT c.ctid AS rid {stored} LIMIT q.__pgt_copies) AS m WHERE {first})",
                image = image("l", &self.columns),
                stored = self.stored(),
                first = op("q.__pgt_n", "=", "1"),
            ));
            arms.push(format!("SELECT l.*, -1 AS {WEIGHT} FROM {LOST} AS l"));
            taken = Some("SELECT DISTINCT o.rid FROM __pgt_taken AS o");
        }
        let found = self.terms(changes, taken, &|changed| gained_choices(changed, true));
        if !found.is_empty() {
            let step = self.step(FOUND, &[]);
            with.push(format!(
                "{FOUND}({list}) AS (({}) UNION ALL {step})",
                found.join(" UNION ALL ")
            ));
            arms.push(format!("SELECT f.*, 1 AS {WEIGHT} FROM {FOUND} AS f WHERE {holds}"));
        }
        let with = format!("RECURSIVE {}, ", with.join(", "));
        net(
            &self.table,
            &self.written,
            &self.hash,
            &with,
            &arms.join(" UNION ALL "),
            false,
            holds,
        )
    }

    /// How many lost rows are few.
    pub(super) fn most(&self) -> String {
        op(
            LEAST,
            "+",
            &op(&sizes(&[&self.table]), "/", &self.lost_bytes.to_string()),
        )
    }

    /// CTEs with the lost rows, if they are few.
    fn bounded(&self) -> String {
        let most = self.most();
        format!(
            "__pgt_size AS MATERIALIZED (SELECT {} AS few FROM (SELECT FROM {REACHED} LIMIT {}) AS a), \
             {LOST} AS (SELECT a.* FROM {REACHED} AS a WHERE {IS_FEW})",
            op("pg_catalog.count(*)", "<=", &most),
            op(&most, "+", "1"),
        )
    }

    /// UNION: deletion and rederivation.
    fn rederive(&self, changes: &[Change], with: &mut Vec<String>) -> Statement {
        let list = names(&self.columns);
        let values: Vec<String> = self.columns.iter().map(|name| column("q", name)).collect();
        let values = values.join(", ");
        let lost = self.lost_seeds(changes, &values);
        let distinct = |rows: &str| format!("(SELECT DISTINCT {values} FROM ({rows}) AS q) AS q");
        let known = format!("LATERAL (SELECT c.ctid AS rid {} LIMIT 1) AS m", self.stored());
        let is_lost = format!("SELECT DISTINCT o.rid FROM {LOST} AS o");
        let mut is_new = "m.rid IS NULL".to_owned();
        let mut without = None;
        let mut seeds = Vec::new();
        if !lost.is_empty() {
            if self.indexed {
                with.push(self.unsupported(&lost, changes, &values));
                seeds.extend(self.again(&self.step, &is_lost, OTHERS));
            } else {
                let stored_among = |rows: &str| format!("SELECT {values}, m.rid FROM {}, {known}", distinct(rows));
                with.push(format!(
                    "{REACHED}({list}, rid) AS ({} UNION {})",
                    stored_among(&lost.join(" UNION ALL ")),
                    stored_among(&self.step(REACHED, &kept(&self.step.part.block.changed(changes)))),
                ));
                with.push(self.bounded());
                for branch in self.base.iter().chain([&self.step]) {
                    seeds.extend(self.again(branch, &is_lost, LOST));
                }
            }
            is_new = format!("({is_new} OR m.rid OPERATOR(pg_catalog.=) ANY ({is_lost}))");
            without = Some(is_lost.as_str());
        }
        let fresh = |rows: &str| {
            format!(
                "SELECT {values}, m.rid FROM {} LEFT JOIN {known} ON TRUE WHERE {is_new}",
                distinct(rows)
            )
        };
        let found = self.terms(changes, without, &|changed| gained_choices(changed, false));
        if !found.is_empty() {
            seeds.push(fresh(&found.join(" UNION ALL ")));
        }
        with.push(format!(
            "{FOUND}({list}, rid) AS (({}) UNION {})",
            seeds.join(" UNION ALL "),
            fresh(&self.step(FOUND, &[])),
        ));
        if !lost.is_empty() {
            with.push(format!(
                "removed AS (DELETE FROM {table} AS t USING {LOST} AS o WHERE {same} RETURNING 1)",
                table = self.table,
                same = op("t.ctid", "=", "o.rid"),
            ));
        }
        let insert = format!("INSERT INTO {} ({list}) SELECT {values} FROM {FOUND} AS q", self.table);
        let with = with.join(", ");
        let (sql, returns) = if lost.is_empty() {
            (format!("WITH RECURSIVE {with} {insert}"), Returns::Nothing)
        } else {
            let sql = format!(
                "WITH RECURSIVE {with}, added AS ({insert} WHERE {IS_FEW} RETURNING 1) \
                 {}",
                if self.indexed {
                    VERDICT.to_owned()
                } else {
                    or_whole(IS_FEW)
                }
            );
            (sql, Returns::Verdict)
        };
        Statement {
            sql,
            bulk: None,
            returns,
        }
    }

    /// The lost rows in `among` that a branch still derives from rows that are not lost. Rows without NULLs are matched by plain
    /// equality, which an index can serve; a second SELECT matches the others.
    fn again(&self, branch: &RecursionBranch, is_lost: &str, among: &str) -> Vec<String> {
        let is_step = std::ptr::eq(branch, &self.step);
        let part = if is_step {
            self.step_without(is_lost)
        } else {
            branch.part.clone()
        };
        let select = |filter: Vec<String>| {
            let mut select = part.block.now(vec![("o.*".to_owned(), String::new())]);
            select.from.insert(0, format!("{among} AS o"));
            select.filter.extend(filter);
            select.distinct_on.push("o.rid".to_owned());
            format!("({select})")
        };
        let (equal, mut same, nulls) = self.matches(branch, "o");
        let mut arms = vec![select(equal)];
        if !nulls.is_empty() {
            same.push(or(&nulls));
            arms.push(select(same));
        }
        arms
    }

    /// The rows that a branch derived from deleted rows and no longer derives: another row that was there before may
    /// derive the same. Deleted rows are never joined to inserted ones, so no expression is evaluated that the query
    /// never evaluates.
    fn lost_seeds(&self, changes: &[Change], values: &str) -> Vec<String> {
        let mut seeds = Vec::new();
        for branch in self.base.iter().chain([&self.step]) {
            let block = &branch.part.block;
            let mut columns = branch.part.columns(&self.columns);
            let (_, mut still, _) = self.matches(branch, "q");
            let mut from = "NULL::pg_catalog.tid".to_owned();
            if std::ptr::eq(branch, &self.step) {
                from = format!("{}.ctid", block.scans[self.own].alias);
                still.push(op(&from, "=", "q.__pgt_from"));
            }
            columns.push((from, "__pgt_from".to_owned()));
            let changed = block.changed(changes);
            let terms: Vec<String> = lost_choices(&changed)
                .into_iter()
                .map(|versions| block.select(&and_kept(versions, &changed), columns.clone()).to_string())
                .collect();
            if !terms.is_empty() {
                let mut left = block.select(&kept(&changed), Vec::new());
                left.filter.extend(still);
                seeds.push(format!(
                    "SELECT {values} FROM (SELECT DISTINCT * FROM ({}) AS q) AS q WHERE NOT EXISTS ({left}{})",
                    terms.join(" UNION ALL "),
                    // Each by itself: to read all derivations at once pays for most rows only.
                    if self.indexed { " OFFSET 0" } else { "" }
                ));
            }
        }
        seeds
    }

    /// Three lists of conditions: that a branch derives the row, by plain equality; the same with NULLs equal; and that
    /// the row has a NULL, for each nullable column.
    pub(super) fn matches(&self, branch: &RecursionBranch, row: &str) -> (Vec<String>, Vec<String>, Vec<String>) {
        let (mut equal, mut same, mut nulls) = (Vec::new(), Vec::new(), Vec::new());
        let values = branch.part.values.iter().zip(&branch.nullable);
        for ((name, equals), (value, nullable)) in self.columns.iter().zip(&self.equals).zip(values) {
            let own = column(row, name);
            let is_equal = format!("({value} {equals} {own})");
            if *nullable {
                nulls.push(is_null(&own));
                same.push(or(&[is_equal.clone(), both_null(value, &own)]));
            } else {
                same.push(is_equal.clone());
            }
            equal.push(is_equal);
        }
        (equal, same, nulls)
    }

    /// The SELECTs of rows that the branches derive from changed rows. `without` selects the `ctid`s of stored rows to
    /// ignore.
    fn terms(
        &self,
        changes: &[Change],
        without: Option<&str>,
        choices: &dyn Fn(&[Changed]) -> Vec<Versions>,
    ) -> Vec<String> {
        let step = without.map_or_else(|| self.step.part.clone(), |without| self.step_without(without));
        let mut terms = Vec::new();
        for part in self.base.iter().map(|branch| &branch.part).chain([&step]) {
            let changed = part.block.changed(changes);
            for mut versions in choices(&changed) {
                if self.is_all() {
                    // Weights count, so the other occurrences leave out inserted rows: each derivation occurs once.
                    versions = and_kept(versions, &changed);
                }
                terms.push(part.block.select(&versions, part.columns(&self.columns)).to_string());
            }
        }
        terms
    }

    /// The step, over another relation in place of the storage.
    fn step(&self, relation: &str, versions: &[(usize, Version)]) -> String {
        let mut part = self.step.part.clone();
        relation.clone_into(&mut part.block.scans[self.own].table);
        part.block.select(versions, part.columns(&self.columns)).to_string()
    }

    /// The step, over the stored rows without those at the given `ctid`s.
    fn step_without(&self, places: &str) -> Part {
        let mut part = self.step.part.clone();
        let alias = &part.block.scans[self.own].alias;
        let condition = format!("(NOT {alias}.ctid OPERATOR(pg_catalog.=) ANY ({places}))");
        part.block.conditions.push(condition);
        part
    }

    /// The stored rows `c` that equal `q`, in FROM and WHERE. The caller adds a LIMIT.
    pub(super) fn stored(&self) -> String {
        let mut same = if self.is_all() {
            vec![op(&image("c", &self.columns), "=", &image("q", &self.columns))]
        } else {
            // Equal values have the same bytes.
            let mut stored = self.step.clone();
            stored.part.values = self.columns.iter().map(|name| column("c", name)).collect();
            for branch in &self.base {
                for (any, one) in stored.nullable.iter_mut().zip(&branch.nullable) {
                    *any |= *one;
                }
            }
            self.matches(&stored, "q").1
        };
        let hash = hash(Some("q"), &self.columns);
        same.insert(0, op(&column("c", &self.hash), "=", &hash));
        format!("FROM {} AS c WHERE {}", self.table, and(&same))
    }

    /// CTEs with the net change of a table, which leaves out rows that were inserted and deleted again.
    fn net_change(&self, change: &Change) -> Vec<String> {
        let Some((_, delta, read)) = self.read.iter().find(|(relid, ..)| *relid == change.relid) else {
            return Vec::new();
        };
        let list = names(read);
        let (inserted, deleted) = (gained(*delta), lost(*delta));
        let (new, old) = (added(*delta), removed(*delta));
        if !(change.new && change.old) {
            let (name, rows) = if change.new { (inserted, new) } else { (deleted, old) };
            return vec![format!("{name} AS (SELECT {list} FROM {rows})")];
        }
        let net = format!("__pgt_d_{delta}");
        let rest = |sign: Sign| remaining(&net, read, sign);
        let rows = format!("(SELECT {list}, 1 AS {WEIGHT} FROM {new} UNION ALL SELECT {list}, -1 FROM {old}) AS d");
        vec![
            format!(
                "{net} AS MATERIALIZED ({})",
                netted(&rows, &Written::by_image(read), &[])
            ),
            format!("{inserted} AS ({})", rest(Sign::Plus)),
            format!("{deleted} AS ({})", rest(Sign::Minus)),
        ]
    }
}

/// Every non-empty set of occurrences that lost rows. Joined to the kept rows of the others, they give the lost
/// derivations.
fn lost_choices(changed: &[Changed]) -> Vec<Versions> {
    let deleted: Vec<Changed> = changed
        .iter()
        .filter(|occurrence| occurrence.old)
        .map(|occurrence| Changed {
            new: false,
            ..*occurrence
        })
        .collect();
    signed_choices(&deleted, None)
        .into_iter()
        .map(|(_, versions)| versions.into_iter().map(|(scan, _)| (scan, Version::Lost)).collect())
        .collect()
}

/// Inserted rows in one occurrence, joined to the rows of the others. With `once`, only the occurrences before it
/// include inserted rows, so that no derivation counts twice.
fn gained_choices(changed: &[Changed], once: bool) -> Vec<Versions> {
    let inserted: Vec<usize> = changed
        .iter()
        .filter(|occurrence| occurrence.new)
        .map(|occurrence| occurrence.scan)
        .collect();
    (0..inserted.len())
        .map(|n| {
            let mut versions = vec![(inserted[n], Version::Gained)];
            if once {
                versions.extend(inserted[..n].iter().map(|scan| (*scan, Version::Now)));
            }
            versions
        })
        .collect()
}

/// All occurrences with inserted rows, read without them.
pub(super) fn kept(changed: &[Changed]) -> Versions {
    changed
        .iter()
        .filter(|occurrence| occurrence.new)
        .map(|occurrence| (occurrence.scan, Version::Kept))
        .collect()
}

/// These versions; the other occurrences are read without inserted rows.
fn and_kept(mut versions: Versions, changed: &[Changed]) -> Versions {
    let given: Vec<usize> = versions.iter().map(|(scan, _)| *scan).collect();
    versions.extend(kept(changed).into_iter().filter(|(scan, _)| !given.contains(scan)));
    versions
}
