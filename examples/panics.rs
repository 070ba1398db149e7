//! A dashboard that panics while its target runs. The tests look at what is left: nothing.
//!
//! The argument is the path of the loopview binary, whose workload is the target.

use loopview::{
    target::{Launch, launch},
    term::Screen,
};

fn main() {
    let program = std::env::args_os().nth(1).expect("the path of loopview");
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build();
    runtime.expect("a runtime").block_on(async {
        let args = ["workload", "hello", "--scale", "1000"]
            .map(Into::into)
            .to_vec();
        let mut source = launch(&Launch {
            program,
            args,
            own: true,
        })
        .expect("it starts");
        let _screen = Screen::open().expect("a terminal");
        source.frames.recv().await.expect("a frame");
        panic!("on purpose");
    });
}
