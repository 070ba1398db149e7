//! `loopview attach URL`

use std::process::ExitCode;

use super::watch;
use crate::{
    cli::Watch,
    config::Wishes,
    error::Error,
    frame::{Target, TargetKind},
    target::{Endpoint, attach},
};

pub fn execute(url: &Endpoint, watch: &Watch, wishes: &Wishes) -> Result<ExitCode, Error> {
    let target = Target {
        name: url.to_string(),
        kind: TargetKind::Attached,
    };
    // Who waits for the end wants to know of it.
    let try_again = watch::on_screen(watch);
    watch::watch(&target, None, None, watch, wishes, async || {
        Ok(attach(url, try_again).await?)
    })
}
