//! The lessons, in the order in which they are best taken.

use std::pin::Pin;

use crate::{
    Setting, Settings, Value, aio, blocking, cpu, gather, hello, serial, taskgroup, tasks,
    template, timeout, to_thread,
};

/// A program to watch.
#[derive(Clone, Copy, Debug)]
pub struct Workload {
    /// What it is called on the command line.
    pub name: &'static str,
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
    /// Runs it to its end.
    ///
    /// # Errors
    ///
    /// What the program raises.
    #[track_caller]
    pub fn run(&self, config: &aio::Config, settings: Settings) -> aio::Result<()> {
        aio::run(config, (self.main)(settings))
    }
}

/// Every lesson, first to last.
pub fn all() -> &'static [Workload] {
    ALL
}

/// The lesson called `name`.
pub fn find(name: &str) -> Option<&'static Workload> {
    ALL.iter().find(|workload| workload.name == name)
}

/// The columns of a lesson that follow from the name of its module.
macro_rules! lesson {
    ($module:ident, $name:literal, $summary:literal, $shows:literal, $settings:expr) => {
        Workload {
            name: $name,
            summary: $summary,
            shows: $shows,
            settings: $settings,
            source: include_str!(concat!(stringify!($module), ".rs")),
            file: concat!("src/", stringify!($module), ".rs"),
            page_en: include_str!(concat!("../lessons/", $name, ".en.md")),
            page_zh: include_str!(concat!("../lessons/", $name, ".zh.md")),
            main: |settings| Box::pin($module::main(settings)),
        }
    };
}

const ALL: &[Workload] = &[
    lesson!(
        hello,
        "hello",
        "say hello, wait a second, say goodbye",
        "One task, main, sleeps for the whole second. It is asleep, not busy: the loop is free.",
        &[]
    ),
    lesson!(
        serial,
        "serial",
        "await one coroutine after another",
        "One task, and one timer at a time. B starts when A is done, so two waits of 2 s take 4 s.",
        &[]
    ),
    lesson!(
        tasks,
        "tasks",
        "create two tasks and await both",
        "A and B sleep side by side while main waits for them, so two waits of 2 s take 2 s.",
        &[]
    ),
    lesson!(
        gather,
        "gather",
        "run many coroutines at once and collect their results",
        "The workers start and end together. Then A, B and C end one after another, and the gather \
         ends with the last.",
        &[Setting {
            key: "workers",
            default: Value::Count(3),
            help: "how many workers the first gather starts",
        }]
    ),
    lesson!(
        taskgroup,
        "taskgroup",
        "a block that ends when all of its tasks have ended",
        "A adds C while the group waits already. The group stays open until C is done too.",
        &[]
    ),
    lesson!(
        timeout,
        "timeout",
        "give up on a wait that takes too long",
        "The task eternity would sleep for an hour. After a second it is cancelled and the scope \
         ends as timed out.",
        &[Setting {
            key: "limit",
            default: Value::Secs(1.0),
            help: "how long to wait before giving up",
        }]
    ),
    lesson!(
        blocking,
        "blocking",
        "the first mistake: a blocking call in a coroutine",
        "While library runs, one long poll, nothing else does. The ticker's timer is due soon after \
         it begins and fires about 3 s late.",
        &[Setting {
            key: "secs",
            default: Value::Secs(3.0),
            help: "how long the call blocks the loop",
        }]
    ),
    lesson!(
        to_thread,
        "to-thread",
        "the remedy: the same blocking call on a thread of its own",
        "The call runs on a blocking thread while library waits for it. The ticker's timers fire on \
         time.",
        &[Setting {
            key: "secs",
            default: Value::Secs(3.0),
            help: "how long the call blocks its thread",
        }]
    ),
    lesson!(
        cpu,
        "cpu",
        "the second mistake: an async fn that never awaits",
        "primes is busy from start to end in a single poll. The ticker is ready all the while and \
         gets no turn.",
        &[Setting {
            key: "secs",
            default: Value::Secs(3.0),
            help: "how long to compute",
        }]
    ),
    lesson!(
        template,
        "template",
        "the shape of a whole program: real requests to a small server",
        "The requests wait side by side for a server that takes its time. Each task is idle, waiting \
         for its socket, and the whole takes as long as the slowest.",
        &[Setting {
            key: "requests",
            default: Value::Count(5),
            help: "how many requests are made at once",
        }]
    ),
];

#[cfg(test)]
mod tests {
    use super::{all, find};

    #[test]
    fn every_lesson_is_found_by_its_name_and_brings_its_source() {
        for workload in all() {
            assert_eq!(find(workload.name).unwrap().file, workload.file);
            assert!(workload.source.starts_with("//! "), "{}", workload.name);
            assert!(workload.source.contains("pub async fn main("));
        }
        assert!(find("nonsense").is_none());
    }
}
