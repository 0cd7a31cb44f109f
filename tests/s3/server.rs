//! A small server that speaks enough of S3 for tests, on loopback, and fails when it is told to.
//!
//! It ends with the value that it is held by.

use std::collections::BTreeMap;
use std::io::{BufRead, BufReader, Write};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::sync::{Arc, Mutex};
use std::thread;
use std::time::Duration;

/// How many objects a page of a listing has.
const PAGE: usize = 2;

/// What goes wrong with a request.
#[derive(Clone, Debug, PartialEq)]
pub enum Fault {
    /// An answer with this status and body, whatever was asked.
    Answer(u16, String),
    /// The connection ends after so many bytes of an object.
    DropAfter(usize),
    /// The connection ends without an answer.
    NoAnswer,
}

impl Fault {
    /// An error with this status and code, as S3 words it.
    pub fn error(status: u16, code: &str) -> Fault {
        Fault::Answer(status, error_body(code, ""))
    }
}

/// What the server holds, and what it was asked.
#[derive(Default)]
pub struct State {
    pub objects: BTreeMap<String, Vec<u8>>,
    /// Parts of uploads that are not completed, by the object's key.
    pub uploads: BTreeMap<String, BTreeMap<usize, Vec<u8>>>,
    /// Requests as `METHOD path?query`.
    pub requests: Vec<String>,
    /// What goes wrong with the next requests whose line begins with this text, and how often.
    pub faults: Vec<(String, usize, Fault)>,
}

/// The running server, with one bucket `bucket`.
pub struct Server {
    pub state: Arc<Mutex<State>>,
    address: SocketAddr,
}

impl Server {
    pub fn start() -> Server {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let address = listener.local_addr().unwrap();
        let state: Arc<Mutex<State>> = Arc::default();
        let shared = Arc::downgrade(&state);
        thread::spawn(move || {
            for connection in listener.incoming() {
                let Some(state) = shared.upgrade() else { break };
                thread::spawn(move || answer(connection.unwrap(), &state));
            }
        });
        Server { state, address }
    }

    pub fn url(&self) -> String {
        format!("http://{}", self.address)
    }

    pub fn put(&self, key: &str, bytes: &[u8]) {
        self.state.lock().unwrap().objects.insert(key.to_owned(), bytes.to_vec());
    }

    pub fn get(&self, key: &str) -> Option<Vec<u8>> {
        self.state.lock().unwrap().objects.get(key).cloned()
    }

    /// Lets the next requests that begin like this fail.
    pub fn fail(&self, request: &str, times: usize, fault: Fault) {
        self.state.lock().unwrap().faults.push((request.to_owned(), times, fault));
    }

    /// How many requests began like this.
    pub fn asked(&self, request: &str) -> usize {
        let state = self.state.lock().unwrap();
        state.requests.iter().filter(|line| line.starts_with(request)).count()
    }

    /// The parts of uploads that were neither completed nor aborted.
    pub fn left_over(&self) -> usize {
        self.state.lock().unwrap().uploads.len()
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        self.state = Arc::default();
        // the thread wakes up and sees that nobody holds the state any more
        drop(TcpStream::connect_timeout(&self.address, Duration::from_secs(1)));
    }
}

struct Request {
    method: String,
    key: String,
    query: BTreeMap<String, String>,
    headers: BTreeMap<String, String>,
    body: Vec<u8>,
}

/// Percent-decoding.
fn decoded(text: &str) -> String {
    let mut bytes = Vec::new();
    let mut rest = text.as_bytes();
    while let [first, more @ ..] = rest {
        if let (b'%', [high, low, after @ ..]) = (first, more) {
            let digits = [*high, *low];
            bytes.push(u8::from_str_radix(std::str::from_utf8(&digits).unwrap(), 16).unwrap());
            rest = after;
        } else {
            bytes.push(*first);
            rest = more;
        }
    }
    String::from_utf8(bytes).unwrap()
}

fn read_request(reader: &mut impl BufRead) -> Option<(String, Request)> {
    let mut line = String::new();
    reader.read_line(&mut line).ok().filter(|&length| length > 0)?;
    let mut words = line.split_whitespace();
    let (method, target) = (words.next()?.to_owned(), words.next()?.to_owned());
    let mut headers = BTreeMap::new();
    loop {
        let mut header = String::new();
        reader.read_line(&mut header).ok()?;
        let Some((name, value)) = header.trim_end().split_once(':') else { break };
        headers.insert(name.to_ascii_lowercase(), value.trim().to_owned());
    }
    let length = headers.get("content-length").map_or(0, |length| length.parse().unwrap());
    let mut body = vec![0; length];
    reader.read_exact(&mut body).ok()?;
    let (path, query) = target.split_once('?').unwrap_or((&target, ""));
    let query = query
        .split('&')
        .filter(|pair| !pair.is_empty())
        .map(|pair| pair.split_once('=').unwrap_or((pair, "")))
        .map(|(name, value)| (decoded(name), decoded(value)))
        .collect();
    let line = format!("{method} {target}");
    Some((line, Request { method, key: decoded(path), query, headers, body }))
}

fn error_body(code: &str, more: &str) -> String {
    format!("<?xml version=\"1.0\"?><Error><Code>{code}</Code><Message>told to fail</Message>{more}</Error>")
}

