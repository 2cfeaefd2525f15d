//! [`Source`]: where jobs come from, a file, a stream or the command line. Jobs are read twice, once to check them and once to run them, so a
//! stream is first copied to a temporary file without a name.

use std::ffi::OsString;
use std::fs::{self, File};
use std::io::{self, IsTerminal, Read, Seek, Write};
use std::os::fd::{AsFd, BorrowedFd};
use std::path::{Path, PathBuf};

use rustix::fs::FileType;

use super::encoding;
use super::error::JobsError;
use super::format::Format;

/// Where jobs come from.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Source {
    /// This file.
    Path(PathBuf),
    /// Standard input.
    Stdin,
    /// These URLs, a job each.
    Urls(Vec<String>),
}

impl From<OsString> for Source {
    /// The source that an argument of the command line names; `-` is stdin.
    fn from(argument: OsString) -> Self {
        if argument == "-" { Self::Stdin } else { Self::Path(argument.into()) }
    }
}

/// An open source, which can be read several times.
#[derive(Debug)]
pub(super) struct Opened {
    /// Its name in messages.
    pub(super) name: String,
    /// The absolute directory to which relative paths in it refer.
    pub(super) base: PathBuf,
    pub(super) format: Format,
    pub(super) file: File,
}

impl Opened {
    pub(super) fn new(source: &Source) -> Result<Self, JobsError> {
        match source {
            Source::Stdin => {
                refuse_device("stdin", io::stdin().as_fd())?;
                Self::stream("stdin".to_owned(), Path::new(""), io::stdin().lock())
            }
            Source::Urls(urls) => {
                let list = urls.join("\n");
                let opened = Self::stream("the command line".to_owned(), Path::new(""), list.as_bytes())?;
                Ok(Self { format: Format::Urls, ..opened })
            }
            Source::Path(path) => Self::at(path, |path| {
                Format::of_name(path).ok_or_else(|| JobsError::UnknownExtension(path.to_owned()))
            }),
        }
    }

    /// The rows at `path`, whatever their file is named.
    pub(super) fn rows(path: &Path) -> Result<Self, JobsError> {
        Self::at(path, |_| Ok(Format::Csv))
    }

    fn at(path: &Path, format: impl Fn(&Path) -> Result<Format, JobsError>) -> Result<Self, JobsError> {
        let (name, kind, file) = open(path)?;
        let base = path.parent().unwrap_or(path).to_owned();
        if !kind.is_file() {
            return Self::stream(name, &base, file);
        }
        let format = format(path)?;
        Ok(Self { base: absolute(&name, &base)?, file: encoding::utf8(&name, file)?, name, format })
    }

    /// Copies all of `stream`. Relative paths in it refer to `base`.
    pub(super) fn stream(name: String, base: &Path, stream: impl Read) -> Result<Self, JobsError> {
        /// A stream that never ends must not fill the disk.
        const LONGEST: u64 = 8 << 30;
        let spool = |why| JobsError::Spool { name: name.clone(), why };
        let mut file = tempfile::tempfile().map_err(spool)?;
        let length = copy_lines(&mut stream.take(LONGEST + 1), &mut file).map_err(spool)?;
        let Some(length) = length else {
            return Err(JobsError::TooLarge {
                name,
                limit: LARGEST_DOCUMENT,
                remedy: "a line is longer than that; write a job a line",
            });
        };
        if length > LONGEST {
            return Err(JobsError::TooLarge {
                name,
                limit: LONGEST,
                remedy: "write the jobs to a .jsonl file",
            });
        }
        let mut beginning = [0; 4096];
        let mut file = encoding::utf8(&name, file)?;
        file.rewind().map_err(spool)?;
        let length = read_up_to(&mut file, &mut beginning).map_err(spool)?;
        file.rewind().map_err(spool)?;
        Ok(Self {
            base: absolute(&name, base)?,
            format: Format::of_beginning(&beginning[..length]),
            name,
            file,
        })
    }
}

