//! Reads the SVG that loopview writes, as a viewer does: what is seen, and when.

use std::collections::{BTreeMap, BTreeSet};

use roxmltree::{Document, Node};

/// A cell of the screen, in units of the picture.
const CELL: (u16, u16) = (9, 18);

#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Text {
    /// Column and row.
    pub x: u16,
    pub y: u16,
    pub symbols: String,
    /// Cells that it is to fill, if that is said.
    pub length: Option<u16>,
    pub fill: Option<String>,
    pub bold: bool,
    group: Option<String>,
    hidden: bool,
}

#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Fill {
    pub x: u16,
    pub y: u16,
    pub cells: u16,
    pub color: String,
    group: Option<String>,
    hidden: bool,
}

#[derive(Debug)]
pub struct Drawn {
    pub title: String,
    pub texts: Vec<Text>,
    pub fills: Vec<Fill>,
    /// By name: from these percents of the time on it is seen, or not.
    keyframes: BTreeMap<String, Vec<(f64, bool)>>,
}

impl Drawn {
    pub fn parse(text: &str) -> Self {
        let document = Document::parse(text).expect("XML");
        let named = |name| move |node: &Node<'_, '_>| node.has_tag_name(name);
        let all = || document.descendants();
        let title = all().find(named("title")).and_then(|node| node.text());
        let style = all().find(named("style")).and_then(|node| node.text());
        // The first rectangle is the background.
        Self {
            title: title.expect("a title").to_owned(),
            texts: all().filter(named("text")).map(read_text).collect(),
            fills: all().filter(named("rect")).skip(1).map(read_fill).collect(),
            keyframes: style.map(keyframes).unwrap_or_default(),
        }
    }

    /// What is seen at so many percents of the time; none where nothing moves.
    pub fn marks_at(&self, percent: Option<f64>) -> BTreeSet<String> {
        let seen = |group: &Option<String>, hidden: bool| match (group, percent) {
            (Some(group), Some(percent)) => {
                let frames = &self.keyframes[group];
                // Times are rounded to a thousandth.
                let passed = frames.iter().filter(|(at, _)| *at <= percent + 0.0006);
                let last = passed.max_by(|a, b| a.0.total_cmp(&b.0));
                last.expect("a beginning").1
            }
            _ => !hidden,
        };
        let texts = self.texts.iter().filter(|it| seen(&it.group, it.hidden));
        let texts = texts.map(|it| {
            format!(
                "{},{} {:?} {:?} {}",
                it.x, it.y, it.symbols, it.fill, it.bold
            )
        });
        let fills = self.fills.iter().filter(|it| seen(&it.group, it.hidden));
        let fills = fills.map(|it| format!("{},{} {} {}", it.x, it.y, it.cells, it.color));
        texts.chain(fills).collect()
    }
}

fn number(node: Node<'_, '_>, name: &str) -> Option<u16> {
    node.attribute(name)?.parse().ok()
}

/// The animation of the group that a node is in, and whether it is hidden without.
fn group(node: Node<'_, '_>) -> (Option<String>, bool) {
    let group = node.parent().expect("a group");
    let style = group.attribute("style");
    let name = style.and_then(|style| style.strip_prefix("animation-name:"));
    (
        name.map(str::to_owned),
        group.attribute("visibility") == Some("hidden"),
    )
}

fn read_text(node: Node<'_, '_>) -> Text {
    let (group, hidden) = group(node);
    Text {
        x: number(node, "x").expect("x") / CELL.0,
        y: number(node, "y").expect("y") / CELL.1,
        symbols: node.text().expect("a text").to_owned(),
        length: number(node, "textLength").map(|length| length / CELL.0),
        fill: node.attribute("fill").map(str::to_owned),
        bold: node.attribute("font-weight") == Some("bold"),
        group,
        hidden,
    }
}

fn read_fill(node: Node<'_, '_>) -> Fill {
    let (group, hidden) = group(node);
    Fill {
        x: number(node, "x").expect("x") / CELL.0,
        y: number(node, "y").expect("y") / CELL.1,
        cells: number(node, "width").expect("a width") / CELL.0,
        color: node.attribute("fill").expect("a colour").to_owned(),
        group,
        hidden,
    }
}

/// `@keyframes s1{0%,3%{visibility:hidden}1%{visibility:visible}}`, a line each.
fn keyframes(style: &str) -> BTreeMap<String, Vec<(f64, bool)>> {
    let lines = style
        .lines()
        .filter_map(|line| line.strip_prefix("@keyframes "));
    lines
        .map(|line| {
            let (name, rules) = line.split_once('{').expect("rules");
            let mut frames = Vec::new();
            for rule in rules.split_terminator('}').filter(|rule| !rule.is_empty()) {
                let (percents, what) = rule.split_once('{').expect("a rule");
                let seen = what == "visibility:visible";
                for percent in percents.split(',').filter(|percent| !percent.is_empty()) {
                    let percent = percent.strip_suffix('%').expect("percents");
                    frames.push((percent.parse().expect("a number"), seen));
                }
            }
            (name.to_owned(), frames)
        })
        .collect()
}
