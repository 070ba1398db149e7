//! Runs one job in a process of its own, with or without a client.

use std::{
    io::{BufRead, BufReader, Write},
    net::{Ipv4Addr, TcpListener},
    process::{Child, Command, Stdio},
};

use crate::{
    client::{self, Client},
    job::{Flavor, Instrument, Job},
};

pub type Error = Box<dyn std::error::Error>;

/// What a job came to.
pub struct Measured {
    pub figure: f64,
    /// Bytes in memory at the end.
    pub memory: f64,
    /// What the client was told was dropped.
    pub dropped: Option<u64>,
}

/// Ends the process, however this ends.
struct Process(Child);

impl Drop for Process {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

pub fn job(
    job: Job,
    instrument: Instrument,
    flavor: Flavor,
    watched: bool,
    n: u64,
) -> Result<Measured, Error> {
    let folder = tempfile::tempdir()?;
    let socket = folder.path().join("probe.sock");
    let address = TcpListener::bind((Ipv4Addr::LOCALHOST, 0))?.local_addr()?;
    let mut command = Command::new(std::env::current_exe()?);
    command
        .args(["job", &job.to_string(), &instrument.to_string()])
        .args([flavor.to_string(), n.to_string()])
        .stdin(Stdio::piped())
        .stdout(Stdio::piped());
    match instrument {
        Instrument::Bare => {}
        Instrument::ConsoleSubscriber => {
            command.env("TOKIO_CONSOLE_BIND", address.to_string());
        }
        Instrument::Probe => {
            command.env("LOOPVIEW_SOCKET", &socket);
        }
    }
    if job == Job::Publish {
        command.env("TOKIO_CONSOLE_PUBLISH_INTERVAL", "100ms");
    }
    let mut process = Process(command.spawn()?);
    let mut orders = process.0.stdin.take().ok_or("no pipe")?;
    let answers = process.0.stdout.take().ok_or("no pipe")?;
    let mut answers = BufReader::new(answers).lines();
    expect(&mut answers, "ready")?;
    let client = match instrument {
        Instrument::ConsoleSubscriber if watched => Some(Client::start(client::At::Tcp(address))),
        Instrument::Probe if watched => Some(Client::start(client::At::Unix(socket))),
        _ => None,
    };
    if let Some(client) = &client {
        client.wait_for_the_first_update()?;
    }
    writeln!(orders, "go")?;
    let figure = expect(&mut answers, "figure")?.parse()?;
    let memory = expect(&mut answers, "memory")?.parse()?;
    let dropped = client.map(Client::stop);
    writeln!(orders, "end")?;
    Ok(Measured {
        figure,
        memory,
        dropped,
    })
}

/// The rest of the next line that begins with `word`.
fn expect(
    answers: &mut impl Iterator<Item = std::io::Result<String>>,
    word: &str,
) -> Result<String, Error> {
    for line in answers {
        if let Some(rest) = line?.strip_prefix(word) {
            return Ok(rest.trim().to_owned());
        }
    }
    Err(format!("the process ended without its {word}").into())
}
