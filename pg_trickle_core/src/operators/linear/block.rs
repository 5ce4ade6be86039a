//! A linear block: scans, inner joins and filters, flattened; and the terms that its change consists of.

use super::inner_join::{Changed, Choice, MAX_CHANGED, signed_choices};
use super::scan::{Scan, Version};
use crate::plan::Change;
use crate::sql::statement::Select;

/// Scans, inner joins and filters, flattened: `FROM scans WHERE conditions`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Block {
    /// The occurrences of tables, in the query's order.
    pub scans: Vec<Scan>,
    /// Conjuncts over the scans' aliases.
    pub conditions: Vec<String>,
}

/// One branch of the bag union that feeds a storage: a block and the values that it supplies, in the storage's order.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Part {
    /// Where rows come from.
    pub block: Block,
    /// SQL over the scans' aliases.
    pub values: Vec<String>,
}

impl Part {
    /// The values under these names.
    #[must_use]
    pub fn columns(&self, names: &[String]) -> Vec<(String, String)> {
        self.values.iter().cloned().zip(names.iter().cloned()).collect()
    }
}

/// The terms of the change of a bag union: the sum of those of its branches.
#[must_use]
pub fn signed_terms(parts: &[Part], changes: &[Change], names: &[String]) -> Vec<Term> {
    parts
        .iter()
        .flat_map(|part| {
            let choices = signed_choices(&part.block.changed(changes));
            part.block.terms(&choices, |_| part.columns(names))
        })
        .collect()
}

/// One summand of a change: a SELECT whose rows all carry the same weight.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Term {
    /// +1 or −1.
    pub sign: i8,
    /// The rows.
    pub select: Select,
}

impl Block {
    /// The block over the state after the statement.
    #[must_use]
    pub fn now(&self, columns: Vec<(String, String)>) -> Select {
        self.select(&[], columns)
    }

    /// The block with some scans replaced by their change.
    #[must_use]
    pub fn select(&self, versions: &[(usize, Version)], columns: Vec<(String, String)>) -> Select {
        let version_of = |scan: usize| {
            versions
                .iter()
                .find(|(position, _)| *position == scan)
                .map_or(Version::Now, |(_, version)| *version)
        };
        let mut select = Select {
            columns,
            from: Vec::new(),
            filter: self.conditions.clone(),
            ..Select::default()
        };
        for (position, scan) in self.scans.iter().enumerate() {
            let version = version_of(position);
            if let Some((item, conditions)) = scan.restriction(version) {
                select.from.extend(item);
                select.filter.extend(conditions);
            }
            select.from.push(scan.item(version));
        }
        select
    }

    /// The occurrences that a set of changes touches.
    #[must_use]
    pub fn changed(&self, changes: &[Change]) -> Vec<Changed> {
        let change_of = |scan: &Scan| changes.iter().find(|change| change.relid == scan.relid);
        self.scans
            .iter()
            .enumerate()
            .filter_map(|(position, scan)| {
                let change = change_of(scan)?;
                (change.new || change.old).then_some(Changed {
                    scan: position,
                    new: change.new,
                    old: change.old,
                })
            })
            .collect()
    }

    /// True where so many occurrences change at once that the sum would be longer than a Rebuild is slow.
    #[must_use]
    pub fn too_many(changed: &[Changed]) -> bool {
        changed.len() > MAX_CHANGED
    }

    /// The same of any of the blocks.
    #[must_use]
    pub fn any_too_many(parts: &[Part], changes: &[Change]) -> bool {
        parts.iter().any(|part| Block::too_many(&part.block.changed(changes)))
    }

    /// The terms for a list of choices; `columns` gives each term's outputs by its sign.
    pub fn terms(&self, choices: &[Choice], columns: impl Fn(i8) -> Vec<(String, String)>) -> Vec<Term> {
        choices
            .iter()
            .map(|(sign, versions)| Term {
                sign: *sign,
                select: self.select(versions, columns(*sign)),
            })
            .collect()
    }
}

/// The terms as one derived table whose column `weight` holds each row's weight.
#[must_use]
pub fn weighted(terms: Vec<Term>, weight: &str) -> Vec<Select> {
    terms
        .into_iter()
        .map(|term| {
            let mut select = term.select;
            select.columns.push((term.sign.to_string(), weight.to_owned()));
            select
        })
        .collect()
}
