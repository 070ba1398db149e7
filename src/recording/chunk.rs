//! A chunk: some frames, or a keyframe, compressed, and a head that tells what they are.
//!
//! The head has a checksum of its own, so that a reader can go from head to head and trust
//! the lengths that it finds.

use std::{
    fs::File,
    io::{self, Read},
    os::unix::fs::FileExt,
    sync::Arc,
};

use super::Error;
use crate::frame::Time;

const MAGIC: [u8; 4] = *b"LVck";
/// Bytes of a chunk's head.
pub(super) const HEAD: usize = 44;
/// Bytes that a chunk may have when it is decompressed: several times what is told at once of
/// 100,000 tasks. What somebody made up would take many times as much memory, so frames are
/// weighed before they are decoded, and a keyframe may not have as much.
pub(super) const MOST: u32 = 64 * 1024 * 1024;
/// The fastest of zstd's plain levels: its default takes twice the time for a twentieth of the
/// bytes.
const LEVEL: i32 = 1;

#[derive(Copy, Clone, Debug, PartialEq, Eq)]
pub(super) enum Kind {
    Header,
    Frames,
    Keyframe,
    Index,
    /// Of a later loopview: it is passed over.
    Unknown(u32),
}

impl Kind {
    pub fn to_wire(self) -> u32 {
        match self {
            Self::Header => 1,
            Self::Frames => 2,
            Self::Keyframe => 3,
            Self::Index => 4,
            Self::Unknown(kind) => kind,
        }
    }

    pub fn from_wire(kind: u32) -> Self {
        match kind {
            1 => Self::Header,
            2 => Self::Frames,
            3 => Self::Keyframe,
            4 => Self::Index,
            kind => Self::Unknown(kind),
        }
    }
}

/// What a chunk is, without what is in it.
#[derive(Copy, Clone, Debug, PartialEq, Eq)]
pub(super) struct Head {
    pub kind: Kind,
    /// How many frames are in it.
    pub frames: u32,
    /// Bytes as they are stored.
    pub stored: u32,
    /// When the first and the last of its frames came: each the latest time known then, so
    /// that they never go back.
    pub first: Time,
    pub last: Time,
}

/// A chunk and its bytes, head included.
#[derive(Clone, Debug)]
pub struct Chunk {
    pub(super) head: Head,
    pub(super) body: Body,
}

/// Where the bytes of a chunk are.
#[derive(Clone, Debug)]
pub(super) enum Body {
    Memory(Arc<[u8]>),
    File { file: Arc<File>, at: u64 },
}

impl Chunk {
    /// Compresses what is to be kept. `head.stored` is filled in here.
    pub(super) fn seal(head: Head, content: &[u8]) -> io::Result<Self> {
        if content.len() > MOST as usize {
            return Err(io::ErrorKind::FileTooLarge.into());
        }
        let payload = zstd::bulk::compress(content, LEVEL)?;
        let stored = u32::try_from(payload.len()).map_err(|_| io::ErrorKind::FileTooLarge)?;
        let head = Head { stored, ..head };
        let mut bytes = Vec::with_capacity(HEAD + payload.len());
        head.write(content.len() as u32, crc32fast::hash(&payload), &mut bytes);
        bytes.extend_from_slice(&payload);
        Ok(Self {
            head,
            body: Body::Memory(bytes.into()),
        })
    }

    /// Bytes with the head.
    pub fn length(&self) -> u64 {
        self.head.length()
    }

    /// All bytes, head included.
    pub(super) fn bytes(&self) -> io::Result<Arc<[u8]>> {
        match &self.body {
            Body::Memory(bytes) => Ok(bytes.clone()),
            Body::File { file, at } => {
                let mut bytes = vec![0; HEAD + self.head.stored as usize];
                file.read_exact_at(&mut bytes, *at)?;
                Ok(bytes.into())
            }
        }
    }

    /// What was sealed. Takes no more memory than the chunk's head says.
    pub(super) fn content(&self) -> Result<Vec<u8>, Error> {
        let at = match self.body {
            Body::File { at, .. } => at,
            Body::Memory(_) => 0,
        };
        let damaged = |what| Error::Damaged { at, what };
        let bytes = self.bytes()?;
        let (head, payload) = bytes
            .split_at_checked(HEAD)
            .ok_or(damaged("a chunk without a head"))?;
        let (told, raw, checksum) = Head::read(head).ok_or(damaged("a head that is none"))?;
        if told != self.head {
            return Err(damaged("a chunk that is another than the index says"));
        }
        if crc32fast::hash(payload) != checksum {
            return Err(damaged("a chunk that was changed"));
        }
        // It grows with what there is, whatever the head promises.
        let mut content = Vec::new();
        zstd::stream::read::Decoder::new(payload)
            .and_then(|from| from.take(u64::from(raw) + 1).read_to_end(&mut content))
            .map_err(|_| damaged("a chunk that cannot be decompressed"))?;
        if content.len() != raw as usize {
            return Err(damaged("a chunk of another length than its head says"));
        }
        Ok(content)
    }
}

impl Head {
    pub fn length(&self) -> u64 {
        HEAD as u64 + u64::from(self.stored)
    }

    /// Of what is no frame, and of one moment. `stored` is filled in later.
    pub fn without_frames(kind: Kind, at: Time) -> Self {
        Self {
            kind,
            frames: 0,
            stored: 0,
            first: at,
            last: at,
        }
    }

    fn write(&self, raw: u32, checksum: u32, to: &mut Vec<u8>) {
        let from = to.len();
        to.extend_from_slice(&MAGIC);
        for number in [self.kind.to_wire(), self.frames, self.stored, raw, checksum] {
            to.extend_from_slice(&number.to_le_bytes());
        }
        for time in [self.first, self.last] {
            to.extend_from_slice(&time.as_nanos().to_le_bytes());
        }
        let own = crc32fast::hash(&to[from..]);
        to.extend_from_slice(&own.to_le_bytes());
    }

    /// The head, the length of the content, and the checksum of what is stored; nothing if
    /// these are not the bytes of a head.
    pub fn read(bytes: &[u8]) -> Option<(Self, u32, u32)> {
        let (said, own) = bytes.get(..HEAD)?.split_at(HEAD - 4);
        if said.get(..4)? != MAGIC || crc32fast::hash(said).to_le_bytes() != own {
            return None;
        }
        let number = |at: usize| Some(u32::from_le_bytes(said.get(at..at + 4)?.try_into().ok()?));
        let time = |at: usize| {
            let bytes = said.get(at..at + 8)?.try_into().ok()?;
            Some(Time::from_nanos(u64::from_le_bytes(bytes)))
        };
        let head = Self {
            kind: Kind::from_wire(number(4)?),
            frames: number(8)?,
            stored: number(12)?,
            first: time(24)?,
            last: time(32)?,
        };
        let raw = number(16)?;
        let sound = raw <= MOST && head.first <= head.last;
        sound.then_some((head, raw, number(20)?))
    }
}
