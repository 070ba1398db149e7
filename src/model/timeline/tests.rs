//! A timeline by itself: what it keeps, what it turns into sums, and how much memory it takes.

use std::time::Duration;

use proptest::prelude::*;

use super::{
    Cell, Doing, Grid, Record, Standing, Timeline,
    cells::What,
    lane::{Judgement, Lane},
};
use crate::{
    frame::Time,
    model::{
        State,
        kept::Sound,
        task::{Task, TaskId},
    },
};

const MS: u64 = 1_000_000;
const S: u64 = 1_000 * MS;

fn ns(nanos: u64) -> Duration {
    Duration::from_nanos(nanos)
}

/// A poll whose task was woken `lead` before it began.
fn poll(started: u64, lasted: u64, lead: u64) -> Record {
    let at = Time::from_nanos(started);
    Record::new(at, ns(lasted)).woken_at(Some(at - ns(lead)))
}

fn judged(start: u64, rest: Doing) -> Judgement {
    Judgement {
        start,
        rest: Some(rest),
        ..Judgement::default()
    }
}

fn lane_of(polls: &[Record], rest: Doing) -> Lane {
    let mut lane = Lane::new();
    for poll in polls {
        assert!(lane.push(*poll).is_some());
        lane.judge(&judged(0, rest));
    }
    lane
}

fn coarsen(lane: &mut Lane, horizon: u64, grain: impl Fn(u64) -> u64) {
    let mut effort = usize::MAX;
    assert!(lane.coarsen(horizon, grain, &mut effort));
}

/// The whole of a lane in one cell.
fn whole(lane: &Lane, now: u64) -> Cell {
    lane.cells(&Grid::new(Time::default(), ns(now), 1), now)[0]
}

/// Polls one after the other, of any length, each after a wait of its own.
fn any_polls() -> impl Strategy<Value = Vec<Record>> {
    let times = (0..20 * MS, 0..2 * MS, 1..30 * MS);
    prop::collection::vec(times, 1..300).prop_map(|polls| {
        let mut at = 0;
        let polls = polls.into_iter().map(|(rest, lead, lasted)| {
            let started = at + rest + lead;
            at = started + lasted;
            poll(started, lasted, lead)
        });
        polls.collect()
    })
}

