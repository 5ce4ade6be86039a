//! Settings of the session that hold while something is run, planned or written.

use super::ffi::Setting;
use std::ffi::CStr;

/// Where names of our own statements are looked up: nobody can put anything in front of what they mean.
const FIXED_PATH: &CStr = c"pg_catalog, pg_temp";

/// PGlite has no just-in-time compiler to keep away from plans.
const JIT: usize = if cfg!(target_family = "wasm") { 0 } else { 1 };

/// One table, of which each purpose takes a part.
static SETTINGS: [Setting; 17 + JIT] = [
    Setting::new(c"search_path", FIXED_PATH),
    Setting::new(c"DateStyle", c"ISO"),
    Setting::new(c"IntervalStyle", c"iso_8601"),
    Setting::new(c"extra_float_digits", c"1"),
    Setting::new(c"bytea_output", c"hex"),
    Setting::new(c"standard_conforming_strings", c"on"),
    Setting::new(c"array_nulls", c"on"),
    Setting::new(c"transform_null_equals", c"off"),
    Setting::new(c"enable_mergejoin", c"off"),
    Setting::new(c"seq_page_cost", c"0.1"),
    Setting::new(c"random_page_cost", c"0.1"),
    // A node that is switched off costs so much in PostgreSQL 17 that each run would be compiled, for seconds.
    #[cfg(not(target_family = "wasm"))]
    Setting::new(c"jit", c"off"),
    Setting::new(c"default_table_access_method", c"heap"),
    Setting::new(c"default_tablespace", c""),
    Setting::new(c"enable_seqscan", c"off"),
    Setting::new(c"enable_hashjoin", c"off"),
    Setting::new(c"plan_cache_mode", c"force_generic_plan"),
    Setting::new(c"enable_sort", c"off"),
];

/// Constants are written so that they mean the same under all settings.
pub const WRITING: &[Setting] = SETTINGS.split_at(5).0;

/// For a text that is planned for what it works on: it means the same under all settings of the session. Of rows whose keys
/// can be NULL and so are compared as arrays, a merge join sorts both sides, which takes five times as long as to hash them;
/// the planner, which knows nothing of such arrays, takes it for cheaper. All pages are in memory.
pub const FOR_MANY: &[Setting] = SETTINGS.split_at(13 + JIT).0;

/// For DDL of the core's: the same storage under all settings of the session.
pub const MAKING: &[Setting] = SETTINGS.split_at(13 + JIT).0;

/// For a plan that is kept: one that was made on an empty table must still be right for a full one, so it walks
/// indexes wherever there are any.
pub const FOR_FEW: &[Setting] = SETTINGS.split_at(16 + JIT).0;

/// For such a plan whose statement has an index for every order in which it reads stored rows. An empty table would be
/// sorted instead.
pub const IN_ORDER: &[Setting] = &SETTINGS;

/// For what runs as the owner of a stream table: what its query reads does not depend on who changes a source. The path
/// is that of the functions of the query.
#[must_use]
pub const fn running(search_path: &CStr) -> [Setting<'_>; 3] {
    [
        Setting::new(c"search_path", search_path),
        Setting::new(c"row_security", c"on"),
        Setting::new(c"restrict_nonsystem_relation_kind", c""),
    ]
}

/// How values are written in documents.
pub const WRITING_VALUES: [Setting; 4] = [
    Setting::new(c"DateStyle", c"ISO"),
    Setting::new(c"IntervalStyle", c"iso_8601"),
    Setting::new(c"extra_float_digits", c"1"),
    Setting::new(c"bytea_output", c"hex"),
];

/// The same for values that are written as text: with all of their digits, and the same under all settings of the session
/// but its time zone, which the query may read.
#[must_use]
pub const fn running_and_writing(search_path: &CStr) -> [Setting<'_>; 7] {
    let [path, row_security, restrictions] = running(search_path);
    let [date, interval, digits, bytea] = WRITING_VALUES;
    [path, row_security, restrictions, date, interval, digits, bytea]
}

/// The same as [`running`] in a time zone.
#[must_use]
pub const fn running_in_zone<'a>(search_path: &'a CStr, zone: &'a CStr) -> [Setting<'a>; 4] {
    let [path, row_security, restrictions] = running(search_path);
    [path, row_security, restrictions, Setting::new(c"TimeZone", zone)]
}

/// For queries of the catalog.
pub static CATALOG: [Setting; 11] = [
    Setting::new(c"search_path", FIXED_PATH),
    Setting::new(c"restrict_nonsystem_relation_kind", c""),
    Setting::new(c"client_min_messages", c"warning"),
    Setting::new(c"standard_conforming_strings", c"on"),
    Setting::new(c"row_security", c"off"),
    Setting::new(c"bytea_output", c"hex"),
    Setting::new(c"plan_cache_mode", c"force_generic_plan"),
    Setting::new(c"quote_all_identifiers", c"off"),
    // Catalogs are small, and everything is found by an index: planning takes longer than any plan.
    Setting::new(c"join_collapse_limit", c"1"),
    Setting::new(c"enable_hashjoin", c"off"),
    Setting::new(c"enable_mergejoin", c"off"),
];

/// For emptying the caches of PostgreSQL, which nobody notices.
pub static FLUSHING: [Setting; 3] = [
    Setting::new(c"search_path", FIXED_PATH),
    Setting::new(c"client_min_messages", c"error"),
    Setting::new(c"event_triggers", c"off"),
];

/// For our statements that run as the user.
pub static USER: [Setting; 2] = USER_SETTINGS;

const USER_SETTINGS: [Setting; 2] = [
    Setting::new(c"client_min_messages", c"warning"),
    Setting::new(c"standard_conforming_strings", c"on"),
];

/// For those that return documents.
pub const READING: [Setting; 6] = {
    let [date, interval, digits, bytea] = WRITING_VALUES;
    let [messages, strings] = USER_SETTINGS;
    [messages, strings, date, interval, digits, bytea]
};

/// For the user's own text.
pub const USERS_TEXT: &[Setting] = USER.split_at(1).0;
