//! A stage without grouping: the rows of a linear block, each stored as often as it occurs.
//!
//! Keyed: the primary keys of the tables identify a row (less those that join conditions determine). A change is netted
//! by key and merged. Keyless: rows can repeat. A change is netted by row image; a stored copy is found by a hash of
//! the row and then compared in full.

use super::block::{Block, Part, Term, signed_terms, weighted};
use super::inner_join::keyed_choices;
use crate::maintain::netting::{IMAGE, Sign, WEIGHT, is_left, netted};
use crate::maintain::stage::Maintenance;
use crate::maintain::storage::Identity;
use crate::plan::{Change, Program, Returns, Source, Statement, Way};
use crate::sql::ident::quote_ident;
use crate::sql::statement::{Insert, Merge, Select, and, column, hash, image, names, op, union_all};

/// One output of a block, and the storage column it fills.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Output {
    /// SQL over the aliases of the scans.
    pub sql: String,
    /// The storage column.
    pub name: String,
    /// A NULL of its type, as SQL.
    pub null: String,
    /// True if the storage column is not part of the query's result.
    pub hidden: bool,
}

/// The storage of a bag, and how changes are applied to it.
#[derive(Clone)]
pub struct Bag {
    /// Qualified, quoted name of the storage table.
    pub table: String,
    /// The stored columns that are written, with the SQL of the first branch.
    pub outputs: Vec<Output>,
    /// The branches of the union that feed it; only one if the bag has a key.
    pub parts: Vec<Part>,
    /// How a stored row is identified.
    pub identity: Identity,
    /// The default equality operator of each key column.
    pub key_equals: Vec<String>,
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

