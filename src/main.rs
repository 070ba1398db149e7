//! Parses the command line, does what it says, and tells how it went.

use std::{
    env,
    ffi::OsString,
    io::{self, Write},
    process::ExitCode,
};

use loopview::cmd;

fn main() -> ExitCode {
    let words: Vec<OsString> = env::args_os().collect();
    match cmd::parse(&words).and_then(cmd::execute) {
        Ok(code) => code,
        Err(error) => {
            // Where nobody reads it, the exit code says enough.
            let _ = writeln!(io::stderr(), "loopview: {error}");
            error.exit_code()
        }
    }
}
