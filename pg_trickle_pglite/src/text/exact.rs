//! A float8 as the text of a numeric with the same value.

/// Nine digits of a decimal number, as many as a limb holds.
const LIMB: u64 = 1_000_000_000;

/// Most decimals that are written.
const DECIMALS: usize = 350;

/// The number with all its digits: as many decimals as its last bit has. Those after the 350th, which only numbers below
/// 1e-90 have, are missing: no float8 that a sum is rounded to can tell. NaN and the infinities are numbers that leave the
/// first 350 decimals alone and count apart, so that they can be taken away again; `pgtrickle.float_sum` tells them.
#[must_use]
pub fn exact(number: f64) -> String {
    if number.is_nan() {
        return "1e-460".to_owned();
    }
    if number.is_infinite() {
        return if number > 0.0 { "1e-400" } else { "1e-430" }.to_owned();
    }
    let bits = number.to_bits();
    let (fraction, field) = (bits & ((1 << 52) - 1), (bits >> 52 & 0x7ff) as u32);
    // The number is `mantissa` times two to the power of `field` - 1075.
    let (mut mantissa, field) = if field == 0 {
        (fraction, 1)
    } else {
        (fraction | 1 << 52, field)
    };
    if mantissa == 0 {
        return "0".to_owned();
    }
    let zeros = mantissa.trailing_zeros();
    mantissa >>= zeros;
    let field = field + zeros;
    let mut digits = Digits::of(mantissa);
    let decimals = if field < 1075 {
        // A half is five tenths.
        digits.multiply(5, 1075 - field);
        (1075 - field) as usize
    } else {
        digits.multiply(2, field - 1075);
        0
    };
    digits.text(decimals, number < 0.0)
}

/// A natural number in limbs, the lowest first.
struct Digits(Vec<u64>);

impl Digits {
    fn of(number: u64) -> Self {
        Self(vec![number % LIMB, number / LIMB])
    }

    fn multiply(&mut self, factor: u64, times: u32) {
        let mut left = times;
        while left > 0 {
            // 5 to the power of 12 still fits into a limb.
            let step = left.min(12);
            let mut carry = 0;
            for limb in &mut self.0 {
                carry += *limb * factor.pow(step);
                *limb = carry % LIMB;
                carry /= LIMB;
            }
            if carry > 0 {
                self.0.push(carry);
            }
            left -= step;
        }
    }

    /// As text with that many decimals, of which it writes the first [`DECIMALS`]. Digit by digit, because every change of a
    /// float sum comes through here.
    fn text(&self, decimals: usize, is_negative: bool) -> String {
        let skipped = decimals.saturating_sub(DECIMALS);
        // From the last digit to the first.
        let mut text = Vec::with_capacity(self.0.len() * 9 + 2);
        let mut place = 0;
        let mut limbs = self.0.iter();
        // One digit at least before the point.
        while limbs.len() > 0 || place <= decimals {
            let mut rest = limbs.next().map_or(0, |limb| *limb as u32);
            for _ in 0..9 {
                if place == decimals && decimals > 0 {
                    text.push(b'.');
                }
                if place >= skipped {
                    text.push(b'0' + (rest % 10) as u8);
                }
                rest /= 10;
                place += 1;
            }
        }
        while text.ends_with(b"0") && !text.ends_with(b".0") {
            text.pop();
        }
        if is_negative {
            text.push(b'-');
        }
        text.reverse();
        String::from_utf8(text).unwrap_or_default()
    }
}

#[cfg(test)]
mod tests {
    use super::exact;

    #[test]
    fn all_digits_are_there() {
        for (number, text) in [
            (0.0, "0"),
            (-0.0, "0"),
            (1.0, "1"),
            (-2.5, "-2.5"),
            (0.1, "0.1000000000000000055511151231257827021181583404541015625"),
            (1e22, "10000000000000000000000"),
            (123_456_789_012.0, "123456789012"),
            (f64::NAN, "1e-460"),
            (f64::INFINITY, "1e-400"),
            (f64::NEG_INFINITY, "1e-430"),
        ] {
            assert_eq!(exact(number), text);
        }
    }

    #[test]
    fn it_is_the_same_number() {
        // As std writes it, which is exact too. The multiplier walks through all exponents and many mantissas.
        let mut bits = 0x9e37_79b9_7f4a_7c15_u64;
        for _ in 0..2000 {
            bits = bits
                .wrapping_mul(6_364_136_223_846_793_005)
                .wrapping_add(1_442_695_040_888_963_407);
            let number = f64::from_bits(bits);
            if !number.is_finite() {
                continue;
            }
            let written = exact(number);
            let decimals = written.split_once('.').map_or(0, |(_, decimals)| decimals.len());
            if decimals < 350 {
                assert_eq!(written, format!("{number:.decimals$}"), "{bits:#x}");
                assert_eq!(written.parse::<f64>(), Ok(number));
            } else {
                // Cut, not rounded: what is missing is below the last decimal.
                assert!(format!("{number:.1100}").starts_with(&written), "{bits:#x}");
            }
        }
        for number in [f64::MIN_POSITIVE, f64::MAX, f64::MIN, f64::from_bits(1)] {
            assert!(format!("{number:.1100}").starts_with(&exact(number)), "{number:e}");
        }
    }
}
