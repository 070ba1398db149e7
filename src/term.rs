//! The terminal: taken over, and always given back.

use std::{io, panic, sync::Once};

use crossterm::{
    cursor::{Hide, Show},
    event::{DisableBracketedPaste, EnableBracketedPaste},
    execute,
    terminal::{EnterAlternateScreen, LeaveAlternateScreen, disable_raw_mode, enable_raw_mode},
};
use ratatui::{Terminal, backend::CrosstermBackend};

use crate::cli::Color;

/// The screen for as long as this lives.
#[derive(Debug)]
pub struct Screen {
    pub terminal: Terminal<CrosstermBackend<io::Stdout>>,
}

impl Screen {
    pub fn open() -> io::Result<Self> {
        restore_on_panic();
        enable_raw_mode()?;
        let opened = execute!(io::stdout(), EnterAlternateScreen, Hide, EnableBracketedPaste)
            .and_then(|()| Terminal::new(CrosstermBackend::new(io::stdout())));
        match opened {
            Ok(terminal) => Ok(Self { terminal }),
            Err(error) => {
                restore();
                Err(error)
            }
        }
    }
}

impl Drop for Screen {
    fn drop(&mut self) {
        restore();
    }
}

/// Puts the terminal back as it was. It may have gone, and then there is nothing to do.
fn restore() {
    let _ = execute!(io::stdout(), DisableBracketedPaste, LeaveAlternateScreen, Show);
    let _ = disable_raw_mode();
}

/// A panic's message would be lost on the alternate screen.
fn restore_on_panic() {
    static ONCE: Once = Once::new();
    ONCE.call_once(|| {
        let print = panic::take_hook();
        panic::set_hook(Box::new(move |info| {
            restore();
            print(info);
        }));
    });
}

/// How many colours may be used.
#[derive(Copy, Clone, Debug, PartialEq, Eq)]
pub enum Colors {
    None,
    Ansi16,
    Ansi256,
}

/// What the terminal can show.
#[derive(Copy, Clone, Debug, PartialEq, Eq)]
pub struct Capabilities {
    pub colors: Colors,
    pub unicode: bool,
}

/// By the command line, else by the environment: `NO_COLOR`, `CLICOLOR`, `TERM`,
/// `COLORTERM` and the locale.
pub fn capabilities(color: Color, ascii: bool, env: impl Fn(&str) -> Option<String>) -> Capabilities {
    let set = |name: &str| env(name).filter(|value| !value.is_empty());
    let term = set("TERM").unwrap_or_default();
    let refused = set("NO_COLOR").is_some() || set("CLICOLOR").as_deref() == Some("0");
    let colors = match color {
        Color::Never => Colors::None,
        Color::Auto if refused || term == "dumb" => Colors::None,
        _ if set("COLORTERM").is_some() || term.contains("256color") || term.contains("direct") => {
            Colors::Ansi256
        }
        _ => Colors::Ansi16,
    };
    // Without any locale, as in many containers, terminals speak UTF-8 all the same.
    let locale = ["LC_ALL", "LC_CTYPE", "LANG"].into_iter().find_map(set);
    let utf8 = locale.is_none_or(|l| {
        let l = l.to_ascii_lowercase();
        l.contains("utf-8") || l.contains("utf8")
    });
    Capabilities { colors, unicode: utf8 && !ascii }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn with(color: Color, env: &[(&str, &str)]) -> Capabilities {
        capabilities(color, false, |name| {
            env.iter().find(|(n, _)| *n == name).map(|(_, v)| (*v).to_owned())
        })
    }

    #[test]
    fn colours_follow_the_environment() {
        let xterm = ("TERM", "xterm-256color");
        assert_eq!(with(Color::Auto, &[xterm]).colors, Colors::Ansi256);
        assert_eq!(with(Color::Auto, &[("TERM", "xterm")]).colors, Colors::Ansi16);
        assert_eq!(with(Color::Auto, &[("TERM", "xterm"), ("COLORTERM", "truecolor")]).colors, Colors::Ansi256);
        assert_eq!(with(Color::Auto, &[xterm, ("NO_COLOR", "1")]).colors, Colors::None);
        assert_eq!(with(Color::Auto, &[xterm, ("NO_COLOR", "")]).colors, Colors::Ansi256);
        assert_eq!(with(Color::Auto, &[xterm, ("CLICOLOR", "0")]).colors, Colors::None);
        assert_eq!(with(Color::Always, &[xterm, ("NO_COLOR", "1")]).colors, Colors::Ansi256);
        assert_eq!(with(Color::Never, &[xterm]).colors, Colors::None);
    }

    #[test]
    fn characters_follow_the_locale() {
        assert!(with(Color::Auto, &[]).unicode);
        assert!(with(Color::Auto, &[("LANG", "de_DE.UTF-8")]).unicode);
        assert!(with(Color::Auto, &[("LANG", "C.utf8")]).unicode);
        assert!(!with(Color::Auto, &[("LANG", "C")]).unicode);
        assert!(!with(Color::Auto, &[("LC_ALL", "POSIX"), ("LANG", "de_DE.UTF-8")]).unicode);
    }
}
