//! Which aggregates have a state, and of what kind.

use super::variance;
use crate::catalog::Catalog;
use crate::error::Error;
use crate::oids::{BIT, BOOL, FLOAT4, FLOAT8, INT2, INT4, INT8, NUMERIC};
use crate::plan::Oid;
use crate::query::Aggref;

/// How the state of an aggregate follows from its arguments.
#[derive(Clone, Copy)]
pub enum Family {
    /// `count`.
    Count,
    /// `sum`.
    Sum,
    /// `avg`.
    Average,
    /// `min`, `max`.
    Extremum,
    /// `bool_and`, `bool_or`, with the function of `pgtrickle` that computes the result.
    Truth(&'static str),
    /// The bitwise aggregates: `Some(true)` for `bit_and`, `Some(false)` for `bit_or`, `None` for `bit_xor`.
    Bits(Option<bool>),
    /// Functions of sums.
    Sums(variance::SumsOf),
}

/// True for an aggregate of one argument that has a state, and whose result DISTINCT changes.
pub fn repeats_matter(call: &Aggref, catalog: &dyn Catalog) -> Result<bool, Error> {
    let function = catalog.function(call.function)?;
    let family = Family::of(&function.name, &function.arg_types);
    Ok(function.arg_types.len() == 1 && family.is_some_and(|family| !family.ignores_repeats()))
}

impl Family {
    /// True if repeated values change nothing, so that DISTINCT can be left out.
    pub fn ignores_repeats(self) -> bool {
        matches!(self, Family::Extremum | Family::Truth(_) | Family::Bits(Some(_)))
    }

    /// The family of a built-in aggregate, by its name and the types of its arguments.
    pub fn of(name: &str, types: &[Oid]) -> Option<Family> {
        Some(match (name, types) {
            ("count" | "regr_count", _) => Family::Count,
            ("min" | "max", [_]) => Family::Extremum,
            ("bool_and" | "every", [BOOL]) => Family::Truth("bool_and"),
            ("bool_or", [BOOL]) => Family::Truth("bool_or"),
            ("bit_and", [INT2 | INT4 | INT8 | BIT]) => Family::Bits(Some(true)),
            ("bit_or", [INT2 | INT4 | INT8 | BIT]) => Family::Bits(Some(false)),
            ("bit_xor", [INT2 | INT4 | INT8 | BIT]) => Family::Bits(None),
            ("sum", [INT2 | INT4 | INT8 | NUMERIC | FLOAT4 | FLOAT8]) => Family::Sum,
            ("avg", [INT2 | INT4 | INT8 | NUMERIC | FLOAT4 | FLOAT8]) => Family::Average,
            (_, [INT2 | INT4 | INT8 | NUMERIC | FLOAT4 | FLOAT8] | [FLOAT8, FLOAT8]) => {
                Family::Sums(variance::find(name)?)
            }
            _ => return None,
        })
    }
}
