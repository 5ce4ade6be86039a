//! WITH RECURSIVE. PostgreSQL's recursion is linear: T = B ∪ S(T), where S reads T once, and T's rows add up.
//!
//! **UNION ALL**: rows have weights, and S maps weights as a join does. The change goes in two steps, by way of E', the
//! tables without what went and before what came. What hung on rows that went is lost, what hangs on rows that came is
//! found; both add up on their own, so each ends where the query itself does:
//!
//! - lost = B(old) − B(E') + S(T, old) − S(T, E'), and again S(lost, E');
//! - found = B(new) − B(E') + S(T − lost, new) − S(T − lost, E'), and again S(found, new).
//!
//! **UNION**: deletion and rederivation (Gupta, Mumick, Subrahmanian, "Maintaining views incrementally", 1993):
//!
//! - lost = rows of T that B, or S over the same row of T, gave by a row that went and over E' does not give any more, and
//!   S(lost, E'). It may be too many: rows of a cycle derive each other. Over new tables it would be smaller, but rows that
//!   went would meet rows that came, and an expression could fail that is never computed in the query. (A table without
//!   a key cannot be told apart from what came; it stands in E' as it is now.)
//! - found = lost rows that B, or S over rows that are not lost, still gives; what B and S over rows that are not lost give
//!   for rows that came; and again S(found, new), without rows that are there and not lost.
//!
//! Where nothing went, only the last half is left: semi-naive evaluation.
//!
//! Each is one recursive CTE of one statement ([`maintenance`]); lost and found cancel before anything is written.
//!
//! State: the rows of T, found by a hash. Cost: the rows of lost and found, each with what it meets; with indexes on the
//! columns by which S joins T, and for UNION on the columns that S selects.

pub mod maintenance;
pub mod plan;
