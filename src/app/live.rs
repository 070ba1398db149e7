//! The newest moment: a target at work, its model, and what is kept of both.

use std::{path::PathBuf, time::SystemTime};

use crate::{
    error::Error,
    frame::Frame,
    model::Model,
    recording::{Limits, Scribe, Status},
    target::Source,
};

/// Frames taken in before a key is looked for.
const BATCH: usize = 256;

/// A target that is watched, and what is known of it.
pub(super) struct Live {
    pub source: Source,
    /// Frames may still come.
    pub running: bool,
    pub scribe: Scribe,
    pub model: Model,
    pub limits: Limits,
}

impl Live {
    /// Takes in a frame and all that wait behind it, within bounds.
    pub fn take_in(&mut self, frame: Frame) {
        let more = std::iter::from_fn(|| self.source.frames.try_recv().ok());
        let all = std::iter::once(frame).chain(more.take(BATCH));
        self.scribe.take(all, &mut self.model);
    }

    /// Ends the target and starts it anew, with a history of its own. What cannot start leaves
    /// all that is known of the last run.
    pub async fn run_again(
        &mut self,
        start: &impl AsyncFn() -> Result<Source, Error>,
    ) -> Result<(), Error> {
        self.source.stop();
        let source = start().await?;
        let old = std::mem::replace(&mut self.source, source);
        tokio::spawn(old.stopped());
        self.running = true;
        let target = self.model.target.clone();
        let thresholds = self.model.lints.thresholds.clone();
        self.model = Model::with_thresholds(target, &thresholds);
        self.scribe = Scribe::start(&self.model, self.limits).map_err(Error::Runtime)?;
        Ok(())
    }

    /// Begins a recording in the current folder, or ends the one there is. An error is what
    /// to say.
    pub fn toggle_recording(&mut self) -> Result<(), String> {
        if matches!(self.scribe.status(), Status::On(_)) {
            self.scribe.stop();
            return Ok(());
        }
        let path = PathBuf::from(file_name(&self.model.target.name, SystemTime::now()));
        let begun = self.scribe.record(&path, &self.model);
        begun.map_err(|error| Error::record(&path, error).to_string())
    }
}

/// `loopview-NAME-YYYYmmdd-HHMMSS.lv`, in UTC.
fn file_name(target: &str, at: SystemTime) -> String {
    let fits = |c: char| c.is_ascii_alphanumeric() || matches!(c, '.' | '_' | '-');
    let name: String = target
        .chars()
        .map(|c| if fits(c) { c } else { '-' })
        .collect();
    let at = humantime::format_rfc3339_seconds(at).to_string();
    let at = at.replace(['-', ':', 'Z'], "").replace('T', "-");
    format!("loopview-{name}-{at}.lv")
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;

    #[test]
    fn a_file_is_named_by_its_target_and_time() {
        let at = SystemTime::UNIX_EPOCH + Duration::from_secs(1_700_000_000);
        let name = file_name("http://[::1]:6669", at);
        assert_eq!(name, "loopview-http------1--6669-20231114-221320.lv");
    }
}
