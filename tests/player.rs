//! The player, and what is made of its pictures: the same on every terminal and at every time.

mod support;

#[path = "support/svg.rs"]
mod svg_reader;

use std::time::Duration;

use loopview::{
    model::lint::Thresholds,
    player::{Error, Options, Player},
    recording::{History, Journal, Limits},
    script::{Problem, Script},
    sink::{
        ansi,
        asciicast::{About, Cast, Version},
        palette::{DARK, LIGHT},
        svg::{self, Film},
    },
    stage::Sources,
    view::{self, text},
};
use proptest::prelude::*;
use ratatui::{
    buffer::Buffer,
    layout::Rect,
    style::{Color, Modifier, Style},
};
use serde_json::Value;
use support::scenario::Scenario;

const SIZE: (u16, u16) = (100, 30);

fn history(story: &str) -> History {
    let story = Scenario::load(story);
    let history = History::new(Journal::new(
        story.target,
        Thresholds::default(),
        Limits::default(),
    ));
    for frame in &story.frames {
        history.append(frame).expect("room");
    }
    history
}

fn options() -> Options {
    Options {
        view: view::Options::default(),
        lesson: None,
        size: SIZE,
        from: Duration::ZERO,
        speed: Some(1.0),
        rate: 20,
        idle_limit: None,
    }
}

/// A picture, and from when on it is seen.
type Pictures = Vec<(Duration, Buffer)>;

/// All pictures, and when the last has been seen.
fn try_play(keys: &str, options: &Options) -> Result<(Pictures, Duration), Error> {
    let script = Script::parse(keys).expect("a script");
    let sources: Sources = Box::new(|_| Err("not here".to_owned()));
    let mut player = Player::new(history("blocked-loop"), script, options, &sources)?;
    let mut pictures = Vec::new();
    while player.advance()? {
        pictures.push((player.time(), player.screen().clone()));
    }
    Ok((pictures, player.time()))
}

fn play(keys: &str, options: &Options) -> (Pictures, Duration) {
    try_play(keys, options).expect("a script that can be played")
}

const WHOLE: &str = "press 4 Down\nwait 500ms\npress Enter\nwait 300ms\npress 1\nwait end\n\
                     press Left Left\nwait 200ms\npress w\nwait 1s";

fn lines(screen: &Buffer) -> Vec<String> {
    let width = usize::from(screen.area.width);
    let lines = screen.content().chunks(width).map(text::of);
    lines.map(|line| line.trim_end().to_owned()).collect()
}

fn sees(screen: &Buffer, text: &str) -> bool {
    lines(screen).iter().any(|line| line.contains(text))
}

#[test]
fn the_same_script_gives_the_same_pictures() {
    assert_eq!(play(WHOLE, &options()), play(WHOLE, &options()));
}

#[test]
fn pictures_differ_and_come_no_sooner_than_they_may() {
    let (pictures, end) = play(WHOLE, &options());
    assert!(pictures.len() > 5, "{}", pictures.len());
    for pair in pictures.windows(2) {
        assert!(pair[1].0 >= pair[0].0 + Duration::from_millis(50));
        assert_ne!(pair[0].1, pair[1].1);
    }
    assert_eq!(pictures[0].0, Duration::ZERO);
    assert!(end >= pictures.last().expect("pictures").0);
}

#[test]
fn keys_do_what_they_do_in_the_dashboard() {
    let last = |keys| play(keys, &options()).0.pop().expect("a picture").1;
    assert!(sees(&last("press ?"), "one line up"));
    assert!(!sees(&last("press ?\nwait 1s\npress Esc"), "one line up"));
    // A pause stops the recording, not the script; and q is the end.
    let paused = "wait 200ms\npress Space\nwait 100ms\n";
    let (pictures, end) = play(&format!("{paused}wait 5s"), &options());
    assert_eq!(
        pictures,
        play(&format!("{paused}press q\nwait 9s"), &options()).0
    );
    assert_eq!(end, Duration::from_millis(5300));
}