fn end(polls: &[Record]) -> u64 {
    polls.last().map_or(0, |poll| poll.ended().as_nanos())
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::with_cases(64) })]

    #[test]
    fn states_add_up_to_the_life_in_any_cells(
        polls in any_polls(),
        cells in 1..50_u64,
        after in 0..S,
    ) {
        let lane = lane_of(&polls, Doing::Sleeping);
        let now = end(&polls) + after;
        let sum = whole(&lane, now).spent;
        prop_assert_eq!(sum.total(), now);
        let busy: u64 = polls.iter().map(|p| p.lasted().as_nanos() as u64).sum();
        prop_assert_eq!(sum.nanos(Doing::Running), busy);
        // Finer cells are looked at poll by poll, and tell the same.
        let grid = Grid::new(Time::default(), ns(now / cells + 1), cells as usize);
        let fine = lane.cells(&grid, now);
        for doing in Doing::ALL {
            let parts: u64 = fine.iter().map(|cell| cell.spent.nanos(doing)).sum();
            prop_assert_eq!(parts, sum.nanos(doing));
        }
        let count: u32 = fine.iter().map(|cell| cell.polls).sum();
        prop_assert_eq!(count as usize, polls.len());
    }

    #[test]
    fn the_order_in_which_threads_tell_does_not_matter(
        polls in any_polls(),
        seed in any::<u64>(),
    ) {
        let mut mixed = polls.clone();
        // Each thread tells its own polls in order.
        mixed.sort_by_key(|poll| (poll.started ^ seed).count_ones() % 2);
        let mut lane = Lane::new();
        for poll in &mixed {
            prop_assert!(lane.push(*poll).is_some());
        }
        lane.judge(&judged(0, Doing::Waiting));
        let now = end(&polls) + MS;
        let ordered = lane_of(&polls, Doing::Waiting);
        let grid = Grid::new(Time::default(), ns(now / 37 + 1), 37);
        let told = |lane: &Lane| {
            let cells = lane.cells(&grid, now).into_iter();
            let facts = cells.map(|cell| (cell.spent, cell.longest, cell.polls));
            facts.collect::<Vec<_>>()
        };
        prop_assert_eq!(told(&lane), told(&ordered));
    }

    #[test]
    fn sums_are_what_the_polls_were(
        polls in any_polls(),
        horizon in 0.0..1.2_f64,
        grain in MS..S,
    ) {
        let mut lane = lane_of(&polls, Doing::Waiting);
        let now = end(&polls) + MS;
        let exact = whole(&lane, now);
        let horizon = (now as f64 * horizon) as u64;
        for grain in [grain, grain * 2, grain * 16] {
            coarsen(&mut lane, horizon, |_| grain);
            let coarse = whole(&lane, now);
            prop_assert_eq!(coarse.polls, exact.polls);
            for doing in Doing::ALL {
                let (was, is) = (exact.spent.nanos(doing), coarse.spent.nanos(doing));
                prop_assert!(was.abs_diff(is) <= now / 100_000 + 1_000, "{} for {}", is, was);
            }
            let longest = coarse.longest.as_secs_f64() / exact.longest.as_secs_f64();
            prop_assert!((longest - 1.0).abs() < 1e-6);
        }
        // What is after the horizon is as it was.
        let last = polls.last().expect("there is one");
        if last.ended().as_nanos() > horizon {
            let found = lane.polls_before(u64::MAX).next();
            prop_assert_eq!(found.map(|p| p.started), Some(last.started));
        }
    }

    #[test]
    fn a_lane_that_is_summed_bit_by_bit_is_what_it_is_at_once(
        polls in any_polls(),
        horizon in 0.0..1.2_f64,
        grain in MS..S,
        efforts in prop::collection::vec(0..200_usize, 1..20),
    ) {
        let mut at_once = lane_of(&polls, Doing::Waiting);
        let mut by_bits = at_once.clone();
        let now = end(&polls) + MS;
        let horizon = (now as f64 * horizon) as u64;
        coarsen(&mut at_once, horizon, |_| grain);
        let mut efforts = efforts.iter().copied().cycle();
        let bits = std::iter::from_fn(|| {
            let mut effort = efforts.next()?;
            Some(by_bits.coarsen(horizon, |_| grain, &mut effort))
        });
        prop_assert!(bits.take(polls.len() + 1).any(|is_all| is_all));
        let bytes = |lane: &Lane| postcard::to_stdvec(lane).expect("room");
        prop_assert_eq!(bytes(&by_bits), bytes(&at_once));
    }

    #[test]
    fn no_poll_can_break_a_lane(
        polls in prop::collection::vec((any::<u64>(), any::<u64>(), any::<u64>()), 1..200),
        horizon in any::<u64>(),
        now in any::<u64>(),
    ) {
        let mut lane = Lane::new();
        for (started, lasted, lead) in &polls {
            lane.push(poll(*started, *lasted, *lead));
        }
        lane.judge(&judged(horizon / 2, Doing::Idle));
        coarsen(&mut lane, horizon, |from| from / 7);
        let grid = Grid::new(Time::from_nanos(horizon / 3), ns(now / 3), 9);
        for cell in lane.cells(&grid, now) {
            prop_assert!(cell.spent.total() <= (now / 3).max(1));
        }
        lane.at(now, now);
    }
}

