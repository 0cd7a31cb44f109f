//! Sizes as people type them, and how much memory there is.

use std::fs;
use std::path::Path;

/// The least that a conversion can work with.
const LEAST: u64 = 16 << 20;

/// `512MB`, `1GiB`, `64k`, plain bytes. `k`, `M`, `G`, `T` and `kB` … are powers of 1000, `KiB` … of 1024.
///
/// # Errors
/// What was expected.
pub fn parse_size(text: &str) -> Result<u64, String> {
    let size = parse_bytes(text)?;
    if size < LEAST { Err("at least `16MiB` is needed".to_owned()) } else { Ok(size) }
}

/// `512MB`, `2GiB` or plain bytes → bytes.
///
/// # Errors
/// What was expected.
pub fn parse_bytes(text: &str) -> Result<u64, String> {
    let expected = || "expected a size such as `512MB`, `1GiB` or plain bytes".to_owned();
    let digits = text.find(|c: char| !c.is_ascii_digit()).unwrap_or(text.len());
    let (number, unit) = text.split_at(digits);
    let number: u64 = number.parse().map_err(|_| expected())?;
    let unit = unit.trim_start().to_ascii_lowercase();
    let (base, unit) = match unit.strip_suffix("ib") {
        Some(prefix) => (1024_u64, prefix.to_owned()),
        None => (1000, unit.strip_suffix('b').unwrap_or(&unit).to_owned()),
    };
    let power = match unit.as_str() {
        "" if base == 1000 => 0,
        "k" => 1,
        "m" => 2,
        "g" => 3,
        "t" => 4,
        _ => return Err(expected()),
    };
    base.checked_pow(power).and_then(|unit| unit.checked_mul(number)).ok_or_else(expected)
}

/// Half of the memory that the machine has or the control group allows, whichever is less; `None` where neither is
/// known.
pub fn half() -> Option<u64> {
    let machine = fs::read_to_string("/proc/meminfo").ok().and_then(|text| machine_memory(&text));
    let limit = machine.into_iter().chain(cgroup_limit()).min()?;
    Some((limit / 2).max(LEAST))
}

/// `MemTotal` of `/proc/meminfo`, which counts in KiB.
fn machine_memory(meminfo: &str) -> Option<u64> {
    let line = meminfo.lines().find_map(|line| line.strip_prefix("MemTotal:"))?;
    line.trim().strip_suffix("kB")?.trim().parse::<u64>().ok()?.checked_mul(1024)
}

/// The least limit of this process's control groups, of version 2 or 1.
fn cgroup_limit() -> Option<u64> {
    let groups = fs::read_to_string("/proc/self/cgroup").ok()?;
    groups
        .lines()
        .filter_map(|line| {
            let mut parts = line.splitn(3, ':').skip(1);
            let (controllers, path) = (parts.next()?, parts.next()?);
            match controllers {
                "" => Some(("/sys/fs/cgroup", "memory.max", path)),
                _ if controllers.split(',').any(|name| name == "memory") => {
                    Some(("/sys/fs/cgroup/memory", "memory.limit_in_bytes", path))
                }
                _ => None,
            }
        })
        .flat_map(|(root, file, path)| {
            // a group is also held to the limits of the groups around it
            let group = Path::new(root).join(path.trim_start_matches('/'));
            group
                .ancestors()
                .take_while(|directory| directory.starts_with(root))
                .filter_map(|directory| fs::read_to_string(directory.join(file)).ok())
                .filter_map(|text| text.trim().parse().ok())
                .collect::<Vec<u64>>()
        })
        .min()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reads_sizes_as_people_type_them() {
        for (text, size) in [
            ("512MB", 512_000_000),
            ("1GiB", 1 << 30),
            ("16MiB", 16 << 20),
            ("20000000", 20_000_000),
            ("2g", 2_000_000_000),
            ("64 MiB", 64 << 20),
            ("1T", 1_000_000_000_000),
        ] {
            assert_eq!(parse_size(text), Ok(size), "{text}");
        }
        for bad in ["", "MB", "1.5G", "-1", "16", "1XB", "99999999T", "1iB", "5kB"] {
            assert!(parse_size(bad).is_err(), "{bad} was read");
        }
    }

    #[test]
    fn reads_the_machines_memory() {
        assert_eq!(machine_memory("MemTotal:       1024 kB\nMemFree: 1 kB\n"), Some(1 << 20));
        assert_eq!(machine_memory("MemFree: 1 kB\n"), None);
    }
}
