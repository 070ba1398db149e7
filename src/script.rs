//! The keys script: what a person would do before a recording, one command a line.
//!
//! ```text
//! # From the overview to the details of the second task.
//! wait 1.5s
//! press Down Enter
//! until "longest poll" 5s
//! speed 0.5
//! wait end
//! ```
//!
//! `docs/keys-script.md` describes the language for those who write one.

#[cfg(test)]
mod tests;

use std::time::Duration;

use crossterm::event::{KeyCode, KeyEvent, KeyModifiers};

/// Commands in their order.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Script {
    pub steps: Vec<Step>,
}

/// A command, and where it stands.
#[derive(Clone, Debug, PartialEq)]
pub struct Step {
    pub place: Place,
    pub command: Command,
}

/// A place in a script, counted in characters and from 1.
#[derive(Copy, Clone, Debug, PartialEq, Eq)]
pub struct Place {
    pub line: usize,
    pub column: usize,
}

#[derive(Clone, Debug, PartialEq)]
pub enum Command {
    /// Lets so much time pass, as the one who looks on measures it.
    Wait(Duration),
    /// Waits for the end of the recording.
    WaitEnd,
    Press(KeyEvent),
    /// Waits until the text is seen in a line of the screen, and no longer than this.
    Until {
        text: String,
        limit: Duration,
    },
    /// How much faster than it did the recorded time is to pass.
    Speed(f64),
}

/// What is wrong with a script, and where.
#[derive(Clone, Debug, PartialEq, thiserror::Error)]
#[error("line {}, column {}: {problem}", place.line, place.column)]
pub struct Error {
    pub place: Place,
    pub problem: Problem,
}

#[derive(Clone, Debug, PartialEq, thiserror::Error)]
pub enum Problem {
    #[error("{0:?} is no command; there are wait, press, type, until, speed and #")]
    NoCommand(String),
    #[error("expected {0}")]
    Expected(&'static str),
    #[error("{0:?} is no time from 0s to 1h, such as 1.5s or 200ms")]
    NoTime(String),
    #[error(
        "{0:?} is no key: a character, or one such as Enter, Down, PgDn, F1, Ctrl-c, Shift-Left"
    )]
    NoKey(String),
    #[error("{0:?} is no speed from 0.1 to 50")]
    NoSpeed(String),
    #[error("the text has no closing quote")]
    Unclosed,
    #[error("{0:?} cannot follow a backslash: only a quote or a backslash can")]
    NoEscape(char),
    #[error("nothing can follow here")]
    TooMuch,
    /// Known only when the script is played.
    #[error("{text:?} was not seen within {}", humantime::format_duration(*limit))]
    Unseen { text: String, limit: Duration },
    /// So too.
    #[error("time stands still here, and the end will never come")]
    Still,
}

impl Script {
    /// How long `until` waits if nothing is said.
    const LIMIT: Duration = Duration::from_secs(10);

    /// What is done where there is no script: the whole recording is seen.
    pub fn whole() -> Self {
        let place = Place { line: 1, column: 1 };
        let command = Command::WaitEnd;
        Self {
            steps: vec![Step { place, command }],
        }
    }

    pub fn parse(text: &str) -> Result<Self, Error> {
        let mut steps = Vec::new();
        for (line, text) in (1..).zip(text.lines()) {
            let mut words = Words {
                line,
                rest: text,
                column: 1,
            };
            words.command(&mut steps)?;
        }
        Ok(Self { steps })
    }
}

/// A time of at most an hour; a number of seconds may have a point.
fn time(word: &str) -> Option<Duration> {
    const LONGEST: Duration = Duration::from_secs(3600);
    let seconds = word
        .strip_suffix('s')
        .and_then(|digits| digits.parse().ok());
    let time = match seconds {
        Some(seconds) => Duration::try_from_secs_f64(seconds).ok(),
        None => humantime::parse_duration(word).ok(),
    };
    time.filter(|time| *time <= LONGEST)
}

/// The key of this name: a character stands for itself.
pub fn key(name: &str) -> Option<KeyEvent> {
    let (modifiers, name) = match (name.strip_prefix("Ctrl-"), name.strip_prefix("Shift-")) {
        (Some(name), _) => (KeyModifiers::CONTROL, name),
        (_, Some(name)) => (KeyModifiers::SHIFT, name),
        (None, None) => (KeyModifiers::NONE, name),
    };
    let mut chars = name.chars();
    let code = match (chars.next(), chars.next()) {
        (Some(c), None) if !c.is_control() => KeyCode::Char(c),
        _ => named(name)?,
    };
    // Shift is in the character already, and Shift-Tab a key of its own.
    let code = match (modifiers, code) {
        (KeyModifiers::SHIFT, KeyCode::Char(_)) => return None,
        (KeyModifiers::SHIFT, KeyCode::Tab) => KeyCode::BackTab,
        (_, code) => code,
    };
    Some(KeyEvent::new(code, modifiers))
}

fn named(name: &str) -> Option<KeyCode> {
    Some(match name {
        "Enter" => KeyCode::Enter,
        "Esc" => KeyCode::Esc,
        "Tab" => KeyCode::Tab,
        "BackTab" => KeyCode::BackTab,
        "Space" => KeyCode::Char(' '),
        "Up" => KeyCode::Up,
        "Down" => KeyCode::Down,
        "Left" => KeyCode::Left,
        "Right" => KeyCode::Right,
        "Home" => KeyCode::Home,
        "End" => KeyCode::End,
        "PgUp" => KeyCode::PageUp,
        "PgDn" => KeyCode::PageDown,
        "Backspace" => KeyCode::Backspace,
        "Delete" => KeyCode::Delete,
        _ => {
            let number = name.strip_prefix('F')?.parse().ok()?;
            let known = (1..=12).contains(&number);
            return known.then_some(KeyCode::F(number));
        }
    })
}

