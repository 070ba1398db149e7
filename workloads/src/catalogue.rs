//! The lessons, in the order in which they are best taken: the tutorial's.

use crate::{
    Setting, Value, Workload, as_completed, async_library, blocking, blocking_library, cancel,
    channel, chaos, cpu, deadlock, gather, gather_error, gather_settled, hello, large_future, leak,
    lost_permits, lost_waker, many, many_wakes, mutex, needless_async, panic, pool_full, semaphore,
    serial, serial_tasks, shield, spawn_storm, starvation, taskgroup, taskgroup_error, tasks,
    template, timeout, timeout_cleanup, to_thread, to_thread_library, uncalled,
};

/// Every lesson, first to last; those of a group are together.
pub fn all() -> &'static [Workload] {
    ALL
}

/// The lesson called `name`.
pub fn find(name: &str) -> Option<&'static Workload> {
    ALL.iter().find(|workload| workload.name == name)
}

const COROUTINES: &str = "coroutines";
const TASKS: &str = "tasks";
const GATHER: &str = "gather";
const TASK_GROUP: &str = "TaskGroup";
const TIMEOUTS: &str = "timeouts and cancelling";
const LIMITS: &str = "limits and libraries";
const MISTAKES: &str = "mistakes and remedies";
const COORDINATION: &str = "coordination";
const FUTURES: &str = "futures and wakers";
const EXTREMES: &str = "extremes";

