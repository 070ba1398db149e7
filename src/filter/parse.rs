//! Reads a filter, and says of what it cannot read where that is and why.

use std::{ops::Range, str::FromStr, time::Duration};

use super::{Compare, Field, Filter, FilterError, Pattern, Term, Test, Text, eval};

/// What ends the name of a field.
pub(super) const OPERATORS: &str = "=~<>";

/// Units of time and their nanoseconds, the least first. A second name for one comes before
/// the name by which it is written.
pub(super) const UNITS: &[(&str, u64)] = &[
    ("ns", 1),
    ("µs", 1_000),
    ("us", 1_000),
    ("ms", 1_000_000),
    ("s", 1_000_000_000),
    ("m", 60_000_000_000),
    ("h", 3_600_000_000_000),
];

impl FromStr for Filter {
    type Err = FilterError;

    fn from_str(text: &str) -> Result<Self, FilterError> {
        let mut reader = Reader { text, at: 0 };
        let mut terms = Vec::new();
        reader.skip_blanks();
        while reader.peek().is_some() {
            terms.push(reader.term()?);
            reader.skip_blanks();
        }
        Ok(Self { terms })
    }
}

fn refuse<T>(at: Range<usize>, why: impl Into<String>) -> Result<T, FilterError> {
    let why = why.into();
    Err(FilterError { at, why })
}

struct Reader<'a> {
    text: &'a str,
    /// Always between two characters.
    at: usize,
}

