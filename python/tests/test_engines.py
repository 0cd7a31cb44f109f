"""DuckDB, polars and pandas over the readers, as they stand."""

import duckdb
import pandas
import polars
import pyarrow as pa
import pytest

import flowtruth

CAPTURE = "fixtures/captures/traffic/thirty-four.pcap"
EXPECTED = sum(row["bytes"] for row in flowtruth.flows(CAPTURE).read_all().to_pylist())


def test_duckdb_reads_a_variable():
    flows = flowtruth.flows(CAPTURE)
    rows = duckdb.sql("select count(*) as flows, sum(bytes) as bytes, min(typeof(srcport)) from flows").fetchall()
    assert rows == [(11, EXPECTED, "INTEGER")]


def test_duckdb_reads_partial_records():
    parts = flowtruth.partials(CAPTURE)
    assert duckdb.sql("select sum(bytes), min(typeof(bytes)) from parts").fetchall() == [(EXPECTED, "UBIGINT")]


def test_duckdb_reads_a_part_and_stops(big):
    flows = flowtruth.flows(big)
    assert len(duckdb.sql("select * from flows limit 3").fetchall()) == 3


def test_polars():
    frame = polars.from_arrow(flowtruth.flows(CAPTURE))
    assert frame["bytes"].sum() == EXPECTED
    assert frame.schema["srcaddr"] == polars.String
    assert frame.schema["srcport"] == polars.Int32
    assert polars.DataFrame(flowtruth.flows(CAPTURE)).equals(frame)
    assert polars.from_arrow(flowtruth.partials(CAPTURE))["bytes"].sum() == EXPECTED


def test_pandas():
    frame = flowtruth.flows(CAPTURE).read_pandas()
    assert isinstance(frame, pandas.DataFrame)
    assert frame["bytes"].sum() == EXPECTED
    assert str(frame["srcport"].dtype) == "int32"
    assert flowtruth.partials(CAPTURE).read_pandas()["bytes"].sum() == EXPECTED


def test_batches_are_handed_over_without_a_copy():
    from flowtruth import _native, _options

    stream = _native.flows([CAPTURE], _options.metering(), _options.recording())
    batch = next(stream)
    twice = [pa.record_batch(batch) for _ in range(2)]
    # two imports of one batch share its memory
    addresses = [[buffer.address for column in one.columns for buffer in column.buffers() if buffer] for one in twice]
    assert addresses[0] == addresses[1]
    assert len(addresses[0]) > 14
    del batch, stream
    assert twice[0].equals(twice[1])


def test_no_engine_takes_a_damaged_capture_for_a_whole_one():
    damaged = "fixtures/captures/damaged/cut-packet.pcap"
    message = "packet 5 at byte 488: the packet record is cut short"
    flows = flowtruth.flows(damaged)
    assert flows.schema.names[3] == "srcaddr"
    with pytest.raises(duckdb.Error, match=message):
        duckdb.sql("select * from flows").fetchall()
    with pytest.raises(polars.exceptions.ComputeError, match=message):
        polars.DataFrame(flowtruth.flows(damaged))
    for read in (polars.from_arrow, lambda reader: reader.read_pandas()):
        with pytest.raises(flowtruth.FlowtruthError, match=message):
            read(flowtruth.flows(damaged))
