"""What both kinds of run share: how one is set up, and what it shows."""

from __future__ import annotations

import inspect
from collections import deque
from collections.abc import Callable, Mapping
from functools import partial
from typing import TYPE_CHECKING, Any

from ..errors import ToolStreamError
from ..events import Event, FieldComplete, FieldDelta
from ..parse import AsyncEventStream, EventStream, parse
from ..providers import reads_text
from .answers import TEXT
from .declared import Start
from .results import Results
from .runs import OnToolError, Run, Runs
from .schemas import OnInvalid, toolset

if TYPE_CHECKING:
    from ..calls import ToolCall
    from ..errors import InvalidFieldError
    from ..usage import Usage

MAX_BUFFERED = 65536


class RunBase:
    """What a run shows, whether its functions are tasks or on threads.

    Events are read by whoever needs the next one: who iterates, or who waits for the results. What the second one reads
    is kept for the first (`_unread`), so that both may go on at once.
    """

    def __init__(
        self,
        stream: Any,
        runs: Runs,
        *,
        before_start: Callable[[ToolCall], Any] | None,
        on_error: OnToolError,
        max_buffered: int,
    ) -> None:
        self._stream = stream
        self._stream._reading.marks = True
        self._runs = runs
        self._before_start = before_start
        self._raises = on_error == "raise"
        self._max_buffered = max_buffered
        self._unread: deque[Event] = deque()
        self._watchers = 0  # that iterate
        self._results: Results | None = None
        self._fault: BaseException | None = None
        self._has_failed = False  # a function has raised
        self._is_closing = False
        self._is_ending = False

    @property
    def results(self) -> Results:
        """What became of each call; also after the stream has raised. Raises `ToolStreamError` before the end."""
        if self._results is None:
            raise ToolStreamError("the run has not ended")
        return self._results

    @property
    def calls(self) -> list[ToolCall]:
        """Every tool call so far, in order of appearance."""
        calls: list[ToolCall] = self._stream.calls
        return calls

    @property
    def message(self) -> Any:
        """As `EventStream.message`."""
        return self._stream.message

    @property
    def partial_message(self) -> Any:
        """As `EventStream.partial_message`."""
        return self._stream.partial_message

    @property
    def text(self) -> str:
        """The visible text so far."""
        return str(self._stream.text)

    @property
    def usage(self) -> Usage:
        """The token counts so far."""
        usage: Usage = self._stream.usage
        return usage

    @property
    def stop_reason(self) -> str | None:
        """The provider's own word for why the message ended."""
        return self._stream.stop_reason  # type: ignore[no-any-return]

    @property
    def provider(self) -> str | None:
        """The name of the wire format, or None until it is known."""
        return self._stream.provider  # type: ignore[no-any-return]

    @property
    def model(self) -> str | None:
        """The model's name as the provider gives it, or None."""
        return self._stream.model  # type: ignore[no-any-return]

    @property
    def invalid(self) -> InvalidFieldError | None:
        """As `EventStream.invalid`."""
        invalid: InvalidFieldError | None = self._stream.invalid
        return invalid

    def turn(self) -> list[Any]:
        """What to append to the conversation: the assistant's message, and the results."""
        return self.results.turn(self.message)

    def _asked_for(self, event: Event) -> bool:
        """Whether an event is the caller's, or only for the functions."""
        if not isinstance(event, (FieldComplete, FieldDelta)) or event.call._check is None:
            return True
        checks = self._stream._reading.parser._assembler.settings.checks
        return bool(checks.asked_for(event.call, event.path, isinstance(event, FieldDelta)))

    def _fail(self, run: Run, error: BaseException) -> None:
        """A function has raised, or what `before_start` asks has."""
        self._has_failed = True
        run.end("error", error=error)

    def _raise_first_error(self) -> None:
        if self._raises and self._has_failed:
            error = next((run.result.error for run in self._runs.all if run.result.status == "error"), None)
            if error is not None:
                raise error

    @property
    def _begins_no_more(self) -> bool:
        """What has not begun never will, and what has is told to end."""
        return self._is_closing or (self._fault is not None and self._raises)

    def _conclude(self) -> None:
        is_text = reads_text(self._stream._reading.parser._adapter)
        self._results = Results([run.result for run in self._runs.all], TEXT if is_text else self._stream.provider)


def opened(
    source: Any,
    tools: Any,
    options: Mapping[str, Any],
    *,
    in_loop: bool,
    on_error: OnToolError,
    max_concurrency: int | None,
    start: Start | None,
    on_invalid: OnInvalid,
) -> tuple[Any, Callable[..., Runs]]:
    """The stream of a run, and what makes its `Runs`. in_loop: for `dispatch`. Raises as `dispatch` and `dispatch_sync`
    say."""
    known = toolset(tools, shows_all=True)
    if on_error not in ("result", "raise"):
        raise ValueError(f'on_error is "result" or "raise", not {on_error!r}')
    if max_concurrency is not None and max_concurrency < 1:
        raise ValueError(f"max_concurrency is from 1 on, not {max_concurrency}")
    for tool in known.tools:
        if tool.function is None:
            continue
        if not in_loop and is_async(tool.function):
            raise ValueError(f"{tool.name!r} is async: dispatch runs it, on an async source")
        if in_loop and not is_async(tool.function) and (tool.streamed or tool.live):
            raise ValueError(f"{tool.name!r} reads its call as it is written: with dispatch it must be async")
    stream = parse(source, **{"on_error": "event", **options, "tools": known, "on_invalid": on_invalid})
    if in_loop and not isinstance(stream, AsyncEventStream):
        raise TypeError("dispatch takes an async source; for this one there is dispatch_sync")
    if not in_loop and not isinstance(stream, EventStream):
        raise TypeError("dispatch_sync takes a sync source; for this one there is dispatch")
    assembler = stream._reading.parser._assembler
    return stream, partial(Runs, known, start=start, withdrawals=lambda: assembler.withdrawals)


def is_async(function: Any) -> bool:
    """Whether a function runs on the event loop."""
    return inspect.iscoroutinefunction(function) or inspect.isasyncgenfunction(function)


def called(function: Callable[..., Any], arguments: dict[str, Any]) -> Any:
    """What a plain function returns; of a generator all that it yields, which is where its work is done."""
    value = function(**arguments)
    return list(value) if inspect.isgenerator(value) else value
