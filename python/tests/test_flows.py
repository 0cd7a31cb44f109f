"""`flows` against `flowtruth convert`, as text and as Parquet."""

import datetime
import io

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from conftest import ROOT, WHOLE, program

import flowtruth

IDENTITY = {"account_id": "123456789012", "interface_id": "eni-abc123de"}
WORDS = ["--account-id", "123456789012", "--interface-id", "eni-abc123de"]


def parquet(*words):
    return pq.read_table(io.BytesIO(program("convert", "-q", "--file-format", "parquet", *words)))


def lines(table):
    """The records as `convert` writes them."""
    columns = [column.to_pylist() for column in table.columns]
    return "".join(" ".join("-" if value is None else str(value) for value in row) + "\n" for row in zip(*columns))


@pytest.mark.parametrize("capture", WHOLE)
def test_records_are_those_of_the_program(capture):
    words = ["--log-format", "all", *WORDS, capture]
    table = flowtruth.flows(capture, format="all", **IDENTITY).read_all()
    assert table.equals(parquet(*words))
    assert lines(table).encode() == program("convert", "-q", *words)


def test_there_are_many_captures_to_compare():
    assert len(WHOLE) > 60


def test_types_are_those_of_aws():
    schema = flowtruth.record_schema("v5")
    assert schema.field("srcaddr").type == pa.string()
    assert schema.field("srcport").type == pa.int32()
    assert schema.field("bytes").type == pa.int64()
    assert schema.field("log_status").type == pa.string()
    assert all(field.nullable for field in schema)
    assert flowtruth.flows("fixtures/captures/seed.pcap", format="v5").schema == schema
    assert len(flowtruth.record_schema("${srcaddr} ${bytes}")) == 2


def test_a_missing_number_is_null_and_a_missing_text_a_dash():
    table = flowtruth.flows("fixtures/captures/seed.pcap", format="${vpc-id} ${traffic-path} ${bytes}").read_all()
    assert table.to_pylist() == [{"vpc_id": "-", "traffic_path": None, "bytes": 840}]


@pytest.mark.parametrize(
    ("given", "words"),
    [
        ({"interval": 60}, ["--max-aggregation-interval", "60"]),
        ({"interval": "capture"}, ["--max-aggregation-interval", "capture"]),
        ({"window_origin": "first-packet"}, ["--window-origin", "first-packet"]),
        ({"window_origin": 1749988830}, ["--window-origin", "1749988830"]),
        ({"allowed_lateness": 0.5}, ["--allowed-lateness", "0.5"]),
        ({"fragments": "track"}, ["--fragments", "track"]),
        ({"dedup": True, "duplicate_window": 1}, ["--dedup", "--duplicate-window", "1"]),
        ({"decap": ["vxlan", "gre"]}, ["--decap", "vxlan,gre"]),
        ({"decap": "all"}, ["--decap", "all"]),
        ({"filter": "udp or port 80"}, ["--filter", "udp or port 80"]),
        ({"count": 5}, ["--count", "5"]),
        ({"set": {"vpc-id": "vpc-0a1b2c3d"}, "format": "v5"}, ["--set", "vpc-id=vpc-0a1b2c3d", "--log-format", "v5"]),
        (
            {"interface_addresses": ["192.0.2.10"], "format": "v5"},
            ["--interface-address", "192.0.2.10", "--log-format", "v5"],
        ),
        ({"memory_limit": "16MiB", "threads": 1}, ["--memory-limit", "16MiB", "--threads", "1"]),
        ({"memory_limit": 20_000_000, "threads": 3}, ["--memory-limit", "20000000", "--threads", "3"]),
    ],
)
def test_options_mean_what_they_mean_to_the_program(given, words):
    captures = ["fixtures/captures/traffic", "fixtures/captures/containers/conversation.us.pcap"]
    expected = parquet(*words, *captures)
    assert flowtruth.flows(captures, **given).read_all().equals(expected)


def test_times_are_texts_numbers_and_datetimes():
    capture = "fixtures/captures/traffic/windows.pcap"
    ends = sorted(flowtruth.flows(capture, interval=1).read_all()["start"].to_pylist())
    middle = ends[len(ends) // 2]
    moment = datetime.datetime.fromtimestamp(middle, datetime.timezone(datetime.timedelta(hours=5)))
    expected = parquet("--from", middle, capture)
    assert 0 < expected.num_rows
    assert not expected.equals(parquet(capture))
    for given in (middle, str(middle), moment, moment.isoformat()):
        assert flowtruth.flows(capture, from_=given).read_all().equals(expected)
    before = flowtruth.flows(capture, until=moment).read_all()
    assert before.equals(parquet("--until", middle, capture))
    with pytest.raises(ValueError, match="no time zone"):
        flowtruth.flows(capture, from_=datetime.datetime(2026, 1, 1))


def test_paths_are_texts_and_path_objects_one_or_many():
    path = ROOT / "fixtures/captures/seed.pcap"
    expected = flowtruth.flows(str(path)).read_all()
    assert expected.num_rows == 1
    for given in (path, [path], (str(path),), iter([path])):
        assert flowtruth.flows(given).read_all().equals(expected)


def test_batches_are_large_and_none_is_empty(big):
    batches = list(flowtruth.flows(big, interval=60))
    assert sum(batch.num_rows for batch in batches) == 300_000
    assert [batch.num_rows for batch in batches[:-1]] == [1 << 16] * (len(batches) - 1)
    assert pa.Table.from_batches(batches).equals(parquet("--max-aggregation-interval", "60", big))


def test_a_capture_without_packets_has_columns():
    table = flowtruth.flows("fixtures/captures/damaged/header-only.pcap").read_all()
    assert table.num_rows == 0
    assert table.schema == flowtruth.record_schema()
