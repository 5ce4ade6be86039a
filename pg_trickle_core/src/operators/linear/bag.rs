//! A stage without grouping: the rows of a linear block, each stored as often as it occurs.
//!
//! Keyed: the primary keys of the tables identify a row (less those that join conditions determine). A change is netted
//! by key and merged. Keyless: rows can repeat. A change is netted row by row; a stored copy is found by a hash of the
//! row and then compared in full.

use super::block::{Block, Part, Term, signed_terms, weighted};
use super::inner_join::keyed_choices;
use super::scan::{Scan, Version};
use crate::maintain::bounded::{Bounded, verdict};
use crate::maintain::key::KeyColumn;
use crate::maintain::netting::{NET, Sign, WEIGHT, is_left, netted, remaining};
use crate::maintain::rekey::key_column;
use crate::maintain::stage::{Maintenance, Reach};
use crate::maintain::storage::{Identity, Written};
use crate::plan::{Change, Program, Returns, Source, Statement, Way};
use crate::sql::statement::{Insert, Merge, Select, and, column, differs, hash, image, is_null, names, op, union_all};

/// The storage of a bag, and how changes are applied to it.
#[derive(Clone)]
pub struct Bag {
    /// Qualified, quoted name of the storage table.
    pub table: String,
    /// The branches of the union that feed it; only one if the bag has a key.
    pub parts: Vec<Part>,
    /// The stored columns that are written, in the order of the values of a branch.
    pub written: Written,
    /// A NULL of the type of each of them, as SQL, unless the key is that of the only table.
    pub nulls: Vec<String>,
    /// How a stored row is identified.
    pub identity: Identity,
    /// The default equality operator of each key column.
    pub key_equals: Vec<String>,
    /// Stored columns that identify a row although no index says so, in which NULLs are equal: the whole query pairs its
    /// rows by them.
    pub row_key: Option<Vec<KeyColumn>>,
}

impl Maintenance for Bag {
    fn way(&self) -> Way {
        Way::Fold
    }

    fn program(&self, changes: &[Change]) -> Program {
        if Block::any_too_many(&self.parts, changes) {
            return Program::Rebuild;
        }
        Program::Run(self.statements(changes))
    }

    fn needs_fresh_plans(&self, advised: bool, changes: &[Change]) -> bool {
        advised && Block::any_scans(&self.parts, changes)
    }

    fn reads_more(&self, changes: &[Change]) -> bool {
        Block::any_filters(&self.parts, changes)
    }

    fn compares_all(&self) -> bool {
        Block::any_compares(&self.parts)
    }

    fn reach(&self, changes: &[Change]) -> Option<Reach> {
        Block::any_fans_out(&self.parts, changes).then_some(Reach::Delta { of: None, parts: None })
    }

    fn joins_only(&self) -> bool {
        true
    }

    fn reads_only_the_change(&self) -> bool {
        Block::all_single(&self.parts)
    }

    fn row_key(&self) -> Option<&[KeyColumn]> {
        self.row_key.as_deref()
    }

    fn cost(&self, source: &Source, sources: &[Source]) -> &'static str {
        fold_cost(source, sources)
    }

    fn runs_as_update(&self, change: &Change) -> bool {
        let deletes_by_key =
            matches!(self.identity, Identity::Key(_)) && self.parts.iter().all(|part| part.block.tree.is_none());
        change.old && !deletes_by_key
    }
}

/// The cost class of a fold that reads only the change and its matches.
pub fn fold_cost(source: &Source, sources: &[Source]) -> &'static str {
    if source.occurrences > 1 || sources.len() > 1 {
        "the change times its fan-out in the join"
    } else {
        "the change"
    }
}

impl Bag {
    /// The columns that are written.
    pub fn column_names(&self) -> Vec<String> {
        self.written.columns.clone()
    }

    /// The SELECT that computes the rows from scratch.
    pub fn query(&self) -> String {
        let names = self.column_names();
        let arms: Vec<Select> = self
            .parts
            .iter()
            .map(|part| part.block.now(part.columns(&names)))
            .collect();
        union_all(&arms)
    }

