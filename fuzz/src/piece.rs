//! Pieces of an input: a kind, a length and so many bytes.
//!
//! A change of one piece leaves the others whole, and lengths and checksums that nothing could
//! guess are made here.

use std::time::Duration;

use loopview::{
    decode::{self, Weighed},
    frame::{Event, Exit, Frame, Gap, Line, Stream, Target, TargetKind, Time},
};
use loopview_api::recording::v1;
use prost::Message;

use crate::proto;

/// Bytes before those of a piece.
const HEAD: usize = 4;

/// What is cut off an input.
#[derive(Copy, Clone, Debug)]
pub struct Piece<'a> {
    pub kind: u8,
    /// Anything that is told beside the bytes.
    pub hint: u8,
    pub bytes: &'a [u8],
}

/// All pieces of an input. The last one may be shorter than it says.
pub fn pieces(mut input: &[u8]) -> impl Iterator<Item = Piece<'_>> {
    std::iter::from_fn(move || {
        let (&[kind, hint, low, high], rest) = input.split_first_chunk::<HEAD>()?;
        let length = usize::from(u16::from_le_bytes([low, high])).min(rest.len());
        let (bytes, rest) = rest.split_at(length);
        input = rest;
        Some(Piece { kind, hint, bytes })
    })
}

/// Adds a piece to an input. Of what is too long, the beginning.
pub fn write(kind: u8, hint: u8, bytes: &[u8], to: &mut Vec<u8>) {
    let length = u16::try_from(bytes.len()).unwrap_or(u16::MAX);
    to.extend_from_slice(&[kind, hint]);
    to.extend_from_slice(&length.to_le_bytes());
    to.extend_from_slice(&bytes[..usize::from(length)]);
}

/// Takes so many bytes off an input; fewer if there are no more.
pub fn take<'a>(input: &mut &'a [u8], count: usize) -> &'a [u8] {
    let (taken, rest) = input.split_at(count.min(input.len()));
    *input = rest;
    taken
}

pub fn target() -> Target {
    Target {
        name: "any".to_owned(),
        kind: TargetKind::Program,
    }
}

/// Kinds of pieces that become frames.
pub mod frame {
    pub const CONSOLE: u8 = 0;
    pub const PROBE: u8 = 1;
    pub const DETAILS: u8 = 2;
    pub const OUTPUT: u8 = 3;
    pub const OTHER: u8 = 4;
    /// How many there are.
    pub const COUNT: u8 = 5;
}

/// The frame of a piece, if its bytes are a message. Each comes a while after the last one,
/// or says itself when it was.
pub fn frame(piece: Piece<'_>, last: Time) -> Option<Frame> {
    let after = std::time::Duration::from_millis(u64::from(piece.hint));
    let (at, event) = match piece.kind % frame::COUNT {
        frame::CONSOLE => {
            let update = decode::<console_api::instrument::Update>(piece)?;
            (update.now, Event::Console(Box::new(update)))
        }
        frame::PROBE => {
            let update = decode::<loopview_api::v1::Update>(piece)?;
            (update.now, Event::Probe(Box::new(update)))
        }
        frame::DETAILS => {
            let details = decode::<console_api::tasks::TaskDetails>(piece)?;
            (details.now, Event::Details(Box::new(details)))
        }
        frame::OUTPUT => (None, Event::Output(line(piece))),
        _ => (None, other(piece)),
    };
    let told = at.as_ref().and_then(Time::from_wire);
    Some(Frame::new(told.unwrap_or(last + after), event))
}

/// As the wire does, of what is in this piece without its lengths.
fn decode<M: Weighed>(piece: Piece<'_>) -> Option<M> {
    decode::decode(&proto::build(piece.bytes)).ok()
}

fn line(piece: Piece<'_>) -> Line {
    Line {
        stream: Stream::Stderr,
        text: String::from_utf8_lossy(piece.bytes).into_owned(),
        cut: u64::from(piece.hint),
    }
}

fn other(piece: Piece<'_>) -> Event {
    let text = || String::from_utf8_lossy(piece.bytes).into_owned();
    match piece.hint % 9 {
        0 => Event::Silence,
        1 => Event::Paused(true),
        2 => Event::Gap(Gap::ConnectionLost { reason: text() }),
        3 => Event::Gap(Gap::Missing { frames: u64::MAX }),
        4 => Event::Gap(Gap::NoEndpoint {
            waited: Duration::MAX,
        }),
        5 => Event::Exit(Exit::Signal(i32::from(piece.hint))),
        6 => Event::Exit(Exit::Code(i32::from(piece.hint))),
        7 => Event::Anew,
        _ => Event::Gap(Gap::Away {
            reason: text(),
            lost: Duration::MAX,
            again: (piece.hint > 9).then_some(Duration::MAX),
        }),
    }
}

/// The piece that a frame becomes again, if there is one.
pub fn of(frame: &Frame, to: &mut Vec<u8>) {
    match &frame.event {
        Event::Console(update) => message(frame::CONSOLE, &**update, to),
        Event::Probe(update) => message(frame::PROBE, &**update, to),
        Event::Details(details) => message(frame::DETAILS, &**details, to),
        Event::Output(line) => write(frame::OUTPUT, 1, line.text.as_bytes(), to),
        Event::Exit(_) => write(frame::OTHER, 6, &[], to),
        Event::Paused(_) | Event::Silence | Event::Anew | Event::Gap(_) => write(frame::OTHER, 0, &[], to),
    }
}

