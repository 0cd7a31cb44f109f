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

_DIRECTION = "flow_direction"


@dataclass(frozen=True)
class Plan:
    """How captures are counted and what records look like; it travels to the tasks."""

    counting: dict[str, Any]
    recording: dict[str, Any]
    interface_addresses: list[str]

    @property
    def with_direction(self) -> bool:
        """Whether rows are told apart by their directions: where records show those that captures say. Addresses of the
        interface say more than captures do, and are asked when records are made."""
        return _DIRECTION in self.columns.names and not self.interface_addresses

    @property
    def columns(self) -> pa.Schema:
        """The columns of records."""
        return flowtruth.record_schema(self.recording["format"])

    def check(self) -> None:
        """An error where something cannot be used."""
        self._records(pa.RecordBatch.from_pylist([], _schemas.ROWS))
        _native.check_partials(_options.metering(**self.counting))

    def count(self, batches: Iterable[pa.RecordBatch]) -> Iterator[pa.RecordBatch]:
        """Pieces → their rows, each piece's ledger or error behind them."""
        with_direction = self.with_direction
        for batch in batches:
            for piece in batch.to_pylist():
                yield from self._piece(piece, with_direction)

    def _piece(self, piece: dict[str, Any], with_direction: bool) -> Iterator[pa.RecordBatch]:
        known: dict[str, Any] = {name: piece[name] for name in (*_schemas.PLACE, "error", "hint")}
        if piece["error"] is None:
            ledgers: list[dict[str, Any]] = []
            start = piece["byte_start"]
            byte_range = None if start is None else (start, piece["byte_end"])
            try:
                reader = flowtruth.partials(
                    piece["capture"], byte_range=byte_range, on_ledger=ledgers.append, **self.counting
                )
                for rows in reader:
                    packed = pa.record_batch(_native.packed(rows, with_direction))
                    yield _counted(packed.num_rows, row=packed.to_struct_array())
            except FlowtruthError as error:
                known["error"], known["hint"] = str(error), error.hint
            known["ledger"] = json.dumps(ledgers[0]) if ledgers else None
        yield _counted(1, piece=pa.array([known], _schemas.COUNTED_ARROW.field("piece").type))

    def record(self, batches: Iterable[pa.RecordBatch]) -> Iterator[pa.RecordBatch]:
        """Sums → records."""
        for batch in batches:
            yield self._records(unpacked(batch))

    def _records(self, rows: pa.RecordBatch) -> pa.RecordBatch:
        return flowtruth.records(rows, interface_addresses=self.interface_addresses, **self.recording)


def _counted(length: int, **columns: pa.Array) -> pa.RecordBatch:
    """Rows, or what is known of a piece."""
    arrays = [columns.get(field.name, pa.nulls(length, field.type)) for field in _schemas.COUNTED_ARROW]
    return pa.RecordBatch.from_arrays(arrays, schema=_schemas.COUNTED_ARROW)


def unpacked(batch: pa.RecordBatch) -> pa.RecordBatch:
    """Packed rows, as Spark has them → rows of partial records."""
    # sessions may have Arrow's larger types for bytes
    return pa.record_batch(_native.unpacked(batch.select(_schemas.PACKED.names).cast(_schemas.PACKED)))


def shown(batches: Iterable[pa.RecordBatch]) -> Iterator[pa.RecordBatch]:
    """Packed rows → rows of partial records with types that Spark has."""
    for batch in batches:
        yield unpacked(batch).cast(_schemas.SIGNED_ROWS)
