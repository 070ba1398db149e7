//! The life of the real binary in a real terminal: what a person sees, and that nothing is
//! left behind, whichever way it ends.

#[path = "support/pty.rs"]
mod pty;

use std::{fs, path::Path};

use loopview::{
    target::{Launch, launch},
    term::Screen,
};
use pty::Terminal;

const LOOPVIEW: &str = env!("CARGO_BIN_EXE_loopview");
const SIZE: (u16, u16) = (120, 40);

/// A dashboard, and the folder in which it and its target put what they need.
struct Session {
    terminal: Terminal,
    temporary: tempfile::TempDir,
}

impl Session {
    fn start(args: &[&str], size: (u16, u16)) -> Self {
        let temporary = tempfile::tempdir().expect("a temporary folder");
        let terminal = Terminal::start(Path::new(LOOPVIEW), args, size, temporary.path());
        Self {
            terminal,
            temporary,
        }
    }

    /// A workload that sleeps for an hour, and is on the screen.
    fn watching() -> Self {
        let session = Self::start(&["run", "hello", "--scale", "1000"], SIZE);
        session.terminal.until_shown("main");
        session
    }

    /// The processes that it has started, and those that they have.
    fn descendants(&self) -> Vec<u32> {
        let mut all = vec![self.terminal.pid()];
        let mut at = 0;
        while at < all.len() {
            all.extend(children(all[at]));
            at += 1;
        }
        all.split_off(1)
    }

    /// Waits for the end and looks for what is left.
    #[track_caller]
    fn assert_clean_end(mut self, descendants: &[u32]) -> u32 {
        let status = self.terminal.ended();
        self.terminal.assert_restored();
        for pid in descendants {
            assert!(!is_alive(*pid), "process {pid} is left behind");
        }
        let left: Vec<_> = fs::read_dir(self.temporary.path())
            .unwrap()
            .flatten()
            .collect();
        assert!(left.is_empty(), "{left:?}");
        status.exit_code()
    }
}

fn children(pid: u32) -> Vec<u32> {
    let tasks = fs::read_dir(format!("/proc/{pid}/task"))
        .into_iter()
        .flatten()
        .flatten();
    tasks
        .filter_map(|task| fs::read_to_string(task.path().join("children")).ok())
        .flat_map(|pids| {
            pids.split_whitespace()
                .flat_map(str::parse)
                .collect::<Vec<u32>>()
        })
        .collect()
}

/// A process that has ended and is not reaped yet does no harm: its new parent does that.
fn is_alive(pid: u32) -> bool {
    fs::read_to_string(format!("/proc/{pid}/stat"))
        .is_ok_and(|stat| !stat.rsplit(") ").next().is_some_and(|s| s.starts_with('Z')))
}

fn signal(pid: u32, signal: rustix::process::Signal) {
    let pid = rustix::process::Pid::from_raw(pid.cast_signed()).expect("a process id");
    rustix::process::kill_process(pid, signal).expect("the process is there");
}

/// The terminal's clipboard, as it is the only one that there is behind ssh, too.
#[test]
fn what_is_copied_goes_to_the_clipboard() {
    const DIGITS_IN_BASE64: [&str; 10] = [
        "MA==", "MQ==", "Mg==", "Mw==", "NA==", "NQ==", "Ng==", "Nw==", "OA==", "OQ==",
    ];
    let mut session = Session::watching();
    session.terminal.press("y");
    let screen = session.terminal.until_shown(" is copied");
    let (before, _) = screen.split_once(" is copied").expect("it is shown");
    let number = before.split_whitespace().last().expect("a number");
    let digit: usize = number.parse().expect("a number");
    let copied = session.terminal.clipboard();
    assert_eq!(copied.as_deref(), DIGITS_IN_BASE64.get(digit).copied());
    session.terminal.press("q");
    session.terminal.ended();
}

