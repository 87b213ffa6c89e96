"""What flows from a call to its running function: pieces of text, elements, and that the call is void.

A `Channel` holds what has come of one argument. `Bell` is how those wait that need more: the asyncio one wakes
futures, the one for threads a condition; all else is the same. Readers and writers hold the bell's lock.
"""

from __future__ import annotations

import asyncio
import threading
from abc import abstractmethod
from collections import deque
from collections.abc import AsyncIterator, Iterator
from typing import TYPE_CHECKING, Any

from .streamed import LiveCall, LiveThreadCall, Streamed

if TYPE_CHECKING:
    from ..calls import ToolCall
    from .runs import Run

# What an element of a list weighs against the bound on what is held for a function, in characters.
_ELEMENT = 1024


class Channel:
    """One argument as far as it has come and has not been read."""

    __slots__ = ("_pieces", "ended", "weight")

    def __init__(self) -> None:
        self._pieces: deque[tuple[Any, int]] = deque()
        self.ended = False
        self.weight = 0

    def put(self, piece: Any, *, is_text: bool) -> None:
        weight = len(piece) if is_text else _ELEMENT
        self._pieces.append((piece, weight))
        self.weight += weight

    def __bool__(self) -> bool:
        return bool(self._pieces)

    def take(self) -> Any:
        piece, weight = self._pieces.popleft()
        self.weight -= weight
        return piece


class Bell:
    """Wakes whoever waits for something to have changed."""

    @abstractmethod
    def ring(self) -> None:
        """Something has changed."""


class LoopBell(Bell):
    """On an event loop: everything happens in its one thread."""

    def __init__(self) -> None:
        self._waiting: list[asyncio.Future[None]] = []

    def ring(self) -> None:
        waiting, self._waiting = self._waiting, []
        for future in waiting:
            if not future.done():
                future.set_result(None)

    async def wait(self) -> None:
        future = asyncio.get_running_loop().create_future()
        self._waiting.append(future)
        await future


class ThreadBell(Bell):
    """Between threads. `with` holds its lock."""

    def __init__(self) -> None:
        self._condition = threading.Condition(threading.RLock())

    def ring(self) -> None:
        with self._condition:
            self._condition.notify_all()

    def wait(self) -> None:
        self._condition.wait()

    def __enter__(self) -> None:
        self._condition.acquire()

    def __exit__(self, *_: object) -> None:
        self._condition.release()


class LoopStreamed(Streamed[Any]):
    """A `Streamed` parameter in an async function."""

    def __init__(self, run: Run, channel: Channel, bell: LoopBell) -> None:
        self._run = run
        self._channel = channel
        self._bell = bell

    async def __aiter__(self) -> AsyncIterator[Any]:
        while True:
            while not self._channel:
                self._run.check()
                if self._channel.ended:
                    return
                await waited(self._run, self._bell)
            self._run.check()
            piece = self._channel.take()
            self._run.room()
            yield piece


class ThreadStreamed(Streamed[Any]):
    """A `Streamed` parameter in a function on a thread."""

    def __init__(self, run: Run, channel: Channel, bell: ThreadBell) -> None:
        self._run = run
        self._channel = channel
        self._bell = bell

    def __iter__(self) -> Iterator[Any]:
        while True:
            with self._bell:
                while not self._channel:
                    self._run.check()
                    if self._channel.ended:
                        return
                    waited_on_thread(self._run, self._bell)
                self._run.check()
                piece = self._channel.take()
                self._run.room()
            yield piece


class LoopCall(LiveCall):
    """A call while it is written, for an async function."""

    def __init__(self, call: ToolCall, run: Run, bell: LoopBell) -> None:
        self.call = call
        self._run = run
        self._bell = bell

    async def field(self, name: str) -> Any:
        while not self._run.knows(name):
            self._run.check()
            await waited(self._run, self._bell)
        return self._run.value(name)

    def stream(self, name: str) -> AsyncIterator[Any]:
        return LoopStreamed(self._run, self._run.channel(name), self._bell).__aiter__()


class ThreadCall(LiveThreadCall):
    """A call while it is written, for a function on a thread."""

    def __init__(self, call: ToolCall, run: Run, bell: ThreadBell) -> None:
        self.call = call
        self._run = run
        self._bell = bell

    def field(self, name: str) -> Any:
        with self._bell:
            while not self._run.knows(name):
                self._run.check()
                waited_on_thread(self._run, self._bell)
            return self._run.value(name)

    def stream(self, name: str) -> Iterator[Any]:
        return iter(ThreadStreamed(self._run, self._run.channel(name), self._bell))


async def waited(run: Run, bell: LoopBell) -> None:
    """Waits for the bell; the run says meanwhile that its function needs more of the call."""
    run.waiting += 1
    run.room()
    try:
        await bell.wait()
    finally:
        run.waiting -= 1


def waited_on_thread(run: Run, bell: ThreadBell) -> None:
    """As `waited`."""
    run.waiting += 1
    run.room()
    try:
        bell.wait()
    finally:
        run.waiting -= 1
