"""Everything that `tools` takes, made a `Toolset`: what is known of each tool, by its name.

Taken: the lists that Anthropic, OpenAI Chat, Responses, Gemini, Bedrock, Cohere and Ollama are sent, MCP listings with
their hints, `{name: type}`, functions, and lists of any of these. Nothing is imported but what a given type needs.
"""

from __future__ import annotations

import copy
import dataclasses
from collections.abc import Callable, Iterable, Mapping
from typing import Any, Literal, get_args, get_origin

from .declared import Effects, Tool, declaration_of
from .json_schema import JSONSchemaShape
from .msgspec_struct import MsgspecShape, MsgspecUnionShape
from .pydantic_model import PydanticShape
from .shapes import AnyShape, Shape
from .typed import of_dataclass, of_function, of_typed_dict, signature_of

OnInvalid = Literal["event", "raise", "close"]
ON_INVALID = ("event", "raise", "close")

_WRAPPERS = ("tools", "function_declarations", "functionDeclarations")


class Toolset:
    """The tools of one stream.

    shows_all: also the events that only the checks need are handed out.
    """

    def __init__(self, tools: Iterable[Tool], shows_all: bool = False) -> None:
        self.shows_all = shows_all
        self._tools: dict[str, Tool] = {}
        for tool in tools:
            if tool.name in self._tools:
                raise ValueError(f"two tools have the name {tool.name!r}")
            self._tools[tool.name] = tool

    def get(self, name: str) -> Tool | None:
        return self._tools.get(name)

    @property
    def tools(self) -> list[Tool]:
        return list(self._tools.values())

    @property
    def names(self) -> list[str]:
        return list(self._tools)

    def may_grow(self, name: str) -> bool:
        """Whether a longer name than this one is known: the rest of it may be still to come."""
        return any(known != name and known.startswith(name) for known in self._tools)

    def __deepcopy__(self, _memo: object) -> Toolset:
        return self  # tools don't change


def toolset(tools: Any, *, shows_all: bool = False) -> Toolset:
    """The tools of whatever form.

    Raises `ValueError` for what is no tool, `ImportError` where a library is missing.
    """
    if isinstance(tools, Toolset):
        return tools
    return Toolset(_tools(tools), shows_all)


def _tools(tools: Any) -> list[Tool]:
    if isinstance(tools, Mapping):
        for wrapper in _WRAPPERS:
            if isinstance(tools.get(wrapper), list):
                return _tools(tools[wrapper])
        if _is_listing(tools):
            return _listed(tools)
        return [_named(name, type_) for name, type_ in tools.items()]
    if isinstance(tools, (list, tuple)):
        return [tool for one in tools for tool in _one(one)]
    wrapped = getattr(tools, "tools", None)  # mcp's ListToolsResult
    return _tools(list(wrapped)) if isinstance(wrapped, list) else _one(tools)


def _one(one: Any) -> list[Tool]:
    if isinstance(one, Tool):
        return [one]
    if isinstance(one, Mapping):
        return _tools(one) if not _is_listing(one) else _listed(one)
    if isinstance(one, type):
        return [_named(one.__name__, one)]
    if callable(one):
        return [_of_function(None, one)]
    dump = getattr(one, "model_dump", None)  # mcp's, google-genai's and the SDKs' own objects
    if dump is not None:
        return _one(dump(mode="json", by_alias=True, exclude_none=True))
    raise ValueError(f"a tool is a provider's or MCP's listing, a type or a function, not {type(one).__name__}")


def _named(name: str, given: Any) -> Tool:
    if isinstance(given, Mapping):
        return Tool(name, _schema_shape(given))
    if isinstance(given, type) or get_origin(given) is not None or not callable(given):
        try:
            return Tool(name, _typed_shape(given))
        except ValueError as error:
            raise ValueError(f"the tool {name!r}: {error}") from error
    return _of_function(name, given)


def _of_function(name: str | None, function: Callable[..., Any]) -> Tool:
    said = declaration_of(function)
    signature = signature_of(function)
    own = name or said.name or getattr(function, "__name__", None)
    effects = said.effects
    shape: Shape
    if said.schema is None:
        shape = of_function(signature)
    else:
        (listed,) = _tools(said.schema) if _is_listing(said.schema) else [_named(own or "", said.schema)]
        shape, effects = listed.shape or AnyShape(), effects or listed.effects
        own = name or said.name or listed.name or own
        lists = {key for key, held in signature.streamed.items() if held is not str}
        shape.listed = shape.listed | lists
    if effects == "once" and said.start not in (None, "committed"):
        raise ValueError(f'{own!r} runs at most once, by its schema: it starts at "committed", not at {said.start!r}')
    if not own:
        raise ValueError(f"a tool needs a name: {function!r}")
    takes = frozenset(signature.fields) if signature.live and not signature.open else None
    text = next(iter(signature.fields)) if len(signature.fields) == 1 and not signature.live else None
    return Tool(own, shape, function, effects, said.start, signature.streamed, signature.live, takes, text)


def _typed_shape(type_: Any) -> Shape:
    if hasattr(type_, "__struct_config__"):
        return MsgspecShape(type_)
    if hasattr(type_, "__pydantic_core_schema__") and hasattr(type_, "model_fields"):
        return PydanticShape(type_)
    if dataclasses.is_dataclass(type_) and isinstance(type_, type):
        return of_dataclass(type_)
    if hasattr(type_, "__required_keys__"):
        return of_typed_dict(type_)
    if any(hasattr(member, "__struct_config__") for member in get_args(type_)):
        return MsgspecUnionShape(type_)
    return PydanticShape(type_)


# ---------------------------------------------------------------------- listings


def _is_listing(one: Mapping[str, Any]) -> bool:
    kind = one.get("type")
    return (
        isinstance(one.get("name"), str)
        or isinstance(one.get("function"), Mapping)
        or isinstance(one.get("toolSpec"), Mapping)
        or (isinstance(kind, str) and not isinstance(one.get("properties"), Mapping))
    )


def _listed(one: Mapping[str, Any]) -> list[Tool]:
    """A tool as it is listed to a provider, or by MCP; nothing for a provider's own tool without a name."""
    for wrapper in ("function", "toolSpec", "custom"):
        if isinstance(one.get(wrapper), Mapping):
            one = one[wrapper]
            break
    name = one.get("name")
    if not isinstance(name, str):
        return []
    schema: Any = None
    gemini = False
    for member in ("input_schema", "inputSchema", "parametersJsonSchema", "parameters_json_schema", "parameters"):
        if isinstance(one.get(member), Mapping):
            schema = one[member]
            gemini = member == "parameters" and isinstance(schema.get("type"), str) and schema["type"].isupper()
            break
    if schema is not None and isinstance(schema.get("json"), Mapping):  # Bedrock
        schema = schema["json"]
    shape = AnyShape() if schema is None else _schema_shape(schema, gemini=gemini)
    return [Tool(name, shape, effects=_hinted(one.get("annotations")))]


def _schema_shape(schema: Mapping[str, Any], *, gemini: bool = False) -> Shape:
    return JSONSchemaShape(copy.deepcopy(dict(schema)), gemini=gemini)


def _hinted(annotations: Any) -> Effects | None:
    """What MCP's hints say of a tool's effects. By its rule the others mean something only where it isn't read-only."""
    if not isinstance(annotations, Mapping):
        return None
    if annotations.get("readOnlyHint") is True:
        return "none"
    if annotations.get("destructiveHint") is True:
        return "once"
    return "idempotent" if annotations.get("idempotentHint") is True else None
