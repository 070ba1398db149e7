//! Reads Prometheus' text format, and takes nothing that it does not allow.

// Each test file uses another part.
#![allow(dead_code)]

use std::collections::{BTreeMap, BTreeSet};

/// Names of labels and their values.
pub type Labels = BTreeMap<String, String>;

#[derive(Debug)]
pub struct Family {
    pub name: String,
    pub kind: String,
    pub help: String,
    /// With the whole name of each: those of a histogram's have an ending.
    pub samples: Vec<(String, Labels, f64)>,
}

/// A page of metrics.
#[derive(Debug)]
pub struct Exposition {
    pub families: Vec<Family>,
}

impl Exposition {
    /// An error is the line that is wrong.
    pub fn parse(text: &str) -> Result<Self, String> {
        let mut families: Vec<Family> = Vec::new();
        let (mut names, mut seen) = (BTreeSet::new(), BTreeSet::new());
        let mut help = None;
        for line in text.lines() {
            let wrong = || format!("wrong line: {line}");
            if let Some(rest) = line.strip_prefix("# HELP ") {
                let (name, words) = rest.split_once(' ').ok_or_else(wrong)?;
                help = Some((name, words));
            } else if let Some(rest) = line.strip_prefix("# TYPE ") {
                let (name, kind) = rest.split_once(' ').ok_or_else(wrong)?;
                let (described, words) = help.take().ok_or_else(wrong)?;
                let is_new = names.insert(name.to_owned());
                let is_known = ["counter", "gauge", "histogram"].contains(&kind);
                if described != name || !is_new || !is_known || words.is_empty() {
                    return Err(wrong());
                }
                families.push(Family {
                    name: name.to_owned(),
                    kind: kind.to_owned(),
                    help: words.to_owned(),
                    samples: Vec::new(),
                });
            } else {
                let family = families.last_mut().ok_or_else(wrong)?;
                let (name, labels, value) = sample(line).ok_or_else(wrong)?;
                let ending = name.strip_prefix(&*family.name).ok_or_else(wrong)?;
                let fits = match &*family.kind {
                    "histogram" => ["_bucket", "_sum", "_count"].contains(&ending),
                    _ => ending.is_empty(),
                };
                if !fits || !seen.insert((name.clone(), labels.clone())) {
                    return Err(wrong());
                }
                family.samples.push((name, labels, value));
            }
        }
        match families.iter().find(|family| family.samples.is_empty()) {
            Some(empty) => Err(format!("{} has no sample", empty.name)),
            None => Ok(Self { families }),
        }
    }

    /// Everything that has this name, with these labels among its own.
    pub fn values(&self, name: &str, labels: &[(&str, &str)]) -> Vec<f64> {
        let samples = self.families.iter().flat_map(|family| &family.samples);
        let has = |own: &Labels, name: &str, value: &str| own.get(name).is_some_and(|v| v == value);
        samples
            .filter(|(of, own, _)| of == name && labels.iter().all(|(l, v)| has(own, l, v)))
            .map(|(.., value)| *value)
            .collect()
    }

    pub fn has(&self, name: &str) -> bool {
        self.families.iter().any(|family| family.name == name)
    }
}

/// `name{label="value",…} 1.5`
fn sample(line: &str) -> Option<(String, Labels, f64)> {
    let (name, mut rest) = line.split_once('{')?;
    let mut labels = Labels::new();
    loop {
        let (label, quoted) = rest.split_once("=\"")?;
        let (value, after) = unquote(quoted)?;
        if !is_name(label) || labels.insert(label.to_owned(), value).is_some() {
            return None;
        }
        if let Some(more) = after.strip_prefix(',') {
            rest = more;
        } else {
            let value = after.strip_prefix("} ")?.parse().ok()?;
            return is_name(name).then(|| (name.to_owned(), labels, value));
        }
    }
}

/// A value up to its closing quote, and what follows that.
fn unquote(text: &str) -> Option<(String, &str)> {
    let (mut value, mut chars) = (String::new(), text.char_indices());
    while let Some((at, c)) = chars.next() {
        match c {
            '"' => return Some((value, &text[at + 1..])),
            '\\' => value.push(match chars.next()?.1 {
                'n' => '\n',
                c @ ('\\' | '"') => c,
                _ => return None,
            }),
            c => value.push(c),
        }
    }
    None
}

fn is_name(text: &str) -> bool {
    let fits = |c: char| c.is_ascii_alphanumeric() || c == '_';
    text.starts_with(|c: char| c.is_ascii_alphabetic()) && text.chars().all(fits)
}
