"""The native part's batches as a reader of pyarrow."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from typing import Any

import pyarrow as pa

from . import _native


def reader(stream: _native.Stream, on_ledger: Callable[[dict[str, Any]], object] | None) -> pa.RecordBatchReader:
    """A reader that ends its conversion when it is dropped or closed."""
    return pa.RecordBatchReader.from_batches(pa.schema(stream.columns), _batches(stream, on_ledger))


def _batches(
    stream: _native.Stream, on_ledger: Callable[[dict[str, Any]], object] | None
) -> Iterator[pa.RecordBatch]:
    try:
        for batch in stream:
            yield pa.record_batch(batch)
    finally:
        stream.close()
        # known once the captures were read to their end, or as far as they can be
        if on_ledger is not None and stream.ledger is not None:
            on_ledger(json.loads(stream.ledger))
