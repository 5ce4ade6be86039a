//! Windows whose results are computed again only near a change.
//!
//! A function of bounded reach (lag, lead, a ROWS frame of a few rows) has another result only for rows within its reach
//! of a row that came, went or moved. A prefix (row_number, rank, a running sum) has another result only from the first
//! such row on. Its results go on from those stored for the last row before. A RANGE frame reaches rows by their values. The
//! value of the first or last row of a partition is compared with the stored one; if it is another one, all rows change.
//!
//! Rule: the stored rows have everything that the functions depend on, so the neighbours of a changed row are stored
//! rows, too, found by an index on (partition, order, key). The functions run over these neighbours and the changed rows
//! alone. Where the order of a window is not total, the key of the rows continues it.
//!
//! State: the result; beside it the columns of the order and the arguments, and for prefixes the results of the calls.
//! Cost: the rows within reach, or those from the change on. Rows whose result stays the same are not written.
//!
//! Source: our own reasoning; segments of partial results are in Leis et al., "Efficient processing of window functions
//! in analytical SQL queries", 2015.

use super::places::{Order, Side, equal, strictly};
use super::range;
use super::reach::Prefix;
use crate::maintain::bounded::{FEW, size_within, verdict, whole_unless};
use crate::maintain::full_refresh::write;
use crate::maintain::key::KeyColumn;
use crate::maintain::rekey::{Rekey, TOUCHED, TouchedKeys, key_column};
use crate::maintain::stage::{FEW_CHANGES, Maintenance, Reach, sizes};
use crate::operators::linear::block::Block;
use crate::operators::linear::touched::KeysOfBlocks;
use crate::plan::{Change, Oid, Program, Returns, Source, Statement, Way};
use crate::sql::statement::{and, both_null, case, column, image, names, op, or};

/// The column that tells rows whose result may differ from those that are only read.
pub const HIT: &str = "__pgt_hit";
/// The column with the row id of a stored row; NULL for a new one.
pub const RID: &str = "__pgt_rid";

/// The column that says whether there is a row before the suffix.
pub const SEEDED: &str = "__pgt_seeded";
/// The first column of the last changed place.
const LAST: &str = "__pgt_last";
/// The column that says whether the rows that came add as much as those that went.
const EVEN: &str = "__pgt_even";

/// The condition that the rows to compute are few, or that others do not change.
const IS_FEW: &str = "(SELECT z.few FROM z)";

/// A suffix is computed from its first row on if it has at most [`FEW`] rows, or one for this many bytes of storage: about
/// a quarter of all rows, since pages are half full.
const SUFFIX_BYTES: usize = 800;

/// The maintenance of windows near a change.
pub struct Near {
    /// The maintenance by whole partitions, for changes of many rows.
    pub whole: Rekey,
    /// The stored columns that do not depend on other rows.
    pub base: Vec<String>,
    /// Finds the touched rows by their key.
    pub touched: KeysOfBlocks,
    /// The key of a row.
    pub row_key: Vec<KeyColumn>,
    /// SELECTs of the base columns of the touched rows, as they are now.
    pub rows: Vec<String>,
    /// The order of all windows, continued by the key of the rows.
    pub order: Order,
    /// The calls over the rows `r`: base columns, [`HIT`], [`RID`] and what `extent` adds come first.
    pub calls: String,
    /// The stored columns over the calls `l`, in the order in which they are written.
    pub results: Vec<String>,
    /// Which rows the calls run over.
    pub extent: Extent,
}

/// Which rows are read.
pub enum Extent {
    /// Rows near each changed one.
    Reach {
        /// How many rows before a row its result depends on.
        before: i64,
        /// How many rows after it.
        after: i64,
        /// Results that are a value of one of the first rows of the partition ([`Side::Before`] all others) or of the last one:
        /// how many rows these are, the stored column, and that of the call.
        edges: Vec<(Side, i64, String, String)>,
    },
    /// Rows whose value in the order is near that of a changed one.
    Range {
        /// How much smaller the value of a row may be whose result depends on a changed one, in the units of [`range`].
        below: i64,
        /// How much greater.
        above: i64,
        /// The type of the order.
        type_oid: Oid,
    },
    /// Rows from the first changed one on.
    Suffix {
        /// How many columns of the order decide whether rows are alike.
        places: usize,
        /// What goes on from the row before: how, and the stored column.
        seeds: Vec<(Prefix, String)>,
        /// For prefixes that end where the changed rows add nothing: aggregates over rows `x`.
        totals: Option<Vec<String>>,
        /// What else a row depends on: this many rows before it and after it.
        beside: (i64, i64),
    },
}

