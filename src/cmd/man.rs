//! `loopview man`

use std::{
    io::{self, Write},
    process::ExitCode,
};

use clap::{Command, CommandFactory};
use clap_mangen::{
    Man,
    roff::{Roff, roman},
};

use crate::{cli::Cli, error::Error};

pub fn execute() -> Result<ExitCode, Error> {
    let mut page = Vec::new();
    render(&mut page).map_err(Error::Report)?;
    super::print(&String::from_utf8_lossy(&page))
}

/// One page for all: what the commands have of their own follows what they share.
fn render(page: &mut Vec<u8>) -> io::Result<()> {
    let mut cli = Cli::command();
    cli.build();
    let man = Man::new(cli.clone());
    man.render_title(page)?;
    man.render_name_section(page)?;
    man.render_synopsis_section(page)?;
    man.render_description_section(page)?;
    man.render_options_section(page)?;
    let documented = |sub: &&Command| !sub.is_hide_set() && sub.get_name() != "help";
    for sub in cli.get_subcommands().filter(documented) {
        render_command(sub, page)?;
    }
    render_notes(&cli, page)?;
    man.render_version_section(page)
}

/// A section whose parts are what would be the sections of a page of its own. Options that
/// every command has are among those of the whole.
fn render_command(command: &Command, page: &mut Vec<u8>) -> io::Result<()> {
    let name = command.get_display_name().unwrap_or(command.get_name());
    let own = command.clone().mut_args(|arg| {
        let shared = arg.is_global_set() || arg.get_id() == "help";
        arg.hide(shared)
    });
    let man = Man::new(own.clone());
    let mut parts = Vec::new();
    man.render_synopsis_section(&mut parts)?;
    man.render_description_section(&mut parts)?;
    man.render_options_section(&mut parts)?;
    render_notes(&own, &mut parts)?;
    let parts = String::from_utf8_lossy(&parts).replace(".SH ", ".SS ");
    Roff::new()
        .control("SH", [name.replace('-', " ").to_uppercase().as_str()])
        .to_writer(page)?;
    page.write_all(parts.as_bytes())
}

/// What follows the help: paragraphs, whose first lines are their titles.
fn render_notes(command: &Command, page: &mut Vec<u8>) -> io::Result<()> {
    let notes = command.get_after_help().map(ToString::to_string);
    let paragraphs = notes.iter().flat_map(|notes| notes.split("\n\n"));
    for (title, lines) in paragraphs.filter_map(|paragraph| paragraph.split_once(":\n")) {
        Roff::new()
            .control("SH", [title.to_uppercase().as_str()])
            .control("nf", [])
            .text([roman(lines)])
            .control("fi", [])
            .to_writer(page)?;
    }
    Ok(())
}
