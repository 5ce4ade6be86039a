//! The aggregates that are functions of a few sums: variance, covariance, correlation, regression.
//!
//! Rule: n, Σx, Σy, Σx², Σy² and Σxy change by the sums over the change with weights; the result is computed of them where the
//! group is read. Cost: that of a sum. Source: the textbook formulas, whose cancellation is no danger to exact sums.

/// An aggregate as a function of sums.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct SumsOf {
    /// The function of `pgtrickle` that gives its result, after `float_` or `exact_`.
    pub function: &'static str,
    /// What the function takes: `n` the number of inputs; `x`, `y` the sums of the last and of the first argument; `X`,
    /// `Y`, `P` those of their squares and of their products.
    pub sums: &'static str,
}

/// The aggregate, the function and its sums. One text takes no pointers, which are relocated when the module is loaded.
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
        (words.next() == Some(aggregate)).then_some(SumsOf {
            function: words.next()?,
            sums: words.next()?,
        })
    })
}