/// The column of a row of the suffix that holds the `n`-th result of the row before it.
pub fn seed_column(n: usize) -> String {
    format!("__pgt_s{}", n + 1)
}

impl Maintenance for Near {
    fn way(&self) -> Way {
        Way::Rekey
    }

    fn program(&self, changes: &[Change]) -> Program {
        let touched = self.touched.selects(changes);
        match self.whole.program(changes) {
            Program::Run(whole) if !touched.is_empty() => {
                let bulk = whole
                    .into_iter()
                    .next()
                    .map(|statement| statement.bulk.unwrap_or(statement.sql));
                let fans_out = Block::any_fans_out(&self.touched.0, changes);
                Program::Run(vec![Statement {
                    sql: self.statement(&touched.join(" UNION ALL "), fans_out),
                    bulk,
                    returns: match &self.extent {
                        Extent::Reach { edges, .. } if !fans_out && edges.is_empty() => Returns::Nothing,
                        _ => Returns::Verdict,
                    },
                }])
            }
            other => other,
        }
    }

    fn cost(&self, _source: &Source, _sources: &[Source]) -> &'static str {
        match self.extent {
            Extent::Reach { .. } | Extent::Range { .. } => "the rows within reach of the change",
            Extent::Suffix { .. } => "the rows of the partition from the change on",
        }
    }

    fn reads_in_order(&self) -> bool {
        true
    }

    fn reach(&self, changes: &[Change]) -> Option<Reach> {
        self.whole.reach(changes)
    }

    fn row_key(&self) -> Option<&[KeyColumn]> {
        self.whole.row_key()
    }

    fn runs_as_update(&self, _change: &Change) -> bool {
        true
    }

    fn rewrites_most(&self) -> bool {
        self.whole.rewrites_most()
    }
}

impl Near {
    /// The indexes by which stored rows are found: by partition and order, and by their key.
    pub fn indexes(&self) -> Vec<String> {
        let mut indexes = vec![self.order.index()];
        let key: Vec<String> = self.row_key.iter().map(|key| key.name.clone()).collect();
        if !self.order.names().starts_with(&key) {
            indexes.push(format!("({})", names(&key)));
        }
        indexes
    }

