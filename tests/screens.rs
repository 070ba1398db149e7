//! Whole screens, as a person sees them: stories from `tests/screens` at three sizes, and
//! every state of the view at every small size.

mod support;

use std::time::Duration;

use console_api::field::Value;
use insta::assert_snapshot;
use loopview::{
    frame::{Event, Exit, Frame, Gap, Line, Stream, Target, TargetKind, Time},
    keymap::Action,
    model::Model,
    script,
    view::{self, ColorLevel, Lesson, Options, ViewState},
};
use ratatui::{Terminal, backend::TestBackend, buffer::Buffer, style::Color};
use support::scenario::Scenario;

const SIZES: [(u16, u16); 3] = [(80, 24), (120, 40), (200, 60)];

fn story(name: &str) -> Scenario {
    let path = format!("{}/tests/screens/{name}.txt", env!("CARGO_MANIFEST_DIR"));
    let text = std::fs::read_to_string(&path).unwrap_or_else(|e| panic!("{path}: {e}"));
    Scenario::parse(&text).unwrap_or_else(|e| panic!("{path}: {e}"))
}

fn model(name: &str) -> Model {
    story(name).model()
}

/// A state that has seen the model, after some keys.
fn state(model: &Model, size: (u16, u16), options: Options, keys: &str) -> ViewState {
    let mut state = ViewState::new(options);
    state.resize(size.0, size.1);
    state.sync(model);
    press(&mut state, model, keys);
    state
}

/// Keys by the names that a keys script has for them, with blanks between them.
fn press(state: &mut ViewState, model: &Model, keys: &str) {
    for word in keys.split_whitespace() {
        let key = script::key(word).unwrap_or_else(|| panic!("no key is called {word}"));
        if let Some(action) = state.action(key) {
            let _ = state.act(action, model);
        }
    }
}

fn screen(model: &Model, state: &ViewState, (width, height): (u16, u16)) -> Buffer {
    let mut terminal = Terminal::new(TestBackend::new(width, height)).expect("a test terminal");
    terminal
        .draw(|frame| view::draw(frame, model, state))
        .expect("a drawn screen");
    terminal.backend().buffer().clone()
}

fn text(buffer: &Buffer) -> String {
    let width = usize::from(buffer.area.width);
    let rows = buffer.content().chunks(width).map(|row| {
        let mut line = String::new();
        let mut hidden = 0;
        for cell in row {
            if hidden == 0 {
                line.push_str(cell.symbol());
                hidden = view::text::width(cell.symbol());
            }
            hidden = hidden.saturating_sub(1);
        }
        line.trim_end().to_owned()
    });
    rows.collect::<Vec<_>>().join("\n")
}

/// Compares a story's screen with its snapshots, at each size.
fn snapshots(name: &str, model: &Model, keys: &str) {
    for size in SIZES {
        let state = state(model, size, Options::default(), keys);
        let buffer = screen(model, &state, size);
        assert_snapshot!(format!("{name}_{}x{}", size.0, size.1), text(&buffer));
    }
}

#[test]
fn gather_midway() {
    snapshots("gather", &model("gather"), "");
}

#[test]
fn blocked_loop() {
    snapshots("blocked", &model("blocked"), "");
}

#[test]
fn locks_and_who_waits_for_them() {
    snapshots("resources", &model("resources"), "7 Down");
}

#[test]
fn a_cycle_and_its_chain() {
    snapshots("cycle", &model("resources"), "3 Down Down Enter");
}

/// What ended with a permit in hand never gives it back.
#[test]
fn a_holder_that_has_ended_is_told() {
    let story = "target shop program
        0ms resource pool Semaphore 1 at pool.rs:3
        0ms spawn first at pool.rs:4
        0ms spawn second at pool.rs:5
        1ms poll first 1ms ends ok
        1ms got first pool
        1ms forget first pool
        3ms poll second 1ms
        3ms await second pool
        100ms expect second is waiting";
    let model = Scenario::parse(story).expect("a story").model();
    let size = (120, 40);
    for (view, told) in [
        ("4", "Semaphore held by first (ended)"),
        ("7", "none left   first (ended)"),
    ] {
        let state = state(&model, size, Options::default(), view);
        let screen = text(&screen(&model, &state, size));
        assert!(screen.contains(told), "{screen}");
    }
}

/// Whose file is to be read waits for that call, and the call for a thread.
#[test]
fn a_call_without_a_thread_is_told() {
    let story = "target shop program
        0ms spawn first at read.rs:4
        1ms poll first 1ms
        1ms call read by first at /x/tokio-1.54.1/src/fs/mod.rs:328
        100ms expect first is waiting";
    let model = Scenario::parse(story).expect("a story").model();
    let size = (120, 40);
    let state = state(&model, size, Options::default(), "4");
    let screen = text(&screen(&model, &state, size));
    for told in ["call hash", "no thread for 99.0 ms"] {
        assert!(screen.contains(told), "{screen}");
    }
}

