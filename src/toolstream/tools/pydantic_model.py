"""Arguments described by a pydantic model: each field by its own validators at its own time, the model at the end.

A model's field validators run once, when the field is final; its `after` validators once, on the whole instance. The
core schema that pydantic publishes for every class (`__pydantic_core_schema__`) says what belongs to which field. Where
fields can't be told apart (a validator that runs before or around the whole model, one that looks at the fields before,
a root model), everything is checked at the end.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

from .shapes import AnyShape, Mismatch, library, with_definitions
from .typed import adapter_of, checked, mismatch_of

# Kinds of core schema that have fields of their own.
_WITH_FIELDS = ("model", "dataclass", "typed-dict")


class PydanticShape(AnyShape):
    """The shape of a `pydantic.BaseModel`; also of any type that only `TypeAdapter` can check, as a whole."""

    def __init__(self, model: Any) -> None:
        library("pydantic", "pydantic 2", "validation of types")
        self._type = model
        self._read()
        if self._whole:
            adapter_of(model)  # a type that pydantic can't check shows at once
        self.keys = frozenset(self._names)
        self.required = frozenset(self._required) if self._fields else (None if self._whole else frozenset())
        self.listed: frozenset[str] = frozenset()

    def _read(self) -> None:
        """Everything that is made of the core schema."""
        self._fields: dict[str, Any] = {}  # by the argument's name: the field's core schema, then its validator
        self._names: dict[str, str] = {}  # by the argument's name: the field's
        self._required: list[str] = []
        self._after: list[Callable[[Any], Any]] = []
        self._definitions: list[Any] = []
        self.closed = False
        schema = getattr(self._type, "__pydantic_core_schema__", None)
        model = None if schema is None else self._model_schema(schema)
        self._config: Any = {} if model is None else model.get("config", {})
        self._whole = model is None or not self._read_fields(model)
        if self._whole:
            self._fields, self._names, self._required, self._after = {}, {}, [], []

    def _model_schema(self, schema: Any) -> Any:
        """The model's own schema inside the validators around it; None where they need the whole arguments."""
        while schema["type"] != "model":
            kind = schema["type"]
            if kind == "definitions":
                self._definitions = schema["definitions"]
                schema = schema["schema"]
            elif kind == "definition-ref":
                schema = next(part for part in self._definitions if part.get("ref") == schema["schema_ref"])
            elif kind == "function-after" and schema["function"]["type"] == "no-info":
                self._after.insert(0, schema["function"]["function"])
                schema = schema["schema"]
            else:
                return None
        return schema

    def _read_fields(self, model: Any) -> bool:
        inner = model["schema"]
        if model.get("root_model") or model.get("custom_init") or inner["type"] != "model-fields":
            return False
        behaviour = self._config.get("extra_fields_behavior")
        by_name = self._config.get("validate_by_name") or self._config.get("populate_by_name")
        self.closed = behaviour == "forbid"
        for name, field in inner["fields"].items():
            alias = field.get("validation_alias", name)
            if not isinstance(alias, str) or by_name or _sees_others(field["schema"]):
                return False
            self._names[alias] = name
            self._fields[alias] = field["schema"]
            if self._type.model_fields[name].is_required():
                self._required.append(alias)
        return bool(behaviour != "allow")

    def check(self, key: str, value: Any) -> Any:
        field = self._fields.get(key)
        if field is None:
            return value
        if isinstance(field, dict):
            field = self._fields[key] = self._validator(field)
        return checked(field, value)

    def finish(self, values: dict[str, Any], arguments: dict[str, Any]) -> Any:
        from pydantic import ValidationError

        if self._whole:
            return checked(adapter_of(self._type), arguments)
        instance = self._type.model_construct(**{self._names[key]: values[key] for key in values if key in self._names})
        try:
            for validate in self._after:
                instance = validate(instance)
        except ValidationError as error:
            raise mismatch_of(error) from error
        except (ValueError, AssertionError) as error:
            raise Mismatch(str(error)) from error
        return instance

    def wants(self, key: str) -> Any:
        schema = adapter_of(self._type).json_schema()
        found = next((part["properties"][key] for part in _parts(schema) if key in part.get("properties", {})), None)
        return with_definitions(found, schema)

    def key_of(self, name: str) -> str:
        return next((key for key, own in self._names.items() if own == name), name)

    def _validator(self, schema: Any) -> Any:
        from pydantic_core import SchemaValidator, core_schema

        if self._definitions:
            schema = core_schema.definitions_schema(schema, self._definitions)
        return SchemaValidator(schema, self._config or None)

    def __getstate__(self) -> dict[str, Any]:
        return {name: getattr(self, name) for name in ("_type", "keys", "required", "listed")}

    def __setstate__(self, state: dict[str, Any]) -> None:
        vars(self).update(state)
        self._read()


def _sees_others(schema: Any) -> bool:
    """Whether a validator of the field takes pydantic's info, in which it finds the fields before (`info.data`)."""
    waiting = [schema]
    while waiting:
        part = waiting.pop()
        if isinstance(part, dict):
            if part.get("type") in _WITH_FIELDS:
                continue  # what is in there sees only its own fields
            function = part.get("function")
            if isinstance(function, dict) and function.get("type") == "with-info":
                return True
            waiting += part.values()
        elif isinstance(part, (list, tuple)):
            waiting += part
    return False


def _parts(schema: Any) -> Iterator[Any]:
    yield schema
    yield from schema.get("$defs", {}).values()
