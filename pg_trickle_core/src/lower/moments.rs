//! The aggregates that are functions of a few sums: variance, covariance, correlation, regression.
//!
//! Rule: n, Σx, Σy, Σx², Σy² and Σxy change by the sums over the change with weights; the result is computed of them where the
//! group is read. Cost: that of a sum. Source: the textbook formulas, whose cancellation is no danger to exact sums.

/// An aggregate as a function of sums.
pub struct Moments {
    /// The aggregate.
    aggregate: &'static str,
    /// The function of `pgtrickle` that gives its result, after `float_` or `exact_`.
    pub function: &'static str,
    /// What the function takes: `n` the number of inputs; `x`, `y` the sums of the last and of the first argument; `X`,
    /// `Y`, `P` those of their squares and of their products.
    pub sums: &'static str,
}

const fn of(aggregate: &'static str, function: &'static str, sums: &'static str) -> Moments {
    Moments {
        aggregate,
        function,
        sums,
    }
}

const ALL: [Moments; 17] = [
    of("var_pop", "var_pop", "nxX"),
    of("var_samp", "var_samp", "nxX"),
    of("variance", "var_samp", "nxX"),
    of("stddev_pop", "stddev_pop", "nxX"),
    of("stddev_samp", "stddev_samp", "nxX"),
    of("stddev", "stddev_samp", "nxX"),
    of("covar_pop", "covar_pop", "nxyP"),
    of("covar_samp", "covar_samp", "nxyP"),
    of("corr", "corr", "nxXyYP"),
    of("regr_r2", "regr_r2", "nxXyYP"),
    of("regr_slope", "regr_slope", "nxXyP"),
    of("regr_intercept", "regr_intercept", "nxXyP"),
    of("regr_sxx", "moment", "nxxX"),
    of("regr_syy", "moment", "nyyY"),
    of("regr_sxy", "moment", "nxyP"),
    of("regr_avgx", "avg", "nx"),
    of("regr_avgy", "avg", "ny"),
];

/// The sums of an aggregate, if it is one of these.
pub fn find(aggregate: &str) -> Option<&'static Moments> {
    ALL.iter().find(|known| known.aggregate == aggregate)
}