/// What is left of a line.
struct Words<'a> {
    line: usize,
    rest: &'a str,
    /// Of the first character that is left.
    column: usize,
}

impl<'a> Words<'a> {
    fn command(&mut self, steps: &mut Vec<Step>) -> Result<(), Error> {
        let Some((place, name)) = self.word() else {
            return Ok(());
        };
        if name.starts_with('#') {
            return Ok(());
        }
        match name {
            "wait" => {
                let (at, word) = self.expect("a time, or the word end")?;
                let command = match word {
                    "end" => Command::WaitEnd,
                    _ => Command::Wait(time(word).ok_or_else(|| wrong(at, Problem::NoTime, word))?),
                };
                steps.push(Step { place, command });
            }
            "press" => {
                let (mut place, mut word) = self.expect("a key")?;
                loop {
                    let key = key(word).ok_or_else(|| wrong(place, Problem::NoKey, word))?;
                    let command = Command::Press(key);
                    steps.push(Step { place, command });
                    match self.word() {
                        Some(next) => (place, word) = next,
                        None => break,
                    }
                }
            }
            "type" => self.text_to_type(steps)?,
            "until" => {
                let text = self.quoted()?;
                let limit = match self.word() {
                    Some((at, word)) => {
                        time(word).ok_or_else(|| wrong(at, Problem::NoTime, word))?
                    }
                    None => Script::LIMIT,
                };
                let command = Command::Until { text, limit };
                steps.push(Step { place, command });
            }
            "speed" => {
                let (at, word) = self.expect("a number from 0.1 to 50")?;
                let speed = word.parse().ok();
                let speed = speed.filter(|speed| (0.1..=50.0).contains(speed));
                let speed = speed.ok_or_else(|| wrong(at, Problem::NoSpeed, word))?;
                let command = Command::Speed(speed);
                steps.push(Step { place, command });
            }
            _ => return Err(wrong(place, Problem::NoCommand, name)),
        }
        match self.word() {
            Some((place, _)) => Err(Error {
                place,
                problem: Problem::TooMuch,
            }),
            None => Ok(()),
        }
    }

    /// The next word, and where it is.
    fn word(&mut self) -> Option<(Place, &'a str)> {
        self.skip_blanks();
        let end = self.rest.find(char::is_whitespace);
        let word = &self.rest[..end.unwrap_or(self.rest.len())];
        let place = self.place();
        self.take(word);
        (!word.is_empty()).then_some((place, word))
    }

    fn expect(&mut self, what: &'static str) -> Result<(Place, &'a str), Error> {
        self.word().ok_or_else(|| Error {
            place: self.place(),
            problem: Problem::Expected(what),
        })
    }

    /// The rest of the line, a key for each character.
    fn text_to_type(&mut self, steps: &mut Vec<Step>) -> Result<(), Error> {
        self.skip_blanks();
        let text = self.rest.trim_end();
        if text.is_empty() {
            self.expect("a text to type")?;
        }
        for (column, c) in (self.column..).zip(text.chars()) {
            let place = Place {
                line: self.line,
                column,
            };
            let mut buffer = [0; 4];
            let name = c.encode_utf8(&mut buffer);
            let key = key(name).ok_or_else(|| wrong(place, Problem::NoKey, name))?;
            let command = Command::Press(key);
            steps.push(Step { place, command });
        }
        self.take(self.rest);
        Ok(())
    }

    /// A text between quotes. A quote in it follows a backslash.
    fn quoted(&mut self) -> Result<String, Error> {
        self.skip_blanks();
        let begin = self.place();
        let expected = |place| Error {
            place,
            problem: Problem::Expected("a text in quotes"),
        };
        if !self.rest.starts_with('"') {
            return Err(expected(begin));
        }
        self.take("\"");
        let mut text = String::new();
        let mut chars = self.rest.chars();
        while let Some(c) = chars.next() {
            let taken = self.rest.len() - chars.as_str().len();
            let place = self.place();
            match c {
                '"' => {
                    self.take(&self.rest[..taken]);
                    return if text.is_empty() {
                        Err(expected(begin))
                    } else {
                        Ok(text)
                    };
                }
                '\\' => match chars.next() {
                    Some(c @ ('"' | '\\')) => text.push(c),
                    Some(c) => {
                        let problem = Problem::NoEscape(c);
                        return Err(Error { place, problem });
                    }
                    None => break,
                },
                c => text.push(c),
            }
            let taken = self.rest.len() - chars.as_str().len();
            self.take(&self.rest[..taken]);
        }
        Err(Error {
            place: begin,
            problem: Problem::Unclosed,
        })
    }

    fn skip_blanks(&mut self) {
        let blanks = self.rest.len() - self.rest.trim_start().len();
        self.take(&self.rest[..blanks]);
    }

    /// Goes on behind `text`, with which the rest begins.
    fn take(&mut self, text: &str) {
        self.column += text.chars().count();
        self.rest = &self.rest[text.len()..];
    }

    fn place(&self) -> Place {
        Place {
            line: self.line,
            column: self.column,
        }
    }
}

fn wrong(place: Place, problem: fn(String) -> Problem, word: &str) -> Error {
    Error {
        place,
        problem: problem(word.to_owned()),
    }
}
