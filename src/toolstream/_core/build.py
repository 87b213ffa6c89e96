"""Builds the C core for Python with cffi (API mode).

The declarations are the core's own header without its preprocessor lines, so nothing is declared twice.
"""

from pathlib import Path

from cffi import FFI

ROOT = Path(__file__).resolve().parents[3]
CSRC = ROOT / "csrc"


def declarations(header: str) -> str:
    lines = [line for line in header.splitlines() if not line.startswith("#")]
    return "\n".join(lines).replace("TS_API ", "")


ffibuilder = FFI()
ffibuilder.cdef(declarations((CSRC / "toolstream.h").read_text(encoding="utf-8")))
ffibuilder.set_source(
    "toolstream._core._cffi",
    '#include "toolstream.h"',
    # Relative to the project's root, where the build runs: setuptools wants no absolute paths.
    sources=sorted(f"csrc/{path.name}" for path in CSRC.glob("*.c")),
    include_dirs=["csrc"],
    depends=sorted(f"csrc/{path.name}" for path in CSRC.glob("*.h")),
)
