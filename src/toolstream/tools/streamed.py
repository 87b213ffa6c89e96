"""`Streamed[str]` and `Streamed[list[T]]`: parameters that are filled while the model writes them."""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterator
from typing import Any, Generic, TypeVar, get_args, get_origin, overload

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
