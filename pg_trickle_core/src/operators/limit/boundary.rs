//! The SQL that moves the boundary of the first rows.

use crate::maintain::bounded::{Bounded, FEW, verdict};
use crate::maintain::full_refresh::write;
use crate::maintain::key::KeyColumn;
use crate::maintain::rekey::{TOUCHED, TouchedKeys, key_column};
use crate::maintain::stage::Maintenance;
use crate::maintain::storage::Written;
use crate::operators::linear::touched::KeysOfBlocks;
use crate::operators::partitioned::places::{Order, Side, equal};
use crate::plan::{Change, Program, Returns, Source, Statement, Way};
use crate::sql::statement::{and, case, column, image, names, op, or};

/// The column with the row id of a stored row; NULL for a new one.
const RID: &str = "__pgt_rid";
/// The column with the place of a row, counted from the last one.
const PLACE: &str = "__pgt_n";

/// Up to so many rows may be touched, an updated one twice.
const MOST: usize = 2 * FEW;

/// The maintenance of first rows at their boundary.
pub struct Boundary {
    /// Qualified, quoted name of the storage table.
    pub table: String,
    /// The stored columns that are written.
    pub row: Written,
    /// The key of a row.
    pub row_key: Vec<KeyColumn>,
    /// The order, continued by the key of the rows.
    pub order: Order,
    /// How many columns of the order the query names.
    pub named: usize,
    /// Finds the touched rows by their key.
    pub touched: KeysOfBlocks,
    /// SELECTs of the touched rows as they are now.
    pub now: Vec<String>,
    /// The SELECT of all rows.
    pub all: String,
    /// How many rows there must be, if the sources have as many.
    pub count: i64,
    /// How many more there may be.
    pub reserve: i64,
    /// True if it does not matter which of the rows come first that tie in the order.
    pub is_total: bool,
    /// Runs the query again.
    pub refresh: Statement,
}

impl Maintenance for Boundary {
    fn way(&self) -> Way {
        Way::Rekey
    }

    fn program(&self, changes: &[Change]) -> Program {
        let touched = self.touched.selects(changes);
        if touched.is_empty() {
            return Program::Nothing;
        }
        Program::Run(vec![Statement {
            sql: self.statement(&touched.join(" UNION ALL ")),
            bulk: Some(self.refresh.sql.clone()),
            returns: Returns::Verdict,
        }])
    }

    fn cost(&self, _source: &Source, _sources: &[Source]) -> &'static str {
        if self.reserve > 0 {
            "the change; the whole query, when too many of the first rows are gone"
        } else {
            "the rows that move over the boundary"
        }
    }

    fn runs_query(&self) -> bool {
        true
    }

    fn row_key(&self) -> Option<&[KeyColumn]> {
        Some(&self.row_key)
    }

    fn reads_in_order(&self) -> bool {
        true
    }

    fn runs_as_update(&self, _change: &Change) -> bool {
        true
    }
}

impl Boundary {
    fn same_key(&self, a: &str, b: &str) -> String {
        and(&equal(&self.row_key, a, b).concat())
    }

    fn by_key(&self, s: &str) -> String {
        let pair = |(key, given): (&KeyColumn, String)| format!("({} {} k.{given})", column(s, &key.name), key.equals);
        and(&self.row_key.iter().zip(self.keys()).map(pair).collect::<Vec<_>>())
    }