#[test]
fn time_passes_as_the_script_says() {
    let (_, once) = play("wait end", &options());
    let (_, twice) = play("speed 2\nwait end", &options());
    assert!(twice < once && twice * 2 + Duration::from_millis(200) > once);
    let (_, from) = play(
        "wait end",
        &Options {
            from: once / 2,
            ..options()
        },
    );
    assert!(from < once);
}

#[test]
fn a_text_is_waited_for() {
    let (pictures, end) = play("until \"LOOP BLOCKED\"", &options());
    let (last, before) = pictures.split_last().expect("pictures");
    assert!(sees(&last.1, "LOOP BLOCKED"));
    assert!(
        before
            .iter()
            .all(|(_, screen)| !sees(screen, "LOOP BLOCKED"))
    );
    assert_eq!(end, last.0);
}

#[test]
fn what_never_comes_is_told_with_its_place() {
    let problem = |keys: &str, options: &Options| match try_play(keys, options) {
        Err(Error::Script(error)) => (error.place.line, error.problem),
        other => panic!("{other:?}"),
    };
    let (line, unseen) = problem("wait 1s\nuntil \"no such thing\" 2s", &options());
    assert_eq!(line, 2);
    assert!(matches!(unseen, Problem::Unseen { .. }), "{unseen}");
    let still = Options {
        speed: None,
        ..options()
    };
    assert_eq!(problem("wait end", &still), (1, Problem::Still));
}

#[test]
fn nothing_stays_for_longer_than_the_limit() {
    let limit = Duration::from_millis(300);
    let limited = Options {
        idle_limit: Some(limit),
        ..options()
    };
    let keys = "press Space\nwait 4s\npress Space\nwait end\nwait 9s";
    let (pictures, end) = play(keys, &limited);
    let mut times: Vec<Duration> = pictures.iter().map(|(at, _)| *at).collect();
    times.push(end);
    assert!(
        times.windows(2).all(|pair| pair[1] <= pair[0] + limit),
        "{times:?}"
    );
    let unlimited = play(keys, &options()).0;
    assert!(
        unlimited
            .iter()
            .map(|(_, s)| s)
            .eq(pictures.iter().map(|(_, s)| s))
    );
}

fn about() -> About {
    About {
        title: "a \"title\" & <more>".to_owned(),
        recorded_at: Some(1_700_000_000),
        paper: &DARK,
    }
}

fn cast(version: Version, (pictures, end): &(Pictures, Duration)) -> String {
    let mut out = String::new();
    let blank = Buffer::empty(pictures[0].1.area);
    let mut cast = Cast::begin(version, &about(), &blank, &mut out);
    for (at, screen) in pictures {
        cast.picture(*at, screen, &mut out);
    }
    cast.end(*end, &mut out);
    out
}

fn film((pictures, end): &(Pictures, Duration)) -> String {
    let mut film = Film::new(&DARK);
    for (at, screen) in pictures {
        film.picture(*at, screen);
    }
    film.end("a film", &pictures.last().expect("pictures").1, *end)
}

/// A terminal's screen is this one, with its colours.
#[track_caller]
fn assert_shows(terminal: &vt100::Screen, screen: &Buffer) {
    let width = usize::from(screen.area.width);
    let rows = (0..).zip(screen.content().chunks(width));
    for (y, line) in rows {
        for (x, cell) in text::seen(line) {
            let shown = terminal.cell(y, x as u16).expect("a cell");
            let symbol = if shown.has_contents() {
                shown.contents()
            } else {
                " "
            };
            assert_eq!(symbol, cell.symbol(), "at {x}, {y}");
            assert_eq!(shown.fgcolor(), color(cell.fg), "{symbol:?} at {x}, {y}");
            assert_eq!(shown.bgcolor(), color(cell.bg), "{symbol:?} at {x}, {y}");
            let has = |modifier| cell.modifier.contains(modifier);
            assert_eq!(shown.bold(), has(Modifier::BOLD), "{symbol:?} at {x}, {y}");
            assert_eq!(shown.dim(), has(Modifier::DIM), "{symbol:?} at {x}, {y}");
            assert_eq!(
                shown.italic(),
                has(Modifier::ITALIC),
                "{symbol:?} at {x}, {y}"
            );
            assert_eq!(
                shown.underline(),
                has(Modifier::UNDERLINED),
                "{symbol:?} at {x}, {y}"
            );
            assert_eq!(
                shown.inverse(),
                has(Modifier::REVERSED),
                "{symbol:?} at {x}, {y}"
            );
        }
    }
}

