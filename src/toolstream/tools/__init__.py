"""Tools: what callers say of them, early validation of a call's arguments, and running them while the model writes.

Layers upwards: `declared` (the `@tool` decorator), `streamed` (parameters that grow), `shapes` and the modules for each
kind of type (what arguments must look like), `schemas` (every form that callers have, made one), `checks` (one call's
arguments against its shape, byte by byte), `partial`, and above the streams `content` and `answers` (what the model is
told), `results`, `runs`, `running`, `dispatch`.
"""
