//! Aggregate calls as states of a group, and their results as expressions over states.

use super::distinct_arguments::DistinctArgument;
use super::family::Family;
use super::percentile::Percentile;
use super::state::{Kind, NO_VARIANCE, State, longest_scale, outsize};
use crate::catalog::Catalog;
use crate::error::Error;
use crate::facts::fallback::{Fallback, reason};
use crate::facts::linear_block::Flat;
use crate::facts::numeric_scale::fixed_scale;
use crate::facts::types::{collate, null_sql};
use crate::oids::{FLOAT4, FLOAT8, INT2, INT4, INT8, NUMERIC};
use crate::operators::linear::recognise::{check, nullable, print};
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

/// The states that the aggregate calls of a query need, without duplicates.
pub struct States<'a> {
    flat: &'a Flat,
    distinct: &'a [DistinctArgument],
    catalog: &'a dyn Catalog,
    /// The arguments, without duplicates.
    pub arguments: Vec<Argument>,
    /// The states. Those without a name yet have an empty one.
    pub states: Vec<State>,
    /// True if some states are sums of floats.
    pub floats: bool,
    calls: Vec<(Aggref, Value)>,
}

/// An argument of aggregates, and the part of the grouped union that supplies it.
#[derive(PartialEq, Eq)]
pub struct Argument {
    /// The part: 0 is the block itself; the parts of distinct values follow.
    pub part: usize,
    /// SQL over the scans of the part.
    sql: String,
    /// A NULL of its type, for the other parts.
    null: String,
}

impl Argument {
    /// SQL over the scans of any part: NULL in all but its own.
    pub fn of(&self, part: usize) -> String {
        if part == self.part {
            self.sql.clone()
        } else {
            self.null.clone()
        }
    }
}

/// The result of an aggregate call.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Value {
    /// A state, as it is.
    State(usize),
    /// A numeric sum, shown with the largest scale of its inputs.
    ScaledSum { sum: usize, scales: usize },
    /// sum / count.
    Average {
        sum: usize,
        scales: Option<usize>,
        count: usize,
    },
    /// A function of `pgtrickle` over states. A numeric sum comes with the state that holds its scale.
    Function(String, Vec<(usize, Option<usize>)>),
    /// This state where it is not NULL, or else the value.
    Outsize(usize, Box<Value>),
}

impl<'a> States<'a> {
    /// The first state counts rows.
    pub fn new(flat: &'a Flat, distinct: &'a [DistinctArgument], catalog: &'a dyn Catalog) -> Self {
        let rows = State {
            name: String::new(),
            type_oid: INT8,
            type_sql: "pg_catalog.int8".to_owned(),
            collate: String::new(),
            collation: 0,
            kind: Kind::Count,
            argument: None,
            times: None,
        };
        States {
            flat,
            distinct,
            catalog,
            arguments: Vec::new(),
            states: vec![rows],
            floats: false,
            calls: Vec::new(),
        }
    }

    /// Adds the states that aggregate calls need.
    pub fn add(&mut self, calls: Vec<Aggref>) -> Result<(), Fallback> {
        for call in calls {
            if self.value(&call).is_none() {
                let value = self.state_of(&call)?;
                self.calls.push((call, value));
            }
        }
        Ok(())
    }

    /// Adds a percentile of a column of the first part.
    pub fn add_percentile(&mut self, call: &Aggref, mut percentile: Percentile, of: &Expr) -> Result<(), Fallback> {
        check(self.flat, of, self.catalog)?;
        let null = null_sql(of.type_oid(), -1, self.catalog)?;
        let argument = self.argument(0, print(self.flat, of, self.catalog)?, null);
        percentile.count = self.count(argument)?;
        let result = self.state(
            Kind::Percentile(Box::new(percentile)),
            argument,
            call.type_oid,
            call.collation,
        )?;
        let pointer = |place| Kind::Pointer(result + place);
        self.state(pointer(1), argument, of.type_oid(), of.collation())?;
        self.state(pointer(2), argument, INT8, 0)?;
        self.state(pointer(3), argument, INT8, 0)?;
        self.calls.push((call.clone(), Value::State(result)));
        Ok(())
    }

    /// The result of a call that has been added.
    pub fn value(&self, call: &Aggref) -> Option<Value> {
        self.calls
            .iter()
            .find(|(known, _)| known == call)
            .map(|(_, value)| value.clone())
    }

