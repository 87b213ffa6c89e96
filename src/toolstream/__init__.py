"""Reads the tool calls of a streamed model response while the model is still writing them.

    for event in toolstream.parse(response):
        match event:
            case toolstream.FieldComplete(call=call, path=path, value=value):
                print(call.name, path, value)  # the call may still be streaming

`parse` reads a response, `StreamParser` bytes that you push yourself, `JSONParser` JSON alone, and `SSEParser` does the
framing alone. `dispatch` and `dispatch_sync` also run the calls' functions. All errors are `ToolStreamError`s.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from .calls import ToolCall
from .errors import (
    CallVoidError,
    DuplicateKeyError,
    IncompleteError,
    InvalidFieldError,
    JSONError,
    LimitError,
    ProviderError,
    SSEError,
    ToolStreamError,
    UnknownProviderError,
)
from .events import (
    Event,
    FieldComplete,
    FieldDelta,
    FieldInvalid,
    MessageEnd,
    MessageStart,
    ReasoningDelta,
    TextDelta,
    ToolCallEnd,
    ToolCallError,
    ToolCallReady,
    ToolCallStart,
    UsageUpdate,
)
from .json_parser import JSONParser, loads
from .limits import Limits
from .parse import AsyncEventStream, EventStream, parse
from .sse import ServerSentEvent, SSEParser
from .stream_parser import StreamParser
from .tools.content import Image
from .tools.declared import tool
from .tools.partial import ABSENT, INVALID, PENDING, Partial
from .tools.results import Result, Results
from .tools.streamed import LiveCall, LiveThreadCall, Streamed
from .usage import Usage

if TYPE_CHECKING:
    from .text_formats import TextFormat, text_format
    from .tools.dispatch import AsyncRun, dispatch
    from .tools.dispatch_sync import ThreadRun, dispatch_sync

__version__ = "0.1.0"

__all__ = [
    "ABSENT",
    "INVALID",
    "PENDING",
    "AsyncEventStream",
    "AsyncRun",
    "CallVoidError",
    "DuplicateKeyError",
    "Event",
    "EventStream",
    "FieldComplete",
    "FieldDelta",
    "FieldInvalid",
    "Image",
    "IncompleteError",
    "InvalidFieldError",
    "JSONError",
    "JSONParser",
    "LimitError",
    "Limits",
    "LiveCall",
    "LiveThreadCall",
    "MessageEnd",
    "MessageStart",
    "Partial",
    "ProviderError",
    "ReasoningDelta",
    "Result",
    "Results",
    "SSEError",
    "SSEParser",
    "ServerSentEvent",
    "StreamParser",
    "Streamed",
    "TextDelta",
    "TextFormat",
    "ThreadRun",
    "ToolCall",
    "ToolCallEnd",
    "ToolCallError",
    "ToolCallReady",
    "ToolCallStart",
    "ToolStreamError",
    "UnknownProviderError",
    "Usage",
    "UsageUpdate",
    "dispatch",
    "dispatch_sync",
    "loads",
    "parse",
    "text_format",
    "tool",
]

# What not everybody needs. asyncio and threads take longer to import than all the rest of this package, and the text
# formats would add half as much again.
_LAZY = {
    "AsyncRun": ".tools.dispatch",
    "TextFormat": ".text_formats",
    "ThreadRun": ".tools.dispatch_sync",
    "dispatch": ".tools.dispatch",
    "dispatch_sync": ".tools.dispatch_sync",
    "text_format": ".text_formats",
}


def __getattr__(name: str) -> Any:
    module = _LAZY.get(name)
    if module is None:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    from importlib import import_module

    return getattr(import_module(module, __name__), name)


def __dir__() -> list[str]:
    return sorted([*__all__, *(name for name in globals() if name.startswith("__"))])
