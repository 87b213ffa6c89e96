"""The C core's two bindings: cffi's `ffi` and `lib`, and `native`, the extension for CPython, None where not in use.

The environment variable TOOLSTREAM_BINDING chooses: `native`, `cffi`, or nothing for the faster one that is there. One
test suite runs over both.
"""

from __future__ import annotations

import os
from typing import Any

from ._cffi import ffi, lib

__all__ = ["BINDING", "ffi", "lib", "native"]


def _choose() -> Any:
    wanted = os.environ.get("TOOLSTREAM_BINDING", "")
    if wanted not in ("", "native", "cffi"):
        raise ImportError(f"TOOLSTREAM_BINDING is native, cffi or empty, not {wanted!r}")
    if wanted == "cffi":
        return None
    try:
        from . import _native
    except ImportError:
        if wanted:
            raise
        return None
    return _native


native = _choose()

BINDING = "cffi" if native is None else "native"
"""The binding in use: "native" or "cffi"."""
