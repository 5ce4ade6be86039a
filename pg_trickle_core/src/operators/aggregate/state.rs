//! The states of a group: the columns that hold them, and how a delta changes them.

use super::delta::{DELTA, ROWS, STORED, WEIGHT, argument_name, removed_name, value_name};
use super::percentile::Percentile;
use crate::plan::Oid;
use crate::sql::statement::{case, column, is_null, op, or};

/// Decimal digits of one count in the histogram of scales. 16,383 scales of 8 digits fit into a numeric.
const SCALE_DIGITS: u32 = 8;

/// A grouping expression, and the storage column that holds it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct GroupKey {
    /// SQL over the aliases of the scans.
    pub sql: String,
    /// The storage column.
    pub name: String,
    /// Its type as SQL text.
    pub type_sql: String,
    /// ` COLLATE ...`, or nothing.
    pub collate: String,
    /// The default equality operator of its type, e.g. `OPERATOR(pg_catalog.=)`.
    pub equals: String,
    /// True if it can be NULL.
    pub nullable: bool,
    /// There are arrays of it: it is no array itself.
    pub wrapped: bool,
}

/// The content of a state column.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Kind {
    /// The number of rows, or of non-NULL values of an argument.
    Count,
    /// The sum of an argument; NULL without non-NULL inputs. The state `count` holds their number.
    Sum {
        /// The position of the state that counts the same argument.
        count: usize,
        /// True if the argument is numeric, so that the sum may be NaN or infinite.
        numeric: bool,
        /// True if a histogram of scales keeps the number of decimals. The sum is then stored without trailing zeros,
        /// so that equal states look the same.
        scaled: bool,
    },
    /// The histogram of the scales of a numeric argument.
    Scales,
    /// `bit_and` or `bit_or`.
    Bits {
        /// As in `Sum`.
        count: usize,
        /// True for `bit_and`.
        all: bool,
    },
    /// `bit_xor`.
    Xor {
        /// As in `Sum`.
        count: usize,
    },
    /// The smallest value. The text is the `<` operator of the type.
    Min(String),
    /// The largest value. The text is the `<` operator of the type.
    Max(String),
    /// A variance of numeric values of which some are [`outsize`]: what this function of `pg_catalog` gives, with
    /// [`NO_VARIANCE`] for NULL. NULL in a group without such values.
    Outsize(&'static str),
    /// A percentile; the states of its pointer follow.
    Percentile(Box<Percentile>),
    /// Where the pointer of a percentile is; NULL if it is not known. The number is its own position: no two percentiles
    /// share one.
    Pointer(usize),
}

/// What [`Kind::Outsize`] holds where there are too few values for a variance, which is never below 0.
pub const NO_VARIANCE: &str = "'-Infinity'";

/// One state column of a group.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct State {
    /// The storage column.
    pub name: String,
    /// Its type.
    pub type_oid: Oid,
    /// Its type as SQL text.
    pub type_sql: String,
    /// ` COLLATE ...`, or nothing.
    pub collate: String,
    /// The collation.
    pub collation: Oid,
    /// Its content.
    pub kind: Kind,
    /// The position of its argument in [`Aggregate::arguments`]; none for the count of rows.
    pub argument: Option<usize>,
    /// The argument to multiply it with, if the state is a sum of products or squares.
    pub times: Option<usize>,
}

/// The grouping of a block.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Aggregate {
    /// The grouping expressions; none if all rows are one group.
    pub keys: Vec<GroupKey>,
    /// The arguments without duplicates, as SQL over the aliases of the scans, with FILTER folded in.
    pub arguments: Vec<String>,
    /// The state columns. The first counts the rows of the group.
    pub states: Vec<State>,
    /// True if sums of floats are rounded once, when read. The query may round after every step.
    pub rounds_once: bool,
}

impl Aggregate {
    /// The label that `explain` shows.
    #[must_use]
    pub fn label(&self) -> String {
        let keys: Vec<String> = self.keys.iter().map(|key| key.sql.clone()).collect();
        format!("aggregate by ({}), {} states", keys.join(", "), self.states.len())
    }

    /// The columns of the pointers of percentiles.
    #[must_use]
    pub fn pointers(&self) -> Vec<String> {
        let of_pointers = self
            .states
            .iter()
            .filter(|state| matches!(state.kind, Kind::Pointer(_)));
        of_pointers.map(|state| state.name.clone()).collect()
    }

    /// True if deleting a value can make it necessary to read the rest of its group.
    #[must_use]
    pub fn looks_up(&self) -> bool {
        let mut kinds = self.states.iter().map(|state| &state.kind);
        kinds.any(|kind| matches!(kind, Kind::Min(_) | Kind::Max(_))) || self.has_bits()
    }

