//! Hostile input and hostile surroundings, through the real binary: whatever comes, it ends in good time, in bounded
//! memory, with a message that names the cause.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::indexing_slicing, reason = "a test's own data")]
#![cfg(target_os = "linux")]

use std::fs::{self, File, OpenOptions};
use std::io::{BufRead, BufReader, Read, Write};
use std::os::unix::fs::{PermissionsExt, symlink};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, ExitStatus, Stdio};
use std::thread;
use std::time::{Duration, Instant};

use flate2::Compression;
use flate2::write::GzEncoder;

/// How long a run may take; the slowest here takes a few seconds.
const PATIENCE: Duration = Duration::from_secs(60);

/// Address space for runs that must be bounded, in KiB.
const MEMORY: &str = "600000";

const BINARY: &str = env!("CARGO_BIN_EXE_flowtruth");

struct Finished {
    status: ExitStatus,
    stdout: String,
    stderr: String,
}

impl Finished {
    fn code(&self) -> i32 {
        self.status.code().unwrap_or_else(|| panic!("ended by a signal: {:?}\n{}", self.status, self.stderr))
    }
}

/// A child that is killed when it goes out of scope.
struct Guarded(Child);

impl Drop for Guarded {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

impl Guarded {
    fn spawn(command: &mut Command) -> Guarded {
        Guarded(command.stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap())
    }

    fn signal(&self, name: &str) {
        let status = Command::new("kill").args(["-s", name, &self.0.id().to_string()]).status().unwrap();
        assert!(status.success());
    }

