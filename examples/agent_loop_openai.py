"""An agent loop with the openai SDK's Chat Completions: as `agent_loop_anthropic.py`, in the other provider's shapes.

python examples/agent_loop_openai.py [TOKENS_PER_SECOND]
"""

from __future__ import annotations

import asyncio
import sys
from typing import Any

import openai
from streams.generate import Turn, openai_chat

import toolstream
from toolstream.demo import ReplayServer

TURNS = [
    Turn(text="", calls=(("tide", {"port": "Dover", "day": "monday"}), ("tide", {"port": "Calais", "day": "monday"}))),
    Turn(text="Dover 06:12, Calais 06:40.", calls=()),
]


@toolstream.tool(effects="none")
async def tide(port: str, day: str) -> str:
    """High water of a port."""
    return {"Dover": "06:12", "Calais": "06:40"}[port]


async def main(tokens_per_second: float) -> None:
    conversation: list[Any] = [{"role": "user", "content": "High water on Monday in Dover and Calais?"}]
    replies = [openai_chat(turn).encode() for turn in TURNS]
    with ReplayServer(*replies, frames_per_second=tokens_per_second) as server:
        client = openai.AsyncOpenAI(api_key="none", base_url=server.url)
        async with client:
            while conversation[-1]["role"] != "assistant":
                reply = await client.chat.completions.create(model="gpt-5", messages=conversation, stream=True)
                run = toolstream.dispatch(reply, [tide])
                for result in await run:
                    print(result.call.name, result.call.arguments, "->", result.value)
                conversation += run.turn()
    print(run.text)


if __name__ == "__main__":
    asyncio.run(main(float(sys.argv[1]) if sys.argv[1:] else 60.0))
