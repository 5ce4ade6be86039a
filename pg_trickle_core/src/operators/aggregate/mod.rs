//! Aggregate: `GROUP BY` with aggregates whose result follows from a state of fixed size, and HAVING.
//!
//! A group is one stored row: its key, the number of its input rows, and per aggregate a state from which the result
//! follows. count and sum are homomorphisms from bags to a group (the algebraic kind), so the state changes by the sum
//! over the delta with weights: n' = n + Σw, s' = s + Σw·x. A group whose n' is 0 goes. avg is sum / count; variance,
//! covariance and regression are functions of the sums of x, y, x², y² and xy; bool_and and bool_or of the number of
//! inputs that are true. bit_xor is its own inverse.
//! min and max have no inverse: an insert keeps the better of stored and new value; only when a deleted value reaches
//! the stored one, and no new value does, is the group's extremum looked up again in the sources. So it is with bit_and
//! and bit_or, where a deleted value decides a bit that no new value decides.
//!
//! NULL inputs: all but count skip them, so each has the count of its non-NULL inputs beside it, and is NULL when that
//! is 0 (min and max are so by themselves).
//!
//! numeric: sums are exact, but NaN and the infinities cannot be taken back, so a non-finite sum that meets a deletion
//! is computed again for its group. The number of decimals of sum(numeric) is the longest of its inputs
//! (numeric_accum's maxScale); for inputs without a fixed scale a histogram of scales, kept as one number in base 10^8,
//! follows it under deletions.
//!
//! Floats: their sums depend on the order of summation, and what was rounded cannot be taken back. But each finite one is
//! a finite decimal, so the sum is kept as numeric, exact (Kulisch's long accumulator, in decimal), and rounded once,
//! where the group is read. NaN and the infinities are numbers so large in it that they count apart.
//!
//! HAVING and the select list stand in the user's view, not in the storage: a group that the condition hides keeps its state,
//! so that it can come back, and expressions over keys and states are computed for the groups that are read, with the errors
//! that the query itself would raise.
//!
//! State: one row per group. Cost: the touched groups; for a deleted extremum its group, or one probe of an index on
//! (key, value). Not here: aggregates whose state is as long as their input; their groups are recomputed
//! ([`super::partitioned`]).
//!
//! Source: counting, Gupta, Mumick, Subrahmanian, "Maintaining views incrementally", 1993; min and max: Palpanas et al.,
//! "Incremental maintenance for non-distributive aggregate functions", 2002.

pub mod calls;
pub mod counted;
pub mod distinct_arguments;
pub mod family;
pub mod group;
pub mod keys;
pub mod plan;
pub mod state;
pub mod variance;
