//! Tasks that wait for each other.

use std::hash::{DefaultHasher, Hash, Hasher};

use super::{Explanation, Figure, Finding, Kind, Lint, Scene, Severity, Subject, Verdict};
use crate::model::{Task, TaskId, Wait};

#[derive(Copy, Clone, Debug)]
pub struct AwaitCycle;

impl Lint for AwaitCycle {
    fn severity(&self) -> Severity {
        Severity::Error
    }

    fn summary(&self) -> &'static str {
        "tasks wait for each other for ever"
    }

    fn explain(&self) -> Explanation {
        Explanation {
            what: "Each of these tasks waits for something that the next one has or is, and the \
                   last one for the first: a deadlock. Only what is certain counts: a task with a \
                   time limit, or one that could be woken by something else, may still go on.",
            why: "None of them will ever go on, nor will anyone who waits for one of them. The loop \
                  itself is free, so nothing looks busy.",
            mend: "Take locks in the same order everywhere, or hold one at a time: copy what you \
                   need and let go before the next `await`. A time limit (`timeout`) around the \
                   wait turns a deadlock into an error.",
            lesson: Ok("deadlock"),
        }
    }

    fn check(&self, subject: &Subject<'_>, scene: Scene<'_>) -> Verdict {
        let Subject::Task(task) = subject else {
            return Verdict::Fine;
        };
        let model = scene.model;
        // Looked at for each task that changes: a cycle has one who waits for these.
        let may_be = matches!(model.wait(task), Some(Wait::Resource(_) | Wait::Task(_)));
        let Some(cycle) = may_be.then(|| model.cycle_of(task.id)).flatten() else {
            return Verdict::Fine;
        };
        let polled = |id: &TaskId| model.tasks.get(*id).and_then(|t| t.last_poll_ended);
        let since = cycle.since.max(cycle.tasks.iter().filter_map(polled).max());
        let since = since.unwrap_or(model.now);
        let waited = model.now.since(since);
        if waited < scene.thresholds().await_cycle {
            return Verdict::Later;
        }
        // The same finding, whoever of them is looked at.
        let mut tasks = cycle.tasks;
        let first = (0..tasks.len()).min_by_key(|i| tasks.get(*i));
        tasks.rotate_left(first.unwrap_or_default());
        let members: Vec<&Task> = tasks.iter().filter_map(|id| model.tasks.get(*id)).collect();
        let Some((first, others)) = members.split_first() else {
            return Verdict::Fine;
        };
        let names: Vec<String> = others.iter().map(|t| t.label().into_owned()).collect();
        let chain = if names.is_empty() {
            "waits for itself".to_owned()
        } else {
            format!(
                "waits for {}, which waits for it",
                names.join(", which waits for ")
            )
        };
        let mut hasher = DefaultHasher::new();
        tasks.hash(&mut hasher);
        let finding = Finding::of(Kind::AwaitCycle, first, since, format!("{chain}: for ever"))
            .lasted("waited_ms", waited)
            .with("tasks", Figure::Count(tasks.len() as u64));
        Some(Finding {
            cause: hasher.finish(),
            ..finding
        })
        .into()
    }
}
