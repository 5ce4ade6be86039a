//! What subscribers of stream tables get: the changes of each transaction once it has committed, and states to begin with.

pub mod feed;
pub mod outbox;
