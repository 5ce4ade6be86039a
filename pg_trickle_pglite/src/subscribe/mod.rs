//! Who learns of changes: subscribers, which receive a state to begin with, and then the changes of each committed
//! transaction; and the triggers that users made on stream tables.

pub mod feed;
pub mod firing;
pub mod outbox;
