//! A frame as the protobuf of `loopview.recording.v1`, and back.

use std::time::Duration;

use loopview_api::{
    recording::v1::{self, frame, gap},
    v1::Update,
};
use prost::Message;

use super::polls;
use crate::{
    decode::{self, decode},
    frame::{Event, Exit, Frame, Gap, Line, Stream, Time},
};

/// Adds a frame, after its length.
pub(super) fn write(frame: &Frame, to: &mut Vec<u8>) {
    const POLLS: u8 = 10;
    // Nearly all bytes of a busy program are polls.
    let packed = match &frame.event {
        Event::Probe(update) => update.polls.as_ref().and_then(polls::pack),
        _ => None,
    };
    let message = v1::Frame {
        at: frame.at.as_nanos(),
        event: Some(match &frame.event {
            Event::Probe(update) if packed.is_some() => without_polls(update),
            event => to_wire(event),
        }),
        polls: None,
    };
    let mut bytes = message.encode_to_vec();
    if let Some(packed) = packed {
        polls::put_bytes(POLLS, &packed, &mut bytes);
    }
    polls::put_varint(bytes.len() as u64, to);
    to.extend_from_slice(&bytes);
}

/// The frame that `bytes` begin with, which is taken off them.
pub(super) fn read(bytes: &mut &[u8]) -> Result<Frame, decode::Error> {
    let message: v1::Frame = decode::delimited(bytes)?;
    let mut event = from_wire(message.event)?;
    if let (Event::Probe(update), Some(packed)) = (&mut event, message.polls) {
        update.polls = Some(polls::unpack(&packed));
    }
    Ok(Frame {
        at: Time::from_nanos(message.at),
        event,
    })
}

fn without_polls(update: &Update) -> frame::Event {
    // Not cloned as a whole, or the polls would be, too.
    let rest = Update {
        now: update.now,
        process: update.process.clone(),
        runtimes: update.runtimes.clone(),
        tasks: update.tasks.clone(),
        timers: update.timers.clone(),
        scopes: update.scopes.clone(),
        threads: update.threads.clone(),
        ended_at: update.ended_at,
        polls: None,
        usage: update.usage,
        overhead: update.overhead,
        console: update.console.clone(),
        resources: update.resources.clone(),
        missed: update.missed,
    };
    frame::Event::Probe(rest.encode_to_vec())
}

fn to_wire(event: &Event) -> frame::Event {
    match event {
        Event::Console(update) => frame::Event::Console(update.encode_to_vec()),
        Event::Details(details) => frame::Event::Details(details.encode_to_vec()),
        Event::Probe(update) => frame::Event::Probe(update.encode_to_vec()),
        Event::Paused(paused) => frame::Event::Paused(*paused),
        Event::Output(line) => frame::Event::Output(v1::Output {
            stderr: line.stream == Stream::Stderr,
            text: line.text.clone(),
            cut: line.cut,
        }),
        Event::Silence => frame::Event::Silence(v1::Silence {}),
        Event::Anew => frame::Event::Anew(v1::Anew {}),
        Event::Gap(gap) => frame::Event::Gap(v1::Gap {
            why: Some(match gap {
                Gap::NoEndpoint { waited } => gap::Why::NoEndpoint(nanos(*waited)),
                Gap::ConnectionLost { reason } => gap::Why::ConnectionLost(reason.clone()),
                Gap::Away {
                    reason,
                    lost,
                    again,
                } => gap::Why::Away(v1::Away {
                    reason: reason.clone(),
                    lost: nanos(*lost),
                    again: again.map(nanos),
                }),
                Gap::Missing { frames } => gap::Why::Missing(*frames),
            }),
        }),
        Event::Exit(exit) => frame::Event::Exit(v1::Exit {
            how: Some(match exit {
                Exit::Code(code) => v1::exit::How::Code(*code),
                Exit::Signal(signal) => v1::exit::How::Signal(*signal),
            }),
        }),
    }
}

fn nanos(span: Duration) -> u64 {
    u64::try_from(span.as_nanos()).unwrap_or(u64::MAX)
}

fn from_wire(event: Option<frame::Event>) -> Result<Event, decode::Error> {
    // What a later loopview tells is missing here.
    let unknown = Event::Gap(Gap::Missing { frames: 1 });
    Ok(match event {
        Some(frame::Event::Console(bytes)) => Event::Console(Box::new(decode(&bytes)?)),
        Some(frame::Event::Details(bytes)) => Event::Details(Box::new(decode(&bytes)?)),
        Some(frame::Event::Probe(bytes)) => Event::Probe(Box::new(decode(&bytes)?)),
        Some(frame::Event::Paused(paused)) => Event::Paused(paused),
        Some(frame::Event::Output(output)) => Event::Output(Line {
            stream: if output.stderr {
                Stream::Stderr
            } else {
                Stream::Stdout
            },
            text: output.text,
            cut: output.cut,
        }),
        Some(frame::Event::Silence(_)) => Event::Silence,
        Some(frame::Event::Anew(_)) => Event::Anew,
        Some(frame::Event::Gap(gap)) => match gap.why {
            Some(gap::Why::NoEndpoint(nanos)) => Event::Gap(Gap::NoEndpoint {
                waited: Duration::from_nanos(nanos),
            }),
            Some(gap::Why::ConnectionLost(reason)) => Event::Gap(Gap::ConnectionLost { reason }),
            Some(gap::Why::Away(away)) => Event::Gap(Gap::Away {
                reason: away.reason,
                lost: Duration::from_nanos(away.lost),
                again: away.again.map(Duration::from_nanos),
            }),
            Some(gap::Why::Missing(frames)) => Event::Gap(Gap::Missing { frames }),
            None => unknown,
        },
        Some(frame::Event::Exit(exit)) => match exit.how {
            Some(v1::exit::How::Code(code)) => Event::Exit(Exit::Code(code)),
            Some(v1::exit::How::Signal(signal)) => Event::Exit(Exit::Signal(signal)),
            None => unknown,
        },
        None => unknown,
    })
}
