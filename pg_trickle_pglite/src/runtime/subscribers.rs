//! Which stream tables have subscribers, and which.

use crate::text::names;
use std::cell::RefCell;

thread_local! {
    /// Stream tables, with the names of those that follow them.
    static SUBSCRIBERS: RefCell<Vec<(i32, String)>> = const { RefCell::new(Vec::new()) };
}

/// A subscriber follows a stream table from now on.
pub fn add(id: i32, name: &str) {
    SUBSCRIBERS.with_borrow_mut(|all| {
        if !all.iter().any(|(_, known)| known == name) {
            all.push((id, name.to_owned()));
        }
    });
}

/// A subscriber follows nothing any more. The stream table that it has followed.
pub fn remove(name: &str) -> Option<i32> {
    SUBSCRIBERS.with_borrow_mut(|all| {
        let place = all.iter().position(|(_, known)| known == name)?;
        Some(all.remove(place).0)
    })
}

/// Does a stream table have subscribers?
#[must_use]
pub fn follow(id: i32) -> bool {
    SUBSCRIBERS.with_borrow(|all| all.iter().any(|(followed, _)| *followed == id))
}

/// Calls a function for each stream table and subscriber.
pub fn for_each(mut body: impl FnMut(i32, &str)) {
    SUBSCRIBERS.with_borrow(|all| all.iter().for_each(|(id, name)| body(*id, name)));
}

/// The stream tables with subscribers, as the text of an array; nothing where there are none.
#[must_use]
pub fn followed() -> Option<String> {
    SUBSCRIBERS.with_borrow(|all| (!all.is_empty()).then(|| names::array(all.iter().map(|(id, _)| id))))
}
