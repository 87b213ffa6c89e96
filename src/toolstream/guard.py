"""Keeps a parser whole when two threads, or a call from inside it, try to use it at once."""

from __future__ import annotations

import threading
from typing import Any

_BUSY = "the parser is in use: another thread, or a call from inside it, is feeding or reading it"


class Guard:
    """Lets one caller in at a time: `with guard:` raises `RuntimeError` for the others, and the parser stays sound."""

    __slots__ = ("_lock",)

    def __init__(self) -> None:
        self._lock = threading.Lock()

    def __enter__(self) -> None:
        if not self._lock.acquire(blocking=False):
            raise RuntimeError(_BUSY)

    def __exit__(self, *_: object) -> None:
        self._lock.release()

    def __reduce__(self) -> tuple[Any, ...]:
        return Guard, ()  # a lock belongs to its process; a copy is free

    def __deepcopy__(self, _memo: object) -> Guard:
        return Guard()
