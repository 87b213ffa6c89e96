"""What became of each call that `dispatch` saw: values, errors, times, and the messages that tell the model."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Literal, overload

from ..errors import InvalidFieldError
from .answers import Answer, tool_messages, turn
from .content import parts_of, says_error

if TYPE_CHECKING:
    from ..calls import ToolCall

Status = Literal["ok", "error", "invalid", "void", "refused", "not run"]


@dataclass(slots=True)
class Result:
    """One call's outcome. Times are in seconds, by `time.perf_counter`; None for what did not happen.

    status: "ok"; "error": the function raised; "invalid": the arguments break the schema, or there is no such tool;
    "void": the call was cut, refused or replaced; "refused": by before_start; "not run": the message ended before the
    call had come as far as its function demands.
    value: what the function returned. error: what it raised, or why it did not run.
    ready_at: all required arguments were final and valid. closed_at: the arguments were whole. started_at, ended_at: of
    the function.
    """

    call: ToolCall
    status: Status = "not run"
    value: Any = None
    error: BaseException | None = None
    ready_at: float | None = None
    closed_at: float | None = None
    started_at: float | None = None
    ended_at: float | None = None

    @property
    def started(self) -> bool:
        """The function has begun. What it has done stays done, whatever the status."""
        return self.started_at is not None

    @property
    def hidden(self) -> float:
        """Seconds of the function's own time that passed while the call's arguments were still being written.

        Not what was saved: tools that run side by side hide the same second, and a turn may wait for something else.
        """
        if self.started_at is None or self.ended_at is None or self.closed_at is None:
            return 0.0
        return max(0.0, min(self.ended_at, self.closed_at) - self.started_at)

    @property
    def content(self) -> str:
        """The text for the model: the value (as JSON, if it is no string) or what went wrong. A picture is a note."""
        if self.status == "ok":
            return "\n".join(map(str, parts_of(self.value)))
        if isinstance(self.error, InvalidFieldError):
            return self.error.tool_message
        if self.status == "error":
            said = str(self.error)
            return f"{type(self.error).__name__}: {said}" if said else type(self.error).__name__
        reasons = {
            "void": "The call was cut off or withdrawn, and its result does not count.",
            "refused": "The call was refused and not run.",
        }
        return reasons.get(self.status, "The call was not run.")

    @property
    def _answer(self) -> Answer:
        """What the model is told, for the provider's shape of it."""
        if self.status == "ok":
            return Answer(self.call, parts_of(self.value), self.value, is_error=says_error(self.value))
        return Answer(self.call, [self.content], is_error=True, refused=self.status == "refused")


class Results(Sequence[Result]):
    """The results of one message, in the order of its calls."""

    def __init__(self, results: list[Result], provider: str | None) -> None:
        self._results = results
        self._provider = provider

    @overload
    def __getitem__(self, index: int) -> Result: ...

    @overload
    def __getitem__(self, index: slice) -> list[Result]: ...

    def __getitem__(self, index: int | slice) -> Result | list[Result]:
        return self._results[index]

    def __len__(self) -> int:
        return len(self._results)

    def __iter__(self) -> Iterator[Result]:
        return iter(self._results)

    @property
    def receipts(self) -> list[Result]:
        """Results of functions that had begun for calls that turned out void or invalid: they may need undoing."""
        return [result for result in self._results if result.started and result.status in ("void", "invalid")]

    def messages(self) -> list[dict[str, Any]]:
        """What to send back to the model, in the provider's own shape; errors included, in call order.

        Calls that the message does not hold, because a resend has replaced them, are left out.

        Raises `ToolStreamError` for a provider whose shape is not known here, and where a call of OpenAI's `computer`
        tool has no picture as its result.
        """
        answers = [result._answer for result in self._results if not result.call._withdrawn]
        return tool_messages(self._provider, answers) if answers else []

    def turn(self, message: Any) -> list[Any]:
        """What to append to the conversation: the assistant's message (or messages) with the results."""
        return turn(self._provider, message, self.messages())

    def __repr__(self) -> str:
        return f"Results({self._results!r})"
