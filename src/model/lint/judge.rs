//! Brings what a frame has told before the lints.

use super::{Finding, Kind, Poll, Scene, Subject, Verdict, Victim, recent::LongPoll};
use crate::{
    frame::Time,
    model::{Model, Task, TaskId, Timer, task::EndedPoll},
};

impl Model {
    /// Judges the state that the newest frame gave, by what is new in it.
    pub(in crate::model) fn judge(&mut self) {
        let news = self.tasks.take_for_lints();
        let timers = self.timers.take_fired();
        self.note_long_polls(&news.polls);
        for task in news.new.iter().filter_map(|id| self.tasks.get(*id)) {
            self.lints.tallies.add(task);
        }
        for task in news.ended.iter().filter_map(|id| self.tasks.get(*id)) {
            self.lints.tallies.end(task);
        }
        if self.lints.queues.is_due(self.now) {
            self.lints.queues.count(self.now, self.resources.queues());
        }
        // Both protocols tell of most tasks, each in an order of its own.
        let mut told = std::mem::take(&mut self.lints.later);
        told.extend(&news.changed);
        told.sort_unstable();
        told.dedup();
        let mut verdicts = Verdicts::default();
        let scene = Scene { model: self };
        let tasks = |ids| Tasks { scene, ids };
        for task in tasks(&news.new) {
            verdicts.judge(Subject::New(task), scene);
        }
        for poll in &news.polls {
            verdicts.poll(
                scene,
                poll.task,
                self.held(poll.task, poll.since, poll.since + poll.lasted, true),
            );
        }
        for task in self.tasks.running() {
            if let Some(since) = task.running_since() {
                let running = self.held(task.id, since, self.now, false);
                verdicts.poll(scene, task.id, running);
            }
        }
        for task in tasks(&told) {
            verdicts.judge(Subject::Task(task), scene);
        }
        for task in tasks(&news.ended) {
            verdicts.judge(Subject::Ended(task), scene);
        }
        let timers = timers.iter().filter_map(|id| self.timers.get(*id));
        for timer in timers {
            verdicts.judge(Subject::Timer(timer), scene);
            verdicts.victims.extend(victim(scene, timer));
        }
        for resource in self.resources.awaited() {
            verdicts.judge(Subject::Resource(resource), scene);
        }
        verdicts.judge(Subject::Whole, scene);
        self.take_in(verdicts);
    }

    /// Judges what is left when nothing more can come.
    pub(in crate::model) fn judge_the_end(&mut self) {
        self.judge();
        self.lost.unnamed = self.tasks.unnamed() as u64;
        let mut verdicts = Verdicts::default();
        let scene = Scene { model: self };
        if self.ended.is_some() {
            let main_ended = self.main_ended();
            for task in self.tasks.iter() {
                verdicts.judge(Subject::Left(task, main_ended), scene);
            }
        }
        verdicts.judge(Subject::Whole, scene);
        self.take_in(verdicts);
    }

    /// A poll as long as it holds its worker: one that blocks in place is over for others.
    fn held(&self, task: TaskId, since: Time, until: Time, is_over: bool) -> Poll {
        let handed_over = self.tasks.handed_over(task, since, until);
        Poll {
            since,
            lasted: handed_over.unwrap_or(until).since(since),
            is_over: is_over || handed_over.is_some(),
        }
    }

    fn note_long_polls(&mut self, ended: &[EndedPoll]) {
        let least = self.lints.thresholds.shortest_poll();
        let ended = ended
            .iter()
            .map(|poll| (poll.task, poll.since, poll.since + poll.lasted));
        let running = self.tasks.running();
        let running = running.filter_map(|t| Some((t.id, t.running_since()?, self.now)));
        let polls = ended.chain(running).filter_map(|(id, since, until)| {
            let task = self.tasks.get(id)?;
            let until = since + self.held(id, since, until, true).lasted;
            let holds_up = until.since(since) >= least && self.can_block(task);
            holds_up.then_some(LongPoll {
                task: id,
                cause: task.cause(),
                runtime: task.runtime,
                since,
                until,
            })
        });
        let polls: Vec<LongPoll> = polls.collect();
        for poll in polls {
            self.lints.recent.add(poll);
        }
    }