#[test]
fn a_program_without_locks() {
    snapshots("no_resources", &model("gather"), "7");
}

/// Tasks without a name are told apart by where they were spawned, in each list of tasks.
#[test]
fn an_unnamed_task_is_where_it_was_spawned() {
    let story = "target shop program
        0ms block_on main at main.rs:3
        0ms poll main 1ms
        0ms spawn accept by main at src/serve.rs:12 unnamed
        0ms spawn clerk by main at src/serve.rs:40
        2ms poll accept 1ms
        100ms expect main is idle";
    let model = Scenario::parse(story).expect("a story").model();
    for view in ["2", "3", "4"] {
        let told = |size| {
            let state = state(&model, size, Options::default(), view);
            let screen = text(&screen(&model, &state, size));
            let is_placed = |name: &str| screen.contains(&format!("{name} serve.rs:"));
            (is_placed("task 2"), is_placed("clerk"))
        };
        assert_eq!(told((120, 40)), (true, false), "{view}");
        assert_eq!(told((40, 10)), (false, false), "{view}");
    }
}

/// The lower pane leads to the holders and those who wait.
#[test]
fn a_waiter_is_opened() {
    let model = model("resources");
    let size = (80, 24);
    let mut state = state(&model, size, Options::default(), "7 Tab Down Down Enter");
    let opened = state.watched().and_then(|id| model.tasks.get(id));
    assert_eq!(
        opened.map(|task| task.label().into_owned()),
        Some("third".into())
    );
    press(&mut state, &model, "Esc Up Enter");
    let opened = state.watched().and_then(|id| model.tasks.get(id));
    assert_eq!(
        opened.map(|task| task.label().into_owned()),
        Some("second".into())
    );
}

#[test]
fn a_tree_of_tasks_and_scopes() {
    snapshots("tree", &model("gather"), "3 Down Down");
}

#[test]
fn lints_with_what_the_marked_one_means() {
    snapshots("lints", &model("blocked"), "9");
}

#[test]
fn the_source_of_what_a_task_awaits() {
    let model = model("gather");
    for size in SIZES {
        let mut state = state(&model, size, Options::default(), "8");
        let file = state.wanted_source().expect("a file").to_owned();
        let lines = (1..100).map(|line| format!("    // line {line} of {file}"));
        state.give_source(&file, Ok(lines.collect()), &model);
        assert_eq!(state.wanted_source(), None);
        press(&mut state, &model, "4 Down 8");
        let buffer = screen(&model, &state, size);
        assert_snapshot!(format!("source_{}x{}", size.0, size.1), text(&buffer));
    }
}

/// Unless the person has said whose source it is to be.
#[test]
fn where_a_source_is_missing_another_one_is_read() {
    let model = model("details");
    let missing = || Err("it is not here".to_owned());
    for (keys, asks_again) in [("8", true), ("4 Down Up 8", false)] {
        let mut state = state(&model, (120, 40), Options::default(), keys);
        let mut seen = Vec::new();
        while let Some(file) = state.wanted_source().map(str::to_owned) {
            state.give_source(&file, missing(), &model);
            assert!(!seen.contains(&file), "{file} is asked for again");
            seen.push(file);
        }
        assert_eq!(seen.len() > 1, asks_again, "{keys}: {seen:?}");
    }
}

#[test]
fn timers_with_their_lateness_and_what_limits_ended() {
    snapshots("timers", &model("timers"), "5");
}

#[test]
fn a_fold_hides_what_is_below() {
    let model = model("gather");
    let lines = |keys: &str| {
        let state = state(&model, (120, 40), Options::default(), keys);
        let text = text(&screen(&model, &state, (120, 40)));
        text.lines().skip(6).map(str::to_owned).collect::<Vec<_>>()
    };
    let holds = |lines: &[String], name: &str| lines.iter().any(|l| l.contains(name));
    let open = lines("3");
    assert!(
        holds(&open, "- gather") && holds(&open, "ticker"),
        "{open:?}"
    );
    let folded = lines("3 x");
    assert!(!holds(&folded, "ticker"), "{folded:?}");
    assert!(holds(&folded, "+ block_on"), "{folded:?}");
    assert_eq!(lines("3 x x"), open);
    assert_eq!(lines("3 X X"), open);
}

#[test]
fn a_task_chosen_in_the_tree_is_chosen_in_the_table() {
    let model = model("gather");
    let state = state(&model, (120, 40), Options::default(), "3 End 4");
    let text = text(&screen(&model, &state, (120, 40)));
    let cursor = text.lines().find(|l| l.starts_with('▸')).expect("a cursor");
    assert!(cursor.contains("helper"), "{cursor}");
}

#[test]
fn details_open() {
    let scenario = story("details");
    snapshots("details", &scenario.model(), "Down Enter");
}

#[test]
fn help() {
    snapshots("help", &model("gather"), "?");
}

#[test]
fn timeline_of_gather() {
    snapshots("timeline_gather", &model("gather"), "2 Down Down Down");
}

