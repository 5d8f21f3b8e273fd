//! The file of the master key: readable by its owner only, and on the disk before it is relied upon.

use std::fs::{DirBuilder, File, OpenOptions};
use std::io::{self, ErrorKind, Read, Write};
use std::os::unix::fs::{DirBuilderExt, OpenOptionsExt, PermissionsExt};
use std::path::Path;
use std::time::Duration;

use zeroize::Zeroizing;

use crate::crypto::master_key::{MasterKey, MasterKeyError};

// More than any valid key file holds; a file of another kind is not read to its end.
const FILE_LIMIT: u64 = 1024;

// Half a second in all.
const LOOKS_AT_EMPTY: usize = 20;
const BETWEEN_LOOKS: Duration = Duration::from_millis(25);

impl MasterKey {
    /// Reads the key file; `None` when there is none.
    ///
    /// # Errors
    ///
    /// When group or others may access the file, when it holds no master key, or cannot be read.
    pub fn read_file(path: &Path) -> Result<Option<Self>, MasterKeyError> {
        let mut read = Self::read_once(path);
        // Another node in the same folder makes the file and then writes it: an empty one may be filled in a moment.
        for _ in 0..LOOKS_AT_EMPTY {
            if !matches!(read, Err(MasterKeyError::EmptyFile(_))) {
                break;
            }
            std::thread::sleep(BETWEEN_LOOKS);
            read = Self::read_once(path);
        }
        read
    }

    fn read_once(path: &Path) -> Result<Option<Self>, MasterKeyError> {
        let failed = |source| io_error("read", path, source);
        let file = match File::open(path) {
            Ok(file) => file,
            Err(error) if error.kind() == ErrorKind::NotFound => return Ok(None),
            Err(error) => return Err(failed(error)),
        };
        // The mode of the file that was opened: the name may point elsewhere by now.
        let mode = file.metadata().map_err(failed)?.permissions().mode();
        if mode & 0o077 != 0 {
            return Err(MasterKeyError::TooOpen(path.to_owned()));
        }
        let mut content = Zeroizing::new(Vec::with_capacity(128));
        file.take(FILE_LIMIT).read_to_end(&mut content).map_err(failed)?;
        if content.trim_ascii().is_empty() {
            return Err(MasterKeyError::EmptyFile(path.to_owned()));
        }
        std::str::from_utf8(&content)
            .ok()
            .and_then(|text| Self::from_text(text).ok())
            .map(Some)
            .ok_or_else(|| MasterKeyError::MalformedFile(path.to_owned()))
    }

    /// Writes the key to a new file (mode 0600, missing folders 0700) and waits until the disk has it.
    /// `false` when the file existed already: it is left as it was.
    ///
    /// # Errors
    ///
    /// [`MasterKeyError::Io`] when the file cannot be created or written.
    pub fn create_file(&self, path: &Path) -> Result<bool, MasterKeyError> {
        let folder = folder_of(path);
        DirBuilder::new()
            .recursive(true)
            .mode(0o700)
            .create(folder)
            .map_err(|source| io_error("create the folder", folder, source))?;
        let file = match create_private(path) {
            Ok(file) => file,
            Err(error) if error.kind() == ErrorKind::AlreadyExists => return Ok(false),
            Err(error) => return Err(io_error("create", path, error)),
        };
        self.write_to(file, path)?;
        sync_folder(folder)?;
        Ok(true)
    }

    fn write_to(&self, mut file: File, path: &Path) -> Result<(), MasterKeyError> {
        let mut line = Zeroizing::new(self.to_text().into_exposed());
        line.push('\n');
        file.write_all(line.as_bytes()).and_then(|()| file.sync_all()).map_err(|error| {
            // Half a key would stop the next start.
            let _ = std::fs::remove_file(path);
            io_error("write", path, error)
        })
    }
}

fn create_private(path: &Path) -> io::Result<File> {
    OpenOptions::new().write(true).create_new(true).mode(0o600).open(path)
}

fn folder_of(path: &Path) -> &Path {
    path.parent().filter(|folder| !folder.as_os_str().is_empty()).unwrap_or(Path::new("."))
}

// A new name is durable only once its folder is.
fn sync_folder(folder: &Path) -> Result<(), MasterKeyError> {
    File::open(folder).and_then(|opened| opened.sync_all()).map_err(|error| io_error("save the folder", folder, error))
}

fn io_error(action: &'static str, path: &Path, source: io::Error) -> MasterKeyError {
    MasterKeyError::Io { action, path: path.to_owned(), source }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::crypto::random::Random;

    #[test]
    fn a_key_file_is_created_once_and_read_back() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("deep/er/master.key");
        let key = MasterKey::generate(&Random::system());
        assert!(MasterKey::read_file(&path).unwrap().is_none());
        assert!(key.create_file(&path).unwrap());
        assert!(!MasterKey::generate(&Random::system()).create_file(&path).unwrap());
        assert_eq!(MasterKey::read_file(&path).unwrap().unwrap(), key);
        let mode = |path: &Path| path.metadata().unwrap().permissions().mode() & 0o777;
        assert_eq!((mode(&path), mode(folder_of(&path))), (0o600, 0o700));
    }

    #[test]
    fn a_key_file_that_others_can_read_is_refused_with_the_remedy() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("master.key");
        MasterKey::generate(&Random::system()).create_file(&path).unwrap();
        std::fs::set_permissions(&path, PermissionsExt::from_mode(0o640)).unwrap();
        let message = MasterKey::read_file(&path).unwrap_err().to_string();
        assert!(message.ends_with(&format!("chmod 600 {}", path.display())), "{message}");
    }

    #[test]
    fn a_file_that_another_node_is_about_to_fill_is_waited_for() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("master.key");
        let key = MasterKey::generate(&Random::system());
        let file = create_private(&path).unwrap();
        let read = std::thread::scope(|scope| {
            let reading = scope.spawn(|| MasterKey::read_file(&path));
            std::thread::sleep(Duration::from_millis(100));
            key.write_to(file, &path).unwrap();
            reading.join().unwrap()
        });
        assert_eq!(read.unwrap().unwrap(), key);
    }

    #[test]
    fn an_empty_or_foreign_file_is_named() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("master.key");
        drop(create_private(&path).unwrap());
        let empty = MasterKey::read_file(&path).unwrap_err();
        assert!(matches!(empty, MasterKeyError::EmptyFile(_)));
        std::fs::write(&path, "not a key").unwrap();
        let foreign = MasterKey::read_file(&path).unwrap_err();
        assert!(matches!(foreign, MasterKeyError::MalformedFile(_)));
        assert!(!foreign.to_string().contains("not a key"));
    }
}