    /// The statement for few touched keys. Stored rows are compared with each of them, so if a changed row may touch many
    /// (`fans_out`), it does nothing for more than twice [`FEW_CHANGES`].
    fn statement(&self, touched: &str, fans_out: bool) -> String {
        let table = &self.whole.table;
        let keys: Vec<String> = (0..self.row_key.len()).map(key_column).collect();
        let by_key: Vec<String> = self
            .row_key
            .iter()
            .enumerate()
            .map(|(n, key)| format!("({} {} k.{})", column("s", &key.name), key.equals, key_column(n)))
            .collect();
        let stored = listed("s", &self.whole.row.columns);
        let places = self.order.names();
        let same_key = |a: &str, b: &str| and(&equal(&self.row_key, a, b).concat());
        let (extent, rows) = match &self.extent {
            Extent::Reach { before, after, edges } => self.near(*before, *after, edges),
            Extent::Range { below, above, type_oid } => self.range(*below, *above, *type_oid),
            Extent::Suffix {
                places,
                seeds,
                totals,
                beside,
            } => self.suffix(*places, seeds, totals.as_deref(), *beside),
        };
        let distinct = |rows: &str| format!("SELECT DISTINCT * FROM ({rows}) AS t({})", keys.join(", "));
        let mut found = distinct(touched);
        let mut before = String::new();
        let mut are_few = "TRUE".to_owned();
        if fans_out {
            // Each key may be there twice, by what it was and by what it is.
            let most = 2 * FEW_CHANGES;
            before = format!(
                "__pgt_keys AS MATERIALIZED (SELECT * FROM ({touched}) AS t LIMIT {}), \
                 __pgt_size AS MATERIALIZED (SELECT pg_catalog.count(*) AS n FROM __pgt_keys), ",
                most + 1
            );
            are_few = size_within(&most.to_string());
            found = distinct(&format!("SELECT * FROM __pgt_keys AS k WHERE {are_few}"));
        }
        // A suffix of many rows costs more than to compute everything again.
        let written = ", written AS (".to_owned();
        let (counted, and_few, with, verdict) = match &self.extent {
            Extent::Reach { edges, .. } if !edges.is_empty() => {
                let (stored, calls): (Vec<String>, Vec<String>) = edges
                    .iter()
                    .map(|(.., stored, call)| (stored.clone(), call.clone()))
                    .unzip();
                // If the value of the first row is another one now, all rows change.
                let with = format!(
                    ", z AS MATERIALIZED (SELECT NOT EXISTS (SELECT FROM n, l, {table} AS s WHERE {} AND {} AND {}) AS few), \
                     written AS (",
                    op(&format!("l.{RID}"), "=", &format!("n.{RID}")),
                    op("s.ctid", "=", &format!("n.{RID}")),
                    op(&image("s", &stored), "<>", &image("l", &calls)),
                );
                let verdict = format!(" RETURNING 1) {}", verdict(&and(&[are_few, IS_FEW.to_owned()]), "0"));
                (format!("r AS ({rows})"), format!(" AND {IS_FEW}"), with, verdict)
            }
            Extent::Reach { .. } if fans_out => {
                let verdict = format!(" RETURNING 1) {}", verdict(&are_few, "0"));
                (format!("r AS ({rows})"), String::new(), written, verdict)
            }
            Extent::Reach { .. } => (format!("r AS ({rows})"), String::new(), String::new(), String::new()),
            Extent::Range { .. } | Extent::Suffix { .. } => {
                let most = op(
                    &FEW.to_string(),
                    "+",
                    &op(&sizes(&[table]), "/", &SUFFIX_BYTES.to_string()),
                );
                let (counted, of, rows) = match self.extent {
                    Extent::Range { .. } => (String::new(), "n", rows),
                    _ => (
                        format!("m AS MATERIALIZED ({rows}), "),
                        "m",
                        format!("SELECT * FROM m WHERE {IS_FEW}"),
                    ),
                };
                let counted = format!(
                    "{counted}z AS MATERIALIZED (SELECT {} AS few FROM (SELECT FROM {of} LIMIT {}) AS m), r AS ({rows})",
                    op("pg_catalog.count(*)", "<=", &most),
                    op(&most, "+", "1"),
                );
                let verdict = format!(" RETURNING 1) {}", verdict(&are_few, &whole_unless(IS_FEW)));
                (counted, format!(" AND {IS_FEW}"), written, verdict)
            }
        };
        let columns = &self.whole.row.columns;
        format!(
            "WITH {before}{TOUCHED} AS MATERIALIZED ({touched}), \
             w({base}) AS MATERIALIZED ({now}), \
             o AS MATERIALIZED (SELECT {stored}, s.ctid AS {RID} FROM {TOUCHED} AS k, {table} AS s WHERE {by_key}), \
             p AS MATERIALIZED (SELECT {in_w} FROM w UNION SELECT {in_o} FROM o), \
             {extent}, {counted}, l AS ({calls}){with} \
             MERGE INTO {table} AS t USING (SELECT {results}, l.{RID}, TRUE FROM l WHERE l.{HIT}{and_few} \
             UNION ALL SELECT {gone}, o.{RID}, FALSE FROM o WHERE NOT EXISTS (SELECT FROM w WHERE {is_back}){and_few}) \
             AS d({written}, {RID}, __pgt_wanted) ON {found} \
             WHEN MATCHED AND NOT d.__pgt_wanted THEN DELETE WHEN MATCHED AND {differs} THEN {write}{verdict}",
            touched = found,
            base = names(&self.base),
            now = self.rows.join(" UNION ALL "),
            by_key = and(&by_key),
            in_w = listed("w", &places),
            in_o = listed("o", &places),
            calls = self.calls,
            results = self.results.join(", "),
            gone = listed("o", columns),
            is_back = same_key("w", "o"),
            written = names(columns),
            found = op("t.ctid", "=", &format!("d.{RID}")),
            differs = op(&image("t", columns), "<>", &image("d", columns)),
            write = write(columns),
        )
    }

