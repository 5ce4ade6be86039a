//! Rules that turn a query into another one with the same result, for which there is an operator. One rule a file.
//!
//! In the order in which the planner applies them: CTEs become subqueries ([`ctes`]), the names of joins disappear
//! ([`join_names`]), `tableoid` becomes a constant ([`table_oid`]) and the order of subqueries is passed on ([`inherited_order`]), all by [`prepare`]; then, for each query that becomes a stage, subqueries of one row are joined ([`single_rows`]), views ([`views`])
//! and linear subqueries are merged ([`merge`]) and NOT IN becomes anti-joins ([`anti_join`]), all by
//! [`simplify`]; what has several operators is cut in two ([`split`]); FULL JOIN ([`full_join`]) and GROUPING SETS
//! ([`grouping_sets`]) become branches of a UNION ALL ([`union_branches`]); tables without a key get numbers ([`numbered`]).

pub mod anti_join;
pub mod ctes;
pub mod full_join;
pub mod grouping_sets;
pub mod inherited_order;
pub mod join_names;
pub mod merge;
pub mod numbered;
pub mod prepare;
pub mod simplify;
pub mod single_rows;
pub mod split;
pub mod table_oid;
pub mod union_branches;
pub mod views;
