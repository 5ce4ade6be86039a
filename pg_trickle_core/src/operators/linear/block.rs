//! A linear block (scans, inner joins and filters, flattened), and the terms of its delta.

use super::between::Between;
use super::inner_join::{Changed, Choice, MAX_CHANGED, signed_choices};
use super::outer_join::{self, Tree};
use super::scan::{SIGN, Scan, Version};
use crate::plan::Change;
use crate::sql::statement::{Select, column, op};

/// Scans, inner joins and filters, flattened: `FROM scans WHERE conditions`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Block {
    /// The occurrences of tables, in the order of FROM.
    pub scans: Vec<Scan>,
    /// For each of them, whether one of its rows can be in several rows of the block.
    pub fans_out: Vec<bool>,
    /// Conjuncts, over the aliases of the scans.
    pub conditions: Vec<String>,
    /// The joins, unless all of them are inner. Then the conjuncts are in the tree.
    pub tree: Option<Tree>,
    /// The scans of which only one comparison matters.
    pub between: Vec<Between>,
    /// True if more rows may be read than the conditions leave.
    pub filters: bool,
    /// True if a table is compared with others, but not by equality.
    pub compares: bool,
    /// A FROM item with the columns over which values are written that are the same for several blocks.
    pub outputs: Option<String>,
}

/// One branch of the bag union that feeds a storage: a block and its values, in the order of the stored columns.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Part {
    /// The source of the rows.
    pub block: Block,
    /// SQL over the aliases of the scans.
    pub values: Vec<String>,
}

impl Part {
    /// The values with these names.
    #[must_use]
    pub fn columns(&self, names: &[String]) -> Vec<(String, String)> {
        self.values.iter().cloned().zip(names.iter().cloned()).collect()
    }
}

/// The terms of the delta of a bag union: all terms of its branches.
#[must_use]
pub fn signed_terms(parts: &[Part], changes: &[Change], names: &[String]) -> Vec<Term> {
    parts
        .iter()
        .flat_map(|part| {
            let changed = part.block.changed(changes);
            match &part.block.tree {
                Some(tree) => part.block.pieces(tree, &changed, &part.columns(names)),
                None => {
                    let block = &part.block;
                    let compared = block.compared(&changed).map(|between| between.scan);
                    // One scan: planned as two, a row less to read.
                    let only = (block.scans.len() == 1).then_some(0);
                    block.terms(&changed, &signed_choices(&changed, compared.or(only)), |_| {
                        part.columns(names)
                    })
                }
            }
        })
        .collect()
}

/// One summand of a delta: a SELECT whose rows have the same weight, or a weight of their own each.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Term {
    /// +1 or −1; 0 if the rows have both.
    pub sign: i8,
    /// The weight of a row, as SQL.
    pub weight: String,
    /// The rows.
    pub select: Select,
}

impl Block {
    /// The block over the state after the statement.
    #[must_use]
    pub fn now(&self, columns: Vec<(String, String)>) -> Select {
        let Some(tree) = &self.tree else {
            return self.select(&[], columns);
        };
        let (from, filter) = outer_join::now(&self.scans, tree);
        self.select_from(columns, from, filter)
    }

    /// A SELECT from a join.
    fn select_from(&self, columns: Vec<(String, String)>, from: String, filter: Vec<String>) -> Select {
        Select {
            columns,
            from: [from].into_iter().chain(self.outputs.clone()).collect(),
            filter,
            ..Select::default()
        }
    }

    /// The terms of a block with outer joins.
    fn pieces(&self, tree: &Tree, changed: &[Changed], columns: &[(String, String)]) -> Vec<Term> {
        outer_join::delta(&self.scans, tree, changed)
            .into_iter()
            .map(|piece| Term {
                sign: if piece.weight.is_some() { 0 } else { piece.sign },
                weight: outer_join::signed(&piece),
                select: self.select_from(columns.to_vec(), piece.from, piece.filter),
            })
            .collect()
    }

