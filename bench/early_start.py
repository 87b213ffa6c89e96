"""`python -m bench.early_start`: how long a turn takes when tools start after the message, at each call, or inside it.

The streams are made for this: seven agent-shaped turns at 80 tokens a second, four characters a token, nothing behind
the last call, and tools that take the time named. Clocks are simulated: the event loop jumps to the next moment at
which something is due, so that a turn of a minute takes no minute, and the figures are the same on every machine. The
code that runs is `dispatch` itself. "call closed" is the rule of openai's eager runner and "model has gone on" that of
anthropic's; here both are `dispatch` with `start="closed"` and `start="confirmed"`. `bench.eager_runners` runs these
runners themselves. "field final" begins with the argument that the work needs, "element final" with each element of it.
The last line is no simulation: the time from an event's arrival to the start of the function that it makes ready.
"""

from __future__ import annotations

import asyncio
import json
import selectors
import statistics
import time
from collections.abc import AsyncIterator, Callable
from typing import Any, NamedTuple

import toolstream
from toolstream.tools.declared import Start

TOKENS_PER_SECOND = 80
CHARACTERS_PER_TOKEN = 4


class _Jump(selectors.DefaultSelector):
    """A selector that never waits: it moves the loop's clock on instead."""

    def __init__(self) -> None:
        super().__init__()
        self.now = 0.0

    def select(self, timeout: float | None = None) -> Any:
        if timeout:
            self.now += timeout
        return super().select(0)


class SimulatedLoop(asyncio.SelectorEventLoop):
    """An event loop in which sleeping takes no time."""

    def __init__(self) -> None:
        self._jump = _Jump()
        super().__init__(self._jump)

    def time(self) -> float:
        return self._jump.now


class Turn(NamedTuple):
    """A turn: its calls, and for each tool the argument that its work needs, and the seconds that this takes."""

    name: str
    calls: list[tuple[str, dict[str, Any]]]
    work: dict[str, tuple[str, float]]


WORDS = "the table lists high and low water for the port and the days that were asked for " * 200
TURNS = [
    Turn("weather, one field, 0.4 s", [("weather", {"city": "Dover"})], {"weather": ("city", 0.4)}),
    Turn(
        "3 searches, the query first, 1.5 s each",
        [("search", {"query": f"tide table {port}", "site": "example.org", "limit": 10}) for port in "abc"],
        {"search": ("query", 1.5)},
    ),
    Turn(
        "a search, then a rationale of 100 tokens, 1.5 s",
        [("search", {"query": "tide table Dover", "rationale": WORDS[:400]})],
        {"search": ("query", 1.5)},
    ),
    Turn(
        "4 reads, a file of 4,000 tokens that takes 2 s to prepare",
        [
            *(("read", {"path": f"src/{part}.py"}) for part in "abcd"),
            ("write_file", {"path": "src/e.py", "content": WORDS[:16_000]}),
        ],
        {"read": ("path", 0.3), "write_file": ("path", 2.0)},
    ),
    Turn(
        "20 URLs in one call, 1.5 s each, 4 at once",
        [("fetch_all", {"urls": [f"https://example.org/{n}/{WORDS[:70].replace(' ', '-')}" for n in range(20)]})],
        {"fetch_all": ("urls", 1.5)},
    ),
    Turn(
        "SQL of 300 tokens, then options of 40, 3 s",
        [("query", {"sql": WORDS[:1200], "options": {"note": WORDS[:160]}})],
        {"query": ("sql", 3.0)},
    ),
    Turn(
        "2 mails, the last field decides, 1 s",
        [("send", {"subject": WORDS[:80], "to": port}) for port in "ab"],
        {"send": ("to", 1.0)},
    ),
]
MODES = ("after the message", "model has gone on", "call closed", "field final", "element final")
STARTS: dict[str, Start] = {"after the message": "committed", "model has gone on": "confirmed", "call closed": "closed"}


