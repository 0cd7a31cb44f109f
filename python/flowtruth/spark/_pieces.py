"""Paths → pieces of captures of about one size, found and cut by a task."""

from __future__ import annotations

import fnmatch
import glob
import os
from collections.abc import Iterable, Iterator
from typing import Any

import pyarrow as pa
from pyspark import StorageLevel
from pyspark.errors import PySparkException
from pyspark.sql import DataFrame, SparkSession

from .. import _native
from .._errors import FlowtruthError
from . import _schemas
from ._paths import is_s3

#: A row of pieces: what it does not name is null.
Piece = dict[str, Any]

#: What makes of a path a pattern.
_MAGIC = "*?["

#: How many bins one task counts at most, and how many tasks a core is to have before any counts more than one.
_MOST_BINS = 4
_TASKS_OF_A_CORE = 4


def find(spark: SparkSession, paths: list[str], piece_bytes: int) -> DataFrame:
    """The pieces of all captures, each bin of them in one partition."""
    if not paths:
        raise FlowtruthError("no capture was named", None)
    if piece_bytes < 1:
        raise FlowtruthError(f"`{piece_bytes}` cannot be used for `piece_bytes`: expected at least 1", None)

    def cut(batches: Iterable[pa.RecordBatch]) -> Iterator[pa.RecordBatch]:
        named = [path for batch in batches for path in batch.column(0).to_pylist()]
        pieces = gathered(pieces_of(named, piece_bytes), piece_bytes)
        while part := list(_upto(pieces, 10_000)):
            yield pa.RecordBatch.from_pylist(part, _schemas.PIECES)

    named = spark.createDataFrame([(path,) for path in paths], "path string").coalesce(1)
    # kept by two executors, and never made anew: another list of captures would be cut into other pieces
    found = named.mapInArrow(cut, _schemas.of_arrow(_schemas.PIECES))
    pieces = found.localCheckpoint(storageLevel=StorageLevel.MEMORY_AND_DISK_2)
    # one number comes to the driver, and no capture
    last = pieces.agg({"bin": "max"}).first()
    bins = 1 + (last[0] if last and last[0] is not None else 0)
    return _by_bin(pieces, tasks_for(bins, _cores(spark)))


def tasks_for(bins: int, cores: int | None) -> int:
    """How many tasks count the bins: one for each while cores would have nothing to do otherwise, else one for some of them,
    since Spark takes a tenth of a second for a task."""
    return bins if cores is None else max(-(-bins // _MOST_BINS), min(bins, _TASKS_OF_A_CORE * cores))


def _cores(spark: SparkSession) -> int | None:
    """How many tasks run at a time; `None` where that is not known yet, or not told (by Spark Connect)."""
    if spark.conf.get("spark.dynamicAllocation.enabled", "false") == "true":
        return None
    try:
        return spark.sparkContext.defaultParallelism
    except (AttributeError, PySparkException):
        return None


def _by_bin(pieces: DataFrame, tasks: int) -> DataFrame:
    """A partition for each task, to which bins are dealt in turn: hashing would give some more and leave others empty."""
    if hasattr(pieces, "repartitionById"):
        return pieces.repartitionById(tasks, "bin")
    rows = pieces.rdd.keyBy(lambda row: row["bin"]).partitionBy(tasks, int).values()
    return pieces.sparkSession.createDataFrame(rows, pieces.schema)


def _upto(pieces: Iterator[Piece], count: int) -> Iterator[Piece]:
    for _, piece in zip(range(count), pieces):
        yield piece


def pieces_of(paths: list[str], piece_bytes: int) -> Iterator[tuple[Piece, int]]:
    """The pieces of captures, with their sizes; of each capture once. What cannot be found is a piece with an error."""
    seen: set[str] = set()
    for path in paths:
        try:
            captures = list(_captures(path))
            if not captures:
                raise FlowtruthError(f"`{path}` names no captures", "write the path as it is listed, or with `*`")
        except FlowtruthError as error:
            yield {"capture": path, "error": str(error), "hint": error.hint}, 0
            continue
        for capture, size in captures:
            if capture not in seen:
                seen.add(capture)
                yield from _cut(capture, size, piece_bytes)


def _cut(capture: str, size: int, piece_bytes: int) -> Iterator[tuple[Piece, int]]:
    try:
        cuts = size > piece_bytes and _native.can_be_cut(capture)
    except FlowtruthError as error:
        yield {"capture": capture, "error": str(error), "hint": error.hint}, 0
        return
    if not cuts:
        yield {"capture": capture}, size
        return
    count = -(-size // piece_bytes)
    places = [size * number // count for number in range(count + 1)]
    for start, end in zip(places, places[1:]):
        yield {"capture": capture, "byte_start": start, "byte_end": end}, end - start


def gathered(pieces: Iterator[tuple[Piece, int]], piece_bytes: int) -> Iterator[Piece]:
    """Pieces with their bins: a bin is full when another piece would be more than a piece's size."""
    number, held = 0, 0
    for piece, size in pieces:
        if held and held + size > piece_bytes:
            number, held = number + 1, 0
        held += size
        yield piece | {"bin": number}


def _captures(path: str) -> Iterator[tuple[str, int]]:
    """The captures that a path names, with their sizes."""
    if is_s3(path):
        magic = next((at for at, letter in enumerate(path) if letter in _MAGIC), None)
        listed = path if magic is None else path[: path.rfind("/", 0, magic) + 1]
        for address, size in _native.objects(listed):
            if magic is None or _matches(address, path):
                yield address, size
        return
    is_pattern = any(letter in _MAGIC for letter in path) and not os.path.exists(path)
    found = sorted(glob.glob(path)) if is_pattern else [path]
    for file in found:
        if os.path.isdir(file):
            yield from _in_folder(file)
        else:
            yield file, _size(file)


def _matches(address: str, pattern: str) -> bool:
    """Whether each part between slashes matches, as in a folder."""
    parts, patterns = address.split("/"), pattern.split("/")
    return len(parts) == len(patterns) and all(map(fnmatch.fnmatchcase, parts, patterns))


def _in_folder(folder: str) -> Iterator[tuple[str, int]]:
    try:
        names = sorted(os.listdir(folder))
    except OSError as error:
        raise FlowtruthError(f"`{folder}` cannot be searched: {error.strerror}", None) from error
    for name in names:
        file = os.path.join(folder, name)
        if os.path.isfile(file):
            yield file, _size(file)


def _size(file: str) -> int:
    # one that is not there is told by the task that was to count it
    return os.path.getsize(file) if os.path.isfile(file) else 0
