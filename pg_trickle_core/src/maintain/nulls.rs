//! Keys with NULLs, found by an index.
//!
//! `a = b OR (a IS NULL AND b IS NULL)` reads no index. One search for each combination of NULLs does: in each, a column is
//! either compared or NULL on both sides.

use crate::sql::statement::{both_null, or};

/// Most nullable key columns for which every combination of NULLs is a search by itself.
pub const MAX_NULLABLE: usize = 3;

/// How one search compares a key column.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum KeyMatch {
    /// By its equality.
    Equal,
    /// It is NULL on both sides.
    BothNull,
    /// Either of these, where the key has too many nullable columns.
    EqualOrBothNull,
}

impl KeyMatch {
    /// The condition, of the equality of two values and of the values.
    #[must_use]
    pub fn condition(self, equal: String, a: &str, b: &str) -> String {
        match self {
            KeyMatch::Equal => equal,
            KeyMatch::BothNull => both_null(a, b),
            KeyMatch::EqualOrBothNull => or(&[equal, both_null(a, b)]),
        }
    }
}

/// The searches for a key, of whose columns some are nullable: in each, how each column is compared.
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
