//! Which stream tables have subscribers, and which.

use crate::edge::ffi::Oid;
use crate::text::names;
use std::cell::RefCell;

/// Who follows a stream table.
struct Subscriber {
    id: i32,
    name: String,
    /// The role that subscribed.
    role: Oid,
}

thread_local! {
    static SUBSCRIBERS: RefCell<Vec<Subscriber>> = const { RefCell::new(Vec::new()) };
}

/// A role's subscriber follows a stream table from now on.
pub fn add(id: i32, name: &str, role: Oid) {
    SUBSCRIBERS.with_borrow_mut(|all| {
        all.retain(|known| known.name != name);
        all.push(Subscriber {
            id,
            name: name.to_owned(),
            role,
        });
    });
}

/// A subscriber follows nothing any more. The stream table that it has followed.
pub fn remove(name: &str) -> Option<i32> {
    SUBSCRIBERS.with_borrow_mut(|all| {
        let place = all.iter().position(|known| known.name == name)?;
        Some(all.remove(place).id)
    })
}

/// Does a stream table have subscribers?
#[must_use]
pub fn follow(id: i32) -> bool {
    SUBSCRIBERS.with_borrow(|all| all.iter().any(|each| each.id == id))
}

/// The stream tables with subscribers.
#[must_use]
pub fn all() -> Vec<i32> {
    SUBSCRIBERS.with_borrow(|all| all.iter().map(|each| each.id).collect())
}

/// The subscribers of a stream table, with their roles.
#[must_use]
pub fn of(id: i32) -> Vec<(String, Oid)> {
    let own = |each: &Subscriber| (each.id == id).then(|| (each.name.clone(), each.role));
    SUBSCRIBERS.with_borrow(|all| all.iter().filter_map(own).collect())
}

/// The stream tables with subscribers, as the text of an array; nothing where there are none.
#[must_use]
pub fn followed() -> Option<String> {
    SUBSCRIBERS.with_borrow(|all| (!all.is_empty()).then(|| names::array(all.iter().map(|each| each.id))))
}
