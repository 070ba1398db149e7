//! `loopview man`

use std::process::ExitCode;

use clap::CommandFactory;

use crate::{cli::Cli, error::Error};

pub fn execute() -> Result<ExitCode, Error> {
    let mut page = Vec::new();
    clap_mangen::Man::new(Cli::command())
        .render(&mut page)
        .map_err(Error::Report)?;
    super::print(&String::from_utf8_lossy(&page))
}
