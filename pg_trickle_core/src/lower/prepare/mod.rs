//! Makes a query plain before it is cut into stages: CTEs become subqueries, names of joins disappear, and views and
//! subqueries that only scan, join, filter and project are merged into the query that reads them.

pub mod ctes;
pub mod joins;
pub mod order;
pub mod pull_up;