fn message(kind: u8, message: &impl Message, to: &mut Vec<u8>) {
    apart(kind, &message.encode_to_vec(), to);
}

/// The piece of a message, without its lengths.
fn apart(kind: u8, message: &[u8], to: &mut Vec<u8>) {
    let bytes = proto::take_apart(message).expect("a message");
    assert_eq!(proto::build(&bytes), message, "it is not the same");
    write(kind, 0, &bytes, to);
}

/// Kinds of pieces that become chunks of a recording.
pub mod chunk {
    /// A frame with an event of this kind, whose bytes these are.
    pub const CONSOLE: u8 = 0;
    pub const PROBE: u8 = 1;
    pub const DETAILS: u8 = 2;
    /// A frame, without lengths.
    pub const FRAME: u8 = 3;
    /// A chunk with this content, of the kind that the hint says.
    pub const ANY: u8 = 4;
    /// The same, over and over.
    pub const AGAIN: u8 = 5;
    /// How many there are.
    pub const COUNT: u8 = 6;
}

/// The kinds of chunks in a recording.
pub const FRAMES: u32 = 2;
pub const KEYFRAME: u32 = 3;

/// The chunk of a recording that a piece becomes, with sound checksums.
pub fn chunk(piece: Piece<'_>, at: u64) -> Vec<u8> {
    /// Bytes of a chunk that repeats itself: enough to see what becomes of them.
    const AGAIN: usize = 1 << 20;
    use v1::frame::Event;
    let of = |event| {
        v1::Frame {
            at,
            event: Some(event),
            polls: None,
        }
        .encode_length_delimited_to_vec()
    };
    let bytes = piece.bytes.to_vec();
    let built = || proto::build(piece.bytes);
    let any = u32::from(piece.hint) % 5;
    let (kind, content) = match piece.kind % chunk::COUNT {
        chunk::CONSOLE => (FRAMES, of(Event::Console(built()))),
        chunk::PROBE => (FRAMES, of(Event::Probe(built()))),
        chunk::DETAILS => (FRAMES, of(Event::Details(built()))),
        chunk::FRAME => (FRAMES, delimited(&built())),
        chunk::ANY => (any, bytes),
        _ if bytes.is_empty() => (any, bytes),
        _ => (any, bytes.repeat(AGAIN / bytes.len())),
    };
    let frames = u32::from(kind == FRAMES);
    seal(kind, frames, at, &content)
}

/// The pieces that a chunk of frames becomes again.
pub fn frames(mut content: &[u8], to: &mut Vec<u8>) {
    use v1::frame::Event;
    while let Ok(frame) = v1::Frame::decode_length_delimited(&mut content) {
        let (kind, bytes) = match (&frame.event, &frame.polls) {
            (Some(Event::Console(bytes)), None) => (chunk::CONSOLE, bytes),
            (Some(Event::Probe(bytes)), None) => (chunk::PROBE, bytes),
            (Some(Event::Details(bytes)), None) => (chunk::DETAILS, bytes),
            _ => (chunk::FRAME, &frame.encode_to_vec()),
        };
        apart(kind, bytes, to);
    }
}

fn delimited(bytes: &[u8]) -> Vec<u8> {
    let mut content = Vec::new();
    // A vector has room for any number.
    let _ = prost::encode_length_delimiter(bytes.len(), &mut content);
    content.extend_from_slice(bytes);
    content
}

/// docs/recording.md says what is where.
fn seal(kind: u32, frames: u32, at: u64, content: &[u8]) -> Vec<u8> {
    let payload = zstd::bulk::compress(content, 1).expect("there is memory");
    let mut chunk = b"LVck".to_vec();
    let checksum = crc32fast::hash(&payload);
    for number in [
        kind,
        frames,
        payload.len() as u32,
        content.len() as u32,
        checksum,
    ] {
        chunk.extend_from_slice(&number.to_le_bytes());
    }
    for time in [at, at] {
        chunk.extend_from_slice(&time.to_le_bytes());
    }
    chunk.extend_from_slice(&crc32fast::hash(&chunk).to_le_bytes());
    chunk.extend_from_slice(&payload);
    chunk
}

/// The kinds and contents of the chunks of a recording that is whole.
pub fn contents(recording: &[u8]) -> Vec<(u32, Vec<u8>)> {
    const PREFACE: usize = 16;
    const HEAD: usize = 44;
    let mut rest = recording.get(PREFACE..).unwrap_or_default();
    let mut contents = Vec::new();
    while let Some((head, after)) = rest.split_at_checked(HEAD) {
        let number = |at: usize| {
            let bytes = head[at..at + 4].try_into().expect("four bytes");
            u32::from_le_bytes(bytes)
        };
        let Some((payload, after)) = after.split_at_checked(number(12) as usize) else {
            break;
        };
        let content = zstd::bulk::decompress(payload, number(16) as usize);
        contents.push((number(4), content.unwrap_or_default()));
        rest = after;
    }
    contents
}
