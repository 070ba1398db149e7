//! A program to watch: what the dashboard and the command line know of a lesson.

use std::pin::Pin;

use crate::{Setting, Settings, aio};

/// A program to watch.
#[derive(Clone, Copy, Debug)]
pub struct Workload {
    /// What it is called on the command line.
    pub name: &'static str,
    /// What it is about, together with its neighbours in the list.
    pub group: &'static str,
    /// What it does, in one line.
    pub summary: &'static str,
    /// What to look for on the screen, in a sentence or two.
    pub shows: &'static str,
    /// What can be changed about it.
    pub settings: &'static [Setting],
    /// Its own source, to be read beside the screen.
    pub source: &'static str,
    /// Where that source is in this crate: `src/NAME.rs`. Locations in spans end with it.
    pub file: &'static str,
    /// What to read beside the screen, in English: Markdown with the sections that
    /// `tests/pages.rs` holds every page to.
    pub page_en: &'static str,
    /// The same in Chinese.
    pub page_zh: &'static str,
    /// The program, for [`aio::run`](aio::run()).
    pub main: fn(Settings) -> Main,
}

/// A program that has not started.
pub type Main = Pin<Box<dyn Future<Output = aio::Result<()>> + Send>>;

impl Workload {
    /// Runs it to its end, on as many threads for blocking calls as its settings say.
    ///
    /// # Errors
    ///
    /// What the program raises.
    #[track_caller]
    pub fn run(&self, config: &aio::Config, settings: Settings) -> aio::Result<()> {
        let config = aio::Config {
            max_threads: settings.threads().or(config.max_threads),
            ..config.clone()
        };
        aio::run(&config, (self.main)(settings))
    }
}
