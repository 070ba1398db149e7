//! Something is missing in what the target told.

use super::{Explanation, Figure, Finding, Kind, Lint, Scene, Severity, Subject, Verdict};

#[derive(Copy, Clone, Debug)]
pub struct LostData;

impl Lint for LostData {
    fn severity(&self) -> Severity {
        Severity::Warning
    }

    fn summary(&self) -> &'static str {
        "not everything that happened is known here"
    }

    fn explain(&self) -> Explanation {
        Explanation {
            what: "The instrument in the program could not keep up, had no memory left, or does \
                   not see tokio's spans, so some of what happened is not known here.",
            why: "Figures may be too low, and other lints may have missed what they look for: that \
                  nothing was found says less.",
            mend: "With a filter in the program (`EnvFilter`), put it on the layer that it is \
                   meant for with `with_filter`. With console-subscriber, use the probe, which \
                   needs no buffer, or a larger `event_buffer_capacity`. With the probe, give it \
                   more memory.",
            lesson: Err(
                "No lesson shows it: the probe that watches them is the whole subscriber, so that no \
                 filter can blind it, has no queue of events that could overflow, and has more \
                 memory than a lesson should take.",
            ),
        }
    }

    fn check(&self, subject: &Subject<'_>, scene: Scene<'_>) -> Verdict {
        if !matches!(subject, Subject::Whole) {
            return Verdict::Fine;
        }
        let model = scene.model;
        let probe = model.usage.probe;
        let is_filtered = probe.is_some_and(|probe| probe.is_filtered);
        let unrecorded = probe.map_or(0, |probe| probe.lost);
        let (message, key, number) = if is_filtered {
            let words = "a filter in the program keeps tokio's spans from the probe: put it on \
                         the layer that it is meant for, by with_filter";
            (words.to_owned(), None, 0)
        } else if model.lost.frames > 0 {
            let frames = model.lost.frames;
            let words = "messages came too fast to be kept: the history lacks them";
            (format!("{frames} {words}"), Some("messages"), frames)
        } else if model.lost.events > 0 {
            let events = model.lost.events;
            let words = "events were dropped by the target's instrument: figures may be too low";
            (format!("{events} {words}"), Some("events"), events)
        } else if model.lost.untaken > 0 {
            let untaken = model.lost.untaken;
            let words = "tasks, timers and others are left out: too many live at a time";
            (format!("{untaken} {words}"), Some("untaken"), untaken)
        } else if model.lost.unnamed > 0 {
            let tasks = model.lost.unnamed;
            let words = "tasks were not told of in time, before the program ended";
            (format!("{tasks} {words}"), Some("tasks"), tasks)
        } else if unrecorded > 0 {
            let words = "things were not recorded by the probe: figures may be too low";
            (
                format!("{unrecorded} {words}"),
                Some("unrecorded"),
                unrecorded,
            )
        } else {
            return Verdict::Fine;
        };
        let finding = Finding::new(Kind::LostData, model.started.unwrap_or_default(), message);
        let finding = match key {
            Some(key) => finding.with(key, Figure::Count(number)),
            None => finding,
        };
        Some(finding).into()
    }
}
