//! The order of names.

use std::{borrow::Cow, cmp::Ordering};

/// A name, whose numbers are compared as numbers: `guest-2` comes before `guest-10`.
#[derive(PartialEq, Eq)]
pub(super) struct Name<'a>(pub Cow<'a, str>);

impl Ord for Name<'_> {
    fn cmp(&self, other: &Self) -> Ordering {
        let (mut a, mut b) = (&*self.0, &*other.0);
        loop {
            let order = match (first(&mut a), first(&mut b)) {
                (Some(x), Some(y)) => match (number(x), number(y)) {
                    (Some(x), Some(y)) => x.len().cmp(&y.len()).then(x.cmp(y)),
                    _ => x.cmp(y),
                },
                // Names that differ in zeros alone are still two.
                (x, y) => return x.cmp(&y).then_with(|| self.0.cmp(&other.0)),
            };
            if order.is_ne() {
                return order;
            }
        }
    }
}

impl PartialOrd for Name<'_> {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

/// Takes the digits that a text begins with, or its first character.
fn first<'a>(text: &mut &'a str) -> Option<&'a str> {
    let first = text.chars().next()?;
    let digits = text.find(|c: char| !c.is_ascii_digit());
    let end = digits.unwrap_or(text.len()).max(first.len_utf8());
    let (taken, rest) = text.split_at(end);
    *text = rest;
    Some(taken)
}

/// Digits, without zeros before them.
fn number(text: &str) -> Option<&str> {
    let is_number = text.starts_with(|c: char| c.is_ascii_digit());
    is_number.then(|| text.trim_start_matches('0'))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_in_names_are_compared_as_numbers() {
        let order = [
            "",
            "2 b",
            "10 a",
            "block_on",
            "guest",
            "guest-",
            "guest-01",
            "guest-1",
            "guest-2",
            "guest-2x",
            "guest-10",
            "guest-10.9",
            "guest-10.10",
            "guest-123456789012345678901234",
            "é1",
            "名1",
            "名10",
        ];
        for (i, a) in order.iter().enumerate() {
            for (j, b) in order.iter().enumerate() {
                let (x, y) = (Name((*a).into()), Name((*b).into()));
                assert_eq!(x.cmp(&y), i.cmp(&j), "{a:?} {b:?}");
            }
        }
    }
}
