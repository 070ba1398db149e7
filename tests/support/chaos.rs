//! Frames that no sound target sends, from small sets of ids, so that they meet.

use std::{collections::HashMap, time::Duration};

use console_api as console;
use console_api::{async_ops, instrument, resources, tasks};
use loopview::frame::{Event, Exit, Frame, Gap, Line, Stream, Time};
use loopview_api::v1;
use proptest::{collection::vec, option, prelude::*};

use super::program::send;

fn id() -> impl Strategy<Value = u64> {
    prop_oneof![9 => 0..6u64, 1 => any::<u64>()]
}

fn wire_id() -> impl Strategy<Value = Option<console::Id>> {
    option::of(id().prop_map(|id| console::Id { id }))
}

/// Mostly within a minute of each other, in no order.
fn at() -> impl Strategy<Value = Time> {
    prop_oneof![
        9 => (0..60_000u64).prop_map(|ms| super::scenario::START + Duration::from_millis(ms)),
        1 => any::<u64>().prop_map(Time::from_nanos),
        1 => Just(Time::from_nanos(u64::MAX)),
    ]
}

fn timestamp() -> impl Strategy<Value = Option<prost_types::Timestamp>> {
    option::weighted(
        0.8,
        prop_oneof![
            8 => at().prop_map(send::timestamp),
            1 => (any::<i64>(), any::<i32>())
                .prop_map(|(seconds, nanos)| prost_types::Timestamp { seconds, nanos }),
        ],
    )
}

fn duration() -> impl Strategy<Value = Option<prost_types::Duration>> {
    option::weighted(
        0.8,
        prop_oneof![
            6 => (0..2_000u64).prop_map(|ms| send::duration(Duration::from_millis(ms))),
            1 => (any::<i64>(), any::<i32>())
                .prop_map(|(seconds, nanos)| prost_types::Duration { seconds, nanos }),
            1 => Just(prost_types::Duration { seconds: i64::MAX, nanos: 999_999_999 }),
        ],
    )
}

fn count() -> impl Strategy<Value = u64> {
    prop_oneof![8 => 0..5u64, 1 => any::<u64>()]
}

fn text() -> impl Strategy<Value = String> {
    prop_oneof![
        Just(String::new()),
        Just("Sleep".to_owned()),
        Just("Mutex".to_owned()),
        Just("Sleep::reset".to_owned()),
        Just("multi-thread".to_owned()),
        ".{0,4}",
    ]
}

fn field() -> impl Strategy<Value = console::Field> {
    let name = prop_oneof![
        Just("kind"),
        Just("task.name"),
        Just("task.id"),
        Just("fn"),
        Just("duration"),
        Just("x")
    ];
    let value = prop_oneof![
        Just(send::text("local")),
        Just(send::text("block_on")),
        Just(send::text("blocking")),
        Just(send::text("a::runtime::scheduler::multi_thread::b")),
        count().prop_map(send::number),
        text().prop_map(|t| send::text(&t)),
    ];
    (name, option::weighted(0.9, value), any::<bool>()).prop_map(|(name, value, named)| {
        let index = console::field::Name::NameIdx(7);
        let name = console::field::Name::StrName(name.to_owned());
        console::Field {
            name: Some(if named { name } else { index }),
            value,
            metadata_id: None,
        }
    })
}

fn location() -> impl Strategy<Value = Option<console::Location>> {
    option::of(
        (option::of(text()), option::of(any::<u32>())).prop_map(|(file, line)| console::Location {
            file,
            module_path: None,
            line,
            column: None,
        }),
    )
}

fn poll_stats() -> impl Strategy<Value = Option<console::PollStats>> {
    let stats = (count(), timestamp(), timestamp(), timestamp(), duration());
    option::weighted(
        0.9,
        stats.prop_map(
            |(polls, first_poll, started, ended, busy_time)| console::PollStats {
                polls,
                first_poll,
                last_poll_started: started,
                last_poll_ended: ended,
                busy_time,
            },
        ),
    )
}

fn task() -> impl Strategy<Value = tasks::Task> {
    (wire_id(), any::<i32>(), vec(field(), 0..5), location()).prop_map(
        |(id, kind, fields, location)| tasks::Task {
            id,
            kind,
            fields,
            location,
            ..tasks::Task::default()
        },
    )
}

