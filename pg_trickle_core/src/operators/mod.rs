//! The operators. Each folder or file holds everything about one: its rule in the head comment, how it is recognised
//! and planned, the SQL that maintains it, and what `explain` shows.

pub mod aggregate;
pub mod constant;
pub mod distinct;
pub mod full_refresh;
pub mod limit;
pub mod linear;
pub mod outer;
pub mod partitioned;
pub mod recursion;
pub mod set_operation;
pub mod temporal;
