//! Colours as they are seen: what a terminal makes of the theme's numbers.

use std::fmt;

use ratatui::style::Color;

#[derive(Copy, Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Rgb(pub u8, pub u8, pub u8);

/// What a terminal chooses for itself.
#[derive(Debug, PartialEq, Eq)]
pub struct Paper {
    pub foreground: Rgb,
    pub background: Rgb,
    pub ansi: [Rgb; 16],
}

pub const DARK: Paper = Paper {
    foreground: Rgb(0xc9, 0xcf, 0xd9),
    background: Rgb(0x14, 0x17, 0x1c),
    ansi: [
        Rgb(0x1f, 0x24, 0x2c),
        Rgb(0xe0, 0x64, 0x6c),
        Rgb(0x8c, 0xc2, 0x7a),
        Rgb(0xe2, 0xb8, 0x6b),
        Rgb(0x66, 0xa8, 0xee),
        Rgb(0xc0, 0x80, 0xd8),
        Rgb(0x58, 0xb8, 0xc0),
        Rgb(0xc9, 0xcf, 0xd9),
        Rgb(0x69, 0x72, 0x80),
        Rgb(0xf0, 0x80, 0x86),
        Rgb(0xa8, 0xda, 0x96),
        Rgb(0xf2, 0xd0, 0x88),
        Rgb(0x8a, 0xc0, 0xff),
        Rgb(0xd8, 0xa0, 0xec),
        Rgb(0x80, 0xd8, 0xde),
        Rgb(0xf4, 0xf6, 0xfa),
    ],
};

pub const LIGHT: Paper = Paper {
    foreground: Rgb(0x24, 0x29, 0x2f),
    background: Rgb(0xfc, 0xfc, 0xfa),
    ansi: [
        Rgb(0x24, 0x29, 0x2f),
        Rgb(0xc0, 0x2a, 0x34),
        Rgb(0x1c, 0x76, 0x30),
        Rgb(0x94, 0x64, 0x00),
        Rgb(0x10, 0x5c, 0xc0),
        Rgb(0x84, 0x38, 0xb0),
        Rgb(0x0c, 0x74, 0x80),
        Rgb(0x6a, 0x72, 0x7c),
        Rgb(0x50, 0x58, 0x62),
        Rgb(0xa0, 0x18, 0x24),
        Rgb(0x10, 0x60, 0x28),
        Rgb(0x78, 0x50, 0x00),
        Rgb(0x08, 0x48, 0xa0),
        Rgb(0x6c, 0x28, 0x98),
        Rgb(0x08, 0x5c, 0x68),
        Rgb(0x8c, 0x94, 0x9e),
    ],
};

impl Paper {
    /// None for the colour that is there where nothing is said.
    pub fn color(&self, color: Color) -> Option<Rgb> {
        let index = match color {
            Color::Reset => return None,
            Color::Rgb(r, g, b) => return Some(Rgb(r, g, b)),
            Color::Indexed(index) => index,
            Color::Black => 0,
            Color::Red => 1,
            Color::Green => 2,
            Color::Yellow => 3,
            Color::Blue => 4,
            Color::Magenta => 5,
            Color::Cyan => 6,
            Color::Gray => 7,
            Color::DarkGray => 8,
            Color::LightRed => 9,
            Color::LightGreen => 10,
            Color::LightYellow => 11,
            Color::LightBlue => 12,
            Color::LightMagenta => 13,
            Color::LightCyan => 14,
            Color::White => 15,
        };
        Some(self.indexed(index))
    }

    /// xterm's 256: the sixteen, a cube of six steps a side, and 24 greys.
    fn indexed(&self, index: u8) -> Rgb {
        const STEPS: [u8; 6] = [0, 95, 135, 175, 215, 255];
        match index {
            0..16 => self.ansi[usize::from(index)],
            16..232 => {
                let step = |side| STEPS[usize::from((index - 16) / side % 6)];
                Rgb(step(36), step(6), step(1))
            }
            232.. => {
                let grey = 8 + 10 * (index - 232);
                Rgb(grey, grey, grey)
            }
        }
    }
}

impl Rgb {
    /// So much fainter on this background, as terminals draw what is dim.
    #[must_use]
    pub fn dimmed(self, background: Self) -> Self {
        let mix = |fore, back| ((u16::from(fore) * 3 + u16::from(back) * 2) / 5) as u8;
        Self(
            mix(self.0, background.0),
            mix(self.1, background.1),
            mix(self.2, background.2),
        )
    }
}

impl fmt::Display for Rgb {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "#{:02x}{:02x}{:02x}", self.0, self.1, self.2)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_are_xterms_colours() {
        for (index, color) in [
            (16, "#000000"),
            (80, "#5fd7d7"),
            (231, "#ffffff"),
            (245, "#8a8a8a"),
        ] {
            let rgb = DARK.color(Color::Indexed(index)).expect("a colour");
            assert_eq!(rgb.to_string(), color);
        }
        assert_eq!(LIGHT.color(Color::Red), Some(LIGHT.ansi[1]));
        assert_eq!(LIGHT.color(Color::Reset), None);
    }
}
