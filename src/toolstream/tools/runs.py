"""When each call's function may start, what it is given, and what becomes of it: all of `dispatch` but the waiting.

`Runs` reads the events of a stream in order and keeps a `Run` for each call. It starts nothing itself: it says which
runs are due, and tells those that have begun when their call turns void or invalid. Guarantees that a run is due once,
on values that no later byte can change, and that it gets copies which the stream no longer touches.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import TYPE_CHECKING, Any, Literal

from ..errors import CallVoidError, InvalidFieldError, ToolStreamError
from ..events import (
    Event,
    FieldComplete,
    FieldDelta,
    FieldInvalid,
    MessageEnd,
    ToolCallError,
    ToolCallReady,
    ToolCallStart,
)
from ..values import copied
from .channels import Channel
from .declared import STARTS, Start, Tool
from .partial import INVALID
from .results import Result, Status

if TYPE_CHECKING:
    from ..calls import ToolCall
    from .channels import Bell
    from .schemas import Toolset

Decision = Literal["execute", "defer", "refuse"]
OnToolError = Literal["result", "raise"]

_WHOLE = ("closed", "confirmed", "committed")
_LEVEL_OF_EFFECTS: dict[str, Start] = {"none": "final", "idempotent": "closed", "once": "committed"}

now = time.perf_counter


class Run:
    """One call on its way through its function.

    state: "pending", "due" (being asked for, or waiting for a free place), "running", "over".
    waiting: how many places in the function wait for more of the call. failure: why the call does not count.
    """

    def __init__(self, call: ToolCall, bell: Bell, room: Callable[[], None]) -> None:
        self.call = call
        self.bell = bell
        self.room = room  # says that the function has read, or waits
        self.result = Result(call)
        self.tool: Tool | None = None
        self.state: Literal["pending", "due", "running", "over"] = "pending"
        self.deferred = False
        self.waiting = 0
        self.failure: ToolStreamError | None = None
        self._frozen: dict[str, Any] | None = None
        self._channels: dict[str, Channel] = {}

    @property
    def arguments(self) -> dict[str, Any]:
        """The plain arguments that the function is given."""
        return self._frozen or {}

    def channel(self, name: str) -> Channel:
        """What has come of a streamed argument."""
        if name not in self._channels:
            self._channels[name] = Channel()
            self._channels[name].ended = self.knows(name)
        return self._channels[name]

    def check(self) -> None:
        """Raises `CallVoidError` if the call does not count any more."""
        if self.failure is not None:
            error = CallVoidError(f"the call of {self.call.name!r} does not count: {self.failure}", call=self.call)
            raise error from self.failure

    def knows(self, name: str) -> bool:
        """Whether the argument of this name is final, or will not come."""
        check = self.call._check
        return check is not None and (name in check.values or check.finished)

    def value(self, name: str) -> Any:
        """The argument of this name. Raises `KeyError` if there is none."""
        check = self.call._check
        values = {} if check is None else check.values
        return copied(values[name])

    def begin(self) -> None:
        """The function starts. Raises `CallVoidError` if it must not any more."""
        self.check()
        self.state = "running"
        self.result.started_at = now()

    def end(self, status: Status, value: Any = None, error: BaseException | None = None) -> None:
        """The function has ended, or will not start. What the call was before that stays: it may be void."""
        if self.result.started:
            self.result.ended_at = now()
        self.state = "over"
        self.result.value = value
        if self.failure is None:
            self.result.status = status
            self.result.error = error

    def is_held_up(self, most: int) -> bool:
        """Whether the function is behind with what has come for it, and does not wait for more."""
        if self.state != "running" or self.waiting or self.failure is not None or self.tool is None:
            return False
        return any(self.channel(name).weight > most for name in self.tool.streamed)


class Runs:
    """The runs of one stream.

    start: the level of functions that say nothing. new_bell: makes the bell of a run. room: called when a function has
    read or waits. tell: called for a run whose function has begun when its call does not count any more. withdrawals:
    how often calls have turned void without an event.

    What an event costs must not grow with the calls before it, so only those are looked at whose state may have moved.
    """

    def __init__(
        self,
        toolset: Toolset,
        *,
        start: Start | None,
        new_bell: Callable[[], Bell],
        room: Callable[[], None],
        tell: Callable[[Run], None],
        withdrawals: Callable[[], int],
    ) -> None:
        if start is not None and start not in STARTS:
            raise ValueError(f"start is one of {', '.join(map(repr, STARTS))}, not {start!r}")
        self._toolset = toolset
        self._start = start
        self._new_bell = new_bell
        self._room = room
        self._tell = tell
        self._withdrawals = withdrawals
        self._withdrawn = 0
        self._by_call: dict[ToolCall, Run] = {}
        self._live: dict[Run, None] = {}  # not closed, or waiting for what no event tells
        self._at_end: dict[Run, None] = {}  # waiting for the message's end
        self._message_has_ended = False
        self._readers: dict[Run, None] = {}  # begun, with parameters that grow

    @property
    def all(self) -> list[Run]:
        """In the order of the calls."""
        return list(self._by_call.values())

    def observe(self, event: Event) -> None:
        """Takes one event."""
        call = getattr(event, "call", None)
        # Of several choices only the first is the message.
        if isinstance(event, ToolCallStart) and not event.call.server and event.call._scope == 0:
            begun = self._by_call[event.call] = Run(event.call, self._new_bell(), self._room)
            self._live[begun] = None
        elif isinstance(event, MessageEnd):
            self._message_has_ended = True
        run = None if call is None else self._by_call.get(call)
        if run is not None:
            self._take(run, event)

    def due(self) -> list[Run]:
        """The runs whose calls have come as far as their functions demand: each once."""
        if self._withdrawals() != self._withdrawn:
            self._withdrawn = self._withdrawals()
            self.look()
        looked_at = list(self._live)
        if self._message_has_ended:
            self._message_has_ended = False
            looked_at += self._at_end
            self._at_end.clear()
        due = []
        for run in looked_at:
            self._look(run)
            if run.state == "pending" and self._is_due(run):
                run.state = "due"
                self._freeze(run)
                due.append(run)
            self._put_aside(run)
        return due

    def look(self) -> None:
        """Tells the functions whose calls do not count any more."""
        for run in self._by_call.values():
            self._look(run)

    def finish(self) -> None:
        """Nothing more will be read."""
        for run in self._by_call.values():
            self._look(run)
            if run.state in ("pending", "due") and run.failure is None:
                run.state = "over"
                reason = "the run ended before the call had come as far as its function demands, or had its turn"
                run.result.error = ToolStreamError(reason)

    def defer(self, run: Run) -> None:
        """The run must wait for the message's end."""
        run.deferred = True
        run.state = "pending"
        run._frozen = None
        self._live[run] = None

    def is_held_up(self, most: int) -> bool:
        for run in list(self._readers):
            if run.state == "over":
                del self._readers[run]
            elif run.is_held_up(most):
                return True
        return False

    # ------------------------------------------------------------------ what an event says of a run

    def _take(self, run: Run, event: Event) -> None:
        if isinstance(event, FieldDelta):
            name = self._growing(run, event)
            if name is not None:
                run.channel(name).put(event.text, is_text=True)
                run.bell.ring()
        elif isinstance(event, FieldComplete):
            self._complete(run, event)
        elif isinstance(event, ToolCallReady):
            run.result.ready_at = now()
        elif isinstance(event, (FieldInvalid, ToolCallError)):
            self._fail(run, event.error)

    def _complete(self, run: Run, event: FieldComplete) -> None:
        name = str(event.path[0])
        check = run.call._check
        if len(event.path) == 2 and check is not None and self._streams(run, name):
            index = event.path[1]
            element = check.element(name, index, event.value) if isinstance(index, int) else INVALID
            if element is not INVALID:
                run.channel(name).put(copied(element), is_text=False)
        elif len(event.path) == 1:
            if name in run._channels:
                run.channel(name).ended = True
            if self._is_late(run, name):
                reason = "the field came after the tool had started without it"
                error = InvalidFieldError(reason, path=event.path, value=event.value, call=run.call)
                self._fail(run, error)
        run.bell.ring()

    def _is_late(self, run: Run, name: str) -> bool:
        tool = run.tool
        if run._frozen is None or tool is None or tool.live is not None:
            return False
        return name not in run._frozen and name not in tool.streamed

    def _growing(self, run: Run, event: FieldDelta) -> str | None:
        """The argument whose growth the function may read."""
        tool = self._toolset.get(run.call.name)
        name = str(event.path[0]) if event.path else None if tool is None else tool.text
        return name if name is not None and len(event.path) < 2 and self._streams(run, name) else None

    def _streams(self, run: Run, name: str) -> bool:
        tool = self._toolset.get(run.call.name)
        return tool is not None and (name in tool.streamed or tool.live is not None)

    def _look(self, run: Run) -> None:
        """Sees how far the call has come, which no event may have told."""
        state = run.call.state
        check = run.call._check
        if state == "void" and run.failure is None:
            self._fail(run, run.call.error or ToolStreamError("the provider has withdrawn the message"))
        elif run.result.closed_at is None and state in _WHOLE and (check is None or check.finished):
            run.result.closed_at = now()
            for channel in run._channels.values():
                channel.ended = True
            run.bell.ring()

    def _fail(self, run: Run, error: ToolStreamError) -> None:
        if run.failure is not None:
            return
        run.failure = error
        run.result.status = "invalid" if isinstance(error, InvalidFieldError) else "void"
        run.result.error = error
        run.bell.ring()
        self._room()
        if run.state == "pending":
            run.state = "over"
        elif run.state != "over":
            self._tell(run)

    def _put_aside(self, run: Run) -> None:
        """Looks no more at a run whose state does not move, or not before the message's end."""
        if run.failure is None:
            if run.result.closed_at is None:
                return
            tool, check = run.tool, run.call._check
            may_start = run.state == "pending" and tool is not None and check is not None and not check.errors
            level = self._level(run, tool) if may_start and tool is not None else None
            if level == "confirmed":
                return
            if level == "committed":
                self._at_end[run] = None
        self._live.pop(run, None)

    # ------------------------------------------------------------------ whether it may start

    def _is_due(self, run: Run) -> bool:
        call, check = run.call, run.call._check
        tool = run.tool = self._toolset.get(call.name)
        if check is None or (call._parser is None and not check.finished):
            return False  # the name may still change
        if tool is None or tool.function is None or tool.shape is None or check.errors:
            return False
        level, state = self._level(run, tool), call.state
        if level in ("confirmed", "committed"):
            return state in STARTS[STARTS.index(level) :]
        if state in _WHOLE:
            return check.finished
        if level == "closed" or tool.shape.required is None:
            return False
        wanted = tool.shape.required if level == "ready" else tool.shape.keys
        return wanted.difference(tool.streamed) <= check.values.keys()

    def _level(self, run: Run, tool: Tool) -> Start:
        if run.deferred:
            return "committed"
        if tool.start is not None:
            return tool.start
        if tool.effects is not None:
            return _LEVEL_OF_EFFECTS[tool.effects]
        if tool.streamed or tool.live is not None:
            return "final"
        return self._start or "confirmed"

    def _freeze(self, run: Run) -> None:
        check, tool = run.call._check, run.tool
        if check is None or tool is None:
            return
        given = {
            name: value
            for name, value in check.values.items()
            if name not in tool.streamed and (tool.takes is None or name in tool.takes)
        }
        run._frozen = copied(given)
        for name in tool.streamed:
            run.channel(name)
            self._readers[run] = None
