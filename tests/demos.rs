//! The pictures in the repository are those of their recordings.

#[path = "../examples/demos/list.rs"]
mod list;

use std::{fs, path::Path, process::Command, thread};

use list::DEMOS;

fn root() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
}

#[test]
fn each_picture_is_what_its_recording_gives() {
    thread::scope(|scope| {
        for name in DEMOS {
            scope.spawn(move || {
                let mut loopview = Command::new(env!("CARGO_BIN_EXE_loopview"));
                let output = loopview.args(list::draw(name)).current_dir(root()).output();
                let output = output.expect("loopview starts");
                let errors = String::from_utf8_lossy(&output.stderr);
                assert!(output.status.success(), "{name}: {errors}");
                let file = root().join(format!("demos/{name}.svg"));
                let same = fs::read(&file).expect("a picture") == output.stdout;
                assert!(
                    same,
                    "{}: `cargo run --release --example demos` draws it again; look at it",
                    file.display()
                );
            });
        }
    });
}

#[test]
fn each_picture_that_is_shown_is_there() {
    for page in ["README.md", "demos/README.md"] {
        let page = root().join(page);
        let text = fs::read_to_string(&page).expect("a page");
        let links = text
            .split("](")
            .skip(1)
            .filter_map(|rest| rest.split(')').next());
        let pictures = links.map(Path::new);
        let pictures = pictures.filter(|link| link.extension().is_some_and(|end| end == "svg"));
        let pictures: Vec<&Path> = pictures.collect();
        assert!(!pictures.is_empty(), "{}", page.display());
        for picture in pictures {
            let path = page.parent().expect("a folder").join(picture);
            assert!(path.exists(), "{} is not there", path.display());
        }
    }
}