#[test]
fn a_person_runs_gather_and_explores_it() {
    let mut session = Session::start(&["run", "gather"], (80, 24));
    let terminal = &mut session.terminal;
    terminal.until("three workers", |s| {
        ["Worker-0", "Worker-1", "Worker-2"]
            .iter()
            .all(|w| s.contains(w))
    });
    terminal.press("j\r");
    terminal.until_shown("Poll times");
    terminal.press("\x1b");
    terminal.until("the overview", |s| !s.contains("Poll times"));
    terminal.press("?");
    terminal.until("the help", |s| s.contains(" Help "));
    terminal.press("\x1b");
    // A key right behind Esc would be another one.
    terminal.until("the overview again", |s| !s.contains(" Help "));
    terminal.resize((120, 40));
    terminal.until("A, B and C", |s| {
        ["A ", "B ", "C "].iter().all(|t| s.contains(t))
    });
    terminal.press("p");
    // The word itself is soon followed by how long ago it was.
    terminal.until("a pause", |s| s.contains("go on"));
    terminal.press("p");
    terminal.until("the end", |s| s.contains("results: [\"A\", \"B\", \"C\"]"));
    terminal.until("the exit status", |s| {
        s.contains("exit status 0") || s.contains("ended")
    });
    terminal.press("q");
    assert_eq!(session.assert_clean_end(&[]), 0);
}

#[test]
fn without_a_command_a_person_picks_a_lesson() {
    let mut session = Session::start(&[], (80, 24));
    session.terminal.until_shown("pick a lesson");
    session.terminal.press("jL");
    session.terminal.until_shown("uncalled: ");
    session.terminal.press("\r");
    session
        .terminal
        .until("the second lesson with its page", |s| {
            s.contains("uncalled: ") && s.contains("3 Tree")
        });
    session.terminal.press("L");
    session.terminal.until("the lesson alone", |s| {
        !s.contains("uncalled: ") && s.contains("Timers")
    });
    session.terminal.press("q");
    session.terminal.until_shown("pick a lesson");
    session.terminal.press("q");
    assert_eq!(session.assert_clean_end(&[]), 0);
}

#[test]
fn q_ends_the_target_too() {
    let mut session = Session::watching();
    let descendants = session.descendants();
    assert_eq!(descendants.len(), 1);
    session.terminal.press("q");
    assert_eq!(session.assert_clean_end(&descendants), 0);
}

#[test]
fn control_c_ends_the_target_too() {
    let mut session = Session::watching();
    let descendants = session.descendants();
    session.terminal.press("\x03");
    assert_eq!(session.assert_clean_end(&descendants), 0);
}

#[test]
fn signals_end_it_as_well() {
    use rustix::process::Signal;
    for by in [Signal::TERM, Signal::HUP, Signal::INT] {
        let session = Session::watching();
        let descendants = session.descendants();
        signal(session.terminal.pid(), by);
        session.assert_clean_end(&descendants);
    }
}

#[test]
fn a_target_that_dies_leaves_its_last_state_on_the_screen() {
    let mut session = Session::watching();
    let descendants = session.descendants();
    signal(descendants[0], rustix::process::Signal::KILL);
    session
        .terminal
        .until("how it ended", |s| s.contains("signal 9"));
    session.terminal.until_shown("main");
    session.terminal.press("q");
    assert_eq!(session.assert_clean_end(&descendants), 1);
}

#[test]
fn a_target_that_was_killed_can_be_run_again() {
    let mut session = Session::watching();
    signal(session.descendants()[0], rustix::process::Signal::KILL);
    session
        .terminal
        .until("how it ended", |s| s.contains("signal 9"));
    session.terminal.press("R");
    session.terminal.until("a new run", |s| {
        !s.contains("signal 9") && s.contains("main")
    });
    let descendants = session.descendants();
    session.terminal.press("q");
    session.assert_clean_end(&descendants);
}

#[test]
fn the_children_of_a_target_end_with_it() {
    let script = "sleep 3600 & sleep 3600 & echo started; wait";
    let mut session = Session::start(&["run", "--", "sh", "-c", script], SIZE);
    session.terminal.until_shown("started");
    let descendants = session.descendants();
    assert_eq!(descendants.len(), 3);
    session.terminal.press("q");
    session.assert_clean_end(&descendants);
}

/// In its environment, this test's own program is a dashboard that panics.
const PANIC: &str = "LOOPVIEW_TEST_PANIC";

#[test]
fn a_panic_gives_the_terminal_back_and_ends_the_target() {
    if std::env::var_os(PANIC).is_some() {
        return panic_while_watching();
    }
    let temporary = tempfile::tempdir().expect("a temporary folder");
    let this = std::env::current_exe().expect("the path of this program");
    let name = "a_panic_gives_the_terminal_back_and_ends_the_target";
    let set = format!("{PANIC}=1");
    let args = [
        set.as_ref(),
        this.as_os_str(),
        "--exact".as_ref(),
        name.as_ref(),
    ];
    let terminal = Terminal::start(Path::new("env"), args, SIZE, temporary.path());
    let session = Session {
        terminal,
        temporary,
    };
    session
        .terminal
        .until("the message", |s| s.contains("on purpose"));
    assert_eq!(session.assert_clean_end(&[]), 101);
}

