//! loopview: a live terminal dashboard for tokio's event loop.
//!
//! ```text
//! target ──▶ Frame ──▶ model ──▶ view ──▶ terminal
//!              │         │
//!              ▼         ▼
//!          recording   report
//! ```
//!
//! A [`target`] launches or attaches to a program and makes [`frame`]s; the [`model`] is a
//! pure function of them; a [`view`] draws the model; [`sink`]s write it elsewhere. [`app`],
//! [`player`] and [`cmd`] join these, and nothing else does.

pub mod app;
pub mod cli;
pub mod cmd;
pub mod config;
pub mod decode;
pub mod error;
pub mod filter;
pub mod frame;
pub mod keymap;
pub mod model;
pub mod player;
pub mod recording;
pub mod script;
pub mod sink;
pub mod stage;
pub mod target;
pub mod term;
pub mod travel;
pub mod view;
