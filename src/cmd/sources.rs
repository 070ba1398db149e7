//! Finds the source files that a target names: a lesson's in this binary, others on disk.

use std::{
    fs,
    path::{Path, PathBuf},
};

use crate::{
    frame::{Target, TargetKind},
    stage::Sources,
};

/// No file of code is longer.
const MAX_BYTES: u64 = 4 << 20;

/// Finds the files that this target names.
pub fn of(target: &Target, program: Option<&Path>) -> Sources {
    let (target, program) = (target.clone(), program.map(Path::to_owned));
    Box::new(move |file| find(&target, program.as_deref(), file))
}

/// The lines of a file, by the name that the compiler gave it, or why there are none. Such a
/// name is often relative to the workspace that was built: it is looked for below this folder
/// and below the program's, and those around them.
fn find(target: &Target, program: Option<&Path>, file: &str) -> Result<Vec<String>, String> {
    if target.kind == TargetKind::Workload {
        return lesson(file);
    }
    let found = candidates(program, file)
        .into_iter()
        .find(|path| fs::metadata(path).is_ok_and(|it| it.is_file() && it.len() <= MAX_BYTES));
    let Some(path) = found else {
        return Err(format!(
            "{file} is not here: start loopview in the folder in which the program was built"
        ));
    };
    match fs::read(&path) {
        Ok(bytes) => Ok(lines(&String::from_utf8_lossy(&bytes))),
        Err(error) => Err(format!("{} cannot be read: {error}", path.display())),
    }
}

/// A lesson is what it brings along, wherever loopview is started: what starts it is none of it.
fn lesson(file: &str) -> Result<Vec<String>, String> {
    let mut lessons = loopview_workloads::all().iter();
    let lesson = lessons.find(|lesson| file.ends_with(lesson.file));
    let lesson =
        lesson.ok_or_else(|| format!("{file} is no part of the lesson, another file is"))?;
    Ok(lines(lesson.source))
}

fn candidates(program: Option<&Path>, file: &str) -> Vec<PathBuf> {
    if Path::new(file).is_absolute() {
        return vec![file.into()];
    }
    let here = std::env::current_dir().ok();
    let program = program.and_then(|path| path.canonicalize().ok());
    let mut paths = Vec::new();
    for folder in [here, program].into_iter().flatten() {
        paths.extend(folder.ancestors().map(|above| above.join(file)));
    }
    paths
}

fn lines(text: &str) -> Vec<String> {
    text.lines()
        .map(|line| line.replace('\t', "    "))
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn target(kind: TargetKind) -> Target {
        let name = "gather".to_owned();
        Target { name, kind }
    }

    #[test]
    fn a_lesson_brings_its_source() {
        let file = "/somewhere/else/workloads/src/gather.rs";
        let lines = find(&target(TargetKind::Workload), None, file).unwrap();
        assert!(lines.iter().any(|line| line.contains("aio::gather(")));
        assert!(find(&target(TargetKind::Program), None, file).is_err());
    }

    #[test]
    fn what_starts_a_lesson_is_no_part_of_it() {
        let own = find(&target(TargetKind::Workload), None, "src/cmd/workload.rs");
        assert!(own.is_err_and(|why| why.contains("no part of the lesson")));
    }

    #[test]
    fn others_are_found_around_here_and_around_the_program() {
        let program = target(TargetKind::Program);
        assert!(find(&program, None, "src/cmd/sources.rs").is_ok());
        let folder = tempfile::tempdir().unwrap();
        let built = folder.path().join("target/debug");
        fs::create_dir_all(&built).unwrap();
        fs::create_dir(folder.path().join("code")).unwrap();
        fs::write(
            folder.path().join("code/app.rs"),
            "fn main() {\n\tx();\n}\n",
        )
        .unwrap();
        fs::write(built.join("app"), "").unwrap();
        let lines = find(&program, Some(&built.join("app")), "code/app.rs").unwrap();
        assert_eq!(lines, ["fn main() {", "    x();", "}"]);
    }

    #[test]
    fn what_is_no_file_is_not_opened() {
        let program = target(TargetKind::Program);
        let why = find(&program, None, "/dev/zero").unwrap_err();
        assert!(why.contains("is not here"), "{why}");
        assert!(find(&program, None, "src").is_err());
    }
}
