//! The text in which PostgreSQL stores trees (`pg_rewrite.ev_action`), as a generic tree.
//!
//! This module knows the notation: braces, lists, tokens and their escapes. It knows no node by name and no server
//! version; those are up to [`crate::query`].

mod access;
mod lexer;
mod tree;

pub use access::{Items, Node, Value};
pub use tree::{MAX_DEPTH, Tree};

#[cfg(test)]
mod tests;