fn task_stats() -> impl Strategy<Value = tasks::Stats> {
    let counts = (count(), count(), count(), count());
    let times = (timestamp(), option::of(timestamp()), timestamp());
    (counts, times, poll_stats(), duration()).prop_map(|(counts, times, poll_stats, scheduled)| {
        tasks::Stats {
            created_at: times.0,
            dropped_at: times.1.flatten(),
            wakes: counts.0,
            waker_clones: counts.1,
            waker_drops: counts.2,
            last_wake: times.2,
            poll_stats,
            self_wakes: counts.3,
            scheduled_time: scheduled,
        }
    })
}

fn resource_stats() -> impl Strategy<Value = resources::Stats> {
    let attribute = option::weighted(0.9, field()).prop_map(|field| console::Attribute {
        field,
        unit: Some("ms".to_owned()),
    });
    let dropped = option::weighted(0.3, timestamp());
    (timestamp(), dropped, vec(attribute, 0..3)).prop_map(|(created_at, dropped, attributes)| {
        resources::Stats {
            created_at,
            dropped_at: dropped.flatten(),
            attributes,
        }
    })
}

fn resource() -> impl Strategy<Value = resources::Resource> {
    let locks = prop::sample::select(vec!["Mutex", "RwLock", "Semaphore"]);
    let concrete_type = prop_oneof![text(), locks.prop_map(String::from)];
    (
        wire_id(),
        concrete_type,
        location(),
        wire_id(),
        any::<bool>(),
    )
        .prop_map(
            |(id, concrete_type, location, parent_resource_id, is_internal)| resources::Resource {
                id,
                concrete_type,
                location,
                parent_resource_id,
                is_internal,
                ..resources::Resource::default()
            },
        )
}

fn poll_op() -> impl Strategy<Value = resources::PollOp> {
    (wire_id(), text(), wire_id(), wire_id(), any::<bool>()).prop_map(
        |(resource_id, name, task_id, async_op_id, is_ready)| resources::PollOp {
            metadata: None,
            resource_id,
            name,
            task_id,
            async_op_id,
            is_ready,
        },
    )
}

fn async_op() -> impl Strategy<Value = async_ops::AsyncOp> {
    (wire_id(), text(), wire_id()).prop_map(|(id, source, resource_id)| async_ops::AsyncOp {
        id,
        source,
        resource_id,
        ..async_ops::AsyncOp::default()
    })
}

fn op_stats() -> impl Strategy<Value = async_ops::Stats> {
    let dropped = option::weighted(0.3, timestamp());
    (timestamp(), dropped, wire_id(), poll_stats()).prop_map(
        |(created_at, dropped, task_id, poll_stats)| async_ops::Stats {
            created_at,
            dropped_at: dropped.flatten(),
            task_id,
            poll_stats,
            attributes: Vec::new(),
        },
    )
}

fn stats<T: std::fmt::Debug>(
    of: impl Strategy<Value = T>,
) -> impl Strategy<Value = HashMap<u64, T>> {
    vec((id(), of), 0..5).prop_map(|all| all.into_iter().collect())
}

fn console_update() -> impl Strategy<Value = instrument::Update> {
    let tasks = (vec(task(), 0..5), stats(task_stats()), count());
    let ops = (vec(async_op(), 0..4), stats(op_stats()), count());
    let resources = (
        vec(resource(), 0..4),
        stats(resource_stats()),
        vec(poll_op(), 0..6),
        count(),
    );
    (
        option::weighted(0.9, tasks),
        option::weighted(0.9, resources),
        option::weighted(0.9, ops),
    )
        .prop_map(|(tasks, resources, ops)| instrument::Update {
            now: None,
            task_update: tasks.map(
                |(new_tasks, stats_update, dropped_events)| tasks::TaskUpdate {
                    new_tasks,
                    stats_update,
                    dropped_events,
                },
            ),
            resource_update: resources.map(
                |(new_resources, stats_update, new_poll_ops, dropped_events)| {
                    resources::ResourceUpdate {
                        new_resources,
                        stats_update,
                        new_poll_ops,
                        dropped_events,
                    }
                },
            ),
            async_op_update: ops.map(|(new_async_ops, stats_update, dropped_events)| {
                async_ops::AsyncOpUpdate {
                    new_async_ops,
                    stats_update,
                    dropped_events,
                }
            }),
            new_metadata: None,
        })
}