#[test]
fn timeline_of_a_blocked_loop() {
    snapshots("timeline_blocked", &model("blocked"), "2");
}

#[test]
fn timeline_zoomed_in() {
    // On the ticker's long poll, in cells of 10 ms, and on the first wake of another.
    snapshots("timeline_poll", &model("gather"), "2 N i i");
    let model = story("waker").model();
    for (name, keys) in [
        ("waker", "2 Down Down Down E i i i i"),
        ("woken", "2 Down Down Down E u i i i i"),
    ] {
        let state = state(&model, (80, 24), Options::default(), keys);
        let text = text(&screen(&model, &state, (80, 24)));
        assert_snapshot!(format!("timeline_{name}_80x24"), text);
    }
}

#[test]
fn ended() {
    snapshots("ended", &model("ended"), "");
}

#[test]
fn connecting_for_ten_seconds() {
    snapshots("connecting", &connecting(), "");
}

#[test]
fn console_subscriber_only() {
    snapshots("subscriber", &model("subscriber"), "");
}

#[test]
fn hostile_names() {
    snapshots("hostile", &hostile(), "");
}

/// `gather` with its page, which was opened by a key, after some more.
fn reading(model: &Model, size: (u16, u16), options: Options, zh: bool, keys: &str) -> ViewState {
    let gather = loopview_workloads::find("gather").expect("a lesson");
    let page = if zh { gather.page_zh } else { gather.page_en };
    let mut state = ViewState::new(options).with_lesson(Some(Lesson { page, open: false }));
    state.resize(size.0, size.1);
    state.sync(model);
    press(&mut state, model, "L");
    press(&mut state, model, keys);
    state
}

#[test]
fn a_lesson_beside_the_screen_or_over_it() {
    let model = model("gather");
    for (lang, zh) in [("en", false), ("zh", true)] {
        for size in [(80, 24), (120, 40)] {
            let state = reading(&model, size, Options::default(), zh, "");
            let name = format!("lesson_{lang}_{}x{}", size.0, size.1);
            assert_snapshot!(name, text(&screen(&model, &state, size)));
        }
    }
}

#[test]
fn a_lesson_with_the_whole_body_has_its_code_side_by_side() {
    let model = model("gather");
    let state = reading(&model, (120, 40), Options::default(), true, "z");
    let text = text(&screen(&model, &state, (120, 40)));
    let code = text.lines().find(|line| line.contains("await asyncio"));
    assert!(code.expect("code").contains("aio::gather"), "{text}");
    assert!(text.contains("z unzoom"), "{text}");
}

#[test]
fn a_lesson_is_scrolled_to_its_end_and_no_farther() {
    let model = model("gather");
    for size in [(80, 24), (120, 30)] {
        let shown = |keys: &str| {
            let state = reading(&model, size, Options::default(), false, keys);
            text(&screen(&model, &state, size))
        };
        assert!(shown("").contains(" more ↓"));
        let end = shown("PgDn PgDn PgDn PgDn PgDn");
        assert!(end.contains("None.") && !end.contains("more ↓"), "{end}");
        assert_eq!(shown("End"), end);
        assert!(shown("End Up").contains(" 1 more ↓"));
        assert_eq!(shown("End g"), shown(""));
    }
}

#[test]
fn a_lesson_has_the_keys_until_the_panes_have_them() {
    let model = model("gather");
    let size = (120, 40);
    let shown = |keys: &str| {
        let state = reading(&model, size, Options::default(), false, keys);
        text(&screen(&model, &state, size))
    };
    let closed = shown("L");
    assert!(!closed.contains("The waiter"), "{closed}");
    assert_eq!(shown("Esc"), closed);
    // The page stays where it is while the cursor moves.
    assert!(shown("").contains("━ gather:") && !shown("").contains('▸'));
    let beside = shown("Tab Down");
    assert!(beside.contains("─ gather:") && beside.contains('▸'));
    assert!(shown("Tab Tab Tab Tab Tab").contains("━ 0 Output"));
    assert!(shown("Tab Tab Tab Tab Tab Tab").contains("━ gather:"));
    let timers = shown("5");
    assert!(timers.contains("━ 5 Timers") && timers.contains("─ gather:"));
    // It stays beside the details, too.
    let details = shown("Tab Enter");
    assert!(
        details.contains("Poll times") && details.contains("The waiter"),
        "{details}"
    );
    assert_eq!(shown("Tab Enter Esc"), shown("Tab"));
}

#[test]
fn what_is_no_lesson_says_so() {
    let model = model("gather");
    for size in [(80, 24), (120, 40)] {
        let mut state = state(&model, size, Options::default(), "");
        let before = text(&screen(&model, &state, size));
        assert!(!before.contains("L lesson"), "{before}");
        press(&mut state, &model, "L");
        let told = text(&screen(&model, &state, size));
        assert!(told.contains("loopview list"), "{told}");
        press(&mut state, &model, "Down L");
        assert_eq!(text(&screen(&model, &state, size)), before);
    }
}

