//! What can go wrong, as one line that a person reads, and the exit code that goes with it.

use std::{
    io,
    path::{Path, PathBuf},
    process::ExitCode,
};

use crate::{recording, script, target::ConnectError};

/// The exit codes, in one place.
pub mod exit {
    pub const OK: u8 = 0;
    /// The target failed, or a check did not hold.
    pub const TARGET_FAILED: u8 = 1;
    /// The command line was wrong.
    pub const USAGE: u8 = 2;
    /// No connection, or it was lost.
    pub const CONNECTION: u8 = 3;
    /// A recording that cannot be read.
    pub const RECORDING: u8 = 4;
}

/// Each is a lowercase fragment that fits after "loopview: " and says what to do next.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    #[error("{problem}; see `{command} --help`")]
    Usage { problem: String, command: String },
    #[error("no workload is called {name:?}; the nearest is {nearest}, `loopview list` shows all")]
    UnknownWorkload { name: String, nearest: &'static str },
    /// Most likely a program: `command` is what was meant.
    #[error("no workload is called {name:?} (see `loopview list`); to run a program: {command}")]
    NotAWorkload { name: String, command: String },
    #[error("{0}")]
    Settings(#[from] loopview_workloads::SettingsError),
    #[error("cannot start {program:?}: {}", not_found(program))]
    ProgramNotFound { program: String },
    #[error("cannot start {program:?}: it is a folder; name the program in it")]
    ProgramIsFolder { program: String },
    #[error("cannot start {program:?}: it is not executable; `chmod +x` makes it so")]
    ProgramNotExecutable { program: String },
    #[error("cannot start {program:?}: {error}")]
    Program { program: String, error: io::Error },
    #[error("{0}")]
    Connect(#[from] ConnectError),
    #[error(
        "cannot make a private folder for the socket: {0}; set TMPDIR to a folder that can be written"
    )]
    Folder(io::Error),
    #[error("cannot read the configuration {path:?}: {error}")]
    Config { path: PathBuf, error: io::Error },
    #[error("cannot read where this program lies: {0}")]
    OwnPath(io::Error),
    #[error("no terminal to draw on: {0}; --headless prints a report instead")]
    Terminal(io::Error),
    #[error("cannot serve metrics on {address}: {error}; port 0 is any that is free")]
    Listen { address: String, error: io::Error },
    #[error("cannot write the report: {0}")]
    Report(io::Error),
    #[error("cannot write {name}: {error}")]
    Write { name: String, error: io::Error },
    #[error("cannot record to {path:?}: {}", not_begun(error))]
    Record { path: String, error: io::Error },
    #[error("cannot read {path:?}: {error}")]
    Recording {
        path: String,
        error: recording::Error,
    },
    #[error("cannot read the keys script {path:?}: {error}")]
    KeysUnreadable { path: String, error: io::Error },
    #[error("the keys script is wrong: {0}")]
    Keys(script::Error),
    #[error("the keys script does not fit the recording: {0}")]
    Unplayable(script::Error),
    #[error("cannot start: {0}")]
    Runtime(io::Error),
}

/// Only a name without a folder is looked for on `PATH`.
fn not_found(program: &str) -> String {
    if program.contains('/') {
        "there is no such file, or the interpreter that it names is missing".to_owned()
    } else {
        format!("no such program is on PATH; one in this folder is ./{program}")
    }
}

fn not_begun(error: &io::Error) -> String {
    if error.kind() == io::ErrorKind::AlreadyExists {
        "there is such a file already, which is kept; name another one".to_owned()
    } else {
        error.to_string()
    }
}

impl Error {
    pub fn record(path: &Path, error: io::Error) -> Self {
        let path = path.display().to_string();
        Self::Record { path, error }
    }

    pub fn write(name: String, error: io::Error) -> Self {
        Self::Write { name, error }
    }

    pub fn recording(path: &Path, error: recording::Error) -> Self {
        let path = path.display().to_string();
        Self::Recording { path, error }
    }

    pub fn exit_code(&self) -> ExitCode {
        ExitCode::from(match self {
            Self::Usage { .. }
            | Self::UnknownWorkload { .. }
            | Self::NotAWorkload { .. }
            | Self::Settings(_)
            | Self::KeysUnreadable { .. }
            | Self::Keys(_)
            | Self::ProgramNotFound { .. }
            | Self::ProgramIsFolder { .. }
            | Self::ProgramNotExecutable { .. }
            | Self::Config { .. }
            | Self::Terminal(_)
            | Self::Listen { .. } => exit::USAGE,
            Self::Recording { .. } => exit::RECORDING,
            Self::Connect(_) => exit::CONNECTION,
            Self::Program { .. }
            | Self::Folder(_)
            | Self::OwnPath(_)
            | Self::Report(_)
            | Self::Write { .. }
            | Self::Record { .. }
            | Self::Unplayable(_)
            | Self::Runtime(_) => exit::TARGET_FAILED,
        })
    }
}
