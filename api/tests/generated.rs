//! The committed Rust is what the `.proto` files give today.

use std::{env, fs, path::Path};

const PROTOS: [&str; 2] = [
    "loopview/v1/probe.proto",
    "loopview/recording/v1/recording.proto",
];
const GENERATED: [&str; 2] = ["loopview.v1.rs", "loopview.recording.v1.rs"];

#[test]
fn generated_code_is_current() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let fresh = tempfile::tempdir().expect("a temporary folder");
    let descriptors =
        protox::compile(PROTOS, [root.join("proto")]).expect("the proto files compile");
    tonic_prost_build::configure()
        .codec_path("crate::Codec")
        .out_dir(fresh.path())
        .compile_fds(descriptors)
        .expect("code is generated");

    for name in GENERATED {
        let made = fs::read_to_string(fresh.path().join(name)).expect("the generated file");
        let committed = root.join("src/generated").join(name);
        if env::var_os("LOOPVIEW_REGENERATE").is_some() {
            fs::write(&committed, &made).expect("the generated file is written");
        }
        let kept = fs::read_to_string(&committed).unwrap_or_default();
        assert!(
            made == kept,
            "{} is stale: run LOOPVIEW_REGENERATE=1 cargo test -p loopview-api",
            committed.display()
        );
    }
}
