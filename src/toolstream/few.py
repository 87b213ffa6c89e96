"""What saves memory where a gateway holds many idle streams.

`Few` is a mapping that mostly has one entry, which then costs no `dict`; `shared` is one str for all that say the same.
"""

from __future__ import annotations

from collections.abc import Callable, Hashable, Iterator
from typing import Any, Generic, TypeVar

from ._core import native

K = TypeVar("K", bound=Hashable)
V = TypeVar("V")

_NOTHING: dict[Any, Any] = {}  # to be read only


def _as_it_is(text: Any) -> Any:
    return text


shared: Callable[[Any], Any] = _as_it_is if native is None else native.shared
"""The same str, and the very one that another stream holds, if one does: models and tools have few names. Anything else
as it is."""


class Few(Generic[K, V]):
    """Like a `dict`, as far as it goes: entries keep the order in which they came."""

    __slots__ = ("_key", "_rest", "_value")

    def __init__(self) -> None:
        self._key: K | None = None
        self._value: V | None = None  # of the first entry; None: there is no entry
        self._rest: dict[K, V] | None = None

    def get(self, key: K) -> V | None:
        return self._value if key == self._key else (self._rest or _NOTHING).get(key)

    def __setitem__(self, key: K, value: V) -> None:
        if self._value is None or key == self._key:
            hash(key)  # as in a `dict`
            self._key, self._value = key, value
        elif self._rest is None:
            self._rest = {key: value}
        else:
            self._rest[key] = value

    def __len__(self) -> int:
        return (self._value is not None) + len(self._rest or ())

    def items(self) -> Iterator[tuple[K, V]]:
        if self._value is not None:
            yield self._key, self._value  # type: ignore[misc] # where there is a value, this is its key
            yield from (self._rest or _NOTHING).items()
