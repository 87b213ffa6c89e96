"""Fetches twenty pages, each from the moment on at which the model has written its URL.

    python examples/fan_out.py [TOKENS_PER_SECOND]

The fetching is pretended. What is real is when it begins: an element of a list is handed to the function as soon as it
is final, so the first page is under way when nineteen URLs are still to be written.
"""

from __future__ import annotations

import asyncio
import sys

from streams.paced import TOKENS_PER_SECOND, paced, reply

import toolstream

URLS = [f"https://example.org/tides/{number:02}" for number in range(1, 21)]
REPLY = reply(("fetch_all", {"urls": URLS}))


async def fetch(url: str) -> int:
    await asyncio.sleep(0.1)
    return len(url)


@toolstream.tool(effects="none")
async def fetch_all(urls: toolstream.Streamed[list[str]], call: toolstream.LiveCall) -> str:
    pages: list[asyncio.Task[int]] = []
    async for url in urls:
        if not pages:
            print(f"the first page is asked for when {call.call.text.count('http')} of 20 URLs are there")
        pages.append(asyncio.create_task(fetch(url)))
    sizes = await asyncio.gather(*pages)
    return f"{len(sizes)} pages, {sum(sizes)} characters"


async def main(tokens_per_second: float) -> None:
    (result,) = await toolstream.dispatch(paced(REPLY, tokens_per_second), [fetch_all])
    print(result.value)


if __name__ == "__main__":
    asyncio.run(main(float(sys.argv[1]) if sys.argv[1:] else TOKENS_PER_SECOND))
