//! The linear operators: scan, filter, projection, inner and cross join, UNION ALL, VALUES and functions in FROM.
//!
//! A linear operator maps a Z-set (rows with weights) to a Z-set. So the delta of a query of linear operators is the
//! query itself, with the delta of a table in place of the table:
//!
//! - filter: Δσ(R) = σ(ΔR); the condition is part of the WHERE of every term;
//! - projection: Δπ(R) = π(ΔR) as a bag; weights are kept. A set-returning function in the select list maps one row to
//!   several, which is linear too, but then a key of the input is not a key of the output;
//! - scans, joins and unions: [`scan`], [`inner_join`], [`branch`];
//! - outer joins, EXISTS and IN are linear in the rows that they keep: [`outer_join`].
//!
//! Other operators build on a linear block ([`block`]). If there are none, its rows are stored as they are ([`bag`]).
//!
//! State: none. Cost: the change and its matches.
//!
//! Source: Blakeley, Larson, Tompa, "Efficiently updating materialized views", 1986, for sets with counters. For bags,
//! the counters are the weights.

pub mod bag;
pub mod between;
pub mod block;
pub mod branch;
pub mod compared;
pub mod inner_join;
pub mod outer_join;
pub mod plan;
pub mod recognise;
pub mod scan;
pub mod touched;
