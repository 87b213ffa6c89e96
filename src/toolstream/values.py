"""Bytes to Python objects, and what can be done with a value without recursion.

Trusts the core: the text is valid JSON. Guarantees `json.loads`'s values: where orjson's differ (integers beyond 64
bits, which the core flags; lone surrogates and infinite floats, which orjson refuses), json parses. It parses all where
there is no orjson, as on PyPy.

A live value is a root and the list of the containers in it that have not ended, outermost first.
"""

from __future__ import annotations

import copy
import json
from collections.abc import Callable
from contextlib import suppress
from types import NoneType
from typing import Any, NoReturn

try:
    import orjson
except ImportError:
    orjson = None  # type: ignore[assignment]

_PLAIN = (str, int, float, NoneType)


def _refuse_constant(name: str) -> NoReturn:
    raise ValueError(f"{name} is no JSON")


def loads_strict(text: bytes | bytearray | memoryview | str) -> Any:
    """`json.loads`, but strict: `ValueError` for whatever is not JSON or not UTF-8, and for what is nested too deep."""
    try:
        return json.loads(text if isinstance(text, str) else str(text, "utf-8"), parse_constant=_refuse_constant)
    except RecursionError:
        raise ValueError("nested too deep") from None


loads_fast: Callable[[bytes | bytearray | memoryview | str], Any] = loads_strict if orjson is None else orjson.loads


def load(text: bytes | memoryview, exact: bool) -> Any:
    """The value of valid JSON text. exact: it holds integers that orjson would round."""
    if not exact:
        try:
            return loads_fast(text)
        except ValueError:
            pass
    return json.loads(str(text, "utf-8"))


def load_string(body: bytes) -> str:
    """The str of a JSON string's body, without its quotes."""
    value = load(b'"%b"' % body, False)
    assert isinstance(value, str)
    return value


def find(root: Any, path: tuple[str | int, ...]) -> tuple[bool, Any]:
    """Whether there is a value at path, and it."""
    value = root
    for step in path:
        in_dict = type(value) is dict and isinstance(step, str) and step in value
        in_list = type(value) is list and isinstance(step, int) and 0 <= step < len(value)
        if not (in_dict or in_list):
            return False, None
        value = value[step]
    return True, value


def copy_live(root: Any, open_containers: list[Any]) -> tuple[Any, Any]:
    """A detached copy of the root, and in it the copy of the innermost open container (None without one)."""
    if type(root) is not dict and type(root) is not list:
        return root, None
    copies = [(root, root.copy())]
    innermost = open_containers[-1] if open_containers else None
    copied_innermost = None
    for source, made in copies:  # grows while it runs
        if source is innermost:
            copied_innermost = made
        for place, part in made.items() if type(made) is dict else enumerate(made):
            if type(part) is dict or type(part) is list:
                made[place] = part.copy()
                copies.append((part, made[place]))
    return copies[0][1], copied_innermost


def copied(value: Any) -> Any:
    """A detached copy of a value in which there may be any objects. What can't be copied is shared."""
    root = copy_live([value], [])[0]
    containers: list[Any] = [root]
    for container in containers:  # grows while it runs
        for place, part in container.items() if type(container) is dict else enumerate(container):
            if type(part) is dict or type(part) is list:
                containers.append(part)
            elif not isinstance(part, _PLAIN):
                with suppress(Exception):
                    container[place] = copy.deepcopy(part)
    return root[0]


def pack_live(root: Any, open_containers: list[Any]) -> tuple[Any, ...]:
    """The live value without nesting, for pickle; `unpack_live` makes it again."""
    nodes = _flatten(root)
    numbers = {id(node.source): number for number, node in enumerate(nodes)}
    plain = [(node.keys, node.values) for node in nodes]
    return None if nodes else root, plain, [numbers[id(container)] for container in open_containers]


def unpack_live(packed: tuple[Any, ...]) -> tuple[Any, list[Any]]:
    """The root and the open containers of a packed live value."""
    scalar, plain, open_numbers = packed
    copies = _unflatten([_Node(None, keys, values) for keys, values in plain])
    return (copies[0] if copies else scalar), [copies[number] for number in open_numbers]


class _Node:
    """A container without its nesting: keys is None for a list; a container inside is the 1-tuple of its number."""

    __slots__ = ("keys", "source", "values")

    def __init__(self, source: Any, keys: list[str] | None, values: list[Any]) -> None:
        self.source = source
        self.keys = keys
        self.values = values


def _flatten(root: Any) -> list[_Node]:
    """All containers of a value, numbered, the root first. No recursion: a value may be nested deeper than Python's
    stack, which `pickle` and `copy` would use up."""
    nodes: list[_Node] = []
    waiting: list[Any] = [root] if type(root) in (dict, list) else []
    for container in waiting:  # grows while it runs
        values = list(container.values()) if type(container) is dict else list(container)
        for at, value in enumerate(values):
            if type(value) is dict or type(value) is list:
                values[at] = (len(waiting),)
                waiting.append(value)
        nodes.append(_Node(container, list(container) if type(container) is dict else None, values))
    return nodes


def _unflatten(nodes: list[_Node]) -> list[Any]:
    """New containers for the nodes, in their order."""
    copies: list[Any] = [[] if node.keys is None else {} for node in nodes]
    for node, copied in zip(nodes, copies, strict=True):
        values = [copies[value[0]] if type(value) is tuple else value for value in node.values]
        if node.keys is None:
            copied.extend(values)
        else:
            copied.update(zip(node.keys, values, strict=True))
    return copies
