"""`Tool`, the one form of everything that `tools` takes, and `@tool`, which says beside a function what it does."""

from __future__ import annotations

import functools
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any, Literal, TypeVar, overload

from .shapes import Shape

Effects = Literal["none", "idempotent", "once"]
Start = Literal["ready", "final", "closed", "confirmed", "committed"]

EFFECTS = ("none", "idempotent", "once")
STARTS = ("ready", "final", "closed", "confirmed", "committed")

_F = TypeVar("_F", bound=Callable[..., Any])
_MARK = "__toolstream_tool__"


@dataclass(frozen=True, slots=True)
class Declaration:
    """What `@tool` says. None: nothing said."""

    name: str | None = None
    effects: Effects | None = None
    start: Start | None = None
    schema: Any = None


@dataclass(slots=True)
class Tool:
    """One tool.

    shape: what its arguments must look like; None where nothing is known of them.
    function: what runs it, where the caller has given one. streamed: what its `Streamed` parameters hold. live: its
    parameter that is the call itself. takes: the only arguments that it is given; None: any. text: its only parameter,
    which is given what a model writes that is no JSON.
    """

    name: str
    shape: Shape | None = None
    function: Callable[..., Any] | None = None
    effects: Effects | None = None
    start: Start | None = None
    streamed: dict[str, Any] = field(default_factory=dict)
    live: str | None = None
    takes: frozenset[str] | None = None
    text: str | None = None


@overload
def tool(function: _F, /) -> _F: ...


@overload
def tool(
    *, name: str | None = None, effects: Effects | None = None, start: Start | None = None, schema: Any = None
) -> Callable[[_F], _F]: ...


def tool(
    function: Any = None,
    /,
    *,
    name: str | None = None,
    effects: Effects | None = None,
    start: Start | None = None,
    schema: Any = None,
) -> Any:
    """Tells `dispatch` about a function, which itself stays as it is.

    name: the tool's name, if it is not the function's.
    effects: "none" (it only reads), "idempotent" (running it twice is the same as once) or "once" (it must run at most
        once, and only if the model means it).
    start: how far the call must have come before the function starts, if effects does not say it: "ready", "final",
        "closed", "confirmed" or "committed". See docs/tools.md.
    schema: the tool as a provider or MCP lists it. The arguments are checked by that, and its hints count.

    Raises `ValueError` for other words, and `TypeError` for what can't be marked: a bound method, a builtin.
    """
    if effects is not None and effects not in EFFECTS:
        raise ValueError(f"effects is one of {', '.join(map(repr, EFFECTS))}, not {effects!r}")
    if start is not None and start not in STARTS:
        raise ValueError(f"start is one of {', '.join(map(repr, STARTS))}, not {start!r}")
    if effects == "once" and start not in (None, "committed"):
        raise ValueError(f'what runs at most once starts at "committed", not at {start!r}')
    if function is None:
        return functools.partial(_declare, Declaration(name, effects, start, schema))
    return _declare(Declaration(), function)


def _declare(declaration: Declaration, function: Any) -> Any:
    try:
        setattr(function, _MARK, declaration)
    except AttributeError:
        reason = "can't be marked as a tool: decorate the function where it is defined, or a function that calls it"
        raise TypeError(f"{function!r} {reason}") from None
    return function


def declaration_of(function: Any) -> Declaration:
    """What `@tool` has said of a function."""
    declaration = getattr(function, _MARK, None)
    return declaration if isinstance(declaration, Declaration) else Declaration()
