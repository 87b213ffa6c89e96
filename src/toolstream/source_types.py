"""What type checkers are told of sources and options; no program imports it.

`parse` itself looks at the object, not at these types.
"""

from __future__ import annotations

from collections.abc import AsyncIterable, AsyncIterator, Iterable, Iterator
from contextlib import AbstractAsyncContextManager, AbstractContextManager
from typing import Any, Protocol, TypeAlias, TypedDict

from .framing import FramingName
from .json_parser import DuplicateKeys
from .limits import Limits
from .paths import DeltasByTool, PathsByTool
from .stream_parser import OnError
from .tools.schemas import OnInvalid


class ReadingOptions(TypedDict, total=False):
    """The options of `parse` that `dispatch` hands on."""

    provider: Any
    depth: int | None
    paths: PathsByTool | None
    deltas: DeltasByTool
    duplicate_keys: DuplicateKeys
    framing: FramingName
    limits: Limits
    prefill: str


class ParseOptions(ReadingOptions, total=False):
    """All options of `parse`."""

    on_error: OnError
    tools: Any
    on_invalid: OnInvalid


class _Readable(Protocol):
    def read(self, size: int, /) -> bytes: ...


class _WithEvents(Protocol):
    def events(self) -> Iterable[Any]: ...


class _WithAsyncContent(Protocol):
    @property
    def content(self) -> AsyncIterable[bytes]: ...


class _WithHTTPXBody(Protocol):
    def iter_bytes(self) -> Iterator[bytes]: ...

    def aiter_bytes(self) -> AsyncIterator[bytes]: ...


class _WithHTTPXResponse(Protocol):
    @property
    def response(self) -> _WithHTTPXBody: ...

    def iter_sse(self) -> Iterator[Any]: ...


class _WithSDKResponse(Protocol):
    @property
    def http_response(self) -> _WithHTTPXBody: ...


AsyncSource: TypeAlias = AsyncIterable[Any] | _WithAsyncContent | AbstractAsyncContextManager[Any]
SyncSource: TypeAlias = Iterable[Any] | _Readable | _WithEvents | AbstractContextManager[Any]
EitherSource: TypeAlias = _WithHTTPXBody | _WithHTTPXResponse | _WithSDKResponse
"""An `httpx.Response` and what holds one: their types don't say whether they are sync."""
