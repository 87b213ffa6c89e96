"""One str for all streams that say the same, which saves memory where a gateway holds many idle ones."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from ._core import native


def _as_it_is(text: Any) -> Any:
    return text


shared: Callable[[Any], Any] = _as_it_is if native is None else native.shared
"""The same str, and the very one that another stream holds, if one does: models and tools have few names. Anything else
as it is."""
