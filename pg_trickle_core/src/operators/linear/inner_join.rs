//! Inner and cross join of any number of tables, self-joins included.
//!
//! With old = new − Δ, the change of R₁ ⋈ … ⋈ Rₙ is a sum over the non-empty sets S of changed occurrences:
//!
//!   Δ = Σ_S (−1)^(|S|+1) · ⋈ { ΔRᵢ for i in S, Rᵢ(new) otherwise }
//!
//! so that only the state after the statement is read. This is inclusion–exclusion, the alternative to keeping the old
//! state; Blakeley, Larson, Tompa, "Efficiently updating materialized views", 1986. For k changed occurrences there are
//! 2^k − 1 sets. Above [`MAX_CHANGED`], the stage is maintained by a full refresh instead.
//!
//! State: none. Cost: the change times its fan-out, given an index on the join columns of the unchanged tables.

use super::scan::Version;

/// The most occurrences that may change in one statement and still be folded.
pub const MAX_CHANGED: usize = 3;

/// A changed occurrence, and which of its transition tables have rows.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Changed {
    /// Position of the occurrence among the block's scans.
    pub scan: usize,
    /// The statement inserted rows.
    pub new: bool,
    /// The statement deleted rows.
    pub old: bool,
    /// They may hold more than one version of a row.
    pub repeated: bool,
}

/// A sign, and the version that each changed occurrence takes. All other occurrences take `Now`.
pub type Choice = (i8, Vec<(usize, Version)>);

/// All summands of the delta with their signs: the formula above. `apart` is an occurrence that takes its inserted and its
/// deleted rows in summands of their own, which multiplies ΔRᵢ = NEWᵢ − OLDᵢ out.
#[must_use]
pub fn signed_choices(changed: &[Changed], apart: Option<usize>) -> Vec<Choice> {
    let mut choices: Vec<Choice> = vec![(-1, Vec::new())];
    for occurrence in changed {
        let mut extended = Vec::new();
        for (sign, versions) in &choices {
            for version in versions_of(*occurrence, apart) {
                let mut with = versions.clone();
                with.push((occurrence.scan, version));
                extended.push((-sign * version.weight(), with));
            }
        }
        choices.extend(extended);
    }
    choices.retain(|(_, versions)| !versions.is_empty());
    choices
}

fn versions_of(occurrence: Changed, apart: Option<usize>) -> Vec<Version> {
    if occurrence.new && occurrence.old && apart != Some(occurrence.scan) {
        return vec![Version::Changed];
    }
    let mut versions = Vec::new();
    if occurrence.new {
        versions.push(Version::New);
    }
    if occurrence.old {
        versions.push(Version::Old);
    }
    versions
}

/// The choices for a keyed result over tables that all have keys. Weight +1: every derivation in the new state that
/// uses a new row, once for each new row in it. Weight −1: every combination that uses old rows and may have been a
/// derivation in the old state.
///
/// A key that occurs only with weight −1 has no derivation left: all parts of one would have to be unchanged rows, but
/// they have the keys of changed rows.
#[must_use]
pub fn keyed_choices(changed: &[Changed]) -> Vec<Choice> {
    let mut choices: Vec<Choice> = changed
        .iter()
        .filter(|occurrence| occurrence.new)
        .map(|occurrence| (1, vec![(occurrence.scan, Version::Renewed)]))
        .collect();
    let mut taken: Vec<Choice> = vec![(-1, Vec::new())];
    for occurrence in changed.iter().filter(|occurrence| occurrence.old) {
        let mut extended = taken.clone();
        for (_, versions) in &mut extended {
            versions.push((occurrence.scan, Version::Old));
        }
        taken.extend(extended);
    }
    taken.retain(|(_, versions)| !versions.is_empty());
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
            repeated: false,
        }
    }

    #[test]
    fn one_changed_occurrence_is_new_minus_old() {
        assert_eq!(
            signed_choices(&[both(0)], Some(0)),
            vec![(1, vec![(0, Version::New)]), (-1, vec![(0, Version::Old)])]
        );
        assert_eq!(signed_choices(&[both(0)], None), vec![(1, vec![(0, Version::Changed)])]);
    }

    #[test]
    fn two_inserts_subtract_the_pair_counted_twice() {
        let insert = |scan| Changed {
            scan,
            new: true,
            old: false,
            repeated: false,
        };
        assert_eq!(
            signed_choices(&[insert(0), insert(1)], None),
            vec![
                (1, vec![(0, Version::New)]),
                (1, vec![(1, Version::New)]),
                (-1, vec![(0, Version::New), (1, Version::New)]),
            ]
        );
    }

    /// The size of a join is a product, so numbers can check the algebra: the difference of a·b·c after and before.
    #[test]
    fn signs_add_up_to_the_difference_of_products() {
        let now = [7_i64, 5, 3];
        let new = [2_i64, 4, 1];
        let old = [6_i64, 1, 9];
        let before: Vec<i64> = (0..3).map(|i| now[i] - new[i] + old[i]).collect();
        let expected: i64 = now.iter().product::<i64>() - before.iter().product::<i64>();
        for apart in [None, Some(1)] {
            let total: i64 = signed_choices(&[both(0), both(1), both(2)], apart)
                .iter()
                .map(|(sign, versions)| {
                    let product: i64 = (0..3)
                        .map(|i| match versions.iter().find(|(scan, _)| *scan == i) {
                            Some((_, Version::New)) => new[i],
                            Some((_, Version::Old)) => old[i],
                            Some((_, Version::Changed)) => new[i] - old[i],
                            _ => now[i],
                        })
                        .product();
                    i64::from(*sign) * product
                })
                .sum();
            assert_eq!(total, expected, "{apart:?}");
        }
    }

    #[test]
    fn keyed_choices_take_every_set_of_old_rows() {
        let choices = keyed_choices(&[both(0), both(2)]);
        assert_eq!(choices.iter().filter(|(sign, _)| *sign > 0).count(), 2);
        assert_eq!(choices.iter().filter(|(sign, _)| *sign < 0).count(), 3);
    }
}