fn answer(stream: TcpStream, state: &Mutex<State>) {
    let mut reader = BufReader::new(stream.try_clone().unwrap());
    let Some((line, request)) = read_request(&mut reader) else { return };
    let mut state = state.lock().unwrap();
    state.requests.push(line.clone());
    let fault =
        state.faults.iter_mut().find(|(begins, times, _)| *times > 0 && line.starts_with(begins.as_str()));
    let fault = fault.map(|(_, times, fault)| {
        *times -= 1;
        fault.clone()
    });
    let (status, headers, body) = match &fault {
        Some(Fault::NoAnswer) => return,
        Some(Fault::Answer(status, body)) => (*status, String::new(), body.clone().into_bytes()),
        _ => respond(&mut state, &request),
    };
    drop(state);
    let end = if let Some(Fault::DropAfter(bytes)) = fault { bytes.min(body.len()) } else { body.len() };
    let head = format!(
        "HTTP/1.1 {status} X\r\nConnection: close\r\nContent-Length: {}\r\nLast-Modified: Thu, 01 Jan 1970 00:00:00 GMT\r\n{headers}\r\n",
        body.len()
    );
    let mut stream = stream;
    // whoever asked may be gone
    let _ = stream.write_all(head.as_bytes());
    if request.method != "HEAD" {
        let _ = stream.write_all(&body[..end]);
    }
    let _ = stream.flush();
}

type Answer = (u16, String, Vec<u8>);

fn failure(status: u16, code: &str) -> Answer {
    (status, String::new(), error_body(code, "").into_bytes())
}

/// Which object it is: its length and first bytes tell enough here.
fn tag(bytes: &[u8]) -> String {
    let sum = bytes.iter().fold(0u64, |sum, &byte| sum.wrapping_mul(31).wrapping_add(u64::from(byte)));
    format!("\"{sum:x}\"")
}

fn respond(state: &mut State, request: &Request) -> Answer {
    let Some(key) = request.key.strip_prefix("/bucket") else { return failure(404, "NoSuchBucket") };
    let key = key.trim_start_matches('/').to_owned();
    let upload = request.query.get("uploadId").cloned();
    match (request.method.as_str(), upload) {
        ("GET", None) if request.query.contains_key("list-type") => list(state, request),
        ("GET" | "HEAD", None) => {
            let Some(object) = state.objects.get(&key) else { return failure(404, "NoSuchKey") };
            let tag = tag(object);
            if request.headers.get("if-match").is_some_and(|wanted| *wanted != tag) {
                return failure(412, "PreconditionFailed");
            }
            let mut headers = format!("ETag: {tag}\r\n");
            let Some(range) = request.headers.get("range").and_then(|range| range.strip_prefix("bytes="))
            else {
                return (200, headers, object.clone());
            };
            let (start, end) = range.split_once('-').unwrap();
            let start: usize = start.parse().unwrap();
            let end = end.parse::<usize>().map_or(object.len(), |end| end + 1).min(object.len());
            headers += &format!("Content-Range: bytes {start}-{}/{}\r\n", end - 1, object.len());
            (206, headers, object[start..end].to_vec())
        }
        ("PUT", None) => {
            let tag = tag(&request.body);
            state.objects.insert(key, request.body.clone());
            (200, format!("ETag: {tag}\r\n"), Vec::new())
        }
        ("POST", None) if request.query.contains_key("uploads") => {
            state.uploads.insert(key, BTreeMap::new());
            let body =
                "<InitiateMultipartUploadResult><UploadId>1</UploadId></InitiateMultipartUploadResult>";
            (200, String::new(), body.as_bytes().to_vec())
        }
        ("PUT", Some(_)) => {
            let number = request.query["partNumber"].parse().unwrap();
            let Some(parts) = state.uploads.get_mut(&key) else { return failure(404, "NoSuchUpload") };
            parts.insert(number, request.body.clone());
            (200, format!("ETag: {}\r\n", tag(&request.body)), Vec::new())
        }
        ("POST", Some(_)) => {
            let Some(parts) = state.uploads.remove(&key) else { return failure(404, "NoSuchUpload") };
            let whole: Vec<u8> = parts.into_values().flatten().collect();
            let tag = tag(&whole).replace('"', "&quot;");
            state.objects.insert(key, whole);
            let body =
                format!("<CompleteMultipartUploadResult><ETag>{tag}</ETag></CompleteMultipartUploadResult>");
            (200, String::new(), body.into_bytes())
        }
        ("DELETE", Some(_)) => {
            state.uploads.remove(&key);
            (204, String::new(), Vec::new())
        }
        _ => failure(405, "MethodNotAllowed"),
    }
}

fn list(state: &State, request: &Request) -> Answer {
    let prefix = request.query.get("prefix").map_or("", String::as_str);
    let after = request.query.get("continuation-token").map_or("", String::as_str);
    let matching: Vec<_> = state
        .objects
        .iter()
        .filter(|(key, _)| key.starts_with(prefix) && (after.is_empty() || key.as_str() > after))
        .collect();
    let mut body = String::from("<ListBucketResult>");
    for (key, object) in matching.iter().take(PAGE) {
        body += &format!(
            "<Contents><Key>{key}</Key><Size>{}</Size><LastModified>1970-01-01T00:00:00.000Z</LastModified></Contents>",
            object.len()
        );
    }
    if matching.len() > PAGE {
        body += &format!("<NextContinuationToken>{}</NextContinuationToken>", matching[PAGE - 1].0);
    }
    body += "</ListBucketResult>";
    (200, String::new(), body.into_bytes())
}
