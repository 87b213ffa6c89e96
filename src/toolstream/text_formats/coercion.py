"""What a text value means by its tool's schema, as JSON text.

The rule, in this order: a schema of type string: the text itself. Else the schema's types that are not string, in the
order in which it names them (`type`, then `anyOf`, `oneOf`, `allOf`; references are looked up): the
first that the text is a value of, as JSON, or else as a Python literal. Else the text, as a string. A schema that
names no type takes any JSON value but text that is none. Without a schema a value is text.
"""

from __future__ import annotations

import json
import math
from typing import Any

from ..tools.schemas import Toolset
from ..values import loads_strict
from .cursor import Cursor
from .literals import PYTHON, LiteralValue
from .output import quoted

_DEPTH = 8


def schema_of(tools: Toolset | None, name: str, key: str) -> Any:
    """The schema of a tool's parameter, with the references at its top looked up; None where it is not known."""
    tool = None if tools is None else tools.get(name)
    schema = None if tool is None or tool.shape is None else tool.shape.wants(key)
    return _resolved(schema, schema) if isinstance(schema, dict) else None


def _resolved(schema: Any, root: dict[str, Any], depth: int = 0) -> Any:
    """The schema with the references at its top looked up."""
    if not isinstance(schema, dict) or depth > _DEPTH:
        return schema
    reference = schema.get("$ref")
    if isinstance(reference, str) and reference.startswith("#/"):
        target: Any = root
        for step in reference[2:].split("/"):
            target = target.get(step) if isinstance(target, dict) else None
        return _resolved(target, root, depth + 1) if target is not None else {}
    branches = {
        key: [_resolved(one, root, depth + 1) for one in schema[key]]
        for key in ("anyOf", "oneOf", "allOf")
        if isinstance(schema.get(key), list)
    }
    return {**schema, **branches}


def types(schema: Any) -> list[str]:
    """The types that a schema allows, in the order in which it names them; none where it names none."""
    if not isinstance(schema, dict):
        return []
    named = schema.get("type")
    found = [named] if isinstance(named, str) else [one for one in named or () if isinstance(one, str)]
    for key in ("anyOf", "oneOf", "allOf"):
        branches = [types(branch) for branch in schema.get(key) or ()]
        if not found and key != "allOf" and [] in branches:
            return []  # one of them takes values of every type
        found += [one for branch in branches for one in branch]
    if not found and "enum" in schema:
        found = [_type(value) for value in schema["enum"]]
    if not found and "const" in schema:
        found = [_type(schema["const"])]
    return [one.lower() for one in dict.fromkeys(found)]


def is_text(schema: Any) -> bool:
    """Whether every value is the text itself."""
    return types(schema) == ["string"]


def coerced(text: str, schema: Any) -> str:
    """The JSON text of the value that text is by its schema."""
    wanted = types(schema)
    value, written = _read(text)
    if value is not _NOTHING:
        for one in wanted or ["any"]:
            fitting = _as(value, one)
            if fitting is value:
                return written
            if fitting is not _NOTHING:
                return json.dumps(fitting, ensure_ascii=False)
    return quoted(text)


class _Nothing:
    """No value: None is one."""


_NOTHING = _Nothing()


def _read(text: str) -> tuple[Any, str]:
    """The value of a text that is JSON, or a Python literal; and its JSON text."""
    stripped = text.strip()
    try:
        return loads_strict(stripped), stripped
    except ValueError:
        pass
    cursor = Cursor()
    cursor.text = stripped + "\n"  # which ends a word
    literal = LiteralValue(PYTHON)
    try:
        read = literal.read(cursor)
        if literal.done and not cursor.rest.strip():
            return loads_strict(read), read
    except ValueError:
        pass
    return _NOTHING, ""


def _type(value: Any) -> str:
    for kind, name in ((bool, "boolean"), (int, "integer"), (float, "number"), (str, "string"), (list, "array")):
        if isinstance(value, kind):
            return name
    return "null" if value is None else "object"


def _as(value: Any, wanted: str) -> Any:
    """The value as one of the wanted type, or _NOTHING. A whole number may stand for an integer."""
    found = _type(value)
    if wanted == "any" or found == wanted or (wanted == "number" and found == "integer"):
        return value if wanted != "string" else _NOTHING
    if wanted == "integer" and found == "number" and math.isfinite(value) and value == int(value):
        return int(value)
    return _NOTHING
