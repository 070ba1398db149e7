//! Which demos there are: of each lesson `demos/NAME.lv`, `NAME.keys` and `NAME.svg`.

pub const DEMOS: [&str; 6] = [
    "gather",
    "taskgroup",
    "timeout",
    "blocking",
    "to-thread",
    "deadlock",
];

/// The words after `loopview` that print a demo's picture, in the root of the repository.
pub fn draw(name: &str) -> Vec<String> {
    let (recording, keys) = (format!("demos/{name}.lv"), format!("demos/{name}.keys"));
    let what = ["export", &recording, "--keys", &keys];
    let how = "--to svg --animated --size 112x28 --rate 10 --color always --lang en";
    let words = what.into_iter().chain(how.split(' '));
    words.map(str::to_owned).collect()
}
