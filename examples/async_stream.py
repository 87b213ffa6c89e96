"""Reads an asynchronous source: here the pieces of a file; an `httpx` or `aiohttp` response works the same.

    python examples/async_stream.py [STREAM]

Lookups start while the call still streams and run beside the reading; they are awaited when the message has ended.
"""

from __future__ import annotations

import asyncio
import sys
from collections.abc import AsyncIterator
from pathlib import Path

import toolstream

STREAM = Path(__file__).parent / "streams" / "anthropic-parallel.sse"


async def pieces(stream: str) -> AsyncIterator[bytes]:
    """Stands for a network: gives a few bytes at a time and lets others run in between."""
    with open(stream, "rb") as body:
        while piece := body.read(100):
            yield piece
            await asyncio.sleep(0)


async def look_up(city: str) -> str:
    await asyncio.sleep(0)
    return f"{city}: 11 degrees"


async def main(stream: str) -> None:
    lookups: dict[toolstream.ToolCall, asyncio.Task[str]] = {}
    async for event in toolstream.parse(pieces(stream)):
        match event:
            case toolstream.FieldComplete(call=toolstream.ToolCall() as call, path=("city",), value=city):
                lookups[call] = asyncio.create_task(look_up(city))
            case toolstream.ToolCallEnd(call=call):
                print(f"{call.name} has ended; its lookup began earlier")
    for call, lookup in lookups.items():
        print(call.id, await lookup)


if __name__ == "__main__":
    asyncio.run(main(*sys.argv[1:] or [str(STREAM)]))
