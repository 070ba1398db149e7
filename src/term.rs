//! The terminal: taken over, and always given back.

use std::{
    fmt,
    io::{self, BufWriter},
    panic,
    sync::Once,
    time::Duration,
};

use crossterm::{
    Command,
    clipboard::CopyToClipboard,
    cursor::{Hide, Show},
    event::{
        self, DisableBracketedPaste, DisableMouseCapture, EnableBracketedPaste, Event, EventStream,
    },
    execute, queue,
    terminal::{
        BeginSynchronizedUpdate, Clear, ClearType, EndSynchronizedUpdate, EnterAlternateScreen,
        LeaveAlternateScreen, disable_raw_mode, enable_raw_mode,
    },
};
use futures::StreamExt;
use ratatui::{
    Frame, TerminalOptions, Viewport,
    backend::{Backend, CrosstermBackend},
    layout::{Rect, Size},
};

/// As standard output, it would write a picture in pieces of a kilobyte.
type Terminal = ratatui::Terminal<CrosstermBackend<BufWriter<io::Stdout>>>;

/// Bytes of a picture in which all has changed, or of a large part of it.
const PICTURE: usize = 64 << 10;

/// The screen and its keys, for as long as this lives. A process opens one: keys that are
/// pressed while one stream of them takes the place of another can get lost.
#[derive(Debug)]
pub struct Screen {
    terminal: Terminal,
    events: EventStream,
}

impl Screen {
    /// With `mouse`, the terminal tells what is done with the mouse, and does not select
    /// text with it.
    pub fn open(mouse: bool) -> io::Result<Self> {
        restore_on_panic();
        enable_raw_mode()?;
        let opened = execute!(
            io::stdout(),
            EnterAlternateScreen,
            // Some terminals have no other screen, and only what changes is drawn.
            Clear(ClearType::All),
            Hide,
            EnableBracketedPaste
        )
        .and_then(|()| {
            if mouse {
                execute!(io::stdout(), CaptureMouse)
            } else {
                Ok(())
            }
        })
        .and_then(|()| terminal());
        match opened {
            Ok(terminal) => Ok(Self {
                terminal,
                events: EventStream::new(),
            }),
            Err(error) => {
                restore();
                Err(error)
            }
        }
    }
}

/// Has the size that the terminal has now. To ask at each picture would be to open a file each
/// time: that the size has changed is told.
fn terminal() -> io::Result<Terminal> {
    // From here on. If it is not, neither are keys, which shows where they are waited for.
    let _ = event::poll(Duration::ZERO);
    let backend = CrosstermBackend::new(BufWriter::with_capacity(PICTURE, io::stdout()));
    let viewport = Viewport::Fixed(backend.size()?.into());
    Terminal::with_options(backend, TerminalOptions { viewport })
}

impl Screen {
    /// Columns and rows.
    pub fn size(&self) -> io::Result<Size> {
        self.terminal.size()
    }

    /// Draws what has changed, and tells where. The terminal gets it at once, and one that can
    /// shows no half of it.
    pub fn draw(&mut self, draw: impl FnOnce(&mut Frame<'_>)) -> io::Result<Rect> {
        queue!(self.terminal.backend_mut(), BeginSynchronizedUpdate)?;
        let area = self.terminal.draw(draw)?.area;
        execute!(self.terminal.backend_mut(), EndSynchronizedUpdate)?;
        Ok(area)
    }

    /// The next key, or what else the terminal tells. Nothing once the terminal has gone.
    pub async fn event(&mut self) -> Option<Event> {
        let event = self.events.next().await?.ok()?;
        if let Event::Resize(width, height) = event {
            let area = Rect::new(0, 0, width, height);
            self.terminal.resize(area).ok()?;
        }
        Some(event)
    }

    /// Asks the terminal to put a text on the clipboard (OSC 52). Not every terminal does
    /// so, and none tells.
    pub fn copy(&mut self, text: &str) {
        // A terminal that has gone is told of where it is drawn on.
        let _ = execute!(io::stdout(), CopyToClipboard::to_clipboard_from(text));
    }
}

/// Presses, drags and the wheel, with places beyond column 223. Unlike crossterm's own
/// command, not every motion: that would wake us for nothing.
struct CaptureMouse;

impl Command for CaptureMouse {
    fn write_ansi(&self, f: &mut impl fmt::Write) -> fmt::Result {
        f.write_str("\x1b[?1000h\x1b[?1002h\x1b[?1006h")
    }
}

impl Drop for Screen {
    fn drop(&mut self) {
        // If drawing has panicked, the picture that was begun is still to be ended.
        let _ = execute!(self.terminal.backend_mut(), EndSynchronizedUpdate);
        restore();
    }
}

/// Puts the terminal back as it was. It may have gone, and then there is nothing to do.
fn restore() {
    let _ = execute!(
        io::stdout(),
        DisableMouseCapture,
        DisableBracketedPaste,
        LeaveAlternateScreen,
        Show
    );
    let _ = disable_raw_mode();
}

/// A panic's message would be lost on the alternate screen.
fn restore_on_panic() {
    static ONCE: Once = Once::new();
    ONCE.call_once(|| {
        let print = panic::take_hook();
        panic::set_hook(Box::new(move |info| {
            restore();
            print(info);
        }));
    });
}
