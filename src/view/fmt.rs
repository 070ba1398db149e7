//! Figures in three significant digits, so that a column of them never changes its width.

use std::time::Duration;

use super::glyphs::Glyphs;

/// No duration is written in more cells than this.
pub const DURATION: usize = 8;
/// No count is written in more cells than this.
pub const COUNT: usize = 6;
/// No share is written in more cells than this, a gap before it included.
pub const PERCENT: usize = 6;

const SECOND: u128 = 1_000_000_000;
const MINUTE: u128 = 60 * SECOND;
const HOUR: u128 = 60 * MINUTE;
const DAY: u128 = 24 * HOUR;

/// `456 µs`, `12.3 ms`, `1.23 s`, `2 m 05 s`, `12.5 m`, `1 h 05 m`.
pub fn duration(d: Duration, glyphs: &Glyphs) -> String {
    let nanos = d.as_nanos();
    let micro = glyphs.micro;
    // What three digits would round up to the next unit is written in that unit.
    match nanos {
        0 => "0 s".to_owned(),
        1..1_000 => format!("{nanos} ns"),
        1_000..999_500 => format!("{} {micro}s", three(nanos as f64 / 1e3)),
        999_500..999_500_000 => format!("{} ms", three(nanos as f64 / 1e6)),
        999_500_000..59_950_000_000 => format!("{} s", three(nanos as f64 / 1e9)),
        _ => long(nanos),
    }
}

/// The same in whole seconds, for what counts them: `12 s`, `2 m 05 s`.
pub fn seconds(d: Duration) -> String {
    let nanos = d.as_nanos();
    if nanos < MINUTE {
        format!("{} s", d.as_secs())
    } else {
        long(nanos)
    }
}

fn long(nanos: u128) -> String {
    let seconds = (nanos + SECOND / 2) / SECOND;
    let minutes = (nanos + MINUTE / 2) / MINUTE;
    let hours = (nanos + HOUR / 2) / HOUR;
    if seconds < 600 {
        format!("{} m {:02} s", seconds / 60, seconds % 60)
    } else if nanos < HOUR - 3 * SECOND {
        format!("{} m", three(nanos as f64 / MINUTE as f64))
    } else if minutes < 600 {
        format!("{} h {:02} m", minutes / 60, minutes % 60)
    } else if hours < 100 {
        format!("{} h", three(nanos as f64 / HOUR as f64))
    } else if hours < 240 {
        format!("{} d {:02} h", hours / 24, hours % 24)
    } else if nanos < 9_999 * DAY {
        format!("{} d", three(nanos as f64 / DAY as f64))
    } else {
        ">9999 d".to_owned()
    }
}

/// At least three significant digits, of a number from 0 up.
fn three(x: f64) -> String {
    if x < 9.995 {
        format!("{x:.2}")
    } else if x < 99.95 {
        format!("{x:.1}")
    } else {
        format!("{x:.0}")
    }
}

/// A time since the start, as exact as a step of `step` demands: `1.25 s`, `2:05.3`,
/// `1:02:05`. Below a second of whole range it is still told in seconds, so that times can
/// be compared.
pub fn instant(at: Duration, step: Duration) -> String {
    let nanos = step.as_nanos().max(1);
    let digits = (0..9_u32).find(|n| nanos.is_multiple_of(SECOND / 10_u128.pow(*n)));
    let digits = digits.unwrap_or(9) as usize;
    let all = at.as_nanos() / 10_u128.pow(9 - digits as u32);
    let unit = 10_u128.pow(digits as u32);
    let (seconds, part) = (all / unit, all % unit);
    let part = if digits == 0 {
        String::new()
    } else {
        format!(".{part:0digits$}")
    };
    let (hours, minutes, rest) = (seconds / 3_600, seconds / 60 % 60, seconds % 60);
    match seconds {
        0..60 => format!("{seconds}{part} s"),
        60..3_600 => format!("{minutes}:{rest:02}{part}"),
        _ => format!("{hours}:{minutes:02}:{rest:02}{part}"),
    }
}

