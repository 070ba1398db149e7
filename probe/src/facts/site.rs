//! What is the same for all that comes from one place in the program: kept once.

use std::{
    collections::HashMap,
    fmt,
    hash::{DefaultHasher, Hash, Hasher},
    ops::Deref,
    sync::{Mutex, OnceLock, PoisonError},
};

use tracing::Metadata;

/// A place in source code.
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash)]
pub(crate) struct Place {
    pub(crate) file: Box<str>,
    pub(crate) line: u32,
    pub(crate) column: u32,
}

/// What a task is, by tokio's field `kind` and, of blocking ones, by its function.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) enum Role {
    #[default]
    Task,
    Blocking,
    BlockOn,
    /// A closure on the blocking pool that is a worker of a multi-thread runtime.
    Worker,
}

impl Role {
    /// `function` is the closure's type: one of the scheduler's own runs a worker, be it started
    /// with the runtime, or in the place of one that runs `block_in_place`.
    fn of(kind: &str, function: &str) -> Self {
        let worker = function.contains("::runtime::scheduler::multi_thread");
        match kind {
            _ if worker => Self::Worker,
            "blocking" => Self::Blocking,
            "block_on" => Self::BlockOn,
            _ => Self::Task,
        }
    }
}

/// An event, and a word of it.
pub(crate) type Told = (&'static Metadata<'static>, Box<str>);

/// The fields of a span of tokio's that do not differ between those of one place.
#[derive(Debug)]
pub(crate) struct Site {
    pub(crate) meta: &'static Metadata<'static>,
    pub(crate) role: Role,
    /// The field `kind`.
    pub(crate) kind: Box<str>,
    /// The field `fn` of a blocking task, `concrete_type` of a resource, `source` of an
    /// operation.
    pub(crate) what: Box<str>,
    pub(crate) place: Option<Place>,
    pub(crate) size: Option<u64>,
    pub(crate) original_size: Option<u64>,
    pub(crate) is_internal: bool,
    pub(crate) inherits: bool,
    /// Of an operation: what its poll is called, and by which event.
    pub(crate) poll_op: OnceLock<Told>,
    /// Of a timer: by which event its duration is told, and in what unit.
    pub(crate) duration: OnceLock<Told>,
    pub(crate) written: Written,
}

/// What the publisher writes of each that comes from one place, in the console protocol, as
/// it is the same each time.
#[derive(Debug, Default)]
pub(crate) struct Written {
    /// That it is new.
    pub(crate) new: OnceLock<Box<[u8]>>,
    pub(crate) poll_op: OnceLock<Box<[u8]>>,
    /// The field `duration`, without its value.
    pub(crate) duration: OnceLock<Box<[u8]>>,
}

/// A text that is nearly always what it was the last time: only what differs is written, as
/// to compare with what was just written has to wait for it.
#[derive(Debug, Default)]
pub(crate) struct Text {
    held: String,
    /// So much of it has been told this time.
    told: usize,
    /// It is not what it was when its site was last looked for.
    is_new: bool,
}

impl Text {
    fn end(&mut self) {
        self.is_new |= self.told < self.held.len();
        self.held.truncate(self.told);
    }
}

impl Deref for Text {
    type Target = str;

    fn deref(&self) -> &str {
        &self.held
    }
}

impl fmt::Write for Text {
    fn write_str(&mut self, part: &str) -> fmt::Result {
        let end = self.told + part.len();
        let same = self.held.as_bytes().get(self.told..end);
        if same != Some(part.as_bytes()) {
            self.is_new = true;
            self.held.truncate(self.told);
            self.held.push_str(part);
        }
        self.told = end;
        Ok(())
    }
}

/// A site as the spans of one callsite tell it.
#[derive(Debug, Default)]
pub(crate) struct SiteFields {
    pub(crate) kind: Text,
    pub(crate) what: Text,
    pub(crate) file: Text,
    pub(crate) line: Option<u32>,
    pub(crate) column: u32,
    pub(crate) size: Option<u64>,
    pub(crate) original_size: Option<u64>,
    pub(crate) is_internal: bool,
    pub(crate) inherits: bool,
    /// Of the span before.
    last: Option<&'static Site>,
}

impl SiteFields {
    pub(crate) fn begin(&mut self) {
        (self.kind.told, self.what.told, self.file.told) = (0, 0, 0);
        (self.line, self.column) = (None, 0);
        (self.size, self.original_size) = (None, None);
        (self.is_internal, self.inherits) = (false, false);
    }

    pub(crate) fn end(&mut self) {
        self.kind.end();
        self.what.end();
        self.file.end();
    }