#[test]
fn a_chinese_page_is_shown_between_shapes_in_ascii() {
    let model = model("gather");
    let options = Options {
        color: ColorLevel::None,
        unicode: false,
        ..Options::default()
    };
    let page = loopview_workloads::find("gather").map(|lesson| lesson.page_zh);
    let page = page.expect("a page");
    for size in [(80, 24), (120, 40)] {
        let state = reading(&model, size, options.clone(), true, "");
        let text = text(&screen(&model, &state, size));
        assert!(text.contains("服务员"), "{text}");
        let foreign = text.chars().find(|c| !c.is_ascii() && !page.contains(*c));
        assert_eq!(foreign, None, "{text}");
    }
}

#[test]
fn no_size_is_too_small_for_a_lesson() {
    let model = model("gather");
    let small = (0..=50)
        .step_by(5)
        .flat_map(|w| (0..=12).map(move |h| (w, h)));
    let big = [(1, 24), (119, 24), (120, 3), (120, 24), (200, 60), (500, 9)];
    for keys in ["", "z", "End", "Tab Enter"] {
        let mut state = reading(&model, (120, 40), Options::default(), true, keys);
        for size in small.clone().chain(big) {
            state.resize(size.0, size.1);
            press(&mut state, &model, "Down");
            screen(&model, &state, size);
        }
    }
}

#[test]
fn a_small_terminal() {
    let model = model("gather");
    for (name, keys) in [("tasks", ""), ("timers", "5"), ("output", "0")] {
        let state = state(&model, (40, 10), Options::default(), keys);
        let buffer = screen(&model, &state, (40, 10));
        assert_snapshot!(format!("small_{name}_40x10"), text(&buffer));
    }
}

#[test]
fn ascii() {
    let options = Options {
        color: ColorLevel::None,
        unicode: false,
        ..Options::default()
    };
    for (name, keys, story) in [
        ("gather", "", "gather"),
        ("blocked", "", "blocked"),
        ("ended", "", "ended"),
        ("subscriber", "", "subscriber"),
        ("timeline", "2", "blocked"),
    ] {
        let model = model(story);
        let state = state(&model, (80, 24), options.clone(), keys);
        let text = text(&screen(&model, &state, (80, 24)));
        assert!(text.is_ascii(), "{text}");
        assert_snapshot!(format!("ascii_{name}_80x24"), text);
    }
    let model = hostile();
    for keys in ["", "Enter", "?", "0"] {
        let state = state(&model, (80, 24), options.clone(), keys);
        let text = text(&screen(&model, &state, (80, 24)));
        assert!(text.is_ascii(), "{text}");
    }
}

#[test]
fn a_focused_pane_has_the_body_when_zoomed() {
    let model = model("gather");
    for (pane, key) in [("timers", "5"), ("blocking", "Tab Tab z"), ("threads", "6")] {
        let state = state(&model, (80, 24), Options::default(), key);
        let buffer = screen(&model, &state, (80, 24));
        assert_snapshot!(format!("zoomed_{pane}_80x24"), text(&buffer));
    }
}

/// Every way to look at a model.
const LOOKS: &[&str] = &[
    "2 Down Down",
    "2 N i i i i i i i i i i i i Left a a u d",
    "2 o o o o o o o o o o o o o o o o o o Left E e v V s s l Down x",
    "",
    "w",
    "Enter",
    "Enter PgDn",
    "?",
    "? PgDn PgDn",
    "z",
    "5 Down Enter",
    "3 Down x Down Enter",
    "3 X f End",
    "8 Down Enter",
    "8 o",
    "Tab Tab z",
    "6 Tab Down",
    "0 Up",
    "s s s S f",
    "End",
];

#[test]
fn no_size_and_no_state_panics() {
    let models = [
        Box::new(Model::new(Target {
            name: "empty".to_owned(),
            kind: TargetKind::Program,
        })),
        Box::new(model("gather")),
        Box::new(model("blocked")),
        Box::new(connecting()),
        Box::new(model("ended")),
        Box::new(hostile()),
    ];
    let small = (1..=50).flat_map(|w| (1..=12).map(move |h| (w, h)));
    let big = [
        (0, 0),
        (0, 5),
        (5, 0),
        (80, 24),
        (61, 17),
        (190, 30),
        (300, 100),
        (500, 3),
    ];
    let sizes: Vec<(u16, u16)> = small.chain(big).collect();
    for (i, model) in models.iter().enumerate() {
        // Two have something in every pane; of the others a seventh of the sizes will do.
        let step = if matches!(i, 1 | 5) { 1 } else { 7 };
        for keys in LOOKS {
            let mut state = state(model, (80, 24), Options::default(), keys);
            for size in sizes.iter().skip(i % step).step_by(step) {
                state.resize(size.0, size.1);
                screen(model, &state, *size);
            }
        }
    }
}

#[test]
fn a_screen_smaller_than_the_state_knows_of_is_drawn() {
    let model = model("gather");
    let state = state(&model, (200, 60), Options::default(), "End Enter");
    screen(&model, &state, (20, 5));
}

