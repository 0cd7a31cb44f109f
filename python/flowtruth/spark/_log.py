"""Sums → AWS's objects, written by tasks."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass

import pyarrow as pa
from pyspark.sql import DataFrame
from pyspark.sql import functions as F

from .. import _native, _options
from .._options import Path
from ._paths import everywhere
from ._tasks import Plan, unpacked

#: The time that one object holds, in nanoseconds.
_SLOT = 300_000_000_000


@dataclass(frozen=True)
class Delivery:
    """Where objects go and what they are."""

    path: str
    file_format: str
    hive_compatible_partitions: bool
    per_hour_partition: bool
    flow_log_id: str | None

    @staticmethod
    def to(
        path: Path,
        *,
        file_format: str = "parquet",
        hive_compatible_partitions: bool = True,
        per_hour_partition: bool = False,
        flow_log_id: str | None = None,
    ) -> Delivery:
        """What was asked for."""
        where = everywhere(path)
        return Delivery(where, file_format, hive_compatible_partitions, per_hour_partition, flow_log_id)


def write(sums: DataFrame, plan: Plan, delivery: Delivery) -> dict[str, int]:
    """Writes the records of sums; says how many objects and records there are."""
    metering = _options.metering(**plan.counting, interface_addresses=plan.interface_addresses)
    recording = _options.recording(**plan.recording)
    how = dict(vars(delivery))
    # what cannot be used is told before a task begins
    _native.write_flow_log(iter(()), metering, recording, how | {"path": None})

    def task(batches: Iterable[pa.RecordBatch]) -> Iterator[pa.RecordBatch]:
        rows = (unpacked(batch) for batch in batches)
        objects, records = _native.write_flow_log(rows, metering, recording, how)
        yield pa.RecordBatch.from_pydict({"objects": [objects], "records": [records]})

    # all of one object in one task, so that an object of a slot is not written twice
    slots = sums.withColumn("slot", F.expr(f"last_ns div {_SLOT}")).repartition("slot")
    written = slots.mapInArrow(task, "objects long, records long")
    total = written.agg(F.sum("objects").alias("objects"), F.sum("records").alias("records")).first()
    return {"objects": (total and total["objects"]) or 0, "records": (total and total["records"]) or 0}