impl<'a> Reader<'a> {
    fn rest(&self) -> &'a str {
        self.text.get(self.at..).unwrap_or_default()
    }

    fn peek(&self) -> Option<char> {
        self.rest().chars().next()
    }

    fn next(&mut self) -> Option<char> {
        let c = self.peek()?;
        self.at += c.len_utf8();
        Some(c)
    }

    fn eat(&mut self, wanted: &str) -> bool {
        let found = self.rest().starts_with(wanted);
        self.at += if found { wanted.len() } else { 0 };
        found
    }

    fn skip_blanks(&mut self) {
        self.read_until(|rest| !rest.starts_with(char::is_whitespace));
    }

    /// What comes before the end, the rest of the text being asked at each character.
    fn read_until(&mut self, is_end: impl Fn(&str) -> bool) -> &'a str {
        let start = self.at;
        while self.peek().is_some() && !is_end(self.rest()) {
            self.next();
        }
        self.text.get(start..self.at).unwrap_or_default()
    }

    fn read_to_blank(&mut self) -> &'a str {
        self.read_until(|rest| rest.starts_with(char::is_whitespace))
    }

    fn term(&mut self) -> Result<Term, FilterError> {
        let start = self.at;
        let mut negated = self.eat("!");
        let test = match self.peek() {
            None => return refuse(start..self.at, "a term is missing after `!`"),
            Some(c) if c.is_whitespace() => {
                return refuse(start..self.at, "a term is missing after `!`");
            }
            Some('/') => Test::Pattern(self.pattern()?),
            Some('"') => Test::Word(self.quoted()?),
            Some(_) => {
                let (test, unequal) = self.word_or_field()?;
                negated ^= unequal;
                test
            }
        };
        let end = self.at;
        if !self.read_to_blank().is_empty() {
            return refuse(end..self.at, "a blank is missing before this");
        }
        Ok(Term { negated, test })
    }

    /// Also whether the operator was `!=`.
    fn word_or_field(&mut self) -> Result<(Test, bool), FilterError> {
        let start = self.at;
        let word = self.read_until(|rest| {
            rest.starts_with(|c: char| c.is_whitespace() || OPERATORS.contains(c))
                || rest.starts_with("!=")
        });
        let at = start..self.at;
        if self.peek().is_none_or(char::is_whitespace) {
            return Ok((Test::Word(word.to_lowercase()), false));
        }
        if word.is_empty() {
            let end = at.end + 1;
            return refuse(at.start..end, "the name of a field is missing before this");
        }
        let Some(field) = Field::all().find(|field| field.word() == word) else {
            return refuse(at, unknown_field(word));
        };
        if self.eat("~") {
            return match field {
                Field::Text(field) => Ok((Test::Fits(field, self.pattern()?), false)),
                _ => refuse(at, format!("{word} is a figure: compare it with < or >")),
            };
        }
        let unequal = self.eat("!=");
        let symbols = [
            ("<=", Compare::AtMost),
            (">=", Compare::AtLeast),
            ("<", Compare::Less),
            (">", Compare::More),
            ("=", Compare::Equal),
        ];
        let compare = symbols
            .into_iter()
            .find(|(symbol, _)| !unequal && self.eat(symbol))
            .map_or(Compare::Equal, |(_, compare)| compare);
        Ok((self.comparison(field, compare, at)?, unequal))
    }

    fn comparison(
        &mut self,
        field: Field,
        compare: Compare,
        name: Range<usize>,
    ) -> Result<Test, FilterError> {
        let start = self.at;
        let word = field.word();
        let value = match self.peek() {
            Some('"') => self.quoted()?,
            _ => self.read_to_blank().to_owned(),
        };
        let at = start..self.at;
        if value.is_empty() {
            return refuse(name.start..start, "a value is missing after this");
        }
        let wrong = |why| FilterError { at, why };
        match field {
            Field::Text(_) if compare != Compare::Equal => {
                refuse(name, format!("{word} is a text: ask with = or ~"))
            }
            Field::Text(Text::State) => {
                let state = value.to_lowercase();
                if eval::STATES.contains(&state.as_str()) {
                    return Ok(Test::Is(Text::State, state));
                }
                Err(wrong(format!(
                    "no state is called so; there are {}",
                    eval::STATES.join(", ")
                )))
            }
            Field::Text(field) => Ok(Test::Is(field, value.to_lowercase())),
            Field::Span(_) if compare == Compare::Equal => {
                refuse(name, format!("{word} is a time: compare it with < or >"))
            }
            Field::Span(field) => {
                let limit = time(&value).map_err(wrong)?;
                Ok(Test::Span(field, compare, limit))
            }
            Field::Count(field) => match value.parse() {
                Ok(limit) => Ok(Test::Count(field, compare, limit)),
                Err(_) => Err(wrong(format!("{word} is a whole number"))),
            },
        }
    }

    /// Between slashes, or, behind a `~`, up to a blank.
    fn pattern(&mut self) -> Result<Pattern, FilterError> {
        let start = self.at;
        let slashes = self.eat("/");
        let mut source = String::new();
        loop {
            match self.peek() {
                None if slashes => {
                    return refuse(start..self.at, "the expression's last slash is missing");
                }
                None => break,
                Some('/') if slashes => {
                    self.next();
                    break;
                }
                Some(c) if c.is_whitespace() && !slashes => break,
                Some('\\') => {
                    self.next();
                    match self.next() {
                        Some('/') => source.push('/'),
                        c => source.extend(['\\'].into_iter().chain(c)),
                    }
                }
                Some(c) => {
                    self.next();
                    source.push(c);
                }
            }
        }
        if source.is_empty() {
            return refuse(start..self.at, "the expression is empty");
        }
        Pattern::new(source).map_err(|why| FilterError {
            at: start..self.at,
            why,
        })
    }

    /// In lower case, without its quotes.
    fn quoted(&mut self) -> Result<String, FilterError> {
        let start = self.at;
        self.eat("\"");
        let mut value = String::new();
        loop {
            match self.next() {
                None => return refuse(start..self.at, "the last quote is missing"),
                Some('"') => break,
                Some('\\') => value.extend(self.next()),
                Some(c) => value.push(c),
            }
        }
        if value.is_empty() {
            return refuse(start..self.at, "there is nothing between the quotes");
        }
        Ok(value.to_lowercase())
    }
}

fn unknown_field(word: &str) -> String {
    /// How alike two names have to be for one to stand for the other.
    const ALIKE: f64 = 0.7;
    let alike = Field::all()
        .map(|field| (strsim::jaro_winkler(word, field.word()), field.word()))
        .filter(|(alike, _)| *alike > ALIKE)
        .max_by(|(a, _), (b, _)| a.total_cmp(b));
    match alike {
        Some((_, nearest)) => format!("no field is called so; the nearest is {nearest}"),
        None => "no field is called so; in quotes it is a word".to_owned(),
    }
}

