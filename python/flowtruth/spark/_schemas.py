"""The columns that travel between tasks: Arrow's as Spark has them, which knows no unsigned numbers."""

from __future__ import annotations

import pyarrow as pa
from pyspark.sql import types as T

import flowtruth

_TYPES = {
    pa.uint8(): (pa.int16(), T.ShortType()),
    pa.uint16(): (pa.int32(), T.IntegerType()),
    pa.uint64(): (pa.int64(), T.LongType()),
    pa.int32(): (pa.int32(), T.IntegerType()),
    pa.int64(): (pa.int64(), T.LongType()),
    pa.string(): (pa.string(), T.StringType()),
    pa.binary(16): (pa.binary(), T.BinaryType()),
    pa.int16(): (pa.int16(), T.ShortType()),
    pa.binary(): (pa.binary(), T.BinaryType()),
}

ROWS: pa.Schema = flowtruth.partial_schema().remove_metadata()
ROW_NAMES = ROWS.names
#: What rows are told apart by; ICMP types and observation points are not asked for, and directions are a key where records
#: show those that captures say.
KEYS = ["window_start_ns", "srcaddr", "dstaddr", "ip_version", "srcport", "dstport", "protocol"]
DIRECTION = "flow_direction"


def signed(schema: pa.Schema) -> pa.Schema:
    """The same columns with types that Spark has."""
    return pa.schema([(field.name, _TYPES[field.type][0]) for field in schema])


def of_arrow(schema: pa.Schema) -> T.StructType:
    """A schema as Spark names it."""
    return T.StructType([T.StructField(field.name, _TYPES[field.type][1]) for field in schema])


_PLACE = [("capture", pa.string()), ("byte_start", pa.int64()), ("byte_end", pa.int64())]

#: A piece of a capture: without bounds it is a whole one. `bin` gathers pieces that are counted by one task.
PIECES = pa.schema([*_PLACE, ("bin", pa.int32()), ("error", pa.string()), ("hint", pa.string())])

#: What comes of pieces: rows, and behind the rows of a piece its ledger or its error.
COUNTED_ARROW = pa.schema(
    [*signed(ROWS), *_PLACE, ("ledger", pa.string()), ("error", pa.string()), ("hint", pa.string())]
)
COUNTED = of_arrow(COUNTED_ARROW)
