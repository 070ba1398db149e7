//! Through a history of ten seconds, forth and back.

use std::sync::atomic::AtomicBool;

use super::*;
use crate::{
    frame::{Event, Frame, Line, Stream, Target, TargetKind},
    model::{Sign, lint::Thresholds},
    recording::{Journal, Limits},
};

const IN_TIME: &dyn Fn() -> bool = &|| true;
const SECOND: Duration = Duration::from_secs(1);

fn at(seconds: u64) -> Time {
    Time::from_nanos(seconds * 1_000_000_000)
}

/// A line a second, from the first second to the tenth; and the model after all.
fn history() -> (History, Model) {
    let target = Target {
        name: "any".to_owned(),
        kind: TargetKind::Program,
    };
    let history = History::new(Journal::new(
        target.clone(),
        Thresholds::default(),
        Limits::default(),
    ));
    let mut model = Model::new(target);
    for second in 1..=10 {
        let line = Line {
            stream: Stream::Stdout,
            text: second.to_string(),
            cut: 0,
        };
        let frame = Frame::new(at(second), Event::Output(line));
        history.append(&frame).expect("room");
        model.apply(&frame);
    }
    (history, model)
}

/// How far back it is, and how many lines are seen there.
fn place(traveller: &Traveller) -> (Duration, usize) {
    match traveller.moment() {
        Moment::Past(past) => {
            let shown = traveller.shown().expect("a moment");
            (past.behind, shown.output.len())
        }
        Moment::Live => (Duration::ZERO, usize::MAX),
    }
}

/// Looks for what is wanted, and goes there.
fn find(traveller: &mut Traveller) -> Result<(), String> {
    let (history, goal) = traveller.look().expect("a moment to look for");
    let found = history.seek(goal, &AtomicBool::new(false));
    traveller.arrive(goal, found)
}

fn by(time: Duration, back: bool) -> Travel {
    let by = Stride::Time(time);
    Travel::Step { by, back }
}

#[test]
fn a_replay_plays_at_its_speed_and_ends_where_the_recording_does() {
    let mut traveller = Traveller::recorded(history().0, SECOND * 2, 2.0);
    find(&mut traveller).expect("a moment");
    assert_eq!(place(&traveller), (SECOND * 7, 3));
    assert_eq!(traveller.pass(SECOND * 2, IN_TIME), Ok(true));
    assert_eq!(place(&traveller), (SECOND * 3, 7));
    assert!(!traveller.is_over());
    traveller.pass(SECOND * 60, IN_TIME).expect("sound");
    assert!(traveller.is_over());
    assert_eq!(place(&traveller), (Duration::ZERO, 10));
    assert!(!traveller.is_playing(), "it stops there");
    // And begins again when time goes on.
    traveller.pause(None);
    find(&mut traveller).expect("a moment");
    assert_eq!(place(&traveller), (SECOND * 9, 1));
}

#[test]
fn the_live_moment_can_be_stopped_left_and_reached_again() {
    let (history, live) = history();
    let mut traveller = Traveller::live(history);
    assert_eq!(traveller.moment(), Moment::Live);
    traveller.pause(Some(&live));
    assert_eq!(place(&traveller), (Duration::ZERO, 10));
    traveller.pause(Some(&live));
    assert_eq!(traveller.moment(), Moment::Live);

    traveller
        .travel(by(SECOND, false), Some(&live), IN_TIME)
        .expect("nothing newer");
    assert_eq!(traveller.moment(), Moment::Live);
    traveller
        .travel(by(SECOND * 3, true), Some(&live), IN_TIME)
        .expect("a past");
    find(&mut traveller).expect("a moment");
    assert_eq!(place(&traveller), (SECOND * 3, 7));
    traveller
        .travel(by(SECOND, false), Some(&live), IN_TIME)
        .expect("a past");
    assert_eq!(place(&traveller), (SECOND * 2, 8));
    traveller
        .travel(by(SECOND * 2, false), Some(&live), IN_TIME)
        .expect("a past");
    assert_eq!(traveller.moment(), Moment::Live);
}

