"""What is raised."""

from __future__ import annotations


class FlowtruthError(Exception):
    """Something that cannot be read, counted or understood.

    Its text is that of the command line, behind `error: `; ``hint`` is what stands behind `hint: ` there.
    """

    #: What to do about it, or ``None``.
    hint: str | None

    def __init__(self, message: str, hint: str | None = None) -> None:
        super().__init__(message)
        self.hint = hint


# where it is found
FlowtruthError.__module__ = "flowtruth"
