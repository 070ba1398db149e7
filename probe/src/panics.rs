//! What a panic said. A span that is left while its thread unwinds does not tell it.

use std::{any::Any, cell::RefCell, panic, sync::Once};

thread_local! {
    static SAID: RefCell<Option<String>> = const { RefCell::new(None) };
}

/// Hears panics, and leaves them to whoever heard them before. A hook that the program sets
/// later takes the place of this one; then their texts are unknown.
pub(crate) fn listen() {
    static ONCE: Once = Once::new();
    ONCE.call_once(|| {
        let before = panic::take_hook();
        panic::set_hook(Box::new(move |info| {
            // Not in a thread that is being torn down, nor while the text itself panics.
            let _ = SAID.try_with(|said| {
                if let Ok(mut said) = said.try_borrow_mut() {
                    *said = text(info.payload());
                }
            });
            before(info);
        }));
    });
}

/// What the panic said that unwinds this thread; nothing if it had no text.
pub(crate) fn said() -> String {
    let said = SAID.try_with(|said| said.try_borrow_mut().ok()?.take());
    said.ok().flatten().unwrap_or_default()
}

/// `panic!` makes a `&str` of a plain text, and a `String` of one with arguments.
fn text(payload: &dyn Any) -> Option<String> {
    let plain = payload.downcast_ref::<&str>().map(ToString::to_string);
    plain.or_else(|| payload.downcast_ref::<String>().cloned())
}