    /// A result of the given type, as an expression over states. `state` returns the column of a state.
    pub fn result(&self, value: Value, type_oid: Oid, state: &dyn Fn(usize) -> Expr) -> Expr {
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
        let sum_of = |sum: usize, scales: Option<usize>| scales.map_or_else(|| state(sum), |of| rounded(sum, of));
        match value {
            Value::Outsize(n, value) => numeric(
                &[
                    "CASE WHEN ",
                    " IS NULL THEN ",
                    " WHEN ",
                    &format!(" OPERATOR(pg_catalog.<>) {NO_VARIANCE} THEN "),
                    " END",
                ],
                vec![state(n), self.result(*value, type_oid, state), state(n), state(n)],
            ),
            Value::State(n) => state(n),
            Value::ScaledSum { sum, scales } => rounded(sum, scales),
            Value::Average { sum, scales, count } => numeric(
                &[
                    "",
                    "::pg_catalog.numeric OPERATOR(pg_catalog./) ",
                    "::pg_catalog.numeric",
                ],
                vec![sum_of(sum, scales), state(count)],
            ),
            Value::Function(name, args) => {
                let mut parts = vec![format!("pgtrickle.{name}(")];
                parts.resize(args.len(), ", ".to_owned());
                parts.push(")".to_owned());
                Expr::Sql(SqlLeaf {
                    parts,
                    args: args.into_iter().map(|(sum, scales)| sum_of(sum, scales)).collect(),
                    type_oid,
                    typmod: -1,
                    collation: 0,
                })
            }
        }
    }

    fn state_of(&mut self, call: &Aggref) -> Result<Value, Fallback> {
        let function = self.catalog.function(call.function)?;
        let name = function.name.as_str();
        let types = function.arg_types.as_slice();
        let args: Vec<&Expr> = call.args.iter().filter(|arg| !arg.junk).map(|arg| &arg.expr).collect();
        let family = (function.schema == "pg_catalog" && call.kind == 'n' && call.levels_up == 0 && !call.variadic)
            .then(|| Family::of(name, types))
            .flatten();
        let Some(family) = family.filter(|_| args.len() == types.len()) else {
            let types: Vec<String> = types
                .iter()
                .map(|oid| self.catalog.type_sql(*oid, -1))
                .collect::<Result<_, Error>>()?;
            let types = types.join(", ").replace("pg_catalog.", "");
            return Err(Fallback::Reason(format!("aggregate {name}({types})")));
        };
        let mut conditions = Vec::new();
        let mut printed = Vec::new();
        let distinct = self.distinct.iter().zip(1..).find(|(input, _)| input.is_of(call));
        if distinct.is_none() && !call.distinct.is_empty() && !family.ignores_repeats() {
            return reason(&format!("{name}(DISTINCT ...)"));
        }
        let part = distinct.map_or(0, |(_, part)| part);
        if let Some((input, _)) = distinct {
            if let Some(value) = input.value() {
                printed.push((print(&input.branch.flat, value, self.catalog)?, false));
            }
        } else {
            if let Some(filter) = &call.filter {
                check(self.flat, filter, self.catalog)?;
                conditions.push(print(self.flat, filter, self.catalog)?);
            }
            for arg in &args {
                check(self.flat, arg, self.catalog)?;
                let sql = print(self.flat, arg, self.catalog)?;
                printed.push((sql, nullable(self.flat, arg)?));
            }
        }
        let mut nulls = Vec::new();
        for arg in &args {
            nulls.push(null_sql(arg.type_oid(), -1, self.catalog)?);
        }
        let no_one = || "NULL::pg_catalog.int4".to_owned();
        let null_of = |n: usize| nulls.get(n).cloned().unwrap_or_else(no_one);
        // An input counts only if none of its arguments is NULL.
        let given = |n: usize| {
            let others = printed
                .iter()
                .enumerate()
                .filter(|(other, (_, null))| *other != n && *null);
            let conditions: Vec<String> = conditions
                .iter()
                .cloned()
                .chain(others.map(|(_, (sql, _))| format!("({sql}) IS NOT NULL")))
                .collect();
            let value = printed.get(n).map_or("1", |(sql, _)| sql);
            if conditions.is_empty() {
                value.to_owned()
            } else {
                format!("CASE WHEN {} THEN {value} END", conditions.join(" AND "))
            }
        };
        if let Family::Extremum = family {
            let argument = self.argument(part, given(0), null_of(0));
            return self.extremum(call, name == "min", argument);
        }
        let count = if !conditions.is_empty() || printed.iter().any(|(_, null)| *null) {
            let argument = self.argument(part, given(0), null_of(0));
            self.count(argument)?
        } else if self.distinct.is_empty() {
            0
        } else {
            let argument = self.argument(part, "1".to_owned(), no_one());
            self.count(argument)?
        };
        let floats = types.contains(&FLOAT4) || types.contains(&FLOAT8);
        let (function, sums) = match family {
            Family::Count | Family::Extremum => return Ok(Value::State(count)),
            Family::Truth(function) => {
                let argument = self.argument(part, format!("CASE WHEN {} THEN 1 END", given(0)), no_one());
                let trues = self.count(argument)?;
                return Ok(Value::Function(function.to_owned(), vec![(count, None), (trues, None)]));
            }
            Family::Bits(all) => {
                let argument = self.argument(part, given(0), null_of(0));
                let kind = match all {
                    Some(all) => Kind::Bits { count, all },
                    None => Kind::Xor { count },
                };
                return Ok(Value::State(self.state(kind, argument, call.type_oid, 0)?));
            }
            Family::Sum if floats && call.type_oid == FLOAT4 => ("real_sum".to_owned(), "x"),
            Family::Sum if floats => ("float_sum".to_owned(), "x"),
            Family::Average if floats => ("float_avg".to_owned(), "nx"),
            Family::Sum | Family::Average => (String::new(), "x"),
            Family::Sums(of) => (
                format!("{}_{}", if floats { "float" } else { "exact" }, of.function),
                of.sums,
            ),
        };
        self.floats |= floats;
        // The sums of a variance leave out what numeric cannot square.
        let leaves_out = sums.contains('X') && types == [NUMERIC] && fixed_scale(args[0], self.catalog)?.is_none();
        let mut terms = Vec::new();
        for sum in sums.chars() {
            let (first, second) = match sum {
                'n' => {
                    terms.push((count, None));
                    continue;
                }
                'x' => (args.len() - 1, None),
                'X' => (args.len() - 1, Some(args.len() - 1)),
                'P' => (0, Some(args.len() - 1)),
                'y' => (0, None),
                _ => (0, Some(0)),
            };
            let of = types[first];
            let mut argument = |n: usize| {
                let sql = given(n);
                let (sql, null) = if floats {
                    (format!("pgtrickle.exact({sql})"), "NULL::pg_catalog.numeric".to_owned())
                } else if leaves_out {
                    (format!("CASE WHEN {} THEN 0 ELSE {sql} END", outsize(&sql)), null_of(n))
                } else {
                    (sql, null_of(n))
                };
                self.argument(part, sql, null)
            };
            let (position, times) = (argument(first), second.map(&mut argument));
            let whole = of == INT2 || of == INT4;
            let type_oid = if whole && times.is_none() { INT8 } else { NUMERIC };
            let scaled = floats || fixed_scale(args[first], self.catalog)?.is_none();
            let kind = Kind::Sum {
                count,
                numeric: of == NUMERIC,
                scaled,
            };
            let state = self.product(kind, position, times, type_oid, 0)?;
            let scales = match scaled && !floats && times.is_none() {
                false => None,
                true => Some(self.state(Kind::Scales, position, NUMERIC, 0)?),
            };
            terms.push((state, scales));
        }
        Ok(match (family, terms.as_slice()) {
            (Family::Average, &[(sum, scales)]) => Value::Average { sum, scales, count },
            (Family::Sum, &[(sum, Some(scales))]) if !floats => Value::ScaledSum { sum, scales },
            (Family::Sum, &[(sum, None)]) if !floats => Value::State(sum),
            (Family::Sums(of), _) if leaves_out => {
                let argument = self.argument(part, given(0), null_of(0));
                let outsize = self.state(Kind::Outsize(of.aggregate), argument, NUMERIC, 0)?;
                Value::Outsize(outsize, Box::new(Value::Function(function, terms)))
            }
            _ => Value::Function(function, terms),
        })
    }

