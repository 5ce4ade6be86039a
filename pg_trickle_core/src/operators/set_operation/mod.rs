//! UNION, INTERSECT and EXCEPT, with and without ALL.
//!
//! UNION ALL is a bag of several branches. The others group the rows of both sides by all columns and count each side,
//! l and r; how often a row is shown follows from the counts: UNION l + r > 0, INTERSECT l > 0 and r > 0, EXCEPT l > 0 and
//! r = 0, INTERSECT ALL min(l, r) times, EXCEPT ALL max(l − r, 0) times. Rows that cannot be counted, because equal ones
//! can look different, are recomputed with all that are equal to them ([`rows`]).
//!
//! Cost: one stored row per changed value; with ALL, its copies are made where it is read. Source: counting, Gupta, Mumick,
//! Subrahmanian, 1993, with a count for each side; min and difference of counts are the definitions of the SQL standard.

pub mod leaves;
pub mod plan;
pub mod rows;
