//! Scan, filter, projection, inner and cross join, UNION ALL, VALUES and functions in FROM: the linear operators.
//!
//! A linear operator maps a Z-set (rows with weights) to a Z-set. So the change of a query of linear operators is the query
//! itself over the change of a table in place of the table:
//!
//! - filter: Δσ(R) = σ(ΔR), the condition joins the WHERE of every term;
//! - projection: Δπ(R) = π(ΔR) as a bag, weights are kept. A set-returning function in the list maps one row to several, which
//!   is linear too, but then a key of the input is no key of the output;
//! - scans, joins and unions: [`scan`], [`inner_join`], [`branch`].
//!
//! Other operators stand on a linear block ([`block`]). Without one, its rows are stored as they are ([`bag`]).
//!
//! State: none of their own. Cost: the change and its matches.
//!
//! Source: Blakeley, Larson, Tompa, "Efficiently updating materialized views", 1986, for sets with counters; for bags, weights
//! are those counters.

pub mod bag;
pub mod block;
pub mod branch;
pub mod inner_join;
pub mod plan;
pub mod recognise;
pub mod scan;
pub mod touched;