fn panic_while_watching() {
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build();
    runtime.expect("a runtime").block_on(async {
        let args = ["workload", "hello", "--scale", "1000"]
            .map(Into::into)
            .to_vec();
        let mut source = launch(&Launch {
            program: LOOPVIEW.into(),
            args,
            has_probe: true,
        })
        .expect("it starts");
        let _screen = Screen::open(true).expect("a terminal");
        source.frames.recv().await.expect("a frame");
        panic!("on purpose");
    });
}

#[test]
fn hostile_output_does_not_touch_the_screen() {
    let script = r"printf '\033[2J\033[31mred\033[?1049l\a\r\t\033]0;title\007 end\n'; sleep 3600";
    let mut session = Session::start(&["run", "--", "sh", "-c", script], SIZE);
    session.terminal.until("the line, as text", |s| {
        s.contains("red") && s.contains("end")
    });
    session.terminal.until("the header", |s| s.contains(" sh "));
    session.terminal.press("q");
    session.assert_clean_end(&[]);
}

#[test]
fn the_smallest_terminal_is_survived() {
    let mut session = Session::start(&["run", "hello", "--scale", "1000"], (1, 1));
    session.terminal.resize((120, 40));
    session.terminal.until_shown("main");
    session.terminal.press("?");
    session.terminal.until_shown("show this help");
    session.terminal.resize((1, 1));
    session
        .terminal
        .until("an empty screen", |s| !s.contains("show this help"));
    session.terminal.resize((80, 24));
    session.terminal.until_shown("show this help");
    session.terminal.press("\x1b");
    session
        .terminal
        .until("the overview", |s| !s.contains("show this help"));
    session.terminal.press("q");
    session.assert_clean_end(&[]);
}

#[test]
fn the_mouse_is_asked_for_and_given_back() {
    let mut session = Session::watching();
    assert!(session.terminal.has_mouse());
    // A press on the view of the timers, and its release, as a terminal tells of them.
    let screen = session.terminal.until_shown("5 Timers");
    let line = screen.lines().position(|line| line.contains("5 Timers"));
    let (row, line) = line
        .and_then(|row| Some((row, screen.lines().nth(row)?)))
        .expect("views");
    let column = line.find("5 Timers").expect("a view");
    let (row, column) = (row + 1, column + 1);
    session
        .terminal
        .press(&format!("\x1b[<0;{column};{row}M\x1b[<0;{column};{row}m"));
    session.terminal.until_shown("Lateness");
    session.terminal.press("q");
    assert_eq!(session.assert_clean_end(&[]), 0);
}

#[test]
fn the_mouse_can_be_left_to_the_terminal() {
    let args = ["run", "hello", "--scale", "1000", "--no-mouse"];
    let mut session = Session::start(&args, SIZE);
    session.terminal.until_shown("main");
    assert!(!session.terminal.has_mouse());
    session.terminal.press("q");
    assert_eq!(session.assert_clean_end(&[]), 0);
}

#[test]
fn a_bad_configuration_is_told_and_the_defaults_hold() {
    let folder = tempfile::tempdir().expect("a folder");
    let path = folder.path().join("mine.toml");
    fs::write(&path, "ascii = true\n[keys]\nzoom = [\"q\"]\n").expect("a file");
    let path = path.to_str().expect("a path");
    let args = ["run", "hello", "--scale", "1000", "--config", path];
    let mut session = Session::start(&args, SIZE);
    session
        .terminal
        .until_shown("mine.toml:3:9: the key q is that of quit");
    session.terminal.until_shown("main");
    session.terminal.until_shown("─");
    session.terminal.press("j");
    session
        .terminal
        .until("no complaint any more", |s| !s.contains("mine.toml"));
    session.terminal.press("q");
    session.terminal.until("the complaint again", |s| {
        s.contains("loopview: ") && s.contains("mine.toml:3:9: the key q")
    });
    assert_eq!(session.assert_clean_end(&[]), 0);
}