    /// The statements for a set of changes.
    fn statements(&self, changes: &[Change]) -> Vec<Statement> {
        let terms = signed_terms(&self.parts, changes, &self.column_names());
        if terms.is_empty() {
            return Vec::new();
        }
        let bounded = Block::any_fans_out(&self.parts, changes);
        if terms.iter().all(|term| term.sign > 0) {
            let arms: Vec<Select> = terms.into_iter().map(|term| term.select).collect();
            return vec![applied(bounded, &union_all(&arms), |rows| self.insert(rows.to_owned()))];
        }
        match (&self.identity, self.parts.as_slice()) {
            (Identity::Key(key), [part]) => {
                if part.block.tree.is_none() && !changes.iter().any(|change| change.new) {
                    let rows = union_all(&self.keys_of(part, changes, key));
                    return vec![applied(bounded, &rows, |rows| self.delete(rows, key))];
                }
                if let Some(scan) = self.only_table(part, key) {
                    return vec![applied(false, "", |_| self.merge_now(part, scan, key))];
                }
                let rows = match &part.block.tree {
                    None => self.touched(part, changes, key),
                    Some(_) => self.netted(part, changes, terms),
                };
                vec![applied(bounded, &rows, |rows| self.merge(&best_by_key(rows, key), key))]
            }
            (Identity::Hash(hash_column), _) => {
                let delta = union_all(&weighted(terms, WEIGHT));
                vec![net(
                    &self.table,
                    &self.written,
                    hash_column,
                    "",
                    &delta,
                    bounded,
                    "TRUE",
                )]
            }
            _ => unreachable!("a folded bag has a hash, or a key and one branch"),
        }
    }

    fn insert(&self, query: String) -> String {
        let insert = Insert {
            table: self.table.clone(),
            alias: "s".to_owned(),
            columns: self.column_names(),
            query,
            on_conflict: None,
        };
        insert.to_string()
    }

    /// SELECTs of the keys that changes take away, where no change adds a row: then no derivation of them is left.
    fn keys_of(&self, part: &Part, changes: &[Change], key: &[String]) -> Vec<Select> {
        let changed = part.block.changed(changes);
        let mut keys = part.columns(&self.written.columns);
        keys.retain(|(_, name)| key.contains(name));
        let terms = part.block.terms(&changed, &keyed_choices(&changed), |_| keys.clone());
        terms.into_iter().map(|term| term.select).collect()
    }

    /// The rows of touched keys in the new state, with their weight, and deletions.
    fn touched(&self, part: &Part, changes: &[Change], key: &[String]) -> String {
        let changed = part.block.changed(changes);
        let terms = part.block.terms(&changed, &keyed_choices(&changed), |sign| {
            let mut columns = part.columns(&self.written.columns);
            for ((sql, name), null) in columns.iter_mut().zip(&self.nulls) {
                // A deletion needs only the key. Other expressions might raise errors for rows that were never joined.
                if sign < 0 && !key.contains(name) {
                    sql.clone_from(null);
                }
            }
            columns
        });
        union_all(&weighted(terms, WEIGHT))
    }

    /// The same from terms of which some may only cancel others: those of a block with outer joins.
    fn netted(&self, part: &Part, changes: &[Change], terms: Vec<Term>) -> String {
        let rows = union_all(&weighted(terms, WEIGHT));
        let once = !changes.iter().any(|change| change.repeated);
        if once && part.block.changed(changes).len() <= 1 {
            return rows;
        }
        let sum = format!("pg_catalog.sum(u.{WEIGHT})");
        let mut selected = self.written.shown("u");
        selected.push(format!("{sum} AS {WEIGHT}"));
        format!(
            "SELECT {} FROM ({rows}) AS u GROUP BY {} HAVING {}",
            selected.join(", "),
            self.written.identity("u").join(", "),
            op(&sum, "<>", "0")
        )
    }

    /// Two rows have the same key. `other` has it in columns of these names.
    fn same_key(&self, row: &str, key: &[String], other: &str, names: &[String]) -> String {
        let equal = |((name, other_name), equals): ((&String, &String), &String)| {
            format!("({} {equals} {})", column(row, name), column(other, other_name))
        };
        and(&key
            .iter()
            .zip(names)
            .zip(&self.key_equals)
            .map(equal)
            .collect::<Vec<_>>())
    }

