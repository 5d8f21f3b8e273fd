//! nginx, run by a test with a configuration that people start from.

use std::fs;
use std::net::TcpStream;
use std::path::Path;
use std::process::Command;

use super::program::Running;
use crate::harness::{missing, program};

/// nginx with this configuration, its files in this folder; none where it is missing on this machine.
pub fn start(configuration: &str, folder: &Path, port: u16) -> Option<Running> {
    let Some(binary) = program("nginx") else {
        missing("nginx");
        return None;
    };
    let here = folder.display();
    // Where it may write when it is not root.
    let temporary = ["client_body", "proxy", "fastcgi", "uwsgi", "scgi"];
    let lines = temporary.map(|name| format!("{name}_temp_path {here}/{name};\n")).concat();
    let exchanges = [("/dev/stdout", format!("{here}/access.log")), ("http {", format!("http {{\n{lines}"))];
    let mut configuration = configuration.to_owned();
    for (from, to) in exchanges {
        assert!(configuration.contains(from), "no {from}");
        configuration = configuration.replace(from, &to);
    }
    let file = folder.join("nginx.conf");
    fs::write(&file, configuration).unwrap();
    let outside = format!("daemon off; pid {here}/nginx.pid; error_log {here}/error.log;");
    let mut nginx = Command::new(binary);
    let mut nginx = Running::start(nginx.arg("-p").arg(folder).arg("-c").arg(&file).args(["-g", &outside]));
    nginx.until("it listens", || TcpStream::connect(("127.0.0.1", port)).is_ok());
    Some(nginx)
}