    /// Waits for its end, and collects what it still says.
    fn finish(mut self) -> Finished {
        fn collect(stream: Option<impl Read + Send + 'static>) -> thread::JoinHandle<String> {
            thread::spawn(move || {
                let mut bytes = Vec::new();
                if let Some(mut stream) = stream {
                    stream.read_to_end(&mut bytes).unwrap();
                }
                String::from_utf8_lossy(&bytes).into_owned()
            })
        }
        let (stdout, stderr) = (collect(self.0.stdout.take()), collect(self.0.stderr.take()));
        let start = Instant::now();
        let status = loop {
            if let Some(status) = self.0.try_wait().unwrap() {
                break status;
            }
            assert!(start.elapsed() < PATIENCE, "it does not end");
            thread::sleep(Duration::from_millis(5));
        };
        Finished { status, stdout: stdout.join().unwrap(), stderr: stderr.join().unwrap() }
    }
}

fn flowtruth(arguments: &[&str]) -> Command {
    let mut command = Command::new(BINARY);
    command.args(arguments).stdin(Stdio::null());
    command
}

fn run(arguments: &[&str]) -> Finished {
    Guarded::spawn(&mut flowtruth(arguments)).finish()
}

/// Runs it within limits, `ulimit`'s words.
fn run_within(limits: &str, arguments: &[&str]) -> Finished {
    let script = format!("ulimit {limits} && exec \"$@\"");
    let mut command = Command::new("sh");
    command.args(["-c", &script, "sh", BINARY]).args(arguments).stdin(Stdio::null());
    Guarded::spawn(&mut command).finish()
}

fn run_in_memory(arguments: &[&str]) -> Finished {
    run_within(&format!("-v {MEMORY}"), arguments)
}

/// A pcap header, little-endian, microseconds.
fn pcap(link_type: u32) -> Vec<u8> {
    let mut bytes = b"\xd4\xc3\xb2\xa1\x02\0\x04\0\0\0\0\0\0\0\0\0\xff\xff\0\0".to_vec();
    bytes.extend(link_type.to_le_bytes());
    bytes
}

fn record(seconds: u32, frame: &[u8]) -> Vec<u8> {
    let length = frame.len() as u32;
    let mut bytes: Vec<u8> = [seconds, 0, length, length].into_iter().flat_map(u32::to_le_bytes).collect();
    bytes.extend(frame);
    bytes
}

/// A bare IPv4 UDP packet of 28 bytes.
fn udp(port: u16) -> Vec<u8> {
    let mut packet = vec![0x45, 0, 0, 28, 0, 0, 0, 0, 64, 17, 0, 0, 10, 0, 0, 1, 10, 0, 0, 2];
    packet.extend(port.to_be_bytes());
    packet.extend([0, 53, 0, 8, 0, 0]);
    packet
}

/// A pcapng block, little-endian.
fn block(block_type: u32, body: &[u8]) -> Vec<u8> {
    let length = body.len().next_multiple_of(4) as u32 + 12;
    let mut bytes = [block_type.to_le_bytes(), length.to_le_bytes()].concat();
    bytes.extend(body);
    bytes.resize(length as usize - 4, 0);
    bytes.extend(length.to_le_bytes());
    bytes
}

fn section() -> Vec<u8> {
    block(0x0a0d_0d0a, b"\x4d\x3c\x2b\x1a\x01\0\0\0\xff\xff\xff\xff\xff\xff\xff\xff")
}

fn write(directory: &Path, name: &str, bytes: &[u8]) -> String {
    let path = directory.join(name);
    fs::write(&path, bytes).unwrap();
    path.to_str().unwrap().to_owned()
}

fn fifo(directory: &Path, name: &str) -> PathBuf {
    let path = directory.join(name);
    assert!(Command::new("mkfifo").arg(&path).status().unwrap().success());
    path
}

/// What is left in a directory, hidden files too.
fn names(directory: &Path) -> Vec<String> {
    let name =
        |entry: std::io::Result<fs::DirEntry>| entry.unwrap().file_name().to_string_lossy().into_owned();
    let mut names: Vec<_> = fs::read_dir(directory).unwrap().map(name).collect();
    names.sort();
    names
}

/// Without the feature an address is still understood, and what is missing is said.
#[cfg(not(feature = "s3"))]
#[test]
fn an_address_in_s3_without_the_feature() {
    let seed = "fixtures/captures/seed.pcap";
    for arguments in [
        &["convert", "s3://bucket/key"][..],
        &["convert", seed, "-o", "s3://bucket/key"],
        &["convert", seed, "--layout", "s3", "--account-id", "1", "--set", "region=r", "-o", "s3://bucket"],
        &["diff", seed, "s3://bucket/key"],
        &["inspect", "s3://bucket/key"],
        &["lint", "s3://bucket/key"],
        &["extract", seed, "--log", "s3://bucket/key", "--line", "1", "-o", "/dev/null"],
    ] {
        let output = Command::new(BINARY).args(arguments).output().unwrap();
        let said = String::from_utf8(output.stderr).unwrap();
        assert_eq!(output.status.code(), Some(2), "{said}");
        assert!(said.contains("cannot be used: this build has no S3"), "{said}");
        assert!(said.contains("hint: `cargo install flowtruth --features s3` builds one"), "{said}");
    }
}

#[test]
fn lengths_that_lie_are_damage_in_bounded_memory() {
    let directory = tempfile::tempdir().unwrap();
    let good = [pcap(101), record(7, &udp(1))].concat();
    let lie = |captured: u32, original: u32| {
        let header: Vec<u8> = [7, 0, captured, original].into_iter().flat_map(u32::to_le_bytes).collect();
        [&good[..], &header, &[0; 64]].concat()
    };
    let interface = block(1, &[101, 0, 0, 0, 0, 0, 0, 0]);
    let ng = |last: &[u8]| [&section(), &interface, last].concat();
    let claim = |block_type: u32, length: u32| {
        [&block_type.to_le_bytes()[..], &length.to_le_bytes(), &[0; 64]].concat()
    };
    let cases = [
        ("captured 4 GB", lie(u32::MAX, 60), "packet 2 at byte 68: found 4294967295 captured bytes"),
        ("captured 2 GB", lie(1 << 31, 1 << 31), "packet 2 at byte 68: found 2147483648 captured bytes"),
        ("captured more than is there", lie(262_144, 60), "the packet record is cut short: found 80 bytes"),
        (
            "an enhanced block of 2 GB",
            ng(&claim(6, 1 << 31)),
            "found a block of type 0x6 with 2147483648 bytes",
        ),
        ("a simple block of 4 GB", ng(&claim(3, u32::MAX - 3)), "found a block of type 0x3"),
        ("a section of 2 GB", claim(0x0a0d_0d0a, 1 << 31), "found byte-order magic 0x00000000"),
        ("an interface of 2 GB", [section(), claim(1, 1 << 31)].concat(), "found a block of type 0x1"),
        ("an unknown block of 2 GB", ng(&claim(0xbad, 1 << 31)), "the block is cut short: found 72 bytes"),
        ("a block of 0 bytes", ng(&claim(0xbad, 0)), "found a block of type 0xbad with 0 bytes"),
        ("a block of 8 bytes", ng(&claim(6, 8)), "found a block of type 0x6 with 8 bytes"),
    ];
    for (name, bytes, expected) in cases {
        let path = write(directory.path(), "capture", &bytes);
        let finished = run_in_memory(&["convert", "--quiet", &path]);
        assert_eq!(finished.code(), 2, "{name}");
        assert!(finished.stderr.contains(expected), "{name}: {}", finished.stderr);
        assert_eq!(finished.stdout.lines().count(), usize::from(bytes.starts_with(&good)), "{name}");
    }
}

#[test]
fn thousands_of_damaged_files_cost_nothing_but_their_messages() {
    let directory = tempfile::tempdir().unwrap();
    for n in 0..2_000_u32 {
        let mut bytes = [pcap(101), record(1_000_000 + n, &udp(1)), record(1_000_000 + n, &udp(2))].concat();
        bytes.truncate(bytes.len() - 1 - n as usize % 40);
        write(directory.path(), &format!("{n:04}"), &bytes);
    }
    let finished = run_within(
        "-n 32 && ulimit -v 600000",
        &["convert", "--max-aggregation-interval", "capture", directory.path().to_str().unwrap()],
    );
    assert_eq!(finished.code(), 2);
    assert_eq!(
        finished.stdout,
        "2 unknown - 10.0.0.1 10.0.0.2 1 53 17 2000 56000 1000000 1001999 ACCEPT OK\n"
    );
    assert_eq!(finished.stderr.matches("the packet record is cut short").count(), 2_000);
    assert!(finished.stderr.contains("warning: 2000 captures could not be read to their end"));
}

#[test]
fn absurd_times_that_each_open_a_window_stay_within_memory() {
    let directory = tempfile::tempdir().unwrap();
    let mut bytes = pcap(101);
    let mut time = 1_u32;
    for n in 0..200_000_u32 {
        time = time.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
        bytes.extend(record(time, &udp((n % 60_000) as u16)));
    }
    let path = write(directory.path(), "absurd.pcap", &bytes);
    for threads in ["1", "2"] {
        let finished = run_in_memory(&[
            "convert",
            "--max-aggregation-interval",
            "60",
            "--log-format",
            "${packets}",
            "--threads",
            threads,
            &path,
        ]);
        assert_eq!(finished.code(), 0, "{}", finished.stderr);
        let packets: u64 = finished.stdout.lines().map(|line| line.parse::<u64>().unwrap()).sum();
        assert_eq!(packets, 200_000);
    }
}

#[test]
fn towers_of_headers_are_climbed_once() {
    let directory = tempfile::tempdir().unwrap();
    let mut file = pcap(1);
    for _ in 0..200 {
        let mut frame = vec![2; 12];
        for _ in 0..15_000 {
            frame.extend([0x81, 0x00, 0, 1]);
        }
        frame.extend([0x08, 0x00]);
        frame.extend(udp(1));
        file.extend(record(1, &frame));
    }
    let vlans = write(directory.path(), "vlans.pcap", &file);

    let mut file = pcap(101);
    for _ in 0..200 {
        let mut packet = b"\x60\0\0\0\xff\xf8\x3c\x40".to_vec();
        packet.extend([1; 32]);
        for _ in 0..8_189 {
            packet.extend([60, 0, 1, 4, 0, 0, 0, 0]);
        }
        packet.extend(b"\x11\0\x01\x04\0\0\0\0\0\x07\0\x35\0\x08\0\0");
        file.extend(record(1, &packet));
    }
    let extensions = write(directory.path(), "extensions.pcap", &file);

    let mut file = pcap(101);
    for _ in 0..200 {
        let mut packet = udp(2);
        for _ in 0..2_000 {
            let length = (packet.len() + 24) as u16;
            let mut outer = b"\x45\0\0\0\0\0\0\0\x40\x2f\0\0\x0a\0\0\x01\x0a\0\0\x02\0\0\x08\0".to_vec();
            outer[2..4].copy_from_slice(&length.to_be_bytes());
            packet = [outer, packet].concat();
        }
        file.extend(record(1, &packet));
    }
    let tunnels = write(directory.path(), "tunnels.pcap", &file);

    let format = ["--log-format", "${protocol} ${srcport} ${packets} ${bytes}"];
    let convert =
        |path: &str| run(&["convert", "--quiet", "--decap", "gre", format[0], format[1], path]).stdout;
    assert_eq!(convert(&vlans), "17 1 200 5600\n");
    assert_eq!(convert(&extensions), format!("17 7 200 {}\n", 200 * (40 + 0xfff8)));
    // four are opened, and the fifth counts
    assert_eq!(convert(&tunnels), format!("47 0 200 {}\n", 200 * (28 + 24 * 1_996)));
}

#[test]
fn a_bomb_is_no_capture_and_a_huge_capture_is_streamed() {
    let directory = tempfile::tempdir().unwrap();
    let mut encoder = GzEncoder::new(Vec::new(), Compression::fast());
    let zeros = vec![0; 1 << 20];
    (0..200).for_each(|_| encoder.write_all(&zeros).unwrap());
    let bomb = write(directory.path(), "bomb.gz", &encoder.finish().unwrap());
    let finished = run_in_memory(&["convert", "--quiet", &bomb]);
    assert_eq!(finished.code(), 2);
    assert!(finished.stderr.contains("begins with 00 00 00 00 00 00 00 00, expected"), "{}", finished.stderr);

    // 800 MB of packets in a few MB
    let mut encoder = GzEncoder::new(Vec::new(), Compression::fast());
    encoder.write_all(&pcap(101)).unwrap();
    let mut packet = udp(1);
    packet.resize(262_144, 0);
    let packet = record(1, &packet);
    (0..3_200).for_each(|_| encoder.write_all(&packet).unwrap());
    let huge = write(directory.path(), "huge.gz", &encoder.finish().unwrap());
    let finished = run_in_memory(&["convert", "--quiet", "--log-format", "${packets} ${bytes}", &huge]);
    assert_eq!((finished.code(), &*finished.stdout), (0, "3200 89600\n"), "{}", finished.stderr);
}

#[test]
fn interfaces_without_end_are_refused_and_long_names_are_clipped() {
    let directory = tempfile::tempdir().unwrap();
    let mut name = vec![2, 0, 0x60, 0xea];
    name.resize(4 + 60_000, b'e');
    let interface = block(1, &[&[101, 0, 0, 0, 0, 0, 0, 0][..], &name].concat());
    let mut encoder = GzEncoder::new(Vec::new(), Compression::fast());
    encoder.write_all(&section()).unwrap();
    (0..20_000).for_each(|_| encoder.write_all(&interface).unwrap());
    let names = write(directory.path(), "names.gz", &encoder.finish().unwrap());
    let finished = run_in_memory(&["inspect", "--json", &names]);
    assert_eq!(finished.code(), 0, "{}", finished.stderr);

    let plain = block(1, &[101, 0, 0, 0, 0, 0, 0, 0]);
    let many = [section(), plain.repeat(1_000_000)].concat();
    let many = write(directory.path(), "many.pcapng", &many);
    let finished = run_in_memory(&["convert", "--quiet", &many]);
    assert_eq!(finished.code(), 2);
    assert!(finished.stderr.contains("found more than 65536 interface descriptions"), "{}", finished.stderr);
}

#[test]
fn devices_are_read_as_what_they_are() {
    for (device, expected) in [
        ("/dev/zero", "begins with 00 00 00 00 00 00 00 00, expected the magic number"),
        ("/dev/urandom", "/dev/urandom"),
        ("/dev/null", "is empty, expected a pcap or pcapng capture"),
    ] {
        for verb in ["convert", "inspect"] {
            let finished = run_in_memory(&[verb, "--quiet", device]);
            assert_eq!(finished.code(), 2, "{device}");
            assert!(finished.stderr.contains(expected), "{device}: {}", finished.stderr);
        }
    }
}

#[test]
fn a_fifo_is_read_like_a_file_and_passed_over_in_a_directory() {
    let directory = tempfile::tempdir().unwrap();
    let bytes = [pcap(101), record(1, &udp(1)), record(700, &udp(2))].concat();
    let file = write(directory.path(), "a.pcap", &bytes);
    let path = fifo(directory.path(), "b.pcap");
    let expected = run(&["convert", "--quiet", &file]).stdout;
    assert_eq!(expected.lines().count(), 2);

    let child = Guarded::spawn(&mut flowtruth(&["convert", "--quiet", path.to_str().unwrap()]));
    let writer = thread::spawn(move || {
        let mut pipe = OpenOptions::new().write(true).open(path).unwrap();
        bytes.chunks(7).for_each(|piece| pipe.write_all(piece).unwrap());
    });
    let finished = child.finish();
    writer.join().unwrap();
    assert_eq!((finished.code(), &finished.stdout), (0, &expected));

    let finished = run(&["convert", directory.path().to_str().unwrap()]);
    assert_eq!((finished.code(), &finished.stdout), (0, &expected));
    assert!(finished.stderr.contains("1 capture found, 1 other file left alone"), "{}", finished.stderr);
}

#[test]
fn an_unreadable_file_does_not_hide_the_others() {
    let directory = tempfile::tempdir().unwrap();
    let good = write(directory.path(), "good", &[pcap(101), record(1, &udp(1))].concat());
    let mut bad = vec![directory.path().join("missing")];
    let locked = directory.path().join("locked");
    fs::write(&locked, pcap(101)).unwrap();
    fs::set_permissions(&locked, fs::Permissions::from_mode(0o0)).unwrap();
    // root reads everything
    if File::open(&locked).is_err() {
        bad.push(locked);
    }
    let looped = directory.path().join("loop");
    symlink(&looped, &looped).unwrap();
    bad.push(looped);
    for path in bad {
        let path = path.to_str().unwrap();
        let finished = run(&["convert", "--quiet", path, &good]);
        assert_eq!((finished.code(), finished.stdout.lines().count()), (2, 1), "{path}");
        assert!(finished.stderr.contains(&format!("`{path}`: cannot be opened")), "{}", finished.stderr);
    }
}

#[test]
fn an_input_is_never_written_over() {
    let directory = tempfile::tempdir().unwrap();
    let bytes = [pcap(101), record(1, &udp(1))].concat();
    let input = write(directory.path(), "input", &bytes);
    let at = |name: &str| directory.path().join(name).to_str().unwrap().to_owned();
    symlink(&input, at("symlink")).unwrap();
    symlink("symlink", at("symlink-to-symlink")).unwrap();
    fs::hard_link(&input, at("hardlink")).unwrap();
    let dotted = format!(
        "{}/../{}/input",
        directory.path().display(),
        directory.path().file_name().unwrap().display()
    );
    for output in [input.clone(), at("symlink"), at("symlink-to-symlink"), at("hardlink"), dotted] {
        for option in ["-o", "--ledger"] {
            for capture in [&input, directory.path().to_str().unwrap()] {
                let finished = run(&["convert", "--quiet", option, &output, capture]);
                assert_eq!(finished.code(), 2, "{option} {output}");
                assert!(finished.stderr.contains("would be written over"), "{}", finished.stderr);
            }
        }
    }
    assert_eq!(fs::read(&input).unwrap(), bytes);
    assert_eq!(names(directory.path()), ["hardlink", "input", "symlink", "symlink-to-symlink"]);
}

#[test]
fn an_output_that_cannot_be_written_is_named_and_leaves_nothing() {
    let directory = tempfile::tempdir().unwrap();
    let mut bytes = pcap(101);
    (0..20_000).for_each(|n| bytes.extend(record(1, &udp(n))));
    let input = write(directory.path(), "input", &bytes);
    let folder = directory.path().to_str().unwrap();
    let nowhere = format!("{folder}/no/flow.log");
    for (output, expected) in [
        (folder, "is a directory"),
        (&*nowhere, "the directory does not exist"),
        ("/dev/full", "No space left on device"),
        ("", "error"),
    ] {
        for option in ["-o", "--ledger"] {
            let finished = run(&["convert", "--quiet", option, output, &input]);
            assert_eq!(finished.code(), 2, "{option} {output}");
            assert!(finished.stderr.contains(expected), "{option} {output}: {}", finished.stderr);
        }
    }
    // as on a full disk; the signal that comes with it is the shell's to ignore
    let finished =
        run_within("-f 16 && trap '' XFSZ", &["convert", "-o", &format!("{folder}/flow.log"), &input]);
    assert_eq!(finished.code(), 2, "{}", finished.stderr);
    assert!(finished.stderr.contains("flow.log`: File too large"), "{}", finished.stderr);
    let mut full = flowtruth(&["convert", "--quiet", &input]);
    let mut full =
        Guarded(full.stdout(File::create("/dev/full").unwrap()).stderr(Stdio::piped()).spawn().unwrap());
    full.0.stdout = None;
    let finished = full.finish();
    assert_eq!(finished.code(), 2);
    assert!(finished.stderr.contains("cannot write standard output: No space left"), "{}", finished.stderr);
    assert_eq!(names(directory.path()), ["input"]);
}

#[test]
fn a_redirected_standard_output_named_by_its_path_is_not_replaced() {
    let directory = tempfile::tempdir().unwrap();
    let input = write(directory.path(), "input", &[pcap(101), record(1, &udp(1))].concat());
    let log = directory.path().join("log");
    for path in ["/dev/stdout", "/dev/fd/1", "/proc/self/fd/1"] {
        fs::write(&log, "what was there\n").unwrap();
        let mut command = flowtruth(&["convert", "--quiet", "-o", path, &input]);
        let appended = OpenOptions::new().append(true).open(&log).unwrap();
        assert!(command.stdout(appended).status().unwrap().success());
        let expected = "what was there\n2 unknown - 10.0.0.1 10.0.0.2 1 53 17 1 28 1 1 ACCEPT OK\n";
        assert_eq!(fs::read_to_string(&log).unwrap(), expected, "{path}");
    }
    assert_eq!(names(directory.path()), ["input", "log"]);
}

#[test]
fn an_origin_before_1970_needs_no_equals_sign() {
    let directory = tempfile::tempdir().unwrap();
    let input =
        write(directory.path(), "input", &[pcap(101), record(56, &udp(1)), record(54, &udp(1))].concat());
    let arguments = ["--quiet", "--max-aggregation-interval", "60", "--window-origin", "-5", &input];
    let finished = run(&[&["convert"][..], &arguments].concat());
    assert_eq!((finished.code(), finished.stdout.lines().count()), (0, 2), "{}", finished.stderr);
}

#[test]
fn a_reader_that_leaves_is_no_error() {
    let directory = tempfile::tempdir().unwrap();
    let mut bytes = pcap(101);
    (0..100_000).for_each(|n| bytes.extend(record(n, &udp(n as u16))));
    let input = write(directory.path(), "input", &bytes);
    for threads in ["1", "2"] {
        let arguments =
            ["convert", "--quiet", "--max-aggregation-interval", "1", "--threads", threads, &input];
        let mut child = Guarded::spawn(&mut flowtruth(&arguments));
        let mut line = String::new();
        BufReader::new(child.0.stdout.take().unwrap()).read_line(&mut line).unwrap();
        assert!(line.ends_with("ACCEPT OK\n"));
        let finished = child.finish();
        assert_eq!((finished.code(), &*finished.stderr), (0, ""));
    }
}

/// Starts a conversion of a FIFO, and waits until the first window's records are there, or the pipe is read.
fn convert_live(directory: &Path, arguments: &[&str]) -> (Guarded, File) {
    let path = fifo(directory, "live");
    let mut all = vec!["convert", "--max-aggregation-interval", "60"];
    all.extend(arguments);
    all.push(path.to_str().unwrap());
    let child = Guarded::spawn(&mut flowtruth(&all));
    let mut pipe = OpenOptions::new().write(true).open(&path).unwrap();
    pipe.write_all(&pcap(101)).unwrap();
    (child, pipe)
}

#[test]
fn a_closed_window_is_written_while_the_pipe_stays_open() {
    for threads in ["1", "2"] {
        let directory = tempfile::tempdir().unwrap();
        let (mut child, mut pipe) = convert_live(directory.path(), &["--quiet", "--threads", threads]);
        for (time, port) in [(1, 1), (59, 1), (60, 2), (70, 2)] {
            pipe.write_all(&record(time, &udp(port))).unwrap();
        }
        let mut stdout = BufReader::new(child.0.stdout.take().unwrap());
        let mut line = String::new();
        stdout.read_line(&mut line).unwrap();
        assert_eq!(line, "2 unknown - 10.0.0.1 10.0.0.2 1 53 17 2 56 1 59 ACCEPT OK\n");
        assert!(child.0.try_wait().unwrap().is_none());
        pipe.write_all(&record(71, &udp(2))).unwrap();
        drop(pipe);
        let mut rest = String::new();
        stdout.read_to_string(&mut rest).unwrap();
        assert_eq!(rest, "2 unknown - 10.0.0.1 10.0.0.2 2 53 17 3 84 60 71 ACCEPT OK\n");
        assert_eq!(child.finish().code(), 0);
    }
}

#[test]
fn an_interrupted_conversion_leaves_no_temporary_file() {
    for signal in ["INT", "TERM"] {
        let directory = tempfile::tempdir().unwrap();
        let output = directory.path().join("flow.log");
        let (child, mut pipe) = convert_live(directory.path(), &["-o", output.to_str().unwrap()]);
        let start = Instant::now();
        while !names(directory.path()).iter().any(|name| name.ends_with(".partial")) {
            assert!(start.elapsed() < PATIENCE, "no temporary file");
            thread::sleep(Duration::from_millis(5));
        }
        pipe.write_all(&record(1, &udp(1))).unwrap();
        child.signal(signal);
        // what comes after the signal wakes it up; at last the pipe is closed from the other side
        let start = Instant::now();
        while pipe.write_all(&record(2, &udp(1)).repeat(100)).is_ok() {
            assert!(start.elapsed() < PATIENCE, "it reads on");
        }
        let finished = child.finish();
        assert_eq!(finished.code(), 130, "{signal}");
        assert!(!names(directory.path()).iter().any(|name| name.ends_with(".partial")), "{signal}");
    }
}

#[test]
fn an_interrupted_live_conversion_writes_what_it_has() {
    let directory = tempfile::tempdir().unwrap();
    let (mut child, mut pipe) = convert_live(directory.path(), &[]);
    for time in [1, 2, 3, 100] {
        pipe.write_all(&record(time, &udp(1))).unwrap();
    }
    let mut stdout = BufReader::new(child.0.stdout.take().unwrap());
    let mut line = String::new();
    stdout.read_line(&mut line).unwrap();
    child.signal("INT");
    let start = Instant::now();
    while pipe.write_all(&record(100, &udp(1))).is_ok() {
        assert!(start.elapsed() < PATIENCE, "it reads on");
        thread::sleep(Duration::from_millis(1));
    }
    let mut rest = String::new();
    stdout.read_to_string(&mut rest).unwrap();
    assert_eq!(rest.lines().count(), 1, "{rest}");
    assert!(
        rest.starts_with("2 unknown - 10.0.0.1 10.0.0.2 1 53 17 ") && rest.ends_with(" 100 100 ACCEPT OK\n")
    );
    let finished = child.finish();
    assert_eq!(finished.code(), 130, "{}", finished.stderr);
}

#[test]
fn an_idle_live_conversion_is_interrupted_at_once() {
    for signal in ["INT", "TERM"] {
        let directory = tempfile::tempdir().unwrap();
        let (child, mut pipe) = convert_live(directory.path(), &[]);
        pipe.write_all(&record(1, &udp(1))).unwrap();
        thread::sleep(Duration::from_millis(300));
        child.signal(signal);
        let finished = child.finish();
        drop(pipe);
        assert_eq!(finished.code(), 130, "{signal}");
        assert_eq!(finished.stdout.lines().count(), 1, "{signal}: {}", finished.stdout);
    }
}

#[test]
fn packets_that_come_just_after_an_interruption_are_not_lost() {
    let directory = tempfile::tempdir().unwrap();
    let (child, mut pipe) = convert_live(directory.path(), &[]);
    pipe.write_all(&record(1, &udp(1))).unwrap();
    thread::sleep(Duration::from_millis(200));
    child.signal("INT");
    // what writes the capture was interrupted too, and writes its buffer out before it ends
    thread::sleep(Duration::from_millis(200));
    pipe.write_all(&record(2, &udp(1)).repeat(59)).unwrap();
    drop(pipe);
    let finished = child.finish();
    assert_eq!(finished.code(), 130);
    assert!(finished.stderr.contains("60 packets read: 60 in 1 record"), "{}", finished.stderr);
}

#[test]
fn an_inspection_of_a_live_capture_ends_with_what_was_read() {
    let directory = tempfile::tempdir().unwrap();
    let path = fifo(directory.path(), "live");
    let child = Guarded::spawn(&mut flowtruth(&["inspect", path.to_str().unwrap()]));
    let mut pipe = OpenOptions::new().write(true).open(&path).unwrap();
    pipe.write_all(&[pcap(101), record(1, &udp(1))].concat()).unwrap();
    thread::sleep(Duration::from_millis(200));
    child.signal("INT");
    let finished = child.finish();
    drop(pipe);
    assert_eq!(finished.code(), 130);
    assert!(
        finished.stdout.contains("packets") && finished.stdout.contains("17 (udp)"),
        "{}",
        finished.stdout
    );
}

#[test]
fn a_live_extraction_writes_packets_as_they_come_and_ends_when_it_is_interrupted() {
    let directory = tempfile::tempdir().unwrap();
    let path = fifo(directory.path(), "live");
    let mut child =
        Guarded::spawn(&mut flowtruth(&["extract", path.to_str().unwrap(), "--flow", "*:1->*/udp"]));
    let mut pipe = OpenOptions::new().write(true).open(&path).unwrap();
    let packets = [pcap(101), record(1, &udp(1)), record(2, &udp(2))].concat();
    pipe.write_all(&packets).unwrap();
    let mut stdout = child.0.stdout.take().unwrap();
    let mut written = vec![0; 24 + record(1, &udp(1)).len()];
    stdout.read_exact(&mut written).unwrap();
    assert!(written.ends_with(&udp(1)));
    child.signal("INT");
    // who writes the capture was interrupted too, and has a packet left
    thread::sleep(Duration::from_millis(200));
    pipe.write_all(&record(3, &udp(1))).unwrap();
    drop(pipe);
    let mut rest = Vec::new();
    stdout.read_to_end(&mut rest).unwrap();
    assert!(rest.ends_with(&udp(1)) && rest.len() == record(3, &udp(1)).len(), "{rest:?}");
    let finished = child.finish();
    assert_eq!(finished.code(), 130);
    assert!(finished.stderr.contains("2 packets, 56 bytes (IP), written to standard output"));
}

#[test]
fn a_second_interruption_ends_it_at_once() {
    let directory = tempfile::tempdir().unwrap();
    let output = directory.path().join("flow.log");
    let (child, mut pipe) = convert_live(directory.path(), &["-o", output.to_str().unwrap()]);
    pipe.write_all(&record(1, &udp(1)).repeat(5_000)).unwrap();
    // the pipe holds 64 KiB, so most of it was read and the signals are waited for
    child.signal("INT");
    thread::sleep(Duration::from_millis(300));
    let mut child = child;
    if child.0.try_wait().unwrap().is_none() {
        child.signal("INT");
    }
    assert_eq!(child.finish().code(), 130);
    assert_eq!(names(directory.path()), ["live"]);
}
