"""Finds where JSON values end that stand one after another in a byte stream; what is between them is the caller's."""

from __future__ import annotations

from ._core import ffi, lib
from .json_parser import FieldParser
from .limits import Limits
from .paths import Subscription

_NOTHING = Subscription.compile(depth=0)


class JSONSequence(FieldParser):
    """Cuts a byte stream into the texts of its JSON values; nothing is decoded here.

    max_value_bytes: bound on one value; a `LimitError` calls it max_event_bytes.
    """

    __slots__ = ()

    def __init__(self, *, limits: Limits, max_value_bytes: int | None) -> None:
        super().__init__(
            _NOTHING, limits=limits, max_bytes=max_value_bytes, limit_name="max_event_bytes", stop_at_end=True
        )

    def cut(self, data: bytes) -> tuple[bytes | None, int]:
        """The text of the value that ends in data, None if none does, and how many bytes were taken.

        Raises `JSONError` and `LimitError`.
        """
        status = lib.ts_scanner_feed(self._core, data, len(data))
        if status < 0:
            raise self._fail(status, [])
        view = self._state
        if not view.complete:
            return None, len(data)
        begin = view.text_start
        text: bytes = ffi.buffer(view.text, view.text_size)[view.value_start - begin : view.value_end - begin]
        taken = int(view.consumed)
        lib.ts_scanner_next(self._core)
        return text, taken
