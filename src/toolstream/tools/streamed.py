"""What a tool's function may ask for beside plain arguments: `Streamed` parameters, and its call while it is written.

These are the names for annotations; `channels` has what a function is given.
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterator
from typing import TYPE_CHECKING, Any, Generic, TypeVar, get_args, get_origin, overload

if TYPE_CHECKING:
    from ..calls import ToolCall

T = TypeVar("T")
T_co = TypeVar("T_co", covariant=True)


class Streamed(Generic[T_co]):
    """An argument that arrives while its function runs.

    `Streamed[str]` gives the text in pieces that joined are the value; `Streamed[list[T]]` gives each element as soon
    as it is final and valid. Iterate it once: with `async for` in an async function, with `for` in one on a thread.
    Raises `CallVoidError` where the call turns out void or invalid.
    """

    @overload
    def __aiter__(self: Streamed[str]) -> AsyncIterator[str]: ...

    @overload
    def __aiter__(self: Streamed[list[T]]) -> AsyncIterator[T]: ...

    def __aiter__(self) -> AsyncIterator[Any]:
        raise TypeError("this stream is read with `for`, on a thread")

    @overload
    def __iter__(self: Streamed[str]) -> Iterator[str]: ...

    @overload
    def __iter__(self: Streamed[list[T]]) -> Iterator[T]: ...

    def __iter__(self) -> Iterator[Any]:
        raise TypeError("this stream is read with `async for`")


class LiveCall:
    """A parameter of this type is no argument: it is the call itself, for async code that reads top to bottom.

    Both methods raise `CallVoidError` where the call turns out void or invalid.
    """

    call: ToolCall

    async def field(self, name: str) -> Any:
        """The top-level argument of this name, as soon as it is final and valid.

        Raises `KeyError` if the call ends without it.
        """
        raise NotImplementedError

    def stream(self, name: str) -> AsyncIterator[Any]:
        """The top-level argument of this name as it grows: the pieces of a string, the elements of a list."""
        raise NotImplementedError


class LiveThreadCall:
    """As `LiveCall`, for functions on a thread: `field` waits."""

    call: ToolCall

    def field(self, name: str) -> Any:
        """As `LiveCall.field`."""
        raise NotImplementedError

    def stream(self, name: str) -> Iterator[Any]:
        """As `LiveCall.stream`."""
        raise NotImplementedError


def is_live(annotation: Any) -> bool:
    """Whether a parameter asks for the call itself."""
    return annotation is LiveCall or annotation is LiveThreadCall


def streamed_type(annotation: Any) -> Any:
    """What a `Streamed[...]` annotation holds: `str` or a `list[...]`; None for any other annotation.

    Raises `ValueError` for a `Streamed` of anything else.
    """
    if annotation is Streamed:
        return str
    if get_origin(annotation) is not Streamed:
        return None
    (held,) = get_args(annotation)
    if held is not str and held is not list and get_origin(held) is not list:
        raise ValueError(f"a streamed parameter is Streamed[str] or Streamed[list[...]], not {annotation!r}")
    return held


def element_type(held: Any) -> Any:
    """The type of a list's elements."""
    return (get_args(held) or (Any,))[0]
