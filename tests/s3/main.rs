//! `s3://` addresses against a server on loopback that fails when it is told to.
//!
//! Built with the feature `s3` alone: `cargo test --features s3 --test s3`.

#![allow(clippy::unwrap_used, clippy::indexing_slicing, reason = "a test may panic")]

mod server;

use std::fs;
use std::process::{Command, Output};

use server::{Fault, Server};

/// Runs the program with settings that lead to the server and nowhere else.
fn run(server: &Server, arguments: &[&str]) -> Output {
    run_with(server, arguments, &[])
}

fn run_with(server: &Server, arguments: &[&str], settings: &[(&str, &str)]) -> Output {
    let mut command = Command::new(env!("CARGO_BIN_EXE_flowtruth"));
    for (name, _) in std::env::vars().filter(|(name, _)| name.starts_with("AWS_")) {
        command.env_remove(name);
    }
    command
        .args(arguments)
        .current_dir(env!("CARGO_MANIFEST_DIR"))
        .env("HOME", "/nonexistent")
        // whatever goes wrong, nothing outside of this machine is asked
        .env("HTTPS_PROXY", "http://127.0.0.1:9")
        .env("AWS_EC2_METADATA_DISABLED", "true")
        .env("AWS_ACCESS_KEY_ID", "AKIDEXAMPLE")
        .env("AWS_SECRET_ACCESS_KEY", "secret")
        .env("AWS_ENDPOINT_URL", server.url())
        .env("AWS_MAX_ATTEMPTS", "3")
        .envs(settings.iter().copied());
    // a setting that is empty here is none
    settings.iter().filter(|(_, value)| value.is_empty()).for_each(|(name, _)| {
        command.env_remove(name);
    });
    command.output().unwrap()
}

fn text(bytes: &[u8]) -> &str {
    std::str::from_utf8(bytes).unwrap()
}

/// What the program writes of a file, to compare with.
fn converted(path: &str) -> Vec<u8> {
    let output = Command::new(env!("CARGO_BIN_EXE_flowtruth"))
        .args(["convert", "-q", path])
        .current_dir(env!("CARGO_MANIFEST_DIR"))
        .output()
        .unwrap();
    assert!(output.status.success() && !output.stdout.is_empty());
    output.stdout
}

const SEED: &str = "fixtures/captures/seed.pcap";
const ROTATED: &str = "fixtures/captures/traffic/rotated";

fn with_seed() -> Server {
    let server = Server::start();
    server.put("seed.pcap", &fs::read(SEED).unwrap());
    server
}

/// Asserts that a run ended with trouble that these words tell, and that nothing was written to standard output.
fn assert_trouble(output: &Output, words: &[&str]) {
    let said = text(&output.stderr);
    assert_eq!(output.status.code(), Some(2), "{said}");
    assert_eq!(text(&output.stdout), "");
    for word in words {
        assert!(said.contains(word), "`{word}` is not in: {said}");
    }
    assert!(!said.contains("panicked"), "{said}");
}

#[test]
fn an_object_is_read_as_the_file_is() {
    let server = with_seed();
    let output = run(&server, &["convert", "-q", "s3://bucket/seed.pcap"]);
    assert_eq!(text(&output.stderr), "");
    assert_eq!(output.stdout, converted(SEED));
}

#[test]
fn a_prefix_is_read_as_the_directory_is_through_all_pages() {
    let server = Server::start();
    for part in ["part0.pcap", "part1.pcap", "part2.pcap"] {
        server.put(&format!("in/deep/er/{part}"), &fs::read(format!("{ROTATED}/{part}")).unwrap());
    }
    server.put("in/deep/er/notes.txt", b"not a capture");
    server.put("in/deep/er/marker", b"");
    server.put("in/deeper", b"not below the prefix");
    for address in ["s3://bucket/in/deep", "s3://bucket/in/deep/", "S3://bucket/in/deep/er"] {
        let output = run(&server, &["convert", address]);
        assert_eq!(output.stdout, converted(ROTATED), "{}", text(&output.stderr));
        assert!(text(&output.stderr).contains("3 captures found, 1 other object left alone"));
        assert!(text(&output.stderr).contains("`s3://bucket/in/deep/er/marker` is empty and left alone"));
    }
}

#[test]
fn a_connection_that_drops_again_and_again_changes_nothing() {
    let server = Server::start();
    let capture = fs::read("fixtures/captures/traffic/windows.pcap").unwrap();
    server.put("w.pcap", &capture);
    // each answer ends after some bytes; the next one goes on from there
    server.fail("GET /bucket/w.pcap", 20, Fault::DropAfter(capture.len() / 10));
    let output = run(&server, &["convert", "-q", "s3://bucket/w.pcap"]);
    assert_eq!(
        output.stdout,
        converted("fixtures/captures/traffic/windows.pcap"),
        "{}",
        text(&output.stderr)
    );
    assert!(server.asked("GET /bucket/w.pcap") >= 10);
}