def frames(turn: Turn) -> list[bytes]:
    """The turn as Anthropic sends it, a token an event."""
    events: list[dict[str, Any]] = [{"type": "message_start", "message": {"id": "m", "model": "bench", "content": []}}]
    for index, (name, arguments) in enumerate(turn.calls):
        block = {"type": "tool_use", "id": f"t{index}", "name": name, "input": {}}
        events.append({"type": "content_block_start", "index": index, "content_block": block})
        text = json.dumps(arguments)
        for at in range(0, len(text), CHARACTERS_PER_TOKEN):
            delta = {"type": "input_json_delta", "partial_json": text[at : at + CHARACTERS_PER_TOKEN]}
            events.append({"type": "content_block_delta", "index": index, "delta": delta})
        events.append({"type": "content_block_stop", "index": index})
    events.append({"type": "message_delta", "delta": {"stop_reason": "tool_use"}, "usage": {"output_tokens": 1}})
    events.append({"type": "message_stop"})
    return [f"event: {event['type']}\ndata: {json.dumps(event)}\n\n".encode() for event in events]


async def paced(turn: Turn) -> AsyncIterator[bytes]:
    for frame in frames(turn):
        if b"partial_json" in frame:
            await asyncio.sleep(1 / TOKENS_PER_SECOND)
        yield frame


def function(name: str, mode: str, field: str, seconds: float) -> Callable[..., Any]:
    """A tool: it waits for the argument that it needs, if it may start inside its call, and works on it."""

    async def work(value: Any) -> None:
        places = asyncio.Semaphore(4)

        async def one(_: str) -> None:
            async with places:
                await asyncio.sleep(seconds)

        if isinstance(value, AsyncIterator):
            await asyncio.gather(*[asyncio.ensure_future(one(element)) async for element in value])
        else:
            await asyncio.gather(*map(one, value if isinstance(value, list) else [value]))

    @toolstream.tool(name=name)
    async def whole(**arguments: Any) -> None:
        await work(arguments[field])

    @toolstream.tool(name=name)
    async def inside(call: toolstream.LiveCall) -> None:
        is_list = mode == "element final" and name == "fetch_all"
        await work(call.stream(field) if is_list else await call.field(field))

    return whole if mode in STARTS else inside


def seconds(turn: Turn, mode: str) -> float:
    """How long the turn takes, from the first token to the last tool's end."""
    loop = SimulatedLoop()

    async def run() -> None:
        tools = [function(name, mode, *work) for name, work in turn.work.items()]
        results = await toolstream.dispatch(paced(turn), tools, start=STARTS.get(mode))
        assert all(result.status == "ok" for result in results), results

    try:
        loop.run_until_complete(run())
        return loop.time()
    finally:
        loop.close()


def latencies(count: int = 300) -> list[float]:
    """Seconds from the arrival of the event that makes a call ready to the start of its function, for real."""
    found: list[float] = []
    turn = TURNS[0]

    async def once() -> None:
        arrived = 0.0

        @toolstream.tool(start="ready")
        async def weather(city: str) -> None:
            found.append(time.perf_counter() - arrived)

        async def source() -> AsyncIterator[bytes]:
            nonlocal arrived
            for frame in frames(turn):
                await asyncio.sleep(0)
                arrived = time.perf_counter() if b"partial_json" in frame else arrived
                yield frame

        await toolstream.dispatch(source(), [weather])

    async def all_of_them() -> None:
        for _ in range(count):
            await once()

    asyncio.run(all_of_them())
    return found


def table() -> str:
    lines = ["| turn | " + " | ".join(MODES) + " | saved |", "| --- |" + " ---: |" * (len(MODES) + 1)]
    for turn in TURNS:
        taken = [seconds(turn, mode) for mode in MODES]
        best = min(taken)
        cells = " | ".join(f"{each:.2f}" for each in taken)
        lines.append(f"| {turn.name} | {cells} | {1 - best / taken[0]:.0%} ({1 - best / taken[2]:.0%}) |")
    return "\n".join(lines)


if __name__ == "__main__":
    print("Seconds of a turn; saved: against starting after the message (against starting at the call's close).\n")
    print(table())
    found = latencies()
    print(f"\nfrom the deciding event to the function's start: median {statistics.median(found) * 1e6:.0f} µs")
