"""What a source is, how its items are got, and how it is closed; `intake` says what the items are.

Nothing is imported to find out: a source is known by what it can do. It is trusted to yield what it says; its own
exceptions pass through. Guaranteed here: looking at a source reads nothing from it, reads never wait for more than the
next bytes, and closing reaches the connection where the source has a public way to it.
"""

from __future__ import annotations

import inspect
import io
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator, Mapping
from types import GeneratorType
from typing import Any, Literal, NamedTuple

_READ_SIZE = 64 * 1024


class Kind(NamedTuple):
    """One kind of source. read starts it; its result is iterated, and closed before the source is."""

    fits: Callable[[Any], bool]
    read: Callable[[Any], Any]
    is_async: bool


def unwrap(source: Any) -> Any:
    """The response itself where source is no more than a view of one.

    That is the `with_raw_response` / `with_streaming_response` object of the anthropic and openai SDKs, and
    httpx_sse's `EventSource` (whose demand for a content type would hide the message of an error body).
    """
    if type(source) in _PLAIN:
        return source
    if hasattr(source, "http_response"):
        return source.http_response
    if hasattr(source, "iter_sse") and hasattr(source, "response"):
        return source.response
    return source


def told_framing(source: Any) -> Literal["sse", "ndjson"] | None:
    """How an (unwrapped) HTTP response says that its body is framed: by its content type; None if it does not.

    Asked only where the bytes might be text as well, a model's own.
    """
    headers: Any = getattr(source, "headers", None)
    told = headers.get("content-type") if hasattr(headers, "get") else None
    kind = told.partition(";")[0].strip().lower() if isinstance(told, str) else ""
    if kind == "text/event-stream":
        return "sse"
    return "ndjson" if kind.startswith("application/") and "json" in kind else None


def recognise(source: Any) -> Kind:
    """The kind of an (unwrapped) source; TypeError if it is none."""
    if type(source) in _PLAIN:
        return _ITERABLE
    for kind in _KINDS:
        if kind.fits(source):
            return kind
    name = type(source).__name__
    if inspect.isawaitable(source):
        raise TypeError(f"can't read a {name}: await it first, and pass what it gives")
    if _is_path(source):
        raise TypeError(f'can\'t read a {name}: open it ("rb"), and pass the file')
    raise TypeError(
        f"can't read a {name}: a source is an HTTP response, a binary file, an SDK's stream, or an iterable "
        "or async iterable of bytes, text, lines or events"
    )


def close_sync(items: Any, source: Any) -> None:
    """Closes what `Kind.read` gave, then the source, as far as they can be closed."""
    try:
        if items is not source:
            _call(items, "close")
    finally:
        _call(source, "close")


async def close_async(items: Any, source: Any) -> None:
    """As `close_sync`; the source's `close` may be a coroutine function (SDK streams) or not (aiohttp)."""
    try:
        if items is not source:
            await _call_async(items, "aclose")
    finally:
        if hasattr(source, "aclose"):
            await _call_async(source, "aclose")
        else:
            await _call_async(source, "close")


def is_running(steps: Any) -> bool:
    """Is this a generator in the middle of a step, in another thread or task? It can't be closed then."""
    return getattr(steps, "gi_running", False) or getattr(steps, "ag_running", False)


def _call(owner: Any, name: str) -> Any:
    method = getattr(owner, name, None)
    return method() if callable(method) and not is_running(owner) else None


async def _call_async(owner: Any, name: str) -> None:
    pending = _call(owner, name)
    if isinstance(pending, Awaitable):
        await pending


def event_of(error: Exception) -> dict[str, Any] | None:
    """The provider's own error where it came as an event that the client raises: botocore's `EventStreamError`."""
    kinds = type(error).__mro__
    if not any(kind.__name__ == "EventStreamError" and kind.__module__.startswith("botocore.") for kind in kinds):
        return None
    told = getattr(error, "response", {}).get("Error", {})
    return {"error": {"type": told.get("Code"), "message": told.get("Message") or str(error)}}


# Kinds of sources


def is_text(source: Any) -> bool:
    """Whether it is text or bytes, as a source or as an item."""
    return isinstance(source, (str, bytes, bytearray, memoryview))


def _read_whole(source: Any) -> Iterator[Any]:
    return iter((source,))


def _is_httpx(source: Any) -> bool:
    return hasattr(source, "iter_bytes")


def _is_async_httpx(source: Any) -> bool:
    # httpx has one class for both; only the body tells. A body given as bytes is both, and is read as sync.
    return hasattr(source, "aiter_bytes") and _is_async_iterable(getattr(source, "stream", None))


def _read_httpx(source: Any) -> Iterator[bytes]:
    return source.iter_bytes()  # type: ignore[no-any-return]


def _read_async_httpx(source: Any) -> AsyncIterator[bytes]:
    return source.aiter_bytes()  # type: ignore[no-any-return]


def _is_requests(source: Any) -> bool:
    return hasattr(source, "iter_content")


