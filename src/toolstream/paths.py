"""Path subscriptions: what a user writes, read once and compiled for the core.

A pattern is a string such as `edits[*].path`, or a tuple of keys, indices and `...` for any one step. It names
places below the root of a JSON document; the root itself is no field. The core matches while it scans.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Mapping
from enum import IntEnum
from functools import lru_cache
from types import EllipsisType
from typing import Any

from ._core import ffi, lib

PathPattern = str | tuple[str | int | EllipsisType, ...]
Paths = str | Iterable[PathPattern]
PathsByTool = Paths | Mapping[str, Paths]
DeltasByTool = bool | Paths | Mapping[str, bool | Paths]


class _Kind(IntEnum):
    KEY = lib.TS_STEP_KEY
    INDEX = lib.TS_STEP_INDEX
    ANY_KEY = lib.TS_STEP_ANY_KEY
    ANY_INDEX = lib.TS_STEP_ANY_INDEX
    ANY = lib.TS_STEP_ANY
    DEEP = lib.TS_STEP_DEEP


Step = tuple[_Kind, "str | int | None"]

# One step; the dot between steps is handled apart, since the first step needs none.
_STEP = re.compile(
    r"""
      (?P<deep>\*\*) (?![^.\[])
    | (?P<any_key>\*) (?![^.\[])
    | (?P<name>[^.\[\]"'*\s]+) (?![^.\[])
    | \[ (?P<any_index>\*) \]
    | \[ (?P<index>[0-9]+) \]
    | \[ (?P<double>"(?:[^"\\]|\\.)*") \]
    | \[ '(?P<single>(?:[^'\\]|\\.)*)' \]
    """,
    re.VERBOSE,
)


def parse_path(pattern: PathPattern) -> tuple[Step, ...]:
    """The steps of one pattern. Raises `ValueError` with the place of the fault."""
    if isinstance(pattern, str):
        return _parse_string(pattern)
    if isinstance(pattern, tuple):
        return _parse_tuple(pattern)
    raise ValueError(f"a path is a str or a tuple, not {type(pattern).__name__}: {pattern!r}")


def _parse_tuple(pattern: tuple[Any, ...]) -> tuple[Step, ...]:
    if not pattern:
        raise ValueError("the empty path is the root, which is no field")
    steps: list[Step] = []
    for part in pattern:
        if part is ...:
            steps.append((_Kind.ANY, None))
        elif isinstance(part, str):
            steps.append((_Kind.KEY, part))
        elif isinstance(part, int) and not isinstance(part, bool) and 0 <= part < 2**63:
            steps.append((_Kind.INDEX, part))
        else:
            raise ValueError(f"a path's step is a str, an int from 0 on or ..., not {part!r} in {pattern!r}")
    return tuple(steps)


def _parse_string(pattern: str) -> tuple[Step, ...]:
    rest = pattern
    if rest == "$" or rest.startswith(("$.", "$[")):
        rest = rest[1:]
        if rest == "" or rest == ".":
            raise ValueError(f"{pattern!r} is the root, which is no field")
    steps: list[Step] = []
    at = 0
    dot_needed = rest is not pattern
    while at < len(rest):
        if rest[at] == ".":
            if not dot_needed:
                raise _bad_path(pattern, rest, at)
            at += 1
        elif dot_needed and rest[at] != "[":
            raise _bad_path(pattern, rest, at)
        match = _STEP.match(rest, at)
        if match is None or (match[0][0] == "[" and rest[at - 1 : at] == "."):
            raise _bad_path(pattern, rest, at)
        steps.append(_step(match, pattern))
        at = match.end()
        dot_needed = True
    if not steps:
        raise ValueError("an empty path: the root is no field")
    return tuple(steps)


def _bad_path(pattern: str, rest: str, at: int) -> ValueError:
    column = len(pattern) - len(rest) + at + 1
    return ValueError(f"cannot read the path {pattern!r} from column {column} on")


def _step(match: re.Match[str], pattern: str) -> Step:
    kind = match.lastgroup
    if kind == "name":
        return _Kind.KEY, match["name"]
    if kind == "index":
        index = int(match["index"])
        if index >= 2**63:
            raise ValueError(f"an index is too large in the path {pattern!r}")
        return _Kind.INDEX, index
    if kind == "double":
        try:
            return _Kind.KEY, json.loads(match["double"])
        except ValueError as error:
            raise ValueError(f"a quoted key is no JSON string in the path {pattern!r}: {error}") from None
    if kind == "single":
        return _Kind.KEY, re.sub(r"\\(.)", r"\1", match["single"])
    return {"deep": _Kind.DEEP, "any_key": _Kind.ANY_KEY, "any_index": _Kind.ANY_INDEX}[kind or ""], None


def parse_paths(paths: Paths, option: str = "paths") -> tuple[tuple[Step, ...], ...]:
    """The steps of several patterns; one string is one pattern. Raises `ValueError`, which names the option."""
    if isinstance(paths, str):
        return (parse_path(paths),)
    try:
        patterns = list(paths)
    except TypeError:
        wanted = "True, False or paths" if option == "deltas" else "paths"
        raise ValueError(f"{option} is {wanted} (strings or tuples), not {type(paths).__name__}") from None
    return tuple(parse_path(pattern) for pattern in patterns)


class Subscription:
    """What one parser reports: by depth, by path, and which strings as they grow. Immutable.

    depth: values 1 to depth below the root; None: all of them.
    patterns: places reported besides, each with whether its strings are reported as they grow.
    deltas: all strings that depth reports are reported as they grow.
    """

    __slots__ = ("_core", "deltas", "depth", "patterns")

    def __init__(self, depth: int | None, patterns: tuple[tuple[tuple[Step, ...], bool], ...], deltas: bool) -> None:
        self.depth = depth
        self.patterns = patterns
        self.deltas = deltas
        self._core: Any = None

    @classmethod
    def compile(
        cls, *, depth: int | None = 1, paths: Paths | None = None, deltas: bool | Paths = False
    ) -> Subscription:
        """Reads what the user wrote. `paths` replaces `depth`. Raises `ValueError`."""
        if paths is None and isinstance(deltas, bool):
            return _by_depth(depth, deltas)
        _check_depth(depth)
        patterns: list[tuple[tuple[Step, ...], bool]] = []
        if paths is not None:
            depth = 0
            patterns.extend((steps, deltas is True) for steps in parse_paths(paths))
        if not isinstance(deltas, bool):
            patterns.extend((steps, True) for steps in parse_paths(deltas, "deltas"))
        return cls(depth, tuple(patterns), deltas is True)

    @property
    def core_depth(self) -> int:
        return -1 if self.depth is None else min(self.depth, 2**62)

    def core_paths(self) -> Any:
        """The compiled patterns, made when they are first needed; they live as long as this object."""
        if self._core is None:
            self._core = _compile(self.patterns) if self.patterns else ffi.NULL
        return self._core

    def reports(self, path: tuple[str | int, ...], *, growth: bool = False) -> bool:
        """Whether a value at path is reported; growth: whether a string there is, as it grows."""
        if path and (self.depth is None or len(path) <= self.depth) and (self.deltas or not growth):
            return True
        return any((grows or not growth) and _matches(steps, path) for steps, grows in self.patterns)

    def widened(self, *, elements: Iterable[str | EllipsisType], growing: Iterable[str | EllipsisType]) -> Subscription:
        """This and all values at depth 1. elements: also those in these lists; growing: these strings as they grow.

        `...` stands for any name.
        """
        depth, deltas = self.depth, self.deltas
        if depth == 0:
            depth, deltas = 1, False
        more: list[tuple[tuple[Step, ...], bool]] = []
        more += [((_member(key), (_Kind.ANY_INDEX, None)), False) for key in elements]
        more += [((_member(key),), True) for key in growing]
        return Subscription(depth, (*self.patterns, *more), deltas)

    def __reduce__(self) -> tuple[Any, ...]:
        return Subscription, (self.depth, self.patterns, self.deltas)

    def __deepcopy__(self, _memo: object) -> Subscription:
        return self


class Subscriptions:
    """Which fields are reported, for each tool. Raises `ValueError` for a path that can't be read.

    paths, deltas: as in `Subscription`, or a mapping from tool names to such; a tool that paths doesn't name reports
    no fields.
    """

    def __init__(self, *, depth: int | None, paths: PathsByTool | None, deltas: DeltasByTool) -> None:
        self._by_tool: dict[str, Subscription] = {}
        self._other = Subscription.compile(depth=0)
        names: set[str] = set()
        for option in (paths, deltas):
            if isinstance(option, Mapping):
                names.update(option)
        for name in names:
            own = paths.get(name) if isinstance(paths, Mapping) else paths
            if not isinstance(paths, Mapping) or name in paths:
                grow = deltas.get(name, False) if isinstance(deltas, Mapping) else deltas
                self._by_tool[name] = Subscription.compile(depth=depth, paths=own, deltas=grow)
        if not isinstance(paths, Mapping):
            grow = False if isinstance(deltas, Mapping) else deltas
            self._other = Subscription.compile(depth=depth, paths=paths, deltas=grow)

    def of(self, tool: str) -> Subscription:
        return self._by_tool.get(tool, self._other)


def _member(key: str | EllipsisType) -> Step:
    return (_Kind.KEY, key) if isinstance(key, str) else (_Kind.ANY_KEY, None)


def _matches(steps: tuple[Step, ...], path: tuple[str | int, ...]) -> bool:
    """Whether a pattern names the place. The states are the numbers of steps that the path so far may have taken."""
    states = _skipping({0}, steps)
    for part in path:
        moved = set()
        for at in states:
            if at < len(steps):
                kind, argument = steps[at]
                if kind == _Kind.DEEP:
                    moved.add(at)
                elif _fits(kind, argument, part):
                    moved.add(at + 1)
        states = _skipping(moved, steps)
    return len(steps) in states


def _skipping(states: set[int], steps: tuple[Step, ...]) -> set[int]:
    """The states with those that `**` for no step at all leads to."""
    reached = set(states)
    for at in sorted(states):
        while at < len(steps) and steps[at][0] == _Kind.DEEP:
            at += 1
            reached.add(at)
    return reached


def _fits(kind: _Kind, argument: str | int | None, part: str | int) -> bool:
    if kind in (_Kind.KEY, _Kind.INDEX):
        return type(part) is type(argument) and part == argument
    return kind == _Kind.ANY or isinstance(part, str) == (kind == _Kind.ANY_KEY)


def _check_depth(depth: int | None) -> None:
    if depth is not None and (not isinstance(depth, int) or isinstance(depth, bool) or depth < 0):
        raise ValueError(f"depth is an int from 0 on or None, not {depth!r}")


@lru_cache(maxsize=64, typed=True)
def _by_depth(depth: int | None, deltas: bool) -> Subscription:
    _check_depth(depth)
    return Subscription(depth, (), deltas)


def _compile(patterns: tuple[tuple[tuple[Step, ...], bool], ...]) -> Any:
    paths = lib.ts_paths_new()
    if paths == ffi.NULL:
        raise MemoryError
    paths = ffi.gc(paths, lib.ts_paths_free)
    for steps, grows in patterns:
        for kind, argument in steps:
            key = argument.encode("utf-8", "surrogatepass") if isinstance(argument, str) else b""
            _check(lib.ts_paths_step(paths, kind, key, len(key), argument if isinstance(argument, int) else 0))
        _check(lib.ts_paths_end(paths, lib.TS_WANT_VALUE | (lib.TS_WANT_GROWTH if grows else 0)))
    return paths


def _check(status: int) -> None:
    if status != lib.TS_OK:
        raise MemoryError
