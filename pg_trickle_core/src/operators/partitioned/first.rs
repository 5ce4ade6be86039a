//! The first rows of each partition: `row_number() OVER (PARTITION BY p ORDER BY o) <= k` around a subquery
//! ([`crate::rewrite::top`]), and DISTINCT ON.
//!
//! Rule: read the first k rows of each touched partition again, through an index on (p, o). `rank() <= k` takes the rows
//! that tie with the k-th, too. Cost: k rows for each touched partition; without that index, the rows of the partition,
//! whose other rows are neither numbered to the end nor stored.
//!
//! Source: top-k per group, as in Feldera and Materialize; the index takes the place of their sorted state.

use crate::catalog::{Catalog, IndexColumn};
use crate::facts::fallback::Fallback;
use crate::facts::from_items::rels;
use crate::facts::linear_block::{Flat, Resolver};
use crate::maintain::key::KeyColumn;
use crate::maintain::nulls::searches;
use crate::maintain::rekey::{IS_TOUCHED, Rekey, TOUCHED, key_column};
use crate::maintain::stage::{Maintenance, Reach};
use crate::oids::INT8;
use crate::plan::{Change, Program, Source, Way};
use crate::query::{Expr, Query, SortGroup, SqlLeaf, Target, Window};
use crate::stages::advice;
use crate::stages::graph::StageGraph;
use crate::stages::indexes::is_small;
use crate::stages::order_index::{OrderIndex, is_descending};
use crate::stages::restricted::with_keys;

/// Which rows of a partition come first.
pub struct First {
    /// The order, which begins with the key or leaves it out.
    pub sort: Vec<SortGroup>,
    /// How many.
    count: i64,
    /// And those that tie with the last one.
    with_ties: bool,
}

/// True if an index has these columns first.
fn starts_with(index: &[IndexColumn], attnos: &[i16]) -> bool {
    index.len() >= attnos.len() && index.iter().zip(attnos).all(|(column, attno)| column.attnum == *attno)
}

/// How the first rows are found.
pub struct Found {
    /// True if an index makes it cheap to read partitions one by one.
    pub one_by_one: bool,
    /// True if that index has the order of the rows.
    pub in_order: bool,
    /// The index that a table of the user lacks.
    pub advice: Option<String>,
}

/// The maintenance of first rows.
pub struct FirstRows {
    /// Reads them again.
    pub rekey: Rekey,
    /// True if an index returns them in their order.
    pub in_order: bool,
}

impl Maintenance for FirstRows {
    fn way(&self) -> Way {
        self.rekey.way()
    }

    fn program(&self, changes: &[Change]) -> Program {
        self.rekey.program(changes)
    }

    fn cost(&self, _source: &Source, _sources: &[Source]) -> &'static str {
        "the first rows of the touched keys"
    }

    /// Few rows are stored of each key: how many of them a change touches does not say what the query reads for them.
    fn reach(&self, changes: &[Change]) -> Option<Reach> {
        self.rekey.reach(changes).map(|_| Reach::Planned)
    }

    fn row_key(&self) -> Option<&[KeyColumn]> {
        self.rekey.row_key()
    }

    fn reads_in_order(&self) -> bool {
        self.in_order
    }

    fn needs_fresh_plans(&self, advised: bool, changes: &[Change]) -> bool {
        self.rekey.needs_fresh_plans(advised, changes)
    }

    fn runs_as_update(&self, _change: &Change) -> bool {
        true
    }
}

impl First {
    /// The first rows that a query with windows keeps, if they are the first ones of all its windows. `keys` are the
    /// partition's.
    pub fn of_windows(query: &Query, keys: &[Expr], graph: &StageGraph) -> Result<Option<Self>, Fallback> {
        let Some(top) = query.top else { return Ok(None) };
        let Some(Expr::Window(call)) = query.visible_targets().nth(top.target).map(|target| &target.expr) else {
            return Ok(None);
        };
        let Some(window) = query.windows.iter().find(|window| window.winref == call.winref) else {
            return Ok(None);
        };
        let sorts_alike = |other: &Window| other.partition == window.partition && other.order == window.order;
        if !query.windows.iter().all(sorts_alike) || window.partition.len() != keys.len() {
            return Ok(None);
        }
        let with_ties = match graph.function(call.function)?.name.as_str() {
            "row_number" => false,
            "rank" => true,
            // Its first rows are as many as share the first numbers.
            "dense_rank" if top.count <= 1 => true,
            _ => return Ok(None),
        };
        Ok(Some(First {
            sort: window.partition.iter().chain(&window.order).cloned().collect(),
            count: top.count.max(0),
            with_ties,
        }))
    }

