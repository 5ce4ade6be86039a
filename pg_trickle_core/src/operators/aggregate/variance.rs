//! The aggregates that are functions of a few sums: variance, covariance, correlation, regression.
//!
//! Rule: n, Σx, Σy, Σx², Σy² and Σxy change by the weighted sums over the delta. The result is computed from them when
//! the group is read. Cost: that of a sum. Source: the textbook formulas, whose cancellation does no harm to exact
//! sums.

/// An aggregate as a function of sums.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct SumsOf {
    /// The aggregate.
    pub aggregate: &'static str,
    /// The function of `pgtrickle` that computes its result, without the prefix `float_` or `exact_`.
    pub function: &'static str,
    /// The arguments of the function: `n` is the number of inputs; `x` and `y` are the sums of the last and the first
    /// argument; `X` and `Y` are the sums of their squares; `P` is the sum of their products.
    pub sums: &'static str,
}

/// Aggregate, function and sums. A single string, because an array of strings needs pointers that must be relocated on
/// load.
const ALL: &str = "\
    var_pop var_pop nxX\n\
    var_samp var_samp nxX\n\
    variance var_samp nxX\n\
    stddev_pop stddev_pop nxX\n\
    stddev_samp stddev_samp nxX\n\
    stddev stddev_samp nxX\n\
    covar_pop covar_pop nxyP\n\
    covar_samp covar_samp nxyP\n\
    corr corr nxXyYP\n\
    regr_r2 regr_r2 nxXyYP\n\
    regr_slope regr_slope nxXyP\n\
    regr_intercept regr_intercept nxXyP\n\
    regr_sxx moment nxxX\n\
    regr_syy moment nyyY\n\
    regr_sxy moment nxyP\n\
    regr_avgx avg nx\n\
    regr_avgy avg ny";

/// The sums of an aggregate, if it is one of these.
pub fn find(aggregate: &str) -> Option<SumsOf> {
    ALL.split('\n').find_map(|line| {
        let mut words = line.split(' ');
        let name = words.next()?;
        (name == aggregate).then_some(SumsOf {
            aggregate: name,
            function: words.next()?,
            sums: words.next()?,
        })
    })
}
