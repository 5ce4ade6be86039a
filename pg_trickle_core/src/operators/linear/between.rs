//! Comparisons with a value of a row that changes: `amount > (SELECT avg(amount) FROM o)`.
//!
//! If a row s of a table changes from s₀ to s₁, and a block reads s only by its key and in one comparison `x > f(s)`, then
//! the rows change that are between f(s₀) and f(s₁), and no others:
//!
//!   R ⋈ {s₁} − R ⋈ {s₀} = σ(x > f(s₁) and x <= f(s₀)) − σ(x > f(s₀) and x <= f(s₁))
//!
//! A row s without a counterpart, or one whose counterpart has NULL, changes all rows that it is compared with.
//!
//! State: none. Cost: the rows in between, given an index on x. Source: the dynamic filters of RisingWave.

use super::scan::{Scan, Version};
use crate::facts::order::Order;
use crate::sql::statement::{Select, and, column, op};

/// A scan that its block reads only by its key and in one comparison.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Between {
    /// The position of the scan.
    pub scan: usize,
    /// The position of the comparison among the conditions.
    pub condition: usize,
    /// What is compared, over the aliases of the other scans.
    pub value: String,
    /// How.
    pub order: Order,
    /// What it is compared with, over the alias of the scan.
    pub bound: String,
}

impl Between {
    /// The parts of a term that takes a version of the changed row in which the other version does not give the same rows.
    pub fn narrowed(&self, scans: &[Scan], version: Version, term: &Select) -> [Select; 2] {
        let scan = &scans[self.scan];
        let other = format!("{}_b", scan.alias);
        let counterpart = match version {
            Version::Old => Version::New,
            _ => Version::Old,
        };
        let mut listed = vec![format!("{} AS v", self.bound)];
        listed.extend(scan.key.iter().map(|(name, _)| column(&scan.alias, name)));
        let item = format!(
            "(SELECT {} FROM {}) AS {other}",
            listed.join(", "),
            scan.item(counterpart)
        );
        let same = |(name, equals): &(String, String)| {
            format!("({} {equals} {})", column(&scan.alias, name), column(&other, name))
        };
        let pairs: Vec<String> = scan.key.iter().map(same).collect();
        let bound = format!("{other}.v");
        let mut term = term.clone();
        term.filter[self.condition] = op(&self.value, self.order.sql(), &self.bound);
        let mut between = term.clone();
        between.from.push(item.clone());
        between.filter.extend(pairs.iter().cloned());
        between
            .filter
            .push(op(&self.value, self.order.complement().sql(), &bound));
        let mut has_bound = pairs;
        has_bound.push(format!("{bound} IS NOT NULL"));
        term.filter
            .push(format!("(NOT EXISTS (SELECT FROM {item} WHERE {}))", and(&has_bound)));
        [between, term]
    }
}
