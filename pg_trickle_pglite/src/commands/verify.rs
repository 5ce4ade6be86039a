//! `verify_stream_table`.

use super::find;
use crate::error::Result;
use crate::ffi;
use crate::json::Json;
use crate::spi::Values;
use crate::{plans, sql, stages};
use pg_trickle_core::catalog::Catalog;
use sql::Compared;

const FLOAT4: u32 = 700;
const FLOAT8: u32 = 701;

/// Compares with the query, and says how many rows are missing and how many are too many.
pub fn run(name: &str) -> Result<String> {
    let found = find::stream_table(name)?;
    find::must_read(&found)?;
    let stage = stages::load(found.id)?;
    let catalog = crate::catalog::SpiCatalog::new();
    let view = catalog.relation(stage.relid);
    let rounds = stage.stages.iter().any(|each| each.stage.rounds_once());
    let mut columns = Vec::new();
    for column in view?.columns {
        columns.push(match column.type_oid {
            FLOAT4 if rounds => Compared::Near("1e-3"),
            FLOAT8 if rounds => Compared::Near("1e-9"),
            other if catalog.default_equality(other)?.is_none() => Compared::ByText,
            _ => Compared::ByType,
        });
    }
    catalog.finish()?;
    let text = sql::difference(&stage.definition, &stage.name, &columns);
    let row = ffi::query(&text, &[], plans::PARSING, stage.role, None)
        .map_err(|error| error.about(&stage.name))?
        .pop()
        .unwrap_or_default();
    let mut values = Values::of(row);
    let (missing, extra) = (values.number()?, values.number()?);
    Ok(Json::Object(vec![
        ("ok", Json::Bool(missing == 0 && extra == 0)),
        ("missing", Json::Number(missing)),
        ("extra", Json::Number(extra)),
    ])
    .write())
}
