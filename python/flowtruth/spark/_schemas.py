"""The columns that travel between tasks: Arrow's as Spark has them, which knows no unsigned numbers."""

from __future__ import annotations

from collections.abc import Iterable

import pyarrow as pa
from pyspark.sql import types as T

import flowtruth
from flowtruth import _native

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

ROWS: pa.Schema = flowtruth.partial_schema()
#: The same columns with types that Spark has.
SIGNED_ROWS: pa.Schema = pa.schema([(field.name, _TYPES[field.type][0]) for field in ROWS])
#: Rows as they travel, in few columns: Spark pays for each column of each row.
PACKED: pa.Schema = pa.schema(_native.packed_schema())


def of_arrow(schema: Iterable[pa.Field]) -> T.StructType:
    """A schema as Spark names it."""
    return T.StructType([T.StructField(field.name, _of_type(field.type)) for field in schema])


def _of_type(of_arrows: pa.DataType) -> T.DataType:
    return of_arrow(of_arrows) if pa.types.is_struct(of_arrows) else _TYPES[of_arrows][1]


#: Where a piece is.
PLACE = ("capture", "byte_start", "byte_end")
_PLACE = list(zip(PLACE, (pa.string(), pa.int64(), pa.int64())))

#: A piece of a capture: without bounds it is a whole one. `bin` gathers pieces that are counted by one task.
PIECES = pa.schema([*_PLACE, ("bin", pa.int32()), ("error", pa.string()), ("hint", pa.string())])

#: What comes of pieces: rows, and behind the rows of a piece what is known of it. Each is one column of several: Spark keeps
#: such as they are, and would look for a shorter way to write each number of its own.
COUNTED_ARROW = pa.schema(
    [
        ("row", pa.struct([(field.name, field.type) for field in PACKED])),
        ("piece", pa.struct([*_PLACE, ("ledger", pa.string()), ("error", pa.string()), ("hint", pa.string())])),
    ]
)
COUNTED = of_arrow(COUNTED_ARROW)
