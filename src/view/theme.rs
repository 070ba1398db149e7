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

/// Which hues are used.
#[derive(Copy, Clone, Debug, Default, PartialEq, Eq)]
pub enum ThemeName {
    #[default]
    Dark,
    Light,
    ColorBlind,
    Mono,
}

impl ThemeName {
    pub const ALL: [Self; 4] = [Self::Dark, Self::Light, Self::ColorBlind, Self::Mono];

    /// What the command line and the configuration call it.
    pub const fn word(self) -> &'static str {
        match self {
            Self::Dark => "dark",
            Self::Light => "light",
            Self::ColorBlind => "color-blind",
            Self::Mono => "mono",
        }
    }

    pub const fn summary(self) -> &'static str {
        match self {
            Self::Dark => "for a dark background",
            Self::Light => "for a light background",
            Self::ColorBlind => "hues that all eyes tell apart, for a dark background",
            Self::Mono => "no hues: bold, dim and grey",
        }
    }

    pub fn find(word: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|theme| theme.word() == word)
    }
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

/// A theme's hues, each in its 16-colour and its 256-colour form.
struct Hues {
    accent: (Color, u8),
    good: (Color, u8),
    delay: (Color, u8),
    wait: (Color, u8),
    rest: (Color, u8),
    bad: (Color, u8),
}

const DARK: Hues = Hues {
    accent: (Color::Cyan, 80),
    good: (Color::Green, 114),
    delay: (Color::Yellow, 221),
    wait: (Color::Magenta, 176),
    rest: (Color::Blue, 75),
    bad: (Color::Red, 203),
};

/// On white, yellow and light hues are not seen.
const LIGHT: Hues = Hues {
    accent: (Color::Blue, 24),
    good: (Color::Green, 22),
    delay: (Color::Magenta, 94),
    wait: (Color::Cyan, 90),
    rest: (Color::Blue, 26),
    bad: (Color::Red, 160),
};

/// The nearest to the palette of Okabe and Ito, whose hues differ in lightness, too.
const COLOR_BLIND: Hues = Hues {
    accent: (Color::White, 117),
    good: (Color::LightBlue, 36),
    delay: (Color::Yellow, 227),
    wait: (Color::Magenta, 175),
    rest: (Color::Cyan, 33),
    bad: (Color::LightRed, 202),
};

impl Hues {
    const fn of(&self, tone: Tone) -> (Color, u8) {
        match tone {
            Tone::Accent => self.accent,
            Tone::Good => self.good,
            Tone::Delay => self.delay,
            Tone::Wait => self.wait,
            Tone::Rest => self.rest,
            Tone::Bad => self.bad,
        }
    }
}

/// Greys of 256 colours: of words that matter less, of lines, and behind the cursor's row.
struct Greys {
    dim: u8,
    line: u8,
    selected: u8,
}

const ON_DARK: Greys = Greys {
    dim: 245,
    line: 240,
    selected: 238,
};

const ON_LIGHT: Greys = Greys {
    dim: 241,
    line: 248,
    selected: 253,
};

#[derive(Copy, Clone, Debug)]
pub struct Theme {
    level: ColorLevel,
    name: ThemeName,
}

impl Theme {
    /// Without any colour.
    pub const PLAIN: Self = Self::new(ColorLevel::None, ThemeName::Mono);

    pub const fn new(level: ColorLevel, name: ThemeName) -> Self {
        Self { level, name }
    }

    fn tone(self, tone: Tone) -> Style {
        let hues = match self.name {
            ThemeName::Dark => &DARK,
            ThemeName::Light => &LIGHT,
            ThemeName::ColorBlind => &COLOR_BLIND,
            ThemeName::Mono => return Style::new(),
        };
        let (ansi, indexed) = hues.of(tone);
        match self.level {
            ColorLevel::None => Style::new(),
            ColorLevel::Ansi16 => Style::new().fg(ansi),
            ColorLevel::Ansi256 => Style::new().fg(Color::Indexed(indexed)),
        }
    }

