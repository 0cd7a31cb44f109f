"""`s3://` addresses against a small server on this machine."""

import email.utils
import http.server
import pathlib
import threading
import urllib.parse

import pytest

import flowtruth

CAPTURE = "fixtures/captures/traffic/thirty-four.pcap"
LOG = "fixtures/diff/unexplained-logs/reference.log"
OBJECTS = {
    "captures/a.pcap": pathlib.Path(CAPTURE),
    "captures/deep/er/b.pcap": pathlib.Path("fixtures/captures/seed.pcap"),
    "captures/notes.txt": pathlib.Path("README.md"),
    "logs/flow.log": pathlib.Path(LOG),
}


class Bucket(http.server.BaseHTTPRequestHandler):
    """`bucket`, read only."""

    protocol_version = "HTTP/1.1"

    def answer(self, status, body, **headers):
        self.send_response(status)
        for name, value in headers.items():
            self.send_header(name.replace("_", "-"), value)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        if self.command == "GET":
            self.wfile.write(body)

    def do_GET(self):
        url = urllib.parse.urlsplit(self.path)
        bucket, _, key = urllib.parse.unquote(url.path).lstrip("/").partition("/")
        query = urllib.parse.parse_qs(url.query)
        if bucket != "bucket":
            return self.answer(404, b"<Error><Code>NoSuchBucket</Code><Message>none</Message></Error>")
        if "list-type" in query:
            return self.list(query.get("prefix", [""])[0])
        if key not in OBJECTS:
            return self.answer(404, b"<Error><Code>NoSuchKey</Code><Message>none</Message></Error>")
        body = OBJECTS[key].read_bytes()
        about = {"ETag": f'"{hash(key)}"', "Last_Modified": email.utils.formatdate(usegmt=True)}
        asked = self.headers.get("Range")
        if asked is None:
            return self.answer(200, body, **about)
        first, _, last = asked.removeprefix("bytes=").partition("-")
        first, last = int(first), min(int(last or len(body) - 1), len(body) - 1)
        about["Content_Range"] = f"bytes {first}-{last}/{len(body)}"
        return self.answer(206, body[first : last + 1], **about)

    do_HEAD = do_GET

    def list(self, prefix):
        entries = "".join(
            f"<Contents><Key>{key}</Key><LastModified>2026-01-01T00:00:00.000Z</LastModified><ETag>x</ETag>"
            f"<Size>{path.stat().st_size}</Size></Contents>"
            for key, path in OBJECTS.items()
            if key.startswith(prefix)
        )
        text = f"<ListBucketResult><IsTruncated>false</IsTruncated>{entries}</ListBucketResult>"
        self.answer(200, text.encode(), Content_Type="application/xml")

    def log_message(self, *_):
        pass


@pytest.fixture(autouse=True)
def server(monkeypatch):
    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Bucket)
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    for name, value in {
        "AWS_ENDPOINT_URL": f"http://127.0.0.1:{server.server_port}",
        "AWS_ACCESS_KEY_ID": "testing",
        "AWS_SECRET_ACCESS_KEY": "testing",
        "AWS_REGION": "us-east-1",
        "AWS_MAX_ATTEMPTS": "1",
    }.items():
        monkeypatch.setenv(name, value)
    yield
    server.shutdown()
    thread.join()
    server.server_close()


def test_an_object_is_read_as_its_file_is():
    assert flowtruth.flows("s3://bucket/captures/a.pcap").read_all().equals(flowtruth.flows(CAPTURE).read_all())


def test_the_captures_below_an_address_are_read_at_any_depth():
    files = [str(OBJECTS[key]) for key in ("captures/a.pcap", "captures/deep/er/b.pcap")]
    assert flowtruth.flows("s3://bucket/captures").read_all().equals(flowtruth.flows(files).read_all())
    rows = flowtruth.partials("s3://bucket/captures/").read_all()
    assert rows.replace_schema_metadata().equals(flowtruth.partials(files).read_all().replace_schema_metadata())


def test_an_object_in_byte_ranges_is_the_object():
    whole = flowtruth.partials("s3://bucket/captures/a.pcap").read_all()
    halves = [
        flowtruth.partials("s3://bucket/captures/a.pcap", byte_range=part).read_all()
        for part in ((0, 1500), (1500, 1_000_000))
    ]
    for column in ("packets", "bytes"):
        sums = [sum(rows[column].to_pylist()) for rows in halves]
        assert all(sums) and sum(sums) == sum(whole[column].to_pylist())


def test_logs_are_read_and_compared():
    assert flowtruth.lint("s3://bucket/logs/")["summary"] == flowtruth.lint(LOG)["summary"]
    assert flowtruth.diff("s3://bucket/logs/flow.log", LOG)["verdict"] == "same"
    assert flowtruth.diff("s3://bucket/captures/", "s3://bucket/captures")["verdict"] == "same"


@pytest.mark.parametrize(
    ("function", "address", "message"),
    [
        (flowtruth.flows, "s3://bucket/nothing", "s3://bucket/nothing"),
        (flowtruth.flows, "s3://other/nothing", "the bucket `other` does not exist"),
        (flowtruth.flows, "s3://bucket/logs/", "`s3://bucket/logs/flow.log` is a flow log, expected a capture"),
        (flowtruth.flows, "s3://bucket/logs/flow.log", "is a flow log, expected a capture"),
        (flowtruth.lint, "s3://bucket/captures/", "`s3://bucket/captures/` holds captures, expected flow logs"),
        (flowtruth.flows, "s3://bucket/captures/n", "captures/n"),
    ],
)
def test_what_is_not_there_is_told(function, address, message):
    with pytest.raises(flowtruth.FlowtruthError) as raised:
        function(address)
    assert message in str(raised.value)


def test_the_hint_is_that_of_the_store():
    with pytest.raises(flowtruth.FlowtruthError) as raised:
        flowtruth.flows("s3://other/nothing")
    assert raised.value.hint