fn place() -> impl Strategy<Value = Option<v1::Location>> {
    option::of(
        (text(), any::<u32>()).prop_map(|(file, line)| v1::Location {
            file,
            line,
            column: 0,
        }),
    )
}

fn fact() -> impl Strategy<Value = v1::Task> {
    let ids = (id(), option::of(id()), option::of(id()), option::of(id()));
    (ids, count(), duration(), any::<i32>(), text()).prop_map(
        |(ids, polls, longest_poll, outcome, error)| v1::Task {
            span_id: 0,
            id: ids.0,
            parent: ids.1,
            scope: ids.2,
            awaits: ids.3,
            thread: ids.1,
            polls,
            longest_poll,
            outcome: outcome % 8,
            error,
            runtime: ids.2,
        },
    )
}

fn timer() -> impl Strategy<Value = v1::Timer> {
    let times = (timestamp(), timestamp(), timestamp(), timestamp());
    let durations = (duration(), duration());
    (
        id(),
        any::<i32>(),
        option::of(id()),
        times,
        durations,
        count(),
        place(),
    )
        .prop_map(
            |(id, kind, task, times, durations, fires, location)| v1::Timer {
                span_id: 0,
                id,
                kind: kind % 5,
                task,
                created_at: times.0,
                duration: durations.0,
                deadline: times.1,
                fired_at: times.2,
                dropped_at: times.3,
                fires,
                latest: durations.1,
                location,
            },
        )
}

fn scope() -> impl Strategy<Value = v1::Scope> {
    let ids = (id(), option::of(id()), option::of(id()));
    (ids, text(), timestamp(), timestamp(), any::<i32>(), place()).prop_map(
        |(ids, kind, opened_at, closed_at, outcome, location)| v1::Scope {
            id: ids.0,
            name: kind.clone(),
            kind,
            parent: ids.1,
            task: ids.2,
            opened_at,
            closed_at,
            outcome,
            location,
        },
    )
}

fn thread() -> impl Strategy<Value = v1::Thread> {
    (
        id(),
        text(),
        any::<i32>(),
        option::of(id()),
        timestamp(),
        duration(),
    )
        .prop_map(|(id, name, role, task, since, kept_off)| v1::Thread {
            id,
            name,
            role,
            task,
            since,
            ended_at: since.filter(|_| id % 3 == 0),
            kept_off,
        })
}

fn runtime() -> impl Strategy<Value = v1::Runtime> {
    let worker = (duration(), count()).prop_map(|(busy, polls)| v1::Worker {
        busy,
        polls,
        parks: polls,
        steals: polls,
        ..v1::Worker::default()
    });
    (id(), text(), vec(worker, 0..4), count(), duration()).prop_map(
        |(id, flavor, workers, depth, elapsed)| v1::Runtime {
            id,
            flavor,
            workers,
            global_queue_depth: depth,
            blocking_threads: depth,
            elapsed,
            ..v1::Runtime::default()
        },
    )
}

fn lock() -> impl Strategy<Value = v1::Resource> {
    let hold =
        (option::of(id()), count(), timestamp()).prop_map(|(task, permits, since)| v1::Hold {
            task,
            permits,
            since,
        });
    let facts = (
        id(),
        vec(hold, 0..4),
        count(),
        any::<bool>(),
        option::of(id()),
    );
    facts.prop_map(
        |(span_id, holders, other_permits, guessed, receiver)| v1::Resource {
            span_id,
            holders,
            other_permits,
            guessed,
            receiver,
        },
    )
}

fn missed() -> impl Strategy<Value = v1::Missed> {
    (count(), count(), count()).prop_map(|(tasks, resources, scopes)| v1::Missed {
        tasks,
        resources,
        scopes,
    })
}

