//! Makes the pictures of the demos: `cargo run --release --example demos` draws them from their
//! recordings, and with `--record` it makes new recordings first.

mod list;

use std::{
    env,
    error::Error,
    ffi::OsString,
    fs,
    io::{self, Write},
    process::{Command, ExitCode, Stdio},
};

use list::DEMOS;

fn main() -> ExitCode {
    let words: Vec<OsString> = env::args_os().collect();
    let done = match words.get(1) {
        None => DEMOS.into_iter().try_for_each(draw),
        Some(word) if word == "--record" => DEMOS
            .into_iter()
            .try_for_each(|name| record(name).and_then(|()| draw(name))),
        // What is recorded is run by this program, as loopview runs it.
        Some(_) => match loopview::cmd::parse(&words).and_then(loopview::cmd::execute) {
            Ok(code) => return code,
            Err(error) => Err(error.into()),
        },
    };
    match done {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            let _ = writeln!(io::stderr(), "demos: {error}");
            ExitCode::FAILURE
        }
    }
}

fn record(name: &str) -> Result<(), Box<dyn Error>> {
    let file = format!("demos/{name}.lv");
    match fs::remove_file(&file) {
        Err(error) if error.kind() != io::ErrorKind::NotFound => return Err(error.into()),
        _ => {}
    }
    let mut words = format!("run {name} --headless --record {file}");
    // It never ends by itself.
    if name == "deadlock" {
        words += " --for 4s";
    }
    let words: Vec<String> = words.split(' ').map(str::to_owned).collect();
    run(&words).map(drop)
}

fn draw(name: &str) -> Result<(), Box<dyn Error>> {
    let picture = run(&list::draw(name))?;
    let file = format!("demos/{name}.svg");
    fs::write(&file, &picture)?;
    writeln!(io::stdout(), "{file}: {} bytes", picture.len())?;
    Ok(())
}

/// What loopview prints.
fn run(words: &[String]) -> Result<Vec<u8>, Box<dyn Error>> {
    let mut command = Command::new(env::current_exe()?);
    let output = command.args(words).stderr(Stdio::inherit()).output()?;
    if output.status.success() {
        Ok(output.stdout)
    } else {
        Err(format!("loopview {} ended with {}", words.join(" "), output.status).into())
    }
}
