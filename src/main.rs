//! Parses the command line, does what it says, and tells how it went.

use std::process::ExitCode;

use clap::Parser;
use loopview::{cli::Cli, cmd};

fn main() -> ExitCode {
    match cmd::execute(Cli::parse()) {
        Ok(code) => code,
        Err(error) => {
            eprintln!("loopview: {error}");
            error.exit_code()
        }
    }
}