fn color(color: Color) -> vt100::Color {
    match color {
        Color::Reset => vt100::Color::Default,
        Color::Red => vt100::Color::Idx(1),
        Color::LightCyan => vt100::Color::Idx(14),
        Color::Indexed(index) => vt100::Color::Idx(index),
        Color::Rgb(r, g, b) => vt100::Color::Rgb(r, g, b),
        other => panic!("{other} is not drawn here"),
    }
}

#[test]
fn a_terminal_that_plays_a_cast_shows_each_picture_at_its_time() {
    let played = play(WHOLE, &options());
    for version in [Version::V2, Version::V3] {
        let text = cast(version, &played);
        let mut lines = text
            .lines()
            .map(|line| serde_json::from_str::<Value>(line).expect(line));
        let header = lines.next().expect("a header");
        assert_eq!(header["title"], about().title.as_str());
        let size = match version {
            Version::V2 => [&header["width"], &header["height"]],
            Version::V3 => [&header["term"]["cols"], &header["term"]["rows"]],
        };
        assert_eq!(size, [SIZE.0, SIZE.1]);

        let mut terminal = vt100::Parser::new(SIZE.1, SIZE.0, 0);
        let mut pictures = played.0.iter().peekable();
        let mut now = Duration::ZERO;
        for (number, event) in lines.enumerate() {
            let time = Duration::from_secs_f64(event[0].as_f64().expect("a time"));
            now = if version == Version::V2 {
                time
            } else {
                now + time
            };
            if event[1] == "x" {
                assert_eq!(event[2], "0");
                continue;
            }
            terminal.process(event[2].as_str().expect("data").as_bytes());
            // The first event empties the screen, and the last leaves it.
            if let Some((at, screen)) = pictures.next_if(|_| number > 0) {
                assert!(
                    now.abs_diff(*at) < Duration::from_millis(1),
                    "{now:?} for {at:?}"
                );
                assert_shows(terminal.screen(), screen);
            }
        }
        assert_eq!(pictures.count(), 0);
        assert!(now.abs_diff(played.1) < Duration::from_millis(1));
        assert_shows(terminal.screen(), &played.0.last().expect("pictures").1);
        assert!(!terminal.screen().hide_cursor());
    }
}

#[test]
fn a_film_shows_each_picture_at_its_time() {
    let (pictures, end) = play(WHOLE, &options());
    let text = film(&(pictures.clone(), end));
    let drawn = svg_reader::Drawn::parse(&text);
    assert_eq!(drawn.title, "a film");
    for (at, screen) in &pictures {
        let percent = at.as_secs_f64() / end.as_secs_f64() * 100.0;
        let still = svg_reader::Drawn::parse(&svg::still("a film", screen, &DARK));
        assert_eq!(
            drawn.marks_at(Some(percent)),
            still.marks_at(None),
            "at {at:?}"
        );
    }
    // Without animations it is the last picture.
    let still = svg::still("a film", &pictures.last().expect("pictures").1, &DARK);
    assert_eq!(
        drawn.marks_at(None),
        svg_reader::Drawn::parse(&still).marks_at(None)
    );
}

