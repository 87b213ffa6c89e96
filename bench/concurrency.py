"""A thousand streams at once on one event loop: how much passes through it, and does any event come late?

`python -m bench.concurrency` prints both.
"""

from __future__ import annotations

import asyncio
import gc
import statistics
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from dataclasses import dataclass
from time import perf_counter, process_time
from typing import Any

import toolstream

from .peers import installed
from .wire import Stream, stream

STREAMS = 1_000
PACE = 0.05
START_SPREAD = 1.0
ROUNDS = 3

Consume = Callable[[AsyncIterator[bytes]], Awaitable[None]]


@dataclass(frozen=True, slots=True)
class Lateness:
    """Seconds between the moment when a chunk was due and the moment when its reader had dealt with it."""

    median: float
    worst: float


async def _toolstream(source: AsyncIterator[bytes]) -> None:
    async for _ in toolstream.parse(source):
        pass


async def _nothing(source: AsyncIterator[bytes]) -> None:
    """The loop's own latency: the same chunks, not looked at."""
    async for _ in source:
        pass


async def _unpaced(chunks: Sequence[bytes]) -> AsyncIterator[bytes]:
    for chunk in chunks:
        await asyncio.sleep(0)
        yield chunk


def throughput(streams: int = STREAMS, key: str = "W2") -> float:
    """Events a CPU second, of so many concurrent streams without a pace."""
    return _throughput(stream("anthropic", key), streams, lambda chunks: _toolstream(_unpaced(chunks)))


def baseline(streams: int = STREAMS, key: str = "W2") -> float:
    """The same of the event loop alone."""
    return _throughput(stream("anthropic", key), streams, lambda chunks: _nothing(_unpaced(chunks)))


def sdk_throughput(streams: int = 20, key: str = "W2") -> float | None:
    """The same for the Anthropic SDK's helper; None if it isn't installed. It needs no thousand streams to be slow."""
    sdk = installed("anthropic", [])
    if sdk is None:
        return None
    streamed = stream("anthropic", key)
    http = _http_of(sdk)

    class Body(http.AsyncByteStream):  # type: ignore[misc, name-defined]
        def __aiter__(self) -> AsyncIterator[bytes]:
            return _unpaced(streamed.events)

    headers = {"content-type": "text/event-stream"}
    transport = http.MockTransport(lambda request: http.Response(200, headers=headers, stream=Body()))
    client = sdk.AsyncAnthropic(api_key="none", max_retries=0, http_client=http.AsyncClient(transport=transport))

    async def read(_: Sequence[bytes]) -> None:
        messages: list[Any] = [{"role": "user", "content": "go"}]
        async with client.messages.stream(model="m", max_tokens=9, messages=messages) as events:
            async for _event in events:
                pass

    return _throughput(streamed, streams, read)


def _http_of(sdk: Any) -> Any:
    bases = sdk.DefaultAsyncHttpxClient.__mro__
    root = next(base.__module__ for base in bases if base.__name__ == "AsyncClient").partition(".")[0]
    return installed(root, [])


def _throughput(streamed: Stream, streams: int, read: Callable[[Sequence[bytes]], Awaitable[None]]) -> float:
    async def run() -> float:
        gc.collect()
        start = process_time()
        await asyncio.gather(*(read(streamed.events) for _ in range(streams)))
        return process_time() - start

    return streams * len(streamed.events) / asyncio.run(run())


def lateness(consume: Consume = _toolstream, streams: int = STREAMS, key: str = "W2", pace: float = PACE) -> Lateness:
    """So many streams, each with an event every `pace` seconds, their beginnings spread over a second."""
    chunks = stream("anthropic", key).events
    late: list[float] = []

    async def paced(begin: float) -> AsyncIterator[bytes]:
        for turn, chunk in enumerate(chunks):
            due = begin + turn * pace
            await asyncio.sleep(max(0.0, due - perf_counter()))
            yield chunk
            late.append(perf_counter() - due)

    async def run() -> None:
        begin = perf_counter() + 0.2
        await asyncio.gather(*(consume(paced(begin + START_SPREAD * n / streams)) for n in range(streams)))

    gc.collect()
    asyncio.run(run())
    return Lateness(statistics.median(late), max(late))


def worst_lateness(rounds: int = ROUNDS) -> tuple[float, float]:
    """Seconds by which the latest event was late: of toolstream's streams, and of the event loop alone. Of the rounds,
    which take turns, the best counts: what the work needs, not what the machine did meanwhile."""
    pairs = [(lateness().worst, lateness(_nothing).worst) for _ in range(rounds)]
    return min(ours for ours, _ in pairs), min(loop for _, loop in pairs)


def main() -> None:
    sdk, ours, loop = sdk_throughput(), throughput(), baseline()
    against = f"; Anthropic's SDK {sdk:,.0f}: {ours / sdk:.1f} times" if sdk is not None else ""
    print(f"{STREAMS} streams, events a CPU second: toolstream {ours:,.0f}; the loop alone {loop:,.0f}{against}")
    late, bare = worst_lateness()
    print(
        f"an event every {PACE} s in each: the latest {late * 1e3:.1f} ms late, of the loop alone {bare * 1e3:.1f} ms"
    )


if __name__ == "__main__":
    main()
