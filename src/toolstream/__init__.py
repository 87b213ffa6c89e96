"""toolstream reads the tool calls of a streamed model response while the model is still writing them.

`parse` for a response, `StreamParser` for bytes that you push yourself, `JSONParser` for JSON alone, `SSEParser` for
the framing alone.
"""

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
from .tools.declared import tool
from .tools.partial import ABSENT, INVALID, PENDING, Partial
from .tools.streamed import Streamed
from .usage import Usage

__version__ = "0.1.0"

__all__ = [
    "ABSENT",
    "INVALID",
    "PENDING",
    "AsyncEventStream",
    "CallVoidError",
    "DuplicateKeyError",
    "Event",
    "EventStream",
    "FieldComplete",
    "FieldDelta",
    "FieldInvalid",
    "IncompleteError",
    "InvalidFieldError",
    "JSONError",
    "JSONParser",
    "LimitError",
    "Limits",
    "MessageEnd",
    "MessageStart",
    "Partial",
    "ProviderError",
    "ReasoningDelta",
    "SSEError",
    "SSEParser",
    "ServerSentEvent",
    "StreamParser",
    "Streamed",
    "TextDelta",
    "ToolCall",
    "ToolCallEnd",
    "ToolCallError",
    "ToolCallReady",
    "ToolCallStart",
    "ToolStreamError",
    "UnknownProviderError",
    "Usage",
    "UsageUpdate",
    "loads",
    "parse",
    "tool",
]
