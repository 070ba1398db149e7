//! Coroutines that note what becomes of them, and when.

use std::sync::{Arc, Mutex};

use loopview_workloads::aio::{self, Error, Result};
use tokio::time::Instant;

/// What happened, each with its time in milliseconds.
#[derive(Clone)]
pub struct Notes {
    start: Instant,
    lines: Arc<Mutex<Vec<String>>>,
}

impl Notes {
    pub fn add(&self, what: &str) {
        let line = format!("{} {what}", self.start.elapsed().as_millis());
        self.lines.lock().unwrap().push(line);
    }

    /// Notes how something ended.
    pub fn end<T: std::fmt::Debug>(&self, name: &str, result: &Result<T>) {
        match result {
            Ok(value) => self.add(&format!("{name} {value:?}")),
            Err(error) => self.add(&format!("{name} {error}")),
        }
    }

    /// Sleeps `ms` and gives `ms`; when cancelled, cleans up for `cleanup` and lets the error pass.
    pub async fn work(self, name: &'static str, ms: u32, cleanup: u32) -> Result<u32> {
        self.work_then(name, ms, cleanup, Err(Error::Cancelled))
            .await
    }

    /// The same, but gives `then` after a cleanup.
    pub async fn work_then(
        self,
        name: &'static str,
        ms: u32,
        cleanup: u32,
        then: Result<u32>,
    ) -> Result<u32> {
        self.add(&format!("{name} starts"));
        let result = match sleep(ms).await {
            Ok(()) => Ok(ms),
            Err(_) => match sleep(cleanup).await {
                Ok(()) => then,
                Err(error) => Err(error),
            },
        };
        self.end(name, &result);
        result
    }

    /// Sleeps `ms` and fails.
    pub async fn fail(self, name: &'static str, ms: u32) -> Result<u32> {
        sleep(ms).await?;
        self.add(&format!("{name} fails"));
        Err(Error::msg(name))
    }
}

/// Sleeps on the stopped clock.
pub async fn sleep(ms: u32) -> Result<()> {
    aio::sleep(f64::from(ms) / 1000.0).await
}

/// What `main` notes when it runs on a stopped clock, and last how it ended.
pub fn notes_of<F>(main: impl FnOnce(Notes) -> F + Send + 'static) -> Vec<String>
where
    F: Future<Output = Result<()>> + Send,
{
    let lines = Arc::new(Mutex::new(Vec::new()));
    let of_main = Arc::clone(&lines);
    let outcome = aio::run(&aio::Config::paused(), async move {
        let notes = Notes {
            start: Instant::now(),
            lines: of_main,
        };
        let result = main(notes.clone()).await;
        notes.end("main", &result);
        result
    });
    let mut lines = std::mem::take(&mut *lines.lock().unwrap());
    // What the run returns is what its main did.
    let last = outcome.map_or_else(|error| error.to_string(), |()| "()".to_owned());
    assert!(
        lines
            .iter()
            .any(|line| line.ends_with(&format!("main {last}")))
    );
    lines.shrink_to_fit();
    lines
}
