//! Settings of the session that hold while something is run, planned or written.

use super::ffi::Setting;
use std::ffi::CStr;

/// One table, of which each purpose takes a part.
static SETTINGS: [Setting; 12] = [
    Setting::new(c"search_path", c"pg_catalog"),
    Setting::new(c"DateStyle", c"ISO"),
    Setting::new(c"IntervalStyle", c"iso_8601"),
    Setting::new(c"extra_float_digits", c"1"),
    Setting::new(c"bytea_output", c"hex"),
    Setting::new(c"standard_conforming_strings", c"on"),
    Setting::new(c"array_nulls", c"on"),
    Setting::new(c"transform_null_equals", c"off"),
    Setting::new(c"enable_seqscan", c"off"),
    Setting::new(c"enable_hashjoin", c"off"),
    Setting::new(c"enable_mergejoin", c"off"),
    Setting::new(c"plan_cache_mode", c"force_generic_plan"),
];

/// Constants are written so that they mean the same under all settings.
pub const WRITING: &[Setting] = SETTINGS.split_at(5).0;

/// For a text that is planned for what it works on: it means the same under all settings of the session.
pub const PARSING: &[Setting] = SETTINGS.split_at(8).0.split_at(1).1;

/// For a plan that is kept: one that was made on an empty table must still be right for a full one, so it walks
/// indexes wherever there are any.
pub const FOR_FEW: &[Setting] = SETTINGS.split_at(1).1;

/// For queries of the catalog.
pub static CATALOG: [Setting; 10] = [
    Setting::new(c"search_path", c"pg_catalog, pg_temp"),
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

/// For our statements that run as the user.
pub static USER: [Setting; 2] = [
    Setting::new(c"client_min_messages", c"warning"),
    Setting::new(c"standard_conforming_strings", c"on"),
];

/// For the user's own text.
pub const USERS_TEXT: &[Setting] = USER.split_at(1).0;

/// Runs something with the settings for a text of the core, and in a time zone, if one is given.
pub fn in_zone<T>(zone: Option<&CStr>, run: impl FnOnce(&[Setting]) -> T) -> T {
    let mut all: Vec<Setting> = PARSING.iter().map(Setting::copy).collect();
    all.extend(zone.map(|zone| Setting::new(c"TimeZone", zone)));
    run(&all)
}