    /// The condition that a stored row is not one of the touched ones.
    fn is_untouched() -> String {
        format!("s.ctid OPERATOR(pg_catalog.<>) ALL (ARRAY(SELECT o.{RID} FROM o))")
    }

    /// The touched rows as they are now, with the row ids of the stored ones that they replace, and `more` columns.
    fn renewed(&self, more: &str, from: &str) -> String {
        let same = and(&equal(&self.row_key, "w", "o").concat());
        format!(
            "SELECT {}, TRUE, o.{RID}{more} FROM w LEFT JOIN o ON {same}{from}",
            listed("w", &self.base)
        )
    }

    /// The row ids of the `most` stored rows next to a place of `given` on one side, each with whether it is among the
    /// first `hits`.
    fn beside(&self, side: Side, given: &str, hits: i64, most: i64) -> String {
        let reversed = side == Side::Before;
        let places = self.order.names();
        let arms: Vec<String> = self
            .order
            .searches(side, "s", given)
            .iter()
            .map(|conditions| {
                format!(
                    "(SELECT s.ctid AS {RID}, {} FROM {} AS s WHERE {} AND {} ORDER BY {} LIMIT {most})",
                    listed("s", &places),
                    self.whole.table,
                    conditions.join(" AND "),
                    Self::is_untouched(),
                    self.order.items("s", reversed),
                )
            })
            .collect();
        format!(
            "SELECT b.{RID}, {} FROM (SELECT a.{RID}, pg_catalog.row_number() OVER (ORDER BY {}) AS __pgt_n \
             FROM ({}) AS a) AS b WHERE {}",
            op("b.__pgt_n", "<=", &hits.to_string()),
            self.order.items("a", reversed),
            arms.join(" UNION ALL "),
            op("b.__pgt_n", "<=", &most.to_string()),
        )
    }

    /// The row ids of the first or the last stored rows in the partitions of `p`, each with FALSE.
    fn edge(&self, side: Side, most: i64) -> Vec<String> {
        let arm = |conditions: &Vec<String>| {
            format!(
                "(SELECT s.ctid, FALSE FROM {} AS s WHERE {} AND {} ORDER BY {} LIMIT {most})",
                self.whole.table,
                and(conditions),
                Self::is_untouched(),
                self.order.items("s", side == Side::After),
            )
        };
        equal(&self.order.partition, "s", "p").iter().map(arm).collect()
    }

    /// A CTE with the stored rows near each place of `p`, and the rows to compute.
    fn near(&self, before: i64, after: i64, edges: &[(Side, i64, String, String)]) -> (String, String) {
        let most = before + after;
        let mut arms = Vec::new();
        for side in [Side::Before, Side::After] {
            let counts = edges
                .iter()
                .filter(|(edge, ..)| *edge == side)
                .map(|(_, most, ..)| most);
            if let Some(most) = counts.max() {
                arms.extend(self.edge(side, *most));
            }
        }
        if most > 0 || arms.is_empty() {
            // A row depends on `before` rows before it, so the rows up to `before` after a changed one depend on that.
            arms.push(self.beside(Side::Before, "p", after, most));
            arms.push(self.beside(Side::After, "p", before, most));
        }
        let near = format!(
            "n AS MATERIALIZED (SELECT f.{RID}, pg_catalog.bool_or(f.{HIT}) AS {HIT} FROM p, LATERAL ({}) \
             AS f({RID}, {HIT}) GROUP BY f.{RID})",
            arms.join(" UNION ALL "),
        );
        let rows = format!(
            "SELECT {}, n.{HIT}, n.{RID} FROM n, {} AS s WHERE {} UNION ALL {}",
            listed("s", &self.base),
            self.whole.table,
            op("s.ctid", "=", &format!("n.{RID}")),
            self.renewed("", ""),
        );
        (near, rows)
    }

