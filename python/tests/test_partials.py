"""`partials` against `flowtruth convert --partials`, and what is made of them."""

import io
import json
import os

import pyarrow as pa
import pytest
from conftest import ROOT, WHOLE, program

import flowtruth


def stream(*words):
    """The rows that the program writes, and what it says behind them."""
    file = io.BytesIO(program("convert", "-q", "--partials", *words))
    rows = pa.ipc.open_stream(file).read_all()
    return rows, pa.ipc.open_stream(file).schema.metadata


@pytest.mark.parametrize("capture", WHOLE)
def test_rows_are_those_of_the_program(capture):
    ledgers = []
    keys = ("icmp", "observation-point")
    rows = flowtruth.partials(capture, keys=keys, interval=60, on_ledger=ledgers.append).read_all()
    words = ["--partial-keys", ",".join(keys), "--max-aggregation-interval", "60", capture]
    expected, closing = stream(*words)
    assert rows.equals(expected)
    assert rows.schema.equals(expected.schema, check_metadata=True)
    assert ledgers == [json.loads(closing[b"flowtruth.ledger"])]


def test_the_metadata_say_how_rows_were_counted():
    reader = flowtruth.partials(
        "fixtures/captures/seed.pcap", interval=60, filter="tcp", from_="2021-01-01", decap="gre", keys="icmp"
    )
    words = ["--max-aggregation-interval", "60", "--filter", "tcp", "--from", "2021-01-01"]
    expected, _ = stream(*words, "--decap", "gre", "--partial-keys", "icmp", "fixtures/captures/seed.pcap")
    assert reader.schema.metadata == expected.schema.metadata
    assert reader.schema.metadata[b"flowtruth.interval"] == b"60"
    assert reader.read_all().schema.metadata == expected.schema.metadata
    assert flowtruth.partial_schema() == reader.schema.remove_metadata()
    assert flowtruth.partial_schema().metadata is None


@pytest.mark.parametrize("pieces", [1, 3, 7])
def test_byte_ranges_tile_a_file(big, pieces):
    length = os.path.getsize(big)
    ends = [length * number // pieces for number in range(pieces + 1)]
    tables = [
        flowtruth.partials(big, interval=60, byte_range=piece).read_all().replace_schema_metadata()
        for piece in zip(ends, ends[1:])
    ]
    assert all(table.num_rows > 10_000 for table in tables)
    whole = flowtruth.partials(big, interval=60).read_all().replace_schema_metadata()
    order = [(name, "ascending") for name in ("window_start_ns", "srcaddr", "srcport")]
    # each packet of it is of a flow of its own
    assert pa.concat_tables(tables).sort_by(order).equals(whole.sort_by(order))


@pytest.mark.parametrize("capture", ["fixtures/captures/aws/rdp.pcap", "fixtures/captures/traffic/thirty-four.pcap"])
def test_complete_rows_are_records(capture):
    given = {"format": "v5", "account_id": "123456789012", "interface_id": "eni-abc123de", "set": {"vpc-id": "vpc-1"}}
    rows = flowtruth.partials(capture).read_all().combine_chunks().to_batches()
    records = [flowtruth.records(batch, **given) for batch in rows]
    assert pa.Table.from_batches(records).equals(flowtruth.flows(capture, **given).read_all())


def test_rows_of_other_types_and_in_another_order_are_cast():
    capture = "fixtures/captures/traffic/thirty-four.pcap"
    [batch] = flowtruth.partials(capture).read_all().combine_chunks().to_batches()
    # as engines without unsigned numbers have them
    wider = {pa.uint8(): pa.int16(), pa.uint16(): pa.int32(), pa.uint64(): pa.int64(), pa.binary(16): pa.binary()}
    fields = [field.with_type(wider.get(field.type, field.type)).with_nullable(True) for field in batch.schema]
    names = sorted(batch.schema.names)
    other = batch.cast(pa.schema(fields)).select(names)
    assert other.schema != batch.schema
    assert flowtruth.records(other).equals(flowtruth.records(batch))


def test_the_interfaces_addresses_tell_the_direction_of_complete_rows():
    capture = "fixtures/captures/seed.pcap"
    [batch] = flowtruth.partials(capture).read_all().to_batches()
    records = flowtruth.records(batch, format="${flow-direction}", interface_addresses=["10.0.0.1"])
    assert records.to_pylist() == [{"flow_direction": "ingress"}]


def test_a_row_that_cannot_be_is_named():
    [batch] = flowtruth.partials("fixtures/captures/seed.pcap").read_all().to_batches()
    place = batch.schema.get_field_index("packets")
    wrong = batch.set_column(place, batch.schema.field(place), pa.array([0], pa.uint64()))
    with pytest.raises(flowtruth.FlowtruthError) as raised:
        flowtruth.records(wrong)
    assert str(raised.value) == "row 1 cannot be made into a record: `packets` is 0, expected at least 1"
    with pytest.raises(KeyError):
        flowtruth.records(batch.drop_columns(["srcport"]))


def test_parts_written_by_pyarrow_lack_their_end_and_are_refused_by_merge(tmp_path):
    reader = flowtruth.partials("fixtures/captures/seed.pcap")
    with pa.ipc.new_stream(tmp_path / "part.arrow", reader.schema) as writer:
        for batch in reader:
            writer.write_batch(batch)
    program("merge", "-q", tmp_path / "part.arrow", status=2)


@pytest.mark.parametrize(
    ("paths", "byte_range", "message"),
    [
        (["fixtures/captures/seed.pcap"] * 2, (0, 10), "`byte_range` is of one capture, and 2 are named"),
        ("fixtures/captures/seed.pcap", (10, 0), "`byte_range` ends at 0, before its start at 10"),
        (
            "fixtures/captures/containers/conversation.us.pcap.gz",
            (0, 10),
            "`fixtures/captures/containers/conversation.us.pcap.gz`: is compressed with gzip, "
            "expected an uncompressed pcap file, which can be read in pieces",
        ),
    ],
)
def test_what_has_no_pieces_is_told(paths, byte_range, message):
    with pytest.raises(flowtruth.FlowtruthError) as raised:
        flowtruth.partials(paths, byte_range=byte_range)
    assert str(raised.value) == message


def test_the_root_is_where_tests_run():
    assert os.getcwd() == str(ROOT)