#[test]
fn an_unchanged_model_gives_the_same_screen() {
    for name in ["gather", "blocked", "details"] {
        let model = model(name);
        for keys in LOOKS {
            let mut state = state(&model, (120, 40), Options::default(), keys);
            let before = screen(&model, &state, (120, 40));
            state.sync(&model);
            assert_eq!(before, screen(&model, &state, (120, 40)), "{name}, {keys}");
        }
    }
}

#[test]
fn without_colour_nothing_is_coloured() {
    let options = Options {
        color: ColorLevel::None,
        ..Options::default()
    };
    let model = model("blocked");
    for keys in LOOKS {
        let state = state(&model, (120, 40), options.clone(), keys);
        let buffer = screen(&model, &state, (120, 40));
        for cell in buffer.content() {
            assert_eq!((cell.fg, cell.bg), (Color::Reset, Color::Reset));
        }
    }
}

#[test]
fn sixteen_colours_are_enough() {
    let options = Options {
        color: ColorLevel::Ansi16,
        ..Options::default()
    };
    let model = model("gather");
    let state = state(&model, (120, 40), options, "");
    let buffer = screen(&model, &state, (120, 40));
    let indexed = |c: Color| matches!(c, Color::Indexed(_) | Color::Rgb(..));
    assert!(
        !buffer
            .content()
            .iter()
            .any(|c| indexed(c.fg) || indexed(c.bg))
    );
}

#[test]
fn the_blocked_loop_is_loud() {
    let model = model("blocked");
    let state = state(&model, (80, 24), Options::default(), "");
    let text = text(&screen(&model, &state, (80, 24)));
    assert!(text.contains("LOOP BLOCKED"), "{text}");
    assert!(text.contains("by cpu"), "{text}");
    assert!(text.contains("late: ticker"), "{text}");
}

#[test]
fn the_alarm_names_who_blocks_and_who_is_late_in_little_room() {
    let alarm = |model: &Model, size| {
        let state = state(model, size, Options::default(), "");
        let text = text(&screen(model, &state, size));
        let line = text.lines().find(|line| line.contains(" BLOCKED "));
        line.expect("an alarm").to_owned()
    };
    let short = model("blocked");
    assert_eq!(
        alarm(&short, (40, 10)),
        " LOOP BLOCKED 1.34 s by cpu at cpu.rs:18"
    );
    assert_eq!(
        alarm(&short, (80, 24)),
        " LOOP BLOCKED 1.34 s by cpu at cpu.rs:18 · late: ticker 1.35 s, A 747 ms, +1"
    );
    let long = with_names(
        "blocked",
        &[
            ("cpu", "a-long-name-of-a-task"),
            ("ticker", "another-name-as-long"),
        ],
    );
    assert_eq!(
        alarm(&long, (40, 10)),
        " LOOP BLOCKED 1.34 s by a-long-name-o…"
    );
    assert_eq!(
        alarm(&long, (80, 24)),
        " LOOP BLOCKED 1.34 s by a-long-name-o… · late: another-name-… 1.35 s, +2"
    );
}

#[test]
fn a_program_that_was_never_seen_is_told_what_to_add() {
    let mut model = connecting();
    model.apply(&Frame::new(model.now, Event::Exit(Exit::Code(0))));
    for size in [(40, 10), (80, 24)] {
        let state = state(&model, size, Options::default(), "");
        let text = text(&screen(&model, &state, size));
        for wanted in [
            "ended, exit 0",
            "loopview_probe::init();",
            "console_subscriber::init();",
            "--cfg tokio_unstable",
        ] {
            assert!(text.contains(wanted), "{wanted} in {text}");
        }
    }
}

#[test]
fn details_wait_for_a_histogram_only_while_one_can_come() {
    let mut model = model("gather");
    let details = |model: &Model| {
        let state = state(model, (100, 30), Options::default(), "Enter");
        text(&screen(model, &state, (100, 30)))
    };
    assert!(details(&model).contains("waiting for the histogram…"));
    model.apply(&Frame::new(model.now, Event::Exit(Exit::Code(0))));
    let over = details(&model);
    assert!(over.contains("unknown: the program has gone"), "{over}");
}

#[test]
fn a_histogram_that_counts_the_drop_of_the_future_says_so() {
    let model = |end: &str| {
        let story = format!(
            "target t program\n0ms block_on main\n0ms poll main 0.1ms\n0.05ms spawn A by main\n1ms poll A 1ms\n\
             2.5ms wake A\n3ms poll A 1ms {end}\n60ms details A\nuntil 70ms\n"
        );
        Scenario::parse(&story).expect("a story").model()
    };
    for (end, told) in [("ends ok", true), ("", false)] {
        let model = model(end);
        let state = state(&model, (100, 30), Options::default(), "End Enter");
        let text = text(&screen(&model, &state, (100, 30)));
        let counted = text.lines().find(|line| line.contains("Poll times"));
        let note = counted.is_some_and(|line| line.contains("one is a drop"));
        assert_eq!(note, told, "{text}");
    }
}

