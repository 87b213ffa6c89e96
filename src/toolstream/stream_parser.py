"""`StreamParser`: bytes or decoded events of a model's response in, `Event`s out; no I/O.

The way of a chunk: `framing` cuts it into decoded events, the provider's adapter says what each means, the assembler
makes events of that. Trusts nothing that comes in. Guarantees that events before a fault are handed out with its
exception, and that a parser that has raised stays dead.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Literal, NoReturn

from . import providers
from .assembler import Assembler
from .call_progress import NO_EVENTS
from .calls import ToolCall
from .errors import (
    IncompleteError,
    InvalidFieldError,
    JSONError,
    LimitError,
    ToolStreamError,
    UnknownProviderError,
    excerpt,
)
from .event_objects import as_dict
from .events import Event
from .fields import Data, as_bytes
from .framing import (
    BOM,
    DONE,
    AutoFraming,
    EventDict,
    Frame,
    Framing,
    FramingName,
    SSEFraming,
    frame_events,
    new_framing,
)
from .json_parser import DuplicateKeys
from .lane import IS_FAST, LASTING, Lane
from .limits import Limits, check_limits, core_bound
from .paths import DeltasByTool, PathsByTool
from .settings import shared_settings
from .tools.checks import Checks, StopReading
from .tools.schemas import ON_INVALID, OnInvalid, toolset
from .usage import Usage
from .values import copied

OnError = Literal["raise", "event"]

# Types of events that come before a stream's first own event and don't tell its format.
UNDECIDED = ("ping", "keepalive", "codex.rate_limits", "vertex_event")
_HEAD = 200
_HINT = (
    ' (to read a local model\'s raw text, name its format, or provider="text"; to read a response or a file, pass it'
    " itself, not its address or name)"
)
# What is known of a stream: an or of these.
_TEXT = 1  # what comes in is text, for the adapter itself
_BEGUN = 2  # an event has come that decided nothing
_DONE = 4  # [DONE] has come: what follows is none of the stream's
_CLOSED = 8
_STOPPED = 16  # an invalid field has ended the reading
_GUESSED = 32  # that it is SSE, until the first bytes tell
_OVER = _DONE | _CLOSED | _STOPPED
# What code that expects a provider's shape may raise for data of another one.
_MISSHAPEN = (ArithmeticError, AttributeError, LookupError, RecursionError, TypeError, ValueError)


class StreamParser(Lane):
    """Reads one response, pushed in pieces.

    provider: "auto", a wire format's name ("anthropic", "openai-chat"), a server's ("openai", "mistral", "groq"; see
    `providers`), a text format's ("hermes", …) or a `TextFormat`, or an adapter. With a text format the model's raw
    text is fed.
    depth, paths, deltas: which fields are reported, as in `JSONParser`. paths and deltas may also be given by tool,
    `{tool name: paths}`; then a tool that paths does not name reports no field, and one that deltas does not name no
    growth.
    duplicate_keys: as in `JSONParser`.
    on_error: what a call's bad arguments do. "raise": the error ends the stream. "event": it becomes a `ToolCallError`,
    and the other calls go on.
    tools: the tools, in any form that a provider, MCP or a Python type gives them (docs/tools.md). Then arguments are
    checked field by field, and `ToolCallReady` and `FieldInvalid` are reported.
    on_invalid: what a field that breaks its schema does, besides its event. "event": nothing. "raise": it makes the
    call bad, and on_error decides. "close": nothing more is read.
    framing: "auto", "sse", "ndjson", "json-array", "aws" (the AWS event stream, which needs botocore)
    or, with a text format, "text" (which "auto" then means).
    limits: see `Limits`.
    prefill: for a text format, the end of the prompt, if it has opened reasoning or a call.

    It can be pickled and deep-copied between any two pieces. Raises `ValueError` or `TypeError` for options that can't
    be understood.
    """

    __slots__ = (
        "__weakref__",
        "_candidates",
        "_fault",
        "_head",
        "_marks",
    )

    def __init__(
        self,
        *,
        provider: Any = "auto",
        depth: int | None = 1,
        paths: PathsByTool | None = None,
        deltas: DeltasByTool = False,
        duplicate_keys: DuplicateKeys = "error",
        on_error: OnError = "raise",
        tools: Any = None,
        on_invalid: OnInvalid = "event",
        framing: FramingName = "auto",
        limits: Limits = Limits(),  # noqa: B008 - immutable
        prefill: str = "",
    ) -> None:
        self._set_up(
            provider, depth, paths, deltas, duplicate_keys, on_error, tools, on_invalid, framing, limits, prefill
        )

    def _set_up(
        self,
        provider: Any,
        depth: int | None,
        paths: PathsByTool | None,
        deltas: DeltasByTool,
        duplicate_keys: DuplicateKeys,
        on_error: OnError,
        tools: Any,
        on_invalid: OnInvalid,
        framing: FramingName,
        limits: Limits,
        prefill: str,
    ) -> None:
        if on_error not in ("raise", "event"):
            raise ValueError(f'on_error is "raise" or "event", not {on_error!r}')
        if duplicate_keys not in ("error", "last", "strict"):
            raise ValueError(f'duplicate_keys is "error", "last" or "strict", not {duplicate_keys!r}')
        if on_invalid not in ON_INVALID:
            raise ValueError(f'on_invalid is "event", "raise" or "close", not {on_invalid!r}')
        check_limits(limits)
        choice = providers.candidates(provider)
        known = None if tools is None else toolset(tools)
        text: Any = None
        self._candidates: list[type[providers.Adapter]] = []
        if isinstance(choice, list):
            self._candidates = choice
        elif providers.reads_text(choice):
            text = choice
        if text is not None:
            text.configure(prefill=prefill, tools=known, limits=limits)
        elif prefill or framing == "text":
            raise ValueError("prefill, and text itself, need a text format as provider")
        self._marks = _TEXT if text is not None and framing in ("auto", "text") else 0
        self._framing: Framing
        if framing in ("auto", "text"):
            self._marks |= _GUESSED
            self._framing = SSEFraming(limits.max_event_bytes)
        else:
            self._framing = new_framing(framing, limits.max_event_bytes)
        settings = shared_settings(depth, paths, deltas, duplicate_keys, on_error == "raise", limits)
        if known is not None:
            settings = settings.checked_by(Checks(known, on_invalid, settings.subscriptions))
        self._assembler = Assembler(settings)
        self._room = core_bound(limits.max_bytes)
        self._max_event = core_bound(limits.max_event_bytes)
        self._hopeful = IS_FAST
        self._head = b""  # the first bytes, to show and to judge by while no event has come
        self._fault: Exception | None = None
        if not isinstance(choice, list):
            self._adopt(choice)

    # ------------------------------------------------------------------ feeding

    # `feed` is the lane's; what does not take the fast one comes here. Nobody else is inside then.
    def _feed_slowly(self, data: Data, events: list[Event]) -> None:
        if self._fault is not None or self._marks & _CLOSED:
            self._check_alive()
        if self._marks & _TEXT:
            self._run(self._take_text, data, events)
            return
        chunk = data if type(data) is bytes else bytes(as_bytes(data))
        if self._adapter is None and len(self._head) < _HEAD:
            self._head += chunk[: _HEAD - len(self._head)]
        if self._marks & _GUESSED and chunk:
            self._marks ^= _GUESSED
            if chunk[:1].isalpha():  # as nearly every stream begins
                self._steady = self._is_steady()
            else:
                self._framing = AutoFraming(self._assembler.settings.limits.max_event_bytes)
        if self._steady and chunk and len(chunk) <= self._room:
            self._take_frames(chunk, events)
            return
        self._run(self._take, chunk, events)
        self._between = self._framing.between
        self._steady = self._is_steady()

    def _is_steady(self) -> bool:
        """Whether what comes next are SSE frames, and the fast lane may have them."""
        if type(self._framing) is not SSEFraming:
            return False
        return IS_FAST and not (self._marks & (_OVER | _GUESSED) or self._fault)

    def _take_frame(self, frame: Frame, events: list[Event]) -> None:
        """Takes a frame with which the fast lane can do nothing."""
        self._run(self._handle_frame, frame, events)

    def _take_fault(self, event: EventDict, error: Exception, events: list[Event]) -> None:
        """Takes what the adapter has raised when the fast lane gave it the event."""

        def refuse(fault: Exception) -> None:
            self._refuse(event, fault)

        self._run(refuse, error, events)

    def _spoil(self, call: ToolCall, error: Exception, events: list[Event]) -> None:
        """The fast lane has found a fault in a call's arguments, or their check has something to say."""

        def spoil(fault: Exception) -> None:
            if not isinstance(fault, JSONError):
                raise fault
            self._assembler.spoil(call, fault)

        self._run(spoil, error, events)

    def feed_event(self, event: Any) -> list[Event]:
        """Takes one event that is already decoded: a `dict`, an SSE event (with `data`), an SDK's object.

        Raises as `feed`, and `TypeError` for anything else.
        """
        self._enter()
        try:
            events = self._flushed()
            self._check_alive()
            self._run(self._take_event, event, events)
            return events
        finally:
            self._leave()

    def close(self) -> list[Event]:
        """The stream has ended. Returns the last events. Raises `IncompleteError` if the provider had not ended it."""
        self._enter()
        try:
            events = self._flushed()
            if self._marks & _CLOSED and self._fault is None:
                return []
            self._check_alive()
            self._marks |= _CLOSED
            self._steady = False
            self._run(self._end, None, events)
            return events
        finally:
            self._leave()

    def _flushed(self) -> list[Event]:
        """Has the slow lane take all that came, for what the fast one does not know."""
        events: list[Event] = []
        self._flush(events)
        self._unbind()
        return events

    def _check_alive(self) -> None:
        if self._fault is not None:
            if isinstance(self._fault, ToolStreamError):
                self._fault.events = []
            raise self._fault.with_traceback(None)  # else it would hold a frame more each time
        if self._marks & _CLOSED:
            raise ToolStreamError("the parser is closed")

    def _run(self, step: Callable[[Any], None], argument: Any, events: list[Event]) -> None:
        """Does one step and appends its events, or hands them over with its fault."""
        if self._marks & _STOPPED:
            return
        self._assembler.events = events
        try:
            step(argument)
        except StopReading:
            self._give_up()
            self._marks |= _STOPPED
        except (ToolStreamError, MemoryError) as error:
            self._give_up()
            self._fault = error
            if isinstance(error, ToolStreamError):
                error.events = events
            raise
        finally:
            self._assembler.events = NO_EVENTS

    def _give_up(self) -> None:
        """Nothing more will be read."""
        self._unbind()
        self._hopeful = self._steady = False
        self._assembler.abandon()

    def _take(self, data: bytes) -> None:
        within = data if len(data) <= self._room else data[: self._room]
        self._room -= len(within)
        self._framed += len(within)
        try:
            pieces = self._framing.feed(within)
            if type(self._framing) is AutoFraming:
                self._framing = self._framing.decided or self._framing
            for piece in pieces:
                if isinstance(piece, dict):
                    self._handle(piece)
                else:
                    self._handle_frame(piece)
        except LimitError as error:
            if error.limit != "max_event_bytes":
                raise
            # The framing does not know of the bytes that took the fast lane.
            skipped = core_bound(self._assembler.settings.limits.max_bytes) - self._room - self._framed
            raise LimitError(error.reason, limit=error.limit, offset=error.offset + skipped) from None
        if within is not data:
            limit = self._assembler.settings.limits.max_bytes
            raise LimitError(f"the stream is longer than max_bytes={limit}", limit="max_bytes", offset=limit or 0)

    def _take_text(self, data: Any) -> None:
        """Takes text as it is, in the format that the provider names."""
        adapter: Any = self._adapter
        data = data if isinstance(data, (str, bytes)) else bytes(as_bytes(data))
        room = self._room
        size = len(data) if isinstance(data, bytes) or data.isascii() else len(as_bytes(data))
        self._room -= min(size, room)
        if size > room:
            adapter.feed_text(bytes(as_bytes(data))[:room], self._assembler)
            limit = self._assembler.settings.limits.max_bytes
            raise LimitError(f"the stream is longer than max_bytes={limit}", limit="max_bytes", offset=limit or 0)
        adapter.feed_text(data, self._assembler)

    def _take_event(self, event: Any) -> None:
        if self._marks & _TEXT and not isinstance(getattr(event, "data", None), (str, bytes)):
            assert self._adapter is not None
            self._adapter.handle(event, self._assembler)  # else it is an SSE event, which may hold some of the text
            return
        decoded = as_dict(event)
        if decoded is not None:
            self._handle(decoded)

    def _handle_frame(self, frame: Frame) -> None:
        for event in frame_events(*frame):
            self._handle(event)

    def _handle(self, event: EventDict) -> None:
        if self._is_bound:
            self._unbind()  # what the template meant may change
        if self._marks & _DONE:
            return
        if event is DONE:
            self._marks |= _DONE
            self._steady = False
            self._finish(done=True)
            return
        try:
            adapter, assembler = self._adapter, self._assembler
            if adapter is None:
                adapter = self._recognise(event)
                if adapter is None:
                    return
            elif not assembler.started and not adapter.recognises(event):
                self._raise_error(event)  # a provider that the caller has named may answer with an error, too
            adapter.handle(event, assembler)
            if not self._known:
                self._known = assembler.started
        except (ToolStreamError, *_MISSHAPEN) as fault:
            self._refuse(event, fault)

    def _refuse(self, event: EventDict, fault: Exception) -> NoReturn:
        """Raises what came of an event, which may be no event of the provider's at all."""
        if isinstance(fault, ToolStreamError) or not isinstance(fault, _MISSHAPEN):
            raise fault
        provider = self.provider or "a known provider"
        what = f"an event that {provider} does not send"
        if self.provider is not None and provider not in providers.ADAPTERS:  # it may be the caller's adapter that errs
            what = f"an event that the adapter {provider!r} can't read"
        raise ToolStreamError(f"{what} ({type(fault).__name__}: {fault}): {excerpt(event)}") from fault

    def _recognise(self, event: EventDict) -> providers.Adapter | None:
        adapter = providers.recognise(event, self._candidates)
        if adapter is not None:
            return self._adopt(adapter())
        self._raise_error(event)
        if event.get("type") in UNDECIDED or event.keys() == {"type"}:  # the latter says nothing but that it has come
            self._marks |= _BEGUN
            return None
        raise UnknownProviderError(f"no known provider sends such an event: {excerpt(event)}", event=event)

    def _raise_error(self, event: EventDict) -> None:
        """Raises the `ProviderError` that a body instead of a stream tells of, if it does."""
        error = providers.find_error(event)
        if error is not None:
            raise error

    def _adopt(self, adapter: providers.Adapter) -> providers.Adapter:
        self._adapter = adapter
        self._head = b""
        self._assembler.provider = adapter.name
        self._hopeful = self._hopeful and hasattr(adapter, "repeats") and hasattr(adapter, "ignored")
        return adapter

    # ------------------------------------------------------------------ the end

    def _end(self, _: None) -> None:
        cut: IncompleteError | None = None
        try:
            for event in self._framing.close():
                self._handle(event)
        except IncompleteError as error:
            cut = error
        if cut is not None and not self._assembler.ended:
            self._assembler.break_off(cut.reason)
        self._finish(done=False)

    def _finish(self, done: bool) -> None:
        if self._assembler.ended or (self._marks & _DONE and not done):
            return
        if self._adapter is not None:
            self._adapter.end(self._assembler, done)
        elif self._marks & _BEGUN or (not done and self._begins_as_sse()):
            raise IncompleteError("the stream ended before its first event")
        else:
            head = self._head
            found = f"the stream holds no event of a known provider: {excerpt(head)}"
            raise UnknownProviderError(found + (_HINT if head else ""), event=head)

    def _begins_as_sse(self) -> bool:
        """Whether the bytes, which held no event, are the beginning of an SSE stream: blank lines may be, too."""
        head = self._head.removeprefix(BOM).lstrip()
        name, colon, _ = head.partition(b":")
        fields = (b"data", b"event", b"id", b"retry")
        return bool(self._head) and (name in (b"", *fields) if colon else any(f.startswith(name) for f in fields))

    # ------------------------------------------------------------------ reading

    @property
    def calls(self) -> list[ToolCall]:
        """Every tool call so far, in order of appearance."""
        return self._assembler.calls

    @property
    def text(self) -> str:
        """All visible text so far; of the first choice, where there are several."""
        return self._assembler.text

    @property
    def takes_text(self) -> bool:
        """What is fed is a model's raw text, not bytes of a provider's stream."""
        return bool(self._marks & _TEXT)

    def _expect_events(self, framing: FramingName) -> None:
        """What is fed is not the model's text itself after all, but a stream of events that hold it."""
        self._marks &= ~(_TEXT | _GUESSED)
        self._framing = new_framing(framing, self._assembler.settings.limits.max_event_bytes)

    @property
    def usage(self) -> Usage:
        """The token counts so far, of the last message."""
        return self._assembler.usage

    @property
    def is_checked(self) -> bool:
        """Calls are checked by their tools' schemas."""
        return self._assembler.settings.checks is not None

    @property
    def stopped(self) -> bool:
        """An invalid field has ended the reading (`on_invalid="close"`): nothing that is fed is looked at any more."""
        return bool(self._marks & _STOPPED)

    @property
    def invalid(self) -> InvalidFieldError | None:
        """The error of the first field that broke its schema (needs `tools`); its `tool_message` is for the model."""
        checks = self._assembler.settings.checks
        return None if checks is None else checks.invalid

    @property
    def stop_reason(self) -> str | None:
        """Why the message stopped, in the provider's own word; None until it says so."""
        return self._assembler.stop_reason

    @property
    def provider(self) -> str | None:
        """The name of the wire format; None before it is known."""
        return self._assembler.provider or None

    @property
    def model(self) -> str | None:
        """The model's name as the stream gives it."""
        return self._assembler.model

    @property
    def message(self) -> Any:
        """The assistant's message as the provider's next request must contain it.

        Raises `ToolStreamError` before the message's proper end, and if the provider's events make no message.
        """
        if not self._assembler.ended:
            raise ToolStreamError("the message has not ended; partial_message is what there is so far")
        try:
            return self._told_message()
        except _MISSHAPEN as mistake:
            reason = f"the provider's events make no message ({type(mistake).__name__}: {mistake})"
            raise ToolStreamError(reason) from mistake

    @property
    def partial_message(self) -> Any:
        """As `message`, as far as it has come. None before the provider is known, and if its events make no message."""
        try:
            return self._told_message()
        except _MISSHAPEN:
            return None

    def _told_message(self) -> Any:
        self._enter()
        try:
            # A copy: what the caller adds to it must not come back in the next one.
            return None if self._adapter is None else copied(self._adapter.message(self._assembler))
        finally:
            self._leave()

    # ------------------------------------------------------------------ pickling

    def __reduce__(self) -> tuple[Any, ...]:
        names = (*LASTING, *(name for name in StreamParser.__slots__ if name != "__weakref__"))
        return _new, (type(self),), {**{name: getattr(self, name) for name in names}, **getattr(self, "__dict__", {})}

    def __setstate__(self, state: dict[str, Any]) -> None:
        for name, value in state.items():
            setattr(self, name, value)
        self._steady = self._is_steady()
        self._known = self._adapter is not None and self._assembler.started


def _new(cls: type[StreamParser]) -> StreamParser:
    return cls.__new__(cls)
