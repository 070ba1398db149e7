//! Messages from outside: weighed, and only then decoded.
//!
//! A few bytes of protobuf can say much: two are an empty task, and its struct takes a hundred
//! times as many. So what a message will take in memory is counted before any of it is taken.
//! Fields that occur once are a part of what has them; what is counted are those that repeat,
//! and those that hold text.

use console_api::{
    Attribute, Field, SpanId, async_ops, instrument, register_metadata::NewMetadata, resources,
    tasks,
};
use loopview_api::{recording, v1};
use prost::{
    DecodeError, Message,
    encoding::{DecodeContext, WireType, decode_key, decode_varint, skip_field},
};

/// Bytes that a message may take once it is decoded, and for a moment up to twice that, as
/// vectors grow by doubling: what 200,000 tasks are told in.
pub const MOST: usize = 256 << 20;

/// Why there is no message.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    #[error("a message is none: {0}")]
    Malformed(#[from] DecodeError),
    #[error("a message is cut off")]
    Cut,
    #[error("a message would take {} MiB of memory, and may take {}", .0.div_ceil(1 << 20), MOST >> 20)]
    TooMuch(usize),
}

/// Decodes a message that takes no more memory than [`MOST`].
pub fn decode<M: Weighed>(bytes: &[u8]) -> Result<M, Error> {
    let (Ok(weight) | Err(weight)) = weigh(bytes, &M::SHAPE);
    if weight > MOST {
        return Err(Error::TooMuch(weight));
    }
    Ok(M::decode(bytes)?)
}

/// The same, of a message after its length, both of which are taken off `bytes`.
pub fn delimited<M: Weighed>(bytes: &mut &[u8]) -> Result<M, Error> {
    decode(content(bytes).ok_or(Error::Cut)?)
}

/// A message of which is known what in it can repeat.
pub trait Weighed: Message + Default {
    const SHAPE: Shape;
}

