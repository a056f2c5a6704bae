//! The default of `limits.memory`: a share of the memory that the process may use.

use std::fs::read_to_string;
use std::path::Path;

/// The share of the container's or the machine's memory.
const SHARE: usize = 4;
/// The range of the default.
const LEAST: usize = 96 << 20;
const MOST: usize = 256 << 20;

/// A quarter of the memory of the container or the machine, from 96 to 256 MiB.
pub(super) fn default_budget() -> usize {
    budget_of([cgroup_limit(Path::new("/sys/fs/cgroup")), machine_memory()].into_iter().flatten().min())
}

fn budget_of(available: Option<usize>) -> usize {
    available.map_or(MOST, |bytes| (bytes / SHARE).clamp(LEAST, MOST))
}

/// The memory limit of the process's control group: version 2, or version 1. A container sees its own at the root.
fn cgroup_limit(root: &Path) -> Option<usize> {
    let own = read_to_string("/proc/self/cgroup").ok().and_then(|text| own_group(&text).map(str::to_owned));
    let own = own.map(|group| root.join(group.trim_start_matches('/')));
    let groups = own.into_iter().chain([root.to_owned(), root.join("memory")]);
    groups
        .flat_map(|group| [group.join("memory.max"), group.join("memory.limit_in_bytes")])
        .find_map(|file| limit_in(&read_to_string(file).ok()?))
}

/// The path of the group of version 2 in `/proc/self/cgroup`.
fn own_group(text: &str) -> Option<&str> {
    text.lines().find_map(|line| line.strip_prefix("0::"))
}

/// `max`, and the largest number of version 1, mean no limit.
fn limit_in(text: &str) -> Option<usize> {
    text.trim().parse().ok().filter(|bytes| *bytes > 0 && *bytes < (1 << 60))
}

fn machine_memory() -> Option<usize> {
    total_in(&read_to_string("/proc/meminfo").ok()?)
}

fn total_in(meminfo: &str) -> Option<usize> {
    let line = meminfo.lines().find_map(|line| line.strip_prefix("MemTotal:"))?;
    line.split_whitespace().next()?.parse::<usize>().ok()?.checked_mul(1024)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_budget_is_a_quarter_within_bounds() {
        assert_eq!(budget_of(Some(512 << 20)), 128 << 20);
        assert_eq!(budget_of(Some(100 << 20)), LEAST);
        assert_eq!(budget_of(Some(64 << 30)), MOST);
        assert_eq!(budget_of(None), MOST);
    }

    #[test]
    fn the_limit_of_a_control_group_is_read_in_both_versions() {
        for (file, text, expected) in [
            ("memory.max", "536870912\n", Some(512 << 20)),
            ("memory.max", "max\n", None),
            ("memory.limit_in_bytes", "9223372036854771712\n", None),
            ("memory.limit_in_bytes", "1073741824\n", Some(1 << 30)),
        ] {
            let root = tempfile::tempdir().unwrap();
            std::fs::write(root.path().join(file), text).unwrap();
            assert_eq!(cgroup_limit(root.path()), expected, "{file}: {text}");
        }
        assert_eq!(own_group("1:name=systemd:/x\n0::/user.slice/a\n"), Some("/user.slice/a"));
    }

    #[test]
    fn the_memory_of_the_machine_is_read() {
        assert_eq!(total_in("MemTotal:       16316412 kB\nMemFree: 1 kB\n"), Some(16_316_412 * 1024));
        assert_eq!(total_in("nonsense"), None);
    }
}
