//! `verify_stream_table`.

use super::{find, print};
use crate::edge::catalog::SpiCatalog;
use crate::edge::error::{Result, SqlError};
use crate::edge::{ffi, spi};
use crate::runtime::load;
use pg_trickle_core::ZONE;
use pg_trickle_core::catalog::Catalog;
use pg_trickle_core::json::Json;
use pg_trickle_core::plan::{Returns, Statement};

const FLOAT4: u32 = 700;
const FLOAT8: u32 = 701;

/// Compares with the query, and says how many rows are missing and how many are too many.
pub fn run(name: &str) -> Result<String> {
    let found = find::stream_table(name)?;
    find::must_read(&found)?;
    let stage = load::load(found.id)?;
    let rounds = stage.stages.iter().any(|each| each.stage.rounds_once());
    let (columns, _) = SpiCatalog::ask(stage.role, |catalog| {
        let mut columns = Vec::new();
        for column in catalog.relation(stage.relid)?.columns {
            columns.push(match column.type_oid {
                FLOAT4 if rounds => Compared::Near("1e-3"),
                FLOAT8 if rounds => Compared::Near("1e-9"),
                other if catalog.default_equality(other)?.is_none() => Compared::ByText,
                _ => Compared::ByType,
            });
        }
        Ok(columns)
    })?;
    let (truth, stored, zone) = match stage.clock() {
        None => (stage.definition.clone(), stage.name.clone(), None),
        // Both sides as of the moment up to which the stream table is right, in the time zone of then.
        Some(clock) => {
            let clock = &clock.stage.storage;
            let zone = format!("SELECT {ZONE} FROM {clock}");
            (
                format!("({})", print::as_of(&stage.definition, clock, stage.role)?),
                format!("({})", print::as_of(&stage.name, clock, stage.role)?),
                spi::catalog_value(&zone, &[])?.map(|zone| ffi::c_string(&zone)),
            )
        }
    };
    let text = difference(&truth, &stored, &columns);
    let top = stage
        .stages
        .last()
        .ok_or_else(|| SqlError::internal("a stream table without a stage"))?;
    let comparison = Statement {
        sql: text,
        bulk: None,
        returns: Returns::Answer,
    };
    let [missing, extra, _] = top.run_once_in_zone(&[comparison], zone.as_deref())?;
    Ok(Json::Object(vec![
        ("ok", Json::Bool(missing == 0 && extra == 0)),
        ("missing", Json::Number(missing)),
        ("extra", Json::Number(extra)),
    ])
    .write())
}

/// How the values of a column are compared.
#[derive(Clone, Copy)]
enum Compared {
    /// By the equality of their type.
    ByType,
    /// By their text, for types without one.
    ByText,
    /// They may differ by this fraction.
    Near(&'static str),
}

/// Counts the rows that two relations do not share, as bags: `(missing, extra)` from the second's point of view.
fn difference(truth: &str, stored: &str, columns: &[Compared]) -> String {
    let mut names: Vec<String> = (1..=columns.len()).map(|n| format!("c{n}")).collect();
    let list: String = names
        .iter()
        .zip(columns)
        .map(|(name, compared)| match compared {
            Compared::ByText => format!("{name}::pg_catalog.text, "),
            Compared::ByType | Compared::Near(_) => format!("{name}, "),
        })
        .collect();
    let keys: Vec<String> = (1..=columns.len()).map(|n| n.to_string()).collect();
    let (group, alias) = if keys.is_empty() {
        ("()".to_owned(), "q".to_owned())
    } else {
        (keys.join(", "), format!("q({})", names.join(", ")))
    };
    let both = if names.is_empty() {
        "q(n)".to_owned()
    } else {
        format!("q({}, n)", names.join(", "))
    };
    let counted = format!(
        "(SELECT {list}sum(n) AS total FROM (SELECT {list}1 AS n FROM {truth} AS {alias} \
         UNION ALL SELECT {list}-1 FROM {stored} AS {alias}) AS {both} GROUP BY {group}) AS counted"
    );
    let mut near = Vec::new();
    let mut floats = Vec::new();
    for n in (0..columns.len()).rev() {
        if let Compared::Near(most) = columns[n] {
            let c = names.remove(n);
            near.push(format!(
                " AND (count({c}) = 0 OR count({c}) = 2 AND (max({c}) = min({c}) OR \
                 max({c}) / 2 - min({c}) / 2 < {most} * greatest(abs(max({c})), abs(min({c})))))"
            ));
            floats.push(c);
        }
    }
    if floats.is_empty() {
        return format!(
            "SELECT coalesce(sum(total) FILTER (WHERE total > 0), 0)::int8, \
             coalesce(-sum(total) FILTER (WHERE total < 0), 0)::int8 FROM {counted}"
        );
    }
    // What is left of each side, in the order of its floats: the rows at the same place must be near.
    let others: String = names.iter().map(|name| format!("{name}, ")).collect();
    format!(
        "SELECT coalesce(sum(missing), 0)::int8, coalesce(sum(extra), 0)::int8 FROM (\
         SELECT count(*) FILTER (WHERE total > 0) AS missing, count(*) FILTER (WHERE total < 0) AS extra FROM (\
         SELECT *, row_number() OVER (PARTITION BY {others}total > 0 ORDER BY {}) AS place \
         FROM {counted}, generate_series(1, abs(total)) WHERE total <> 0) AS placed \
         GROUP BY {others}place HAVING NOT (count(*) = 2{})) AS apart",
        floats.join(", "),
        near.concat(),
    )
}
