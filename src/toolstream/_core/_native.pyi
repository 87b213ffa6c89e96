from collections.abc import Callable
from typing import Any

from ..events import FieldComplete, FieldDelta
from ..fields import CffiFields as Fields

__all__ = ["Fields", "configure"]

def configure(
    complete: type[FieldComplete],
    delta: type[FieldDelta],
    loads: Callable[..., Any],
    load: Callable[..., Any],
    load_string: Callable[..., Any],
    /,
) -> None: ...
