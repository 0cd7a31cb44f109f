"""DuckDB, pyarrow, polars, and the table that `kit` prints for Athena."""

import pathlib
import re
import tempfile
import unittest

import duckdb
import polars
import pyarrow.parquet
import sqlglot
import yaml

from traffic import ACCOUNT, CAPTURES, FIELDS, REGION, Log, flowtruth, in_order

FORMATS = ("v2", "v5", "all")


def nulled(records):
    """Parquet has `-` for text that is missing, as AWS's has."""
    return [{name: None if value == "-" else value for name, value in record.items()} for record in records]


class WithFolder(unittest.TestCase):
    def setUp(self):
        folder = tempfile.TemporaryDirectory()
        self.addCleanup(folder.cleanup)
        self.folder = pathlib.Path(folder.name)


class DuckDb(WithFolder):
    def check(self, log, *kit):
        """Runs the SQL as printed; the view has every record, and the totals are the ledger's."""
        database = duckdb.connect()
        *_, totals = database.execute(flowtruth("kit", "duckdb", *kit)).fetchall()
        self.assertEqual(totals, log.totals())
        table = database.execute("FROM vpc_flow_logs")
        names = [column[0] for column in table.description]
        records = [dict(zip(names, row, strict=True)) for row in table.fetchall()]
        self.assertEqual(in_order(records), log.rows())

    def test_files_of_every_format(self):
        for log_format in FORMATS:
            log = Log(CAPTURES["mixed"] if log_format != "v2" else CAPTURES["extremes"], log_format)
            for name in ("flow.log", "flow.log.gz", "flow.parquet", "flow.ndjson"):
                with self.subTest(f"{name}, {log_format}"):
                    file = self.folder / name
                    is_text = ".log" in name
                    log.convert(*(["--header"] if is_text else []), "-o", file)
                    kind = ["--file-format", "plain-text"] if is_text else []
                    self.check(log, "--log-format", log_format, "--location", file, *kind)

    def test_objects_of_every_layout(self):
        log = Log(CAPTURES["mixed"], "v5")
        for number, partitions in enumerate((
            [], ["--per-hour-partition"], ["--hive-compatible-partitions"],
            ["--hive-compatible-partitions", "--per-hour-partition"],
        )):
            for file_format in ("plain-text", "parquet"):
                with self.subTest(f"{file_format} {partitions}"):
                    folder = self.folder / f"{number}-{file_format}"
                    options = ["--layout", "s3", "--file-format", file_format, *partitions]
                    log.convert(*options, "-o", f"{folder}/")
                    self.check(log, "--log-format", "v5", "--location", folder, "--account-id", ACCOUNT, "--region",
                               REGION, *options)


class Parquet(WithFolder):
    TYPES = {"INT_32": "int32", "INT_64": "int64", "STRING": "string"}

    def test_types_names_and_values_in_pyarrow_and_polars(self):
        for log_format in FORMATS:
            with self.subTest(log_format):
                log = Log(CAPTURES["mixed"] if log_format != "v5" else CAPTURES["extremes"], log_format)
                file = self.folder / f"{log_format}.parquet"
                log.convert("-o", file)
                schema = pyarrow.parquet.read_schema(file)
                expected = [(name.replace("-", "_"), self.TYPES[FIELDS[name]["type"]]) for name in log.names]
                self.assertEqual([(field.name, str(field.type)) for field in schema], expected)
                self.assertEqual(in_order(nulled(pyarrow.parquet.read_table(file).to_pylist())), log.rows())
                frame = polars.read_parquet(file)
                self.assertEqual(in_order(nulled(frame.to_dicts())), log.rows())
                totals = (frame.height, frame["packets"].sum(), frame["bytes"].sum())
                self.assertEqual(totals, log.totals())

    def test_the_hive_layout_in_polars_and_pyarrow(self):
        log = Log(CAPTURES["mixed"], "v2")
        log.convert("--layout", "s3", "--file-format", "parquet", "--hive-compatible-partitions", "-o", self.folder)
        frame = polars.scan_parquet(self.folder / "**/*.parquet", hive_partitioning=True).collect()
        self.assertEqual(in_order(nulled(frame.select(list(log.records[0])).to_dicts())), log.rows())
        self.assertEqual(set(frame["aws-account-id"].cast(str)), {ACCOUNT})
        days = set(zip(frame["year"], frame["month"], frame["day"]))
        self.assertTrue(days)
        table = pyarrow.parquet.read_table(self.folder, partitioning="hive")
        self.assertEqual(in_order(nulled(table.select(list(log.records[0])).to_pylist())), log.rows())


