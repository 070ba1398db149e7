//! A key, and how it is written: `q`, `Ctrl-C`, `Shift-Tab`, `F1`.

use std::{fmt, str::FromStr};

use crossterm::event::{KeyCode, KeyEvent, KeyModifiers};

/// A key, with Control held or not. Shift is in the character, and so told of other keys only.
#[derive(Copy, Clone, Debug, PartialEq, Eq)]
pub struct Key {
    pub code: KeyCode,
    pub control: bool,
    pub shift: bool,
}

/// Keys that are no character, by what is written on them.
const NAMED: [(&str, KeyCode); 16] = [
    ("Enter", KeyCode::Enter),
    ("Esc", KeyCode::Esc),
    ("Space", KeyCode::Char(' ')),
    ("Tab", KeyCode::Tab),
    ("Shift-Tab", KeyCode::BackTab),
    ("Backspace", KeyCode::Backspace),
    ("Delete", KeyCode::Delete),
    ("Insert", KeyCode::Insert),
    ("Home", KeyCode::Home),
    ("End", KeyCode::End),
    ("PgUp", KeyCode::PageUp),
    ("PgDn", KeyCode::PageDown),
    ("Up", KeyCode::Up),
    ("Down", KeyCode::Down),
    ("Left", KeyCode::Left),
    ("Right", KeyCode::Right),
];

/// Terminals send no more function keys than these.
const FUNCTION_KEYS: u8 = 12;

const CONTROL: &str = "Ctrl-";
const SHIFT: &str = "Shift-";

impl Key {
    pub const fn new(code: KeyCode) -> Self {
        Self {
            code,
            control: false,
            shift: false,
        }
    }

    pub const fn char(c: char) -> Self {
        Self::new(KeyCode::Char(c))
    }

    pub const fn control(c: char) -> Self {
        Self {
            control: true,
            ..Self::char(c)
        }
    }

    pub const fn shift(code: KeyCode) -> Self {
        Self {
            shift: true,
            ..Self::new(code)
        }
    }

    /// The character that it writes, where text is typed.
    pub fn text(self) -> Option<char> {
        match self.code {
            KeyCode::Char(c) if !self.control => Some(c),
            _ => None,
        }
    }
}

impl From<KeyEvent> for Key {
    fn from(event: KeyEvent) -> Self {
        Self {
            code: event.code,
            control: event.modifiers.contains(KeyModifiers::CONTROL),
            shift: takes_shift(event.code) && event.modifiers.contains(KeyModifiers::SHIFT),
        }
    }
}

/// Of which keys terminals tell that Shift is held.
fn takes_shift(code: KeyCode) -> bool {
    matches!(code, KeyCode::Left | KeyCode::Right)
}

impl fmt::Display for Key {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.shift {
            f.write_str(SHIFT)?;
        }
        if self.control {
            f.write_str(CONTROL)?;
        }
        match (NAMED.iter().find(|(_, code)| *code == self.code), self.code) {
            (Some((name, _)), _) => f.write_str(name),
            (None, KeyCode::Char(c)) if self.control => write!(f, "{}", c.to_ascii_uppercase()),
            (None, KeyCode::Char(c)) => write!(f, "{c}"),
            (None, KeyCode::F(n)) => write!(f, "F{n}"),
            (None, code) => write!(f, "{code:?}"),
        }
    }
}

/// Nothing on a keyboard is called so.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error(
    "no key is called {0:?}; keys are written as `q`, `Ctrl-C`, `F1`, `Space`, `Enter`, `PgUp`, `Shift-Tab`"
)]
pub struct UnknownKey(String);

impl FromStr for Key {
    type Err = UnknownKey;

    fn from_str(text: &str) -> Result<Self, UnknownKey> {
        let unknown = || UnknownKey(text.to_owned());
        let held = |held: &str| {
            let (start, name) = text.split_at_checked(held.len())?;
            start.eq_ignore_ascii_case(held).then_some(name)
        };
        if let Some(code) = held(SHIFT).and_then(code).filter(|code| takes_shift(*code)) {
            return Ok(Self::shift(code));
        }
        let (control, name) = match held(CONTROL) {
            Some(name) => (true, name),
            None => (false, text),
        };
        let code = code(name).ok_or_else(unknown)?;
        let code = match code {
            KeyCode::Char(c) if control => KeyCode::Char(c.to_ascii_lowercase()),
            code => code,
        };
        Ok(Self {
            control,
            ..Self::new(code)
        })
    }
}

fn code(name: &str) -> Option<KeyCode> {
    let mut chars = name.chars();
    if let (Some(c), None) = (chars.next(), chars.next()) {
        return (!c.is_control()).then_some(KeyCode::Char(c));
    }
    let named = NAMED.iter().find(|(n, _)| n.eq_ignore_ascii_case(name));
    named.map(|(_, code)| *code).or_else(|| {
        let number = name.strip_prefix(['F', 'f'])?.parse().ok()?;
        (1..=FUNCTION_KEYS)
            .contains(&number)
            .then_some(KeyCode::F(number))
    })
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn keys_are_read_as_they_are_written() {
        for (text, key) in [
            ("q", Key::char('q')),
            ("Ctrl-C", Key::control('c')),
            ("F12", Key::new(KeyCode::F(12))),
            ("Space", Key::char(' ')),
            ("Shift-Tab", Key::new(KeyCode::BackTab)),
            ("Shift-Left", Key::shift(KeyCode::Left)),
            ("-", Key::char('-')),
        ] {
            assert_eq!(text.parse(), Ok(key), "{text}");
            assert_eq!(key.to_string(), text);
        }
        assert_eq!("ctrl-c".parse(), Ok(Key::control('c')));
        assert_eq!("pgup".parse(), Ok(Key::new(KeyCode::PageUp)));
        for text in ["", "F0", "F13", "Ctrl-", "Shift-q", "qq", "\u{1b}", "Alt-x"] {
            assert!(text.parse::<Key>().is_err(), "{text}");
        }
    }

    proptest! {
        #[test]
        fn what_is_read_is_written_so_that_it_is_read_again(text in "\\PC{0,6}|(Ctrl-|Shift-)?(\\PC|Left|Up)") {
            if let Ok(key) = text.parse::<Key>() {
                prop_assert_eq!(key.to_string().parse(), Ok(key));
            }
        }
    }
}
