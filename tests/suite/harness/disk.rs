//! A disk of a test's own: an ext4 file system in a file, which can be filled, and lose its power.

use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use tempfile::TempDir;

use super::requirement::missing;

/// A mounted disk. Mounting needs root, or `sudo` without a question.
pub struct Disk {
    folder: TempDir,
    image: PathBuf,
    number: u32,
    mounted: bool,
}

fn run_as_root(program: &str, arguments: &[&Path]) -> bool {
    let is_root = rustix::process::getuid().is_root();
    let mut command = Command::new(if is_root { program } else { "sudo" });
    if !is_root {
        command.args(["-n", program]);
    }
    command.env("PATH", "/usr/sbin:/usr/bin:/sbin:/bin").args(arguments).stdin(Stdio::null());
    command.stderr(Stdio::null()).stdout(Stdio::null()).status().is_ok_and(|status| status.success())
}

#[track_caller]
fn as_root(program: &str, arguments: &[&Path]) {
    assert!(run_as_root(program, arguments), "{program} {arguments:?} as root");
}

impl Disk {
    /// An empty disk of so many mebibytes; none where none can be mounted.
    #[track_caller]
    pub fn new(mebibytes: u64) -> Option<Self> {
        let folder = tempfile::tempdir().unwrap();
        let image = folder.path().join("disk0");
        std::fs::File::create(&image).unwrap().set_len(mebibytes * 1024 * 1024).unwrap();
        // Nothing is kept back for root: full is full.
        let made = run_as_root("mkfs.ext4", &["-q".as_ref(), "-F".as_ref(), "-m".as_ref(), "0".as_ref(), &image]);
        std::fs::create_dir(folder.path().join("mounted")).unwrap();
        let mut disk = Self { folder, image, number: 0, mounted: false };
        if !made || !disk.mount() {
            missing("root (or sudo), mkfs.ext4 and loop devices, for a disk of the test's own");
            return None;
        }
        let user = format!("{}:{}", rustix::process::getuid().as_raw(), rustix::process::getgid().as_raw());
        as_root("chown", &[user.as_ref(), &disk.path()]);
        Some(disk)
    }

    fn mount(&mut self) -> bool {
        self.mounted = run_as_root("mount", &["-o".as_ref(), "loop".as_ref(), &self.image, &self.path()]);
        self.mounted
    }

    /// Where it is mounted.
    pub fn path(&self) -> PathBuf {
        self.folder.path().join("mounted")
    }

    /// Everything written so far is on the disk.
    pub fn sync(&self) {
        as_root("sync", &["--file-system".as_ref(), &self.path()]);
    }

    /// The power goes and comes back: what nobody had synced is gone. No process may have a file open here any more, and none of the
    /// dead ones' pages may have been written by an orderly unmount: the image is copied first.
    #[track_caller]
    pub fn lose_power(&mut self) {
        self.number += 1;
        let after = self.folder.path().join(format!("disk{}", self.number));
        as_root("cp", &["--sparse=always".as_ref(), &self.image, &after]);
        self.unmount();
        std::fs::remove_file(&self.image).unwrap();
        self.image = after;
        assert!(self.mount(), "the disk is mounted again");
    }

    /// Takes all the space that is left. Answers the file to remove.
    pub fn fill(&self) -> PathBuf {
        let ballast = self.path().join("ballast");
        let mut file = std::fs::File::create(&ballast).unwrap();
        let block = vec![1; 64 * 1024];
        // Large pieces first, then what is left of the last one.
        for piece in [block.len(), 4096, 1] {
            while std::io::Write::write_all(&mut file, &block[..piece]).is_ok() {}
        }
        ballast
    }

    #[track_caller]
    fn unmount(&mut self) {
        self.mounted = false;
        as_root("umount", &[&self.path()]);
    }
}

impl Drop for Disk {
    fn drop(&mut self) {
        if self.mounted && !run_as_root("umount", &[&self.path()]) {
            // A process that is about to end still holds it.
            run_as_root("umount", &["--lazy".as_ref(), &self.path()]);
        }
    }
}
