from collections.abc import Callable, Generator
from typing import Any

from ..calls import CallFlags
from ..events import Event, FieldComplete, FieldDelta, ReasoningDelta, TextDelta
from ..fields import CffiFields as Fields
from ..lane import SlowLane as Lane
from ..sse import CffiFrames as Frames
from ..text_formats.cursor import CffiMarkers as Markers
from ..text_formats.cursor import CffiText as Text

__all__ = [
    "CallFlags",
    "Constructor",
    "Fields",
    "Frames",
    "Lane",
    "Markers",
    "Record",
    "Steps",
    "Text",
    "configure",
    "shared",
]

class Record: ...

class Constructor:
    def __init__(
        self,
        cls: type,
        names: tuple[str, ...],
        slots: tuple[str, ...],
        written: Callable[..., None],
        values: tuple[Any, ...],
        /,
    ) -> None: ...
    def __call__(self, instance: object, *args: Any, **kwargs: Any) -> None: ...

def Steps(generator: Generator[Event], /) -> Generator[Event]: ...  # noqa: N802
def shared(text: Any, /) -> Any: ...
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
