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
//! **UNION**: deletion and rederivation (Gupta, Mumick, Subrahmanian, "Maintaining views incrementally", 1993), of rows
//! without support:
//!
//! - candidates = rows of T that B, or S over the same row of T, derived from a deleted row and does not derive over E'.
//!   (A table without a key cannot tell its inserted rows from the others, so E' has it as it is now.)
//! - lost = candidates that have no support; rows of S(lost) are candidates, too.
//! - found = lost rows that B, or S over rows that are not lost, still derives; rows that B, or S over rows that are
//!   not lost, derives from inserted rows; and again S(found, new), without rows that are stored and not lost.
//!
//! Without deletions, only the last part of `found` remains: semi-naive evaluation.
//!
//! Support is well-founded. Each row has a *rank*, its place in the order in which rows were found, and so was derived
//! by B, or by S from a row of a smaller rank. A candidate has support if it still is. Ranks along such derivations fall,
//! so no cycle can hold itself: a row without support may be derivable, but a row with support is. So an edge of a graph
//! with alternatives costs the few rows that were found by way of it only. Support is looked for in the new tables, or
//! over E' where an expression could fail for a deleted row joined to an inserted one, which the query never evaluates.
//!
//! PostgreSQL emits the rows of a recursion in the order in which it finds them, and an identity column numbers them as
//! they are stored. Lost rows that are found again are stored again. When the query runs again and only the difference is
//! stored, the rows that stay are not written, so their ranks are out of date. Before it runs, the sequence jumps; ranks
//! up to a second jump, before the storage is filled, count as the same one, the smallest. Rows of this rank are
//! supported by B alone: for them, this is the usual algorithm, which loses all that may have been derived. For each of
//! them there is a derivation by rows of this rank, and programs keep it so. A sequence is not rolled back, which only
//! takes ranks for out of date that are not. If too many rows of this rank are lost, the storage is filled anew.
//!
//! Without indexes that find the support of a row, all is lost that may have been derived.
//!
//! Each is one recursive CTE of a single statement ([`maintenance`], [`support`]).
//!
//! State: the rows of T, found by a hash, and their ranks. Cost: the candidates, the lost and found rows and their matches,
//! given indexes on the columns by which S joins T, and for UNION also on the columns that S selects.

pub mod maintenance;
pub mod plan;
pub mod support;
