"""What a path means to every task, whatever folder it runs in."""

from __future__ import annotations

import os
import re

from .._options import Path

_S3 = re.compile(r"s3a?://", re.IGNORECASE)


def is_s3(path: str) -> bool:
    """Whether it is an address of objects."""
    return path.startswith("s3://")


def everywhere(path: Path) -> str:
    """An address as `s3://…`, or a path from the root."""
    text = os.fspath(path)
    found = _S3.match(text)
    if found:
        return f"s3://{text[found.end() :]}"
    # nothing is no folder
    return os.path.abspath(text) if text else text
