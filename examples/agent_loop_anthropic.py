"""An agent loop with the anthropic SDK: tools run while the model writes, results go back, until it has no more calls.

    python examples/agent_loop_anthropic.py [TOKENS_PER_SECOND]

The model is a server on this machine that replays two replies, at a model's pace.
"""

from __future__ import annotations

import asyncio
import sys
from typing import Any

import anthropic
from streams.generate import Turn
from streams.generate import anthropic as on_the_wire

import toolstream
from toolstream.demo import ReplayServer

TURNS = [
    Turn(
        text="I look both up.",
        calls=(("tide", {"port": "Dover", "day": "monday"}), ("tide", {"port": "Calais", "day": "monday"})),
    ),
    Turn(text="Dover 06:12, Calais 06:40.", calls=()),
]


@toolstream.tool(effects="none")
async def tide(port: str, day: str) -> str:
    """High water of a port."""
    return {"Dover": "06:12", "Calais": "06:40"}[port]


async def main(tokens_per_second: float) -> None:
    conversation: list[Any] = [{"role": "user", "content": "High water on Monday in Dover and Calais?"}]
    replies = [on_the_wire(turn).encode() for turn in TURNS]
    with ReplayServer(*replies, frames_per_second=tokens_per_second) as server:
        client = anthropic.AsyncAnthropic(api_key="none", base_url=server.url)
        async with client:
            while conversation[-1]["role"] == "user":
                reply = await client.messages.create(
                    model="claude-sonnet-5-5", max_tokens=1024, messages=conversation, stream=True
                )
                run = toolstream.dispatch(reply, [tide])
                for result in await run:
                    print(result.call.name, result.call.arguments, "->", result.value)
                conversation += run.turn()
    print(run.text)


if __name__ == "__main__":
    asyncio.run(main(float(sys.argv[1]) if sys.argv[1:] else 60.0))
