//! Rules that turn a query into another one with the same result, for which there is an operator. One rule a file.
//!
//! In the order in which the planner applies them: CTEs become subqueries ([`ctes`]) and the names of joins disappear
//! ([`join_names`]); then, for each query that becomes a stage, subqueries of one row are joined ([`single_rows`]), views and
//! linear subqueries are merged ([`merge`], [`subquery_order`]) and NOT IN becomes anti-joins ([`anti_join`]), all by
//! [`simplify`]; what has several operators is cut in two ([`split`]); FULL JOIN ([`full_join`]) and GROUPING SETS
//! ([`grouping_sets`]) become branches of a UNION ALL ([`union_branches`]); tables without a key get numbers ([`numbered`]).

pub mod anti_join;
pub mod ctes;
pub mod full_join;
pub mod grouping_sets;
pub mod join_names;
pub mod merge;
pub mod numbered;
pub mod simplify;
pub mod single_rows;
pub mod split;
pub mod subquery_order;
pub mod union_branches;
