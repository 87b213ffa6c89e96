"""Arguments described by types: functions, dataclasses and TypedDicts, field by field, checked by pydantic.

The caller's object is made by calling the function's or class's own constructor with the checked values, so that each
value is checked once, and defaults are the caller's own.
"""

from __future__ import annotations

import dataclasses
import functools
import inspect
import json
from collections.abc import Callable
from typing import Any, NamedTuple, get_args, get_origin, get_type_hints

from .shapes import AnyShape, Mismatch, library
from .streamed import element_type, is_live, streamed_type


class Field(NamedTuple):
    """One member. streamed: what a `Streamed` parameter holds, else None."""

    type: Any
    required: bool
    streamed: Any = None


class FieldsShape(AnyShape):
    """A shape that is made of fields. make: makes the caller's object of the checked values."""

    def __init__(self, fields: dict[str, Field], make: Callable[..., Any], *, closed: bool) -> None:
        self._fields = fields
        self._make = make
        self.keys = frozenset(fields)
        self.closed = closed
        self.required: frozenset[str] | None = frozenset(key for key, field in fields.items() if field.required)
        self.listed = frozenset(key for key, field in fields.items() if field.streamed not in (None, str))
        self._make_adapters()

    def check(self, key: str, value: Any) -> Any:
        field = self._fields.get(key)
        if field is None:
            return value
        if key in self.listed and isinstance(value, list):
            return value  # its elements have been checked
        return checked(self._adapters[key], value)

    def check_element(self, key: str, value: Any) -> Any:
        return checked(self._element_adapters[key], value)

    def finish(self, values: dict[str, Any], arguments: dict[str, Any]) -> Any:
        try:
            return self._make(**values)
        except (ValueError, AssertionError) as error:  # of a dataclass's __post_init__, or pydantic's own dataclass
            raise (mismatch_of(error) if hasattr(error, "errors") else Mismatch(str(error))) from error

    def wants(self, key: str) -> Any:
        adapter = self._adapters.get(key)
        return None if adapter is None else adapter.json_schema()

    def _make_adapters(self) -> None:
        """Makes the validators before the stream begins: it takes longer than to use them."""
        self._adapters: dict[str, Any] = {}
        self._element_adapters: dict[str, Any] = {}
        for key, field in self._fields.items():
            self._adapters[key] = adapter_of(field.streamed or field.type)
            if key in self.listed:
                self._element_adapters[key] = adapter_of(element_type(field.streamed))

    def __getstate__(self) -> dict[str, Any]:
        return {name: value for name, value in vars(self).items() if not name.endswith("_adapters")}

    def __setstate__(self, state: dict[str, Any]) -> None:
        vars(self).update(state)
        self._make_adapters()


def adapter_of(type_: Any) -> Any:
    """A type's validator; those of types that can be hashed are kept. Raises `ValueError` for a type that has none."""
    try:
        return _kept_adapter(type_)
    except TypeError:
        return _new_adapter(type_)


def _new_adapter(type_: Any) -> Any:
    pydantic = library("pydantic", "pydantic 2", "validation of annotated types")
    try:
        return pydantic.TypeAdapter(type_)
    except pydantic.PydanticUserError as error:  # a schema that can't be made, or a type that pydantic refuses
        raise ValueError(f"a tool's type that pydantic can't check: {error}") from error


_kept_adapter = functools.lru_cache(maxsize=256, typed=True)(_new_adapter)


def checked(validator: Any, value: Any) -> Any:
    """The value as pydantic has it, read as JSON: what strict models want differs. Raises `Mismatch`."""
    from pydantic_core import ValidationError

    try:
        return validator.validate_json(json.dumps(value))
    except ValidationError as error:
        if error.errors(include_url=False)[0]["type"] != "json_invalid":
            raise mismatch_of(error) from error
    # JSON that pydantic's own parser can't read: half a surrogate pair, or nested deeper than it goes.
    try:
        return validator.validate_python(value)
    except ValidationError as error:
        raise mismatch_of(error) from error


def mismatch_of(error: Any) -> Mismatch:
    """The first of the faults that pydantic has found."""
    first = error.errors(include_url=False, include_context=False)[0]
    return Mismatch(first["msg"], tuple(first["loc"]))


class Signature(NamedTuple):
    """A function's parameters as a tool's. live: the one that is the call itself. open: it takes any others, too."""

    fields: dict[str, Field]
    live: str | None
    open: bool

    @property
    def streamed(self) -> dict[str, Any]:
        """What each `Streamed` parameter holds."""
        return {name: field.streamed for name, field in self.fields.items() if field.streamed is not None}


def signature_of(function: Callable[..., Any]) -> Signature:
    """Reads a function's parameters. Raises `ValueError` for those that no JSON object can fill."""
    fields: dict[str, Field] = {}
    live, is_open = None, False
    hints = get_type_hints(_annotated(function), include_extras=True)
    for name, parameter in inspect.signature(function).parameters.items():
        annotation = hints.get(name, Any)
        if is_live(annotation):
            live = name
        elif parameter.kind is parameter.VAR_KEYWORD:
            is_open = True
        elif parameter.kind in (parameter.POSITIONAL_ONLY, parameter.VAR_POSITIONAL):
            raise ValueError(f"a tool's parameters are passed by name; {name!r} of {function!r} can't be")
        else:
            fields[name] = Field(annotation, parameter.default is parameter.empty, streamed_type(annotation))
    return Signature(fields, live, is_open)


def _annotated(function: Any) -> Any:
    """What holds the annotations of a `functools.partial`, or of an object that can be called."""
    while isinstance(function, functools.partial):
        function = function.func
    return function if inspect.isroutine(function) else type(function).__call__


def of_function(signature: Signature) -> FieldsShape:
    """The shape of a function's parameters. One that takes the call itself may find any argument there."""
    return FieldsShape(signature.fields, dict, closed=not (signature.open or signature.live))


def of_dataclass(cls: type) -> FieldsShape:
    hints = get_type_hints(cls, include_extras=True)
    fields = {}
    for field in dataclasses.fields(cls):
        if field.init:
            missing = dataclasses.MISSING
            required = field.default is missing and field.default_factory is missing
            fields[field.name] = Field(hints[field.name], required)
    return FieldsShape(fields, cls, closed=True)


def of_typed_dict(cls: Any) -> FieldsShape:
    hints = get_type_hints(cls, include_extras=True)
    fields = {}
    for name, hint in hints.items():
        required = name in cls.__required_keys__
        while (qualifier := getattr(get_origin(hint), "_name", None)) in ("Required", "NotRequired", "ReadOnly"):
            # The class itself does not know these where its annotations are strings.
            required = {"Required": True, "NotRequired": False}.get(str(qualifier), required)
            (hint,) = get_args(hint)
        fields[name] = Field(hint, required)
    return FieldsShape(fields, dict, closed=False)
