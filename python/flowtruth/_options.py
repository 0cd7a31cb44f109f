"""What is given to a function, as the texts that the native part takes."""

from __future__ import annotations

import datetime
import os
from collections.abc import Iterable, Mapping
from typing import Any, TypeAlias, Union

Path: TypeAlias = Union[str, "os.PathLike[str]"]
Paths: TypeAlias = Union[Path, Iterable[Path]]
#: Unix seconds, RFC 3339 or a date as text; Unix seconds; or a time with its zone.
Time: TypeAlias = Union[str, int, datetime.datetime]
#: One word, several with commas between them, or each by itself.
Words: TypeAlias = Union[str, Iterable[str]]


def paths(given: Paths) -> list[str]:
    """One path or many."""
    if isinstance(given, (str, os.PathLike)):
        given = [given]
    return [os.fspath(path) for path in given]


def words(given: Words | None) -> str | None:
    """Words with commas between them; ``None`` where there are none."""
    if given is None or isinstance(given, str):
        return given or None
    return ",".join(given) or None


def time(given: Time | None) -> str | None:
    """A time as text."""
    if isinstance(given, datetime.datetime):
        if given.tzinfo is None:
            raise ValueError(f"{given!r} has no time zone; `.replace(tzinfo=datetime.timezone.utc)` gives it one")
        return given.astimezone(datetime.timezone.utc).strftime("%Y-%m-%dT%H:%M:%S.%fZ")
    return None if given is None else str(given)


def seconds(given: float | int) -> str:
    """Seconds as text, without an exponent."""
    return str(given) if isinstance(given, int) else f"{given:.9f}"


def metering(
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
    interface_addresses: Iterable[object] = (),
    memory_limit: int | str | None = None,
    threads: int | None = None,
) -> dict[str, Any]:
    """How packets are counted."""
    if isinstance(interface_addresses, str):
        interface_addresses = [interface_addresses]
    return {
        "interval": str(interval),
        "window_origin": time(window_origin),
        "allowed_lateness": seconds(allowed_lateness),
        "decap": words(decap),
        "fragments": fragments,
        "dedup": dedup,
        "duplicate_window": seconds(duplicate_window),
        "filter": filter,
        "from_": time(from_),
        "until": time(until),
        "count": count,
        "interface_addresses": [str(address) for address in interface_addresses],
        "memory_limit": None if memory_limit is None else str(memory_limit),
        "threads": threads,
    }


def several(given: Words) -> list[str]:
    """Words, each by itself."""
    return given.split(",") if isinstance(given, str) else list(given)


def recording(
    *,
    format: str = "v2",
    account_id: str = "unknown",
    interface_id: str | None = None,
    set: Mapping[str, object] | None = None,
) -> dict[str, Any]:
    """What records look like."""
    return {
        "format": format,
        "account_id": account_id,
        "interface_id": interface_id,
        "set": [(name, str(value)) for name, value in (set or {}).items()],
    }
