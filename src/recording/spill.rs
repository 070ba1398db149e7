//! Chunks for which there is no room in memory: in temporary files that only this process
//! can read, and that are gone when it is.
//!
//! The oldest chunks are dropped first, and with the last chunk of a file its space.

use std::{fs::File, io, os::unix::fs::FileExt, sync::Arc};

use super::chunk::Body;

#[derive(Debug, Default)]
pub(super) struct Spill {
    file: Option<Arc<File>>,
    at: u64,
}

impl Spill {
    /// Bytes of a file: so much may be kept for longer than it is needed.
    const FILE: u64 = 64 << 20;

    /// Writes a chunk, and tells where it lies.
    pub fn write(&mut self, bytes: &[u8]) -> io::Result<Body> {
        let file = if let Some(file) = self.file.take().filter(|_| self.at < Self::FILE) {
            file
        } else {
            self.at = 0;
            Arc::new(tempfile::tempfile()?)
        };
        file.write_all_at(bytes, self.at)?;
        let body = Body::File {
            file: file.clone(),
            at: self.at,
        };
        self.at += bytes.len() as u64;
        self.file = Some(file);
        Ok(body)
    }
}