    /// A CTE with the stored rows whose results may depend on a place of `p`, and those on which they depend, and the rows to
    /// compute.
    fn range(&self, below: i64, above: i64, type_oid: Oid) -> (String, String) {
        let place = &self.order.places[0].column;
        let (s, p) = (column("s", &place.name), column("p", &place.name));
        let hit = range::within(&s, &p, below, above, type_oid);
        let near = range::within(&s, &p, below + above, below + above, type_oid);
        let mut arms = Vec::new();
        for partition in equal(&self.order.partition, "s", "p") {
            let mut arm = |hit: &str, near: &str| {
                arms.push(format!(
                    "SELECT s.ctid, {hit} FROM {} AS s WHERE {} AND {near} AND {}",
                    self.whole.table,
                    and(&partition),
                    Self::is_untouched()
                ));
            };
            arm(&hit, &near);
            if place.nullable {
                // They are peers of each other, and of no other row.
                arm("TRUE", &both_null(&s, &p));
            }
        }
        let near = format!(
            "n AS MATERIALIZED (SELECT f.* FROM p, LATERAL ({} OFFSET 0) AS f({RID}, {HIT}))",
            arms.join(" UNION ALL "),
        );
        let rows = format!(
            "SELECT {}, b.{HIT}, b.{RID} FROM (SELECT n.{RID}, pg_catalog.bool_or(n.{HIT}) AS {HIT} FROM n WHERE {IS_FEW} \
             GROUP BY n.{RID}) AS b, {} AS s WHERE {} UNION ALL {}",
            listed("s", &self.base),
            self.whole.table,
            op("s.ctid", "=", &format!("b.{RID}")),
            self.renewed("", &format!(" WHERE {IS_FEW}")),
        );
        (near, rows)
    }

    /// CTEs with the first place of `p` in each partition and the results of the row before it, and the rows to compute.
    fn suffix(
        &self,
        places: usize,
        seeds: &[(Prefix, String)],
        totals: Option<&[String]>,
        (before, after): (i64, i64),
    ) -> (String, String) {
        let table = &self.whole.table;
        let untouched = Self::is_untouched();
        // Rows that are alike for some function stay together.
        let alike = Order {
            partition: self.order.partition.clone(),
            places: self.order.places[..places].to_vec(),
        };
        let place = column("h", &self.order.places[0].column.name);
        let last = totals.map(|totals| {
            let even = op(&self.total("w", totals), "=", &self.total("o", totals));
            (
                format!(", h AS MATERIALIZED ({})", self.firsts(true)),
                format!(
                    ", {place} AS {LAST}, {} AS {EVEN}",
                    and(&[format!("({place} IS DISTINCT FROM NULL)"), even])
                ),
                format!(" JOIN h ON {}", same_partition(&self.order, "h", "f")),
            )
        });
        let (h, even, join) = last.unwrap_or_default();
        let with = format!(
            "f AS MATERIALIZED ({}){h}, i AS MATERIALIZED (SELECT f.*, e.{RID} IS NOT NULL AS {SEEDED}{}{even} \
             FROM f{join} LEFT JOIN LATERAL ({}) AS e ON TRUE)",
            self.firsts(false),
            self.seeds(seeds, &alike),
            self.row_before(seeds, &alike, before + after),
        );
        let mut extra = format!(", i.{SEEDED}");
        for n in 0..seeds.len() {
            extra.push_str(&format!(", i.{}", seed_column(n)));
        }
        let beyond = strictly(&alike.places[0], Side::After, "s", "i")[0]
            .replace(&column("i", &alike.places[0].column.name), &format!("i.{LAST}"));
        let mut arms: Vec<String> = Vec::new();
        let mut arm = |conditions: &[String], more: &str| {
            arms.push(format!(
                "SELECT {}, TRUE, s.ctid{extra} FROM i, {table} AS s WHERE {} AND {untouched}{more}",
                listed("s", &self.base),
                conditions.join(" AND "),
            ));
        };
        for conditions in alike.searches(Side::After, "s", "i") {
            // Rows that differ from the first place in the first column of the order may be many.
            if totals.is_some() && conditions.len() == alike.partition.len() + 1 {
                arm(&conditions, &format!(" AND i.{EVEN} AND NOT {beyond}"));
                arm(&conditions, &format!(" AND i.{EVEN} IS NOT TRUE"));
            } else {
                arm(&conditions, "");
            }
        }
        for conditions in alike.searches(Side::Same, "s", "i") {
            arm(&conditions, "");
        }
        if before + after > 0 {
            arms.push(format!(
                "SELECT {}, n.{HIT}, n.{RID}{extra} FROM i, LATERAL ({}) AS n({RID}, {HIT}), {table} AS s WHERE {}",
                listed("s", &self.base),
                self.beside(Side::Before, "i", after, before + after),
                op("s.ctid", "=", &format!("n.{RID}")),
            ));
        }
        arms.push(self.renewed(&extra, &format!(" JOIN i ON {}", same_partition(&self.order, "w", "i"))));
        (with, arms.join(" UNION ALL "))
    }