#[test]
fn a_long_rest_stays_exact_though_it_becomes_a_sum() {
    let polls = [poll(S, MS, 0), poll(3_600 * S, MS, 0)];
    let mut lane = lane_of(&polls, Doing::Sleeping);
    coarsen(&mut lane, u64::MAX, |_| 100 * MS);
    let at = lane.at(1_800 * S, 3_700 * S).expect("it is known");
    assert_eq!((at.from, at.to), (S + MS, 3_600 * S));
    assert_eq!(at.spent().nanos(Doing::Sleeping), 3_599 * S - MS);
}

#[test]
fn what_comes_after_its_time_was_summed_is_not_taken() {
    let mut lane = lane_of(&[poll(S, MS, 0), poll(2 * S, MS, 0)], Doing::Idle);
    coarsen(&mut lane, 3 * S, |_| S);
    assert_eq!(lane.push(poll(S + S / 2, MS, 0)), None);
    assert!(lane.push(poll(4 * S, MS, 0)).is_some());
}

#[test]
fn what_goes_on_is_known_now_and_not_after_now() {
    let doing = |lane: &Lane, at, now| lane.at(at, now).map(|span| span.what);
    let lane = lane_of(&[poll(S, MS, 0)], Doing::Sleeping);
    for now in [2 * S, S + MS] {
        assert!(doing(&lane, now, now).is_some(), "{now}");
        assert!(doing(&lane, now + 1, now).is_none(), "{now}");
    }
    let sleeps = doing(&lane, 2 * S, 2 * S);
    assert!(matches!(sleeps, Some(What::One(Doing::Sleeping))));
}

fn standing() -> Standing {
    Standing {
        state: State::Sleeping,
        due: None,
        with_probe: true,
        in_place: false,
    }
}

/// `tasks` sleepers that are polled once a second for an hour.
fn an_hour(tasks: u64, limit: usize) -> Timeline {
    let mut timeline = Timeline::with_limit(limit);
    for second in 0..3_600 {
        for id in 0..tasks {
            let started = second * S + id * (S / tasks);
            assert!(timeline.push(TaskId(id), poll(started, MS / 10, MS / 100)));
            timeline.exact.get_or_insert(started);
        }
        timeline.make_room(Time::from_nanos((second + 1) * S));
        assert!(timeline.memory().used <= limit * 5 / 4);
    }
    timeline
}

#[test]
fn memory_is_bounded_and_the_hour_is_still_there() {
    let mut timeline = an_hour(20, 200_000);
    let task = Task::new(TaskId(7), 7);
    timeline.judge(&task, &standing());
    let now = Time::from_nanos(3_600 * S);
    assert!(timeline.summed_before().is_some());
    let lanes: usize = timeline.lanes().map(super::lane::Lane::bytes).sum();
    assert_eq!(
        timeline.memory().used,
        lanes,
        "what is counted is what there is"
    );
    let since = now.since(timeline.exact_since().expect("polls were told"));
    assert!(since > Duration::from_secs(30), "{since:?}");
    // Each minute of the hour holds its sixty polls, up to what lies across its border.
    let grid = Grid::new(Time::default(), Duration::from_secs(60), 60);
    let cells = timeline
        .task(TaskId(7), &grid, now)
        .expect("its life is told");
    for cell in &cells[1..] {
        let busy = cell.spent.time(Doing::Running);
        let is_near = busy.abs_diff(Duration::from_millis(6)) < Duration::from_millis(2);
        assert!(is_near, "{cell:?}");
        assert!(cell.spent.total().abs_diff(60 * S) < S, "{cell:?}");
        assert_eq!(cell.longest, ns(MS / 10));
    }
}

