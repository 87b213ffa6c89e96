"""Arguments described by JSON Schema, checked by `jsonschema-rs` (drafts 4 to 2020-12, 2020-12 where none is named).

OpenAPI's `nullable` is understood, and Gemini's type names in capitals. A schema may come from others (MCP servers):
references to other documents are refused, never fetched.
"""

from __future__ import annotations

from typing import Any
from urllib.parse import quote

from .shapes import AnyShape, Mismatch, library, with_definitions

# The schema's own address, by which the checks of its parts refer to it.
_ROOT = "toolstream:arguments"

# Members that hold a schema, a list of schemas, a mapping to schemas.
_ONE = (
    "additionalItems",
    "additionalProperties",
    "contains",
    "else",
    "if",
    "items",
    "not",
    "propertyNames",
    "then",
    "unevaluatedItems",
    "unevaluatedProperties",
)
_LISTS = ("allOf", "anyOf", "oneOf", "prefixItems", "items")
_MAPS = ("$defs", "definitions", "dependentSchemas", "patternProperties", "properties")

# What beside its members a schema may say of an object; any of it needs the whole arguments.
_OF_THE_WHOLE = (
    "$dynamicRef",
    "$recursiveRef",
    "allOf",
    "anyOf",
    "const",
    "dependencies",
    "dependentRequired",
    "dependentSchemas",
    "else",
    "enum",
    "if",
    "maxProperties",
    "minProperties",
    "not",
    "oneOf",
    "patternProperties",
    "propertyNames",
    "then",
    "unevaluatedProperties",
)
# Of these, what may demand members beyond `required`.
_MAY_REQUIRE = tuple(name for name in _OF_THE_WHOLE if name not in ("maxProperties", "propertyNames"))
_MOST_REFERENCES = 32


class JSONSchemaShape(AnyShape):
    """The shape that a JSON Schema describes. Raises `ValueError` for a schema that is none."""

    def __init__(self, schema: dict[str, Any], *, gemini: bool = False) -> None:
        self._schema = plain_schema(schema, gemini)
        root, self._pointer = self._resolve(self._schema, "")
        self._root = root
        properties = root.get("properties") or {}
        self._properties: dict[str, Any] = properties
        additional = root.get("additionalProperties", True)
        self._additional = isinstance(additional, dict)
        self.keys = frozenset(properties)
        self.closed = additional is False and "patternProperties" not in root
        self._of_the_whole = any(name in root for name in _OF_THE_WHOLE) or root.get("type", "object") != "object"
        required = frozenset(root.get("required") or ())
        may_require = any(name in root for name in _MAY_REQUIRE)
        self.required: frozenset[str] | None = None if may_require else required
        self._elements = {key: pointer for key in properties if (pointer := self._element_pointer(key)) is not None}
        self.listed = frozenset(self._elements)
        self._forget()
        self._validator(self._pointer)  # a schema that is none shows at once

    def check(self, key: str, value: Any) -> Any:
        if key in self._properties:
            self._check(f"{self._pointer}/properties/{_escaped(key)}", value)
        elif self._additional:
            self._check(f"{self._pointer}/additionalProperties", value)
        return value

    def check_element(self, key: str, value: Any) -> Any:
        if key in self._elements:
            self._check(self._elements[key], value)
        return value

    def finish(self, values: dict[str, Any], arguments: dict[str, Any]) -> Any:
        if self._of_the_whole:
            self._check(self._pointer, arguments)
        return arguments

    def wants(self, key: str) -> Any:
        return with_definitions(self._properties.get(key), self._schema)

    def _check(self, pointer: str, value: Any) -> None:
        validator = self._validator(pointer)
        if not validator.is_valid(value):
            error = next(validator.iter_errors(value))
            raise Mismatch(error.message, tuple(error.instance_path))

    def _validator(self, pointer: str) -> Any:
        validator = self._validators.get(pointer)
        if validator is None:
            library_ = library("jsonschema_rs", "jsonschema-rs", "validation of JSON Schema")
            draft = {"$schema": self._schema["$schema"]} if "$schema" in self._schema else {}
            try:
                registry = library_.Registry([(_ROOT, self._schema)], retriever=_refuse)
                validator = library_.validator_for({**draft, "$ref": f"{_ROOT}#{pointer}"}, registry=registry)
            except (ValueError, TypeError) as error:
                raise ValueError(f"a tool's schema is no JSON Schema: {error}") from error
            self._validators[pointer] = validator
        return validator

    def _element_pointer(self, key: str) -> str | None:
        schema, pointer = self._resolve(self._properties[key], f"{self._pointer}/properties/{_escaped(key)}")
        items = schema.get("items") if isinstance(schema, dict) else None
        return f"{pointer}/items" if isinstance(items, dict) and "prefixItems" not in schema else None

    def _resolve(self, schema: Any, pointer: str) -> tuple[Any, str]:
        """Follows references to places in the same document, as long as the reference is all that the schema says."""
        for _ in range(_MOST_REFERENCES):
            reference = schema.get("$ref") if isinstance(schema, dict) else None
            if not isinstance(reference, str) or not (reference == "#" or reference.startswith("#/")):
                break
            found: Any = self._schema
            for step in reference[2:].split("/") if len(reference) > 1 else ():
                found = found.get(step.replace("~1", "/").replace("~0", "~")) if isinstance(found, dict) else None
            if not isinstance(found, dict):
                break
            schema, pointer = found, reference[1:]
        return schema, pointer

    def _forget(self) -> None:
        self._validators: dict[str, Any] = {}

    def __getstate__(self) -> dict[str, Any]:
        return {**vars(self), "_validators": {}}


def plain_schema(schema: Any, gemini: bool = False) -> Any:
    """The schema in JSON Schema's own words: `nullable` becomes a type; Gemini's types become lower case."""
    if not isinstance(schema, dict):
        return schema
    plain = dict(schema)
    for name in _ONE:
        if isinstance(plain.get(name), dict):
            plain[name] = plain_schema(plain[name], gemini)
    for name in _LISTS:
        if isinstance(plain.get(name), list):
            plain[name] = [plain_schema(part, gemini) for part in plain[name]]
    for name in _MAPS:
        if isinstance(plain.get(name), dict):
            plain[name] = {key: plain_schema(part, gemini) for key, part in plain[name].items()}
    kind = plain.get("type")
    if gemini and isinstance(kind, str):
        kind = plain["type"] = kind.lower()
    if plain.pop("nullable", False) is True:
        plain = _nullable(plain, kind)
    return plain


def _nullable(schema: dict[str, Any], kind: Any) -> dict[str, Any]:
    if not isinstance(kind, (str, list)):
        return {"anyOf": [schema, {"type": "null"}]}
    kinds = [kind] if isinstance(kind, str) else kind
    schema["type"] = [*(one for one in kinds if one != "null"), "null"]
    if isinstance(schema.get("enum"), list) and None not in schema["enum"]:
        schema["enum"] = [*schema["enum"], None]
    return schema


def _escaped(key: str) -> str:
    """A key as a step of a JSON pointer in a URI fragment (RFC 6901)."""
    return quote(key.replace("~", "~0").replace("/", "~1"), safe="~")


def _refuse(uri: str) -> Any:
    raise ValueError(f"a tool's schema refers to another document, {uri!r}, which is not fetched")