    /// The row that DISTINCT ON keeps.
    pub fn of_distinct_on(query: &Query) -> Self {
        First {
            sort: query.sort.clone(),
            count: 1,
            with_ties: false,
        }
    }

    /// True if the query reads a join, whose rows no index has in this order unless they are stored.
    pub fn wants_stored_join(&self, query: &Query, graph: &StageGraph) -> Result<bool, Fallback> {
        let tables: Vec<i32> = query.from.iter().flat_map(rels).collect();
        if self.sort.is_empty() || tables.len() < 2 || tables.iter().any(|table| query.table(*table).is_none()) {
            return Ok(false);
        }
        for item in &self.sort {
            let Some(Target { expr, .. }) = query.target(item.target_ref) else {
                return Ok(false);
            };
            if !is_small(expr.type_oid()) || is_descending(item, expr.type_oid(), graph)?.is_none() {
                return Ok(false);
            }
        }
        Ok(true)
    }

    /// Looks for the index in this order; makes it, if the query reads a stage.
    pub fn find(&self, keys: &[Expr], flat: &Flat, resolver: &Resolver, graph: &StageGraph) -> Result<Found, Fallback> {
        let mut found = Found {
            one_by_one: keys.is_empty(),
            in_order: false,
            advice: None,
        };
        let ([_], Some(relation)) = (flat.scans.as_slice(), flat.table(0)) else {
            return Ok(found);
        };
        let index = OrderIndex::new(relation, &self.sort, &resolver.targets()?, graph)?;
        if graph.is_stage(relation.oid) {
            let column = |attno: &i16| relation.column(*attno);
            if let Some(index) = index
                && index
                    .attnos()
                    .iter()
                    .filter_map(column)
                    .all(|column| is_small(column.type_oid))
            {
                graph.add_index(relation.oid, "", &index.columns());
                found.one_by_one = true;
                found.in_order = true;
            }
            return Ok(found);
        }
        let leads = index.as_ref().map_or(0, |index| index.attnos()[0]);
        found.one_by_one |= relation.is_indexed(leads);
        let Some(index) = index else { return Ok(found) };
        found.in_order = index.is_served(relation);
        // Further columns of the order only break ties.
        let least = &index.attnos()[..index.items.len().min(keys.len() + 1)];
        if !relation.indexes.iter().any(|known| starts_with(known, least)) {
            let why = "the first rows of what a change touches are read in its order";
            found.advice = Some(advice::sentence(relation, &index.columns().join(", "), why));
        }
        Ok(found)
    }

    /// The query, restricted to the first rows of each touched key: one SELECT for each combination of NULLs.
    pub fn for_touched(
        &self,
        query: &Query,
        keys: &[Expr],
        key: &[KeyColumn],
        graph: &StageGraph,
    ) -> Result<Vec<String>, Fallback> {
        let mut first = query.clone();
        first.top = None;
        first.distinct.clear();
        first.distinct_on = false;
        first.sort.clone_from(&self.sort);
        first.limit_count = Some(SqlLeaf::text(self.count.to_string(), INT8, -1, 0));
        first.limit_with_ties = self.with_ties;
        if key.is_empty() {
            let first = crate::sql::query::print(&first, graph)?;
            return Ok(vec![format!("SELECT q.* FROM ({first}) AS q WHERE {IS_TOUCHED}")]);
        }
        let given: Vec<Expr> = keys
            .iter()
            .enumerate()
            .map(|(n, expr)| {
                let column = format!("k.{}", key_column(n));
                SqlLeaf::text(column, expr.type_oid(), -1, expr.collation())
            })
            .collect();
        let nullable: Vec<bool> = key.iter().map(|key| key.nullable).collect();
        let mut texts = Vec::new();
        for search in searches(&nullable) {
            let mut one = first.clone();
            with_keys(&mut one, keys, key, &given, &search);
            let one = crate::sql::query::print(&one, graph)?;
            texts.push(format!("SELECT q.* FROM {TOUCHED} AS k, LATERAL ({one}) AS q"));
        }
        Ok(texts)
    }
}
