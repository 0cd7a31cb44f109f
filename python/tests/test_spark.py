"""`flowtruth.spark` on a real Spark: executors as processes of their own, one session for all tests, moto as S3."""

from __future__ import annotations

import json
import os
import random
import signal
import struct
import subprocess
import sys
import threading
import time
from pathlib import Path
from types import SimpleNamespace

import pytest


import boto3
from conftest import CAPTURES, PROGRAM
from moto.server import ThreadedMotoServer
from pyspark.sql import DataFrame, SparkSession

import flowtruth
import flowtruth.spark
from flowtruth.spark import _pieces, submit

ACCOUNT = "123456789012"
IDENTITY = ["--account-id", ACCOUNT, "--set", "region=us-east-1", "--interface-id", "eni-abc123de"]
WORDS = {"account_id": ACCOUNT, "interface_id": "eni-abc123de", "set": {"region": "us-east-1"}}
FORMAT = "${account-id} ${interface-id} ${srcaddr} ${dstaddr} ${srcport} ${dstport} ${protocol} ${packets} ${bytes} ${start} ${end} ${tcp-flags} ${region}"
BEGIN = 1_700_000_000


def frame(rng: random.Random) -> bytes:
    """A TCP or UDP packet of one of some hundred flows, IPv4 or IPv6."""
    flow = rng.randrange(400)
    protocol = 6 if flow % 3 else 17
    payload = bytes(rng.randrange(200))
    ports = struct.pack(">HH", 1024 + flow, 443)
    if protocol == 6:
        transport = ports + struct.pack(">IIBBHHH", 1, 1, 0x50, rng.choice([2, 16, 18, 24, 17, 4]), 8192, 0, 0)
    else:
        transport = ports + struct.pack(">HH", 8 + len(payload), 0)
    body = transport + payload
    if flow % 5:
        addresses = bytes([10, 0, flow % 7, flow % 200]) + bytes([192, 0, 2, flow % 250])
        header = struct.pack(">BBHHHBBH", 0x45, 0, 20 + len(body), rng.randrange(65536), 0, 64, protocol, 0) + addresses
        return bytes(12) + b"\x08\x00" + header + body
    addresses = bytes.fromhex("20010db8") + bytes(11) + bytes([flow % 250]) + bytes.fromhex("20010db8") + bytes(11) + b"\xff"
    return bytes(12) + b"\x86\xdd" + struct.pack(">IHBB", 6 << 28, len(body), protocol, 64) + addresses + body


