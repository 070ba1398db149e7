//! What the tests share: [`scenario`], a language for stories of a program, with its
//! [`words`]; [`program`], an instrumented program that lives through one; [`expect`],
//! what a story says of the model.

// Each test file uses another part.
#![allow(dead_code)]

pub mod chaos;
pub mod expect;
pub mod program;
pub mod scenario;
pub mod words;