/// Room is made in the midst of what is told, and what is said of it holds all the while.
#[test]
fn while_room_is_made_every_poll_is_known_since_when_it_is_said() {
    const LIMIT: usize = 200_000;
    const TASKS: u64 = 20;
    let mut timelines = [Timeline::with_limit(LIMIT), Timeline::with_limit(LIMIT)];
    let mut under_way = 0;
    for second in 0..1_200 {
        let now = Time::from_nanos((second + 1) * S);
        for timeline in &mut timelines {
            for id in 0..TASKS {
                let started = second * S + id * (S / TASKS);
                assert!(timeline.push(TaskId(id), poll(started, MS / 10, 0)));
                timeline.exact.get_or_insert(started);
            }
            timeline.make_room(now);
        }
        let [timeline, other] = &timelines;
        assert!(timeline.memory().used <= LIMIT);
        let exact = timeline.exact_since().expect("polls were told").as_nanos();
        for id in 0..TASKS {
            let started = |second| second * S + id * (S / TASKS);
            let told = (0..=second)
                .filter(|second| started(*second) > exact)
                .count();
            let kept = timeline
                .tasks
                .get(TaskId(id))
                .map(|lane| lane.polls_after(exact).count());
            assert_eq!(kept, Some(told), "of {id} after {second} s");
        }
        under_way += usize::from(timeline.pass.is_some());
        // It hangs on what was told alone.
        if second % 10 == 0 {
            let bytes = |timeline: &Timeline| postcard::to_stdvec(timeline).expect("room");
            assert_eq!(bytes(timeline), bytes(other));
        }
    }
    assert!(under_way > 10, "{under_way}");
}

#[test]
fn ended_tasks_are_forgotten_last_and_the_oldest_first() {
    let mut timeline = Timeline::with_limit(20_000);
    for id in 0..2_000 {
        let mut task = Task::new(TaskId(id), id);
        let started = Time::from_nanos((id + 1) * S);
        timeline.push(TaskId(id), poll((id + 1) * S, MS, 0));
        timeline.exact.get_or_insert(S);
        task.created = started;
        task.dropped = Some(started + ns(MS));
        timeline.judge(&task, &standing());
        timeline.make_room(started + ns(S));
        assert!(timeline.memory().used <= 25_000 + 1_000);
    }
    let kept: Vec<bool> = (0..2_000)
        .map(|id| timeline.tasks.contains(TaskId(id)))
        .collect();
    assert!(kept[1_999] && !kept[0]);
    assert!(kept.is_sorted(), "the newest are kept");
}

/// What a keyframe has of it: less than its bound, and once it is read, room again.
#[test]
fn a_keyframe_has_the_newest_polls_and_sums_of_the_others() {
    let mut timeline = an_hour(20, Timeline::LIMIT);
    let now = Time::from_nanos(3_600 * S);
    assert!(timeline.memory().used > Timeline::KEPT);
    assert_eq!(timeline.exact_since(), Some(Time::default()));
    timeline.bound(Timeline::KEPT, now);
    assert!(timeline.memory().used <= Timeline::KEPT);
    assert!(timeline.summed_before().is_some());
    let exact = timeline.exact_since().expect("polls were told");
    assert!(exact > Time::default() && exact < now);

    let bytes = postcard::to_stdvec(&timeline).expect("room");
    let read = postcard::from_bytes::<Timeline>(&bytes).expect("the same");
    let mut read = read.sound().expect("sound");
    assert_eq!(read.exact_since(), Some(exact));
    // What was read has no room to spare in its lists.
    let (read_used, used) = (read.memory().used, timeline.memory().used);
    assert!(read_used <= used && read_used > used / 2);
    let grid = Grid::new(Time::default(), Duration::from_secs(60), 60);
    let told = |timeline: &Timeline| {
        let cells = timeline.thread(0, &grid, now).expect("it polled");
        let cells = cells.into_iter();
        cells.map(|c| (c.polls, c.spent)).collect::<Vec<_>>()
    };
    assert_eq!(told(&read), told(&timeline));
    // As much again goes in before anything more is summed.
    for second in 3_600..5_400 {
        for id in 0..20 {
            assert!(read.push(TaskId(id), poll(second * S + id * MS, MS / 10, 0)));
        }
        read.make_room(Time::from_nanos((second + 1) * S));
    }
    assert!(read.memory().used > Timeline::KEPT);
    assert_eq!(read.exact_since(), Some(exact));
}
