//! Places in the order of a window: the conditions under which a stored row comes before or after a given row of its
//! partition, written so that an index on the partition and the order serves each of them.
//!
//! `(a, b) < (x, y)` would not do: columns may sort in different directions and hold NULLs. So each condition is a union
//! of searches. A search compares some columns for equality, the next one for order, and says which of them are NULL.

use crate::catalog::Catalog;
use crate::error::Error;
use crate::facts::fallback::{Fallback, reason};
use crate::facts::linear_block::{Flat, Resolver};
use crate::maintain::key::KeyColumn;
use crate::maintain::nulls::searches;
use crate::operators::linear::recognise::nullable;
use crate::query::{Expr, SortGroup};
use crate::sql::expr::operator_sql;
use crate::sql::ident::quote_ident;
use crate::sql::statement::{and, column, is_null};
use crate::stages::graph::StageGraph;

/// The most searches into which a condition on the order may be split.
const MOST: usize = 16;

/// A column of the order.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Place {
    /// The storage column, with its equality operator.
    pub column: KeyColumn,
    /// The operator by which a value sorts before another one, as SQL.
    pub before: String,
    /// The operator by which a value sorts after another one.
    pub after: String,
    /// True if the order is descending.
    pub descending: bool,
    /// True if NULLs come first.
    pub nulls_first: bool,
}

impl Place {
    /// The columns of an order, each once. `name` gives the storage column of an expression. `None` if a type has no order.
    pub fn all(
        items: &[(Expr, SortGroup)],
        name: &dyn Fn(&Expr) -> Result<String, Error>,
        flat: &Flat,
        resolver: &Resolver,
        graph: &StageGraph,
    ) -> Result<Option<Vec<Place>>, Fallback> {
        let mut places: Vec<Place> = Vec::new();
        for (expr, item) in items {
            let Some(default) = graph.default_equality(expr.type_oid())? else {
                return Ok(None);
            };
            let (Some(less), Some(greater)) = (&default.less, &default.greater) else {
                return Ok(None);
            };
            let descending = item.sort_op == greater.oid;
            if !descending && item.sort_op != less.oid {
                return Ok(None);
            }
            let (less, greater) = (operator_sql(less), operator_sql(greater));
            let name = name(expr)?;
            if places.iter().any(|place| place.column.name == name) {
                continue;
            }
            places.push(Place {
                column: KeyColumn {
                    name,
                    equals: operator_sql(&default.equality),
                    nullable: nullable(flat, &resolver.resolve(expr)?)?,
                    ordered: true,
                    wrapped: true,
                },
                before: if descending { greater.clone() } else { less.clone() },
                after: if descending { less } else { greater },
                descending,
                nulls_first: item.nulls_first,
            });
        }
        Ok(Some(places))
    }

    /// An item of ORDER BY, or of the opposite order.
    fn item(&self, name: &dyn Fn(&str) -> String, reversed: bool) -> String {
        let descending = self.descending != reversed;
        let nulls_first = self.nulls_first != reversed;
        format!(
            "{} {} NULLS {}",
            name(&self.column.name),
            if descending { "DESC" } else { "ASC" },
            if nulls_first { "FIRST" } else { "LAST" }
        )
    }
}

/// A partition and an order.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Order {
    /// The columns of the partition.
    pub partition: Vec<KeyColumn>,
    /// The columns of the order.
    pub places: Vec<Place>,
}

/// On which side of a given row.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Side {
    /// Before it.
    Before,
    /// After it.
    After,
    /// At its very place.
    Same,
}

impl Order {
    /// The items of ORDER BY over `alias`, partition first, or of the opposite order.
    pub fn items(&self, alias: &str, reversed: bool) -> String {
        self.sorted(&|name| column(alias, name), reversed)
    }

    /// The index that serves the searches.
    pub fn index(&self) -> String {
        format!("({})", self.sorted(&quote_ident, false))
    }

