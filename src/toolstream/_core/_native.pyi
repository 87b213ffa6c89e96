from collections.abc import Callable
from typing import Any

from ..events import FieldComplete, FieldDelta, ReasoningDelta, TextDelta
from ..fields import CffiFields as Fields
from ..lane import SlowLane as Lane
from ..sse import CffiFrames as Frames
from ..text_formats.cursor import CffiMarkers as Markers
from ..text_formats.cursor import CffiText as Text

__all__ = ["Fields", "Frames", "Lane", "Markers", "Text", "configure"]

def configure(
    complete: type[FieldComplete],
    delta: type[FieldDelta],
    text: type[TextDelta],
    reasoning: type[ReasoningDelta],
    loads: Callable[..., Any],
    load: Callable[..., Any],
    load_string: Callable[..., Any],
    /,
) -> None: ...