#[test]
fn a_connection_that_never_gets_further_ends_with_an_error() {
    let server = with_seed();
    server.fail("GET /bucket/seed.pcap", 2, Fault::DropAfter(500));
    server.fail("GET /bucket/seed.pcap", usize::MAX, Fault::DropAfter(0));
    let output = run(&server, &["convert", "-q", "s3://bucket/seed.pcap"]);
    assert_trouble(&output, &["`s3://bucket/seed.pcap`: ", "cannot be read", "every attempt was used up"]);
}

#[test]
fn an_object_that_changes_while_it_is_read_is_an_error() {
    let server = with_seed();
    server.fail("GET /bucket/seed.pcap", 2, Fault::DropAfter(500));
    server.fail("GET /bucket/seed.pcap", usize::MAX, Fault::error(412, "PreconditionFailed"));
    let output = run(&server, &["convert", "-q", "s3://bucket/seed.pcap"]);
    let said = text(&output.stderr);
    assert!(said.contains("the object was changed while it was read"), "{said}");
    assert_eq!(output.status.code(), Some(2));
}

#[test]
fn throttling_is_waited_out_but_not_for_ever() {
    let server = with_seed();
    server.fail("GET /bucket/seed.pcap", 2, Fault::error(503, "SlowDown"));
    let output = run(&server, &["convert", "-q", "s3://bucket/seed.pcap"]);
    assert_eq!(output.stdout, converted(SEED), "{}", text(&output.stderr));
    let before = server.asked("GET /bucket/seed.pcap");
    assert_eq!(before, 4, "the two that failed, one to look at it and one to read it");

    server.fail("GET /bucket/seed.pcap", usize::MAX, Fault::error(503, "SlowDown"));
    let output = run(&server, &["convert", "-q", "s3://bucket/seed.pcap"]);
    assert_trouble(&output, &["`s3://bucket/seed.pcap`", "SlowDown", "hint: ", "AWS_MAX_ATTEMPTS"]);
    let asked = server.asked("GET /bucket/seed.pcap") - before;
    assert_eq!(asked, 6, "as often as `AWS_MAX_ATTEMPTS` says, to look at it and to read it");
}

#[test]
fn what_is_not_there_or_not_allowed_is_told_apart() {
    let server = with_seed();
    let nothing = run(&server, &["convert", "s3://other/seed.pcap"]);
    assert_trouble(&nothing, &["`s3://other/seed.pcap` cannot be read", "the bucket `other` does not exist"]);
    let nothing = run(&server, &["convert", "s3://bucket/seed"]);
    assert_trouble(&nothing, &["`s3://bucket/seed` cannot be read: there is no such object"]);
    let nothing = run(&server, &["convert", "s3://bucket/none/"]);
    assert_trouble(&nothing, &["`s3://bucket/none/` cannot be read: there is no object below it"]);
    server.fail("HEAD", usize::MAX, Fault::Answer(403, String::new()));
    server.fail("GET", usize::MAX, Fault::error(403, "AccessDenied"));
    let denied = run(&server, &["convert", "s3://bucket/seed.pcap"]);
    assert_trouble(&denied, &["access is denied (AccessDenied: told to fail)", "`s3:GetObject`"]);
}

#[test]
fn the_wrong_region_and_refused_credentials_say_what_to_set() {
    let server = with_seed();
    server.fail("HEAD", 1, Fault::Answer(400, String::new()));
    let body = "<Error><Code>AuthorizationHeaderMalformed</Code><Message>m</Message><Region>eu-west-1</Region></Error>";
    server.fail("GET /bucket?", 1, Fault::Answer(400, body.to_owned()));
    let wrong = run(&server, &["convert", "s3://bucket/seed.pcap"]);
    assert_trouble(
        &wrong,
        &["in the region `eu-west-1`, not in `us-east-1`", "hint: set `AWS_REGION=eu-west-1`"],
    );
    server.fail("HEAD", 1, Fault::Answer(301, String::new()));
    server.fail("GET /bucket?", 1, Fault::error(301, "PermanentRedirect"));
    let wrong = run(&server, &["convert", "s3://bucket/seed.pcap"]);
    assert_trouble(&wrong, &["the bucket is in another region", "get-bucket-location"]);
    server.fail("HEAD", 1, Fault::Answer(403, String::new()));
    server.fail("GET /bucket?", 1, Fault::error(403, "ExpiredToken"));
    let expired = run(&server, &["convert", "s3://bucket/seed.pcap"]);
    assert_trouble(&expired, &["the AWS credentials are refused (ExpiredToken", "AWS_PROFILE"]);
}

