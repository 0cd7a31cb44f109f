"""flowlogs-reader, from S3 and from CloudWatch Logs."""

import calendar
import datetime
import json
import pathlib
import tempfile

from flowlogs_reader import FlowLogsReader, S3FlowLogsReader

from traffic import CAPTURES, Log, WithServer, in_order

LONG_AGO, FAR_AHEAD = datetime.datetime(1970, 1, 1), datetime.datetime(2100, 1, 1)


def seen(record, names):
    """A record as flowlogs-reader understood it, with times as seconds again."""
    values = {}
    for name in names:
        value = getattr(record, name)
        if isinstance(value, datetime.datetime):
            value = calendar.timegm(value.utctimetuple())
        values[name] = value
    return values


class FromS3(WithServer):
    def read(self, bucket, prefix, names, since=None):
        first = min(since) if since else 0
        day = datetime.datetime.utcfromtimestamp(first - 86400) if since else LONG_AGO
        reader = S3FlowLogsReader(
            f"{bucket}/{prefix}", boto_client=self.s3, start_time=day,
            end_time=datetime.datetime.utcfromtimestamp(max(since) + 2 * 86400) if since else FAR_AHEAD,
            raise_on_error=True,
        )
        return [seen(record, names) for record in reader]

    def check(self, log, *options):
        bucket = self.bucket()
        log.convert("--target", "flowlogs-reader", *options, "-o", f"s3://{bucket}/some/logs", **self.settings)
        names = list(log.records[0])
        ends = [record["end"] for record in log.records]
        self.assertEqual(in_order(self.read(bucket, "some/logs", names, ends)), log.rows())
        return bucket

    def test_text(self):
        bucket = self.check(Log(CAPTURES["short"], "v5"))
        self.assertTrue(all(key.endswith(".log.gz") for key in self.keys(bucket)))

    def test_text_of_the_default_format_in_hourly_prefixes(self):
        self.check(Log(CAPTURES["default"], "v2"), "--per-hour-partition")

    def test_parquet(self):
        bucket = self.check(Log(CAPTURES["ipv6"], "v5"), "--file-format", "parquet")
        self.assertTrue(all(key.endswith(".log.parquet") for key in self.keys(bucket)))

    def test_port_0_and_0_bytes_stay_0_and_nothing_stays_nothing(self):
        log = Log(CAPTURES["extremes"], "v2")
        self.assertTrue(any(record["srcport"] == record["bytes"] == 0 for record in log.records))
        self.check(log)

    def test_the_same_in_parquet(self):
        self.check(Log(CAPTURES["extremes"], "v5"), "--file-format", "parquet")

    def test_hive_prefixes_are_passed_over(self):
        log = Log(CAPTURES["default"], "v2")
        bucket = self.bucket()
        log.convert("--layout", "s3", "--hive-compatible-partitions", "-o", f"s3://{bucket}", **self.settings)
        ends = [record["end"] for record in log.records]
        self.assertEqual(self.read(bucket, "", list(log.records[0]), ends), [], "docs/consumers.md says so")


class FromCloudWatchLogs(WithServer):
    def test_batches_of_put_log_events(self):
        for log_format in ("v2", "v5"):
            with self.subTest(log_format), tempfile.TemporaryDirectory() as folder:
                group = f"group-{log_format}"
                log = Log(CAPTURES["short" if log_format == "v5" else "extremes"], log_format, "--rebase", "now-86400")
                log.convert("--layout", "cloudwatch", "--log-group", group, "-o", folder)
                self.logs.create_log_group(logGroupName=group)
                streams = set()
                batches = sorted(pathlib.Path(folder).rglob("*.json"))
                self.assertTrue(batches)
                for batch in batches:
                    request = json.loads(batch.read_text())
                    if request["logStreamName"] not in streams:
                        streams.add(request["logStreamName"])
                        self.logs.create_log_stream(logGroupName=group, logStreamName=request["logStreamName"])
                    answer = self.logs.put_log_events(**request)
                    self.assertNotIn("rejectedLogEventsInfo", answer)
                reader = FlowLogsReader(
                    group, boto_client=self.logs, fields=[name.replace("-", "_") for name in log.names],
                    start_time=LONG_AGO, end_time=FAR_AHEAD, raise_on_error=True,
                )
                read = [seen(record, log.records[0]) for record in reader]
                self.assertEqual(in_order(without_times(read)), in_order(without_times(log.records)))
                self.assertEqual(streams, {"eni-0a1b2c3d4e5f60718-all"})


def without_times(records):
    """`--rebase now` is another time in every run; durations stay."""
    kept = []
    for record in records:
        values = dict(record)
        values["duration"] = values.pop("end") - values.pop("start")
        kept.append(values)
    return kept