    /// The first place of `p` in each partition, or the last one.
    fn firsts(&self, reversed: bool) -> String {
        let order = self.order.items("p", reversed);
        let places = listed("p", &self.order.names());
        if self.order.partition.is_empty() {
            return format!("SELECT {places} FROM p ORDER BY {order} LIMIT 1");
        }
        let partition: Vec<String> = self.order.partition.iter().map(|key| key.name.clone()).collect();
        format!(
            "SELECT DISTINCT ON ({}) {places} FROM p ORDER BY {order}",
            listed("p", &partition)
        )
    }

    /// The last stored row before the first place `f`, but for some.
    fn row_before(&self, seeds: &[(Prefix, String)], alike: &Order, skipped: i64) -> String {
        let mut columns = self.order.names();
        columns.extend(seeds.iter().map(|(_, column)| column.clone()));
        let order = |alias: &str| self.order.items(alias, true);
        let arms: Vec<String> = alike
            .searches(Side::Before, "s", "f")
            .iter()
            .map(|conditions| {
                format!(
                    "(SELECT {}, s.ctid AS {RID} FROM {} AS s WHERE {} AND {} ORDER BY {} LIMIT {})",
                    listed("s", &columns),
                    self.whole.table,
                    conditions.join(" AND "),
                    Self::is_untouched(),
                    order("s"),
                    skipped + 1,
                )
            })
            .collect();
        format!(
            "SELECT a.* FROM ({}) AS a ORDER BY {} LIMIT 1 OFFSET {skipped}",
            arms.join(" UNION ALL "),
            order("a")
        )
    }

    /// The results of the row before, `e`, each with a comma in front.
    fn seeds(&self, seeds: &[(Prefix, String)], alike: &Order) -> String {
        let ties: Vec<String> = alike
            .searches(Side::Same, "s", "e")
            .iter()
            .map(|conditions| {
                let conditions = conditions.join(" AND ");
                format!(
                    "SELECT FROM {} AS s WHERE {conditions} AND {}",
                    self.whole.table,
                    Self::is_untouched()
                )
            })
            .collect();
        let ties = format!("(SELECT pg_catalog.count(*) FROM ({}) AS s)", ties.join(" UNION ALL "));
        let seed = |(n, (prefix, name)): (usize, &(Prefix, String))| {
            let value = column("e", name);
            let value = match prefix {
                // The number of rows up to the row before: those before its rank, and all that tie with it.
                Prefix::Rank => op(&op(&value, "+", &ties), "-", "1"),
                _ => value,
            };
            format!(", {value} AS {}", seed_column(n))
        };
        seeds.iter().enumerate().map(seed).collect()
    }

    /// The totals of the rows of one partition of `w` or `o`, in a form that equals only its like.
    fn total(&self, rows: &str, totals: &[String]) -> String {
        format!(
            "(SELECT pgtrickle.row_image(ROW({})) FROM {rows} AS x WHERE {})",
            totals.join(", "),
            same_partition(&self.order, "x", "f")
        )
    }
}

/// The condition that two rows are in the same partition.
fn same_partition(order: &Order, a: &str, b: &str) -> String {
    let keys: Vec<String> = equal(&order.partition, a, b).iter().map(|key| and(key)).collect();
    or(&keys)
}

/// The result of a prefix, from that of the row before (`seed`), and that over the rows since.
pub fn going_on(prefix: Prefix, seed: &str, own: &str, seeded: &str) -> String {
    match prefix {
        Prefix::Count | Prefix::DenseRank | Prefix::Rank => op(&format!("coalesce({seed}, 0)"), "+", own),
        Prefix::Sum => format!("coalesce({}, {seed}, {own})", op(seed, "+", own)),
        Prefix::Least => format!("LEAST({seed}, {own})"),
        Prefix::Greatest => format!("GREATEST({seed}, {own})"),
        Prefix::First => case(&[(seeded.to_owned(), seed.to_owned())], Some(own)),
    }
}

fn listed(alias: &str, columns: &[String]) -> String {
    columns
        .iter()
        .map(|name| column(alias, name))
        .collect::<Vec<_>>()
        .join(", ")
}