    /// The only table of a block, if its key is that of the stored rows.
    pub fn only_table<'p>(&self, part: &'p Part, key: &[String]) -> Option<&'p Scan> {
        let [scan] = part.block.scans.as_slice() else {
            return None;
        };
        let stored = part.columns(&self.written.columns);
        let is_own =
            |(name, (own, _)): (&String, &(String, String))| stored.contains(&(column(&scan.alias, own), name.clone()));
        let same = scan.key.len() == key.len() && key.iter().zip(&scan.key).all(is_own);
        (same && part.block.tree.is_none()).then_some(scan)
    }

    /// Applies the rows of a table that have the keys of changed ones, as they are now.
    fn merge_now(&self, part: &Part, scan: &Scan, key: &[String]) -> String {
        let own: Vec<String> = scan.key.iter().map(|(name, _)| column(&scan.alias, name)).collect();
        let keys = |version| format!("SELECT {} FROM {}", own.join(", "), scan.item(version));
        let given: Vec<String> = (0..key.len()).map(key_column).collect();
        let is_gone = is_null(&column("d", &key[0]));
        let source = format!(
            "({} UNION {}) AS k({}) LEFT JOIN {} ON {}",
            keys(Version::New),
            keys(Version::Old),
            given.join(", "),
            part.block.now(part.columns(&self.column_names())).derived("d"),
            self.same_key("d", key, "k", &given)
        );
        let on = self.same_key("s", key, "k", &given);
        self.merge_rows(source, on, &is_gone, format!("(NOT {is_gone})"))
    }

    /// Deletes the stored row of each row of a source, `d`, or makes it equal.
    fn merge_rows(&self, source: String, on: String, is_gone: &str, is_there: String) -> String {
        let columns = self.column_names();
        // Even a row that is nothing but its key can differ: 1.0 and 1.00 are equal keys.
        let differs = differs("s", "d", &columns);
        let set: Vec<(String, String)> = columns.iter().map(|name| (name.clone(), column("d", name))).collect();
        let merge = Merge {
            table: self.table.clone(),
            alias: "s".to_owned(),
            source,
            on,
            delete_when: Some(is_gone.to_owned()),
            update: Some((Some(differs), set.clone())),
            together: Vec::new(),
            insert: Some((is_there, set)),
        };
        merge.to_string()
    }

    /// Deletes the rows with the keys of a SELECT.
    fn delete(&self, keys: &str, key: &[String]) -> String {
        format!(
            "DELETE FROM {} AS s USING ({keys}) AS d WHERE {}",
            self.table,
            self.same_key("s", key, "d", key)
        )
    }

    /// Applies one row per touched key.
    fn merge(&self, delta: &Select, key: &[String]) -> String {
        let on = self.same_key("s", key, "d", key);
        self.merge_rows(
            delta.derived("d"),
            on,
            &op("d.__pgt_w", "<", "0"),
            op("d.__pgt_w", ">", "0"),
        )
    }
}

/// The row of each key with the highest weight.
fn best_by_key(rows: &str, key: &[String]) -> Select {
    let touched: Vec<String> = key.iter().map(|name| column("t", name)).collect();
    let mut order = touched.clone();
    order.push("t.__pgt_w DESC".to_owned());
    Select {
        columns: vec![("t.*".to_owned(), String::new())],
        from: vec![format!("({rows}) AS t")],
        distinct_on: touched,
        order_by: order,
        ..Select::default()
    }
}

/// A statement over a delta. If the delta can have more rows than changed, its text for few rows makes sure that it has
/// not.
pub fn applied(bounded: bool, delta: &str, over: impl Fn(&str) -> String) -> Statement {
    if bounded {
        return Bounded::statement(delta, |delta, _| delta.written(&over));
    }
    Statement {
        sql: over(delta),
        bulk: None,
        returns: Returns::Nothing,
    }
}

/// Nets a delta; what remains is deleted and inserted copy by copy. `delta` selects rows with their weight. `with` are
/// CTEs that it reads, each followed by a comma. If it is `bounded`, its text for few rows does nothing for more of
/// them, and then says that not all is done. Unless a condition `holds`, the stored rows are wrong.
pub fn net(
    table: &str,
    row: &Written,
    hash_column: &str,
    with: &str,
    delta: &str,
    bounded: bool,
    holds: &str,
) -> Statement {
    let list = &row.columns;
    let target = if list.is_empty() {
        String::new()
    } else {
        format!("({}) ", names(list))
    };
    let text = |with: &str, delta: &str, is_few: &str| {
        let gone = format!("(SELECT OPERATOR(pg_catalog.-) coalesce(pg_catalog.sum(gone.{NET}), 0) FROM gone)");
        let mut is_right = op(&gone, "=", "(SELECT pg_catalog.count(*) FROM removed)");
        if holds != "TRUE" {
            is_right = and(&[is_right, holds.to_owned()]);
        }
        format!(
            "WITH {with}n AS MATERIALIZED ({netted}), \
             gone AS (SELECT n.*, {gone_image} AS __pgt_image FROM n WHERE {is_gone}), \
             removed AS (DELETE FROM {table} AS s USING gone, LATERAL (SELECT c.ctid AS rid FROM {table} AS c \
             WHERE {same_hash} AND {same_row} LIMIT (OPERATOR(pg_catalog.-) gone.{NET})) AS copy \
             WHERE {found} RETURNING 1), \
             added AS (INSERT INTO {table} {target}{added} RETURNING 1) {verdict}",
            verdict = verdict(is_few, &format!("(NOT {is_right})::pg_catalog.int4")),
            netted = netted(&format!("({delta}) AS d"), row, &[]),
            gone_image = image("n", list),
            is_gone = is_left("n", Sign::Minus),
            same_hash = op(&column("c", hash_column), "=", &hash(Some("gone"), list)),
            same_row = op(&image("c", list), "=", "gone.__pgt_image"),
            found = op("s.ctid", "=", "copy.rid"),
            added = remaining("n", list, Sign::Plus),
        )
    };
    if bounded {
        return Bounded::statement(delta, |few, _| {
            text(&format!("{with}{}, ", few.with), &few.rows, &few.is_few)
        });
    }
    Statement {
        sql: text(with, delta, "TRUE"),
        bulk: None,
        returns: Returns::Verdict,
    }
}