    fn extremum(&mut self, call: &Aggref, least: bool, position: usize) -> Result<Value, Fallback> {
        let default = self.catalog.default_equality(call.type_oid)?;
        let Some(less) = default.and_then(|default| default.less) else {
            return reason("min or max of a type without an order");
        };
        let less = crate::sql::expr::operator_sql(&less);
        let kind = if least { Kind::Min(less) } else { Kind::Max(less) };
        Ok(Value::State(self.state(
            kind,
            position,
            call.type_oid,
            call.collation,
        )?))
    }

    fn argument(&mut self, part: usize, sql: String, null: String) -> usize {
        let argument = Argument { part, sql, null };
        match self.arguments.iter().position(|known| *known == argument) {
            Some(position) => position,
            None => {
                self.arguments.push(argument);
                self.arguments.len() - 1
            }
        }
    }

    fn count(&mut self, argument: usize) -> Result<usize, Error> {
        self.state(Kind::Count, argument, INT8, 0)
    }

    fn state(&mut self, kind: Kind, argument: usize, type_oid: Oid, collation: Oid) -> Result<usize, Error> {
        self.product(kind, argument, None, type_oid, collation)
    }

    fn product(
        &mut self,
        kind: Kind,
        argument: usize,
        times: Option<usize>,
        type_oid: Oid,
        collation: Oid,
    ) -> Result<usize, Error> {
        let known = self
            .states
            .iter()
            .position(|state| state.kind == kind && state.argument == Some(argument) && state.times == times);
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
            times,
        });
        Ok(self.states.len() - 1)
    }
}
