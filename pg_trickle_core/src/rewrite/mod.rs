//! Rules that turn a query into another one with the same result, for which there is an operator. One rule per file.
//!
//! The planner applies them in this order. [`prepare`] replaces CTEs by subqueries ([`ctes`]), removes the names of
//! joins ([`join_names`]), replaces `tableoid` by a constant ([`table_oid`]), and passes the order of subqueries on
//! ([`inherited_order`]). Then, for each query that becomes a stage, [`simplify`] joins subqueries of one row
//! ([`single_rows`]) and of one row per key ([`scalar_groups`],
//! [`keyed_groups`]), reduces outer joins ([`outer_to_inner`]), merges views
//! ([`views`]) and linear subqueries ([`merge`]), leaves out what nobody reads of the others ([`unread`]), keeps only the
//! first rows of each partition where a condition asks for no others ([`top`]), and turns NOT IN into anti-joins
//! ([`anti_join`]). A query with several operators is split in two ([`split`]), as is
//! a LIMIT from the subqueries of its select list. FULL JOIN ([`full_join`]) and GROUPING SETS
//! ([`grouping_sets`]) become branches of a UNION ALL
//! ([`union_branches`]). Tables without a key get row numbers ([`numbered`]).
//! DISTINCT over aggregates of whole partitions becomes GROUP BY ([`distinct_windows`]), and a mode the most frequent one of
//! counted values ([`modes`]). Lists of distinct values are lists over DISTINCT ([`distinct_lists`]).
//! GROUP BY over a UNION ALL is over its branches ([`grouped_union`]).
//! Facts are added up before they are joined to their dimensions (`pre_aggregate`), where that is wanted.
//! Columns that a grouped primary key determines are grouped by, too, or become aggregates ([`dependents`]).

pub mod anti_join;
pub mod ctes;
pub mod dependents;
pub mod distinct_lists;
pub mod distinct_windows;
pub mod full_join;
pub mod grouped_union;
pub mod grouping_sets;
pub mod inherited_order;
pub mod join_names;
pub mod keyed_groups;
pub mod merge;
pub mod modes;
pub mod numbered;
pub mod outer_to_inner;
#[cfg(feature = "changes")]
pub mod pre_aggregate;
pub mod prepare;
pub mod scalar_groups;
pub mod simplify;
pub mod single_rows;
pub mod split;
pub mod table_oid;
pub mod temporal;
pub mod top;
pub mod union_branches;
pub mod unread;
pub mod views;
