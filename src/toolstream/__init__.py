"""toolstream reads the tool calls of a streamed model response while the model is still writing them."""

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
from .usage import Usage

__version__ = "0.1.0"
