"""What tasks do: count pieces, and make records of sums."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Any

import pyarrow as pa

import flowtruth
from flowtruth import FlowtruthError, _native, _options

from . import _schemas

_PLACE = ("capture", "byte_start", "byte_end")


@dataclass(frozen=True)
class Plan:
    """How captures are counted and what records look like; it travels to the tasks."""

    counting: dict[str, Any]
    recording: dict[str, Any]
    interface_addresses: list[str]

    def check(self) -> pa.Schema:
        """The columns of records; an error where something cannot be used."""
        empty = pa.RecordBatch.from_pylist([], _schemas.ROWS)
        self._records(empty)
        _native.check_partials(_options.metering(**self.counting))
        return flowtruth.record_schema(self.recording["format"])

    def count(self, batches: Iterable[pa.RecordBatch]) -> Iterator[pa.RecordBatch]:
        """Pieces → their rows, each piece's ledger or error behind them."""
        for batch in batches:
            for piece in batch.to_pylist():
                yield from self._piece(piece)

    def _piece(self, piece: dict[str, Any]) -> Iterator[pa.RecordBatch]:
        end: dict[str, Any] = {name: piece[name] for name in (*_PLACE, "error", "hint")}
        if piece["error"] is None:
            ledgers: list[dict[str, Any]] = []
            start = piece["byte_start"]
            byte_range = None if start is None else (start, piece["byte_end"])
            try:
                reader = flowtruth.partials(
                    piece["capture"], byte_range=byte_range, on_ledger=ledgers.append, **self.counting
                )
                for rows in reader:
                    yield _widened(rows)
            except FlowtruthError as error:
                end["error"], end["hint"] = str(error), error.hint
            end["ledger"] = json.dumps(ledgers[0]) if ledgers else None
        yield pa.RecordBatch.from_pylist([end], _schemas.COUNTED_ARROW)

    def record(self, batches: Iterable[pa.RecordBatch]) -> Iterator[pa.RecordBatch]:
        """Sums → records."""
        for batch in batches:
            yield self._records(completed(batch))

    def _records(self, rows: pa.RecordBatch) -> pa.RecordBatch:
        return flowtruth.records(rows, interface_addresses=self.interface_addresses, **self.recording)


def _widened(rows: pa.RecordBatch) -> pa.RecordBatch:
    """Rows with the columns of what is counted."""
    types = _schemas.COUNTED_ARROW
    columns = [rows.column(name).cast(types.field(name).type) for name in rows.schema.names]
    columns += [pa.nulls(rows.num_rows, field.type) for field in list(types)[len(columns) :]]
    return pa.RecordBatch.from_arrays(columns, schema=types)


def completed(sums: pa.RecordBatch) -> pa.RecordBatch:
    """Sums as Spark has them → rows of partial records."""
    columns = [
        sums.column(field.name).cast(field.type) if field.name in sums.schema.names else pa.nulls(sums.num_rows, field.type)
        for field in _schemas.ROWS
    ]
    return pa.RecordBatch.from_arrays(columns, schema=_schemas.ROWS)
