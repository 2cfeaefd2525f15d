//! Reads the header of an ELF file: whether it is a library, for which processor, and whether it is complete. This is
//! done before loading, because the dynamic linker's messages about foreign libraries are unclear, and because it
//! also maps a truncated library (an unfinished copy), whose missing part then ends the process on first access.

use std::fs::File;
use std::io;
use std::os::unix::fs::FileExt;

/// The length of the header of a 64-bit file. A 32-bit header is shorter.
const HEAD: usize = 64;

/// What is wrong with a file that should be a library for this machine.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum NotOurs {
    /// The file is not an ELF library.
    #[error("it is not a shared library (ELF)")]
    NoElf,
    /// The file is an ELF program or object file.
    #[error("it is an ELF file, but not a shared library; build the crate as a `cdylib`")]
    NoLibrary,
    /// The library is for another processor, word size or byte order.
    #[error("it is built for {0}, this program for {ours}", ours = std::env::consts::ARCH)]
    Architecture(Machine),
    /// The file is truncated.
    #[error("its end is missing ({there} of at least {needed} bytes); copy or build it again")]
    Cut {
        /// The length of the file.
        there: u64,
        /// The least length according to its header.
        needed: u64,
    },
}

/// A processor by its number in ELF.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Machine {
    number: u16,
    bits: u8,
}

impl std::fmt::Display for Machine {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match MACHINES.iter().find(|(_, number)| *number == self.number) {
            Some((name, _)) => write!(f, "{name} ({} bits)", self.bits),
            None => write!(f, "an unknown processor (ELF machine {}, {} bits)", self.number, self.bits),
        }
    }
}

/// The processors that Rust knows by name, with their numbers in ELF.
const MACHINES: [(&str, u16); 8] = [
    ("x86", 3),
    ("x86_64", 62),
    ("aarch64", 183),
    ("arm", 40),
    ("riscv64", 243),
    ("powerpc64", 21),
    ("s390x", 22),
    ("loongarch64", 258),
];

/// Whether `file` is a library that this process could load.
pub(crate) fn examine(file: &File) -> io::Result<Result<(), NotOurs>> {
    let head = read_at_most(file, HEAD, 0)?;
    if let Err(why) = check(&head) {
        return Ok(Err(why));
    }
    let Some((offset, size, count)) = segments(&head) else { return Ok(Ok(())) };
    let table = read_at_most(file, size * count, offset)?;
    let ends = table.chunks_exact(size).filter_map(end_of_segment);
    let needed = ends.chain([offset.saturating_add((size * count) as u64)]).max().unwrap_or_default();
    let there = file.metadata()?.len();
    Ok(if there < needed { Err(NotOurs::Cut { there, needed }) } else { Ok(()) })
}

/// The table of segments: its offset, the size of an entry, the number of entries. Only for 64-bit files; 32-bit
/// files have another layout and are not checked.
fn segments(head: &[u8]) -> Option<(u64, usize, usize)> {
    if usize::BITS != 64 || head.len() < HEAD {
        return None;
    }
    let number = |at: usize| usize::from(u16::from_ne_bytes([head[at], head[at + 1]]));
    let (size, count) = (number(54), number(56));
    (size >= 56).then(|| (eight(head, 32), size, count))
}

/// The end of a loaded segment in the file.
fn end_of_segment(entry: &[u8]) -> Option<u64> {
    const LOADED: [u8; 4] = 1_u32.to_ne_bytes();
    entry.starts_with(&LOADED).then(|| eight(entry, 8).saturating_add(eight(entry, 32)))
}

fn eight(bytes: &[u8], at: usize) -> u64 {
    let mut number = [0; 8];
    number.copy_from_slice(&bytes[at..at + 8]);
    u64::from_ne_bytes(number)
}

fn read_at_most(file: &File, length: usize, offset: u64) -> io::Result<Vec<u8>> {
    let mut bytes = vec![0; length];
    let mut read = 0;
    while read < length {
        match file.read_at(&mut bytes[read..], offset.saturating_add(read as u64))? {
            0 => break,
            more => read += more,
        }
    }
    bytes.truncate(read);
    Ok(bytes)
}

/// Whether `head`, the first bytes of a file, belongs to a library that this process could load.
fn check(head: &[u8]) -> Result<(), NotOurs> {
    let &[0x7f, b'E', b'L', b'F', class, order, _, _, _, _, _, _, _, _, _, _, t0, t1, m0, m1, ..] = head
    else {
        return Err(NotOurs::NoElf);
    };
    let number = |bytes| match order {
        2 => u16::from_be_bytes(bytes),
        _ => u16::from_le_bytes(bytes),
    };
    let bits = if class == 1 { 32 } else { 64 };
    let machine = Machine { number: number([m0, m1]), bits };
    let ours =
        MACHINES.iter().any(|(name, known)| *name == std::env::consts::ARCH && *known == machine.number);
    let our_order = if cfg!(target_endian = "big") { 2 } else { 1 };
    if !ours || usize::from(bits) != usize::BITS as usize || order != our_order {
        return Err(NotOurs::Architecture(machine));
    }
    const SHARED: u16 = 3;
    if number([t0, t1]) == SHARED { Ok(()) } else { Err(NotOurs::NoLibrary) }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn head(class: u8, kind: u16, machine: u16) -> Vec<u8> {
        let mut head = vec![0x7f, b'E', b'L', b'F', class, 1, 1, 0];
        head.resize(16, 0);
        head.extend(kind.to_le_bytes());
        head.extend(machine.to_le_bytes());
        head
    }

    #[test]
    fn what_is_no_library_is_known_by_its_head() {
        for junk in [b"".as_slice(), b"\x7fELF", b"#!/bin/sh\necho a long script", &[0; 64]] {
            assert_eq!(check(junk), Err(NotOurs::NoElf));
        }
    }

    #[test]
    #[cfg(target_arch = "x86_64")]
    fn only_libraries_for_this_processor_pass() {
        assert_eq!(check(&head(2, 3, 62)), Ok(()));
        assert_eq!(check(&head(2, 2, 62)), Err(NotOurs::NoLibrary));
        for (class, machine, says) in [
            (2, 183, "aarch64 (64 bits)"),
            (1, 3, "x86 (32 bits)"),
            (1, 62, "x86_64 (32 bits)"),
            (2, 9999, "9999"),
        ] {
            let refused = check(&head(class, 3, machine)).map_err(|why| why.to_string());
            assert!(refused.as_ref().is_err_and(|why| why.contains(says)), "{refused:?}");
        }
    }
}
