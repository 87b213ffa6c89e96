"""Where in a value something is: what validators say, held against the value itself."""

from __future__ import annotations

from typing import Any

from ..values import find


def value_at(value: Any, path: tuple[str | int, ...]) -> tuple[tuple[str | int, ...], Any]:
    """The part of a value that a validator names, and its path, as far as the path is one.

    Validators put more than keys and indices into their paths, such as the branch of a union.
    """
    while path:
        found, part = find(value, path)
        if found:
            return path, part
        path = path[:-1]
    return (), value
