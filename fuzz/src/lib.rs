//! What the targets have in common.
//!
//! | file | what it does |
//! |---|---|
//! | [`piece`] | cuts what libFuzzer gives into pieces, and makes frames and chunks of them |
//! | [`proto`] | messages in a form that can be changed anywhere |
//! | [`look`] | all that loopview can show of a model |

pub mod look;
pub mod piece;
pub mod proto;

use std::alloc::System;

use cap::Cap;

/// No input may make loopview take more, the model's own limits included.
const MOST: usize = 256 << 20;

#[global_allocator]
static MEMORY: Cap<System> = Cap::new(System, MOST);