    fn cost(&self, source: &Source, sources: &[Source]) -> &'static str {
        fold_cost(source, sources)
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
        self.outputs.iter().map(|output| output.name.clone()).collect()
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
        if terms.iter().all(|term| term.sign > 0) {
            let arms: Vec<Select> = terms.into_iter().map(|term| term.select).collect();
            return vec![self.insert(union_all(&arms))];
        }
        match (&self.identity, self.parts.as_slice()) {
            (Identity::Key(key), [part]) => {
                let delta = match &part.block.tree {
                    None => self.touched(part, changes, key),
                    Some(_) => self.net_by_key(part, changes, terms, key),
                };
                vec![self.merge(delta, key)]
            }
            (Identity::Hash(hash_column), _) => {
                let delta = union_all(&weighted(terms, WEIGHT));
                vec![net(&self.table, &self.column_names(), hash_column, "", &delta)]
            }
            _ => unreachable!("a folded bag has a hash, or a key and one branch"),
        }
    }

    fn insert(&self, query: String) -> Statement {
        let insert = Insert {
            table: self.table.clone(),
            alias: "s".to_owned(),
            columns: self.column_names(),
            query,
            on_conflict: None,
        };
        Statement {
            sql: insert.to_string(),
            bulk: None,
            returns: Returns::Nothing,
        }
    }

    /// One row per touched key, with its weight: its row in the new state, or a deletion.
    fn touched(&self, part: &Part, changes: &[Change], key: &[String]) -> Select {
        let is_key = |output: &Output| key.contains(&output.name);
        let choices = keyed_choices(&part.block.changed(changes));
        let terms = part.block.terms(&choices, |sign| {
            self.outputs
                .iter()
                .map(|output| {
                    // A deletion needs only the key. Other expressions might raise errors for rows that were never
                    // joined.
                    let sql = if sign > 0 || is_key(output) {
                        output.sql.clone()
                    } else {
                        output.null.clone()
                    };
                    (sql, output.name.clone())
                })
                .collect()
        });
        best_by_key(&union_all(&weighted(terms, WEIGHT)), key)
    }

    /// The same from terms of which some may only cancel others: those of a block with outer joins.
    fn net_by_key(&self, part: &Part, changes: &[Change], terms: Vec<Term>, key: &[String]) -> Select {
        let rows = union_all(&weighted(terms, WEIGHT));
        let once = !changes.iter().any(|change| change.repeated);
        if once && part.block.changed(changes).len() <= 1 {
            return best_by_key(&rows, key);
        }
        let columns = self.column_names();
        let values = columns.iter().map(|name| {
            let name = quote_ident(name);
            format!("pg_catalog.any_value(u.{name}) AS {name}, ")
        });
        let sum = format!("pg_catalog.sum(u.{WEIGHT})");
        let net = format!(
            "SELECT {}{sum} AS {WEIGHT} FROM ({rows}) AS u GROUP BY {} HAVING {}",
            values.collect::<String>(),
            image("u", &columns),
            op(&sum, "<>", "0")
        );
        best_by_key(&net, key)
    }

    /// Applies one row per touched key.
    fn merge(&self, delta: Select, key: &[String]) -> Statement {
        let on: Vec<String> = key
            .iter()
            .zip(&self.key_equals)
            .map(|(name, equals)| format!("({} {equals} {})", column("s", name), column("d", name)))
            .collect();
        let columns = self.column_names();
        // Even a row that is nothing but its key can differ: 1.0 and 1.00 are equal keys.
        let differs = op(&image("s", &columns), "<>", &image("d", &columns));
        let set: Vec<(String, String)> = self
            .column_names()
            .into_iter()
            .map(|name| (name.clone(), column("d", &name)))
            .collect();
        let merge = Merge {
            table: self.table.clone(),
            alias: "s".to_owned(),
            source: delta.derived("d"),
            on: and(&on),
            delete_when: Some(op("d.__pgt_w", "<", "0")),
            update: Some((Some(differs), set.clone())),
            insert: Some((op("d.__pgt_w", ">", "0"), set)),
        };
        Statement {
            sql: merge.to_string(),
            bulk: None,
            returns: Returns::Nothing,
        }
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

/// Nets a delta by row image; what remains is deleted and inserted copy by copy. `delta` selects rows with their
/// weight. `with` are CTEs that it reads, each followed by a comma.
pub fn net(table: &str, list: &[String], hash_column: &str, with: &str, delta: &str) -> Statement {
    let values: Vec<String> = list.iter().map(|name| column("n", name)).collect();
    let target = if list.is_empty() {
        String::new()
    } else {
        format!("({}) ", names(list))
    };
    let sql = format!(
        "WITH {with}n AS MATERIALIZED ({netted}), \
         gone AS (SELECT n.* FROM n WHERE {is_gone}), \
         removed AS (DELETE FROM {table} AS s USING gone, LATERAL (SELECT c.ctid AS rid FROM {table} AS c \
         WHERE {same_hash} AND {same_row} LIMIT (OPERATOR(pg_catalog.-) gone.__pgt_net)) AS copy WHERE {found} RETURNING 1), \
         added AS (INSERT INTO {table} {target}SELECT {values} FROM n WHERE {is_new} RETURNING 1) \
         SELECT (SELECT OPERATOR(pg_catalog.-) coalesce(pg_catalog.sum(gone.__pgt_net), 0) FROM gone)::pg_catalog.int8, \
         (SELECT pg_catalog.count(*) FROM removed)",
        netted = netted(&format!(
            "(SELECT t.*, {} AS {IMAGE} FROM ({delta}) AS t) AS d",
            image("t", list)
        )),
        // One row for each deleted image, which stands for all its copies.
        is_gone = and(&[is_left("n", Sign::Minus), op("n.__pgt_n", "=", "1")]),
        same_hash = op(&column("c", hash_column), "=", &hash(Some("gone"), list)),
        same_row = op(&image("c", list), "=", &format!("gone.{IMAGE}")),
        found = op("s.ctid", "=", "copy.rid"),
        values = values.join(", "),
        is_new = is_left("n", Sign::Plus),
    );
    Statement {
        sql,
        bulk: None,
        returns: Returns::Removed,
    }
}
