//! Tells the crate which model it has.
//!
//! A keyframe in a recording is the model as one version of it made it from frames, and
//! only that version can go on from there. So it is known by what its source says: a model
//! that was changed, in its fields or in what it makes of a frame, is another one.

use std::{
    fs,
    hash::{DefaultHasher, Hash, Hasher},
    io,
    path::PathBuf,
};

fn main() -> io::Result<()> {
    println!("cargo::rerun-if-changed=src/model");
    println!("cargo::rerun-if-changed=src/frame.rs");
    let mut files = Vec::new();
    collect("src/model".into(), &mut files)?;
    files.sort();
    let mut hash = DefaultHasher::new();
    for file in files {
        file.hash(&mut hash);
        fs::read(file)?.hash(&mut hash);
    }
    println!("cargo::rustc-env=LOOPVIEW_MODEL={}", hash.finish());
    Ok(())
}

/// The files in a folder, and in those in it.
fn collect(folder: PathBuf, files: &mut Vec<PathBuf>) -> io::Result<()> {
    for entry in fs::read_dir(folder)? {
        let path = entry?.path();
        if path.is_dir() {
            collect(path, files)?;
        } else {
            files.push(path);
        }
    }
    Ok(())
}
