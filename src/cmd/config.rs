//! `loopview config`

use std::process::ExitCode;

use crate::{
    config::{self, Settings},
    error::Error,
};

pub fn execute() -> Result<ExitCode, Error> {
    let path = config::path(|name| std::env::var(name).ok());
    let place = path.map_or_else(
        || "# nowhere, as neither XDG_CONFIG_HOME nor HOME is set;".to_owned(),
        |path| format!("#   {}", path.display()),
    );
    let usual = config::write(&Settings::default());
    super::print(&format!(
        "# The configuration of loopview as it is without a file. One is looked for at\n{place}\n\
         # or where --config says. What a file leaves out is as it is here.\n\n{usual}"
    ))
}