#[test]
fn without_credentials_nothing_is_asked() {
    let server = with_seed();
    let none = [("AWS_ACCESS_KEY_ID", ""), ("AWS_SECRET_ACCESS_KEY", "")];
    let output = run_with(&server, &["convert", "s3://bucket/seed.pcap"], &none);
    assert_trouble(&output, &["no AWS credentials were found", "AWS_PROFILE"]);
    assert_eq!(server.asked(""), 0);
}

#[test]
fn a_profile_gives_credentials_region_and_endpoint() {
    let server = with_seed();
    let directory = tempfile::tempdir().unwrap();
    let config = directory.path().join("config");
    let url = server.url();
    let profile = format!(
        "[profile one]\nregion = eu-central-1\naws_access_key_id = A\naws_secret_access_key = B\nendpoint_url = {url}\n"
    );
    fs::write(&config, profile).unwrap();
    let settings = [
        ("AWS_ACCESS_KEY_ID", ""),
        ("AWS_SECRET_ACCESS_KEY", ""),
        ("AWS_ENDPOINT_URL", ""),
        ("AWS_PROFILE", "one"),
        ("AWS_CONFIG_FILE", config.to_str().unwrap()),
    ];
    let output = run_with(&server, &["convert", "-q", "s3://bucket/seed.pcap"], &settings);
    assert_eq!(output.stdout, converted(SEED), "{}", text(&output.stderr));
}

#[test]
fn nobody_at_the_endpoint_is_an_error_that_says_so() {
    let server = with_seed();
    // a port that was free a moment ago
    let closed = std::net::TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap();
    let endpoint = format!("http://{closed}");
    let settings = [("AWS_ENDPOINT_URL", endpoint.as_str()), ("AWS_MAX_ATTEMPTS", "2")];
    let output = run_with(&server, &["convert", "s3://bucket/seed.pcap"], &settings);
    assert_trouble(&output, &["the connection fails", "refused", "AWS_ENDPOINT_URL"]);
}

#[test]
fn records_are_written_as_to_a_file_compressed_where_the_name_says_so() {
    let server = with_seed();
    let output = run(&server, &["convert", "-q", SEED, "-o", "s3://bucket/out/flow.log"]);
    assert_eq!((text(&output.stderr), output.status.code()), ("", Some(0)));
    assert_eq!(server.get("out/flow.log").unwrap(), converted(SEED));
    let output = run(&server, &["convert", "-q", SEED, "-o", "s3://bucket/out/flow.log.gz"]);
    assert_eq!((text(&output.stderr), output.status.code()), ("", Some(0)));
    assert!(server.get("out/flow.log.gz").unwrap().starts_with(&[0x1f, 0x8b]));
    let same = run(&server, &["diff", "s3://bucket/seed.pcap", "s3://bucket/out/flow.log.gz"]);
    assert_eq!(same.status.code(), Some(0), "{}", text(&same.stderr));
    assert_eq!(server.left_over(), 0);
}

/// A capture whose extracted packets take several parts of an upload.
fn large_capture() -> Vec<u8> {
    let seed = fs::read(SEED).unwrap();
    let mut large = seed[..24].to_vec();
    let record = &seed[24..];
    while large.len() < 20 << 20 {
        large.extend_from_slice(record);
    }
    large
}

#[test]
fn large_objects_are_written_in_parts_and_read_back() {
    let server = Server::start();
    let large = large_capture();
    server.put("large.pcap", &large);
    let all = ["extract", "-q", "s3://bucket/large.pcap", "--flow", "*->*", "-o", "s3://bucket/copy.pcap"];
    let output = run(&server, &all);
    assert_eq!((text(&output.stderr), output.status.code()), ("", Some(0)));
    let copy = server.get("copy.pcap").unwrap();
    assert_eq!(copy.len(), large.len());
    let records = |address| run(&server, &["convert", "-q", address]).stdout;
    assert!(records("s3://bucket/copy.pcap") == records("s3://bucket/large.pcap"));
    assert_eq!(server.asked("PUT /bucket/copy.pcap?"), 3);
    assert_eq!(server.left_over(), 0);
}

#[test]
fn a_large_object_in_byte_ranges_is_the_object() {
    let server = Server::start();
    server.put("large.pcap", &large_capture());
    let split = run(&server, &["split-points", "-n", "3", "s3://bucket/large.pcap"]);
    assert_eq!((text(&split.stderr), text(&split.stdout).lines().count()), ("", 3));
    let folder = tempfile::tempdir().unwrap();
    for range in text(&split.stdout).lines() {
        let part = folder.path().join(format!("{range}.parquet"));
        let part = part.to_str().unwrap();
        let address = "s3://bucket/large.pcap";
        let output =
            run(&server, &["convert", "-q", "--partials", "--byte-range", range, "-o", part, address]);
        assert_eq!((text(&output.stderr), output.status.code()), ("", Some(0)));
    }
    let merged = run(&server, &["merge", "-q", folder.path().to_str().unwrap()]);
    let whole = run(&server, &["convert", "-q", "s3://bucket/large.pcap"]);
    assert!(!whole.stdout.is_empty() && merged.stdout == whole.stdout, "{}", text(&merged.stderr));
}

