"""A job for `spark-submit`: captures in, AWS's flow log out.

    spark-submit submit.py --account-id 123456789012 --region us-east-1 -o s3://logs/ 's3://captures/*.pcap'

`python -c 'import flowtruth.spark.submit as job; print(job.__file__)'` says where it lies.
"""

from __future__ import annotations

import argparse
import json
import sys

from pyspark.errors import PySparkException
from pyspark.sql import SparkSession

import flowtruth
import flowtruth.spark

#: How many captures with errors are named.
NAMED = 10


def pair(text: str) -> tuple[str, str]:
    """A field and its value."""
    name, equals, value = text.partition("=")
    if not equals:
        raise argparse.ArgumentTypeError(f"`{text}`: expected `FIELD=VALUE`")
    return name, value


def arguments(typed: list[str] | None = None) -> argparse.Namespace:
    """What was typed."""
    parser = argparse.ArgumentParser(prog="submit.py", description=__doc__.splitlines()[0])
    parser.add_argument("captures", nargs="+", metavar="CAPTURE", help="captures, folders, s3:// addresses; `*` chooses")
    parser.add_argument("-o", "--output", required=True, metavar="PATH", help="a folder or s3:// address for AWS's objects")
    parser.add_argument("--account-id", required=True, help="the account that owns the interface")
    parser.add_argument("--region", required=True, help="the Region, which stands in the objects' names")
    parser.add_argument("--interface-id", help="the network interface that the log is of")
    parser.add_argument(
        "--set", action="append", default=[], type=pair, metavar="FIELD=VALUE", help="a field that all records share"
    )
    parser.add_argument("--log-format", default="v2", help="fields in AWS's syntax, or v2 to v5, all")
    parser.add_argument("--max-aggregation-interval", default="600", metavar="SECONDS|capture")
    parser.add_argument("--window-origin", default="epoch", metavar="epoch|TIME")
    parser.add_argument("--decap", metavar="TUNNEL,…", help="vxlan, geneve, gre, or all")
    parser.add_argument("--filter", metavar="EXPRESSION", help="only packets that match, in tcpdump's words")
    parser.add_argument("--from", dest="from_", metavar="TIME", help="only packets at or after this time")
    parser.add_argument("--until", metavar="TIME", help="only packets before this time")
    parser.add_argument("--file-format", default="parquet", choices=["parquet", "plain-text", "json"])
    parser.add_argument("--per-hour-partition", action="store_true", help="a level for the hour")
    parser.add_argument("--no-hive-compatible-partitions", dest="hive", action="store_false")
    parser.add_argument("--flow-log-id", metavar="fl-…")
    parser.add_argument("--piece-bytes", type=int, default=flowtruth.spark.PIECE_BYTES)
    parser.add_argument("--errors", metavar="PATH", help="a folder for what could not be read, as Spark's JSON lines; its file systems")
    return parser.parse_args(typed)


def run(spark: SparkSession, given: argparse.Namespace) -> int:
    """Does what was asked for; 0 fine, 2 where something went wrong or a capture could not be read to its end."""
    constants = dict(given.set) | {"region": given.region}
    try:
        flows = flowtruth.spark.flows(
            spark,
            given.captures,
            interval=given.max_aggregation_interval,
            window_origin=given.window_origin,
            decap=given.decap,
            filter=given.filter,
            from_=given.from_,
            until=given.until,
            format=given.log_format,
            account_id=given.account_id,
            interface_id=given.interface_id,
            set=constants,
            piece_bytes=given.piece_bytes,
        )
        written = flows.write_flow_log(
            given.output,
            file_format=given.file_format,
            hive_compatible_partitions=given.hive,
            per_hour_partition=given.per_hour_partition,
            flow_log_id=given.flow_log_id,
        )
    except flowtruth.FlowtruthError as error:
        print(f"error: {error}", file=sys.stderr)
        if error.hint:
            print(f"hint: {error.hint}", file=sys.stderr)
        return 2
    except PySparkException as error:
        # what a task said last
        said = [line for line in str(error).splitlines() if line.strip() and not line.startswith(("JVM", "\tat"))]
        print(f"error: {said[-1].strip() if said else error}", file=sys.stderr)
        return 2
    errors = flows.errors.select("capture").distinct().count()
    if given.errors is not None:
        flows.errors.write.mode("overwrite").json(given.errors)
    for named in flows.errors.limit(NAMED).collect():
        print(f"error: {named['error']}", file=sys.stderr)
    if errors > NAMED:
        print(f"warning: {errors} captures in all could not be read to their end", file=sys.stderr)
    print(json.dumps(written | {"errors": errors}))
    return 2 if errors else 0


def main() -> int:
    """The job, in a session of its own."""
    given = arguments()
    spark = SparkSession.builder.appName("flowtruth").getOrCreate()
    try:
        return run(spark, given)
    finally:
        spark.stop()


if __name__ == "__main__":
    sys.exit(main())
