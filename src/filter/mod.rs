//! Which tasks a person wants to see, in a small language of their own.
//!
//! ```text
//! worker !done busy>10ms polls>=100 state=waiting name~^conn-\d+$ /gather|group/
//! ```
//!
//! Terms stand side by side and all have to hold. `docs/filter.md` is for those who write
//! them. Here: the types and how they are written; [`parse`] reads them and [`eval`] asks
//! them of a task. Nothing here draws.

mod eval;
mod field;
mod parse;

use std::{fmt, ops::Range, time::Duration};

use regex::{Regex, RegexBuilder};

pub use field::{Count, Field, Span, Text};

/// All of its terms have to hold; one without any lets everything through.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Filter {
    terms: Vec<Term>,
}

impl Filter {
    pub fn is_empty(&self) -> bool {
        self.terms.is_empty()
    }
}

#[derive(Clone, Debug, PartialEq, Eq)]
struct Term {
    negated: bool,
    test: Test,
}

/// Words are in lower case, as what they are compared with is then.
#[derive(Clone, Debug, PartialEq, Eq)]
enum Test {
    /// It is a part of the name, the location, the kind or the state.
    Word(String),
    /// It fits one of them.
    Pattern(Pattern),
    Is(Text, String),
    Fits(Text, Pattern),
    Span(Span, Compare, Duration),
    Count(Count, Compare, u64),
}

#[derive(Copy, Clone, Debug, PartialEq, Eq)]
enum Compare {
    Less,
    AtMost,
    Equal,
    AtLeast,
    More,
}

impl Compare {
    const fn symbol(self) -> &'static str {
        match self {
            Self::Less => "<",
            Self::AtMost => "<=",
            Self::Equal => "=",
            Self::AtLeast => ">=",
            Self::More => ">",
        }
    }

    fn holds<T: Copy + Ord>(self, figure: T, limit: T) -> bool {
        match self {
            Self::Less => figure < limit,
            Self::AtMost => figure <= limit,
            Self::Equal => figure == limit,
            Self::AtLeast => figure >= limit,
            Self::More => figure > limit,
        }
    }
}

/// A regular expression, to which upper and lower case are the same.
#[derive(Clone, Debug)]
struct Pattern {
    source: String,
    regex: Regex,
}

impl Pattern {
    /// No expression that a person types needs more bytes than this once it is compiled.
    const MOST: usize = 1 << 20;

    /// The error is one lowercase line.
    fn new(source: String) -> Result<Self, String> {
        let built = RegexBuilder::new(&source)
            .case_insensitive(true)
            .size_limit(Self::MOST)
            .build();
        match built {
            Ok(regex) => Ok(Self { source, regex }),
            Err(regex::Error::CompiledTooBig(_)) => Err("the expression is too big".to_owned()),
            // What goes before the last line is a picture of it.
            Err(error) => Err(error
                .to_string()
                .lines()
                .last()
                .map(|line| line.trim_start_matches("error: ").to_owned())
                .unwrap_or_default()),
        }
    }
}

impl PartialEq for Pattern {
    fn eq(&self, other: &Self) -> bool {
        self.source == other.source
    }
}

impl Eq for Pattern {}

/// What is wrong with a filter, and where: bytes of what was typed.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{why}")]
pub struct FilterError {
    pub at: Range<usize>,
    pub why: String,
}

/// As it can be read again.
impl fmt::Display for Filter {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (i, term) in self.terms.iter().enumerate() {
            if i > 0 {
                f.write_str(" ")?;
            }
            write!(f, "{term}")?;
        }
        Ok(())
    }
}

impl fmt::Display for Term {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.negated {
            f.write_str("!")?;
        }
        match &self.test {
            Test::Word(word) => write!(f, "{}", Quoted(word)),
            Test::Pattern(pattern) => write!(f, "{pattern}"),
            Test::Is(field, value) => write!(f, "{}={}", field.word(), Quoted(value)),
            Test::Fits(field, pattern) => write!(f, "{}~{pattern}", field.word()),
            Test::Span(field, compare, limit) => {
                write!(f, "{}{}{}", field.word(), compare.symbol(), Exact(*limit))
            }
            Test::Count(field, compare, limit) => {
                write!(f, "{}{}{limit}", field.word(), compare.symbol())
            }
        }
    }
}

/// Between slashes; a slash of its own has a backslash before it.
impl fmt::Display for Pattern {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("/")?;
        let mut chars = self.source.chars();
        while let Some(c) = chars.next() {
            match c {
                '/' => f.write_str("\\/")?,
                '\\' => {
                    write!(f, "\\{}", chars.as_str().chars().next().unwrap_or('\\'))?;
                    chars.next();
                }
                c => write!(f, "{c}")?,
            }
        }
        f.write_str("/")
    }
}

/// A word, in quotes where it would not be read as one otherwise.
struct Quoted<'a>(&'a str);

impl fmt::Display for Quoted<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let special = |c: char| c.is_whitespace() || parse::OPERATORS.contains(c);
        let first = self.0.starts_with(['!', '/', '"']);
        if !first && !self.0.contains(special) && !self.0.contains("!=") {
            return f.write_str(self.0);
        }
        f.write_str("\"")?;
        for c in self.0.chars() {
            if matches!(c, '"' | '\\') {
                f.write_str("\\")?;
            }
            write!(f, "{c}")?;
        }
        f.write_str("\"")
    }
}

/// A time in the greatest unit of which it is a whole number.
struct Exact(Duration);

impl fmt::Display for Exact {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let nanos = self.0.as_nanos();
        let whole = |(_, unit): &&(&str, u64)| nanos.is_multiple_of(u128::from(*unit));
        match parse::UNITS.iter().rev().find(whole) {
            Some((name, unit)) if nanos > 0 => write!(f, "{}{name}", nanos / u128::from(*unit)),
            _ => write!(f, "{nanos}ns"),
        }
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    /// Pieces of filters, so that chance makes whole ones, too.
    fn pieces() -> impl Strategy<Value = String> {
        let piece = prop_oneof![
            "[a-z!/\"\\\\=~<>.0-9 ]{0,6}",
            "(name|state|busy|polls|location|kind|ready|id)(=|!=|~|<|<=|>|>=)[a-zA-Z0-9.]{0,5}",
            "(busy|idle|longest|total)[<>]=?[0-9]{1,4}(\\.[0-9]{1,9})?(ns|us|µs|ms|s|m|h)",
            "!?/[a-z(.*)|\\\\/]{1,6}/",
            "!?\"[^\"]{0,6}\"",
            "\\PC{0,8}",
        ];
        prop::collection::vec(piece, 0..5).prop_map(|pieces| pieces.join(" "))
    }

    proptest! {
        #[test]
        fn what_is_read_is_written_so_that_it_is_read_again(text in pieces()) {
            if let Ok(filter) = text.parse::<Filter>() {
                let written = filter.to_string();
                prop_assert_eq!(written.parse::<Filter>(), Ok(filter), "{}", written);
            }
        }

        #[test]
        fn an_error_lies_within_what_was_typed(text in prop_oneof![pieces(), any::<String>()]) {
            if let Err(error) = text.parse::<Filter>() {
                prop_assert!(text.get(error.at.clone()).is_some(), "{:?} in {:?}", error, text);
                prop_assert!(!error.why.is_empty() && !error.why.contains('\n'));
            }
        }
    }
}
