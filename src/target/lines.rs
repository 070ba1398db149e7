//! A pipe's bytes as lines of bounded length.

use tokio::io::{AsyncBufRead, AsyncBufReadExt};

use crate::frame::{Line, Stream};

/// Bytes of a line that are kept.
const KEPT: usize = 64 * 1024;

/// The next line, without its line end; `None` at the end of the pipe. What is not UTF-8
/// becomes U+FFFD. A pipe that breaks has ended.
pub(super) async fn next(pipe: &mut (impl AsyncBufRead + Unpin), stream: Stream) -> Option<Line> {
    let mut bytes = Vec::new();
    let mut length = 0;
    loop {
        let chunk = pipe.fill_buf().await.ok()?;
        if chunk.is_empty() {
            if length == 0 {
                return None;
            }
            break;
        }
        let end = chunk.iter().position(|b| *b == b'\n');
        let line = &chunk[..end.unwrap_or(chunk.len())];
        length += line.len();
        bytes.extend_from_slice(&line[..line.len().min(KEPT - bytes.len())]);
        let used = line.len() + usize::from(end.is_some());
        pipe.consume(used);
        if end.is_some() {
            break;
        }
    }
    if length == bytes.len() && bytes.last() == Some(&b'\r') {
        bytes.pop();
        length -= 1;
    }
    Some(Line {
        stream,
        cut: (length - bytes.len()) as u64,
        text: String::from_utf8_lossy(&bytes).into_owned(),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    async fn all(bytes: &[u8]) -> Vec<(String, u64)> {
        let mut pipe = tokio::io::BufReader::with_capacity(16, bytes);
        let mut lines = Vec::new();
        while let Some(line) = next(&mut pipe, Stream::Stdout).await {
            lines.push((line.text, line.cut));
        }
        lines
    }

    #[tokio::test]
    async fn lines_end_at_line_ends_and_at_the_end() {
        let lines = all(b"one\n\ntwo\r\nthree").await;
        let texts: Vec<&str> = lines.iter().map(|(text, _)| text.as_str()).collect();
        assert_eq!(texts, ["one", "", "two", "three"]);
    }

    #[tokio::test]
    async fn a_megabyte_is_cut_and_counted() {
        let mut bytes = vec![b'x'; 1 << 20];
        bytes.extend_from_slice(b"\nnext\n");
        let lines = all(&bytes).await;
        assert_eq!(lines[0].0.len(), KEPT);
        assert_eq!(lines[0].1, (1 << 20) - KEPT as u64);
        assert_eq!(lines[1], ("next".to_owned(), 0));
    }

    #[tokio::test]
    async fn bytes_that_are_not_text_are_marked() {
        assert_eq!(all(b"a\xffb\n").await, [("a\u{fffd}b".to_owned(), 0)]);
    }
}
