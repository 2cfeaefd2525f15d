//! The sensors on copies of machines: directories with the files of a kernel. And once on the real machine.

mod faults;
mod real;
mod shapes;
mod sweep;

use std::fs;
use std::os::unix::fs::symlink;
use std::path::{Path, PathBuf};

use plimsoll_core::policy::{MemoryUse, Reading, Tally};
use plimsoll_core::time::Moment;
use plimsoll_core::units::Bytes;
use plimsoll_host::readings::Machine;

const CALM: &str =
    "some avg10=1.50 avg60=0.00 avg300=0.00 total=7\nfull avg10=0.50 avg60=0.00 avg300=0.00 total=3\n";

/// A machine made of files.
struct Copy {
    dir: tempfile::TempDir,
}

impl Copy {
    /// No files at all.
    fn empty() -> Self {
        Self { dir: tempfile::tempdir().expect("a directory") }
    }

    /// 1 GiB of 8 GiB in use, 400 threads of 32,768, three descriptors of 1,024; no cgroup.
    fn host() -> Self {
        Self::empty()
            .with("proc/meminfo", "MemTotal: 8388608 kB\nMemFree: 1 kB\nMemAvailable: 7340032 kB\n")
            .with("proc/pressure/memory", CALM)
            .with("proc/pressure/cpu", "some avg10=65.00 avg60=0.00 avg300=0.00 total=1\n")
            .with("proc/vmstat", "nr_free_pages 17\noom_kill 4\n")
            .with("proc/loadavg", "0.50 0.40 0.30 2/400 1234\n")
            .with("proc/sys/kernel/pid_max", "32768\n")
            .with("proc/sys/kernel/threads-max", "192730\n")
            .with("proc/self/limits", &limits("1024", "unlimited"))
            .with("proc/self/fd/0", "")
            .with("proc/self/fd/1", "")
            .with("proc/self/fd/2", "")
    }

    /// Version 2 with one cgroup, `/app`: 600 MiB in use, 100 MiB of them cache, of 2 GiB.
    fn v2() -> Self {
        Self::host()
            .with("proc/self/cgroup", "0::/app\n")
            .with("sys/fs/cgroup/cgroup.controllers", "cpu memory pids\n")
            .group("", "app", "2147483648")
            .with("sys/fs/cgroup/app/pids.max", "1000\n")
            .with("sys/fs/cgroup/app/pids.current", "120\n")
            .with("sys/fs/cgroup/app/memory.events", "low 0\nhigh 0\nmax 9\noom 3\noom_kill 2\n")
    }

    /// A version 2 cgroup with 600 MiB in use, 100 MiB of them cache.
    fn group(self, parent: &str, name: &str, max: &str) -> Self {
        let dir = Path::new("sys/fs/cgroup").join(parent).join(name);
        let file = |file: &str| dir.join(file).to_string_lossy().into_owned();
        self.with(&file("memory.max"), &format!("{max}\n"))
            .with(&file("memory.high"), "max\n")
            .with(&file("memory.current"), "629145600\n")
            .with(&file("memory.stat"), "anon 1\nfile 2\ninactive_file 104857600\nactive_file 3\n")
    }

    /// Version 1 for the controllers and version 2 beside it for none, as on many older systems.
    fn hybrid() -> Self {
        Self::host()
            .with("proc/self/cgroup", "9:name=systemd:/\n8:pids:/\n4:memory:/pool/0123\n1:cpu:/\n0::/\n")
            .with("sys/fs/cgroup/unified/cgroup.controllers", "hugetlb\n")
            .with("sys/fs/cgroup/unified/memory.pressure", CALM)
            .with("sys/fs/cgroup/pids/cgroup.procs", "1\n")
            .with("sys/fs/cgroup/memory/memory.limit_in_bytes", "9223372036854771712\n")
            .with("sys/fs/cgroup/memory/pool/memory.limit_in_bytes", "9223372036854771712\n")
            .with("sys/fs/cgroup/memory/pool/0123/memory.limit_in_bytes", "1073741824\n")
            .with("sys/fs/cgroup/memory/pool/0123/memory.usage_in_bytes", "536870912\n")
            .with(
                "sys/fs/cgroup/memory/pool/0123/memory.stat",
                "inactive_file 1\ntotal_inactive_file 134217728\n",
            )
            .with(
                "sys/fs/cgroup/memory/pool/0123/memory.oom_control",
                "oom_kill_disable 0\nunder_oom 0\noom_kill 6\n",
            )
    }

    fn with(self, path: &str, text: &str) -> Self {
        self.write(path, text.as_bytes());
        self
    }

    fn write(&self, path: &str, bytes: &[u8]) {
        let file = self.path(path);
        fs::create_dir_all(file.parent().expect("below the root")).expect("writable");
        fs::write(file, bytes).expect("writable");
    }

    fn without(self, path: &str) -> Self {
        self.remove(path);
        self
    }

    fn remove(&self, path: &str) {
        let file = self.path(path);
        if file.is_dir() { fs::remove_dir_all(file) } else { fs::remove_file(file) }.expect("was there");
    }

    /// Puts a link that leads to itself in the place of a file.
    fn loops(&self, path: &str) {
        self.remove(path);
        symlink(self.path(path), self.path(path)).expect("writable");
    }

    /// Puts a directory in the place of a file.
    fn becomes_directory(&self, path: &str) {
        self.remove(path);
        fs::create_dir(self.path(path)).expect("writable");
    }

    fn path(&self, path: &str) -> PathBuf {
        self.dir.path().join(path)
    }

    fn machine(&self) -> Machine {
        Machine::new(self.dir.path(), &self.path("profiles"))
    }

    /// One read by a new instance, and the sensors that were blind.
    fn look(&self) -> (Reading, Vec<String>) {
        let mut machine = self.machine();
        let reading = machine.read(Moment::ZERO);
        (reading, blind(&machine))
    }
}

fn blind(machine: &Machine) -> Vec<String> {
    machine.blind().iter().map(|blind| format!("{}: {}", blind.sensor, blind.cause)).collect()
}

fn limits(files: &str, processes: &str) -> String {
    format!(
        "Limit                     Soft Limit           Hard Limit           Units     \n\
         Max open files            {files}                 20000                files     \n\
         Max processes             {processes}                96365                processes \n"
    )
}

fn memory(used_mib: u64, limit_mib: u64) -> MemoryUse {
    MemoryUse { used: Bytes::mib(used_mib), limit: Bytes::mib(limit_mib) }
}

/// Value and source of the memory reading.
fn memory_of(reading: &Reading) -> Option<(MemoryUse, &'static str)> {
    reading.memory.map(|memory| (memory.value, memory.source))
}

/// Value and source of the reading of processes and threads.
fn pids_of(reading: &Reading) -> Option<(Tally, &'static str)> {
    reading.pids.map(|pids| (pids.value, pids.source))
}
