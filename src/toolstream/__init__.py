"""toolstream reads the tool calls of a streamed model response while the model is still writing them.

`parse` for a response, `StreamParser` for bytes that you push yourself, `JSONParser` for JSON alone, `SSEParser` for
the framing alone, `dispatch` to run the calls' functions meanwhile.
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
from .text_formats import TextFormat, text_format
from .tools.content import Image
from .tools.declared import tool
from .tools.partial import ABSENT, INVALID, PENDING, Partial
from .tools.results import Result, Results
from .tools.streamed import LiveCall, LiveThreadCall, Streamed
from .usage import Usage

if TYPE_CHECKING:
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

# They need asyncio and threads, whose import would cost everybody else more than all the rest of this package.
_LAZY = {
    "AsyncRun": "dispatch",
    "ThreadRun": "dispatch_sync",
    "dispatch": "dispatch",
    "dispatch_sync": "dispatch_sync",
}


def __getattr__(name: str) -> Any:
    module = _LAZY.get(name)
    if module is None:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    from importlib import import_module

    return getattr(import_module(f".tools.{module}", __name__), name)
