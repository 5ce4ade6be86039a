//! Questions about a query that several rules ask. Nothing here decides how a query is maintained.

pub mod clock;
pub mod fallback;
pub mod from_items;
pub mod join_block;
pub mod join_tree;
pub mod keys;
pub mod linear_block;
pub mod numeric_scale;
pub mod order;
pub mod raising;
pub mod shape;
pub mod sources;
pub mod stability;
pub mod types;
pub mod value_identity;
pub mod volatility;
