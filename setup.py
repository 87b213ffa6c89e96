import platform
import sys
from glob import glob

from setuptools import Extension, setup

CORE = sorted(glob("csrc/*.c"))
NATIVE = sorted(glob("src/toolstream/_core/native_*.c"))

# The faster of the two bindings, for CPython only: where it cannot be built, cffi does all the work.
native = Extension(
    "toolstream._core._native",
    [*NATIVE, *CORE],
    include_dirs=["csrc"],
    depends=[*glob("csrc/*.h"), *glob("src/toolstream/_core/*.h")],
    # Calls between the files of one extension need no detour through its table of names.
    extra_compile_args=[] if sys.platform == "win32" else ["-fvisibility=hidden"],
    optional=True,
)

# All else is in pyproject.toml; neither of these can be declared there.
setup(
    cffi_modules=["src/toolstream/_core/build.py:ffibuilder"],
    ext_modules=[native] if platform.python_implementation() == "CPython" else [],
)
