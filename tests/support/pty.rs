//! The real binary in a real pseudo-terminal, and what a person would see there.

use std::{
    ffi::OsStr,
    io::{Read, Write},
    path::Path,
    sync::{Arc, Condvar, Mutex},
    thread,
    time::{Duration, Instant},
};

use portable_pty::{Child, CommandBuilder, ExitStatus, MasterPty, PtySize, native_pty_system};

/// No condition that is waited for takes this long.
const LIMIT: Duration = Duration::from_secs(30);

/// The emulator that reads the terminal cannot take the smallest screens.
const LEAST: u16 = 2;

/// A program in a terminal of its own.
pub struct Terminal {
    master: Box<dyn MasterPty + Send>,
    child: Box<dyn Child + Send + Sync>,
    keys: Box<dyn Write + Send>,
    /// Echo, lines and the like, as they were at first.
    modes: String,
    seen: Arc<Seen>,
}

struct Seen {
    parser: Mutex<(vt100::Parser<Clipboard>, bool)>,
    changed: Condvar,
}

/// What the terminal was last asked to put there, in base64.
#[derive(Default)]
struct Clipboard(Option<String>);

impl vt100::Callbacks for Clipboard {
    fn copy_to_clipboard(&mut self, _: &mut vt100::Screen, _: &[u8], data: &[u8]) {
        self.0 = Some(String::from_utf8_lossy(data).into_owned());
    }
}

impl Terminal {
    /// Starts `program` with a home for its temporary files and nothing in its environment
    /// that would change what it draws.
    pub fn start<S: AsRef<OsStr>>(
        program: &Path,
        args: impl IntoIterator<Item = S>,
        size: (u16, u16),
        temporary: &Path,
    ) -> Self {
        let size = pty_size(size);
        let pty = native_pty_system()
            .openpty(size)
            .expect("a pseudo-terminal");
        let mut command = CommandBuilder::new(program);
        command.args(args);
        command.env_clear();
        command.env("PATH", std::env::var_os("PATH").unwrap_or_default());
        command.env("TERM", "xterm-256color");
        command.env("LANG", "C.UTF-8");
        command.env("TMPDIR", temporary);
        command.cwd(env!("CARGO_MANIFEST_DIR"));
        let modes = modes(&*pty.master);
        let child = pty
            .slave
            .spawn_command(command)
            .expect("the program starts");
        let keys = pty.master.take_writer().expect("one writer");
        let reader = pty.master.try_clone_reader().expect("a reader");
        let parser = vt100::Parser::new_with_callbacks(
            size.rows.max(LEAST),
            size.cols.max(LEAST),
            0,
            Clipboard::default(),
        );
        let seen = Arc::new(Seen {
            parser: Mutex::new((parser, false)),
            changed: Condvar::new(),
        });
        let reading = Arc::clone(&seen);
        thread::spawn(move || reading.read(reader));
        Self {
            master: pty.master,
            child,
            keys,
            modes,
            seen,
        }
    }

    pub fn pid(&self) -> u32 {
        self.child.process_id().expect("it was started")
    }

    /// Presses keys, given as the bytes that a terminal sends.
    pub fn press(&mut self, keys: &str) {
        self.keys
            .write_all(keys.as_bytes())
            .expect("the terminal takes keys");
        self.keys.flush().expect("the terminal takes keys");
    }

    /// The emulator only grows: while its program still draws for the old size, it cannot
    /// take a smaller one.
    pub fn resize(&mut self, size: (u16, u16)) {
        let size = pty_size(size);
        {
            let mut parser = self.seen.parser.lock().unwrap();
            let (rows, cols) = parser.0.screen().size();
            let (rows, cols) = (rows.max(size.rows), cols.max(size.cols));
            parser.0.screen_mut().set_size(rows, cols);
        }
        self.master.resize(size).expect("the terminal takes a size");
    }

    /// Waits until the screen shows what is wanted; gives the screen's text.
    #[track_caller]
    pub fn until(&self, what: &str, holds: impl Fn(&str) -> bool) -> String {
        let end = Instant::now() + LIMIT;
        let mut parser = self.seen.parser.lock().unwrap();
        loop {
            let text = parser.0.screen().contents();
            if holds(&text) {
                return text;
            }
            let left = end.saturating_duration_since(Instant::now());
            assert!(!left.is_zero() && !parser.1, "never shown: {what}\n{text}");
            parser = self.seen.changed.wait_timeout(parser, left).unwrap().0;
        }
    }

    #[track_caller]
    pub fn until_shown(&self, text: &str) -> String {
        self.until(text, |screen| screen.contains(text))
    }

    /// What is in the clipboard, in base64.
    pub fn clipboard(&self) -> Option<String> {
        self.seen.parser.lock().unwrap().0.callbacks().0.clone()
    }

    /// The program is told what the mouse does, in a form for wide screens.
    pub fn has_mouse(&self) -> bool {
        let parser = self.seen.parser.lock().unwrap();
        let screen = parser.0.screen();
        screen.mouse_protocol_mode() == vt100::MouseProtocolMode::ButtonMotion
            && screen.mouse_protocol_encoding() == vt100::MouseProtocolEncoding::Sgr
    }

    /// Waits for the program's end.
    #[track_caller]
    pub fn ended(&mut self) -> ExitStatus {
        let end = Instant::now() + LIMIT;
        {
            // The terminal closes when the last process in it has gone.
            let mut parser = self.seen.parser.lock().unwrap();
            while !parser.1 {
                let left = end.saturating_duration_since(Instant::now());
                assert!(
                    !left.is_zero(),
                    "it does not end\n{}",
                    parser.0.screen().contents()
                );
                parser = self.seen.changed.wait_timeout(parser, left).unwrap().0;
            }
        }
        self.child.wait().expect("its exit status")
    }

    /// The terminal is as a shell wants it: the main screen, a cursor, lines that echo.
    #[track_caller]
    pub fn assert_restored(&self) {
        let parser = self.seen.parser.lock().unwrap();
        let screen = parser.0.screen();
        assert!(
            !screen.alternate_screen(),
            "the alternate screen is still on"
        );
        assert!(!screen.hide_cursor(), "the cursor is still hidden");
        assert!(!screen.bracketed_paste(), "bracketed paste is still on");
        assert_eq!(screen.mouse_protocol_mode(), vt100::MouseProtocolMode::None);
        assert_eq!(modes(&*self.master), self.modes, "raw mode is still on");
    }
}

impl Drop for Terminal {
    fn drop(&mut self) {
        let _ = self.child.kill();
    }
}

impl Seen {
    fn read(&self, mut from: Box<dyn Read + Send>) {
        let mut bytes = [0; 16 * 1024];
        // A read fails when the last process in the terminal has gone.
        while let Ok(count @ 1..) = from.read(&mut bytes) {
            self.parser.lock().unwrap().0.process(&bytes[..count]);
            self.changed.notify_all();
        }
        self.parser.lock().unwrap().1 = true;
        self.changed.notify_all();
    }
}

fn modes(master: &dyn MasterPty) -> String {
    format!("{:?}", master.get_termios())
}

fn pty_size((cols, rows): (u16, u16)) -> PtySize {
    PtySize {
        rows,
        cols,
        pixel_width: 0,
        pixel_height: 0,
    }
}
