//! Scalar and lateral subqueries; EXISTS, IN, ANY and ALL where they are not conjuncts of WHERE; outer joins beside them,
//! and those that a fold does not take ([`crate::operators::linear::outer_join`]).
//!
//! The *preserved tables* of a query are the tables on the preserved side of every outer join and outside all
//! subqueries. A result row is determined by its rows of the preserved tables and the tables these are joined to. So
//! the key of the result is made of the keys of the preserved tables.
//!
//! Rule: find the affected rows of the preserved tables, those that meet a changed row through the conditions of joins
//! and subqueries ([`affected`]), and run the query again for these ([`crate::maintain::rekey`]). A change to a
//! preserved table affects its own rows.
//!
//! NOT IN and ALL have three-valued logic: a NULL among the changed rows affects every row of the preserved tables, and
//! a preserved row with a NULL is affected by every change.
//!
//! State: the result, with the keys of the preserved tables. Cost: the affected rows and their matches, given indexes
//! on the columns of the conditions.
//!
//! Source: the terms of Larson, Zhou, "Efficient maintenance of materialized outer-join views", 2007, say which rows a
//! change affects. Here they are computed again by key instead of term by term, which covers subqueries as well.

pub mod affected;
pub mod join_path;
pub mod plan;