    /// The block with some scans replaced by other versions of their rows.
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
            if matches!(version, Version::New | Version::Old | Version::Changed) {
                select.filter = scan.told(&select.filter, &self.scans);
            }
            if let Some((item, conditions)) = scan.restriction(version, &self.conditions, &self.scans) {
                select.from.extend(item);
                select.filter.extend(conditions);
            }
            select.from.push(scan.item(version));
        }
        select.from.extend(self.outputs.clone());
        select
    }

    /// The occurrences that a set of changes affects.
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
                    repeated: change.repeated,
                })
            })
            .collect()
    }

    /// True if the changes can be in more rows of one of these blocks than they have rows themselves.
    #[must_use]
    pub fn any_fans_out(parts: &[Part], changes: &[Change]) -> bool {
        parts.iter().any(|part| {
            let mut changed = part.block.changed(changes).into_iter();
            changed.any(|occurrence| part.block.fans_out[occurrence.scan])
        })
    }

    /// True if what the changes are in may be found by scanning tables, where no index serves.
    #[must_use]
    pub fn any_scans(parts: &[Part], changes: &[Change]) -> bool {
        let unindexed = |part: &Part| part.block.tree.as_ref().is_some_and(Tree::any_unindexed);
        Block::any_fans_out(parts, changes) || parts.iter().any(unindexed)
    }

    /// True if to find what changes are in may take reading more than that, for each of their rows.
    #[must_use]
    pub fn any_filters(parts: &[Part], changes: &[Change]) -> bool {
        let filters = |part: &&Part| part.block.filters;
        parts
            .iter()
            .filter(filters)
            .any(|part| Block::any_fans_out(std::slice::from_ref(part), changes))
    }

    /// True if one of the branches compares a table with others, but not by equality.
    #[must_use]
    pub fn any_compares(parts: &[Part]) -> bool {
        parts.iter().any(|part| part.block.compares)
    }

    /// True if so many occurrences change at once that a full refresh is cheaper than the sum of all terms.
    #[must_use]
    pub fn too_many(changed: &[Changed]) -> bool {
        changed.len() > MAX_CHANGED
    }

    /// True if that holds for any of the branches.
    #[must_use]
    pub fn any_too_many(parts: &[Part], changes: &[Change]) -> bool {
        parts.iter().any(|part| Block::too_many(&part.block.changed(changes)))
    }

    /// True if each of the branches reads one table, and nothing else.
    #[must_use]
    pub fn all_single(parts: &[Part]) -> bool {
        parts
            .iter()
            .all(|part| part.block.scans.len() == 1 && part.block.tree.is_none())
    }

    /// The terms for a list of choices of the changed occurrences. `columns` gives the output of a term, given its sign.
    pub fn terms(
        &self,
        changed: &[Changed],
        choices: &[Choice],
        columns: impl Fn(i8) -> Vec<(String, String)>,
    ) -> Vec<Term> {
        let compared = self.compared(changed);
        let mut terms = Vec::new();
        for (sign, versions) in choices {
            let columns = columns(*sign);
            let selects = match (compared, versions.as_slice()) {
                (Some(compared), [(scan, version)]) if *scan == compared.scan => {
                    // A row that changed once is what was inserted.
                    let version = if *version == Version::Old {
                        Version::Old
                    } else {
                        Version::New
                    };
                    let term = self.select(&[(*scan, version)], columns);
                    compared.narrowed(&self.scans, version, &term).to_vec()
                }
                _ => vec![self.select(versions, columns)],
            };
            let signs = versions.iter().filter(|(_, version)| *version == Version::Changed);
            let signs: Vec<String> = signs.map(|(scan, _)| column(&self.scans[*scan].alias, SIGN)).collect();
            let weight = signs
                .iter()
                .fold(sign.to_string(), |weight, sign| match weight.as_str() {
                    "1" => sign.clone(),
                    _ => op(&weight, "*", sign),
                });
            terms.extend(selects.into_iter().map(|select| Term {
                sign: if signs.is_empty() { *sign } else { 0 },
                weight: weight.clone(),
                select,
            }));
        }
        terms
    }

    /// A changed scan that matters by one comparison, if each of its changed rows has a version before and one after. Only
    /// one: what a change of another does to the rows in between is left to the terms of that one.
    fn compared(&self, changed: &[Changed]) -> Option<&Between> {
        self.between.iter().find(|between| {
            let paired = |change: &Changed| change.scan == between.scan && change.new && change.old && !change.repeated;
            changed.iter().any(paired)
        })
    }
}

/// The terms with another column, `weight`, that holds the weight of each row.
#[must_use]
pub fn weighted(terms: Vec<Term>, weight: &str) -> Vec<Select> {
    terms
        .into_iter()
        .map(|term| {
            let mut select = term.select;
            select.columns.push((term.weight, weight.to_owned()));
            select
        })
        .collect()
}
