"""`diff`, `lint` and `ledger` against the JSON of the program."""

import json
import pathlib

import pytest
from conftest import ROOT, WHOLE, program

import flowtruth
from flowtruth import FlowtruthError

PAIRS = sorted(
    path
    for path in (ROOT / "fixtures/diff").iterdir()
    if len(list(path.glob("reference.*"))) == 1 and len(list(path.glob("candidate.*"))) == 1
    and not list(path.glob("vpc*"))
)


@pytest.mark.parametrize("capture", WHOLE)
def test_the_ledger_is_that_of_the_program(capture, tmp_path):
    program("convert", "-q", "--dedup", "--ledger", tmp_path / "ledger.json", capture)
    assert flowtruth.ledger(capture, dedup=True) == json.loads((tmp_path / "ledger.json").read_text())


def test_a_reader_gives_the_same_ledger():
    capture = "fixtures/captures/traffic/thirty-four.pcap"
    ledgers = []
    reader = flowtruth.flows(capture, on_ledger=ledgers.append)
    assert ledgers == []
    reader.read_all()
    assert ledgers == [flowtruth.ledger(capture)]


def test_the_ledger_of_a_damaged_capture_says_so():
    ledger = flowtruth.ledger("fixtures/captures/damaged/cut-packet.pcap")
    assert ledger["total"]["packets_read"] > 0
    assert "cut short" in ledger["captures"][0]["error"]
    with pytest.raises(FlowtruthError):
        flowtruth.ledger("fixtures/captures/damaged/empty.pcap")


@pytest.mark.parametrize("pair", PAIRS, ids=lambda pair: pair.name)
def test_a_comparison_is_that_of_the_program(pair):
    [reference], [candidate] = pair.glob("reference.*"), pair.glob("candidate.*")
    sides = [str(side.relative_to(ROOT)) for side in (reference, candidate)]
    import subprocess

    from conftest import PROGRAM

    done = subprocess.run([PROGRAM, "diff", "--json", *sides], cwd=ROOT, capture_output=True)
    if done.returncode == 2:
        with pytest.raises(FlowtruthError):
            flowtruth.diff(*sides)
    else:
        assert flowtruth.diff(*sides) == json.loads(done.stdout)


def test_there_are_many_pairs():
    assert len(PAIRS) > 30


def test_what_may_be_apart_can_be_given(tmp_path):
    log = tmp_path / "flow.log"
    lines = program("convert", "-q", "fixtures/captures/seed.pcap").decode()
    log.write_text(lines.replace(" 840 ", " 900 "))
    assert flowtruth.diff("fixtures/captures/seed.pcap", log)["verdict"] == "different"
    for delta in (60, "60", "8%"):
        assert flowtruth.diff("fixtures/captures/seed.pcap", log, bytes_delta=delta)["verdict"] == "same"
    with pytest.raises(FlowtruthError, match="bytes_delta"):
        flowtruth.diff("fixtures/captures/seed.pcap", log, bytes_delta="some")


def test_bad_lines_are_told_or_left_out(tmp_path):
    log = tmp_path / "flow.log"
    log.write_text(program("convert", "-q", "fixtures/captures/seed.pcap").decode() + "2 what is this\n")
    with pytest.raises(FlowtruthError, match="line 2") as raised:
        flowtruth.diff("fixtures/captures/seed.pcap", log)
    assert "skip_bad_lines" in raised.value.hint
    assert flowtruth.diff("fixtures/captures/seed.pcap", log, skip_bad_lines=True)["verdict"] == "same"


def test_sides_without_a_common_time_are_told(tmp_path):
    log = tmp_path / "flow.log"
    log.write_text(program("convert", "-q", "fixtures/captures/seed.pcap").decode().replace(" 16231", " 17231"))
    with pytest.raises(FlowtruthError, match="no time in common"):
        flowtruth.diff("fixtures/captures/seed.pcap", log)


def test_findings_are_those_of_the_program(tmp_path):
    log = tmp_path / "flow.log"
    good = program("convert", "-q", "fixtures/captures/traffic").decode()
    log.write_text(good + good.splitlines()[0] + "\n2 1 eni-1 10.0.0.1 10.0.0.2 99999 1 6 0 0 5 1 ACCEPT OK\n")
    *findings, summary = map(json.loads, program("lint", "-q", "--json", log, status=1).splitlines())
    found = flowtruth.lint(log)
    assert found == {"findings": findings, "summary": summary["summary"]}
    assert len(findings) > 3
    limited = flowtruth.lint(log, limit=1)
    assert limited["findings"] == findings[:1]
    assert limited["summary"]["shown"] == 1


def test_rules_can_be_switched(tmp_path):
    log = tmp_path / "flow.log"
    log.write_text("2 1 eni-1 10.0.0.1 10.0.0.2 99999 1 6 0 0 5 1 ACCEPT OK\n")
    assert flowtruth.lint(log)["summary"]["errors"] > 0
    assert flowtruth.lint(log, allow="all")["findings"] == []
    rule = flowtruth.lint(log)["findings"][0]["rule"]
    assert {finding["level"] for finding in flowtruth.lint(log, warn=[rule])["findings"] if finding["rule"] == rule} == {
        "warning"
    }
    with pytest.raises(FlowtruthError, match="is no rule"):
        flowtruth.lint(log, deny="port-zer")
    with pytest.raises(FlowtruthError, match="no-such.log"):
        flowtruth.lint(pathlib.Path("no-such.log"))
    with pytest.raises(FlowtruthError):
        flowtruth.lint(log, target="nobody")
