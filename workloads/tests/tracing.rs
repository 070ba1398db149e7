//! What an observer is told: scopes, who belongs to them, who awaits whom, and how tasks end.
//!
//! A program of its own: tracing remembers for the whole process whether anybody listens to a line of
//! code, and asks only the thread that comes by it first. A test without a recorder beside these would
//! at times answer "nobody" for them.

use std::{
    collections::{BTreeMap, HashMap},
    fmt,
    sync::{Arc, Mutex},
};

use loopview_workloads::aio::{self, Config, Error, NamedExt, TaskGroup};
use tracing::{
    Event, Subscriber,
    field::{Field, Visit},
    span::{Attributes, Id, Record},
};
use tracing_subscriber::{
    Layer,
    layer::{Context, SubscriberExt},
    registry::LookupSpan,
};

async fn sleep(ms: u32) -> aio::Result<()> {
    aio::sleep(f64::from(ms) / 1000.0).await
}

/// A span or an event, and the span in which it came about.
#[derive(Clone, Debug, Default)]
struct Told {
    what: &'static str,
    fields: Fields,
    within: Option<usize>,
}

#[derive(Clone, Debug, Default)]
struct Fields(BTreeMap<&'static str, String>);

impl Visit for Fields {
    fn record_str(&mut self, field: &Field, value: &str) {
        self.0.insert(field.name(), value.to_owned());
    }

    fn record_debug(&mut self, field: &Field, value: &dyn fmt::Debug) {
        self.0.insert(field.name(), format!("{value:?}"));
    }
}

impl Told {
    fn get(&self, field: &str) -> &str {
        self.fields.0.get(field).map_or("", String::as_str)
    }
}

#[derive(Default)]
struct Log {
    told: Vec<Told>,
    /// Where a span is in `told`; the registry uses ids again, so the latest counts.
    spans: HashMap<Id, usize>,
}

impl Log {
    fn of(&self, what: &str) -> Vec<&Told> {
        self.told.iter().filter(|told| told.what == what).collect()
    }

    /// The name of a task or the kind of a scope.
    fn name(&self, index: Option<usize>) -> &str {
        let Some(told) = index.map(|index| &self.told[index]) else {
            return "";
        };
        match told.what {
            "scope" => told.get("kind"),
            _ => told.get("task.name"),
        }
    }

    fn events(&self, field: &str) -> Vec<(&str, &str)> {
        let events = self.of("event").into_iter();
        events
            .filter(|event| event.fields.0.contains_key(field))
            .map(|event| (self.name(event.within), event.get(field)))
            .collect()
    }

    fn task(&self, name: &str) -> &Told {
        let mut tasks = self.of("runtime.spawn").into_iter();
        tasks.find(|task| task.get("task.name") == name).unwrap()
    }
}

#[derive(Clone, Default)]
struct Recorder(Arc<Mutex<Log>>);

impl<S: Subscriber + for<'a> LookupSpan<'a>> Layer<S> for Recorder {
    fn on_new_span(&self, attributes: &Attributes<'_>, id: &Id, context: Context<'_, S>) {
        let mut told = Told {
            what: attributes.metadata().name(),
            ..Told::default()
        };
        attributes.record(&mut told.fields);
        let mut log = self.0.lock().unwrap();
        let within = context.current_span().id().cloned();
        told.within = within.and_then(|id| log.spans.get(&id).copied());
        let index = log.told.len();
        log.spans.insert(id.clone(), index);
        log.told.push(told);
    }

    fn on_record(&self, id: &Id, values: &Record<'_>, _: Context<'_, S>) {
        let mut log = self.0.lock().unwrap();
        let index = log.spans[id];
        values.record(&mut log.told[index].fields);
    }

    fn on_event(&self, event: &Event<'_>, context: Context<'_, S>) {
        if event.metadata().target() != "loopview::task" {
            return;
        }
        let mut told = Told {
            what: "event",
            ..Told::default()
        };
        event.record(&mut told.fields);
        let mut log = self.0.lock().unwrap();
        let within = context.current_span().id().cloned();
        told.within = within.and_then(|id| log.spans.get(&id).copied());
        log.told.push(told);
    }
}

/// What an observer of `main` is told.
fn observe<F>(main: F) -> Log
where
    F: Future<Output = aio::Result<()>> + Send + 'static,
{
    let recorder = Recorder::default();
    let subscriber = tracing_subscriber::registry().with(recorder.clone());
    tracing::subscriber::with_default(subscriber, || {
        let _ = aio::run(&Config::paused(), main);
    });
    std::mem::take(&mut *recorder.0.lock().unwrap())
}

#[test]
fn a_scope_has_its_owner_its_children_its_place_and_its_outcome() {
    let log = observe(async {
        aio::gather([sleep(100).named("A"), sleep(200).named("B")]).await?;
        Ok(())
    });
    let [scope] = log.of("scope")[..] else {
        panic!("one scope")
    };
    assert_eq!(scope.get("kind"), "gather");
    assert_eq!(scope.get("outcome"), "ok");
    assert_eq!(log.name(scope.within), "main");
    assert!(scope.get("loc.file").ends_with("tests/tracing.rs"));
    for name in ["A", "B"] {
        let task = log.task(name);
        assert_eq!(log.name(task.within), "gather");
        assert_eq!(task.get("loc.file"), scope.get("loc.file"));
        assert_eq!(task.get("loc.line"), scope.get("loc.line"));
    }
}

#[test]
fn every_combinator_tells_its_kind_and_how_it_ended() {
    let log = observe(async {
        let _ = aio::wait_for(sleep(200).named("late"), 0.1).await;
        let _ = TaskGroup::run(async |group| {
            group.create_task(async { Err::<(), _>(Error::msg("E")) }.named("bad"))?;
            Ok(())
        })
        .await;
        aio::to_thread(|| Ok(())).await?;
        let waiting = aio::create_task(async { aio::gather([sleep(100)]).await });
        sleep(50).await?;
        waiting.cancel();
        let _ = waiting.await;
        aio::shield(sleep(10)).await?;
        let _ = aio::timeout(0.1, async |_| sleep(200).await).await;
        let mut items = aio::as_completed([sleep(10)], 0.1);
        while let Some(item) = items.next().await {
            item?;
        }
        Ok(())
    });
    let scopes: Vec<_> = log.of("scope").into_iter().collect();
    let ends: Vec<_> = scopes
        .iter()
        .map(|scope| (scope.get("kind"), scope.get("outcome")))
        .collect();
    assert_eq!(
        ends,
        [
            ("wait_for", "timed_out"),
            ("task_group", "error"),
            ("to_thread", "ok"),
            ("gather", "cancelled"),
            ("shield", "ok"),
            ("timeout", "timed_out"),
            ("as_completed", "ok"),
        ]
    );
    assert_eq!(log.name(log.task("late").within), "wait_for");
    assert_eq!(log.name(log.task("bad").within), "task_group");
    let thread = log.task(scopes[2].get("name"));
    assert_eq!(thread.get("kind"), "blocking");
    assert_eq!(log.name(thread.within), "to_thread");
}

#[test]
fn a_child_that_a_child_adds_belongs_to_the_group() {
    let log = observe(TaskGroup::run(async |group| {
        let inner = group.clone();
        let add = async move {
            sleep(100).await?;
            inner.create_task(sleep(100).named("added"))?;
            Ok(())
        };
        group.create_task(add.named("adder"))?;
        Ok(())
    }));
    assert_eq!(log.name(log.task("added").within), "task_group");
}

#[test]
fn a_task_tells_how_it_ended_from_inside() {
    let log = observe(async {
        aio::create_task(sleep(10).named("good"));
        aio::create_task(async { Err::<(), _>(Error::msg("no table")) }.named("bad"));
        aio::create_task(sleep(500).named("left"));
        sleep(100).await
    });
    assert_eq!(
        log.events("outcome"),
        [
            ("bad", "error"),
            ("good", "ok"),
            ("main", "ok"),
            ("left", "cancelled"),
        ]
    );
    assert_eq!(log.events("error"), [("bad", "no table")]);
}

#[test]
fn a_task_tells_whom_it_awaits_and_when_that_is_over() {
    let log = observe(async {
        let task = aio::create_task(sleep(100).named("A"));
        (&task).await?;
        // It has ended: nothing is awaited.
        task.await
    });
    let id = log.task("A").get("task.id");
    let of_main: Vec<_> = log.events("awaits");
    let of_main = of_main.into_iter().filter(|(name, _)| *name == "main");
    assert_eq!(of_main.collect::<Vec<_>>(), [("main", id), ("main", "0")]);
}

#[test]
fn a_timer_is_where_the_sleep_was_written() {
    let log = observe(async {
        aio::sleep(0.1).await?;
        let _ = aio::wait_for(std::future::pending::<aio::Result<()>>(), 0.1).await;
        let _ = aio::timeout(0.1, async |_| {
            std::future::pending::<aio::Result<()>>().await
        })
        .await;
        let _ = aio::as_completed([std::future::pending::<aio::Result<()>>()], 0.1)
            .next()
            .await;
        Ok(())
    });
    let timers = log.of("runtime.resource");
    let timers: Vec<_> = timers
        .iter()
        .filter(|it| it.get("concrete_type") == "Sleep")
        .collect();
    assert_eq!(timers.len(), 4);
    for timer in timers {
        assert!(
            timer.get("loc.file").ends_with("tests/tracing.rs"),
            "{timer:?}"
        );
    }
}