/// The fields of a message whose memory is not a part of its own.
#[derive(Copy, Clone, Debug)]
pub struct Shape(&'static [(u32, Part)]);

#[derive(Copy, Clone, Debug)]
enum Part {
    /// A message that occurs once, but has what repeats.
    One(Shape),
    /// Any number of things, each of so many bytes.
    Many(usize, Shape),
    /// Any number of numbers, each of so many bytes.
    Numbers(usize),
}

impl Part {
    const fn many<T>(shape: Shape) -> Self {
        Self::Many(size_of::<T>(), shape)
    }
}

/// What is repeated has no more of it.
const PLAIN: Shape = Shape(&[]);

impl Weighed for instrument::Update {
    const SHAPE: Shape = {
        const ATTRIBUTES: Part = Part::many::<Attribute>(PLAIN);
        const TASKS: Shape = Shape(&[
            (
                1,
                Part::many::<tasks::Task>(Shape(&[
                    (4, Part::many::<Field>(PLAIN)),
                    (5, Part::many::<SpanId>(PLAIN)),
                ])),
            ),
            (3, Part::many::<(u64, tasks::Stats)>(PLAIN)),
        ]);
        const RESOURCES: Shape = Shape(&[
            (1, Part::many::<resources::Resource>(PLAIN)),
            (
                2,
                Part::many::<(u64, resources::Stats)>(Shape(&[(
                    2,
                    Part::One(Shape(&[(3, ATTRIBUTES)])),
                )])),
            ),
            (3, Part::many::<resources::PollOp>(PLAIN)),
        ]);
        const OPS: Shape = Shape(&[
            (1, Part::many::<async_ops::AsyncOp>(PLAIN)),
            (
                2,
                Part::many::<(u64, async_ops::Stats)>(Shape(&[(
                    2,
                    Part::One(Shape(&[(6, ATTRIBUTES)])),
                )])),
            ),
        ]);
        const METADATA: Shape = Shape(&[(
            1,
            Part::many::<NewMetadata>(Shape(&[(
                2,
                Part::One(Shape(&[(7, Part::many::<String>(PLAIN))])),
            )])),
        )]);
        Shape(&[
            (2, Part::One(TASKS)),
            (3, Part::One(RESOURCES)),
            (4, Part::One(OPS)),
            (5, Part::One(METADATA)),
        ])
    };
}

impl Weighed for tasks::TaskDetails {
    const SHAPE: Shape = PLAIN;
}

impl Weighed for v1::Update {
    const SHAPE: Shape = Shape(&[
        (
            3,
            Part::many::<v1::Runtime>(Shape(&[(3, Part::many::<v1::Worker>(PLAIN))])),
        ),
        (4, Part::many::<v1::Task>(PLAIN)),
        (5, Part::many::<v1::Timer>(PLAIN)),
        (6, Part::many::<v1::Scope>(PLAIN)),
        (7, Part::many::<v1::Thread>(PLAIN)),
        (9, Part::One(POLLS)),
        (
            13,
            Part::many::<v1::Resource>(Shape(&[(2, Part::many::<v1::Hold>(PLAIN))])),
        ),
    ]);
}

impl Weighed for recording::v1::Frame {
    const SHAPE: Shape = Shape(&[(10, Part::One(POLLS))]);
}

impl Weighed for recording::v1::Index {
    const SHAPE: Shape = Shape(&[
        (1, Part::Numbers(8)),
        (2, Part::Numbers(4)),
        (3, Part::Numbers(4)),
    ]);
}

impl Weighed for recording::v1::Header {
    const SHAPE: Shape = PLAIN;
}

/// The columns of both kinds of polls have the same places.
const POLLS: Shape = Shape(&[
    (2, Part::Numbers(8)),
    (3, Part::Numbers(4)),
    (4, Part::Numbers(8)),
    (5, Part::Numbers(8)),
    (6, Part::Numbers(8)),
    (7, Part::Numbers(8)),
]);

/// Bytes that all of this takes once it is decoded. What is malformed ends the count, as it ends
/// decoding.
fn weigh(mut bytes: &[u8], shape: &Shape) -> Result<usize, usize> {
    let mut weight = 0_usize;
    while !bytes.is_empty() {
        let (tag, wire) = decode_key(&mut bytes).map_err(|_| weight)?;
        let part = shape.0.iter().find(|(of, _)| *of == tag);
        let part = part.map(|(_, part)| *part);
        if wire != WireType::LengthDelimited {
            let context = DecodeContext::default();
            skip_field(wire, tag, &mut bytes, context).map_err(|_| weight)?;
            if let Some(Part::Numbers(size)) = part {
                weight = weight.saturating_add(size);
            }
            continue;
        }
        let content = content(&mut bytes).ok_or(weight)?;
        let (own, within) = match part {
            Some(Part::One(shape)) => (0, weigh(content, &shape)),
            Some(Part::Many(size, shape)) => (size, weigh(content, &shape)),
            Some(Part::Numbers(size)) => (0, Ok(numbers(content).saturating_mul(size))),
            None => (0, Ok(content.len())),
        };
        weight = weight.saturating_add(own);
        match within {
            Ok(more) => weight = weight.saturating_add(more),
            Err(more) => return Err(weight.saturating_add(more)),
        }
    }
    Ok(weight)
}

/// The bytes of a field that has a length.
fn content<'a>(bytes: &mut &'a [u8]) -> Option<&'a [u8]> {
    let length = usize::try_from(decode_varint(bytes).ok()?).ok()?;
    let (content, rest) = bytes.split_at_checked(length)?;
    *bytes = rest;
    Some(content)
}

