//! The words of a scenario's line.

use std::{collections::VecDeque, str::FromStr, time::Duration};

use loopview_api::v1::Outcome;

pub struct Words(VecDeque<String>);

/// What may follow an entity in any order.
#[derive(Debug, Default)]
pub struct Options {
    /// `as`: a name for a timer, a kind for a task.
    pub name: Option<String>,
    pub by: Option<String>,
    pub within: Option<String>,
    pub location: Option<(String, u32)>,
    pub named: Option<String>,
    pub reusing: Option<String>,
    /// The number of a runtime; 0 stands for the first.
    pub runtime: u64,
    /// Bytes of the future, and of what it was before tokio boxed it.
    pub size: Option<u64>,
    pub original_size: Option<u64>,
    pub unnamed: bool,
    pub kept: bool,
    pub unpolled: bool,
}

impl Words {
    /// Splits at blanks; a text in quotes is one word, and `#` ends the line.
    pub fn of(line: &str) -> Result<Self, String> {
        let mut words = VecDeque::new();
        let mut rest = line.trim_start();
        while let Some(first) = rest.chars().next() {
            let (word, after) = match first {
                '#' => break,
                '"' => rest[1..].split_once('"').ok_or("a quote is not closed")?,
                ',' => rest.split_at(1),
                _ => {
                    let end = rest.find([' ', '\t', ',', '#']).unwrap_or(rest.len());
                    rest.split_at(end)
                }
            };
            words.push_back(word.to_owned());
            rest = after.trim_start();
        }
        Ok(Self(words))
    }

    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    pub fn peek(&self) -> Option<&str> {
        self.0.front().map(String::as_str)
    }

    pub fn next(&mut self, what: &str) -> Result<String, String> {
        self.0
            .pop_front()
            .ok_or_else(|| format!("{what} is missing"))
    }

    pub fn take(&mut self, word: &str) -> bool {
        let there = self.peek() == Some(word);
        if there {
            self.0.pop_front();
        }
        there
    }

    pub fn expect(&mut self, word: &str) -> Result<(), String> {
        if self.take(word) {
            Ok(())
        } else {
            Err(format!("`{word}` is missing"))
        }
    }

    pub fn done(&self) -> Result<(), String> {
        self.peek()
            .map_or(Ok(()), |word| Err(format!("`{word}` is too much")))
    }

    pub fn rest(&mut self) -> Vec<String> {
        std::mem::take(&mut self.0).into()
    }

    pub fn number<T: FromStr>(&mut self, what: &str) -> Result<T, String> {
        let word = self.next(what)?;
        word.parse().map_err(|_| format!("`{word}` is not {what}"))
    }

    pub fn duration(&mut self, what: &str) -> Result<Duration, String> {
        let word = self.next(what)?;
        duration(&word).ok_or_else(|| format!("`{word}` is not {what}"))
    }

    pub fn outcome(&mut self) -> Result<(Outcome, String), String> {
        let outcome = match self.next("an outcome")?.as_str() {
            "ok" => Outcome::Ok,
            "error" => Outcome::Error,
            "cancelled" => Outcome::Cancelled,
            "panicked" => Outcome::Panicked,
            "timed_out" => Outcome::TimedOut,
            "unknown" => Outcome::Unspecified,
            other => return Err(format!("`{other}` is no outcome")),
        };
        let told =
            matches!(outcome, Outcome::Error | Outcome::Panicked) && self.peek() != Some("on");
        let text = if told { self.0.pop_front() } else { None };
        Ok((outcome, text.unwrap_or_default()))
    }

    /// "9 times", or once.
    pub fn times(&mut self) -> Result<u32, String> {
        if self.is_empty() {
            return Ok(1);
        }
        let times = self.number("how often")?;
        self.expect("times")?;
        Ok(times)
    }

    pub fn options(&mut self) -> Result<Options, String> {
        let mut options = Options::default();
        while !self.is_empty() {
            match self.next("an option")?.as_str() {
                "as" => options.name = Some(self.next("a name after `as`")?),
                "by" => options.by = Some(self.next("a task after `by`")?),
                "in" => options.within = Some(self.next("a scope after `in`")?),
                "at" => options.location = Some(location(&self.next("a place after `at`")?)?),
                "named" => options.named = Some(self.next("a text after `named`")?),
                "reusing" => options.reusing = Some(self.next("a task after `reusing`")?),
                "runtime" => options.runtime = self.number("the number of a runtime")?,
                "sized" => options.size = Some(self.number("how many bytes")?),
                "boxed" => {
                    self.expect("from")?;
                    options.original_size = Some(self.number("how many bytes")?);
                }
                "unnamed" => options.unnamed = true,
                "kept" => options.kept = true,
                "unpolled" => options.unpolled = true,
                other => return Err(format!("`{other}` is no option")),
            }
        }
        Ok(options)
    }
}

/// A number with a unit, or 0.
pub fn duration(word: &str) -> Option<Duration> {
    let split = word.find(|c: char| c.is_ascii_alphabetic());
    let (number, unit) = word.split_at(split.unwrap_or(word.len()));
    let nanos = match unit {
        "ns" => 1.0,
        "us" => 1e3,
        "ms" => 1e6,
        "s" => 1e9,
        "min" => 6e10,
        "" if number == "0" => 1.0,
        _ => return None,
    };
    let nanos = number.parse::<f64>().ok()? * nanos;
    (0.0..1e19)
        .contains(&nanos)
        .then(|| Duration::from_nanos(nanos.round() as u64))
}

pub fn is_time(word: &str) -> bool {
    duration(word).is_some()
}

fn location(word: &str) -> Result<(String, u32), String> {
    word.rsplit_once(':')
        .and_then(|(file, line)| Some((file.to_owned(), line.parse().ok()?)))
        .ok_or_else(|| format!("`{word}` is not FILE:LINE"))
}
