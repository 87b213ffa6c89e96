"""Arguments described by a `msgspec.Struct`: each field by `msgspec.convert`, the struct by its own constructor.

Of a union of structs only the whole tells which one it is.
"""

from __future__ import annotations

from typing import Any

from .shapes import AnyShape, Mismatch, library


class MsgspecShape(AnyShape):
    """The shape of a struct, by the names that it has in JSON."""

    def __init__(self, struct: Any) -> None:
        msgspec = library("msgspec", "msgspec", "validation of a msgspec.Struct")
        self._struct = struct
        config = struct.__struct_config__
        self._fields = {field.encode_name: field for field in msgspec.structs.fields(struct)}
        self._tag = config.tag_field
        self.keys = frozenset(self._fields) | ({self._tag} if self._tag else set())
        self.closed = bool(config.forbid_unknown_fields)
        self.required: frozenset[str] | None = frozenset(key for key, field in self._fields.items() if field.required)

    def check(self, key: str, value: Any) -> Any:
        import msgspec

        if key == self._tag and value != self._struct.__struct_config__.tag:
            raise Mismatch(f"expected {self._struct.__struct_config__.tag!r}")
        field = self._fields.get(key)
        if field is None:
            return value
        try:
            return msgspec.convert(value, field.type)
        except msgspec.ValidationError as error:
            raise Mismatch(str(error)) from error

    def finish(self, values: dict[str, Any], arguments: dict[str, Any]) -> Any:
        try:
            return self._struct(**{self._fields[key].name: values[key] for key in values if key in self._fields})
        except (ValueError, TypeError) as error:  # of its __post_init__, as msgspec itself has it
            raise Mismatch(str(error)) from error

    def wants(self, key: str) -> Any:
        import msgspec

        field = self._fields.get(key)
        return None if field is None else msgspec.json.schema(field.type)

    def key_of(self, name: str) -> str:
        return next((key for key, field in self._fields.items() if field.name == name), name)

    def __reduce__(self) -> tuple[Any, ...]:
        return MsgspecShape, (self._struct,)


class MsgspecUnionShape(AnyShape):
    """The shape of a union of structs."""

    def __init__(self, type_: Any) -> None:
        msgspec = library("msgspec", "msgspec", "validation of a msgspec.Struct")
        try:
            msgspec.json.Decoder(type_)
        except TypeError as error:
            raise ValueError(f"a tool's type that msgspec can't check: {error}") from error
        self._type = type_

    def finish(self, values: dict[str, Any], arguments: dict[str, Any]) -> Any:
        import msgspec

        try:
            return msgspec.convert(arguments, self._type)
        except msgspec.ValidationError as error:
            raise Mismatch(str(error)) from error