/// How many varints these are, by their last bytes.
fn numbers(packed: &[u8]) -> usize {
    packed.iter().filter(|byte| **byte < 0x80).count()
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A field of a message with this content, as often as that.
    fn field(tag: u32, content: &[u8], times: usize) -> Vec<u8> {
        let mut field = Vec::new();
        prost::encoding::encode_key(tag, WireType::LengthDelimited, &mut field);
        prost::encoding::encode_varint(content.len() as u64, &mut field);
        field.extend_from_slice(content);
        field.repeat(times)
    }

    /// Fields within fields, by their tags from the outermost on.
    fn nested(tags: &[u32], times: usize) -> Vec<u8> {
        match tags {
            [] => Vec::new(),
            [last] => field(*last, &[], times),
            [first, rest @ ..] => field(*first, &nested(rest, times), 1),
        }
    }

    fn weight<M: Weighed>(tags: &[u32], times: usize) -> usize {
        weigh(&nested(tags, times), &M::SHAPE).expect("a sound message")
    }

    /// One more of them weighs as much as its struct, and takes two bytes.
    fn counted<M: Weighed>(tags: &[u32], size: usize) {
        let more = weight::<M>(tags, 3) - weight::<M>(tags, 2);
        assert_eq!(more, size, "{tags:?}");
    }

    #[test]
    fn too_many_empty_tasks_are_refused() {
        let tags = [2, 1];
        let enough = MOST / size_of::<tasks::Task>();
        assert!(weight::<instrument::Update>(&tags, enough) <= MOST);
        let bytes = nested(&tags, enough + 1);
        let refused = decode::<instrument::Update>(&bytes).expect_err("it is too much");
        let told = "a message would take 257 MiB of memory, and may take 256";
        assert_eq!(refused.to_string(), told);
    }

    #[test]
    fn numbers_are_counted_packed_or_not() {
        let packed = field(9, &field(2, &[0x85, 1, 7, 9], 1), 1);
        assert_eq!(weigh(&packed, &v1::Update::SHAPE), Ok(3 * 8));
        // Field 3, twice, as a varint.
        let single = field(10, &[0x18, 7, 0x18, 9], 1);
        assert_eq!(weigh(&single, &recording::v1::Frame::SHAPE), Ok(2 * 4));
    }

    #[test]
    fn what_breaks_off_is_counted_up_to_there() {
        let mut bytes = nested(&[2, 1], 3);
        let whole = weigh(&bytes, &instrument::Update::SHAPE).expect("it is whole");
        bytes.extend([0x0a, 0xff]);
        assert_eq!(weigh(&bytes, &instrument::Update::SHAPE), Err(whole));
    }

    #[test]
    fn what_can_repeat_is_counted_before_it_is_decoded() {
        use instrument::Update;
        counted::<Update>(&[2, 1], size_of::<tasks::Task>());
        counted::<Update>(&[2, 1, 4], size_of::<Field>());
        counted::<Update>(&[2, 1, 5], size_of::<SpanId>());
        counted::<Update>(&[2, 3], size_of::<(u64, tasks::Stats)>());
        counted::<Update>(&[3, 1], size_of::<resources::Resource>());
        counted::<Update>(&[3, 2], size_of::<(u64, resources::Stats)>());
        counted::<Update>(&[3, 2, 2, 3], size_of::<Attribute>());
        counted::<Update>(&[3, 3], size_of::<resources::PollOp>());
        counted::<Update>(&[4, 1], size_of::<async_ops::AsyncOp>());
        counted::<Update>(&[4, 2], size_of::<(u64, async_ops::Stats)>());
        counted::<Update>(&[4, 2, 2, 6], size_of::<Attribute>());
        counted::<Update>(&[5, 1], size_of::<NewMetadata>());
        counted::<Update>(&[5, 1, 2, 7], size_of::<String>());
        counted::<v1::Update>(&[3], size_of::<v1::Runtime>());
        counted::<v1::Update>(&[3, 3], size_of::<v1::Worker>());
        counted::<v1::Update>(&[4], size_of::<v1::Task>());
        counted::<v1::Update>(&[5], size_of::<v1::Timer>());
        counted::<v1::Update>(&[6], size_of::<v1::Scope>());
        counted::<v1::Update>(&[7], size_of::<v1::Thread>());
        counted::<v1::Update>(&[13], size_of::<v1::Resource>());
        counted::<v1::Update>(&[13, 2], size_of::<v1::Hold>());
    }
}
