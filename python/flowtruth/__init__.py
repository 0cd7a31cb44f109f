"""Packet captures into AWS VPC Flow Log records, as Arrow record batches.

>>> import flowtruth
>>> reader = flowtruth.flows("fixtures/captures/seed.pcap", account_id="123456789012", interface_id="eni-abc123de")
>>> reader.read_all().select(["srcaddr", "dstaddr", "packets", "bytes"]).to_pylist()
[{'srcaddr': '192.168.1.1', 'dstaddr': '10.0.0.1', 'packets': 10, 'bytes': 840}]

``flows`` gives the records that `flowtruth convert` writes, ``partials`` the rows of `convert --partials`. What options mean
is what they mean on the command line. Whatever cannot be done is a ``FlowtruthError``.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Mapping
from typing import Any

import pyarrow as pa

from . import _native, _options, _streams
from ._errors import FlowtruthError
from ._options import Path, Paths, Time, Words

__version__: str = _native.VERSION

__all__ = [
    "FlowtruthError",
    "diff",
    "flows",
    "ledger",
    "lint",
    "partial_schema",
    "partials",
    "record_schema",
    "records",
]


def flows(
    paths: Paths,
    *,
    interval: int | str = 600,
    window_origin: Time = "epoch",
    allowed_lateness: float = 10,
    decap: Words | None = None,
    fragments: str = "zero",
    dedup: bool = False,
    duplicate_window: float = 0.01,
    filter: str | None = None,
    from_: Time | None = None,
    until: Time | None = None,
    count: int | None = None,
    format: str = "v2",
    account_id: str = "unknown",
    interface_id: str | None = None,
    set: Mapping[str, object] | None = None,
    interface_addresses: Iterable[object] = (),
    memory_limit: int | str | None = None,
    threads: int | None = None,
    on_ledger: Callable[[dict[str, Any]], object] | None = None,
) -> pa.RecordBatchReader:
    """The flow log records of captures, with AWS's column names and types.

    A conversion runs beside the reader and without the interpreter; it begins at once and waits for the reader.

    Args:
        paths: Captures, folders of captures, `s3://` addresses; read in time order as one capture.
        interval: Seconds that one record spans at most (AWS has 60 and 600), or ``"capture"`` for the whole.
        window_origin: What windows are aligned to: ``"epoch"``, ``"first-packet"``, or a time.
        allowed_lateness: Seconds after a window's end in which packets may still come for it.
        decap: Count the packets inside these tunnels: ``"vxlan"``, ``"geneve"``, ``"gre"``, or ``"all"``.
        fragments: Ports of later fragments: ``"zero"``, or ``"track"`` for those of the first.
        dedup: Skip the second sight of a packet.
        duplicate_window: Seconds within which two sights of one packet are suspected to be one.
        filter: Only packets that match, in tcpdump's words.
        from_: Only packets at or after this time.
        until: Only packets before this time.
        count: Stop after so many packets that go into records.
        format: Fields in AWS's syntax (``"${srcaddr} ${bytes}"``), or ``"v2"`` to ``"v5"``, ``"all"``.
        account_id: The account that owns the interface.
        interface_id: The network interface that the log is of.
        set: Fields that are the same in every record, such as ``{"vpc-id": "vpc-0a1b2c3d"}``.
        interface_addresses: Addresses of the interface, from which `flow-direction` is known.
        memory_limit: Memory to use at most, in bytes or as ``"2GiB"``; by default half of what there is.
        threads: Threads to use; by default the available cores.
        on_ledger: Is called with the ledger, which accounts for every packet, behind the last batch.

    Raises:
        FlowtruthError: At once, where something that was given cannot be used; from the reader behind the rows of all
            that could be read, where a capture is damaged.
    """
    metering = _options.metering(
        interval=interval,
        window_origin=window_origin,
        allowed_lateness=allowed_lateness,
        decap=decap,
        fragments=fragments,
        dedup=dedup,
        duplicate_window=duplicate_window,
        filter=filter,
        from_=from_,
        until=until,
        count=count,
        interface_addresses=interface_addresses,
        memory_limit=memory_limit,
        threads=threads,
    )
    recording = _options.recording(format=format, account_id=account_id, interface_id=interface_id, set=set)
    return _streams.reader(_native.flows(_options.paths(paths), metering, recording), on_ledger)


def partials(
    paths: Paths,
    *,
    interval: int | str = 600,
    window_origin: Time = "epoch",
    allowed_lateness: float = 10,
    decap: Words | None = None,
    filter: str | None = None,
    from_: Time | None = None,
    until: Time | None = None,
    keys: Words = (),
    byte_range: tuple[int, int] | None = None,
    memory_limit: int | str | None = None,
    threads: int | None = None,
    on_ledger: Callable[[dict[str, Any]], object] | None = None,
) -> pa.RecordBatchReader:
    """Partial records of captures: rows that add up with those of other captures (`docs/scale.md`).

    The schema's metadata say how the rows were counted.

    Args:
        keys: What rows are told apart by beside the record's key: ``"icmp"``, ``"observation-point"``.
        byte_range: Start and end in bytes: only the packets whose records begin there, of one uncompressed pcap file.
            Ranges that share an end tile the file: each packet is in one of them.

    The other arguments and what is raised are as in ``flows``.
    """
    metering = _options.metering(
        interval=interval,
        window_origin=window_origin,
        allowed_lateness=allowed_lateness,
        decap=decap,
        filter=filter,
        from_=from_,
        until=until,
        memory_limit=memory_limit,
        threads=threads,
    )
    stream = _native.partials(_options.paths(paths), metering, _options.words(keys) or "none", byte_range)
    return _streams.reader(stream, on_ledger)


def records(
    rows: pa.RecordBatch,
    *,
    format: str = "v2",
    account_id: str = "unknown",
    interface_id: str | None = None,
    set: Mapping[str, object] | None = None,
    interface_addresses: Iterable[object] = (),
) -> pa.RecordBatch:
    """A record for each row of partial records, in the rows' order.

    The rows must be complete: one of each window and key, with the counts of all parts added up. Columns are found by their
    names and cast to the types of ``partial_schema()``, which loses no value.

    Raises:
        FlowtruthError: Where a row cannot be.
        pyarrow.ArrowException, KeyError: Where a column cannot be cast or is missing.
    """
    schema = partial_schema()
    if rows.schema != schema:
        rows = rows.select(schema.names).cast(schema)
    metering = _options.metering(interface_addresses=interface_addresses)
    recording = _options.recording(format=format, account_id=account_id, interface_id=interface_id, set=set)
    return pa.record_batch(_native.records(rows, metering, recording))


def partial_schema() -> pa.Schema:
    """The columns of partial records, without metadata."""
    return pa.schema(_native.partial_schema())


def record_schema(format: str = "v2") -> pa.Schema:
    """The columns of records in a format.

    Raises:
        FlowtruthError: Where it is no format.
    """
    return pa.schema(_native.record_schema(format))


def ledger(
    captures: Paths,
    *,
    interval: int | str = 600,
    window_origin: Time = "epoch",
    allowed_lateness: float = 10,
    decap: Words | None = None,
    fragments: str = "zero",
    dedup: bool = False,
    duplicate_window: float = 0.01,
    filter: str | None = None,
    from_: Time | None = None,
    until: Time | None = None,
    count: int | None = None,
    format: str = "v2",
    interface_addresses: Iterable[object] = (),
    memory_limit: int | str | None = None,
    threads: int | None = None,
) -> dict[str, Any]:
    """The ledger of a conversion, as `convert --ledger` writes it: every packet, in a record or skipped by a reason.

    A capture that is damaged is in it, with the reason. The arguments are those of ``flows``.

    Raises:
        FlowtruthError: Where something that was given cannot be used, or no packet could be read.
    """
    metering = _options.metering(
        interval=interval,
        window_origin=window_origin,
        allowed_lateness=allowed_lateness,
        decap=decap,
        fragments=fragments,
        dedup=dedup,
        duplicate_window=duplicate_window,
        filter=filter,
        from_=from_,
        until=until,
        count=count,
        interface_addresses=interface_addresses,
        memory_limit=memory_limit,
        threads=threads,
    )
    found: dict[str, Any] = json.loads(_native.ledger(_options.paths(captures), metering, _options.recording(format=format)))
    return found


def diff(
    reference: Paths,
    candidate: Paths,
    *,
    input_format: str | None = None,
    reference_format: str | None = None,
    candidate_format: str | None = None,
    skip_bad_lines: bool = False,
    decap: Words | None = None,
    filter: str | None = None,
    packets_delta: int | str = 0,
    bytes_delta: int | str = 0,
    start_delta: int | str = 1,
    end_delta: int | str = 1,
    vpc_cidrs: Words = (),
    memory_limit: int | str | None = None,
    threads: int | None = None,
) -> dict[str, Any]:
    """Captures against flow logs, or either against its like: what `diff --json` writes.

    Args:
        reference: Captures or flow logs.
        candidate: The same of the other side.
        input_format: The fields of flow logs without a header, in AWS's syntax or a ready format.
        reference_format: The same for the reference alone.
        candidate_format: The same for the candidate alone.
        skip_bad_lines: Leave out lines of a log that cannot be read, instead of raising.
        decap: Look inside these tunnels of a capture.
        filter: Only packets of a capture that match, in tcpdump's words.
        packets_delta: How far packets may be apart: a number, or a percentage of the reference's such as ``"1%"``.
        bytes_delta: How far bytes may be apart.
        start_delta: How many seconds `start` may be off.
        end_delta: How many seconds `end` may be off.
        vpc_cidrs: Ranges of the VPC, which tell where its resolver and router are.
        memory_limit: Memory to use at most, in bytes or as ``"2GiB"``.
        threads: Threads to use.

    Returns:
        The outcome. ``["verdict"]`` is ``"same"``, ``"explained"`` or ``"different"``, ``["differences"]`` has each
        difference with its cause.

    Raises:
        FlowtruthError: Where a side cannot be read whole, or the sides have no time in common.
    """
    comparing = {
        "input_format": input_format,
        "reference_format": reference_format,
        "candidate_format": candidate_format,
        "skip_bad_lines": skip_bad_lines,
        "decap": _options.words(decap),
        "filter": filter,
        "packets_delta": str(packets_delta),
        "bytes_delta": str(bytes_delta),
        "start_delta": str(start_delta),
        "end_delta": str(end_delta),
        "vpc_cidrs": _options.several(vpc_cidrs),
        "memory_limit": None if memory_limit is None else str(memory_limit),
        "threads": threads,
    }
    found: dict[str, Any] = json.loads(_native.diff(_options.paths(reference), _options.paths(candidate), comparing))
    return found


def lint(
    logs: Paths,
    *,
    input_format: str | None = None,
    interval: int | str = 600,
    target: str | None = None,
    allow: Words = (),
    warn: Words = (),
    deny: Words = (),
    limit: int | None = None,
) -> dict[str, Any]:
    """What in flow logs cannot be true, or breaks what reads them.

    Args:
        logs: Flow logs, folders of flow logs, `s3://` addresses.
        input_format: The fields of a log without a header, in AWS's syntax or a ready format.
        interval: Seconds that one record spans at most, or ``"capture"`` for any number.
        target: Also what breaks this consumer, such as ``"athena"``.
        allow: Switch these rules off, or ``"all"``.
        warn: Make these rules warnings.
        deny: Make these rules errors.
        limit: Return so many findings at most.

    Returns:
        ``{"findings": [...], "summary": {...}}``, each finding and the summary as `lint --json` writes them.

    Raises:
        FlowtruthError: Where a log cannot be read to its end.
    """
    linting = {
        "input_format": input_format,
        "interval": str(interval),
        "target": target,
        "allow": _options.several(allow),
        "warn": _options.several(warn),
        "deny": _options.several(deny),
        "limit": limit,
    }
    found: dict[str, Any] = json.loads(_native.lint(_options.paths(logs), linting))
    return found
