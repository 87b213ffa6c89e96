"""The C core: `ffi` and `lib` as cffi made them from `csrc/toolstream.h`."""

from ._cffi import ffi, lib

__all__ = ["ffi", "lib"]
