//! WITH RECURSIVE. PostgreSQL's recursion is linear: T = B ∪ S(T), where S reads T once, and the rows of T accumulate.
//!
//! In what follows, E' stands for the tables without their deleted rows and without their inserted rows.
//!
//! **UNION ALL**: rows have weights, and S maps weights as a join does. The change is applied in two steps, by way of
//! E'. Rows derived from deleted rows are lost, and rows derived from inserted rows are found. Each accumulates on its
//! own, so each terminates where the query itself does:
//!
//! - lost = B(old) − B(E') + S(T, old) − S(T, E'), and again S(lost, E');
//! - found = B(new) − B(E') + S(T − lost, new) − S(T − lost, E'), and again S(found, new).
//!
//! **UNION**: deletion and rederivation (Gupta, Mumick, Subrahmanian, "Maintaining views incrementally", 1993):
//!
//! - lost = rows of T that B, or S over the same row of T, derived from a deleted row and does not derive over E'; and
//!   again S(lost, E'). These may be too many, because rows of a cycle derive each other. Over the new tables they
//!   would be fewer, but deleted rows would be joined to inserted ones, and an expression could fail that the query
//!   never evaluates. (A table without a key cannot tell its inserted rows from the others, so E' has it as it is now.)
//! - found = lost rows that B, or S over rows that are not lost, still derives; rows that B, or S over rows that are
//!   not lost, derives from inserted rows; and again S(found, new), without rows that are stored and not lost.
//!
//! Without deletions, only the last part of `found` remains: semi-naive evaluation.
//!
//! Each is one recursive CTE of a single statement ([`maintenance`]). Lost and found rows cancel before anything is
//! written.
//!
//! State: the rows of T, found by a hash. Cost: the lost and found rows and their matches, given indexes on the columns
//! by which S joins T, and for UNION also on the columns that S selects.

pub mod maintenance;
pub mod plan;