    pub(crate) fn place(&self) -> Option<Place> {
        Some(Place {
            file: (*self.file).into(),
            line: self.line?,
            column: self.column,
        })
    }

    pub(crate) fn find(
        &mut self,
        meta: &'static Metadata<'static>,
        near: &mut NearSites,
        all: &Sites,
    ) -> &'static Site {
        let mut is_new = false;
        for text in [&mut self.kind, &mut self.what, &mut self.file] {
            is_new |= std::mem::take(&mut text.is_new);
        }
        match self.last {
            Some(last) if !is_new && self.has_numbers_of(last) => last,
            _ => self.last.insert(near.find(all, meta, self)),
        }
    }

    fn has_numbers_of(&self, site: &Site) -> bool {
        let place = site.place.as_ref();
        self.line == place.map(|place| place.line)
            && place.is_none_or(|place| self.column == place.column)
            && self.size == site.size
            && self.original_size == site.original_size
            && self.is_internal == site.is_internal
            && self.inherits == site.inherits
    }

    fn is(&self, meta: &'static Metadata<'static>, site: &Site) -> bool {
        let place = site.place.as_ref();
        std::ptr::eq(meta, site.meta)
            && self.has_numbers_of(site)
            && place.is_none_or(|place| *self.file == *place.file)
            && *self.what == *site.what
            && *self.kind == *site.kind
    }

    fn make(&self, meta: &'static Metadata<'static>) -> Site {
        Site {
            meta,
            role: Role::of(&self.kind, &self.what),
            kind: (*self.kind).into(),
            what: (*self.what).into(),
            place: self.place(),
            size: self.size,
            original_size: self.original_size,
            is_internal: self.is_internal,
            inherits: self.inherits,
            poll_op: OnceLock::new(),
            duration: OnceLock::new(),
            written: Written::default(),
        }
    }

    fn hash(&self, meta: &'static Metadata<'static>) -> u64 {
        let mut hasher = DefaultHasher::new();
        std::ptr::from_ref(meta).hash(&mut hasher);
        (&*self.file, self.line, self.column, &*self.what).hash(&mut hasher);
        (self.size, self.original_size).hash(&mut hasher);
        hasher.finish()
    }

    /// Where in a thread's own small table its site is looked for.
    fn slot(&self, meta: &'static Metadata<'static>) -> usize {
        let meta = std::ptr::from_ref(meta).addr() >> 4;
        let line = self.line.unwrap_or_default() as usize;
        let size = self.size.unwrap_or_default() as usize;
        (meta ^ line ^ (self.column as usize) << 2 ^ size >> 3) % NEAR
    }
}

const NEAR: usize = 64;

/// The sites that a thread met last.
#[derive(Debug)]
pub(crate) struct NearSites([Option<&'static Site>; NEAR]);

impl Default for NearSites {
    fn default() -> Self {
        Self([const { None }; NEAR])
    }
}

impl NearSites {
    pub(crate) fn find(
        &mut self,
        sites: &Sites,
        meta: &'static Metadata<'static>,
        fields: &SiteFields,
    ) -> &'static Site {
        let near = &mut self.0[fields.slot(meta)];
        match near {
            Some(site) if fields.is(meta, site) => site,
            _ => near.insert(sites.find(meta, fields)),
        }
    }
}

/// All sites. None of them is ever forgotten: so nobody has to count who knows it, which
/// several threads would do in the same place.
#[derive(Debug, Default)]
pub(crate) struct Sites(Mutex<HashMap<u64, Vec<&'static Site>>>);

impl Sites {
    fn find(&self, meta: &'static Metadata<'static>, fields: &SiteFields) -> &'static Site {
        let mut all = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let same = all.entry(fields.hash(meta)).or_default();
        if let Some(site) = same.iter().find(|site| fields.is(meta, site)) {
            return site;
        }
        let site = Box::leak(Box::new(fields.make(meta)));
        same.push(site);
        site
    }
}

#[cfg(test)]
mod tests {
    use std::fmt::Write;

    use super::*;

    #[test]
    fn a_text_is_what_was_told_last() {
        let mut fields = SiteFields::default();
        let texts = [
            (&["task"][..], true),
            (&["task"], false),
            (&["ta", "sk"], false),
            (&["ta", "sk", "s"], true),
            (&["tä", "sks"], true),
            (&["t"], true),
            (&["t", ""], false),
            (&[], true),
            (&[], false),
        ];
        for (parts, is_new) in texts {
            fields.begin();
            for part in parts {
                fields.kind.write_str(part).expect("it does not fail");
            }
            fields.end();
            assert_eq!(&*fields.kind, parts.concat());
            assert_eq!(std::mem::take(&mut fields.kind.is_new), is_new, "{parts:?}");
        }
    }
}