#[test]
fn playing_in_the_past_of_what_is_live_leads_back_to_it() {
    let (history, live) = history();
    let mut traveller = Traveller::live(history);
    traveller
        .travel(by(SECOND * 5, true), Some(&live), IN_TIME)
        .expect("a past");
    find(&mut traveller).expect("a moment");
    traveller.pause(Some(&live));
    assert!(traveller.is_playing());
    traveller.pass(SECOND * 2, IN_TIME).expect("sound");
    assert_eq!(place(&traveller).1, 7);
    traveller.pass(SECOND * 9, IN_TIME).expect("sound");
    assert_eq!(traveller.moment(), Moment::Live);
}

#[test]
fn the_last_key_that_comes_meanwhile_counts() {
    let (history, live) = history();
    let mut traveller = Traveller::live(history);
    let back = |traveller: &mut Traveller| {
        let gone = traveller.travel(by(SECOND, true), Some(&live), IN_TIME);
        gone.expect("a past");
    };
    back(&mut traveller);
    let (history, goal) = traveller.look().expect("a moment to look for");
    (0..3).for_each(|_| back(&mut traveller));
    assert!(traveller.look().is_none(), "one at a time");
    let found = history.seek(goal, &AtomicBool::new(false));
    traveller.arrive(goal, found).expect("a moment");
    find(&mut traveller).expect("a moment");
    assert_eq!(place(&traveller), (SECOND * 4, 6));
    let Moment::Past(past) = traveller.moment() else {
        panic!("it is past");
    };
    assert!(!past.seeking);
}

#[test]
fn what_is_not_there_is_said() {
    let (history, live) = history();
    let mut traveller = Traveller::live(history);
    let by = Stride::Sign {
        sign: Sign::Lint,
        task: None,
    };
    let lint = Travel::Step { by, back: true };
    traveller
        .travel(lint, Some(&live), IN_TIME)
        .expect("a past");
    let told = find(&mut traveller).expect_err("there is none");
    assert_eq!(told, "there is none before this moment");
    assert!(traveller.shown().is_none(), "it is live as before");
    traveller.pause(Some(&live));
    traveller
        .travel(lint, Some(&live), IN_TIME)
        .expect("a past");
    find(&mut traveller).expect_err("there is none");
    assert!(traveller.shown().is_some(), "it is held as before");
    let (by, back) = (Stride::Frame, true);
    traveller
        .travel(Travel::Step { by, back }, Some(&live), IN_TIME)
        .expect("a past");
    find(&mut traveller).expect("a moment");
    assert_eq!(place(&traveller), (SECOND, 9));
}

#[test]
fn time_passes_no_faster_than_frames_are_applied() {
    let mut traveller = Traveller::recorded(history().0, Duration::ZERO, 1.0);
    find(&mut traveller).expect("a moment");
    assert_eq!(traveller.pass(SECOND * 5, &|| false), Ok(true));
    assert_eq!(place(&traveller), (SECOND * 9, 1));
    assert_eq!(traveller.pass(SECOND * 5, IN_TIME), Ok(true));
    assert_eq!(place(&traveller), (SECOND * 4, 6));
    // So too at the end, which is not reached before it is shown.
    assert_eq!(traveller.pass(SECOND * 60, &|| false), Ok(true));
    assert_eq!(place(&traveller), (SECOND * 4, 6));
    assert!(traveller.is_playing() && !traveller.is_over());
    assert_eq!(traveller.pass(SECOND * 60, IN_TIME), Ok(true));
    assert_eq!(place(&traveller), (Duration::ZERO, 10));
    assert!(traveller.is_over());
}

#[test]
fn speeds_end_at_the_slowest_and_the_fastest() {
    assert!((slower(1.0) - 0.5).abs() < f64::EPSILON);
    assert!((faster(1.5) - 2.0).abs() < f64::EPSILON);
    assert!((slower(0.1) - 0.1).abs() < f64::EPSILON);
    assert!((faster(50.0) - 50.0).abs() < f64::EPSILON);
}
