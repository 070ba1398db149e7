//! The keys as they are: the table's, unless the person has others.

use crossterm::event::{KeyEvent, KeyEventKind, KeyModifiers};

use super::{Action, Binding, Context, KEYS, Key};

/// A line of the table, with the keys that do it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Line {
    pub binding: &'static Binding,
    /// Any of these.
    pub keys: Vec<Key>,
}

impl Line {
    /// The keys that do it here: where text is typed, a plain character does not.
    pub fn keys_in(&self, context: Context) -> impl Iterator<Item = Key> {
        let typed = context.takes_text();
        let keys = self.keys.iter().copied();
        keys.filter(move |key| !typed || key.text().is_none())
    }
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Keymap(Vec<Line>);

impl Default for Keymap {
    fn default() -> Self {
        let line = |binding: &'static Binding| Line {
            binding,
            keys: binding.keys.to_vec(),
        };
        Self(KEYS.iter().map(line).collect())
    }
}

/// A key that would mean two things in one place, by the names of their bindings.
#[derive(Copy, Clone, Debug, PartialEq, Eq)]
pub struct Clash {
    pub key: Key,
    pub names: [&'static str; 2],
}

impl Keymap {
    /// What a key means here; `None` for one that means nothing. Where text is typed, a
    /// plain character is text.
    pub fn action(&self, event: KeyEvent, context: Context) -> Option<Action> {
        if event.kind == KeyEventKind::Release || event.modifiers.contains(KeyModifiers::ALT) {
            return None;
        }
        let key = Key::from(event);
        if let Some(c) = key.text().filter(|_| context.takes_text()) {
            return Some(Action::Type(c));
        }
        self.lines(context)
            .find(|line| line.keys.contains(&key))
            .map(|line| line.binding.action)
    }

    /// The lines that hold in a context.
    pub fn lines(&self, context: Context) -> impl Iterator<Item = &Line> {
        let holds = move |line: &&Line| line.binding.on.holds(context);
        self.0.iter().filter(holds)
    }

    /// All lines, in the order of the table.
    pub fn all(&self) -> impl Iterator<Item = &Line> {
        self.0.iter()
    }

    /// Gives a binding other keys; tells whether there is one of this name.
    pub fn rebind(&mut self, name: &str, keys: Vec<Key>) -> bool {
        let line = self.0.iter_mut().find(|line| line.binding.name == name);
        line.map(|line| line.keys = keys).is_some()
    }

    /// A key that means two things in one context, if there is one.
    pub fn clash(&self) -> Option<Clash> {
        Context::all().find_map(|context| {
            let mut seen: Vec<(Key, &'static str)> = Vec::new();
            for line in self.lines(context) {
                for key in line.keys_in(context) {
                    if let Some((_, first)) = seen.iter().find(|(other, _)| *other == key) {
                        return Some(Clash {
                            key,
                            names: [*first, line.binding.name],
                        });
                    }
                    seen.push((key, line.binding.name));
                }
            }
            None
        })
    }
}

#[cfg(test)]
mod tests {
    use crossterm::event::KeyCode;

    use super::{
        super::{Edit, Pane},
        *,
    };

    const TASKS: Context = Context::Pane(Pane::Tasks);

    fn press(code: KeyCode, modifiers: KeyModifiers) -> KeyEvent {
        KeyEvent::new(code, modifiers)
    }

    fn action(code: KeyCode, modifiers: KeyModifiers, context: Context) -> Option<Action> {
        Keymap::default().action(press(code, modifiers), context)
    }

    #[test]
    fn no_key_means_two_things_in_one_context() {
        assert_eq!(Keymap::default().clash(), None);
        let mut keys = Keymap::default();
        assert!(keys.rebind("zoom", vec![Key::char('q')]));
        let clash = keys.clash().expect("two things");
        assert_eq!(clash.key, Key::char('q'));
        assert_eq!(clash.names, ["quit", "zoom"]);
        assert!(!keys.rebind("zomo", Vec::new()));
    }

    #[test]
    fn every_name_is_of_one_binding() {
        let names: Vec<_> = KEYS.iter().map(|binding| binding.name).collect();
        for (i, name) in names.iter().enumerate() {
            assert!(!names[..i].contains(name), "{name} twice");
            let plain = |c: char| c.is_ascii_lowercase() || c == '-';
            assert!(name.chars().all(plain), "{name}");
        }
    }

    #[test]
    fn every_context_can_be_left_and_quit() {
        for context in Context::all() {
            let leave = action(KeyCode::Esc, KeyModifiers::NONE, context);
            assert_eq!(leave, Some(Action::Leave), "{context:?}");
            let quit = action(KeyCode::Char('c'), KeyModifiers::CONTROL, context);
            assert_eq!(quit, Some(Action::Quit), "{context:?}");
        }
    }

    #[test]
    fn shift_is_in_the_character() {
        let shifted = action(KeyCode::Char('S'), KeyModifiers::SHIFT, TASKS);
        assert_eq!(shifted, Some(Action::SortReverse));
        let back = action(KeyCode::BackTab, KeyModifiers::SHIFT, TASKS);
        assert_eq!(back, Some(Action::PrevPane));
    }

    #[test]
    fn a_plain_c_is_not_control_c() {
        let plain = action(KeyCode::Char('c'), KeyModifiers::NONE, TASKS);
        assert_ne!(plain, Some(Action::Quit));
    }

    #[test]
    fn where_text_is_typed_a_character_is_text() {
        for context in Context::all().filter(|context| context.takes_text()) {
            let typed = action(KeyCode::Char('q'), KeyModifiers::NONE, context);
            assert_eq!(typed, Some(Action::Type('q')));
            let rubbed = action(KeyCode::Backspace, KeyModifiers::NONE, context);
            assert_eq!(rubbed, Some(Action::Edit(Edit::Backspace)));
        }
    }

    #[test]
    fn a_release_does_nothing() {
        let mut event = press(KeyCode::Char('q'), KeyModifiers::NONE);
        event.kind = KeyEventKind::Release;
        assert_eq!(Keymap::default().action(event, TASKS), None);
    }
}
