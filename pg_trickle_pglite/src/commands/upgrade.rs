//! `upgrade`: what a new version of the extension does to the stream tables that it finds.

use super::{fallback, must_be_idle};
use crate::edge::error::Result;
use crate::edge::spi::{self, Values};
use crate::runtime::load::{self, is_bound};

/// Makes all storage anew that is of another version, lowest first.
pub fn run() -> Result<()> {
    must_be_idle("upgrade stream tables")?;
    let rows = spi::catalog(
        concat!("SELECT t.id FROM pgtrickle.stream_table t WHERE ", is_bound!()),
        &[],
    )?;
    let mut tables = Vec::new();
    for row in rows {
        let table = load::load(Values::of(row).number()?)?;
        tables.push((table.depth, table.id));
    }
    tables.sort_unstable();
    tables.into_iter().try_for_each(|(_, id)| fallback::fit(id))
}