    fn statement(&self, touched: &str) -> String {
        let Boundary { table, order, .. } = self;
        let columns = &self.row.columns;
        let listed = |alias: &str| {
            let values: Vec<String> = columns.iter().map(|name| column(alias, name)).collect();
            values.join(", ")
        };
        let stored = listed("s");
        let size = |rows: &str| format!("(SELECT pg_catalog.count(*) FROM {rows})");
        let same = self.same_key("e", "o");
        let last = order.items("s", true);
        let list = names(columns);
        // Of the rows that a changed row of another table is joined to, no more are read than decide.
        let keys = format!("SELECT * FROM ({touched}) AS t({})", self.keys().join(", "));
        let few = Bounded::new(&keys, &MOST.to_string());
        let mut with = vec![few.with];
        let mut cte = |name: &str, select: &str| with.push(format!("{name} AS MATERIALIZED ({select})"));
        cte(TOUCHED, &format!("SELECT DISTINCT * FROM ({}) AS k", few.rows));
        cte(&format!("w({list})"), &self.now.join(" UNION ALL "));
        cte(
            "o",
            &format!(
                "SELECT {stored}, s.ctid AS {RID} FROM {TOUCHED} AS k, {table} AS s WHERE {}",
                self.by_key("s")
            ),
        );
        cte(
            "b",
            &format!("SELECT {stored} FROM {table} AS s ORDER BY {last} LIMIT 1"),
        );
        let count = self.count.to_string();
        let (entering, behind, before) = if self.reserve > 0 {
            // Stored are all rows up to the last one of them; all there are, if these are fewer than needed.
            let within = [Side::Before, Side::Same].map(|side| any(order, side, "w", "b"));
            let is_all = op(&size(table), "<", &count);
            let entering = format!(" WHERE {is_all} OR EXISTS (SELECT FROM b WHERE {})", or(&within));
            (entering, "SELECT * FROM w WHERE FALSE".to_owned(), size(table))
        } else {
            // If there are rows behind the last one, as many are stored as are needed.
            let full = ("EXISTS (SELECT FROM x)".to_owned(), count.clone());
            (String::new(), self.behind(), case(&[full], Some(&size(table))))
        };
        cte("e", &format!("SELECT * FROM w{entering}"));
        cte(&format!("x({list})"), &behind);
        let left = op(&before, "-", &size("o"));
        cte(
            "u",
            &format!("SELECT {} AS n", op(&op(&left, "+", &size("e")), "+", &size("x"))),
        );
        cte(
            "q",
            &format!(
                "SELECT p.*, pg_catalog.row_number() OVER (ORDER BY {}) AS {PLACE} FROM (SELECT * FROM \
                 (SELECT {stored}, s.ctid AS {RID}, TRUE AS __pgt_stays FROM {table} AS s \
                 WHERE s.ctid OPERATOR(pg_catalog.<>) ALL (ARRAY(SELECT o.{RID} FROM o)) ORDER BY {last} LIMIT {}) AS s \
                 UNION ALL SELECT e.*, o.{RID}, FALSE FROM e LEFT JOIN o ON {same} \
                 UNION ALL SELECT x.*, NULL, FALSE FROM x) AS p",
                order.items("p", true),
                op(&op(&size("o"), "+", &size("e")), "+", "2"),
            ),
        );
        let (most, wrong) = if self.reserve > 0 {
            let short = and(&[op(&size(table), ">=", &count), op("u.n", "<", &count)]);
            let long = op("u.n", ">", &(self.count + 2 * self.reserve).to_string());
            ("0::pg_catalog.int8".to_owned(), or(&[short, long]))
        } else {
            let most = op("u.n", "-", &count);
            let wrong = if self.is_total {
                "FALSE".to_owned()
            } else {
                format!(
                    "EXISTS (SELECT FROM q AS a, q AS c WHERE {} AND {} AND {})",
                    op(&format!("a.{PLACE}"), "=", &most),
                    op(&format!("c.{PLACE}"), "=", &op(&most, "+", "1")),
                    any(&self.named(), Side::Same, "a", "c"),
                )
            };
            (most, wrong)
        };
        cte("v", &format!("SELECT {most} AS most, {wrong} AS wrong FROM u"));
        format!(
            "WITH {}, written AS (MERGE INTO {table} AS t USING (SELECT {}, q.{RID}, q.{PLACE} OPERATOR(pg_catalog.>) v.most \
             FROM q, v WHERE NOT v.wrong \
             AND CASE WHEN q.{PLACE} OPERATOR(pg_catalog.>) v.most THEN NOT q.__pgt_stays ELSE q.{RID} IS NOT NULL END \
             UNION ALL SELECT o.*, FALSE FROM o, v WHERE NOT v.wrong AND NOT EXISTS (SELECT FROM e WHERE {same})) \
             AS d({list}, {RID}, __pgt_wanted) ON {} WHEN MATCHED AND NOT d.__pgt_wanted THEN DELETE \
             WHEN MATCHED AND {} THEN {} RETURNING 1) {}",
            with.join(", "),
            listed("q"),
            op("t.ctid", "=", &format!("d.{RID}")),
            op(&image("t", columns), "<>", &image("d", columns)),
            write(columns),
            verdict(&few.is_few, "(SELECT v.wrong::pg_catalog.int4 FROM v)"),
        )
    }

    fn keys(&self) -> Vec<String> {
        (0..self.row_key.len()).map(key_column).collect()
    }

    /// The order that the query names.
    fn named(&self) -> Order {
        Order {
            partition: Vec::new(),
            places: self.order.places[..self.named].to_vec(),
        }
    }

    /// The condition that a row has not changed. As a subquery it is hashed, where a join would compare each row that ties with
    /// each that changed.
    fn untouched(&self) -> String {
        let is_alike = |first: &&KeyColumn| {
            let mut keys = self.row_key.iter();
            keys.all(|key| key.equals == first.equals && !key.nullable)
        };
        let Some(first) = self.row_key.first().filter(is_alike) else {
            return format!("NOT EXISTS (SELECT FROM {TOUCHED} AS k WHERE {})", self.by_key("r"));
        };
        let own: Vec<String> = self.row_key.iter().map(|key| column("r", &key.name)).collect();
        let touched: Vec<String> = self.keys().iter().map(|key| format!("k.{key}")).collect();
        format!(
            "NOT (({}) {} ANY (SELECT {} FROM {TOUCHED} AS k))",
            own.join(", "),
            first.equals,
            touched.join(", ")
        )
    }

    /// The rows behind the last stored one that did not change: one more than the stored ones that did.
    fn behind(&self) -> String {
        let most = "(SELECT pg_catalog.count(*) OPERATOR(pg_catalog.+) 1 FROM o)";
        let untouched = self.untouched();
        let arm = |conditions: &[String], more: &str| {
            format!(
                "(SELECT y.* FROM b, LATERAL (SELECT r.* FROM ({}) AS r({}) WHERE {} AND {untouched}{more} \
                 LIMIT {most}) AS y)",
                self.all,
                names(&self.row.columns),
                conditions.join(" AND "),
            )
        };
        let named = self.named();
        let sorted = format!(" ORDER BY {}", named.items("r", false));
        let arms = named.searches(Side::After, "r", "b");
        let mut arms: Vec<String> = arms.iter().map(|search| arm(search, &sorted)).collect();
        if self.named < self.order.places.len() {
            // The query may have chosen others among rows that tie.
            let is_new = format!(
                " AND NOT EXISTS (SELECT FROM {} AS s WHERE {})",
                self.table,
                self.same_key("s", "r")
            );
            let ties = named.searches(Side::Same, "r", "b");
            arms.extend(ties.iter().map(|search| arm(search, &is_new)));
        }
        format!(
            "SELECT * FROM ({}) AS a ORDER BY {} LIMIT {most}",
            arms.join(" UNION ALL "),
            named.items("a", false)
        )
    }
}

/// The condition that `s` is on a side of `d`.
fn any(order: &Order, side: Side, s: &str, d: &str) -> String {
    let searches = order.searches(side, s, d);
    or(&searches.iter().map(|search| and(search)).collect::<Vec<_>>())
}
