//! Rekey: find the keys that the change touches, run the query again for these alone, and patch what is stored for them.
//!
//! Only the new state and the stored rows are read, so it does not matter in which order or how often the sources
//! changed. The key restriction stands inside of the query, next to the tables, where an index can serve it. Rows are
//! compared by their image, copy by copy, so rows that did not change are left alone.

use crate::op::inner_join::keyed_choices;
use crate::op::scan;
use crate::op::term::Part;
use crate::plan::{Change, Oid, Returns, Statement};
use crate::sql::statement::{and, column, image, names, op, or};

/// The name under which a recomputing query finds the touched keys; its columns are `k1`, `k2`, ...
pub const TOUCHED: &str = "__pgt_touched";

/// True where a change touches anything, for a key without columns.
pub const IS_TOUCHED: &str = "EXISTS (SELECT FROM __pgt_touched)";

/// Most nullable key columns for which every combination of NULLs is looked up by itself.
pub const MAX_NULL_ARMS: usize = 3;

/// A column of the key.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct KeyColumn {
    /// The storage column.
    pub name: String,
    /// Its equality.
    pub equals: String,
    /// A NULL can occur.
    pub nullable: bool,
}

/// How the keys that a change touches are found.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Touch {
    /// Over linear blocks, whose values are the keys.
    Blocks(Vec<Part>),
    /// SELECTs for the occurrences of tables, with transition tables in their place.
    Occurrences(Vec<Occurrence>),
}

/// Which rows of a change.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Side {
    /// Those that came.
    New,
    /// Those that went.
    Old,
}

/// A SELECT of touched keys.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Occurrence {
    /// The changes that it reads. It is run when all of them are there.
    pub needs: Vec<(Oid, Side)>,
    /// The SELECT.
    pub sql: String,
}

/// A stage that is maintained by Rekey.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Rekey {
    /// Qualified, quoted name of the storage table.
    pub table: String,
    /// The stored columns that are written.
    pub columns: Vec<String>,
    /// The key; its columns are among the stored ones. Without columns it is the same for all rows.
    pub key: Vec<KeyColumn>,
    /// Which keys a change touches.
    pub touch: Touch,
    /// The query restricted to the touched keys: SELECTs of which each handles one combination of NULLs.
    pub rows: Vec<String>,
}

/// Name of the `n`-th column of the touched keys, counted from 0.
#[must_use]
pub fn key_column(n: usize) -> String {
    format!("k{}", n + 1)
}

/// The combinations of NULLs in a key: for each column whether it is NULL. One without NULLs where `nullable` has none,
/// or more than [`MAX_NULL_ARMS`], for which equality must cover NULLs itself.
#[must_use]
pub fn null_arms(nullable: &[bool]) -> Vec<Vec<bool>> {
    let positions: Vec<usize> = (0..nullable.len()).filter(|n| nullable[*n]).collect();
    if positions.len() > MAX_NULL_ARMS {
        return vec![vec![false; nullable.len()]];
    }
    (0..1_usize << positions.len())
        .map(|bits| {
            let mut arm = vec![false; nullable.len()];
            for (bit, position) in positions.iter().enumerate() {
                arm[*position] = bits & (1 << bit) != 0;
            }
            arm
        })
        .collect()
}

