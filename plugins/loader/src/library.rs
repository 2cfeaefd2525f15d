//! A driver library: it is checked, then loaded and never unloaded.
//!
//! ```text
//!   path ─► real path ─► opened, never through a link ─► owner and mode of the file and of every directory above
//!        ─► ELF head ─► still the same file at that path? ─► dlopen(/proc/self/fd/N): the very file that was checked
//!        ─► PLIMSOLL_PLUGIN: magic, version ─► Library
//! ```
//!
//! Each refusal is one sentence that names the file and the remedy; see [`LoadError`].
#![expect(unsafe_code, reason = "the only dlopen")]

use std::fs::{self, File, OpenOptions};
use std::io;
use std::mem::ManuallyDrop;
use std::os::fd::AsRawFd;
use std::os::unix::fs::{MetadataExt, OpenOptionsExt};
use std::path::{Path, PathBuf};
use std::time::Duration;

use libloading::os::unix;
use plimsoll_plugin_abi::{ABI_MAJOR, ABI_MINOR, Declaration, Functions, MAGIC, SYMBOL, Text};
use rustix::fs::OFlags;

use crate::elf;
use crate::error::LoadError;
use crate::info::LibraryInfo;
use crate::trust;

/// The time that loading a library may take, and the time that making its driver may take.
pub(crate) const LOAD_BUDGET: Duration = Duration::from_secs(10);

/// A file that may be loaded. It is kept open, so that the file that was checked is the file that is loaded.
#[derive(Debug)]
pub(crate) struct Checked {
    file: File,
    path: PathBuf,
}

/// A library whose code is in this process until the process ends.
#[derive(Debug)]
pub(crate) struct Library {
    pub(crate) functions: Functions,
    pub(crate) info: LibraryInfo,
}

impl Checked {
    /// Checks the file at `path`, without running any of its code.
    pub(crate) fn open(path: &Path) -> Result<Self, LoadError> {
        let unreadable = |source| LoadError::Unreadable { path: path.to_owned(), source };
        let real = fs::canonicalize(path).map_err(unreadable)?;
        let nofollow = i32::try_from((OFlags::NOFOLLOW | OFlags::CLOEXEC).bits()).unwrap_or_default();
        let file = OpenOptions::new().read(true).custom_flags(nofollow).open(&real).map_err(unreadable)?;
        let metadata = file.metadata().map_err(unreadable)?;
        if !metadata.is_file() {
            return Err(LoadError::NotAFile(path.to_owned()));
        }
        let us = rustix::process::geteuid().as_raw();
        trust::judge(&real, (&metadata).into(), us)?;
        // The owner of a link could point it to another library, so the path to the link is checked too.
        let written = std::path::absolute(path).map_err(unreadable)?;
        for dir in real.ancestors().chain(written.ancestors()).skip(1).filter(|dir| *dir != written) {
            let metadata = fs::metadata(dir).map_err(unreadable)?;
            trust::judge(dir, (&metadata).into(), us)?;
        }
        let now = fs::symlink_metadata(&real).map_err(unreadable)?;
        if (now.dev(), now.ino()) != (metadata.dev(), metadata.ino()) {
            return Err(LoadError::Swapped(path.to_owned()));
        }
        Self { file, path: real }.if_ours()
    }

    /// A file that the parent process has checked and passed on as an open descriptor.
    pub(crate) fn inherited(descriptor: &Path, path: &Path) -> Result<Self, LoadError> {
        let unreadable = |source| LoadError::Unreadable { path: path.to_owned(), source };
        let file = File::open(descriptor).map_err(unreadable)?;
        Self { file, path: path.to_owned() }.if_ours()
    }

    /// A copy of the descriptor for a child.
    pub(crate) fn duplicate(&self) -> io::Result<File> {
        self.file.try_clone()
    }

    /// The path, with links resolved.
    pub(crate) fn path(&self) -> &Path {
        &self.path
    }

    /// Loads the library into this process, where it stays. Its constructors run: this may block.
    pub(crate) fn load(self) -> Result<Library, LoadError> {
        // Never closed: symbolising a backtrace opens the library under this name again.
        let file = ManuallyDrop::new(self.file);
        let path = self.path;
        let name = format!("/proc/self/fd/{}", file.as_raw_fd());
        // SAFETY: the operator asked to run the library's code, and it was checked who could have changed it.
        let library = unsafe { unix::Library::open(Some(&name), unix::RTLD_NOW | unix::RTLD_LOCAL) }
            .map_err(|why| LoadError::Linker { path: path.clone(), why: linker_words(&why, &name) })?;
        // Never unloaded: its threads and thread-local destructors could still run.
        let library = ManuallyDrop::new(library);
        // SAFETY: a static of this name is one of our tables, which its first bytes confirm.
        let table = unsafe { library.get::<*const Declaration>(SYMBOL.as_bytes()) }
            .map_err(|_| LoadError::NoSymbol(path.clone()))?;
        read(*table, path)
    }

    fn if_ours(self) -> Result<Self, LoadError> {
        let examined = elf::examine(&self.file);
        let examined =
            examined.map_err(|source| LoadError::Unreadable { path: self.path.clone(), source })?;
        examined.map_err(|why| LoadError::NotOurs { path: self.path.clone(), why })?;
        Ok(self)
    }
}

/// Reads the table, first the fields that every version has: another version's other fields must not be read.
fn read(table: *const Declaration, path: PathBuf) -> Result<Library, LoadError> {
    if table.is_null() {
        return Err(LoadError::NoSymbol(path));
    }
    // SAFETY: the address of an exported static, which begins with these fields in every version.
    let (magic, size, major, minor) =
        unsafe { ((*table).magic, (*table).size, (*table).abi_major, (*table).abi_minor) };
    if magic != MAGIC {
        return Err(LoadError::NoSymbol(path));
    }
    if major != ABI_MAJOR || (size as usize) < size_of::<Declaration>() {
        return Err(LoadError::Abi { path, theirs: (major, minor), ours: (ABI_MAJOR, ABI_MINOR) });
    }
    // SAFETY: a table of our version, or of a later one that only added to its end; statics live as long as the
    // library, which is never unloaded.
    let table: &'static Declaration = unsafe { &*table };
    // SAFETY: the texts are statics too.
    let text = |text: Text| unsafe { text.read() };
    let info = LibraryInfo {
        name: text(table.name),
        version: text(table.version),
        abi: format!("{major}.{minor}"),
        sdk: text(table.sdk),
        rustc: text(table.rustc),
        path,
    };
    Ok(Library { functions: table.functions, info })
}

/// The dynamic linker's message, without the made-up file name.
fn linker_words(error: &libloading::Error, name: &str) -> String {
    let mut words = error.to_string();
    if let Some(cause) = std::error::Error::source(error) {
        words = cause.to_string();
    }
    words.trim_start_matches(&format!("{name}: ")).to_owned()
}
