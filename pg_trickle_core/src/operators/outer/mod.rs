//! Left, right and full joins, EXISTS and NOT EXISTS, IN and NOT IN, ANY and ALL, scalar and lateral subqueries.
//!
//! What a row of the result shows is decided by its rows of the *preserved tables*: those that no outer join makes NULL and
//! that stand in no subquery, looked at with the tables around them. So the key is the keys of the preserved tables.
//!
//! Rule: find the rows of the preserved tables that meet a changed row, through the conditions of joins and subqueries
//! ([`affected`]); run the query for these again ([`crate::maintain::rekey`]). A change of a preserved table affects its own rows.
//!
//! NOT IN and ALL have three-valued logic: a NULL among the changed rows affects every row of the preserved tables, and a row
//! of theirs with a NULL is affected by every change.
//!
//! State: the result, with the keys of the preserved tables. Cost: the affected rows of these, each with what it meets; with
//! indexes on the columns of the conditions.
//!
//! Source: the terms of Larson, Zhou, "Efficient maintenance of materialized outer-join views", 2007, say which rows meet a
//! change; computing these again by key takes their place, and covers subqueries alike.

pub mod affected;
pub mod plan;
