//! GROUP BY.

use crate::error::Error;
use crate::query::{GroupingSet, Query};
use crate::sql::expr::Printer;

impl Printer<'_> {
    /// ` GROUP BY ...`, or nothing without grouping.
    pub(super) fn group_by(&self, query: &Query) -> Result<String, Error> {
        if query.group.is_empty() && query.grouping_sets.is_empty() {
            return Ok(String::new());
        }
        let items: Vec<String> = if query.grouping_sets.is_empty() {
            query
                .group
                .iter()
                .map(|item| self.position(query, item.target_ref))
                .collect::<Result<_, _>>()?
        } else {
            self.grouping_sets(query, &query.grouping_sets)?
        };
        let distinct = if query.group_distinct { "DISTINCT " } else { "" };
        Ok(format!(" GROUP BY {distinct}{}", items.join(", ")))
    }

    fn grouping_sets(&self, query: &Query, sets: &[GroupingSet]) -> Result<Vec<String>, Error> {
        sets.iter().map(|set| self.grouping_set(query, set)).collect()
    }

    fn grouping_set(&self, query: &Query, set: &GroupingSet) -> Result<String, Error> {
        let (word, sets) = match set {
            GroupingSet::Empty => return Ok("()".to_owned()),
            GroupingSet::Simple(refs) => {
                let items: Vec<String> = refs
                    .iter()
                    .map(|target_ref| self.position(query, *target_ref))
                    .collect::<Result<_, _>>()?;
                return Ok(match items.as_slice() {
                    [one] => one.clone(),
                    many => format!("({})", many.join(", ")),
                });
            }
            GroupingSet::Rollup(sets) => ("ROLLUP", sets),
            GroupingSet::Cube(sets) => ("CUBE", sets),
            GroupingSet::Sets(sets) => ("GROUPING SETS", sets),
        };
        let items = self.grouping_sets(query, sets)?;
        Ok(format!("{word} ({})", items.join(", ")))
    }
}
