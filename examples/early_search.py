"""Starts each search when its query is final, while the model still writes why it searches.

python examples/early_search.py [TOKENS_PER_SECOND]
"""

from __future__ import annotations

import asyncio
import sys

from streams.paced import TOKENS_PER_SECOND, paced, reply

import toolstream

RATIONALE = "The user asked for high water, and a table by the port's own authority is more exact than a guess. " * 3
REPLY = reply(
    ("search", {"query": "tide table Dover", "rationale": RATIONALE}),
    ("search", {"query": "harbour office Dover", "rationale": RATIONALE}),
)


async def search(query: str, rationale: toolstream.Streamed[str], call: toolstream.LiveCall) -> str:
    # `rationale` streams, so the search does not wait for it; nobody has to read it.
    print(f"searching for {query!r} after {len(call.call.text)} characters of the call")
    await asyncio.sleep(0.2)
    return f"3 pages about {query}"


async def main(tokens_per_second: float) -> None:
    run = toolstream.dispatch(paced(REPLY, tokens_per_second), [search])
    async for event in run:
        if event.type == "tool_call_end":
            print(f"the call has ended after {len(event.call.text)} characters")
    for result in await run:
        print(result.status, result.value)


if __name__ == "__main__":
    asyncio.run(main(float(sys.argv[1]) if sys.argv[1:] else TOKENS_PER_SECOND))