def _read_requests(source: Any) -> Iterator[bytes]:
    # iter_content(None) gives what is there if the body has been read already, and each HTTP chunk as it
    # comes if it is chunked; of any other body it would wait for the end.
    raw = getattr(source, "raw", None)
    if raw is None or getattr(source, "_content_consumed", False) or getattr(raw, "chunked", False):
        return source.iter_content(None)  # type: ignore[no-any-return]
    if hasattr(raw, "read1"):
        return _read_urllib3(raw) if hasattr(raw, "release_conn") else _read_file(raw)
    return source.iter_content(1)  # type: ignore[no-any-return]


def _is_urllib3(source: Any) -> bool:
    return hasattr(source, "release_conn") and hasattr(source, "stream")


def _read_urllib3(source: Any) -> Iterator[bytes]:
    if source.closed:  # preload_content=True, urllib3's default
        return iter((source.data or b"",))
    if hasattr(source, "read1"):
        return _until_empty(lambda: source.read1(_READ_SIZE, decode_content=True))
    # urllib3 1.x has no read that returns early, but for chunked bodies.
    return source.stream(None if source.chunked else 1, decode_content=True)  # type: ignore[no-any-return]


def _is_file(source: Any) -> bool:
    # Text files are read by the line, which is as prompt as they can be.
    is_async = hasattr(source, "__aiter__")
    return hasattr(source, "read") and not is_async and not isinstance(source, io.TextIOBase)


def _read_file(source: Any) -> Iterator[Any]:
    read = getattr(source, "read1", source.read)
    return _until_empty(lambda: read(_READ_SIZE))


def _until_empty(read: Callable[[], Any]) -> Iterator[Any]:
    while data := read():
        yield data


def _is_sseclient(source: Any) -> bool:
    return callable(getattr(source, "events", None)) and not _is_iterable(source) and not _is_async_iterable(source)


def _read_sseclient(source: Any) -> Iterator[Any]:
    return iter(source.events())


def _is_iterable(source: Any) -> bool:
    # A dict is one event, or a whole answer; what can be awaited iterates over its own waiting.
    return hasattr(source, "__iter__") and not isinstance(source, (Mapping, Awaitable))


def _is_async_iterable(source: Any) -> bool:
    # An object that is both, such as litellm's stream, is read as sync; `aiter(source)` or an async
    # generator around it says otherwise.
    return hasattr(source, "__aiter__") and not hasattr(source, "__iter__")


def _read_async_iterable(source: Any) -> AsyncIterator[Any]:
    return aiter(source)


def _is_aiohttp_body(source: Any) -> bool:
    return hasattr(source, "iter_any") and hasattr(source, "at_eof")


def _read_aiohttp_body(source: Any) -> AsyncIterator[bytes]:
    return aiter(source.iter_any())


def _is_aiohttp(source: Any) -> bool:
    # `content` is asked last: elsewhere it is a property that reads the body.
    return inspect.iscoroutinefunction(getattr(source, "read", None)) and _is_aiohttp_body(source.content)


async def _read_aiohttp(source: Any) -> AsyncIterator[bytes]:
    if source.content.at_eof():  # read already; aiohttp keeps what its read() got
        yield await source.read()
        return
    async for chunk in source.content.iter_any():
        yield chunk


def _is_manager(source: Any) -> bool:
    return hasattr(source, "__enter__") and not _is_path(source)


def _is_path(source: Any) -> bool:
    return hasattr(source, "__fspath__")


def _read_manager(source: Any) -> Iterator[Any]:
    with source as entered:
        inner = unwrap(entered)
        kind = _kind_inside(source, inner, is_async=False)
        yield from kind.read(inner)


def _is_async_manager(source: Any) -> bool:
    return hasattr(source, "__aenter__")


async def _read_async_manager(source: Any) -> AsyncIterator[Any]:
    async with source as entered:
        inner = unwrap(entered)
        items = _kind_inside(source, inner, is_async=True).read(inner)
        try:
            async for item in items:
                yield item
        finally:
            await _call_async(items, "aclose")


def _kind_inside(manager: Any, entered: Any, *, is_async: bool) -> Kind:
    kind = recognise(entered)
    if kind.is_async != is_async or kind.read in (_read_manager, _read_async_manager):
        raise TypeError(
            f"can't read what {type(manager).__name__} gives: enter it, and pass a {type(entered).__name__}"
        )
    return kind


_ITERABLE = Kind(_is_iterable, iter, is_async=False)
# Types that are this and nothing else, which needs no look at all the others.
_PLAIN = frozenset({list, tuple, GeneratorType, type(iter(()))})

# In this order: what can do more comes first, and nothing is asked that would read a body.
_KINDS = (
    Kind(is_text, _read_whole, is_async=False),
    Kind(_is_async_httpx, _read_async_httpx, is_async=True),
    Kind(_is_httpx, _read_httpx, is_async=False),
    Kind(_is_requests, _read_requests, is_async=False),
    Kind(_is_urllib3, _read_urllib3, is_async=False),
    Kind(_is_aiohttp_body, _read_aiohttp_body, is_async=True),
    Kind(_is_async_iterable, _read_async_iterable, is_async=True),
    Kind(_is_aiohttp, _read_aiohttp, is_async=True),
    Kind(_is_file, _read_file, is_async=False),
    _ITERABLE,
    Kind(_is_sseclient, _read_sseclient, is_async=False),
    Kind(_is_manager, _read_manager, is_async=False),
    Kind(_is_async_manager, _read_async_manager, is_async=True),
)
