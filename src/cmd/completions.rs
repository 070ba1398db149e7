//! `loopview completions SHELL`

use std::process::ExitCode;

use clap::CommandFactory;
use clap_complete::Shell;

use crate::{cli::Cli, error::Error};

pub fn execute(shell: Shell) -> Result<ExitCode, Error> {
    let mut script = Vec::new();
    clap_complete::generate(shell, &mut Cli::command(), "loopview", &mut script);
    super::print(&String::from_utf8_lossy(&script))
}