#[test]
fn nothing_is_cut_in_the_details_of_a_hundred_columns() {
    let mut model = story("details").model();
    let cut = |model: &Model, keys: &str| {
        let state = state(model, (100, 40), Options::default(), keys);
        let text = text(&screen(model, &state, (100, 40)));
        assert!(!text.contains('…'), "{text}");
        text
    };
    let text = cut(&model, "Down Enter");
    assert!(text.contains("woken, not polled  "), "{text}");
    assert!(text.contains("wake to poll, log scale"), "{text}");
    // Cells of two seconds: the longest title that the history has.
    model.now = model.now + Duration::from_secs(1_000);
    cut(&model, "Down Enter - - - -");
}

#[test]
fn threads_of_the_pool_are_told_apart_in_any_width() {
    let model = model("gather");
    for size in [(100, 30), (120, 40), (200, 60)] {
        let state = state(&model, size, Options::default(), "");
        let text = text(&screen(&model, &state, size));
        let row = text.lines().find(|line| line.contains("idle  "));
        assert!(row.is_some_and(|row| row.contains(" 3 ")), "{text}");
    }
}

/// tokio tells how busy a worker is when it parks, and on the way that is smoothed.
#[test]
fn a_worker_that_never_rests_is_as_busy_as_the_loop() {
    use std::fmt::Write;
    let mut told = "target busy workload\n0ms spawn A at a.rs:1\n".to_owned();
    for at in (1..1200).step_by(20) {
        let _ = writeln!(told, "{at}ms poll A 20ms\n{at}.5ms wake A itself");
    }
    told += "until 1200ms\n";
    let model = Scenario::parse(&told).expect("a scenario").model();
    let size = (120, 40);
    let state = state(&model, size, Options::default(), "6");
    let text = text(&screen(&model, &state, size));
    let row = text.lines().find(|line| line.starts_with("▸0 "));
    assert!(row.is_some_and(|row| row.contains(" 100 %")), "{text}");
}

#[test]
fn the_phase_is_told() {
    let mut model = model("gather");
    let line = |model: &Model, keys: &str, paused| {
        let mut state = state(model, (80, 24), Options::default(), keys);
        if paused {
            state.moment = view::Moment::Past(view::Past::default());
        }
        text(&screen(model, &state, (80, 24)))
    };
    assert!(line(&model, "", false).contains("● live"));
    assert!(line(&model, "", true).contains("‖ paused"));
    assert!(line(&model, "", true).contains("p go on"));
    let reason = "the program closed the connection".to_owned();
    model.apply(&Frame::new(
        model.now,
        Event::Gap(Gap::ConnectionLost { reason }),
    ));
    let lost = line(&model, "", false);
    assert!(lost.contains("✖ disconnected"), "{lost}");
    assert!(
        lost.contains("Connection lost: the program closed"),
        "{lost}"
    );
    model.apply(&Frame::new(model.now, Event::Exit(Exit::Signal(9))));
    let ended = line(&model, "", false);
    assert!(ended.contains("ended, signal 9"), "{ended}");
    assert!(ended.contains("R run again"), "{ended}");
}

#[test]
fn a_lost_connection_that_is_tried_again_is_told_with_what_one_can_do() {
    let mut model = model("gather");
    model.target.kind = TargetKind::Attached;
    let line = |model: &Model, paused| {
        let mut state = state(model, (120, 40), Options::default(), "");
        if paused {
            state.moment = view::Moment::Past(view::Past::default());
        }
        text(&screen(model, &state, (120, 40)))
    };
    let away = |lost, again: Option<u64>| {
        let gap = Gap::Away {
            reason: "nothing listens there".to_owned(),
            lost: Duration::from_millis(lost),
            again: again.map(Duration::from_millis),
        };
        Frame::new(Time::now(), Event::Gap(gap))
    };
    let before = line(&model, false);
    assert!(
        !before.contains("R connect") && !before.contains("D give up"),
        "{before}"
    );
    let elapsed = model.elapsed();
    model.apply(&away(12_003, Some(3_999)));
    assert_eq!(model.elapsed(), elapsed);
    let waiting = line(&model, false);
    let words = "Connection lost 12 s ago, trying again in 4 s: nothing listens there";
    assert!(waiting.contains(words), "{waiting}");
    assert!(waiting.contains("✖ lost, again in 4 s"), "{waiting}");
    assert!(waiting.contains("R try now  D give up"), "{waiting}");
    let past = line(&model, true);
    assert!(!past.contains("R try now"), "{past}");
    model.apply(&away(125_000, Some(0)));
    let now = line(&model, false);
    let words = "Connection lost 2 m 05 s ago, trying again now: nothing listens there";
    assert!(now.contains(words), "{now}");
    model.apply(&away(126_000, None));
    let given_up = line(&model, false);
    let words = "Connection lost: nothing listens there; R connects again";
    assert!(given_up.contains(words), "{given_up}");
    assert!(given_up.contains("R connect"), "{given_up}");
    assert!(!given_up.contains("D give up"), "{given_up}");
}

