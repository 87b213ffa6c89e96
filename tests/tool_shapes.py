"""One tool in every form that `tools` takes, for the tests of checks and dispatch."""

from __future__ import annotations

import dataclasses
from types import SimpleNamespace
from typing import Annotated, Any, Literal, TypedDict

import msgspec
import pydantic
from typing_extensions import NotRequired

SCHEMA: dict[str, Any] = {
    "type": "object",
    "properties": {
        "query": {"type": "string"},
        "limit": {"type": "integer", "maximum": 50},
        "order": {"enum": ["up", "down"]},
    },
    "required": ["query"],
}
GEMINI: dict[str, Any] = {
    "type": "OBJECT",
    "properties": {
        "query": {"type": "STRING"},
        "limit": {"type": "INTEGER", "maximum": 50, "nullable": True},
        "order": {"type": "STRING", "enum": ["up", "down"]},
    },
    "required": ["query"],
}

AtMost50 = Annotated[int, pydantic.Field(le=50)]
Order = Literal["up", "down"]


class Model(pydantic.BaseModel):
    query: str
    limit: AtMost50 = 10
    order: Order = "up"


class Struct(msgspec.Struct):
    query: str
    limit: Annotated[int, msgspec.Meta(le=50)] = 10
    order: Order = "up"


@dataclasses.dataclass
class Data:
    query: str
    limit: AtMost50 = 10
    order: Order = "up"


class Typed(TypedDict):
    query: str
    limit: NotRequired[AtMost50]
    order: NotRequired[Order]


def search(query: str, limit: AtMost50 = 10, order: Order = "up") -> str:
    return query


MCP = {"name": "search", "inputSchema": SCHEMA, "annotations": {"readOnlyHint": True}}

LISTINGS: dict[str, Any] = {
    "anthropic": [{"name": "search", "description": "…", "input_schema": SCHEMA}],
    "openai chat": [{"type": "function", "function": {"name": "search", "parameters": SCHEMA}}],
    "openai responses": [{"type": "function", "name": "search", "parameters": SCHEMA, "strict": False}],
    "gemini": [{"function_declarations": [{"name": "search", "parameters": GEMINI}]}],
    "gemini, camel case": {"functionDeclarations": [{"name": "search", "parametersJsonSchema": SCHEMA}]},
    "bedrock": {"tools": [{"toolSpec": {"name": "search", "inputSchema": {"json": SCHEMA}}}]},
    "mcp": {"tools": [MCP]},
    "objects": [SimpleNamespace(model_dump=lambda **_: MCP)],
    "by name": {"search": SCHEMA},
}
TYPES: dict[str, Any] = {
    "pydantic": {"search": Model},
    "msgspec": {"search": Struct},
    "dataclass": {"search": Data},
    "TypedDict": {"search": Typed},
    "function": {"search": search},
    "functions": [search],
}
ALL = {**LISTINGS, **TYPES}
PARSED = {
    "pydantic": Model(query="tides", limit=3),
    "msgspec": Struct(query="tides", limit=3),
    "dataclass": Data(query="tides", limit=3),
}
