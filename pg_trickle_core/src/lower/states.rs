//! Aggregate calls as states of a group, and results as expressions over states.

use super::columns::{INT8, NUMERIC, collate};
use super::linear::Flat;
use super::scale::fixed_scale;
use super::scans::{check, nullable, print};
use super::stop::{Stop, reason};
use crate::catalog::Catalog;
use crate::error::Error;
use crate::op::aggregate::{Kind, State, longest_scale};
use crate::plan::Oid;
use crate::query::{Aggref, Expr, SqlLeaf};

fn numeric(parts: &[&str], args: Vec<Expr>) -> Expr {
    Expr::Sql(SqlLeaf {
        parts: parts.iter().map(|part| (*part).to_owned()).collect(),
        args,
        type_oid: NUMERIC,
        typmod: -1,
        collation: 0,
    })
}

const INT2: u32 = 21;
const INT4: u32 = 23;

/// The states that the aggregate calls of a query need, each once.
pub struct States<'a> {
    flat: &'a Flat,
    catalog: &'a dyn Catalog,
    /// Distinct arguments, as SQL over the scans.
    pub arguments: Vec<String>,
    /// The states; unnamed ones have an empty name.
    pub states: Vec<State>,
    calls: Vec<(Aggref, Value)>,
}

/// The result of an aggregate call.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Value {
    /// A state as it is.
    State(usize),
    /// A numeric sum, shown with the longest scale of its inputs.
    ScaledSum { sum: usize, scales: usize },
    /// sum / count.
    Average {
        sum: usize,
        scales: Option<usize>,
        count: usize,
    },
}

impl<'a> States<'a> {
    /// With the count of rows as first state.
    pub fn new(flat: &'a Flat, catalog: &'a dyn Catalog) -> Self {
        let rows = State {
            name: String::new(),
            type_oid: INT8,
            type_sql: "pg_catalog.int8".to_owned(),
            collate: String::new(),
            collation: 0,
            kind: Kind::Count,
            argument: None,
        };
        States {
            flat,
            catalog,
            arguments: Vec::new(),
            states: vec![rows],
            calls: Vec::new(),
        }
    }

    /// Adds what every aggregate call in an expression needs.
    pub fn add_calls(&mut self, expr: &Expr) -> Result<(), Stop> {
        let mut calls = Vec::new();
        expr.for_each(&mut |node| {
            if let Expr::Aggref(call) = node {
                calls.push((**call).clone());
            }
        });
        for call in calls {
            if self.value(&call).is_none() {
                let value = self.lower(&call)?;
                self.calls.push((call, value));
            }
        }
        Ok(())
    }

    /// The result of a call that was added.
    pub fn value(&self, call: &Aggref) -> Option<Value> {
        self.calls
            .iter()
            .find(|(known, _)| known == call)
            .map(|(_, value)| *value)
    }

    /// A result as an expression over states; `state` gives the column of one.
    pub fn result(&self, value: Value, state: &dyn Fn(usize) -> Expr) -> Expr {
        let rounded = |sum: usize, scales: usize| {
            let (before, after) = longest_scale();
            numeric(
                &[
                    "pg_catalog.round(",
                    &format!(", ({before}"),
                    &format!("{after})::pg_catalog.int4)"),
                ],
                vec![state(sum), state(scales)],
            )
        };
        match value {
            Value::State(n) => state(n),
            Value::ScaledSum { sum, scales } => rounded(sum, scales),
            Value::Average { sum, scales, count } => {
                let sum = scales.map_or_else(|| state(sum), |scales| rounded(sum, scales));
                numeric(
                    &[
                        "",
                        "::pg_catalog.numeric OPERATOR(pg_catalog./) ",
                        "::pg_catalog.numeric",
                    ],
                    vec![sum, state(count)],
                )
            }
        }
    }