/// `10ms`, `1.5s`: exact to the nanosecond.
fn time(text: &str) -> Result<Duration, String> {
    const HOW: &str = "a time is a number and its unit, such as 10ms, 1.5s, 200us";
    let digits = text.find(|c: char| !c.is_ascii_digit() && c != '.');
    let (number, unit) = text.split_at(digits.unwrap_or(text.len()));
    let unit = UNITS.iter().find(|(name, _)| *name == unit);
    let (whole, part) = number.split_once('.').unwrap_or((number, "0"));
    let (Some((_, unit)), false) = (unit, whole.is_empty() || part.is_empty()) else {
        return Err(HOW.to_owned());
    };
    let too_long = || "this is too long a time".to_owned();
    let whole: u64 = whole.parse().map_err(|_| too_long())?;
    let mut nanos = whole.checked_mul(*unit).ok_or_else(too_long)?;
    let mut place = *unit;
    for digit in part.chars() {
        let digit = u64::from(digit.to_digit(10).ok_or(HOW)?);
        let finer = digit * place;
        if finer % 10 != 0 {
            return Err("there is nothing finer than a nanosecond".to_owned());
        }
        nanos = nanos.checked_add(finer / 10).ok_or_else(too_long)?;
        // What is left of the last digits is below a nanosecond, and only 0 may stand there.
        place = if place % 10 == 0 { place / 10 } else { 0 };
    }
    Ok(Duration::from_nanos(nanos))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(text: &str) -> String {
        let filter: Filter = text.parse().unwrap_or_else(|e| panic!("{text}: {e:?}"));
        filter.to_string()
    }

    fn refusal(text: &str) -> (&str, String) {
        let error = text.parse::<Filter>().expect_err(text);
        (&text[error.at], error.why)
    }

    #[test]
    fn what_can_be_said() {
        for (text, read_as) in [
            ("", ""),
            ("  Worker  ", "worker"),
            ("!done main.rs:42", "!done main.rs:42"),
            ("state=Waiting kind=blocking", "state=waiting kind=blocking"),
            (
                "busy>10ms ready>=1.5s idle<200µs",
                "busy>10ms ready>=1500ms idle<200us",
            ),
            ("total<=90m longest>0.000001ms", "total<=90m longest>1ns"),
            ("polls>=100 id=7 wakes!=0", "polls>=100 id=7 !wakes=0"),
            ("!state!=done", "state=done"),
            ("name~^conn-\\d+$", "name~/^conn-\\d+$/"),
            ("name~/a b\\/c/ /x|y/", "name~/a b\\/c/ /x|y/"),
            ("\"two words\" name=\"a=b\"", "\"two words\" name=\"a=b\""),
            ("\"say \\\"hi\\\"\"", "\"say \\\"hi\\\"\""),
            ("任务", "任务"),
        ] {
            assert_eq!(read(text), read_as);
        }
    }

    #[test]
    fn what_is_wrong_is_told_with_its_place() {
        for (text, place, why) in [
            ("a !", "!", "a term is missing after `!`"),
            (
                "a bsy>1ms",
                "bsy",
                "no field is called so; the nearest is busy",
            ),
            (
                "Vec<u8>",
                "Vec",
                "no field is called so; in quotes it is a word",
            ),
            ("=3", "=", "the name of a field is missing before this"),
            ("x busy>", "busy>", "a value is missing after this"),
            (
                "busy>10",
                "10",
                "a time is a number and its unit, such as 10ms, 1.5s, 200us",
            ),
            (
                "busy>1.5ns",
                "1.5ns",
                "there is nothing finer than a nanosecond",
            ),
            ("busy>999999999h", "999999999h", "this is too long a time"),
            ("busy=1ms", "busy", "busy is a time: compare it with < or >"),
            ("name>3", "name", "name is a text: ask with = or ~"),
            (
                "polls~3",
                "polls",
                "polls is a figure: compare it with < or >",
            ),
            ("polls>-1", "-1", "polls is a whole number"),
            ("/ab", "/ab", "the expression's last slash is missing"),
            ("//", "//", "the expression is empty"),
            ("name~(", "(", "unclosed group"),
            ("/src/main.rs", "main.rs", "a blank is missing before this"),
            ("\"ab", "\"ab", "the last quote is missing"),
            ("\"\"", "\"\"", "there is nothing between the quotes"),
            (
                "state=waitin",
                "waitin",
                "no state is called so; there are running, ready, waiting, sleeping, idle, done, \
                 ok, error, cancelled, panicked",
            ),
        ] {
            assert_eq!(refusal(text), (place, why.to_owned()), "{text}");
        }
    }
}
