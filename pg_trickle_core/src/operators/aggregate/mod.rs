//! Aggregation: `GROUP BY` with aggregates whose result follows from a state of fixed size, and HAVING.
//!
//! A group is one stored row: its key, the number of its input rows, and for each aggregate a state from which the
//! result follows. count and sum are homomorphisms from bags to an algebraic group, so their state changes by the
//! weighted sum over the delta: n' = n + Σw, s' = s + Σw·x. A group whose n' is 0 is deleted. avg is sum / count;
//! variance, covariance and regression are functions of the sums of x, y, x², y² and xy; bool_and and bool_or depend on
//! the number of true inputs. bit_xor is its own inverse.
//!
//! min and max have no inverse. An insertion keeps the better of the stored and the new value. Only if a deleted value
//! reaches the stored one, and no inserted value does, is the extremum of the group looked up again in the sources.
//! bit_and and bit_or are looked up again if a deleted value decided a bit that no inserted value decides.
//!
//! NULL inputs: all aggregates but count skip them. So each of these has a count of its non-NULL inputs beside its
//! state, and is NULL if that count is 0 (min and max are NULL by themselves).
//!
//! numeric: sums are exact, but NaN and the infinities cannot be subtracted again. So a non-finite sum in a group with
//! a deletion is computed again. The number of decimals of sum(numeric) is the largest among its inputs
//! (numeric_accum's maxScale). For inputs without a fixed scale, a histogram of scales, kept as one number in base
//! 10^8, follows it through deletions.
//!
//! Floats: a sum of floats depends on the order of summation, and rounding cannot be undone. But every finite float is
//! a finite decimal. So the sum is kept exactly, as numeric (Kulisch's long accumulator, in decimal), and rounded once,
//! when the group is read. NaN and the infinities are represented by numbers so large that they are counted apart.
//!
//! Percentiles follow a pointer into the ordered values of the group ([`percentile`]), if there is an index on group and value.
//!
//! A UNION ALL is grouped by its branches ([`union`]).
//!
//! HAVING and the select list are part of the user's view, not of the storage. A group that HAVING hides keeps its
//! state, so it can reappear. Expressions over keys and states are evaluated only for the groups that are read, with
//! the errors that the query itself would raise.
//!
//! State: one row per group. Cost: the touched groups; for a deleted extremum, the rows of its group, or one probe of
//! an index on (key, value). Not here: aggregates whose state is as long as their input; their groups are recomputed
//! ([`super::partitioned`]).
//!
//! Source: counting, Gupta, Mumick, Subrahmanian, "Maintaining views incrementally", 1993; min and max: Palpanas et
//! al., "Incremental maintenance for non-distributive aggregate functions", 2002.

pub mod calls;
pub mod counted;
pub mod delta;
pub mod distinct_arguments;
pub mod family;
pub mod group;
pub mod keys;
pub mod lookups;
pub mod percentile;
pub mod plan;
pub mod state;
pub mod union;
pub mod variance;
