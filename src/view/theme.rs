//! Styles by what they mean. No other file names a colour.

use ratatui::style::{Color, Modifier, Style};

use crate::model::{Outcome, State};

/// How many colours the terminal has.
#[derive(Copy, Clone, Debug, Default, PartialEq, Eq)]
pub enum ColorLevel {
    /// None are wanted: bold, dim and reverse do the work.
    None,
    Ansi16,
    #[default]
    Ansi256,
}

/// A hue, by its part in the picture.
#[derive(Copy, Clone, Debug)]
enum Tone {
    /// What has the focus.
    Accent,
    /// It makes progress.
    Good,
    /// It could run, and is kept from it.
    Delay,
    /// It waits for another.
    Wait,
    /// It sleeps by its own wish.
    Rest,
    Bad,
}

impl Tone {
    /// The 16-colour and the 256-colour form.
    const fn colors(self) -> (Color, Color) {
        match self {
            Self::Accent => (Color::Cyan, Color::Indexed(80)),
            Self::Good => (Color::Green, Color::Indexed(114)),
            Self::Delay => (Color::Yellow, Color::Indexed(221)),
            Self::Wait => (Color::Magenta, Color::Indexed(176)),
            Self::Rest => (Color::Blue, Color::Indexed(75)),
            Self::Bad => (Color::Red, Color::Indexed(203)),
        }
    }
}

#[derive(Copy, Clone, Debug)]
pub struct Theme {
    level: ColorLevel,
}

impl Theme {
    pub const fn new(level: ColorLevel) -> Self {
        Self { level }
    }

    fn tone(self, tone: Tone) -> Style {
        let (ansi, indexed) = tone.colors();
        match self.level {
            ColorLevel::None => Style::new(),
            ColorLevel::Ansi16 => Style::new().fg(ansi),
            ColorLevel::Ansi256 => Style::new().fg(indexed),
        }
    }

    pub fn text(self) -> Style {
        Style::new()
    }

    /// Names and figures that the eye should find first.
    pub fn strong(self) -> Style {
        Style::new().add_modifier(Modifier::BOLD)
    }

    /// What is over, unknown or of less weight.
    pub fn dim(self) -> Style {
        match self.level {
            ColorLevel::Ansi256 => Style::new().fg(Color::Indexed(245)),
            // Grey from a 16-colour palette is invisible on some backgrounds.
            ColorLevel::None | ColorLevel::Ansi16 => Style::new().add_modifier(Modifier::DIM),
        }
    }

    /// Rules, grooves and other lines that only lead the eye.
    pub fn line(self) -> Style {
        match self.level {
            ColorLevel::Ansi256 => Style::new().fg(Color::Indexed(240)),
            ColorLevel::None | ColorLevel::Ansi16 => Style::new().add_modifier(Modifier::DIM),
        }
    }

    pub fn title(self) -> Style {
        self.strong()
    }

    /// The title and the rule of the pane that keys go to.
    pub fn focus(self) -> Style {
        self.tone(Tone::Accent).add_modifier(Modifier::BOLD)
    }

    /// The name of the view that is shown.
    pub fn tab(self) -> Style {
        self.tone(Tone::Accent)
            .add_modifier(Modifier::REVERSED | Modifier::BOLD)
    }

    /// Words of code within prose.
    pub fn code(self) -> Style {
        match self.level {
            ColorLevel::None => self.strong(),
            ColorLevel::Ansi16 | ColorLevel::Ansi256 => self.tone(Tone::Accent),
        }
    }

    /// Names of columns and figures.
    pub fn label(self) -> Style {
        self.dim()
    }

    /// A key in the footer and the help.
    pub fn key(self) -> Style {
        self.focus()
    }

    /// Laid over the row that the cursor is on.
    pub fn selected(self) -> Style {
        match self.level {
            ColorLevel::None | ColorLevel::Ansi16 => {
                Style::new().add_modifier(Modifier::REVERSED | Modifier::BOLD)
            }
            ColorLevel::Ansi256 => Style::new()
                .bg(Color::Indexed(238))
                .add_modifier(Modifier::BOLD),
        }
    }

    /// The event loop is blocked: nothing on the screen may be louder.
    pub fn alarm(self) -> Style {
        self.tone(Tone::Bad)
            .add_modifier(Modifier::REVERSED | Modifier::BOLD)
    }

    /// A message that wants reading, and no haste.
    pub fn notice(self) -> Style {
        self.tone(Tone::Accent)
            .add_modifier(Modifier::REVERSED | Modifier::BOLD)
    }

    pub fn bad(self) -> Style {
        self.tone(Tone::Bad).add_modifier(Modifier::BOLD)
    }

    pub fn warning(self) -> Style {
        self.tone(Tone::Delay).add_modifier(Modifier::BOLD)
    }

    pub fn good(self) -> Style {
        self.tone(Tone::Good)
    }

    /// Time in polls.
    pub fn busy(self) -> Style {
        self.tone(Tone::Good)
    }

    /// Time between a wake and its poll.
    pub fn ready(self) -> Style {
        self.tone(Tone::Delay)
    }

    /// Time in sleeps and waits.
    pub fn rest(self) -> Style {
        self.tone(Tone::Rest)
    }

    /// Time in waits for another.
    pub fn wait(self) -> Style {
        self.tone(Tone::Wait)
    }

    pub fn state(self, state: State) -> Style {
        match state {
            State::Running => self.busy().add_modifier(Modifier::BOLD),
            State::Ready => self.ready(),
            State::Sleeping => self.rest(),
            State::Waiting => self.tone(Tone::Wait),
            State::Idle => self.text(),
            State::Done(outcome) => self.outcome(outcome),
        }
    }

    pub fn outcome(self, outcome: Option<Outcome>) -> Style {
        match outcome {
            None => self.dim(),
            Some(Outcome::Ok) => self.tone(Tone::Good),
            Some(Outcome::Cancelled | Outcome::TimedOut) => self.tone(Tone::Delay),
            Some(Outcome::Error | Outcome::Panicked) => self.bad(),
        }
    }
}
