"""Captures by the terabyte on Spark: flow log records as a DataFrame.

>>> import flowtruth.spark
>>> flows = flowtruth.spark.flows(spark, "s3://captures/2026/*.pcap", interval=600)      # doctest: +SKIP
>>> flows.groupBy("srcaddr").sum("bytes").show()                                          # doctest: +SKIP
>>> flows.errors.show()                                                                   # doctest: +SKIP
>>> flows.write_flow_log("s3://logs/")                                                    # doctest: +SKIP

The driver never sees a capture or a row. A task lists the captures and cuts large ones into pieces; tasks count pieces into
partial records (``flowtruth.partials``); Spark adds those up; tasks make records of the sums. S3 is read and written by
flowtruth's own code inside the tasks, with the credentials that the AWS command line would use on that host. The package has
to be installed where executors run.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import TYPE_CHECKING, Any, cast

from pyspark import StorageLevel
from pyspark.sql import DataFrame, SparkSession
from pyspark.sql import functions as F

from .._options import Path, Paths, Time, Words, words
from .._options import paths as path_texts
from . import _pieces, _schemas, _tasks
from ._log import Delivery, write
from ._paths import everywhere

__all__ = ["FlowLog", "flows"]

#: The size of a piece of a large capture, and of what small captures are gathered to, in bytes.
PIECE_BYTES = 256 << 20


class FlowLog(DataFrame if TYPE_CHECKING else object):  # type: ignore[misc]
    """A DataFrame of flow log records, with what else is known of the captures.

    ``flows`` gives a plain ``pyspark.sql.DataFrame`` with these members; what is derived from it (``select``, …) is without.
    """

    #: Captures that could not be read, or not to their end: `capture`, `byte_start`, `byte_end`, `error`, `hint`. What was
    #: read before the damage is in the records.
    errors: DataFrame
    #: The ledger of each piece as JSON, which accounts for every packet: `capture`, `byte_start`, `byte_end`, `ledger`.
    ledgers: DataFrame
    #: The rows of the captures' partial records (``docs/scale.md``), before they are added up; with `flow_direction` where
    #: the records show those that captures say.
    partials: DataFrame

    def release(self) -> None:
        """Lets go of what the executors keep of what was counted, for `errors`, `ledgers` and the next question."""
        raise NotImplementedError  # a DataFrame of `flows` has one of its own

    def write_flow_log(
        self,
        path: Path,
        *,
        file_format: str = "parquet",
        hive_compatible_partitions: bool = True,
        per_hour_partition: bool = False,
        flow_log_id: str | None = None,
    ) -> dict[str, int]:
        """Writes the records as AWS delivers them to S3: objects of five minutes, named by account, Region and day.

        The records need an account and a Region: ``account_id=`` and ``set={"region": …}`` of ``flows``. The same records
        make the same objects, which take the place of those that are there. Other records make others beside them: look at
        ``errors`` first, and write into a folder of its own what is written once more with captures that were missing.

        Args:
            path: A folder that all executors share, or an `s3://` address.
            file_format: ``"parquet"``, ``"plain-text"`` (gzip), or ``"json"``.
            hive_compatible_partitions: ``aws-account-id=…/year=…`` in the names, as Athena and Spark read them.
            per_hour_partition: A level for the hour.
            flow_log_id: ``fl-…`` in the names; derived from what the records share, where it is not given.

        Returns:
            How many ``objects`` and ``records`` were written.
        """
        raise NotImplementedError  # a DataFrame of `flows` has one of its own


def flows(
    spark: SparkSession,
    paths: Paths,
    *,
    interval: int | str = 600,
    window_origin: Time = "epoch",
    decap: Words | None = None,
    filter: str | None = None,
    from_: Time | None = None,
    until: Time | None = None,
    format: str = "v2",
    account_id: str = "unknown",
    interface_id: str | None = None,
    set: Mapping[str, object] | None = None,
    interface_addresses: Iterable[object] = (),
    piece_bytes: int = PIECE_BYTES,
    memory_limit: int | str = "512MiB",
) -> FlowLog:
    """The flow log records of captures, with AWS's column names and types.

    Args:
        spark: The session.
        paths: Captures, folders of captures, `s3://` (or `s3a://`) addresses and prefixes; ``*``, ``?`` and ``[…]`` choose
            among what there is, within a part between slashes. Every task has to reach them. What several paths name
            counts once. Everything in a folder is taken for a capture: choose with ``*.pcap`` where there are other files.
        piece_bytes: Uncompressed pcap files that are larger are cut into pieces of about this size; smaller captures are
            gathered until they have it together. Compressed captures and pcapng are not cut. A task counts up to four
            times as much where all cores have enough to do.
        memory_limit: Memory for the flow tables of one task; more goes to the executor's temporary directory.

    The other arguments are those of ``flowtruth.flows``. They say what every piece by itself can be counted with, so nothing
    that depends on the order of all packets is among them (``docs/scale.md``).

    Raises:
        flowtruth.FlowtruthError: Where an argument cannot be used. Captures that cannot be read are rows of ``errors``.
    """
    counting = {
        "interval": interval,
        "window_origin": window_origin,
        "decap": words(decap),
        "filter": filter,
        "from_": from_,
        "until": until,
        "memory_limit": memory_limit,
        "threads": 1,
    }
    recording = {"format": format, "account_id": account_id, "interface_id": interface_id, "set": dict(set or {})}
    given = [interface_addresses] if isinstance(interface_addresses, str) else interface_addresses
    addresses = [str(address) for address in given]
    plan = _tasks.Plan(counting, recording, addresses)
    # what cannot be used is told before anything is done
    plan.check()

    pieces = _pieces.find(spark, [everywhere(path) for path in path_texts(paths)], piece_bytes)
    counted = pieces.mapInArrow(plan.count, _schemas.COUNTED).persist(StorageLevel.MEMORY_AND_DISK)
    rows = counted.where("row IS NOT NULL").select("row.*")
    sums = rows.groupBy("key").agg(
        *(F.sum(name).alias(name) for name in ("packets", "bytes")),
        F.min("first_ns").alias("first_ns"),
        F.max("last_ns").alias("last_ns"),
        F.bit_or("flags").alias("flags"),
    )
    records: Any = sums.mapInArrow(plan.record, _schemas.of_arrow(plan.columns))
    records.partials = rows.mapInArrow(_tasks.shown, _schemas.of_arrow(_schemas.ROWS))
    place = [f"piece.{name}" for name in _schemas.PLACE]
    records.errors = counted.where("piece.error IS NOT NULL").select(*place, "piece.error", "piece.hint")
    records.ledgers = counted.where("piece.ledger IS NOT NULL").select(*place, "piece.ledger")

    def write_flow_log(path: Path, **how: Any) -> dict[str, int]:
        return write(sums, plan, Delivery.to(path, **how))

    write_flow_log.__doc__ = FlowLog.write_flow_log.__doc__
    records.write_flow_log = write_flow_log

    def release() -> None:
        counted.unpersist()

    release.__doc__ = FlowLog.release.__doc__
    records.release = release
    return cast(FlowLog, records)
