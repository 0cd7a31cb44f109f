"""Rows in six columns, as Spark moves them, and back."""

from __future__ import annotations

import random

import pyarrow as pa
import pytest
from conftest import WHOLE

import flowtruth
from flowtruth import _native

SCHEMA = flowtruth.partial_schema()


def packed(rows: pa.RecordBatch, with_direction: bool = True) -> pa.RecordBatch:
    return pa.record_batch(_native.packed(rows, with_direction))


def unpacked(rows: pa.RecordBatch) -> pa.RecordBatch:
    return pa.record_batch(_native.unpacked(rows))


def address(rng: random.Random, version: int) -> bytes:
    """An address as rows have it; of version 6 sometimes one that holds an IPv4 address."""
    if version == 4 or rng.random() < 0.1:
        return bytes(10) + b"\xff\xff" + rng.randbytes(4)
    return rng.randbytes(16)


def row(rng: random.Random, direction: str | None) -> dict[str, object]:
    version = rng.choice([4, 6])
    times = sorted(rng.randrange(-(2**63), 2**63) for _ in range(2))
    return {
        "window_start_ns": rng.choice([None, -(2**63), 2**63 - 1, 0, rng.randrange(2**63)]),
        "srcaddr": address(rng, version),
        "dstaddr": address(rng, version),
        "ip_version": version,
        "srcport": rng.randrange(2**16),
        "dstport": rng.randrange(2**16),
        "protocol": rng.randrange(2**8),
        "packets": rng.choice([1, 2**63 - 1, rng.randrange(1, 2**40)]),
        "bytes": rng.choice([0, 2**63 - 1, rng.randrange(2**40)]),
        "first_ns": times[0],
        "last_ns": times[1],
        "tcp_flags": rng.randrange(2**8),
        "raw_tcp_flags": rng.randrange(2**8),
        "flow_direction": direction,
    }


def batch(rows: list[dict[str, object]]) -> pa.RecordBatch:
    return pa.RecordBatch.from_pylist(rows, SCHEMA)


def test_no_row_is_changed_by_the_way():
    rng = random.Random(5)
    rows = batch([row(rng, rng.choice([None, "ingress", "egress"])) for _ in range(3000)])
    there = packed(rows)
    assert there.schema == pa.schema(_native.packed_schema()) and there.num_columns == 6
    assert unpacked(there).equals(rows)
    # some rows, as an engine hands them on
    assert unpacked(there.slice(1000, 10)).equals(rows.slice(1000, 10))
    assert unpacked(packed(rows.slice(0, 0))).equals(rows.slice(0, 0))
    # all but the directions, where those are not to be told apart
    place = SCHEMA.get_field_index("flow_direction")
    without = rows.set_column(place, SCHEMA.field(place), pa.nulls(rows.num_rows, pa.string()))
    assert unpacked(packed(rows, False)).equals(without)


@pytest.mark.parametrize("capture", WHOLE)
def test_no_row_of_a_capture_is_changed_by_the_way(capture):
    for rows in flowtruth.partials(capture):
        assert unpacked(packed(rows)).equals(rows.replace_schema_metadata())


def test_each_part_of_a_key_tells_rows_apart():
    rng = random.Random(6)
    one = row(rng, "ingress") | {"ip_version": 4, "srcaddr": address(rng, 4), "dstaddr": address(rng, 4), "window_start_ns": 0}
    others = [
        {"window_start_ns": None},
        {"window_start_ns": 1},
        {"srcaddr": address(rng, 4)},
        {"dstaddr": address(rng, 4)},
        {"srcaddr": one["dstaddr"], "dstaddr": one["srcaddr"]},
        {"ip_version": 6},
        {"srcport": one["srcport"] ^ 1},
        {"dstport": one["dstport"] ^ 256},
        {"protocol": one["protocol"] ^ 1},
        {"flow_direction": "egress"},
        {"flow_direction": None},
    ]
    rows = batch([one, *(one | other for other in others)])
    assert len(set(packed(rows)["key"].to_pylist())) == 1 + len(others)
    # directions that are not to be told apart add up, and nothing else does
    assert len(set(packed(rows, False)["key"].to_pylist())) == 1 + len(others) - 2
    counts = [{"packets": 5}, {"bytes": 5}, {"first_ns": -(2**63)}, {"last_ns": 2**63 - 1}, {"tcp_flags": 1}, {"raw_tcp_flags": 1}]
    assert len(set(packed(batch([one | count for count in counts]))["key"].to_pylist())) == 1


def test_the_or_of_flags_is_the_or_of_each():
    rng = random.Random(7)
    rows = [row(rng, None) for _ in range(200)]
    either = 0
    for flags in packed(batch(rows))["flags"].to_pylist():
        either |= flags
    both = batch([rows[0] | {name: 0 for name in ("tcp_flags", "raw_tcp_flags")}])
    there = packed(both)
    place = there.schema.get_field_index("flags")
    back = unpacked(there.set_column(place, there.schema.field(place), pa.array([either], pa.int32()))).to_pylist()[0]
    for name in ("tcp_flags", "raw_tcp_flags"):
        expected = 0
        for each in rows:
            expected |= each[name]
        assert back[name] == expected


def test_what_does_not_fit_is_told():
    one = row(random.Random(8), None)
    for name in ("packets", "bytes"):
        with pytest.raises(flowtruth.FlowtruthError, match=f"a row counts {2**63}, more than 63 bits hold"):
            packed(batch([one | {name: 2**63}]))
    for more in ({"icmp_type": 8, "icmp_code": 0}, {"observation_point": "a.pcap"}):
        with pytest.raises(flowtruth.FlowtruthError, match="ICMP types or observation points cannot be packed"):
            packed(batch([one | more]))


@pytest.mark.parametrize(
    ("name", "column", "message"),
    [
        ("packets", pa.array([-1], pa.int64()), "a packed row counts -1"),
        ("bytes", pa.array([None], pa.int64()), "the column `bytes` of packed rows has a null"),
        ("last_ns", pa.array([1], pa.int32()), "the column `last_ns` of packed rows is of another type"),
        ("key", pa.array(["text"]), "the column `key` of packed rows is of another type"),
        ("flags", pa.array([1], pa.int64()), "the column `flags` of packed rows is of another type"),
    ],
)
def test_what_was_not_packed_is_told(name, column, message):
    there = packed(batch([row(random.Random(9), None)]))
    with pytest.raises(flowtruth.FlowtruthError, match=f"packed rows have no column `{name}`"):
        unpacked(there.drop_columns([name]))
    with pytest.raises(flowtruth.FlowtruthError, match=message):
        unpacked(there.set_column(there.schema.get_field_index(name), name, column))


def test_a_key_that_none_can_be_is_told():
    there = packed(batch([row(random.Random(10), None)]))
    key = there["key"][0].as_py()
    marked = [bytes([key[0] | marks]) + key[1:] for marks in (4 | 8, 16, 128)]
    for wrong in (b"", key[:-1], key + b"\0", *marked):
        with pytest.raises(flowtruth.FlowtruthError, match="a packed row has a malformed key"):
            unpacked(there.set_column(0, there.schema.field(0), pa.array([wrong])))
