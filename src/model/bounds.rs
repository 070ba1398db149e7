//! How much is kept of what lives, whatever a target or a recording tells.
//!
//! What has ended is forgotten, the oldest first. What lives is wanted, and is as much as is told
//! to live: beyond these bounds it is counted and not taken in.

/// Live things of each kind: tasks, timers, resources, operations, scopes.
pub(super) const MOST: usize = 1 << 18;

/// Bytes of tasks' names, places and fields.
pub(super) const TEXT: usize = 64 << 20;

pub(super) const RUNTIMES: usize = 1_024;
