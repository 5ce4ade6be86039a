//! `memory`: how much memory there is, how much is in use, and by which stream table.

use crate::edge::error::{Result, SqlError};
use crate::edge::ffi::{self, memory};
use crate::edge::spi::{self, Values};
use crate::runtime::session;
use pg_trickle_core::json::Json;

/// What there is, in bytes. A stream table that this session has not used takes nothing.
pub fn run() -> Result<String> {
    session::freshen();
    let number = |bytes: usize| Json::Number(bytes as i64);
    let tables = session::stream_tables();
    let sizes = tables
        .iter()
        .map(|table| Json::Array(vec![Json::Number(table.id.into()), number(table.size())]));
    Ok(Json::Object(vec![
        ("limit", number(memory::limit())),
        ("used", number(memory::used())),
        ("plans", number(ffi::plan_bytes())),
        ("plan_limit", number(memory::plan_budget())),
        ("stream_tables", Json::Array(sizes.collect())),
    ])
    .write())
}

/// Sets a limit for the session, which no setting can raise. Like the setting, for superusers.
pub fn limit(bytes: &str) -> Result<()> {
    let row = spi::as_user("SELECT pg_catalog.current_setting('is_superuser')", &[])?.pop();
    let is_superuser = row.map_or(Ok(false), |row| Values::of(row).text().map(|text| text == "on"))?;
    if !is_superuser {
        return Err(
            SqlError::new("42501", "permission denied to set the memory limit of the session")
                .hint("Only superusers may. Open the database as one, or leave memoryLimit out."),
        );
    }
    memory::set_host_limit(spi::number(bytes)?);
    Ok(())
}
