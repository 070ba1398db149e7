//! The process and its children, and that none outlives us.

use std::{os::unix::process::CommandExt, process::Stdio, time::Duration};

use rustix::process::{Pid, Signal, kill_process_group};
use tokio::process::{Child, ChildStderr, ChildStdout, Command};

use crate::frame::Exit;

/// How long a process may take to end when asked to.
const GRACE: Duration = Duration::from_secs(1);

/// A process that leads a group of its own, so that its children can be ended with it.
#[derive(Debug)]
pub(super) struct Process {
    child: Child,
    group: Option<Pid>,
}

impl Process {
    pub(super) fn start(mut command: std::process::Command) -> std::io::Result<Self> {
        command
            .process_group(0)
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped());
        let child = Command::from(command).spawn()?;
        let group = child
            .id()
            .and_then(|id| Pid::from_raw(i32::try_from(id).ok()?));
        Ok(Self { child, group })
    }

    pub(super) fn pipes(&mut self) -> (Option<ChildStdout>, Option<ChildStderr>) {
        (self.child.stdout.take(), self.child.stderr.take())
    }

    /// Returns once the process itself has ended.
    pub(super) async fn ended(&mut self) -> std::io::Result<Exit> {
        self.child.wait().await.map(Exit::from)
    }

    /// Asks the whole group to end, and makes it end if it does not.
    pub(super) async fn end(&mut self) -> std::io::Result<Exit> {
        self.signal(Signal::TERM);
        let exit = if let Ok(status) = tokio::time::timeout(GRACE, self.child.wait()).await {
            status
        } else {
            self.signal(Signal::KILL);
            self.child.wait().await
        };
        exit.map(Exit::from)
    }

    /// Ends children that are still there when the process itself has gone.
    pub(super) fn sweep(&self) {
        self.signal(Signal::KILL);
    }

    fn signal(&self, signal: Signal) {
        if let Some(group) = self.group {
            // An empty group is what is wanted.
            let _ = kill_process_group(group, signal);
        }
    }
}

impl Drop for Process {
    /// The last resort, when there is no time to ask.
    fn drop(&mut self) {
        self.sweep();
    }
}