    /// True if it has a `bit_and` or `bit_or`.
    #[must_use]
    pub fn has_bits(&self) -> bool {
        let mut kinds = self.states.iter().map(|state| &state.kind);
        kinds.any(|kind| matches!(kind, Kind::Bits { .. }))
    }
}

/// `10^(8 * scale(x))`: what a value adds to the histogram of scales. NULL for NaN and the infinities.
fn scale_mark(value: &str) -> String {
    let zeros = op(&SCALE_DIGITS.to_string(), "*", &format!("pg_catalog.scale({value})"));
    format!("{}::pg_catalog.numeric", op("'1e'", "||", &zeros))
}

/// The condition that numeric has no room for the square of a finite value: `NUMERIC_MAX_RESULT_SCALE` is 16,383, and
/// there are at most 131,072 digits before the point. PostgreSQL's variances square in a wider form that has no type.
#[must_use]
pub fn outsize(value: &str) -> String {
    let size = format!("pg_catalog.abs({value})");
    or(&[
        op(&format!("pg_catalog.scale({value})"), ">", "8191"),
        format!("({size} OPERATOR(pg_catalog.>) '1e65000' AND {size} OPERATOR(pg_catalog.<) 'Infinity')"),
    ])
}

/// The SQL to put before and after a histogram to get its largest scale.
#[must_use]
pub fn longest_scale() -> (String, String) {
    (
        "(pg_catalog.length((".to_owned(),
        format!(")::pg_catalog.text) OPERATOR(pg_catalog.-) 1) OPERATOR(pg_catalog./) {SCALE_DIGITS}"),
    )
}

impl State {
    /// The aggregate that computes this state from scratch, over the rows named [`ROWS`].
    #[must_use]
    pub fn aggregate_sql(&self) -> String {
        let argument = |n: Option<usize>| n.map(|n| column(ROWS, &argument_name(n)));
        let x = match (argument(self.argument), argument(self.times)) {
            (Some(x), Some(y)) => op(&format!("{x}::pg_catalog.numeric"), "*", &y),
            (x, _) => x.unwrap_or_else(|| "*".to_owned()),
        };
        match &self.kind {
            Kind::Count => format!("pg_catalog.count({x})"),
            Kind::Sum { .. } => format!("pg_catalog.sum({x})"),
            Kind::Scales => format!("pg_catalog.sum({})", scale_mark(&x)),
            Kind::Min(_) => format!("pg_catalog.min({x})"),
            Kind::Max(_) => format!("pg_catalog.max({x})"),
            Kind::Bits { all: true, .. } => format!("pg_catalog.bit_and({x})"),
            Kind::Bits { .. } => format!("pg_catalog.bit_or({x})"),
            Kind::Xor { .. } => format!("pg_catalog.bit_xor({x})"),
            Kind::Outsize(function) => outsize_variance(function, &x, str::to_owned),
            Kind::Percentile(percentile) => percentile.aggregate(&x),
            Kind::Pointer(_) => format!("NULL::{}", self.type_sql),
        }
    }

    /// The same, as it is stored.
    #[must_use]
    pub fn initial_sql(&self) -> String {
        let aggregate = self.aggregate_sql();
        match &self.kind {
            Kind::Scales => format!("coalesce({aggregate}, 0)"),
            Kind::Sum { scaled, .. } => trimmed(*scaled, aggregate),
            _ => aggregate,
        }
    }

    /// The columns of the aggregated delta for this state, from rows with weights. With `only_old` all weights are −1,
    /// so the signs need not be separated.
    #[must_use]
    pub fn delta_columns(&self, position: usize, only_old: bool) -> Vec<(String, String)> {
        let aggregate = self.aggregate_sql();
        let of_sign = |aggregate: &str, sign: char| {
            format!("{aggregate} FILTER (WHERE {ROWS}.{WEIGHT} OPERATOR(pg_catalog.{sign}) 0)")
        };
        let name = value_name(position);
        match &self.kind {
            Kind::Count if self.argument.is_none() && !only_old => {
                vec![(format!("coalesce(pg_catalog.sum({ROWS}.{WEIGHT}), 0)"), name)]
            }
            Kind::Min(_) | Kind::Max(_) | Kind::Bits { .. } => vec![
                (of_sign(&aggregate, '>'), name),
                (of_sign(&aggregate, '<'), removed_name(position)),
            ],
            Kind::Xor { .. } => vec![(aggregate, name)],
            Kind::Outsize(function) => {
                let x = column(ROWS, &argument_name(self.argument.unwrap_or_default()));
                vec![
                    (
                        outsize_variance(function, &x, |aggregate| of_sign(aggregate, '>')),
                        name,
                    ),
                    (any_outsize(&x), removed_name(position)),
                ]
            }
            Kind::Percentile(_) => {
                let x = column(ROWS, &argument_name(self.argument.unwrap_or_default()));
                let values = format!("pg_catalog.array_agg({x})");
                vec![
                    (of_sign(&values, '>'), name),
                    (of_sign(&values, '<'), removed_name(position)),
                ]
            }
            Kind::Pointer(_) => Vec::new(),
            Kind::Count | Kind::Sum { .. } | Kind::Scales if only_old => {
                vec![(op("0", "-", &format!("coalesce({aggregate}, 0)")), name)]
            }
            Kind::Count | Kind::Sum { .. } | Kind::Scales => {
                let plus = format!("coalesce({}, 0)", of_sign(&aggregate, '>'));
                let minus = format!("coalesce({}, 0)", of_sign(&aggregate, '<'));
                vec![(op(&plus, "-", &minus), name)]
            }
        }
    }