#[test]
fn of_a_lost_program_nobody_says_that_its_loop_is_blocked() {
    let mut model = model("blocked");
    let line = |model: &Model| {
        let state = state(model, (80, 24), Options::default(), "");
        text(&screen(model, &state, (80, 24)))
    };
    assert!(line(&model).contains("LOOP BLOCKED"));
    let reason = "the target has gone".to_owned();
    let gap = Gap::ConnectionLost { reason };
    model.apply(&Frame::new(model.now, Event::Gap(gap)));
    let lost = line(&model);
    assert!(
        lost.contains("Connection lost: the target has gone"),
        "{lost}"
    );
    assert!(!lost.contains("LOOP BLOCKED"), "{lost}");
}

/// Not even where another one could have its number.
#[test]
fn no_task_stays_open_that_another_connection_told_of() {
    let story = story("gather");
    let mut model = story.model();
    let mut state = state(&model, (120, 40), Options::default(), "Enter");
    let opened = text(&screen(&model, &state, (120, 40)));
    assert!(opened.contains("Poll times"), "{opened}");
    let anew = Frame::new(model.now, Event::Anew);
    for frame in std::iter::once(&anew).chain(&story.frames) {
        model.apply(frame);
    }
    state.sync(&model);
    let closed = text(&screen(&model, &state, (120, 40)));
    assert!(closed.contains("4 Tasks  "), "{closed}");
    assert!(!closed.contains("Poll times"), "{closed}");
}

#[test]
fn lints_are_listed_and_explained() {
    let model = model("blocked");
    let state = state(&model, (80, 24), Options::default(), "9");
    let text = text(&screen(&model, &state, (80, 24)));
    assert!(text.contains("blocked the event loop"), "{text}");
    assert!(text.contains("What it means."), "{text}");
    assert!(text.contains("blocked-loop"), "{text}");
}

#[test]
fn the_table_is_sorted_by_the_chosen_column() {
    let model = model("gather");
    let names = |keys: &str| {
        let state = state(&model, (120, 40), Options::default(), keys);
        let text = text(&screen(&model, &state, (120, 40)));
        let rows = text.lines().skip(6).take(10);
        rows.map(|row| row.split_whitespace().nth(2).unwrap_or_default().to_owned())
            .collect::<Vec<_>>()
    };
    let spawned = "block_on B C feed ticker hash helper A hash flaky";
    assert_eq!(names("").join(" "), spawned);
    // State, name.
    assert_eq!(
        names("s s").join(" "),
        "A B C block_on feed flaky hash hash helper ticker"
    );
    // Kind, total, busy: the greatest first.
    let busy = names("s s s s s");
    assert_eq!(busy[..3], ["hash", "hash", "ticker"]);
    let least = names("s s s s s S");
    assert_eq!(least[9], "hash");
    let without_finished = names("f").join(" ");
    assert!(without_finished.starts_with("block_on B C feed ticker hash helper"));
    assert!(!without_finished.contains("flaky"));
}

#[test]
fn the_selection_follows_its_task() {
    let scenario = story("gather");
    let before = scenario.model_at(Duration::from_millis(950));
    let after = scenario.model_at(Duration::from_millis(1_800));
    let mut state = state(&before, (80, 24), Options::default(), "Down Down");
    let selected = |state: &ViewState, model: &Model| {
        let text = text(&screen(model, state, (80, 24)));
        let row = text.lines().find(|line| line.starts_with('▸'));
        row.expect("a cursor").to_owned()
    };
    assert!(selected(&state, &before).contains(" B "));
    state.sync(&after);
    assert!(selected(&state, &after).contains(" B "));
}

#[test]
fn nothing_moves_under_the_cursor_when_rows_are_added() {
    let before = many_tasks(50);
    let after = many_tasks(80);
    let mut state = state(&before, (80, 24), Options::default(), "PgDn PgDn Up");
    let cursor_line = |state: &ViewState, model: &Model| {
        let text = text(&screen(model, state, (80, 24)));
        text.lines().position(|line| line.starts_with('▸'))
    };
    let line = cursor_line(&state, &before);
    assert!(line.is_some());
    state.sync(&after);
    assert_eq!(cursor_line(&state, &after), line);
}

#[test]
fn esc_leads_back_from_everywhere() {
    let model = model("gather");
    let first = state(&model, (80, 24), Options::default(), "");
    let first = screen(&model, &first, (80, 24));
    for keys in ["?", "Enter", "Enter ?", "0 Up Up", "6", "z", "Enter ? PgDn"] {
        let mut state = state(&model, (80, 24), Options::default(), keys);
        press(&mut state, &model, "Esc Esc Esc");
        assert_eq!(screen(&model, &state, (80, 24)), first, "{keys}");
    }
}

