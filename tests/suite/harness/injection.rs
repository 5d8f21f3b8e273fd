//! What a kernel would do to a process on a bad day, done by `strace`.

use std::io::{BufRead, BufReader};
use std::process::{Child, ChildStderr, Command, Stdio};

use super::requirement::{missing, program};

/// Calls of a running process that fail, or end it, for as long as this lives.
pub struct Injection {
    strace: Child,
    // Kept open: strace says there that it lets go.
    _said: BufReader<ChildStderr>,
}

impl Injection {
    /// Whether there is such a program; says so where there is none.
    #[track_caller]
    pub fn is_possible() -> bool {
        let found = program("strace").is_some();
        if !found {
            missing("strace");
        }
        found
    }

    /// Attaches to a process. `what` is a value of strace's `--inject`, as `fdatasync:error=EIO`.
    #[track_caller]
    pub fn into(pid: u32, what: &str) -> Self {
        let calls = what.split(':').next().unwrap();
        let mut strace = Command::new("strace")
            .args(["-f", "-o", "/dev/null", "-e", &format!("trace={calls}"), "-e", &format!("inject={what}")])
            .args(["-p", &pid.to_string()])
            .stdin(Stdio::null())
            .stderr(Stdio::piped())
            .spawn()
            .expect("strace");
        // It says so once it holds every thread.
        let mut said = BufReader::new(strace.stderr.take().unwrap());
        let mut line = String::new();
        said.read_line(&mut line).unwrap();
        assert!(line.contains("attached"), "{line}");
        Self { strace, _said: said }
    }
}

impl Drop for Injection {
    fn drop(&mut self) {
        // Told, not killed: it lets go of the process.
        if let Some(pid) = i32::try_from(self.strace.id()).ok().and_then(rustix::process::Pid::from_raw) {
            let _ = rustix::process::kill_process(pid, rustix::process::Signal::TERM);
        }
        let _ = self.strace.wait();
    }
}