    fn greys(self) -> &'static Greys {
        match self.name {
            ThemeName::Light => &ON_LIGHT,
            ThemeName::Dark | ThemeName::ColorBlind | ThemeName::Mono => &ON_DARK,
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
            ColorLevel::Ansi256 => Style::new().fg(Color::Indexed(self.greys().dim)),
            // Grey from a 16-colour palette is invisible on some backgrounds.
            ColorLevel::None | ColorLevel::Ansi16 => Style::new().add_modifier(Modifier::DIM),
        }
    }

    /// Rules, grooves and other lines that only lead the eye.
    pub fn line(self) -> Style {
        match self.level {
            ColorLevel::Ansi256 => Style::new().fg(Color::Indexed(self.greys().line)),
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

    /// A name that is searched for.
    pub fn found(self) -> Style {
        self.tone(Tone::Accent)
            .add_modifier(Modifier::UNDERLINED | Modifier::BOLD)
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
                .bg(Color::Indexed(self.greys().selected))
                .add_modifier(Modifier::BOLD),
        }
    }

    /// Where the next character that is typed goes.
    pub fn typed(self) -> Style {
        Style::new().add_modifier(Modifier::REVERSED)
    }

    /// A part of what is typed that makes no sense.
    pub fn wrong(self) -> Style {
        self.bad().add_modifier(Modifier::UNDERLINED)
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
            State::Waiting => self.wait(),
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

#[cfg(test)]
mod tests {
    use super::*;

    /// The share of light that a colour of the usual palette of 256 gives, from 0 to 1.
    fn luminance(index: u8) -> f64 {
        let level = |n: u8| if n == 0 { 0 } else { 55 + 40 * u32::from(n) };
        let rgb = match index {
            232.. => [8 + 10 * u32::from(index - 232); 3],
            16.. => {
                let n = index - 16;
                [level(n / 36), level(n / 6 % 6), level(n % 6)]
            }
            _ => panic!("{index} is the terminal's own"),
        };
        let linear = rgb.map(|c| {
            let c = f64::from(c) / 255.0;
            if c <= 0.040_45 {
                c / 12.92
            } else {
                ((c + 0.055) / 1.055).powf(2.4)
            }
        });
        0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]
    }

    /// How well two are told apart, from 1 to 21, as the web's guidelines reckon it.
    fn contrast(a: f64, b: f64) -> f64 {
        (a.max(b) + 0.05) / (a.min(b) + 0.05)
    }

    const TONES: [Tone; 6] = [
        Tone::Accent,
        Tone::Good,
        Tone::Delay,
        Tone::Wait,
        Tone::Rest,
        Tone::Bad,
    ];

    #[test]
    fn words_can_be_read_on_the_background_that_a_theme_is_for() {
        for (hues, greys, background) in [
            (DARK, ON_DARK, 0.0),
            (COLOR_BLIND, ON_DARK, 0.0),
            (LIGHT, ON_LIGHT, 1.0),
        ] {
            for tone in TONES {
                let (_, index) = hues.of(tone);
                let seen = contrast(luminance(index), background);
                assert!(seen >= 4.5, "{tone:?} {index}: {seen:.1}");
            }
            assert!(contrast(luminance(greys.dim), background) >= 4.5);
        }
    }

    #[test]
    fn hues_that_all_eyes_tell_apart_differ() {
        for (i, a) in TONES.iter().enumerate() {
            for b in &TONES[..i] {
                for hues in [DARK, LIGHT, COLOR_BLIND] {
                    assert_ne!(hues.of(*a).1, hues.of(*b).1, "{a:?} and {b:?}");
                }
                assert_ne!(COLOR_BLIND.of(*a).0, COLOR_BLIND.of(*b).0);
            }
        }
    }

    #[test]
    fn without_hues_there_are_none() {
        let mono = Theme::new(ColorLevel::Ansi256, ThemeName::Mono);
        assert_eq!(mono.bad().fg, None);
        let none = Theme::new(ColorLevel::None, ThemeName::Light);
        assert_eq!(
            (none.bad().fg, none.dim().fg, none.selected().bg),
            (None, None, None)
        );
    }
}