    /// The condition that the state changes, over the aggregated delta; none if any row can change it. An outsize
    /// variance changes with its group's sums, or with outsize rows.
    #[must_use]
    pub fn changes(&self, produced: &[(String, String)]) -> Option<String> {
        match (&self.kind, produced) {
            (Kind::Count | Kind::Sum { .. } | Kind::Scales, [(change, _), ..]) => Some(op(change, "<>", "0")),
            (Kind::Outsize(_), [_, (outsize, _)]) => Some(outsize.clone()),
            _ => None,
        }
    }

    /// The new value if the delta only adds rows. `added` is the state of the added rows alone. None if these do not
    /// tell it.
    #[must_use]
    pub fn plus(&self, added: &str) -> Option<String> {
        let stored = column(STORED, &self.name);
        Some(match &self.kind {
            Kind::Outsize(_) | Kind::Percentile(_) | Kind::Pointer(_) => return None,
            Kind::Count | Kind::Scales => op(&stored, "+", added),
            Kind::Sum { scaled, .. } => {
                let sum = trimmed(*scaled, op(&stored, "+", added));
                format!("coalesce({sum}, {stored}, {added})")
            }
            Kind::Min(_) => format!("LEAST({stored}, {added})"),
            Kind::Max(_) => format!("GREATEST({stored}, {added})"),
            Kind::Bits { .. } | Kind::Xor { .. } => self.bits(&stored, added),
        })
    }

    /// A bitwise aggregate of two values, either of which can be NULL.
    fn bits(&self, stored: &str, added: &str) -> String {
        let operator = match &self.kind {
            Kind::Bits { all: true, .. } => "&",
            Kind::Bits { .. } => "|",
            _ => "#",
        };
        format!("coalesce({}, {stored}, {added})", op(stored, operator, added))
    }
}

impl Aggregate {
    /// The new value of a state of a stored group, after a delta with rows of both signs. `recompute` is a scalar
    /// subquery that computes the state from the sources. `exact` says that the rows of each sign really existed (only
    /// one occurrence changed), so that the extrema of the delta are meaningful.
    #[must_use]
    pub fn updated(&self, position: usize, recompute: &str, exact: bool) -> String {
        let state = &self.states[position];
        let stored = column(STORED, &state.name);
        let added = column(DELTA, &value_name(position));
        let removed = column(DELTA, &removed_name(position));
        match &state.kind {
            Kind::Count | Kind::Scales => op(&stored, "+", &added),
            Kind::Outsize(_) => {
                let none = format!("{stored} IS NULL AND {removed} IS NOT TRUE");
                case(&[(none, "NULL".to_owned())], Some(recompute))
            }
            Kind::Xor { count } => guarded_sum(&self.left(*count), &state.bits(&stored, &added), None),
            Kind::Percentile(_) | Kind::Pointer(_) => recompute.to_owned(),
            Kind::Bits { .. } | Kind::Min(_) | Kind::Max(_) if !exact => recompute.to_owned(),
            Kind::Bits { .. } | Kind::Min(_) | Kind::Max(_) => case(&self.kept(position), Some(recompute)),
            Kind::Sum { count, numeric, scaled } => {
                let left = self.left(*count);
                let sum = trimmed(*scaled, op(&format!("coalesce({stored}, 0)"), "+", &added));
                guarded_sum(&left, &sum, numeric.then_some(recompute))
            }
        }
    }

