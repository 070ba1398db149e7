//! A lint's explanation as a text to read.

use std::fmt::Write;

use super::{Kind, Thresholds};

impl Kind {
    /// In Markdown: what it means, why it hurts, how to mend it, from where on it is found, and
    /// the lesson that shows it.
    pub fn explanation(self, thresholds: &Thresholds) -> String {
        let words = self.lint().explain();
        let mut text = format!(
            "**What it means.** {}\n\n**Why it hurts.** {}\n\n**How to mend it.** {}\n",
            words.what, words.why, words.mend
        );
        if let Some(limit) = thresholds.clone().limit(self) {
            let (name, value, unit) = (self.name(), limit.text(), limit.unit());
            let _ = writeln!(text, "\nThreshold: `--threshold {name}={value}` ({unit}).");
        }
        let _ = match words.lesson {
            Ok(lesson) => writeln!(text, "\nSee it: `loopview run {lesson}`."),
            Err(why) => writeln!(text, "\n{why}"),
        };
        text
    }
}
