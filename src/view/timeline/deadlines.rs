//! Deadlines in a task's lane: those of timers that wait, and of some that have ended.
//!
//! One that fired in time is seen as the poll that it led to, so only those that fired late are
//! marked: from there on the task could have run. What a cell shows of the task comes first
//! where a mark would hide a poll, or where several deadlines have one cell.

use crate::model::{Model, TaskId, Timer, TimerState, timeline::Grid};

#[derive(Copy, Clone, Debug, PartialEq, Eq)]
pub enum Deadline {
    Ahead,
    /// It fired in a later cell.
    Missed,
    /// The timer was dropped before.
    Unused,
}

/// Cells with a deadline, and which.
pub fn deadlines(model: &Model, task: TaskId, grid: &Grid) -> Vec<(usize, Deadline)> {
    let timers = &model.timers;
    let mut found = Vec::new();
    let mut at = grid.from();
    // From one cell with a deadline to the next, however many are in them.
    while let Some((deadline, id)) = timers.past_of(task, at).next() {
        let Some(cell) = grid.cell_of(deadline) else {
            break;
        };
        at = grid.start(cell + 1);
        let mut here = timers
            .past_of(task, deadline)
            .take_while(|(due, _)| *due < at);
        let is_alone = here.nth(1).is_none();
        let timer = timers.get(id).filter(|_| is_alone);
        found.extend(timer.and_then(|timer| Some((cell, past(timer, cell, grid)?))));
    }
    let due = timers
        .of(task)
        .filter_map(|timer| grid.cell_of(timer.deadline?));
    found.extend(due.map(|cell| (cell, Deadline::Ahead)));
    found
}

fn past(timer: &Timer, cell: usize, grid: &Grid) -> Option<Deadline> {
    if timer.state() == TimerState::Cancelled {
        return Some(Deadline::Unused);
    }
    let (fired, deadline) = timer.fired.zip(timer.deadline)?;
    let is_late = fired.since(deadline) >= Timer::LATE && grid.start(cell + 1) <= fired;
    is_late.then_some(Deadline::Missed)
}