    fn lower(&mut self, call: &Aggref) -> Result<Value, Stop> {
        let function = self.catalog.function(call.function)?;
        let name = function.name.as_str();
        let described = || {
            let types: Vec<String> = function
                .arg_types
                .iter()
                .map(|oid| self.catalog.type_sql(*oid, -1))
                .collect::<Result<_, Error>>()
                .unwrap_or_default();
            format!("aggregate {name}({})", types.join(", ").replace("pg_catalog.", ""))
        };
        let plain = function.schema == "pg_catalog" && call.kind == 'n' && call.levels_up == 0 && !call.variadic;
        if !plain {
            return Err(Stop::Reason(described()));
        }
        let argument = match (call.args.as_slice(), name) {
            ([], "count") => None,
            ([one], "count" | "sum" | "avg" | "min" | "max") => Some(&one.expr),
            _ => return Err(Stop::Reason(described())),
        };
        let extremum = matches!(name, "min" | "max");
        if !call.distinct.is_empty() && !extremum {
            return reason(&format!("{name}(DISTINCT ...)"));
        }
        if let Some(filter) = &call.filter {
            check(self.flat, filter, self.catalog)?;
        }
        let Some(argument) = argument else {
            return Ok(Value::State(match &call.filter {
                None => 0,
                Some(filter) => {
                    let filter = print(self.flat, filter, self.catalog)?;
                    let argument = self.argument(format!("CASE WHEN {filter} THEN 1 END"));
                    self.count(argument)?
                }
            }));
        };
        check(self.flat, argument, self.catalog)?;
        let sql = print(self.flat, argument, self.catalog)?;
        let not_null = call.filter.is_none() && !nullable(self.flat, argument)?;
        let sql = match &call.filter {
            None => sql,
            Some(filter) => format!("CASE WHEN {} THEN {sql} END", print(self.flat, filter, self.catalog)?),
        };
        if extremum {
            return self.extremum(call, name == "min", sql);
        }
        let position = if name == "count" && not_null {
            return Ok(Value::State(0));
        } else {
            self.argument(sql)
        };
        let count = if not_null { 0 } else { self.count(position)? };
        if name == "count" {
            return Ok(Value::State(count));
        }
        let of = argument.type_oid();
        if ![INT2, INT4, INT8, NUMERIC].contains(&of) || function.arg_types != [of] {
            return Err(Stop::Reason(described()));
        }
        let type_oid = if of == INT2 || of == INT4 { INT8 } else { NUMERIC };
        let scaled = fixed_scale(argument, self.catalog)?.is_none();
        let kind = Kind::Sum {
            count,
            numeric: of == NUMERIC,
            scaled,
        };
        let sum = self.state(kind, position, type_oid, 0)?;
        let scales = match scaled {
            false => None,
            true => Some(self.state(Kind::Scales, position, NUMERIC, 0)?),
        };
        Ok(match (name, scales) {
            ("avg", scales) => Value::Average { sum, scales, count },
            (_, Some(scales)) => Value::ScaledSum { sum, scales },
            (_, None) => Value::State(sum),
        })
    }

    fn extremum(&mut self, call: &Aggref, least: bool, sql: String) -> Result<Value, Stop> {
        let default = self.catalog.default_equality(call.type_oid)?;
        let Some(less) = default.and_then(|default| default.less) else {
            return reason("minimum of a type without an order");
        };
        let less = crate::sql::expr::operator_sql(&less);
        let kind = if least { Kind::Min(less) } else { Kind::Max(less) };
        let position = self.argument(sql);
        Ok(Value::State(self.state(
            kind,
            position,
            call.type_oid,
            call.collation,
        )?))
    }

    fn argument(&mut self, sql: String) -> usize {
        match self.arguments.iter().position(|known| *known == sql) {
            Some(position) => position,
            None => {
                self.arguments.push(sql);
                self.arguments.len() - 1
            }
        }
    }

    fn count(&mut self, argument: usize) -> Result<usize, Error> {
        self.state(Kind::Count, argument, INT8, 0)
    }

    fn state(&mut self, kind: Kind, argument: usize, type_oid: Oid, collation: Oid) -> Result<usize, Error> {
        let known = self
            .states
            .iter()
            .position(|state| state.kind == kind && state.argument == Some(argument));
        if let Some(known) = known {
            return Ok(known);
        }
        self.states.push(State {
            name: String::new(),
            type_oid,
            type_sql: self.catalog.type_sql(type_oid, -1)?,
            collate: collate(type_oid, collation, self.catalog)?,
            collation,
            kind,
            argument: Some(argument),
        });
        Ok(self.states.len() - 1)
    }
}