class Athena(WithFolder):
    TYPES = {"INT": "int32", "BIGINT": "int64", "TEXT": "string", "VARCHAR": "string"}

    def test_the_table_parses_and_has_the_columns_of_parquet(self):
        for log_format in FORMATS:
            file = self.folder / "flow.parquet"
            Log(CAPTURES["default"], log_format).convert("-o", file)
            schema = [(field.name, str(field.type)) for field in pyarrow.parquet.read_schema(file)]
            for file_format in ("plain-text", "parquet"):
                for partitions in ("false", "true"):
                    options = f"HiveCompatiblePartitions={partitions},PerHourPartition={partitions}"
                    ddl = flowtruth(
                        "kit", "athena", "--log-format", log_format, "--file-format", file_format,
                        "--destination-options", options, "--account-id", ACCOUNT, "--region", REGION,
                        "--location", "s3://bucket/logs",
                    )
                    (table,) = sqlglot.parse(ddl, dialect="athena")
                    self.assertIsInstance(table, sqlglot.exp.Create)
                    columns = [
                        (column.name, self.TYPES[column.args["kind"].sql().upper()])
                        for column in table.this.expressions if isinstance(column, sqlglot.exp.ColumnDef)
                    ]
                    self.assertEqual(columns, schema)

    def test_the_location_template_leads_to_the_objects(self):
        log = Log(CAPTURES["default"], "v2")
        for options in ([], ["--per-hour-partition"], ["--hive-compatible-partitions", "--per-hour-partition"]):
            folder = self.folder / "-".join(["x", *options])
            log.convert("--layout", "s3", *options, "-o", folder)
            ddl = flowtruth("kit", "athena", *options, "--account-id", ACCOUNT, "--region", REGION, "--location",
                            folder)
            (template,) = re.findall(r"'storage.location.template' = '([^']*)'", ddl)
            digits = dict(re.findall(r"'projection\.(\w+)\.digits' = '(\d)'", ddl))
            pattern = re.sub(r"\$\{(\w+)\}", lambda found: "[0-9]" * int(digits[found[1]]), template)
            relative = str(pathlib.Path(pattern).relative_to(self.folder))
            found = list(self.folder.glob(f"{relative}/*.log.gz"))
            everything = list(folder.rglob("*.gz"))
            self.assertTrue(everything)
            self.assertEqual(sorted(found), sorted(everything))


class Yaml(unittest.TestCase):
    def test_the_configurations_that_are_yaml_can_be_read(self):
        names = flowtruth("convert", "-q", "--header", *CAPTURES["default"]).splitlines()[0]
        otel = yaml.safe_load(flowtruth("kit", "otel", "--location", "s3://bucket/some/logs", "--account-id", ACCOUNT,
                                        "--region", REGION, "--log-format", "v2"))
        extension = otel["extensions"]["awslogs_encoding/vpcflow"]["vpcflow"]
        self.assertEqual(extension, {"file_format": "plain-text", "format": names})
        source = otel["receivers"]["awss3"]["s3downloader"]
        self.assertEqual(source["s3_bucket"], "bucket")
        self.assertEqual(source["s3_prefix"], f"some/logs/AWSLogs/{ACCOUNT}/vpcflowlogs/{REGION}")
        for header in ([], ["--header"]):
            filebeat = yaml.safe_load(flowtruth("kit", "elastic", *header))
            self.assertEqual(filebeat["processors"][0]["parse_aws_vpc_flow_log"]["format"], names)
            self.assertEqual("exclude_lines" in filebeat["filebeat.inputs"][0], bool(header))