    fn take_in(&mut self, verdicts: Verdicts) {
        for finding in verdicts.found {
            self.lints.add(finding);
        }
        for (cause, since, victim) in verdicts.victims {
            self.lints.add_victim(cause, since, victim);
        }
        self.lints.later = verdicts.later;
    }
}

/// The task of a timer that fired late because a poll blocked the loop, with that poll.
fn victim(scene: Scene<'_>, timer: &Timer) -> Option<(u64, Time, Victim)> {
    let (late, fired) = (timer.late?, timer.fired?);
    let task = scene.model.tasks.get(timer.task?)?;
    let least = scene.thresholds().blocked_loop;
    let culprit = scene.culprit(least, task, (fired - late, fired))?;
    let victim = Victim {
        task: task.id,
        late,
        timer: Some(timer.id),
    };
    (culprit.task != task.id).then_some((culprit.cause, culprit.since, victim))
}

/// The tasks of these ids, as far as they are known still.
struct Tasks<'a> {
    scene: Scene<'a>,
    ids: &'a [TaskId],
}

impl<'a> Iterator for Tasks<'a> {
    type Item = &'a Task;

    fn next(&mut self) -> Option<&'a Task> {
        loop {
            let (first, rest) = self.ids.split_first()?;
            self.ids = rest;
            if let Some(task) = self.scene.model.tasks.get(*first) {
                return Some(task);
            }
        }
    }
}

#[derive(Default)]
struct Verdicts {
    found: Vec<Finding>,
    later: Vec<TaskId>,
    victims: Vec<(u64, Time, Victim)>,
}

impl Verdicts {
    fn judge(&mut self, subject: Subject<'_>, scene: Scene<'_>) {
        for kind in Kind::ALL {
            match kind.lint().check(&subject, scene) {
                Verdict::Fine => {}
                Verdict::Found(finding) => self.found.push(*finding),
                Verdict::Later => {
                    if let Subject::Task(task) = subject {
                        self.later.push(task.id);
                    }
                }
            }
        }
    }

    /// Judges a poll, if it is long enough and held up others.
    fn poll(&mut self, scene: Scene<'_>, id: TaskId, poll: Poll) {
        let task = scene.model.tasks.get(id);
        let long = poll.lasted >= scene.thresholds().shortest_poll();
        if let Some(task) = task.filter(|task| long && scene.model.can_block(task)) {
            self.judge(Subject::Poll(task, poll), scene);
        }
    }
}

#[cfg(test)]
mod tests {
    use console_api::{Id, Location, instrument, tasks};

    use super::*;
    use crate::frame::{Event, Frame, Target, TargetKind};

    /// Tasks of one line that wake themselves all the time, in no order, as the wire has them.
    fn told(at: u64, ids: std::ops::Range<u64>) -> Frame {
        let describe = |id| tasks::Task {
            id: Some(Id { id }),
            location: Some(Location {
                file: Some("main.rs".to_owned()),
                line: Some(7),
                ..Location::default()
            }),
            ..tasks::Task::default()
        };
        let stats = tasks::Stats {
            created_at: Some(prost_types::Timestamp::default()),
            wakes: 100 * at,
            self_wakes: 100 * at,
            ..tasks::Stats::default()
        };
        let update = instrument::Update {
            task_update: Some(tasks::TaskUpdate {
                new_tasks: ids.clone().map(describe).collect(),
                stats_update: ids.map(|id| (id, stats)).collect(),
                dropped_events: 0,
            }),
            ..instrument::Update::default()
        };
        Frame::new(Time::from_nanos(at), Event::Console(Box::new(update)))
    }

    #[test]
    fn of_many_cases_the_first_task_is_described_and_each_is_counted_once() {
        let mut model = Model::new(Target {
            name: "any".to_owned(),
            kind: TargetKind::Program,
        });
        for at in 1..5 {
            model.apply(&told(at, 1..60));
        }
        let mut found = model.lints.iter();
        let finding = found.next().expect("a finding");
        assert_eq!(finding.kind, Kind::SelfWakes);
        let task = finding.task.and_then(|id| model.tasks.get(id));
        assert_eq!(task.map(|task| task.span), Some(1));
        assert_eq!(finding.count, 59);
        assert!(finding.message.contains("400"), "{}", finding.message);
        assert!(found.next().is_none());
    }
}
