//! What subscribers of stream tables receive: a state to begin with, then the changes of each committed transaction.

pub mod feed;
pub mod outbox;
