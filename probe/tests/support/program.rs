//! A program under observation: how it is started, and how it and its test talk.

use std::{
    collections::HashMap,
    io::{BufRead, BufReader, Write},
    path::PathBuf,
    process::{Child, ChildStdin, Command, ExitStatus, Stdio},
    sync::mpsc,
    time::Duration,
};

use super::LIMIT;

const PROGRAM: &str = "LOOPVIEW_TEST_PROGRAM";

/// The program that this process is to be.
pub fn wanted() -> Option<String> {
    std::env::var(PROGRAM).ok()
}

/// In the program: tells its test something.
pub fn tell(what: &str, value: impl std::fmt::Display) {
    let mut out = std::io::stdout().lock();
    // A test that has failed is gone.
    let _ = writeln!(out, "{what} {value}").and_then(|()| out.flush());
}

/// In the program: waits until its test says to go on. Without a test it ends.
pub fn wait() {
    let mut line = String::new();
    if std::io::stdin().lock().read_line(&mut line).unwrap_or(0) == 0 {
        std::process::exit(3);
    }
}

/// The test's side of a program. It is killed at the end, if it has not ended.
pub struct Program {
    child: Child,
    input: Option<ChildStdin>,
    lines: mpsc::Receiver<String>,
    told: HashMap<String, String>,
    folder: tempfile::TempDir,
}

impl Program {
    pub fn start(name: &str, env: &[(&str, &str)]) -> Self {
        let folder = tempfile::tempdir().expect("a temporary folder");
        let this = std::env::current_exe().expect("the path of this program");
        let mut child = Command::new(this)
            .env(PROGRAM, name)
            .env("LOOPVIEW_SOCKET", folder.path().join("s"))
            .env("TOKIO_CONSOLE_PUBLISH_INTERVAL", "10ms")
            .env_remove("TOKIO_CONSOLE_BIND")
            .env_remove("RUST_LOG")
            .env("RUST_BACKTRACE", "0")
            .envs(env.iter().copied())
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .expect("it starts");
        let (sender, lines) = mpsc::channel();
        let output = child.stdout.take().expect("it is piped");
        std::thread::spawn(move || {
            for line in BufReader::new(output).lines().map_while(Result::ok) {
                if sender.send(line).is_err() {
                    break;
                }
            }
        });
        Self {
            input: child.stdin.take(),
            child,
            lines,
            told: HashMap::new(),
            folder,
        }
    }

    pub fn folder(&self) -> PathBuf {
        self.folder.path().to_owned()
    }

    pub fn socket(&self) -> PathBuf {
        self.folder.path().join("s")
    }

    pub fn id(&self) -> u32 {
        self.child.id()
    }

    /// What the program tells by this word, now or before.
    pub fn told(&mut self, what: &str) -> String {
        loop {
            if let Some(value) = self.told.remove(what) {
                return value;
            }
            let line = self.lines.recv_timeout(LIMIT);
            let line = line.unwrap_or_else(|e| panic!("the program does not tell {what:?}: {e}"));
            let (key, value) = line.split_once(' ').unwrap_or((&line, ""));
            self.told.insert(key.to_owned(), value.to_owned());
        }
    }

    pub fn number(&mut self, what: &str) -> u64 {
        self.told(what).parse().expect("a number")
    }

    pub fn micros(&mut self, what: &str) -> Duration {
        Duration::from_micros(self.number(what))
    }

    /// Lets it go on from where it waits.
    pub fn go_on(&mut self) {
        let input = self.input.as_mut().expect("it has not ended");
        input.write_all(b"go\n").expect("it reads");
        input.flush().expect("it reads");
    }

    /// Waits until it has ended by itself; gives its status and what it said on its
    /// standard error.
    pub fn end(mut self) -> (ExitStatus, String) {
        use std::io::Read;
        loop {
            match self.lines.recv_timeout(LIMIT) {
                Ok(_) => {}
                Err(mpsc::RecvTimeoutError::Disconnected) => break,
                Err(mpsc::RecvTimeoutError::Timeout) => panic!("the program does not end"),
            }
        }
        let status = self.child.wait().expect("its status");
        let mut said = String::new();
        let error = self.child.stderr.take().expect("it is piped");
        let mut error = BufReader::new(error);
        error.read_to_string(&mut said).expect("text");
        (status, said)
    }
}

impl Drop for Program {
    fn drop(&mut self) {
        // It may have ended by itself.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}
