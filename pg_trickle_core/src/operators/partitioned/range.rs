//! Bounded RANGE frames: how far they reach, and where a change reaches them.
//!
//! A distance is a whole number of units: 1 for integers, days for dates, microseconds for timestamps, 10⁻⁹ for numerics.
//! It may be too long, never too short: rows too many are computed again, with the same result. So a month has 31 days, and
//! any moment is at most 25 hours away from where it would be without time zones.

use crate::catalog::Catalog;
use crate::error::Error;
use crate::oids::{DATE, INT2, INT4, INT8, NUMERIC, TIMESTAMP, TIMESTAMPTZ};
use crate::plan::Oid;
use crate::query::{Expr, Window, frame};
use crate::sql::ident::is_one_of;
use crate::sql::statement::{case, op};

/// The longest distance. Twice as much can be added to any value that is not beyond the [`limits`].
const LONGEST: i64 = 6_000_000_000_000_000;
/// The decimal places of seconds.
const MICRO: usize = 6;
/// The decimal places of numerics.
const NANO: usize = 9;
const HOUR: i64 = 3_600_000_000;

/// How far a frame reaches before and after the value of a row, if both are constant.
pub fn reach(window: &Window, type_oid: Oid, catalog: &dyn Catalog) -> Result<Option<(i64, i64)>, Error> {
    let has = |bits: i32| window.frame_options & bits != 0;
    if !has(frame::RANGE)
        || has(frame::START_UNBOUNDED_PRECEDING | frame::END_UNBOUNDED_FOLLOWING)
        || window.order.len() != 1
        || limits(type_oid).is_none()
    {
        return Ok(None);
    }
    let reach = |offset: &Option<Expr>, counts: bool| match offset {
        Some(offset) if counts => distance(offset, type_oid, catalog),
        _ => Ok(Some(0)),
    };
    let before = reach(&window.start_offset, has(frame::START_OFFSET_PRECEDING))?;
    let after = reach(&window.end_offset, has(frame::END_OFFSET_FOLLOWING))?;
    Ok(before.zip(after))
}

/// The distance that a constant offset says.
fn distance(offset: &Expr, type_oid: Oid, catalog: &dyn Catalog) -> Result<Option<i64>, Error> {
    let constant = match offset {
        Expr::Const(constant) if !constant.is_null => constant,
        // An integer that the parser casts.
        Expr::Func(call) if call.args.len() == 1 => {
            let function = catalog.function(call.function)?;
            return if function.schema == "pg_catalog" && is_one_of(&function.name, "int8 numeric") {
                distance(&call.args[0], type_oid, catalog)
            } else {
                Ok(None)
            };
        }
        _ => return Ok(None),
    };
    let text = catalog.const_text(&constant.node)?;
    let distance = match type_oid {
        NUMERIC => fixed(&text, NANO),
        DATE | TIMESTAMP => interval(&text, 0),
        TIMESTAMPTZ => interval(&text, 25 * HOUR),
        _ => fixed(&text, 0),
    };
    let unit = if type_oid == DATE { 24 * HOUR } else { 1 };
    let distance = distance.filter(|distance| *distance <= LONGEST);
    Ok(distance.map(|distance| (distance + unit - 1) / unit))
}

/// A decimal number without a sign, in units of this many decimal places, rounded up.
fn fixed(text: &str, places: usize) -> Option<i64> {
    let (mut units, mut more) = (0_i64, 0);
    let mut left = None;
    for byte in text.bytes() {
        match (byte, &mut left) {
            (b'.', None) => left = Some(places),
            (b'0'..=b'9', Some(0)) => more |= i64::from(byte != b'0'),
            (b'0'..=b'9', left) => {
                units = units.checked_mul(10)?.checked_add(i64::from(byte - b'0'))?;
                if let Some(left) = left {
                    *left -= 1;
                }
            }
            _ => return None,
        }
    }
    for _ in 0..left.unwrap_or(places) {
        units = units.checked_mul(10)?;
    }
    units.checked_add(more)
}

