"""Bytes to Python objects, and the live value that grows with a stream.

The core says which runs of whole members or elements are new; each run becomes one call of orjson, and one
`update` or `extend` of the container that is still open. So a byte is materialised once, and a container whose
end has not come is a Python object only when somebody looks.

Trusts the core: runs are valid JSON. Guarantees `json.loads`'s values: where orjson's differ (integers beyond
64 bits, which the core flags; lone surrogates and infinite floats, which orjson refuses), json parses.
"""

from __future__ import annotations

import json
from typing import Any

import orjson

from ._core import ffi, lib

# Below this a copy with brackets around it is cheaper than a memoryview.
_COPIED = 4096

_KIND = 0xFF
_RUN, _PUSH, _POP = lib.TS_RUN, lib.TS_PUSH, lib.TS_POP
_INDEX, _ESCAPED, _ARRAY, _EXACT = lib.TS_F_INDEX, lib.TS_F_ESCAPED, lib.TS_F_ARRAY, lib.TS_F_EXACT

_OBJECT_BRACKETS = ord("{"), ord("}")
_ARRAY_BRACKETS = ord("["), ord("]")


def load(text: bytes | memoryview, exact: bool) -> Any:
    """The value of valid JSON text. exact: it holds integers that orjson would round."""
    if not exact:
        try:
            return orjson.loads(text)
        except orjson.JSONDecodeError:
            pass
    return json.loads(str(text, "utf-8"))


def load_string(body: bytes) -> str:
    """The str of a JSON string's body, without its quotes."""
    value = load(b'"%b"' % body, False)
    assert isinstance(value, str)
    return value


def read_place(tag: int, a: int, b: int, text: Any) -> str | int:
    """The key or index that a record names."""
    if tag & _INDEX:
        return a
    key: bytes = text[a:b]
    return load_string(key) if tag & _ESCAPED else key.decode()


def _load_run(text: Any, start: int, end: int, brackets: tuple[int, int], exact: bool) -> Any:
    if end - start < _COPIED:
        return load(b"%c%b%c" % (brackets[0], text[start:end], brackets[1]), exact)
    # The bytes around a run are a comma, a bracket or spare: they lend their places for the time of the call.
    view = memoryview(text)[start - 1 : end + 1]
    before, after = view[0], view[-1]
    view[0], view[-1] = brackets
    try:
        return load(view, exact)
    finally:
        view[0], view[-1] = before, after


class LiveValue:
    """The value of a document that is still being written.

    root: the live value, or None before anything is known.
    open: the containers in it that have not ended, outermost first.
    places: where each of them stands in the one before (so one fewer).
    """

    __slots__ = ("open", "places", "root")

    def __init__(self) -> None:
        self.root: Any = None
        self.open: list[Any] = []
        self.places: list[str | int] = []

    def build(self, view: Any) -> None:
        """Carries out the core's build steps."""
        records = ffi.unpack(ffi.cast("int64_t *", view.steps), 3 * view.step_count)
        text = ffi.buffer(view.text, view.text_size + 1)
        for at in range(0, len(records), 3):
            tag, a, b = records[at], records[at + 1], records[at + 2]
            kind = tag & _KIND
            if kind == _RUN:
                top = self.open[-1]
                if type(top) is dict:
                    top.update(_load_run(text, a, b, _OBJECT_BRACKETS, bool(tag & _EXACT)))
                else:
                    top.extend(_load_run(text, a, b, _ARRAY_BRACKETS, bool(tag & _EXACT)))
            elif kind == _PUSH:
                self._push([] if tag & _ARRAY else {}, tag, a, b, text)
            elif kind == _POP:
                self.open.pop()
                if self.places:
                    self.places.pop()
            else:
                self.root = load(memoryview(text)[a:b], bool(tag & _EXACT))

    def _push(self, child: Any, tag: int, a: int, b: int, text: Any) -> None:
        if not self.open:
            self.root = child
        else:
            parent = self.open[-1]
            place = read_place(tag, a, b, text)
            if type(parent) is dict:
                parent[place] = child
            else:
                parent.append(child)
            self.places.append(place)
        self.open.append(child)

    def find(self, path: tuple[str | int, ...]) -> tuple[bool, Any]:
        """Whether there is a value at path, and it."""
        value = self.root
        for step in path:
            if type(value) is dict and isinstance(step, str) and step in value:
                value = value[step]
            elif type(value) is list and isinstance(step, int) and 0 <= step < len(value):
                value = value[step]
            else:
                return False, None
        return True, value

    def is_open(self, value: Any) -> bool:
        return any(value is container for container in self.open)

    def copy(self) -> tuple[Any, Any]:
        """A detached copy of the root, and in it the copy of the innermost open container."""
        nodes = flatten(self.root)
        innermost = self.open[-1] if self.open else None
        copies = _containers(nodes)
        root = copies[0] if copies else self.root
        for node, copied in zip(nodes, copies, strict=True):
            if node.source is innermost:
                return root, copied
        return root, None

    def __getstate__(self) -> tuple[Any, ...]:
        nodes = flatten(self.root)
        numbers = {id(node.source): number for number, node in enumerate(nodes)}
        plain = [(node.keys, node.values) for node in nodes]
        return None if nodes else self.root, plain, [numbers[id(value)] for value in self.open], self.places

    def __setstate__(self, state: tuple[Any, ...]) -> None:
        scalar, plain, open_numbers, places = state
        copies = _containers([Node(None, keys, values) for keys, values in plain])
        self.root = copies[0] if copies else scalar
        self.open = [copies[number] for number in open_numbers]
        self.places = list(places)


class Node:
    """A container without its nesting: keys is None for a list; a container inside is the 1-tuple of its number."""

    __slots__ = ("keys", "source", "values")

    def __init__(self, source: Any, keys: list[str] | None, values: list[Any]) -> None:
        self.source = source
        self.keys = keys
        self.values = values


def flatten(root: Any) -> list[Node]:
    """All containers of a value, numbered, the root first. No recursion: a value may be nested deeper than Python's
    stack, which `pickle` and `copy` would use up."""
    nodes: list[Node] = []
    waiting: list[Any] = [root] if type(root) in (dict, list) else []
    for container in waiting:  # grows while it runs
        values = list(container.values()) if type(container) is dict else list(container)
        for at, value in enumerate(values):
            if type(value) is dict or type(value) is list:
                values[at] = (len(waiting),)
                waiting.append(value)
        nodes.append(Node(container, list(container) if type(container) is dict else None, values))
    return nodes


def _containers(nodes: list[Node]) -> list[Any]:
    """New containers for the nodes, in their order."""
    copies: list[Any] = [[] if node.keys is None else {} for node in nodes]
    for node, copied in zip(nodes, copies, strict=True):
        values = [copies[value[0]] if type(value) is tuple else value for value in node.values]
        if node.keys is None:
            copied.extend(values)
        else:
            copied.update(zip(node.keys, values, strict=True))
    return copies
