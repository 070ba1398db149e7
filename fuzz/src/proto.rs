//! Protobuf without its lengths: what is inside a message stands between two marks, so that
//! fields can come and go at any depth and the whole is a message still.

use prost::encoding::{WireType, decode_key, decode_varint, encode_key, encode_varint};

/// What follows a byte that has a tag in its upper five bits, by the lower three.
mod op {
    /// A number.
    pub const NUMBER: u8 = 0;
    /// Eight bytes.
    pub const FIXED: u8 = 1;
    /// A length, and so many bytes.
    pub const BYTES: u8 = 2;
    /// The fields of a message.
    pub const OPEN: u8 = 3;
    /// No more of them.
    pub const CLOSE: u8 = 4;
    // What is left is a number of those with which sums go wrong, by the next byte.
}

const DEEPEST: usize = 16;
const EDGES: [u64; 8] = [
    0,
    1,
    999_999_999,
    1 << 31,
    u32::MAX as u64,
    1 << 63,
    i64::MAX as u64,
    u64::MAX,
];

/// The message that these bytes stand for: any do.
pub fn build(mut from: &[u8]) -> Vec<u8> {
    let mut open = vec![(0, Vec::new())];
    while let Some((first, rest)) = from.split_first() {
        from = rest;
        let tag = u32::from(first >> 3).max(1);
        let deep = open.len();
        let Some((_, to)) = open.last_mut() else {
            break;
        };
        match first & 7 {
            op::NUMBER => {
                let Ok(number) = decode_varint(&mut from) else {
                    break;
                };
                encode_key(tag, WireType::Varint, to);
                encode_varint(number, to);
            }
            op::FIXED => {
                let Some((bytes, rest)) = from.split_at_checked(8) else {
                    break;
                };
                from = rest;
                encode_key(tag, WireType::SixtyFourBit, to);
                to.extend_from_slice(bytes);
            }
            op::BYTES => {
                let Ok(length) = decode_varint(&mut from) else {
                    break;
                };
                let length = usize::try_from(length).map_or(from.len(), |it| it.min(from.len()));
                let (bytes, rest) = from.split_at(length);
                from = rest;
                delimited(tag, bytes, to);
            }
            op::OPEN if deep < DEEPEST => open.push((tag, Vec::new())),
            op::OPEN => {}
            op::CLOSE => close(&mut open),
            _ => {
                let Some((which, rest)) = from.split_first() else {
                    break;
                };
                from = rest;
                encode_key(tag, WireType::Varint, to);
                encode_varint(EDGES[usize::from(*which) % EDGES.len()], to);
            }
        }
    }
    while open.len() > 1 {
        close(&mut open);
    }
    open.pop().unwrap_or_default().1
}

fn delimited(tag: u32, bytes: &[u8], to: &mut Vec<u8>) {
    encode_key(tag, WireType::LengthDelimited, to);
    encode_varint(bytes.len() as u64, to);
    to.extend_from_slice(bytes);
}

/// Puts the innermost message into the one around it.
fn close(open: &mut Vec<(u32, Vec<u8>)>) {
    if open.len() > 1
        && let Some((tag, bytes)) = open.pop()
        && let Some((_, around)) = open.last_mut()
    {
        delimited(tag, &bytes, around);
    }
}

/// What [`build`] makes this message of. Bytes that could be a message are taken for one: it
/// makes the same of them.
pub fn take_apart(message: &[u8]) -> Option<Vec<u8>> {
    let mut from = message;
    let mut to = Vec::new();
    while !from.is_empty() {
        let (tag, wire) = decode_key(&mut from).ok()?;
        let tag = u8::try_from(tag).ok().filter(|tag| *tag < 32)? << 3;
        match wire {
            WireType::Varint => {
                to.push(tag | op::NUMBER);
                encode_varint(decode_varint(&mut from).ok()?, &mut to);
            }
            WireType::SixtyFourBit => {
                to.push(tag | op::FIXED);
                to.extend_from_slice(from.split_off(..8)?);
            }
            WireType::LengthDelimited => {
                let length = usize::try_from(decode_varint(&mut from).ok()?).ok()?;
                let bytes = from.split_off(..length)?;
                if let Some(within) = take_apart(bytes) {
                    to.push(tag | op::OPEN);
                    to.extend(within);
                    to.push(op::CLOSE);
                } else {
                    to.push(tag | op::BYTES);
                    encode_varint(bytes.len() as u64, &mut to);
                    to.extend_from_slice(bytes);
                }
            }
            _ => return None,
        }
    }
    Some(to)
}