    /// What a `min`, `max`, `bit_and` or `bit_or` becomes if its group need not be read again: conditions and values.
    fn kept(&self, position: usize) -> Vec<(String, String)> {
        let state = &self.states[position];
        let stored = column(STORED, &state.name);
        let added = column(DELTA, &value_name(position));
        let removed = column(DELTA, &removed_name(position));
        match &state.kind {
            Kind::Bits { count, all } => {
                let zero = op(&removed, "#", &removed);
                // The bits that removed values decided and added ones do not decide.
                let lost = if *all {
                    let ones = format!("(OPERATOR(pg_catalog.~) {zero})");
                    op(
                        &format!("coalesce({added}, {ones})"),
                        "&",
                        &format!("(OPERATOR(pg_catalog.~) {removed})"),
                    )
                } else {
                    op(
                        &removed,
                        "&",
                        &format!("(OPERATOR(pg_catalog.~) coalesce({added}, {zero}))"),
                    )
                };
                vec![
                    (op(&self.left(*count), "=", "0"), "NULL".to_owned()),
                    (
                        format!("{removed} IS NULL OR {}", op(&lost, "=", &zero)),
                        state.bits(&stored, &added),
                    ),
                ]
            }
            Kind::Min(less) | Kind::Max(less) => {
                let is_max = matches!(state.kind, Kind::Max(_));
                let better = if is_max { "GREATEST" } else { "LEAST" };
                // "`value` is worse than the stored one", for this kind of extremum.
                let worse = |value: &str| {
                    if is_max {
                        format!("({value} {less} {stored})")
                    } else {
                        format!("({stored} {less} {value})")
                    }
                };
                vec![
                    (
                        or(&[is_null(&removed), worse(&removed)]),
                        format!("{better}({stored}, {added})"),
                    ),
                    (format!("{} IS FALSE", worse(&added)), added),
                ]
            }
            _ => Vec::new(),
        }
    }

    /// The condition that a state is computed from the sources again, if it may be; not of sums that are not finite.
    #[must_use]
    pub fn looked_up(&self, position: usize, exact: bool) -> Option<String> {
        let kept = self.kept(position);
        let conditions: Vec<String> = kept
            .into_iter()
            .map(|(condition, _)| format!("({condition})"))
            .collect();
        (!conditions.is_empty()).then(|| {
            if exact {
                format!("({} IS NOT TRUE)", or(&conditions))
            } else {
                "TRUE".to_owned()
            }
        })
    }

    /// The value of a state for a group that the delta creates.
    #[must_use]
    pub fn created(&self, position: usize, recompute: &str, exact: bool) -> String {
        let state = &self.states[position];
        let added = column(DELTA, &value_name(position));
        match &state.kind {
            Kind::Count | Kind::Scales => added,
            Kind::Sum { count, numeric, scaled } => {
                let left = column(DELTA, &value_name(*count));
                guarded_sum(
                    &left,
                    &trimmed(*scaled, added),
                    (*numeric && !exact).then_some(recompute),
                )
            }
            Kind::Xor { count } => guarded_sum(&column(DELTA, &value_name(*count)), &added, None),
            Kind::Min(_) | Kind::Max(_) | Kind::Bits { .. } | Kind::Outsize(_) if exact => added,
            Kind::Pointer(_) => "NULL".to_owned(),
            Kind::Min(_) | Kind::Max(_) | Kind::Bits { .. } | Kind::Outsize(_) | Kind::Percentile(_) => {
                recompute.to_owned()
            }
        }
    }

    /// The number of inputs after a delta, from the state that counts them.
    pub fn left(&self, count: usize) -> String {
        op(
            &column(STORED, &self.states[count].name),
            "+",
            &column(DELTA, &value_name(count)),
        )
    }
}

/// True for a group with outsize values.
fn any_outsize(value: &str) -> String {
    format!("pg_catalog.bool_or({})", outsize(value))
}

/// [`Kind::Outsize`] from scratch. `over` says of an aggregate which of the rows it is over.
fn outsize_variance(function: &str, value: &str, over: impl Fn(&str) -> String) -> String {
    let variance = over(&format!("pg_catalog.{function}({value})"));
    let variance = format!("coalesce({variance}, {NO_VARIANCE})");
    case(&[(over(&any_outsize(value)), variance)], None)
}

/// Removes trailing zeros.
fn trimmed(scaled: bool, sum: String) -> String {
    if scaled {
        format!("pg_catalog.trim_scale({sum})")
    } else {
        sum
    }
}

/// NULL without inputs; the sum, if it is finite; else, for numeric, the recomputed sum.
fn guarded_sum(count: &str, sum: &str, recompute: Option<&str>) -> String {
    let some = op(count, "<>", "0");
    match recompute {
        None => case(&[(some, sum.to_owned())], None),
        Some(recompute) => case(
            &[
                (op(count, "=", "0"), "NULL".to_owned()),
                (
                    format!("pg_catalog.abs({sum}) OPERATOR(pg_catalog.<) 'Infinity'"),
                    sum.to_owned(),
                ),
            ],
            Some(recompute),
        ),
    }
}