    fn sorted(&self, name: &dyn Fn(&str) -> String, reversed: bool) -> String {
        let direction = if reversed { "DESC NULLS FIRST" } else { "ASC NULLS LAST" };
        let partition = self
            .partition
            .iter()
            .map(|key| format!("{} {direction}", name(&key.name)));
        let places = self.places.iter().map(|place| place.item(name, reversed));
        partition.chain(places).collect::<Vec<_>>().join(", ")
    }

    /// The names of all columns, partition first.
    pub fn names(&self) -> Vec<String> {
        let places = self.places.iter().map(|place| &place.column);
        self.partition
            .iter()
            .chain(places)
            .map(|column| column.name.clone())
            .collect()
    }

    /// True if the searches are not too many.
    pub fn is_searchable(&self) -> bool {
        let partition = searches(&which_nullable(&self.partition)).len();
        let nullable = self.places.iter().filter(|place| place.column.nullable).count();
        nullable <= 3 && self.searches(Side::Before, "s", "d").len() <= MOST * partition
    }

    /// For each search, the conditions under which row `s` of the partition of `d` is on a side of it.
    pub fn searches(&self, side: Side, s: &str, d: &str) -> Vec<Vec<String>> {
        let mut found = Vec::new();
        for partition in equal(&self.partition, s, d) {
            if side == Side::Same {
                for places in equal(&self.columns(self.places.len()), s, d) {
                    found.push([partition.clone(), places].concat());
                }
                continue;
            }
            // The nearest rows first.
            for n in (0..self.places.len()).rev() {
                for head in equal(&self.columns(n), s, d) {
                    for next in strictly(&self.places[n], side, s, d) {
                        found.push([partition.clone(), head.clone(), vec![next]].concat());
                    }
                }
            }
        }
        found
    }

    fn columns(&self, n: usize) -> Vec<KeyColumn> {
        self.places[..n].iter().map(|place| place.column.clone()).collect()
    }
}

/// An item that sorts by a column of the key, ascending.
pub fn tie_break(target_ref: u32, expr: &Expr, graph: &StageGraph) -> Result<SortGroup, Fallback> {
    let default = graph.default_equality(expr.type_oid())?;
    let less = default.and_then(|default| default.less);
    let Some(less) = less else {
        return reason("a key without an order");
    };
    Ok(SortGroup {
        sort_op: less.oid,
        ..SortGroup::by(target_ref)
    })
}

fn which_nullable(columns: &[KeyColumn]) -> Vec<bool> {
    columns.iter().map(|column| column.nullable).collect()
}

/// For each combination of NULLs, the conditions that the columns of two rows are equal.
pub fn equal(columns: &[KeyColumn], s: &str, d: &str) -> Vec<Vec<String>> {
    let search = |hows: Vec<crate::maintain::nulls::KeyMatch>| {
        columns
            .iter()
            .zip(hows)
            .map(|(key, how)| {
                let (a, b) = (column(s, &key.name), column(d, &key.name));
                how.condition(format!("({a} {} {b})", key.equals), &a, &b)
            })
            .collect()
    };
    searches(&which_nullable(columns)).into_iter().map(search).collect()
}

/// The conditions that `s` is strictly on a side of `d` in one column; the first one compares values.
pub fn strictly(place: &Place, side: Side, s: &str, d: &str) -> Vec<String> {
    let (a, b) = (column(s, &place.column.name), column(d, &place.column.name));
    let operator = if side == Side::Before {
        &place.before
    } else {
        &place.after
    };
    let mut found = vec![format!("({a} {operator} {b})")];
    if place.column.nullable {
        let not_null = |value: &str| format!("({value} IS DISTINCT FROM NULL)");
        let null_comes_first = place.nulls_first == (side == Side::Before);
        found.push(if null_comes_first {
            and(&[is_null(&a), not_null(&b)])
        } else {
            and(&[not_null(&a), is_null(&b)])
        });
    }
    found
}
