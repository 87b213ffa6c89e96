"""toolstream reads the tool calls of a streamed model response while the model is still writing them.

`parse` for a response, `StreamParser` for bytes that you push yourself, `JSONParser` for JSON alone, `SSEParser` for
the framing alone.
"""

from .calls import ToolCall
from .errors import (
    DuplicateKeyError,
    IncompleteError,
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
from .usage import Usage

__version__ = "0.1.0"

__all__ = [
    "AsyncEventStream",
    "DuplicateKeyError",
    "Event",
    "EventStream",
    "FieldComplete",
    "FieldDelta",
    "FieldInvalid",
    "IncompleteError",
    "JSONError",
    "JSONParser",
    "LimitError",
    "Limits",
    "MessageEnd",
    "MessageStart",
    "ProviderError",
    "ReasoningDelta",
    "SSEError",
    "SSEParser",
    "ServerSentEvent",
    "StreamParser",
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
]