def capture(path: Path, packets: int, seed: int, begin: int = BEGIN) -> Path:
    """A pcap of so many packets, some a second."""
    rng = random.Random(seed)
    out = bytearray(struct.pack("<IHHIIII", 0xA1B2C3D4, 2, 4, 0, 0, 262144, 1))
    for number in range(packets):
        data = frame(rng)
        micros = number * 1_300_000_000 // max(packets, 1)
        out += struct.pack("<IIII", begin + micros // 1_000_000, micros % 1_000_000, len(data), len(data)) + data
    path.write_bytes(out)
    return path


@pytest.fixture(scope="session")
def captures(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """50 captures of very different sizes and one large one, whose flows and windows overlap."""
    folder = tmp_path_factory.mktemp("captures")
    for number in range(50):
        capture(folder / f"{number:02}.pcap", 3000 if number % 17 == 0 else 100, number, BEGIN + 100 * (number % 9))
    capture(folder / "large.pcap", 60_000, 1000)
    return folder


@pytest.fixture(scope="session")
def s3():
    """moto's server on loopback."""
    server = ThreadedMotoServer(ip_address="127.0.0.1", port=0, verbose=False)
    server.start()
    host, port = server.get_host_and_port()
    settings = {
        "AWS_ENDPOINT_URL": f"http://{host}:{port}",
        "AWS_ACCESS_KEY_ID": "AKIDEXAMPLE",
        "AWS_SECRET_ACCESS_KEY": "secret",
        "AWS_REGION": "us-east-1",
        "AWS_EC2_METADATA_DISABLED": "true",
    }
    yield settings
    server.stop()


@pytest.fixture(scope="session")
def spark(s3: dict[str, str], tmp_path_factory: pytest.TempPathFactory):
    """Two executors with a core each, on loopback."""
    os.environ["PYSPARK_PYTHON"] = sys.executable
    os.environ["SPARK_LOCAL_IP"] = "127.0.0.1"
    # executors keep their logs here
    os.environ["SPARK_WORKER_DIR"] = str(tmp_path_factory.mktemp("work"))
    builder = SparkSession.builder.master("local-cluster[2,1,1024]").appName("flowtruth's tests")
    settings = {
        "spark.driver.host": "127.0.0.1",
        "spark.driver.bindAddress": "127.0.0.1",
        "spark.driver.memory": "1g",
        "spark.ui.enabled": "false",
        "spark.sql.shuffle.partitions": "4",
        "spark.sql.warehouse.dir": str(tmp_path_factory.mktemp("warehouse")),
        "spark.local.dir": str(tmp_path_factory.mktemp("local")),
        **{f"spark.executorEnv.{name}": value for name, value in s3.items()},
    }
    for name, value in settings.items():
        builder = builder.config(name, value)
    session = builder.getOrCreate()
    session.sparkContext.setLogLevel("ERROR")
    yield session
    session.stop()


@pytest.fixture(scope="session")
def convert():
    """Runs the program; gives what it writes."""

    def run(arguments: list[str]) -> str:
        done = subprocess.run([PROGRAM, *arguments], capture_output=True, text=True, check=False)
        # a capture that is cut is an error, and what came before it is written
        assert done.returncode == 0 or "cut.pcap" in done.stderr, done.stderr
        return done.stdout

    return run


def lines(frame) -> list[str]:
    """The records as lines, in an order of their own."""
    return sorted(" ".join("-" if value is None else str(value) for value in row) for row in frame.collect())


def converted(convert, *arguments: str) -> list[str]:
    """The lines of one conversion of everything."""
    options = ["convert", "--quiet", "--log-format", FORMAT, "--allowed-lateness", "1000000", *IDENTITY]
    return sorted(convert([*options, *arguments]).splitlines())


@pytest.fixture(scope="session")
def expected(captures: Path, convert) -> list[str]:
    found = converted(convert, str(captures))
    assert len(found) > 1000
    return found


def flows(spark: SparkSession, paths, **how):
    return flowtruth.spark.flows(spark, paths, format=FORMAT, **WORDS, **how)


def test_many_captures_and_a_large_one_are_one_conversion(spark, captures, expected):
    found = flows(spark, captures, piece_bytes=1 << 20)
    assert lines(found) == expected
    assert found.errors.count() == 0
    large = found.ledgers.where("capture LIKE '%large.pcap'").collect()
    assert len(large) > 5, "the large capture was not cut"
    ledgers = [json.loads(row["ledger"]) for row in found.ledgers.collect()]
    assert sum(ledger["total"]["packets_read"] for ledger in ledgers) == 60_000 + 3 * 3000 + 47 * 100
    # bins are of about one size, and no partition is left empty
    sizes = found.partials.rdd.mapPartitions(lambda rows: [sum(1 for _ in rows)]).collect()
    assert all(sizes) and len(sizes) > 6
    kept = spark.sparkContext._jsc.getPersistentRDDs().size()
    found.release()
    assert spark.sparkContext._jsc.getPersistentRDDs().size() < kept


def test_columns_are_aws_s(spark, captures):
    found = flowtruth.spark.flows(spark, captures / "00.pcap")
    assert [(field.name, field.dataType.simpleString()) for field in found.schema][:8] == [
        ("version", "int"),
        ("account_id", "string"),
        ("interface_id", "string"),
        ("srcaddr", "string"),
        ("dstaddr", "string"),
        ("srcport", "int"),
        ("dstport", "int"),
        ("protocol", "int"),
    ]
    assert found.schema["packets"].dataType.simpleString() == "bigint"


def test_directions_are_told_apart_where_records_show_them(spark, convert):
    # an "any" device, whose packets say which way they went
    cooked = str(CAPTURES / "traffic" / "cooked-any.pcap")
    for fields, addresses in [(FORMAT, []), (f"{FORMAT} ${{flow-direction}}", []), (f"{FORMAT} ${{flow-direction}}", ["10.0.0.1"])]:
        found = flowtruth.spark.flows(spark, cooked, format=fields, interface_addresses=addresses, **WORDS)
        options = ["convert", "--quiet", "--log-format", fields, *IDENTITY, cooked]
        options += [word for address in addresses for word in ("--interface-address", address)]
        assert lines(found) == sorted(convert(options).splitlines())


def test_partials_are_the_rows_of_the_captures(spark, captures):
    chosen = [str(captures / "00.pcap"), str(captures / "01.pcap")]
    found = flows(spark, chosen).partials
    order = ["window_start_ns", "srcaddr", "dstaddr", "srcport", "first_ns"]
    rows = [row for path in chosen for row in flowtruth.partials(path).read_all().to_pylist()]
    assert [row.asDict() for row in found.orderBy(order).collect()] == sorted(rows, key=lambda row: [row[name] for name in order])
    assert found.columns == flowtruth.partial_schema().names


def test_a_session_with_arrows_larger_types_has_the_same_records(spark, captures, convert, tmp_path):
    one = str(captures / "00.pcap")
    spark.conf.set("spark.sql.execution.arrow.useLargeVarTypes", "true")
    try:
        found = flows(spark, one)
        assert lines(found) == converted(convert, one)
        assert found.partials.count() > 10
        assert found.write_flow_log(tmp_path)["records"] == len(converted(convert, one))
    finally:
        spark.conf.unset("spark.sql.execution.arrow.useLargeVarTypes")


def test_a_task_counts_some_bins_where_there_are_many():
    assert [_pieces.tasks_for(bins, 2) for bins in (1, 7, 8, 9, 32, 33, 400)] == [1, 7, 8, 8, 8, 9, 100]
    assert _pieces.tasks_for(400, 100) == 400
    assert _pieces.tasks_for(400, None) == 400


@pytest.mark.parametrize("by_id", [True, False])
def test_tasks_have_equally_many_bins(spark, captures, monkeypatch, by_id):
    monkeypatch.setattr(_pieces, "_cores", lambda _: 1)
    if not by_id:
        for frame in (DataFrame, type(spark.range(1))):
            monkeypatch.delattr(frame, "repartitionById", raising=False)
    found = _pieces.find(spark, [str(captures / "large.pcap")], 1 << 20)
    tasks = [{row["bin"] for row in rows} for rows in found.rdd.glom().collect()]
    bins = sum(map(len, tasks))
    assert set().union(*tasks) == set(range(bins)) and bins > 8
    assert len(tasks) == _pieces.tasks_for(bins, 1) == 4
    assert max(map(len, tasks)) - min(map(len, tasks)) <= 1


def test_who_does_not_know_how_many_executors_there_will_be_gives_each_bin_a_task(spark):
    assert _pieces._cores(spark) == 2
    # what a session of such a cluster, and a client of Spark Connect, say
    growing = SimpleNamespace(conf={"spark.dynamicAllocation.enabled": "true"}, sparkContext=spark.sparkContext)
    client = SimpleNamespace(conf={})
    assert _pieces._cores(growing) is None
    assert _pieces._cores(client) is None


def test_a_capture_that_several_paths_name_counts_once(spark, captures, convert, monkeypatch):
    monkeypatch.chdir(captures)
    found = flows(spark, ["17.pcap", "1[78].pcap", captures / "18.pcap"])
    assert lines(found) == converted(convert, str(captures / "17.pcap"), str(captures / "18.pcap"))


def test_no_name_is_not_the_folder_that_is_worked_in(spark):
    [row] = flows(spark, "").errors.collect()
    assert row["capture"] == "" and row["error"].startswith("``: cannot be opened")


def test_a_pattern_is_within_a_folder():
    assert _pieces._matches("s3://a/2026/x.pcap", "s3://a/2026/*.pcap")
    assert not _pieces._matches("s3://a/2026/11/x.pcap", "s3://a/2026/*.pcap")


def test_a_spark_without_repartition_by_id_has_each_bin_in_its_place(spark, captures, convert, monkeypatch):
    chosen = [str(captures / f"{number:02}.pcap") for number in range(0, 50, 10)]
    frames = [DataFrame, type(spark.range(1))]
    for frame in frames:
        monkeypatch.delattr(frame, "repartitionById", raising=False)
    found = flows(spark, chosen, piece_bytes=20_000)
    assert lines(found) == converted(convert, *chosen)
    sizes = found.partials.rdd.mapPartitions(lambda rows: [sum(1 for _ in rows)]).collect()
    assert all(sizes) and len(sizes) > 3


def executors() -> list[int]:
    """The processes of executors that this process has started."""
    found = []
    for process in Path("/proc").iterdir():
        if process.name.isdigit():
            try:
                command = (process / "cmdline").read_bytes()
                mine = f"PPid:\t{JVM['pid']}\n" in (process / "status").read_text()
            except OSError:
                continue
            if mine and b"CoarseGrainedExecutorBackend" in command:
                found.append(int(process.name))
    return found


JVM: dict[str, int] = {}


def test_an_executor_that_is_killed_changes_nothing(spark, captures, expected):
    JVM["pid"] = spark.sparkContext._jvm.ProcessHandle.current().pid()
    before = executors()
    assert len(before) == 2
    killed = []

    def kill():
        tracker = spark.sparkContext.statusTracker()
        while not killed:
            stages = [tracker.getStageInfo(stage) for stage in tracker.getActiveStageIds()]
            # in the middle of the counting: some tasks are done and some are not
            if any(stage and stage.numTasks > 6 and 2 <= stage.numCompletedTasks for stage in stages):
                os.kill(before[0], signal.SIGKILL)
                killed.append(before[0])
            time.sleep(0.01)

    killer = threading.Thread(target=kill, daemon=True)
    killer.start()
    found = flows(spark, captures, piece_bytes=1 << 19)
    assert lines(found) == expected
    killer.join(60)
    assert killed and killed[0] not in executors()
    assert found.errors.count() == 0


def test_what_cannot_be_read_is_a_row_and_not_the_end(spark, captures, convert, tmp_path):
    good = captures / "17.pcap"
    (tmp_path / "a.pcap").write_bytes(good.read_bytes())
    (tmp_path / "cut.pcap").write_bytes((captures / "34.pcap").read_bytes()[:-7])
    (tmp_path / "text.pcap").write_text("no capture")
    (tmp_path / "empty.pcap").write_bytes(b"")
    found = flows(spark, [tmp_path, tmp_path / "gone" / "*.pcap"])
    errors = {Path(row["capture"]).name: (row["error"], row["hint"]) for row in found.errors.collect()}
    assert set(errors) == {"cut.pcap", "text.pcap", "empty.pcap", "*.pcap"}
    for name in ("cut.pcap", "text.pcap", "empty.pcap"):
        with pytest.raises(flowtruth.FlowtruthError) as told:
            flowtruth.partials(tmp_path / name).read_all()
        assert errors[name] == (str(told.value), told.value.hint)
    assert "names no captures" in errors["*.pcap"][0]
    # what was read before the damage counts
    assert lines(found) == converted(convert, str(tmp_path / "a.pcap"), str(tmp_path / "cut.pcap"))


def test_wrong_words_are_told_at_once(spark, captures):
    for how, words in [
        ({"filter": "tcp prot 443"}, "prot"),
        ({"interval": 0}, "interval"),
        ({"window_origin": "first-packet"}, "first-packet"),
        ({"decap": "ipip"}, "ipip"),
        ({"piece_bytes": 0}, "piece_bytes"),
        ({"paths": []}, "no capture was named"),
    ]:
        with pytest.raises(flowtruth.FlowtruthError, match=words):
            flowtruth.spark.flows(spark, **{"paths": captures, **how})
    with pytest.raises(flowtruth.FlowtruthError, match="the account and the Region"):
        flowtruth.spark.flows(spark, captures / "00.pcap").write_flow_log("unwritten")


def client(s3: dict[str, str]):
    return boto3.client(
        "s3",
        endpoint_url=s3["AWS_ENDPOINT_URL"],
        region_name="us-east-1",
        aws_access_key_id="AKIDEXAMPLE",
        aws_secret_access_key="secret",
    )


def test_s3_is_read_and_written(spark, captures, expected, convert, s3, tmp_path):
    store = client(s3)
    store.create_bucket(Bucket="captures")
    store.create_bucket(Bucket="logs")
    for file in captures.iterdir():
        store.upload_file(str(file), "captures", f"2026/{file.name}")
    store.put_object(Bucket="captures", Key="2026/notes.txt", Body=b"not a capture")
    found = flows(spark, "s3a://captures/2026/*.pcap", piece_bytes=1 << 20)
    assert lines(found) == expected
    assert found.errors.count() == 0
    for file_format in ("parquet", "plain-text"):
        below = f"s3://logs/{file_format}"
        written = found.write_flow_log(below, file_format=file_format)
        again = found.write_flow_log(below, file_format=file_format)
        assert written == again and written["records"] == len(expected)
        # the same objects as one conversion's, byte for byte
        folder = tmp_path / file_format
        layout = ["--layout", "s3", "--hive-compatible-partitions", "--file-format", file_format, "-o", str(folder)]
        converted(convert, *layout, str(captures))
        one = {str(file.relative_to(folder)): file.read_bytes() for file in folder.rglob("*") if file.is_file()}
        listed = store.list_objects_v2(Bucket="logs", Prefix=f"{file_format}/")["Contents"]
        assert written["objects"] == len(listed) == len(one) > 3
        for entry in listed:
            name = entry["Key"].removeprefix(f"{file_format}/")
            assert name.startswith(f"AWSLogs/aws-account-id={ACCOUNT}/aws-service=vpcflowlogs/aws-region=us-east-1/year=2023/")
            assert store.get_object(Bucket="logs", Key=entry["Key"])["Body"].read() == one[name]


def test_the_job_for_spark_submit(spark, captures, expected, tmp_path, capsys):
    given = [str(captures), "-o", str(tmp_path / "log"), "--account-id", ACCOUNT, "--region", "us-east-1"]
    given += ["--interface-id", "eni-abc123de", "--log-format", FORMAT, "--errors", str(tmp_path / "errors")]
    assert submit.run(spark, submit.arguments(given)) == 0
    said = capsys.readouterr()
    told = json.loads(said.out)
    assert told["records"] == len(expected) and told["errors"] == 0 and said.err == ""
    read = spark.read.parquet(str(tmp_path / "log"))
    assert read.count() == len(expected)
    assert submit.run(spark, submit.arguments([str(tmp_path / "gone.pcap"), *given[1:]])) == 2
    assert "error: " in capsys.readouterr().err
    # what fails in a task is told in a line
    (tmp_path / "file").write_text("no folder")
    given[given.index("-o") + 1] = str(tmp_path / "file" / "log")
    assert submit.run(spark, submit.arguments(given)) == 2
    told = capsys.readouterr().err.strip().splitlines()
    assert len(told) == 1 and told[0].startswith("error: ") and "file/log` cannot be written" in told[0], told
    with pytest.raises(SystemExit):
        submit.arguments([*given, "--set", "vpc-id"])
    assert "expected `FIELD=VALUE`" in capsys.readouterr().err
