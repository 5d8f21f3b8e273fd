//! A program of somebody else's, started by a test and ended with it.

use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use crate::harness::unused_address;

/// A port that nobody has.
pub fn free_port() -> u16 {
    unused_address().port()
}

/// A server that runs until this is dropped.
pub struct Running(Child);

impl Running {
    pub fn start(command: &mut Command) -> Self {
        Self(command.stdin(Stdio::null()).spawn().unwrap_or_else(|error| panic!("{command:?}: {error}")))
    }

    /// Waits until something is true, as long as the program lives.
    #[track_caller]
    pub fn until(&mut self, what: &str, mut is_true: impl FnMut() -> bool) {
        let started = Instant::now();
        while !is_true() {
            assert!(self.0.try_wait().unwrap().is_none(), "it ended before {what}");
            assert!(started.elapsed() < Duration::from_mins(1), "not in time: {what}");
            std::thread::sleep(Duration::from_millis(20));
        }
    }

    /// `kill -9`.
    pub fn kill(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        // SIGTERM first: nginx ends its workers on it.
        if let Some(pid) = i32::try_from(self.0.id()).ok().and_then(rustix::process::Pid::from_raw)
            && matches!(self.0.try_wait(), Ok(None))
        {
            let _ = rustix::process::kill_process(pid, rustix::process::Signal::TERM);
            let told = Instant::now();
            while matches!(self.0.try_wait(), Ok(None)) && told.elapsed() < Duration::from_secs(5) {
                std::thread::sleep(Duration::from_millis(10));
            }
        }
        self.kill();
    }
}

/// Runs a command to its end, which must be a success; answers what it printed.
#[track_caller]
pub fn output_of(command: &mut Command) -> String {
    let done = command.stdin(Stdio::null()).output().unwrap_or_else(|error| panic!("{command:?}: {error}"));
    let (said, complained) = (String::from_utf8_lossy(&done.stdout), String::from_utf8_lossy(&done.stderr));
    assert!(done.status.success(), "{command:?} {}\n{said}\n{complained}", done.status);
    said.into_owned()
}
