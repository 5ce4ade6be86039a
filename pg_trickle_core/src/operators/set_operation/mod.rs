//! UNION, INTERSECT and EXCEPT, with and without ALL.
//!
//! UNION ALL is a bag of several branches. The others group the rows of both sides by all columns and count each side,
//! l and r. The counts determine how often a row appears:
//!
//! - UNION: once if l + r > 0;
//! - INTERSECT: once if l > 0 and r > 0; INTERSECT ALL: min(l, r) times;
//! - EXCEPT: once if l > 0 and r = 0; EXCEPT ALL: max(l − r, 0) times.
//!
//! Rows that cannot be counted, because equal values can look different, are recomputed together with all rows equal to
//! them ([`rows`]).
//!
//! Cost: one stored row per changed value. With ALL, the copies are made when the view is read. Source: counting,
//! Gupta, Mumick, Subrahmanian, 1993, with a count for each side; minimum and difference of counts are the SQL
//! standard's definitions.

pub mod leaves;
pub mod plan;
pub mod rows;