fn probe_update() -> impl Strategy<Value = v1::Update> {
    let process =
        (timestamp(), duration()).prop_map(|(started_at, publish_interval)| v1::Process {
            started_at,
            publish_interval,
            ..v1::Process::default()
        });
    (
        option::weighted(0.2, process),
        vec(runtime(), 0..3),
        vec(fact(), 0..5),
        (vec(timer(), 0..5), vec(lock(), 0..4)),
        vec(scope(), 0..3),
        (vec(thread(), 0..3), option::weighted(0.1, missed())),
        option::weighted(0.1, timestamp()),
    )
        .prop_map(
            |(process, runtimes, tasks, (timers, resources), scopes, (threads, missed), ended)| {
                v1::Update {
                    now: None,
                    process,
                    runtimes,
                    tasks,
                    timers,
                    resources,
                    scopes,
                    threads,
                    missed,
                    ended_at: ended.flatten(),
                    ..v1::Update::default()
                }
            },
        )
}

/// Columns that mostly are as long as each other, and hold anything.
fn polls() -> impl Strategy<Value = v1::Polls> {
    let after = prop_oneof![8 => -5_000_000..60_000_000i64, 1 => any::<i64>()];
    let nanos = || prop_oneof![8 => 0..50_000_000u64, 1 => any::<u64>()];
    let poll = (id(), any::<u8>(), after, nanos(), nanos(), id());
    (timestamp(), vec(poll, 0..12), 0..9u8, count()).prop_map(|(since, polls, harm, lost)| {
        let mut wire = v1::Polls {
            since,
            lost,
            ..v1::Polls::default()
        };
        for (task, thread, started, lasted, woken, by) in polls {
            wire.task.push(task);
            wire.thread.push(u32::from(thread % 4));
            wire.started.push(started);
            wire.lasted.push(lasted);
            wire.woken.push(woken);
            wire.woken_by.push(by);
        }
        match harm {
            0 => wire.task.truncate(2),
            1 => wire.started.clear(),
            2 => wire.woken_by.push(7),
            _ => {}
        }
        wire
    })
}

fn histogram() -> impl Strategy<Value = tasks::DurationHistogram> {
    let sound = vec((0..2_000u64).prop_map(Duration::from_millis), 0..20);
    (
        sound,
        any::<prop::sample::Index>(),
        any::<u8>(),
        0..4u8,
        count(),
    )
        .prop_map(|(values, at, byte, harm, outliers)| {
            let mut histogram = send::histogram(&values);
            let raw = &mut histogram.raw_histogram;
            let at = at.index(raw.len());
            match harm {
                0 => raw.truncate(at),
                1 => raw[at] = byte,
                2 => raw.push(byte),
                _ => {}
            }
            histogram.high_outliers = outliers;
            histogram
        })
}

fn details() -> impl Strategy<Value = tasks::TaskDetails> {
    use tasks::task_details::PollTimesHistogram as Polls;
    let polls = prop_oneof![
        histogram().prop_map(Polls::Histogram),
        histogram().prop_map(|h| Polls::LegacyHistogram(h.raw_histogram)),
    ];
    (
        wire_id(),
        option::weighted(0.9, polls),
        option::of(histogram()),
    )
        .prop_map(|(task_id, polls, scheduled)| tasks::TaskDetails {
            task_id,
            now: None,
            poll_times_histogram: polls,
            scheduled_times_histogram: scheduled,
        })
}

pub fn frames() -> impl Strategy<Value = Vec<Frame>> {
    let event = prop_oneof![
        10 => console_update().prop_map(|u| Event::Console(Box::new(u))),
        10 => probe_update().prop_map(|u| Event::Probe(Box::new(u))),
        10 => (timestamp(), polls()).prop_map(|(now, polls)| Event::Probe(Box::new(v1::Update {
            now,
            polls: Some(polls),
            ..v1::Update::default()
        }))),
        4 => details().prop_map(|d| Event::Details(Box::new(d))),
        1 => text().prop_map(|text| Event::Output(Line { stream: Stream::Stdout, text, cut: 1 })),
        1 => text().prop_map(|reason| Event::Gap(Gap::ConnectionLost { reason })),
        1 => (text(), any::<u64>(), option::of(any::<u64>())).prop_map(|(reason, lost, again)| {
            Event::Gap(Gap::Away {
                reason,
                lost: Duration::from_nanos(lost),
                again: again.map(Duration::from_nanos),
            })
        }),
        1 => Just(Event::Anew),
        1 => any::<i32>().prop_map(|code| Event::Exit(Exit::Code(code))),
    ];
    vec(
        (at(), event).prop_map(|(at, event)| Frame::new(at, event)),
        1..12,
    )
}
