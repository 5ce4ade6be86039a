//! Index look-ups for keys that contain NULLs.
//!
//! `a = b OR (a IS NULL AND b IS NULL)` cannot use an index. One search per combination of NULLs can: in each search, a
//! column is either compared, or NULL on both sides.

use crate::sql::statement::{both_null, is_null, or};

/// The most nullable key columns for which every combination of NULLs gets its own search.
pub const MAX_NULLABLE: usize = 3;

/// How one search compares a key column.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum KeyMatch {
    /// By the equality operator of its type.
    Equal,
    /// NULL on both sides.
    BothNull,
    /// Either of these; used when the key has too many nullable columns.
    EqualOrBothNull,
}

impl KeyMatch {
    /// The condition on the values `a` and `b`, given their equality test.
    #[must_use]
    pub fn condition(self, equal: String, a: &str, b: &str) -> String {
        match self {
            KeyMatch::Equal => equal,
            KeyMatch::BothNull => both_null(a, b),
            KeyMatch::EqualOrBothNull => or(&[equal, both_null(a, b)]),
        }
    }

    /// The condition on a value that may be NULL that this search can find it.
    #[must_use]
    pub fn applies(self, value: &str) -> String {
        match self {
            KeyMatch::Equal => format!("{value} IS NOT NULL"),
            KeyMatch::BothNull => is_null(value),
            KeyMatch::EqualOrBothNull => "TRUE".to_owned(),
        }
    }
}

/// The searches for a key, given which of its columns are nullable: for each search, how it compares each column.
#[must_use]
pub fn searches(nullable: &[bool]) -> Vec<Vec<KeyMatch>> {
    let positions: Vec<usize> = (0..nullable.len()).filter(|n| nullable[*n]).collect();
    let with = |positions: &[usize], how: KeyMatch| {
        let mut search = vec![KeyMatch::Equal; nullable.len()];
        positions.iter().for_each(|position| search[*position] = how);
        search
    };
    if positions.len() > MAX_NULLABLE {
        return vec![with(&positions, KeyMatch::EqualOrBothNull)];
    }
    (0..1_usize << positions.len())
        .map(|bits| {
            let is_null = |bit: &usize| bits & (1 << bit) != 0;
            let null: Vec<usize> = (0..positions.len()).filter(is_null).map(|bit| positions[bit]).collect();
            with(&null, KeyMatch::BothNull)
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::KeyMatch::{BothNull, Equal, EqualOrBothNull};
    use super::searches;

    #[test]
    fn each_combination_of_nulls_is_a_search() {
        assert_eq!(searches(&[]), vec![vec![]]);
        assert_eq!(searches(&[false]), vec![vec![Equal]]);
        assert_eq!(
            searches(&[true, false, true]),
            vec![
                vec![Equal, Equal, Equal],
                vec![BothNull, Equal, Equal],
                vec![Equal, Equal, BothNull],
                vec![BothNull, Equal, BothNull],
            ]
        );
    }

    #[test]
    fn too_many_nullable_columns_are_one_search() {
        let all = searches(&[true, true, true, true, false]);
        assert_eq!(
            all,
            vec![vec![
                EqualOrBothNull,
                EqualOrBothNull,
                EqualOrBothNull,
                EqualOrBothNull,
                Equal
            ]]
        );
    }
}