impl Rekey {
    /// The statement for a set of changes.
    #[must_use]
    pub fn program(&self, changes: &[Change]) -> Vec<Statement> {
        let touched = self.touched(changes);
        if touched.is_empty() {
            return Vec::new();
        }
        let keys: Vec<String> = (0..self.key.len()).map(key_column).collect();
        let list = &self.columns;
        let listed = |alias: &str| -> String {
            let columns: Vec<String> = list.iter().map(|name| column(alias, name)).collect();
            columns.join(", ")
        };
        let stored: Vec<String> = self.stored_arms(&listed("s"));
        let touched = touched.join(" UNION ALL ");
        let touched = if keys.is_empty() {
            format!("SELECT FROM ({touched}) AS t LIMIT 1")
        } else {
            format!("SELECT DISTINCT * FROM ({touched}) AS t({})", keys.join(", "))
        };
        let sql = format!(
            "WITH {TOUCHED} AS MATERIALIZED ({touched}), \
             d AS MATERIALIZED (SELECT {q_list}, NULL::pg_catalog.tid AS __pgt_rid, 1 AS __pgt_w, {q_image} AS __pgt_image \
             FROM ({rows}) AS q({names}) UNION ALL {stored}), \
             n AS MATERIALIZED (SELECT d.*, pg_catalog.sum(d.__pgt_w) OVER (PARTITION BY d.__pgt_image) AS __pgt_net, \
             pg_catalog.row_number() OVER (PARTITION BY d.__pgt_image, d.__pgt_w) AS __pgt_n FROM d), \
             removed AS (DELETE FROM {table} AS t USING n WHERE {found} AND {is_gone} RETURNING 1) \
             INSERT INTO {table} ({names}) SELECT {n_list} FROM n WHERE {is_new}",
            q_list = listed("q"),
            q_image = image("q", &self.columns),
            rows = self.rows.join(" UNION ALL "),
            names = names(list),
            stored = stored.join(" UNION ALL "),
            table = self.table,
            found = op("t.ctid", "=", "n.__pgt_rid"),
            is_gone = and(&[
                op("n.__pgt_w", "<", "0"),
                op("n.__pgt_n", "<=", "(OPERATOR(pg_catalog.-) n.__pgt_net)"),
            ]),
            n_list = listed("n"),
            is_new = and(&[op("n.__pgt_w", ">", "0"), op("n.__pgt_n", "<=", "n.__pgt_net")]),
        );
        vec![Statement {
            sql,
            bulk: None,
            returns: Returns::Nothing,
        }]
    }

    /// What is stored for the touched keys, with weight −1.
    fn stored_arms(&self, list: &str) -> Vec<String> {
        let nullable: Vec<bool> = self.key.iter().map(|key| key.nullable).collect();
        let arms = null_arms(&nullable);
        let covers_nulls = arms.len() == 1 && nullable.contains(&true);
        arms.iter()
            .map(|arm| {
                let conditions: Vec<String> = self
                    .key
                    .iter()
                    .zip(arm)
                    .enumerate()
                    .map(|(n, (key, is_null))| {
                        let own = column("s", &key.name);
                        let given = format!("k.{}", key_column(n));
                        let equal = format!("({own} {} {given})", key.equals);
                        let both_null = format!("({own} IS NULL AND {given} IS NULL)");
                        match (is_null, covers_nulls && key.nullable) {
                            (true, _) => both_null,
                            (false, true) => or(&[equal, both_null]),
                            (false, false) => equal,
                        }
                    })
                    .collect();
                let (from, found) = if conditions.is_empty() {
                    (String::new(), IS_TOUCHED.to_owned())
                } else {
                    (format!("{TOUCHED} AS k, "), and(&conditions))
                };
                format!(
                    "SELECT {list}, s.ctid, -1, {} FROM {from}{} AS s WHERE {found}",
                    image("s", &self.columns),
                    self.table,
                )
            })
            .collect()
    }

    /// SELECTs of the touched keys.
    fn touched(&self, changes: &[Change]) -> Vec<String> {
        match &self.touch {
            Touch::Blocks(parts) => {
                let names: Vec<String> = (0..self.key.len()).map(key_column).collect();
                let mut selects = Vec::new();
                for part in parts {
                    let mut choices = keyed_choices(&part.block.changed(changes));
                    for (_, sides) in &mut choices {
                        for (_, side) in sides {
                            if *side == scan::Side::Renewed {
                                *side = scan::Side::New;
                            }
                        }
                    }
                    let terms = part.block.terms(&choices, |_| part.columns(&names));
                    selects.extend(terms.iter().map(|term| term.select.to_string()));
                }
                selects
            }
            Touch::Occurrences(occurrences) => {
                let is_there = |(relid, side): &(Oid, Side)| {
                    changes.iter().any(|change| {
                        change.relid == *relid
                            && match side {
                                Side::New => change.new,
                                Side::Old => change.old,
                            }
                    })
                };
                occurrences
                    .iter()
                    .filter(|occurrence| occurrence.needs.iter().all(is_there))
                    .map(|occurrence| occurrence.sql.clone())
                    .collect()
            }
        }
    }
}
