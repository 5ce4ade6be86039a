//! Who learns of changes: subscribers, which receive a state to begin with, and then the changes of each committed
//! transaction; the feeds, which keep these changes in a table; and the triggers that users made on stream tables.

pub mod feed;
pub mod firing;
pub mod kept;
pub mod outbox;