/// The microseconds of an interval in the format of ISO 8601, with `more` if it has days or months.
fn interval(text: &str, more: i64) -> Option<i64> {
    let mut span = 0_i64;
    let mut extra = 0;
    let (mut unit, mut rest) = (24 * HOUR, text.strip_prefix('P')?);
    while !rest.is_empty() {
        if let Some(time) = rest.strip_prefix('T') {
            (unit, rest) = (HOUR, time);
            continue;
        }
        let end = rest.find(|c: char| c.is_ascii_uppercase())?;
        let (number, letter) = rest.split_at(end);
        if unit > HOUR {
            extra = more;
        }
        let length = match &letter[..1] {
            "Y" => 366 * unit,
            "M" if unit > HOUR => 31 * unit,
            "D" | "H" => unit,
            "M" => HOUR / 60,
            "S" => 1,
            _ => return None,
        };
        let number = fixed(number, if length == 1 { MICRO } else { 0 })?;
        span = span.checked_add(number.checked_mul(length)?)?;
        rest = &letter[1..];
    }
    span.checked_add(extra)
}

/// How values of a type are moved: the type of the bounds, that of a distance, and its unit; then the lowest value from which
/// a distance is taken, and what is used for those below; the same above.
fn limits(type_oid: Oid) -> Option<[&'static str; 7]> {
    let time = |bound, distance, unit| {
        let [low, high] = ["4000-01-01 BC", "290000-01-01"];
        [bound, distance, unit, low, "-infinity", high, "infinity"]
    };
    Some(match type_oid {
        INT2 | INT4 | INT8 => {
            let [low, high] = ["-9000000000000000000", "9000000000000000000"];
            [
                "int8",
                "int8",
                "",
                low,
                "-9223372036854775808",
                high,
                "9223372036854775807",
            ]
        }
        NUMERIC => ["numeric", "numeric", "e-9", "-Infinity", "-Infinity", "NaN", "NaN"],
        DATE => time("date", "int4", ""),
        TIMESTAMP => time("timestamp", "interval", " us"),
        TIMESTAMPTZ => time("timestamptz", "interval", " us"),
        _ => return None,
    })
}

/// The conditions that a value is at most `below` less and `above` more than another one, which no value of the type makes
/// fail.
pub fn within(value: &str, of: &str, below: i64, above: i64, type_oid: Oid) -> String {
    let Some([bound, moves, unit, lowest, least, highest, greatest]) = limits(type_oid) else {
        return String::from("TRUE");
    };
    let of = format!("{of}::pg_catalog.{bound}");
    let bound = |[comparison, sign, beyond, last, end]: [&str; 5], distance: i64| {
        let moved = op(&of, sign, &format!("'{distance}{unit}'::pg_catalog.{moves}"));
        let is_beyond = op(&of, beyond, &format!("'{last}'"));
        op(
            value,
            comparison,
            &case(&[(is_beyond, format!("'{end}'"))], Some(&moved)),
        )
    };
    let low = bound([">=", "-", "<", lowest, least], below);
    low + " AND " + &bound(["<=", "+", ">", highest, greatest], above)
}

#[cfg(test)]
mod tests {
    use super::{HOUR, fixed, interval};

    #[test]
    fn decimals_are_rounded_up() {
        assert_eq!(fixed("12", 0), Some(12));
        assert_eq!(fixed("0.5", 3), Some(500));
        assert_eq!(fixed("1.0001", 3), Some(1001));
        assert_eq!(fixed("1.0000", 3), Some(1000));
        for text in ["-1", "NaN", "Infinity", "1.0.0", "10000000000000000000"] {
            assert_eq!(fixed(text, 0), None, "{text}");
        }
    }

    #[test]
    fn intervals_are_at_least_as_long_as_they_say() {
        assert_eq!(interval("PT1H2M3.5S", 7), Some(HOUR + 2 * 60_000_000 + 3_500_000));
        assert_eq!(interval("P1DT1S", 7), Some(24 * HOUR + 1_000_000 + 7));
        assert_eq!(interval("P1Y2M", 0), Some((366 + 62) * 24 * HOUR));
        assert_eq!(interval("PT0S", 7), Some(0));
        for text in ["P-1M", "P1DT-1H", "infinity", "PT1"] {
            assert_eq!(interval(text, 0), None, "{text}");
        }
    }
}
