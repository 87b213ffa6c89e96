"""JSON values one after another with white space between them: NDJSON, and pretty-printed bodies, too.

The scanner finds where each value ends; nothing is decoded here.
"""

from __future__ import annotations

from typing import Any

from ._core import ffi, lib
from .fields import Data, as_bytes
from .json_parser import FieldParser
from .limits import Limits
from .paths import Subscription

_NOTHING = Subscription.compile(depth=0)


class JSONSequence(FieldParser):
    """Cuts a byte stream into the texts of its JSON values, each at the byte that ends it.

    max_value_bytes: bound on one value and the white space before it; a `LimitError` names it limit_name.
    """

    __slots__ = ()

    def __init__(self, *, limits: Limits, max_value_bytes: int | None, limit_name: str = "max_event_bytes") -> None:
        super().__init__(_NOTHING, limits=limits, max_bytes=max_value_bytes, limit_name=limit_name, stop_at_end=True)

    def cut(self, data: Data, values: list[bytes]) -> None:
        """Takes the next fragment and appends the values that it completes.

        Raises `JSONError` and `LimitError`; then values holds what came before the fault.
        """
        rest: Any = as_bytes(data)
        scanner, view = self._core, self._state
        while True:
            status = lib.ts_scanner_feed(scanner, ffi.from_buffer(rest), len(rest))
            if status < 0:
                raise self._fail(status, [])
            if not view.complete:
                return
            values.append(_value(view))
            rest = memoryview(rest)[view.consumed :]
            lib.ts_scanner_next(scanner)

    def end(self, values: list[bytes]) -> None:
        """The input has ended; a number may end with it. Raises `IncompleteError` inside a value."""
        if self._state.value_start >= 0:
            self.close()
            values.append(_value(self._state))


def _value(view: Any) -> bytes:
    text: bytes = ffi.buffer(view.text, view.text_size)[view.value_start : view.value_end]
    return text
