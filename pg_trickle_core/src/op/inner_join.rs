//! Inner and cross join of any number of tables, self-joins included.
//!
//! With old = new − Δ, the change of R₁ ⋈ … ⋈ Rₙ is a sum over the non-empty sets S of changed occurrences:
//!
//!   Δ = Σ_S (−1)^(|S|+1) · ⋈ { ΔRᵢ for i in S, Rᵢ(new) otherwise }
//!
//! so that only the state after the statement is read (inclusion–exclusion; the alternative to keeping the old state,
//! Blakeley, Larson, Tompa, "Efficiently updating materialized views", 1986). 2^k − 1 sets for k changed occurrences:
//! used up to [`MAX_CHANGED`], beyond which the statement is maintained by Rebuild.
//!
//! State: none. Cost: the change times its fan-out, with an index on the join columns of the other side.

use super::scan::Side;
use super::{Op, Operator};

/// Most occurrences that may change in one statement and still be folded.
pub const MAX_CHANGED: usize = 3;

/// The join of all tables of a block; the conditions are the filter above it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct InnerJoin {
    /// The joined tables, in the query's order.
    pub inputs: Vec<Op>,
}

impl Operator for InnerJoin {
    fn describe(&self) -> String {
        format!("inner join of {}", self.inputs.len())
    }

    fn inputs(&self) -> Vec<&Op> {
        self.inputs.iter().collect()
    }
}

/// The sides that one changed occurrence can contribute.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Changed {
    /// Position of the occurrence among the block's scans.
    pub scan: usize,
    /// The statement brought rows.
    pub new: bool,
    /// The statement took rows.
    pub old: bool,
}

/// A sign and the side that each changed occurrence takes; all others are `Now`.
pub type Choice = (i8, Vec<(usize, Side)>);

/// All summands of the change, with their signs: the formula above with ΔRᵢ = NEWᵢ − OLDᵢ multiplied out.
#[must_use]
pub fn signed_choices(changed: &[Changed]) -> Vec<Choice> {
    let mut choices: Vec<Choice> = vec![(-1, Vec::new())];
    for occurrence in changed {
        let mut extended = Vec::new();
        for (sign, sides) in &choices {
            for side in sides_of(*occurrence) {
                let mut with = sides.clone();
                with.push((occurrence.scan, side));
                extended.push((-sign * side.weight(), with));
            }
        }
        choices.extend(extended);
    }
    choices.retain(|(_, sides)| !sides.is_empty());
    choices
}

fn sides_of(occurrence: Changed) -> Vec<Side> {
    let mut sides = Vec::new();
    if occurrence.new {
        sides.push(Side::New);
    }
    if occurrence.old {
        sides.push(Side::Old);
    }
    sides
}

/// For a keyed result, of tables that all have keys: every derivation of the new state that uses a new row (weight +1;
/// one appears once for each new row in it), and every combination that could have been a derivation of the old state and uses old rows (−1).
///
/// A key among the −1 rows that is not among the +1 rows has no derivation any more: all parts of such a derivation
/// would be unchanged rows with the keys of changed ones.
#[must_use]
pub fn keyed_choices(changed: &[Changed]) -> Vec<Choice> {
    let mut choices: Vec<Choice> = changed
        .iter()
        .filter(|occurrence| occurrence.new)
        .map(|occurrence| (1, vec![(occurrence.scan, Side::Renewed)]))
        .collect();
    let mut taken: Vec<Choice> = vec![(-1, Vec::new())];
    for occurrence in changed.iter().filter(|occurrence| occurrence.old) {
        let mut extended = taken.clone();
        for (_, sides) in &mut extended {
            sides.push((occurrence.scan, Side::Old));
        }
        taken.extend(extended);
    }
    taken.retain(|(_, sides)| !sides.is_empty());
    choices.extend(taken);
    choices
}

#[cfg(test)]
mod tests {
    use super::*;

    fn both(scan: usize) -> Changed {
        Changed {
            scan,
            new: true,
            old: true,
        }
    }

    #[test]
    fn one_changed_occurrence_is_new_minus_old() {
        assert_eq!(
            signed_choices(&[both(0)]),
            vec![(1, vec![(0, Side::New)]), (-1, vec![(0, Side::Old)])]
        );
    }

    #[test]
    fn two_inserts_subtract_the_pair_counted_twice() {
        let insert = |scan| Changed {
            scan,
            new: true,
            old: false,
        };
        assert_eq!(
            signed_choices(&[insert(0), insert(1)]),
            vec![
                (1, vec![(0, Side::New)]),
                (1, vec![(1, Side::New)]),
                (-1, vec![(0, Side::New), (1, Side::New)]),
            ]
        );
    }

    /// Join sizes are products, so numbers check the algebra: new − old of a·b·c.
    #[test]
    fn signs_add_up_to_the_difference_of_products() {
        let now = [7_i64, 5, 3];
        let new = [2_i64, 4, 1];
        let old = [6_i64, 1, 9];
        let before: Vec<i64> = (0..3).map(|i| now[i] - new[i] + old[i]).collect();
        let total: i64 = signed_choices(&[both(0), both(1), both(2)])
            .iter()
            .map(|(sign, sides)| {
                let product: i64 = (0..3)
                    .map(|i| match sides.iter().find(|(scan, _)| *scan == i) {
                        Some((_, Side::New)) => new[i],
                        Some((_, Side::Old)) => old[i],
                        _ => now[i],
                    })
                    .product();
                i64::from(*sign) * product
            })
            .sum();
        let expected: i64 = now.iter().product::<i64>() - before.iter().product::<i64>();
        assert_eq!(total, expected);
    }

    #[test]
    fn keyed_choices_take_every_set_of_old_rows() {
        let choices = keyed_choices(&[both(0), both(2)]);
        assert_eq!(choices.iter().filter(|(sign, _)| *sign > 0).count(), 2);
        assert_eq!(choices.iter().filter(|(sign, _)| *sign < 0).count(), 3);
    }
}
