import sysconfig

from setuptools import setup

# cffi compiles against the stable ABI, so one wheel serves this CPython and all later ones.
# The free-threaded builds have no stable ABI.
stable_abi = False if sysconfig.get_config_var("Py_GIL_DISABLED") else "cp310"

# All else is in pyproject.toml, which has no words for these two.
setup(
    cffi_modules=["src/toolstream/_core/build.py:ffibuilder"],
    options={"bdist_wheel": {"py_limited_api": stable_abi}},
)