#[test]
fn a_still_has_each_text_in_its_place() {
    let mut screen = Buffer::empty(Rect::new(0, 0, 30, 3));
    screen.set_string(0, 0, "a <b> & \"c\"  d", Style::new());
    screen.set_string(2, 1, "日本語ab", Style::new().fg(Color::Indexed(80)));
    screen.set_string(0, 2, "on", Style::new().bg(Color::Indexed(238)));
    screen.set_string(4, 2, "rev", Style::new().add_modifier(Modifier::REVERSED));
    let drawn = svg_reader::Drawn::parse(&svg::still("\u{1b}[2J <x> \u{ffff}", &screen, &DARK));
    assert_eq!(drawn.title, "\u{fffd}[2J <x> \u{fffd}");
    let texts: Vec<_> = drawn
        .texts
        .iter()
        .map(|t| (t.x, t.y, t.symbols.as_str()))
        .collect();
    assert_eq!(
        texts,
        [
            (0, 0, "a <b> & \"c\""),
            (13, 0, "d"),
            (2, 1, "日本語"),
            (8, 1, "ab"),
            (0, 2, "on"),
            (4, 2, "rev"),
        ]
    );
    assert_eq!(drawn.texts[2].length, Some(6));
    assert_eq!(drawn.texts[2].fill.as_deref(), Some("#5fd7d7"));
    let fills: Vec<_> = drawn.fills.iter().map(|f| (f.x, f.y, f.cells)).collect();
    assert_eq!(fills, [(0, 2, 2), (4, 2, 3)]);
    // What is reversed has the paper's own colours.
    for paper in [&DARK, &LIGHT] {
        let drawn = svg_reader::Drawn::parse(&svg::still("x", &screen, paper));
        assert_eq!(drawn.fills[1].color, paper.foreground.to_string());
        assert_eq!(drawn.texts[5].fill, Some(paper.background.to_string()));
    }
}

fn styles() -> impl Strategy<Value = Style> {
    let colors = prop::sample::select(vec![
        Color::Reset,
        Color::Red,
        Color::LightCyan,
        Color::Indexed(203),
        Color::Rgb(1, 2, 3),
    ]);
    let modifiers = prop::sample::select(vec![
        Modifier::empty(),
        Modifier::BOLD,
        Modifier::DIM | Modifier::ITALIC,
        Modifier::REVERSED | Modifier::UNDERLINED,
    ]);
    // Over another style, it takes its place.
    (colors.clone(), colors, modifiers)
        .prop_map(|(fg, bg, modifier)| Style::reset().fg(fg).bg(bg).add_modifier(modifier))
}

/// A screen with some texts on it, wide ones among them.
fn screens() -> impl Strategy<Value = Buffer> {
    let text = prop::collection::vec(
        prop::sample::select(vec!["a", " ", "█", "日", "é", "<"]),
        0..9,
    );
    let put = (0..20_u16, 0..5_u16, text, styles());
    prop::collection::vec(put, 0..12).prop_map(|puts| {
        let mut screen = Buffer::empty(Rect::new(0, 0, 20, 5));
        for (x, y, text, style) in puts {
            screen.set_string(x, y, text.concat(), style);
        }
        screen
    })
}

proptest! {
    #[test]
    fn a_terminal_comes_from_any_screen_to_any_other(screens in prop::collection::vec(screens(), 1..5)) {
        let mut terminal = vt100::Parser::new(5, 20, 0);
        terminal.process(ansi::BEGIN.as_bytes());
        let mut before = Buffer::empty(Rect::new(0, 0, 20, 5));
        for screen in screens {
            terminal.process(ansi::change(&before, &screen).as_bytes());
            assert_shows(terminal.screen(), &screen);
            before = screen;
        }
    }

    #[test]
    fn a_still_has_what_is_on_any_screen(screen in screens()) {
        let drawn = svg_reader::Drawn::parse(&svg::still("x", &screen, &DARK));
        let mut shown = Buffer::empty(screen.area);
        for text in drawn.texts {
            shown.set_string(text.x, text.y, &text.symbols, Style::new());
            let cells = u16::try_from(text::width(&text.symbols)).expect("a line");
            prop_assert!(text.length.is_none_or(|length| length == cells), "{}", text.symbols);
        }
        prop_assert_eq!(lines(&shown), lines(&screen));
    }
}