/// Opens the file at `path`, with its name for messages.
fn open(path: &Path) -> Result<(String, fs::FileType, File), JobsError> {
    let name = path.display().to_string();
    let refused = |why: io::Error| match why.kind() {
        io::ErrorKind::NotFound => JobsError::Missing(path.to_owned()),
        _ => JobsError::Unreadable { name: name.clone(), why },
    };
    // Checked first, because a directory can be opened, and only reading it fails.
    let kind = fs::metadata(path).map_err(refused)?.file_type();
    if kind.is_dir() {
        return Err(JobsError::Directory(path.to_owned()));
    }
    let file = File::open(path).map_err(refused)?;
    refuse_device(&name, file.as_fd())?;
    Ok((name, kind, file))
}

/// Refuses devices, which have no end (`/dev/zero`) or are no text (a disk). A terminal is where a person types jobs.
fn refuse_device(name: &str, file: BorrowedFd<'_>) -> Result<(), JobsError> {
    let unreadable =
        |why: rustix::io::Errno| JobsError::Unreadable { name: name.to_owned(), why: why.into() };
    let kind = rustix::fs::fstat(file).map(|found| FileType::from_raw_mode(found.st_mode));
    let kind = kind.map_err(unreadable)?;
    let is_endless = match kind {
        // All but `/dev/null`, which ends at once.
        FileType::CharacterDevice if !file.is_terminal() => {
            rustix::io::read(file, &mut [0; 1]).map_err(unreadable)? > 0
        }
        FileType::BlockDevice => true,
        _ => false,
    };
    if is_endless { Err(JobsError::Device(name.to_owned())) } else { Ok(()) }
}

/// Copies a stream of lines and returns its length in bytes; `None` when a line is longer than any document may be.
fn copy_lines(stream: &mut impl Read, file: &mut File) -> io::Result<Option<u64>> {
    let mut buffer = vec![0; 1 << 16];
    let (mut length, mut since_end) = (0, 0);
    loop {
        let read = match stream.read(&mut buffer) {
            Ok(0) => return Ok(Some(length)),
            Ok(read) => read,
            Err(why) if why.kind() == io::ErrorKind::Interrupted => continue,
            Err(why) => return Err(why),
        };
        let bytes = &buffer[..read];
        length += read as u64;
        since_end = match bytes.iter().rposition(|byte| *byte == b'\n') {
            Some(end) => (read - end - 1) as u64,
            None => since_end + read as u64,
        };
        if since_end > LARGEST_DOCUMENT {
            return Ok(None);
        }
        file.write_all(bytes)?;
    }
}

/// The most JSON or CSV that is read as a whole, in bytes.
pub(super) const LARGEST_DOCUMENT: u64 = 64 << 20;

/// The most TOML, in bytes: it takes some sixty times its size in memory while it is parsed.
pub(super) const LARGEST_TOML: u64 = 4 << 20;

/// All of `file` from its beginning, without a byte order mark, unless it has more than `limit` bytes. Lines that end with
/// CR alone end with LF.
pub(super) fn whole(
    name: &str,
    file: &mut File,
    limit: u64,
    remedy: &'static str,
) -> Result<Vec<u8>, JobsError> {
    let unreadable = |why| JobsError::Unreadable { name: name.to_owned(), why };
    file.rewind().map_err(unreadable)?;
    let mut bytes = Vec::new();
    file.take(limit + 1).read_to_end(&mut bytes).map_err(unreadable)?;
    if bytes.len() as u64 > limit {
        return Err(JobsError::TooLarge { name: name.to_owned(), limit, remedy });
    }
    if bytes.starts_with(b"\xEF\xBB\xBF") {
        bytes.drain(..3);
    }
    if !bytes.contains(&b'\n') {
        bytes.iter_mut().filter(|byte| **byte == b'\r').for_each(|byte| *byte = b'\n');
    }
    Ok(bytes)
}

fn absolute(name: &str, base: &Path) -> Result<PathBuf, JobsError> {
    // The standard library refuses an empty path, which means the current directory.
    let base = if base.as_os_str().is_empty() { Path::new(".") } else { base };
    std::path::absolute(base).map_err(|why| JobsError::Unreadable { name: name.to_owned(), why })
}

fn read_up_to(file: &mut File, buffer: &mut [u8]) -> io::Result<usize> {
    let mut length = 0;
    while length < buffer.len() {
        match file.read(&mut buffer[length..])? {
            0 => break,
            read => length += read,
        }
    }
    Ok(length)
}
