//! LIMIT, OFFSET and FETCH FIRST: the first rows of a linear block in its order.
//!
//! Rule: of the k rows stored, those that changed leave, and changed rows that come before the last one enter. What is
//! then missing is read behind the last one, through an index in the order; what is too much leaves at the end. So
//! only rows that move over the boundary are read, however many are shown ([`boundary`]). Where rows on both sides of the
//! boundary tie in an order that does not say which comes first, the query runs again.
//!
//! Without such an index, a stage below holds a reserve: more rows than are shown, by which deleted ones are replaced. Only
//! if it runs short, the query runs again.
//!
//! With OFFSET or WITH TIES, over windows, and over tables without a key, the query runs again, and the differences are
//! written. Cost: the rows up to the last one shown, given an index; else the whole query.
//!
//! Source: Yi et al., "Efficient maintenance of materialized top-k views", 2003, which keeps such a reserve.

pub mod boundary;
pub mod plan;
