"""What cannot be done, in the words of the command line."""

import pickle
import shutil

import pytest
from conftest import program, said

import flowtruth
from flowtruth import FlowtruthError


def raised(function, *given, **options):
    with pytest.raises(FlowtruthError) as error:
        function(*given, **options)
    return error.value


@pytest.mark.parametrize(
    "path",
    [
        "no-such.pcap",
        "fixtures/captures/damaged/empty.pcap",
        "fixtures/captures/damaged/text.pcap",
        "fixtures/captures/damaged/cut-file-header.pcap",
        # a folder without a capture
        "src",
        "src/lib.rs",
    ],
)
def test_what_is_no_capture_is_told_at_once(path):
    errors, hints = said("convert", path)
    for function in (flowtruth.flows, flowtruth.partials):
        error = raised(function, path)
        assert [str(error)] == errors
        assert [error.hint] == (hints or [None])


@pytest.mark.parametrize("function", [flowtruth.flows, flowtruth.partials])
@pytest.mark.parametrize(
    "name", ["cut-packet.pcap", "cut-stream.pcap.gz", "cut-block.pcapng", "record-over-limit.pcap", "record-4-gb.pcap"]
)
def test_damage_is_told_behind_what_was_read(function, name):
    path = f"fixtures/captures/damaged/{name}"
    errors, hints = said("convert", "-q", path)
    ledgers = []
    reader = function(path, on_ledger=ledgers.append)
    rows = 0

    def read():
        nonlocal rows
        for batch in reader:
            rows += batch.num_rows

    error = raised(read)
    assert [str(error)] == errors
    assert [error.hint] == hints
    [ledger] = ledgers
    assert rows == ledger["total"]["records"]
    assert ledger["captures"][0]["error"] is not None


def test_the_rows_before_the_damage_are_those_of_the_program(tmp_path):
    path = "fixtures/captures/damaged/cut-packet.pcap"
    log = program("convert", "-q", "--log-format", "${srcaddr} ${packets}", path, status=2).decode()
    batches = []

    def read():
        for batch in flowtruth.flows(path, format="${srcaddr} ${packets}"):
            batches.extend(batch.to_pylist())

    raised(read)
    assert "".join(f"{row['srcaddr']} {row['packets']}\n" for row in batches) == log
    assert batches


def test_several_damaged_captures_are_all_told(tmp_path):
    names = ["cut-packet.pcap", "cut-record-header.pcap", "record-over-limit.pcap"]
    for name in names:
        shutil.copy(f"fixtures/captures/damaged/{name}", tmp_path / name)
    errors, hints = said("convert", "-q", tmp_path)
    error = raised(lambda: flowtruth.flows(tmp_path).read_all())
    assert str(error).split("\n") == errors
    assert error.hint.split("\n") == hints
    assert len(errors) == 3


@pytest.mark.parametrize(
    ("given", "words"),
    [
        ({"window_origin": "never"}, None),
        ({"format": "v1"}, ["--log-format", "v1"]),
        ({"format": "${nothing}"}, ["--log-format", "${nothing}"]),
        ({"account_id": "a b"}, ["--account-id", "a b"]),
        ({"interface_id": ""}, ["--interface-id", ""]),
        ({"set": {"bytes": 1}}, ["--set", "bytes=1"]),
        ({"from_": 5, "until": 2}, ["--from", "5", "--until", "2"]),
        ({"filter": "tcp prot 80"}, ["--filter", "tcp prot 80"]),
        ({"decap": "ipsec"}, ["--decap", "ipsec"]),
        ({"interval": 0}, ["--max-aggregation-interval", "0"]),
        ({"memory_limit": "1KiB"}, ["--memory-limit", "1KiB"]),
        ({"memory_limit": "lots"}, ["--memory-limit", "lots"]),
    ],
)
def test_an_option_that_cannot_be_is_told(given, words):
    error = raised(flowtruth.flows, "fixtures/captures/seed.pcap", **given)
    if words is None:
        return
    errors, _ = said("convert", "fixtures/captures/seed.pcap", *words)
    # the reason is the program's; the option has the name that it has here
    reason = errors[0].split(": ", 1)[-1] if ": " in errors[0] else errors[0]
    named = str(error).replace("from_=", "--from ").replace("until=", "--until ")
    assert reason in named, (reason, named)
    assert any(option in named for option in given) or "--from" in named or "bytes" in named


@pytest.mark.parametrize(
    "given",
    [
        {"fragments": "some"},
        {"count": 0},
        {"threads": 0},
        {"allowed_lateness": -1},
        {"duplicate_window": float("nan")},
        {"interface_addresses": ["10.0.0"]},
    ],
)
def test_other_values_that_cannot_be_are_told(given):
    [option] = given
    assert f"`{option}`" in str(raised(flowtruth.flows, "fixtures/captures/seed.pcap", **given))


def test_the_column_of_a_wrong_filter_is_told():
    error = raised(flowtruth.flows, "fixtures/captures/seed.pcap", filter="tcp prot 80")
    assert "column 5" in str(error)


@pytest.mark.parametrize(
    ("given", "words"),
    [
        ({"window_origin": "first-packet"}, ["--window-origin", "first-packet"]),
        ({"keys": "icmp,host"}, None),
    ],
)
def test_what_cannot_be_counted_in_parts_is_refused(given, words):
    error = raised(flowtruth.partials, "fixtures/captures/seed.pcap", **given)
    if words:
        errors, hints = said("convert", "--partials", *words, "fixtures/captures/seed.pcap")
        assert ([str(error)], [error.hint]) == (errors, hints)
    else:
        assert "`host` is no key of partial records" in str(error)


def test_a_log_is_no_capture():
    log = "fixtures/diff/unexplained-logs/reference.log"
    for function in (flowtruth.flows, flowtruth.partials, flowtruth.ledger):
        assert str(raised(function, log)) == f"`{log}` is a flow log, expected a capture"


@pytest.mark.parametrize("function", [flowtruth.flows, flowtruth.partials, flowtruth.ledger, flowtruth.lint])
def test_nothing_is_named(function):
    assert "was named" in str(raised(function, []))


def test_what_is_no_address_is_told():
    errors, hints = said("convert", "s3://")
    error = raised(flowtruth.flows, "s3://")
    assert ([str(error)], [error.hint]) == (errors, hints)


def test_an_error_can_be_pickled():
    error = raised(flowtruth.partials, "fixtures/captures/seed.pcap", window_origin="first-packet")
    again = pickle.loads(pickle.dumps(error))
    assert (type(again), str(again), again.hint) == (FlowtruthError, str(error), error.hint)
    assert again.hint


def test_an_error_of_the_caller_in_the_middle_is_the_callers():
    class Mine(Exception):
        pass

    def fail(_):
        raise Mine

    with pytest.raises(Mine):
        flowtruth.flows("fixtures/captures/seed.pcap", on_ledger=fail).read_all()
