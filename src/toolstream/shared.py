"""Equal strings of several streams kept once, which saves memory where a gateway holds many idle streams."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from ._core import native


def _as_it_is(text: Any) -> Any:
    return text


shared: Callable[[Any], Any] = _as_it_is if native is None else native.shared
"""An equal str, the very one that another stream holds if there is one: models and tools have few names. Anything that
is no str is returned as it is."""