/// The columns of a lesson that follow from its name and that of its module.
macro_rules! lesson {
    ($group:ident, $module:ident, $name:literal, $summary:literal, $shows:literal, $settings:expr) => {
        Workload {
            name: $name,
            group: $group,
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
        COROUTINES,
        hello,
        "hello",
        "say hello, wait a second, say goodbye",
        "One task, main, sleeps for the whole second. It is asleep, not busy: the loop is free.",
        &[]
    ),
    lesson!(
        COROUTINES,
        uncalled,
        "uncalled",
        "a coroutine that nobody awaits does nothing",
        "One task and one timer, the fish's. The soup was called for and never awaited: it has no \
         timer and prints nothing.",
        &[Setting {
            key: "awaited",
            default: Value::Count(1),
            help: "how many of the two coroutines are awaited",
        }]
    ),
    lesson!(
        COROUTINES,
        serial,
        "serial",
        "await one coroutine after another",
        "One task, main, and one timer at a time. B starts when A is done, so two waits of 2 s \
         take 4 s.",
        &[]
    ),
    lesson!(
        TASKS,
        tasks,
        "tasks",
        "create two tasks and await both",
        "A and B sleep side by side while main waits for them, so two waits of 2 s take 2 s.",
        &[]
    ),
    lesson!(
        TASKS,
        serial_tasks,
        "serial-tasks",
        "create a task and await it, then the next",
        "One table task at a time, each created when the one before is done. Three waits of 1 s \
         take 3 s, tasks or not.",
        &[Setting {
            key: "tables",
            default: Value::Count(3),
            help: "how many tasks are awaited one after the other",
        }]
    ),
    lesson!(
        TASKS,
        leak,
        "leak",
        "tasks that are created and forgotten",
        "Every 0.4 s one more candle that sleeps for an hour. Nobody waits for them; when main \
         ends they are cancelled together.",
        &[Setting {
            key: "guests",
            default: Value::Count(5),
            help: "how many guests come, each of whom leaves a task behind",
        }]
    ),
    lesson!(
        TASKS,
        panic,
        "panic",
        "a task panics, and the others run on",
        "After 1 s the fish ends as panicked, and its message is in the output. The soup and the \
         cake sleep on; main takes the panic as an error.",
        &[Setting {
            key: "tables",
            default: Value::Count(3),
            help: "how many tables there are; the fish is for table 7",
        }]
    ),
    lesson!(
        GATHER,
        gather,
        "gather",
        "run many coroutines at once and collect their results",
        "The workers start and end together. Then A, B and C end one after another, and the \
         gather ends with the last.",
        &[Setting {
            key: "workers",
            default: Value::Count(3),
            help: "how many workers the first gather starts",
        }]
    ),
    lesson!(
        GATHER,
        gather_error,
        "gather-error",
        "one of them fails, and the others run on",
        "The soup ends with an error after 1 s and so does the gather. The fish and the cake are \
         not cancelled: they sleep on.",
        &[Setting {
            key: "fails",
            default: Value::Secs(1.0),
            help: "when the soup fails",
        }]
    ),
    lesson!(
        GATHER,
        gather_settled,
        "gather-settled",
        "wait for all, and take errors as results",
        "The first dish ends with an error and the gather stays open. It ends with the last one, \
         and every outcome is printed.",
        &[Setting {
            key: "burnt",
            default: Value::Count(1),
            help: "how many of the five dishes fail",
        }]
    ),
    lesson!(
        GATHER,
        as_completed,
        "as-completed",
        "take each result as soon as it is there",
        "The dishes were ordered cake, soup, fish. They are served soup, fish, cake: main wakes \
         at the end of each.",
        &[Setting {
            key: "limit",
            default: Value::Secs(0.0),
            help: "when to stop waiting for the rest; 0 for never",
        }]
    ),
    lesson!(
        TASK_GROUP,
        taskgroup,
        "taskgroup",
        "a block that ends when all of its tasks have ended",
        "A adds C while the group waits already. The group stays open until C is done too.",
        &[]
    ),
    lesson!(
        TASK_GROUP,
        taskgroup_error,
        "taskgroup-error",
        "one fails, and its siblings are cancelled",
        "After 1 s A fails. B and C are cancelled at once, but C pays first, for half a second, \
         and the group waits for it.",
        &[Setting {
            key: "fails",
            default: Value::Secs(1.0),
            help: "when A fails",
        }]
    ),
    lesson!(
        TIMEOUTS,
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
        TIMEOUTS,
        timeout_cleanup,
        "timeout-cleanup",
        "a cleanup delays the timeout",
        "The limit of 1 s fires, and the cook sleeps once more to put out the fire. Only then \
         does the scope end: after 1.7 s.",
        &[Setting {
            key: "cleanup",
            default: Value::Secs(0.7),
            help: "how long the cleanup takes",
        }]
    ),
    lesson!(
        TIMEOUTS,
        cancel,
        "cancel",
        "to cancel is to ask: one leaves, one cleans up, one refuses",
        "After 1 s three tasks are asked to end. quick ends at once, careful half a second later, \
         and stubborn ends well after 3 s.",
        &[Setting {
            key: "after",
            default: Value::Secs(1.0),
            help: "when the tasks are asked to end",
        }]
    ),
    lesson!(
        TIMEOUTS,
        shield,
        "shield",
        "what must not be cancelled",
        "After 1 s the wait is given up: the scopes end as timed out and cancelled. The payment \
         behind the shield sleeps on.",
        &[Setting {
            key: "limit",
            default: Value::Secs(1.0),
            help: "how long to wait for the payment",
        }]
    ),
    lesson!(
        LIMITS,
        semaphore,
        "semaphore",
        "a crawler with at most three requests at once",
        "Three pages sleep and nine wait for the semaphore. Whenever one is done the next goes \
         in.",
        &[Setting {
            key: "limit",
            default: Value::Count(3),
            help: "how many pages are fetched at once",
        }]
    ),
    lesson!(
        LIMITS,
        template,
        "template",
        "the shape of a whole program: real requests to a small server",
        "The requests wait side by side for a server that takes its time. No task is busy, and the whole takes as long as the slowest.",
        &[Setting {
            key: "requests",
            default: Value::Count(5),
            help: "how many requests are made at once",
        }]
    ),
    lesson!(
        MISTAKES,
        blocking,
        "blocking",
        "the first mistake: a blocking call in a coroutine",
        "While library runs, one long poll, nothing else does. The ticker's timer is due soon \
         after it begins and fires about 3 s late.",
        &[Setting {
            key: "secs",
            default: Value::Secs(3.0),
            help: "how long the call blocks the loop",
        }]
    ),
    lesson!(
        MISTAKES,
        to_thread,
        "to-thread",
        "the remedy: the same blocking call on a thread of its own",
        "The call runs on a blocking thread while library waits for it. The ticker's timers fire \
         on time.",
        &[Setting {
            key: "secs",
            default: Value::Secs(3.0),
            help: "how long the call blocks its thread",
        }]
    ),
    lesson!(
        MISTAKES,
        blocking_library,
        "blocking-library",
        "the second mistake: a blocking library in a coroutine",
        "Each fetch is one long poll, one after the other, and the ticker is late. No line of the \
         program looks as if it blocked.",
        &[Setting {
            key: "requests",
            default: Value::Count(3),
            help: "how many requests are made",
        }]
    ),
    lesson!(
        MISTAKES,
        async_library,
        "async-library",
        "one remedy: a library that awaits",
        "The fetches wait side by side for their sockets, none of them busy, and the ticker is on time.",
        &[Setting {
            key: "requests",
            default: Value::Count(3),
            help: "how many requests are made",
        }]
    ),
    lesson!(
        MISTAKES,
        to_thread_library,
        "to-thread-library",
        "the other remedy: the blocking library on threads",
        "Three calls run on three blocking threads while each fetch waits for its own, and the \
         ticker is on time.",
        &[Setting {
            key: "requests",
            default: Value::Count(3),
            help: "how many requests are made",
        }]
    ),
    lesson!(
        MISTAKES,
        pool_full,
        "pool-full",
        "more blocking calls than there are threads",
        "Two calls run and five are queued. The salad, a call of 10 ms, waits 3 s for a thread, \
         and the loop is idle.",
        &[Setting {
            key: "threads",
            default: Value::Threads(2),
            help: "how many threads there are for blocking calls",
        }]
    ),
    lesson!(
        MISTAKES,
        cpu,
        "cpu",
        "the third mistake: an async fn that never awaits",
        "primes is busy from start to end in a single poll. The ticker is ready all the while and \
         gets no turn.",
        &[Setting {
            key: "secs",
            default: Value::Secs(3.0),
            help: "how long to compute",
        }]
    ),
    lesson!(
        MISTAKES,
        needless_async,
        "needless-async",
        "many little tasks that have nothing to wait for",
        "Twenty tasks a round, each done in one poll and busy all its life. They take as long as \
         plain calls, and the spawning.",
        &[Setting {
            key: "rounds",
            default: Value::Count(30),
            help: "how many rounds of twenty tasks",
        }]
    ),
    lesson!(
        COORDINATION,
        mutex,
        "mutex",
        "a lock that is held across an await",
        "One barista sleeps with the lock in hand and the others wait for it. Four times 0.6 s \
         take 2.4 s.",
        &[Setting {
            key: "hold",
            default: Value::Secs(0.6),
            help: "how long each holds the lock",
        }]
    ),
    lesson!(
        COORDINATION,
        channel,
        "channel",
        "a bounded channel slows down who is too fast",
        "The cook mostly waits for room in the channel, and the waiter sleeps between two plates. \
         Both go at the waiter's pace.",
        &[Setting {
            key: "capacity",
            default: Value::Count(2),
            help: "how many plates fit into the channel",
        }]
    ),
    lesson!(
        COORDINATION,
        deadlock,
        "deadlock",
        "two tasks, two locks, opposite order",
        "After 0.5 s left and right each wait for the lock that the other holds. Nobody is busy, \
         and it never ends: leave with q.",
        &[]
    ),
    lesson!(
        COORDINATION,
        lost_permits,
        "lost-permits",
        "permits that are never given back",
        "Each fifth guest keeps its plate. Soon none is left, and more and more guests wait for the \
         semaphore until main closes it after 6 s.",
        &[Setting {
            key: "lost",
            default: Value::Count(5),
            help: "which guests keep their plate: each third, fifth, …; 0 for none",
        }]
    ),
    lesson!(
        FUTURES,
        lost_waker,
        "lost-waker",
        "a future that does not keep its waker",
        "The careful guest is woken after 0.5 s. The careless one has no waker left after its \
         first poll: it is idle for ever, until main gives it up.",
        &[Setting {
            key: "limit",
            default: Value::Secs(2.0),
            help: "how long main waits for the careless guest",
        }]
    ),
    lesson!(
        FUTURES,
        many_wakes,
        "many-wakes",
        "two hundred wakes for every poll",
        "Both waiters are polled once a round, but one is woken for every plate and the other \
         for a tray of two hundred.",
        &[Setting {
            key: "tray",
            default: Value::Count(1),
            help: "how many plates the first cook puts out for one ring of the bell",
        }]
    ),
    lesson!(
        FUTURES,
        large_future,
        "large-future",
        "what a future holds across an await",
        "Four tasks sleep side by side. The future of suitcase is over 4 KiB; that of piano, 64 \
         KiB, tokio had to box. The other two are small.",
        &[]
    ),
    lesson!(
        EXTREMES,
        starvation,
        "starvation",
        "tasks that always want their next turn",
        "Eight cooks are ready again as soon as they were polled: each waits for the seven others, READY is seven times BUSY. The guest's timers of 0.1 s fire nearly a second late.",
        &[Setting {
            key: "cooks",
            default: Value::Count(8),
            help: "how many tasks never rest",
        }]
    ),
    lesson!(
        EXTREMES,
        many,
        "many",
        "a thousand tasks that sleep",
        "A thousand tasks and timers, and a loop that is idle nearly all the time.",
        &[Setting {
            key: "tasks",
            default: Value::Count(1000),
            help: "how many tasks sleep at once",
        }]
    ),
    lesson!(
        EXTREMES,
        spawn_storm,
        "spawn-storm",
        "ten thousand short tasks",
        "The number of tasks spawned races ahead while only a hundred are alive. Finished tasks \
         cost nothing but their rows.",
        &[Setting {
            key: "tasks",
            default: Value::Count(10000),
            help: "how many tasks are spawned in all",
        }]
    ),
    lesson!(
        EXTREMES,
        chaos,
        "chaos",
        "everything at once, drawn by a seed",
        "Every kind of scope, wait and outcome, and three times a blocked loop. The same seed is \
         the same night.",
        &[
            Setting {
                key: "seed",
                default: Value::Count(1),
                help: "what is drawn",
            },
            Setting {
                key: "guests",
                default: Value::Count(24),
                help: "how many tasks do something",
            }
        ]
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

    #[test]
    fn the_lessons_of_a_group_are_together() {
        let mut groups: Vec<&str> = all().iter().map(|workload| workload.group).collect();
        groups.dedup();
        let once: std::collections::HashSet<&str> = groups.iter().copied().collect();
        assert_eq!(once.len(), groups.len(), "{groups:?}");
    }
}
