//! `loopview attach URL`

use std::process::ExitCode;

use super::watch::{self, Style};
use crate::{
    cli::Watch,
    error::Error,
    frame::{Target, TargetKind},
    target::{Endpoint, attach},
};

pub fn execute(url: &Endpoint, watch: &Watch, style: Style) -> Result<ExitCode, Error> {
    let target = Target {
        name: url.to_string(),
        kind: TargetKind::Attached,
    };
    watch::watch(&target, None, None, watch, style, async || {
        Ok(attach(url).await?)
    })
}
