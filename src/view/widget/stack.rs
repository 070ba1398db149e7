//! A bar of parts that make up a whole.

use ratatui::{buffer::Buffer, layout::Rect, style::Style, widgets::Widget};

use crate::view::pen::Pen;

pub struct Part<'a> {
    pub amount: f64,
    pub symbol: &'a str,
    pub style: Style,
}

pub struct Stack<'a> {
    pub parts: &'a [Part<'a>],
}

impl Widget for &Stack<'_> {
    /// Each part has a cell at least, if it has an amount: a short delay is still a delay.
    fn render(self, area: Rect, buf: &mut Buffer) {
        let whole: f64 = self.parts.iter().map(|p| p.amount).sum();
        if whole <= 0.0 {
            return;
        }
        let width = usize::from(area.width);
        let cells: Vec<usize> = self
            .parts
            .iter()
            .map(|part| {
                let cells = (part.amount / whole * width as f64).round() as usize;
                cells.max(usize::from(part.amount > 0.0))
            })
            .collect();
        // What rounding and the least parts took too much, the greatest gives up.
        let total: usize = cells.iter().sum();
        let greatest = (0..cells.len()).max_by_key(|i| cells[*i]);
        let mut pen = Pen::new(area, 0, buf);
        for (i, part) in self.parts.iter().enumerate() {
            let count = if Some(i) == greatest {
                (cells[i] + width).saturating_sub(total)
            } else {
                cells[i]
            };
            pen.fill(part.symbol, count, part.style);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn drawn(amounts: [f64; 3]) -> Buffer {
        let mut buf = Buffer::empty(Rect::new(0, 0, 10, 1));
        let parts = ["b", "r", "i"];
        let parts: Vec<Part> = parts
            .iter()
            .zip(amounts)
            .map(|(symbol, amount)| Part {
                amount,
                symbol,
                style: Style::new(),
            })
            .collect();
        Stack { parts: &parts }.render(buf.area, &mut buf);
        buf
    }

    #[test]
    fn parts_fill_the_whole() {
        assert_eq!(drawn([5.0, 2.0, 3.0]), Buffer::with_lines(["bbbbbrriii"]));
        assert_eq!(drawn([1.0, 1.0, 1.0]).content()[9].symbol(), "i");
    }

    #[test]
    fn the_least_part_is_seen() {
        assert_eq!(
            drawn([0.001, 0.001, 9.0]),
            Buffer::with_lines(["briiiiiiii"])
        );
        assert_eq!(drawn([0.0, 0.0, 0.0]), Buffer::with_lines(["          "]));
    }
}
