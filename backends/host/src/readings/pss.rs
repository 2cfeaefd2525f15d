//! [`PssSweep`]: the memory of browser trees, one process at a time.
//!
//! PSS counts a page that `n` processes share as one `n`th in each, so PSS values can be summed; RSS values cannot. But
//! the kernel walks a process's page tables to compute it: a sweep over 106 processes took 0.75 s. So each step reads
//! *one* process, the one with the oldest value, and the total consists of values that are up to one round old.
//!
//! Failure paths: a process that has ended is dropped with its value. If this user may not read `smaps_rollup`, `statm`
//! is used (resident minus shared pages, which is too low: shared pages are not counted at all), and the total contains
//! the number of such processes. A process without either value lowers the coverage.

use std::collections::BTreeMap;
use std::fmt;
use std::path::{Path, PathBuf};
use std::time::Duration;

use plimsoll_core::time::Moment;
use plimsoll_core::units::{Bytes, Ratio};

use super::file::{self, Blindness};
use super::stat::Stat;
use super::trees::Member;

/// How long a list of processes is used. A process that starts meanwhile is missing only briefly: the ledger reserves
/// its expected memory.
const LIST_LASTS: Duration = Duration::from_secs(5);

/// The source of a process's size.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum PssSource {
    /// The exact value.
    SmapsRollup,
    /// Resident minus shared pages: less than the exact value.
    Statm,
}

impl fmt::Display for PssSource {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::SmapsRollup => "smaps_rollup",
            Self::Statm => "statm, resident - shared, because smaps_rollup is closed to this user",
        })
    }
}

/// The measured memory of many processes.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct PssTotal {
    /// The sum of the last values.
    pub pss: Bytes,
    /// The number of processes.
    pub processes: usize,
    /// Processes whose value came from `smaps_rollup`.
    pub exact: usize,
    /// Processes whose value came from `statm`: see [`PssSource::Statm`].
    pub estimated: usize,
    /// Age of the oldest value in the sum; `None` when there is no value.
    pub oldest: Option<Duration>,
}

impl PssTotal {
    /// The share of the processes whose value is in the sum; all, when there is no process.
    #[must_use]
    pub fn coverage(&self) -> Ratio {
        match self.processes {
            0 => Ratio::ONE,
            processes => Ratio::new((self.exact + self.estimated) as f64 / processes as f64),
        }
    }
}

/// A sweep that never ends.
#[derive(Debug)]
pub struct PssSweep {
    root: PathBuf,
    listed: Option<Moment>,
    processes: BTreeMap<i32, Swept>,
}

#[derive(Debug)]
struct Swept {
    member: Member,
    tried: Option<Moment>,
    sample: Option<Sample>,
}

#[derive(Debug, Clone, Copy)]
struct Sample {
    pss: Bytes,
    source: PssSource,
    at: Moment,
}

impl PssSweep {
    /// A sweep over the processes below `root` (`/`, or a copy).
    #[must_use]
    pub fn new(root: &Path) -> Self {
        Self { root: root.to_owned(), listed: None, processes: BTreeMap::new() }
    }

    /// Reads the process with the oldest value and returns its number; `None` when there is no process. Blocks for some
    /// milliseconds. `list` returns the processes; it is called every 5 s, and at each step while there are none.
    ///
    /// # Errors
    /// When `list` fails. The processes known so far stay, and are read by the next steps.
    pub fn step(
        &mut self,
        now: Moment,
        list: impl FnOnce() -> Result<Vec<Member>, Blindness>,
    ) -> Result<Option<i32>, Blindness> {
        if self.processes.is_empty() || self.listed.is_none_or(|listed| now.since(listed) >= LIST_LASTS) {
            self.listed = Some(now);
            self.adopt(list()?);
        }
        let next = self.processes.values_mut().min_by_key(|process| (process.tried, process.member.pid));
        let Some(process) = next else { return Ok(None) };
        let pid = process.member.pid;
        process.tried = Some(now);
        match size(&self.root, process.member) {
            Ok((pss, source)) => process.sample = Some(Sample { pss, source, at: now }),
            Err(blindness) if blindness.is_missing() => {
                self.processes.remove(&pid);
            }
            Err(_) => process.sample = None,
        }
        Ok(Some(pid))
    }

    /// The memory of all trees.
    #[must_use]
    pub fn total(&self, now: Moment) -> PssTotal {
        Self::sum(self.processes.values(), now)
    }

    /// The memory of one tree, by its leader's number.
    #[must_use]
    pub fn of_tree(&self, tree: i32, now: Moment) -> PssTotal {
        Self::sum(self.processes.values().filter(|process| process.member.tree == tree), now)
    }

    fn adopt(&mut self, members: Vec<Member>) {
        let mut known = std::mem::take(&mut self.processes);
        self.processes.extend(members.into_iter().map(|member| {
            let same = known.remove(&member.pid).filter(|process| process.member == member);
            (member.pid, same.unwrap_or(Swept { member, tried: None, sample: None }))
        }));
    }

    fn sum<'a>(processes: impl Iterator<Item = &'a Swept>, now: Moment) -> PssTotal {
        processes.fold(PssTotal::default(), |mut total, process| {
            total.processes += 1;
            if let Some(sample) = process.sample {
                total.pss += sample.pss;
                match sample.source {
                    PssSource::SmapsRollup => total.exact += 1,
                    PssSource::Statm => total.estimated += 1,
                }
                total.oldest = total.oldest.max(Some(now.since(sample.at)));
            }
            total
        })
    }
}

/// The size of exactly this process; [`Blindness::Missing`] when it has ended, even if its number is in use again.
fn size(root: &Path, member: Member) -> Result<(Bytes, PssSource), Blindness> {
    let dir = root.join("proc").join(member.pid.to_string());
    let stat = Stat::read(&dir.join("stat"))?;
    if stat.born != member.born || !stat.alive {
        return Err(Blindness::Missing { path: dir });
    }
    let path = dir.join("smaps_rollup");
    let rollup = file::text(&path)
        .and_then(|text| file::kib_field(&text, "Pss").ok_or_else(|| Blindness::garbage(&path, "Pss")));
    match rollup {
        Ok(pss) => Ok((Bytes(pss), PssSource::SmapsRollup)),
        Err(Blindness::Unreadable { .. }) => Ok((private(&dir.join("statm"))?, PssSource::Statm)),
        Err(blindness) => Err(blindness),
    }
}

/// Resident minus shared pages.
fn private(path: &Path) -> Result<Bytes, Blindness> {
    let text = file::text(path)?;
    let mut pages = text.split_ascii_whitespace().skip(1).map(|word| word.parse::<u64>().ok());
    let page = rustix::param::page_size() as u64;
    let bytes = match (pages.next().flatten(), pages.next().flatten()) {
        (Some(resident), Some(shared)) => resident.checked_sub(shared).and_then(|own| own.checked_mul(page)),
        _ => None,
    };
    bytes.map(Bytes).ok_or_else(|| Blindness::garbage(path, "resident and shared pages"))
}