/// `512 B`, `4.50 kB`, `12.3 MB`, `1.50 GB`: in powers of 1,000.
pub fn bytes(n: u64) -> String {
    match n {
        0..1_000 => format!("{n} B"),
        1_000..999_500 => format!("{} kB", three(n as f64 / 1e3)),
        999_500..999_500_000 => format!("{} MB", three(n as f64 / 1e6)),
        _ => format!("{} GB", three(n as f64 / 1e9)),
    }
}

/// All digits while they fit; then three with `k`, `M`, `G`, …
pub fn count(n: u64) -> String {
    if n < 1_000_000 {
        return n.to_string();
    }
    let mut x = n as f64 / 1e6;
    for unit in ['M', 'G', 'T', 'P'] {
        if x < 999.5 {
            return format!("{}{unit}", three(x));
        }
        x /= 1e3;
    }
    format!("{}E", three(x))
}

/// A share in four or five cells: ` 12 %`, `<1 %`, `100 %`. Never 0 for what was more.
pub fn percent(share: f64) -> String {
    let share = if share.is_nan() { 0.0 } else { share };
    let percent = (share.clamp(0.0, 1.0) * 100.0).round();
    if percent < 1.0 && share > 0.0 {
        "<1 %".to_owned()
    } else {
        format!("{percent:.0} %")
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::{
        super::glyphs::{ASCII, UNICODE},
        *,
    };

    #[test]
    fn durations_have_three_digits() {
        for (nanos, text) in [
            (0, "0 s"),
            (7, "7 ns"),
            (999, "999 ns"),
            (1_000, "1.00 µs"),
            (456_000, "456 µs"),
            (999_499, "999 µs"),
            (999_500, "1.00 ms"),
            (9_996_000, "10.0 ms"),
            (12_345_678, "12.3 ms"),
            (999_499_999, "999 ms"),
            (999_500_000, "1.00 s"),
            (1_234_000_000, "1.23 s"),
            (59_949_000_000, "59.9 s"),
            (59_950_000_000, "1 m 00 s"),
            (125_000_000_000, "2 m 05 s"),
            (599_400_000_000, "9 m 59 s"),
            (600_000_000_000, "10.0 m"),
            (3_599_000_000_000, "1 h 00 m"),
            (3_900_000_000_000, "1 h 05 m"),
            (36_000_000_000_000, "10.0 h"),
            (360_000_000_000_000, "4 d 04 h"),
            (u64::MAX, ">9999 d"),
        ] {
            assert_eq!(duration(Duration::from_nanos(nanos), &UNICODE), text);
        }
        assert_eq!(duration(Duration::from_micros(456), &ASCII), "456 us");
        assert_eq!(duration(Duration::MAX, &ASCII), ">9999 d");
    }

    #[test]
    fn counts_keep_their_digits_while_they_fit() {
        for (n, text) in [
            (0, "0"),
            (999_999, "999999"),
            (1_000_000, "1.00M"),
            (999_600_000, "1.00G"),
            (u64::MAX, "18.4E"),
        ] {
            assert_eq!(count(n), text);
        }
    }

    #[test]
    fn a_small_share_is_not_nothing() {
        assert_eq!(percent(0.0), "0 %");
        assert_eq!(percent(0.001), "<1 %");
        assert_eq!(percent(0.124), "12 %");
        assert_eq!(percent(2.0), "100 %");
        assert_eq!(percent(f64::NAN), "0 %");
    }

    proptest! {
        #[test]
        fn figures_fit_their_columns(nanos in any::<u64>(), shift in 0_u32..64) {
            let n = nanos >> shift;
            let d = duration(Duration::from_nanos(n), &UNICODE);
            prop_assert!(d.chars().count() <= DURATION, "{}", d);
            prop_assert!(count(n).len() <= COUNT);
        }
    }
}