#[test]
fn an_upload_that_fails_leaves_no_half_object() {
    let server = Server::start();
    server.put("large.pcap", &large_capture());
    server.put("copy.pcap", b"what was there before");
    let all = ["extract", "-q", "s3://bucket/large.pcap", "--flow", "*->*", "-o", "s3://bucket/copy.pcap"];
    for fault in [Fault::error(403, "AccessDenied"), Fault::error(503, "SlowDown"), Fault::NoAnswer] {
        for request in ["PUT /bucket/copy.pcap?", "POST /bucket/copy.pcap?upload"] {
            server.fail(request, 8, fault.clone());
            let output = run(&server, &all);
            assert_trouble(&output, &["`s3://bucket/copy.pcap`"]);
            assert_eq!(server.get("copy.pcap").unwrap(), b"what was there before");
            assert_eq!(server.left_over(), 0, "parts are left over after {fault:?} of {request}");
            server.state.lock().unwrap().faults.clear();
        }
    }
    let output = run(&server, &all);
    assert_eq!(output.status.code(), Some(0), "and it can be run again: {}", text(&output.stderr));
}

/// What once would have been taken for the end of a pipe: exit status 0, and nothing written.
#[test]
fn a_broken_connection_is_not_a_closed_pipe() {
    let server = with_seed();
    server.fail("PUT", usize::MAX, Fault::NoAnswer);
    let output = run(&server, &["convert", "-q", SEED, "-o", "s3://bucket/flow.log"]);
    assert_trouble(&output, &["cannot write `s3://bucket/flow.log`"]);
}

#[test]
fn addresses_that_name_no_object_are_refused() {
    let server = with_seed();
    for address in ["s3://", "s3:///key", "s3://bucket//key", "s3://bucket/../key", "s3://buc ket/key"] {
        assert_trouble(&run(&server, &["convert", address]), &["is no address", "hint: "]);
    }
    for address in ["s3://bucket", "s3://bucket/", "s3://bucket/prefix/"] {
        let output = run(&server, &["convert", SEED, "-o", address]);
        assert_trouble(&output, &["cannot be written: names no object"]);
    }
    let output = run(&server, &["convert", "s3://bucket/seed.pcap", "-o", "s3://bucket/seed.pcap"]);
    assert_trouble(&output, &["would be written over"]);
}

#[test]
fn an_endpoint_that_is_no_url_is_refused_and_amazon_is_not_asked() {
    let server = with_seed();
    for endpoint in ["localhost:9000", "127.0.0.1", "ftp://localhost", "not a url"] {
        let output =
            run_with(&server, &["convert", "s3://bucket/seed.pcap"], &[("AWS_ENDPOINT_URL", endpoint)]);
        assert_trouble(&output, &["the endpoint cannot be used", endpoint, "AWS_ENDPOINT_URL"]);
    }
    let endpoint = server.url();
    let both = [("AWS_ENDPOINT_URL", "not a url"), ("AWS_ENDPOINT_URL_S3", endpoint.as_str())];
    let output = run_with(&server, &["convert", "-q", "s3://bucket/seed.pcap"], &both);
    assert_eq!(output.stdout, converted(SEED), "{}", text(&output.stderr));
}

#[test]
fn keys_with_strange_characters_are_read_and_odd_ones_are_named() {
    let server = Server::start();
    let seed = fs::read(SEED).unwrap();
    for key in ["a b.pcap", "a%20b.pcap", "ä+ö=ü&x.pcap", "year=2026/x#1?.pcap"] {
        server.put(key, &seed);
        let output = run(&server, &["convert", "-q", &format!("s3://bucket/{key}")]);
        assert_eq!(output.stdout, converted(SEED), "{key}: {}", text(&output.stderr));
    }
    server.put("odd//x.pcap", &seed);
    assert_trouble(
        &run(&server, &["convert", "s3://bucket/odd"]),
        &["a key below it cannot be used", "odd//x"],
    );
}

#[test]
fn answers_that_make_no_sense_are_errors() {
    let server = with_seed();
    for body in ["", "<ListBucketResult>", "<html>proxy</html>", "\u{1b}[31m"] {
        server.fail("HEAD", 1, Fault::Answer(404, String::new()));
        server.fail("GET /bucket?", 1, Fault::Answer(200, body.to_owned()));
        let output = run(&server, &["convert", "s3://bucket/x"]);
        assert_trouble(&output, &["`s3://bucket/x` cannot be read"]);
        assert!(!output.stderr.contains(&0x1b), "{}", text(&output.stderr));
    }
}
