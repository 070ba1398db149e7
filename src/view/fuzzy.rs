//! How well a few letters stand for a longer text: they have to be in it, in their order.

/// The greater, the better; `None` if the letters are not in it. Upper and lower case are
/// the same. Letters side by side and at the beginnings of words count more, and a text
/// that has little else.
pub fn score(letters: &str, text: &str) -> Option<u32> {
    /// For a letter, for one at the beginning of a word, for one right behind the last.
    const LETTER: u32 = 1;
    const START: u32 = 8;
    const RUN: u32 = 12;
    let lower = |text: &str| text.to_lowercase().chars().collect::<Vec<_>>();
    let letters: Vec<char> = lower(letters).into_iter().filter(|c| *c != ' ').collect();
    let text = lower(text);
    let starts = |at: usize| at == 0 || !text[at - 1].is_alphanumeric();
    // The best score with a letter at each place, for one letter after the other.
    let mut best: Vec<Option<u32>> = vec![Some(0); text.len() + 1];
    for (i, letter) in letters.iter().enumerate() {
        let mut next = vec![None; text.len() + 1];
        let mut before = (i == 0).then_some(0);
        for (at, c) in text.iter().enumerate() {
            if i > 0 && at > 0 {
                before = before.max(best[at - 1]);
            }
            if c == letter {
                let behind = (i > 0 && at > 0).then(|| best[at - 1]).flatten();
                let own = LETTER + if starts(at) { START } else { 0 };
                next[at] = before.max(behind.map(|b| b + RUN)).map(|b| b + own);
            }
        }
        best = next;
    }
    let best = best.into_iter().flatten().max()?;
    let rest = text.len().saturating_sub(letters.len());
    Some((best * 100).saturating_sub(u32::try_from(rest).unwrap_or(u32::MAX)))
}

#[cfg(test)]
mod tests {
    use super::score;

    fn best<'a>(letters: &str, texts: &[&'a str]) -> &'a str {
        let scored = texts.iter().filter_map(|t| Some((score(letters, t)?, *t)));
        scored.max_by_key(|(score, _)| *score).expect("one").1
    }

    #[test]
    fn the_text_that_is_meant_comes_first() {
        assert_eq!(
            best("sb", &["sort by state", "sort busy", "zoom sb"]),
            "zoom sb"
        );
        assert_eq!(best("sobu", &["sort state", "sort busy"]), "sort busy");
        assert_eq!(best("sort", &["resort", "sort", "sort busy"]), "sort");
        assert_eq!(best("NT", &["next task", "content"]), "next task");
        assert_eq!(score("xyz", "sort"), None);
        assert_eq!(score("tros", "sort"), None);
        assert!(score("", "sort").is_some());
        assert!(score("", "").is_some());
    }
}
