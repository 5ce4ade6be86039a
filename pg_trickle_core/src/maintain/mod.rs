//! What all operators share to maintain a stage: its storage table, the ways to patch it, and the programs that do so.

pub mod bounded;
pub mod crossing;
pub mod full_refresh;
pub mod key;
pub mod netting;
pub mod nulls;
pub mod operator_tree;
pub mod rekey;
pub mod stage;
pub mod storage;
