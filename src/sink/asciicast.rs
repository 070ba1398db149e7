//! Pictures as an asciicast, which asciinema plays: a line of JSON for the terminal, and one for
//! each change of the screen.
//!
//! Version 2 counts time from the beginning, version 3 from the event before.
//! <https://docs.asciinema.org/manual/asciicast/v3/>

use std::{fmt::Write, time::Duration};

use ratatui::buffer::Buffer;
use serde::Serialize;

use super::{ansi, palette::Paper};

#[derive(Copy, Clone, Debug, PartialEq, Eq)]
pub enum Version {
    V2,
    V3,
}

/// What is told beside the pictures.
#[derive(Clone, Debug)]
pub struct About {
    pub title: String,
    /// When it was recorded: seconds since the Unix epoch.
    pub recorded_at: Option<i64>,
    /// The terminal's own colours.
    pub paper: &'static Paper,
}

/// Writes an asciicast, picture by picture.
#[derive(Debug)]
pub struct Cast {
    version: Version,
    /// The last picture.
    screen: Buffer,
    /// Microseconds from the beginning to the last event.
    at: u128,
}

#[derive(Serialize)]
struct HeaderV2<'a> {
    version: u8,
    width: u16,
    height: u16,
    #[serde(skip_serializing_if = "Option::is_none")]
    timestamp: Option<i64>,
    title: &'a str,
    env: Env,
    theme: Theme,
}

#[derive(Serialize)]
struct Env {
    #[serde(rename = "TERM")]
    term: &'static str,
}

#[derive(Serialize)]
struct HeaderV3<'a> {
    version: u8,
    term: Term,
    #[serde(skip_serializing_if = "Option::is_none")]
    timestamp: Option<i64>,
    title: &'a str,
}

#[derive(Serialize)]
struct Term {
    cols: u16,
    rows: u16,
    #[serde(rename = "type")]
    kind: &'static str,
    theme: Theme,
}

#[derive(Serialize)]
struct Theme {
    fg: String,
    bg: String,
    palette: String,
}

impl Theme {
    fn new(paper: &Paper) -> Self {
        Self {
            fg: paper.foreground.to_string(),
            bg: paper.background.to_string(),
            palette: paper.ansi.map(|rgb| rgb.to_string()).join(":"),
        }
    }
}

impl Cast {
    /// The terminal in which all pictures are: what its colours are called.
    const TERM: &str = "xterm-256color";

    /// Begins with the header. All pictures have the size of this one, which is not seen.
    pub fn begin(version: Version, about: &About, blank: &Buffer, out: &mut String) -> Self {
        let (width, height) = (blank.area.width, blank.area.height);
        let (title, timestamp) = (about.title.as_str(), about.recorded_at);
        let theme = Theme::new(about.paper);
        let header = match version {
            Version::V2 => serde_json::to_string(&HeaderV2 {
                version: 2,
                width,
                height,
                timestamp,
                title,
                env: Env { term: Self::TERM },
                theme,
            }),
            Version::V3 => serde_json::to_string(&HeaderV3 {
                version: 3,
                term: Term {
                    cols: width,
                    rows: height,
                    kind: Self::TERM,
                    theme,
                },
                timestamp,
                title,
            }),
        };
        // Nothing in it can fail.
        out.push_str(&header.unwrap_or_default());
        out.push('\n');
        let mut cast = Self {
            version,
            screen: Buffer::empty(blank.area),
            at: 0,
        };
        cast.event(Duration::ZERO, "o", ansi::BEGIN, out);
        cast
    }

    /// Adds a picture, which is seen from this time on.
    pub fn picture(&mut self, at: Duration, screen: &Buffer, out: &mut String) {
        let change = ansi::change(&self.screen, screen);
        if !change.is_empty() {
            self.event(at, "o", &change, out);
        }
        self.screen.clone_from(screen);
    }

    /// The last picture is seen up to this time.
    pub fn end(mut self, at: Duration, out: &mut String) {
        self.event(at, "o", &ansi::end(self.screen.area.height), out);
        if self.version == Version::V3 {
            self.event(at, "x", "0", out);
        }
    }

    fn event(&mut self, at: Duration, code: &str, data: &str, out: &mut String) {
        let at = at.as_micros().max(self.at);
        let time = match self.version {
            Version::V2 => at,
            Version::V3 => at - self.at,
        };
        self.at = at;
        let data = serde_json::Value::from(data);
        let (seconds, micros) = (time / 1_000_000, time % 1_000_000);
        let _ = writeln!(out, "[{seconds}.{micros:06}, \"{code}\", {data}]");
    }
}
