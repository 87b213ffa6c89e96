"""What a tool's arguments must look like, whatever library says it: the protocol, and what its modules share.

A shape checks one top-level member at a time, when its value is final, and makes the caller's object of all of them at
the end. Validators are made when they are first needed, and are left out of pickles.
"""

from __future__ import annotations

import importlib
from typing import Any, Protocol

INSTALL = "pip install 'toolstream[tools]'"


class Mismatch(Exception):  # noqa: N818 - a finding; the error is made of it
    """A value is not what its shape wants. path: where, below the value that was checked. reason: a sentence."""

    def __init__(self, reason: str, path: tuple[str | int, ...] = ()) -> None:
        super().__init__(reason)
        self.reason = reason
        self.path = path


class Shape(Protocol):
    """What the arguments of one tool must look like.

    keys: the members known by name. closed: there may be no others. required: members that must come; None where
    only the whole arguments can tell. listed: members whose elements can be checked one by one.
    """

    keys: frozenset[str]
    closed: bool
    required: frozenset[str] | None
    listed: frozenset[str]

    def check(self, key: str, value: Any) -> Any:
        """The member's value as the caller's type has it. Raises `Mismatch`."""
        ...

    def check_element(self, key: str, value: Any) -> Any:
        """As `check`, for one element of a list that is still being written."""
        ...

    def finish(self, values: dict[str, Any], arguments: dict[str, Any]) -> Any:
        """The caller's object. values: all members as `check` gave them. Raises `Mismatch`."""
        ...

    def wants(self, key: str) -> Any:
        """The member's JSON Schema, to show a model; None where it is not known."""
        ...

    def key_of(self, name: str) -> str:
        """The member that the attribute of this name has in the arguments."""
        ...


class AnyShape:
    """Arguments of which nothing is known; what the shapes share whose members keep their names."""

    keys: frozenset[str] = frozenset()
    closed = False
    required: frozenset[str] | None = None
    listed: frozenset[str] = frozenset()

    def check(self, key: str, value: Any) -> Any:
        return value

    def check_element(self, key: str, value: Any) -> Any:
        return value

    def finish(self, values: dict[str, Any], arguments: dict[str, Any]) -> Any:
        return arguments

    def wants(self, key: str) -> Any:
        return None

    def key_of(self, name: str) -> str:
        return name


def with_definitions(schema: Any, root: dict[str, Any]) -> Any:
    """A part of the root schema with the definitions that its references name."""
    if "$ref" not in repr(schema):
        return schema
    return {**schema, **{name: root[name] for name in ("$defs", "definitions") if name in root}}


def library(module: str, package: str, why: str) -> Any:
    """An optional library. Raises `ImportError` that says what to install."""
    try:
        return importlib.import_module(module)
    except ImportError as error:
        raise ImportError(f"{why} needs {package}: {INSTALL}") from error