#[test]
fn output_stays_where_it_was_scrolled_to() {
    let mut model = many_lines(0, 100);
    let mut state = state(&model, (80, 24), Options::default(), "0 Up Up Up");
    let lines = |state: &ViewState, model: &Model| {
        let text = text(&screen(model, state, (80, 24)));
        text.lines().skip(5).map(str::to_owned).collect::<Vec<_>>()
    };
    let before = lines(&state, &model);
    assert!(before.iter().any(|l| l.ends_with("line 96")), "{before:?}");
    add_lines(&mut model, 100, 130);
    state.sync(&model);
    assert_eq!(lines(&state, &model), before);
    let _ = state.act(Action::Last, &model);
    let end = lines(&state, &model);
    assert!(end.iter().any(|l| l.ends_with("line 129")), "{end:?}");
}

#[test]
fn ten_thousand_tasks_are_drawn_in_no_time() {
    let model = many_tasks(10_000);
    let mut state = state(&model, (200, 60), Options::default(), "s s s s End");
    let start = std::time::Instant::now();
    for _ in 0..10 {
        state.sync(&model);
        screen(&model, &state, (200, 60));
    }
    // Far above what it takes, even unoptimized on a busy machine.
    assert!(
        start.elapsed() < Duration::from_secs(10),
        "{:?}",
        start.elapsed()
    );
}

/// A program that has spawned so many tasks and polls none.
fn many_tasks(count: usize) -> Model {
    use std::fmt::Write;
    let mut text = "target many program\n0ms block_on main\n0ms poll main 1ms\n".to_owned();
    for n in 0..count {
        writeln!(text, "1us spawn t{n} by main").expect("a string takes all");
    }
    Scenario::parse(&text).expect("a story").model()
}

fn many_lines(from: usize, to: usize) -> Model {
    let mut model = Model::new(Target {
        name: "talker".to_owned(),
        kind: TargetKind::Program,
    });
    add_lines(&mut model, from, to);
    model
}

fn add_lines(model: &mut Model, from: usize, to: usize) {
    for n in from..to {
        model.apply(&Frame::new(
            Time::from_nanos(1_000_000_000 + n as u64),
            Event::Output(Line {
                stream: Stream::Stdout,
                text: format!("line {n}"),
                cut: if n % 10 == 0 { 5_000 } else { 0 },
            }),
        ));
    }
}

/// The story's program does not answer: only what is seen from outside comes.
fn connecting() -> Model {
    let scenario = story("connecting");
    let mut model = Model::new(scenario.target);
    for frame in scenario.frames {
        if matches!(frame.event, Event::Output(_) | Event::Gap(_)) {
            model.apply(&frame);
        }
    }
    model
}

/// A story whose tasks have other names.
fn with_names(story_name: &str, names: &[(&str, &str)]) -> Model {
    let mut scenario = story(story_name);
    for value in scenario.frames.iter_mut().flat_map(fields_in) {
        let old = value.to_string();
        if let Some((_, new)) = names.iter().find(|(name, _)| *name == old) {
            *value = Value::StrVal((*new).to_owned());
        }
    }
    scenario.model()
}

/// The fields of the tasks that a frame brings.
fn fields_in(frame: &mut Frame) -> impl Iterator<Item = &mut Value> {
    let update = match &mut frame.event {
        Event::Console(update) => update.task_update.as_mut(),
        _ => None,
    };
    let tasks = update.into_iter().flat_map(|update| &mut update.new_tasks);
    tasks
        .flat_map(|task| &mut task.fields)
        .filter_map(|field| field.value.as_mut())
}

/// What the capital words in the story of hostile names stand for.
fn harm(word: &str) -> Option<String> {
    Some(match word {
        "TARGET" => "evil\x1b]0;title\x07\n".to_owned(),
        "ESCAPE" => "\x1b[2J\x1b[31mred\u{9b}1m".to_owned(),
        "BREAK" => "line\r\nbreak\ttab".to_owned(),
        "WIDE" => "任务一二三四五六七八九十👍🏽e".to_owned(),
        "BIDI" => "a\u{202e}b\u{200b}\u{feff}c\u{2066}d".to_owned(),
        "LONG" => "long-".repeat(200_000),
        "BLANK" => "  \u{fe0f} ".to_owned(),
        "MARKS" => format!("z{}", "\u{301}".repeat(100_000)),
        _ => return None,
    })
}

fn hostile() -> Model {
    let scenario = story("hostile");
    let mut model = Model::new(Target {
        name: harm("TARGET").expect("a name"),
        kind: TargetKind::Workload,
    });
    for mut frame in scenario.frames {
        match &mut frame.event {
            Event::Output(line) => line.text = harm(&line.text).unwrap_or_default(),
            Event::Probe(update) => {
                for task in &mut update.tasks {
                    task.error = harm(&task.error).unwrap_or_default();
                }
            }
            _ => {}
        }
        for value in fields_in(&mut frame) {
            if let Some(harm) = harm(&value.to_string()) {
                *value = Value::StrVal(harm);
            }
        }
        model.apply(&frame);
    }
    model
}
