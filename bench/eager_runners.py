"""`python -m bench.eager_runners`: the vendors' own eager tool runners and `dispatch`, for real, on the same replies.

A server on this machine replays a reply at 80 tokens a second to the real SDK clients; nothing is simulated. The turns
are those of `bench.early_start` (but the one that takes a minute), on the wire as `examples/streams/generate.py` puts
it there, some four characters a token. What is measured is the time from the request to the moment at which the next
request, which holds the results, has been answered with its first event: all that stands between two replies. For each
vendor: its tool runner as it is by default, the same with its eager switch, and `dispatch` with functions that start at
their call's close, and with functions that start at the argument (or element) that their work needs.

    python -m bench.eager_runners [--speed 4]

`--speed` divides all times, the tools' too, and multiplies what is printed. Needs `anthropic` and `openai` with these
runners (2.12 and 3.54 have them); a vendor whose SDK has none is named, and left out.
"""

from __future__ import annotations

import argparse
import asyncio
import importlib.util
import sys
import time
from collections.abc import Awaitable, Callable
from pathlib import Path
from types import ModuleType
from typing import Any

import toolstream
from bench import early_start
from bench.early_start import TOKENS_PER_SECOND, TURNS, Turn
from toolstream.demo import ReplayServer

MODES = ("runner", "its eager mode", "dispatch, call closed", "dispatch, inside the call")
QUESTION = [{"role": "user", "content": "Go on."}]
LONGEST = 20_000  # bytes of arguments


def generate() -> ModuleType:
    """The script that writes turns as the providers do."""
    path = Path(__file__).resolve().parents[1] / "examples" / "streams" / "generate.py"
    spec = importlib.util.spec_from_file_location("generate", path)
    assert spec
    assert spec.loader
    module = sys.modules["generate"] = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def schema(turn: Turn, name: str) -> dict[str, Any]:
    """A schema that the calls of this tool meet."""
    (arguments, *_) = (arguments for called, arguments in turn.calls if called == name)
    kinds = {str: "string", int: "integer", list: "array", dict: "object"}
    properties = {key: {"type": kinds[type(value)]} for key, value in arguments.items()}
    return {"type": "object", "properties": properties, "required": list(arguments), "additionalProperties": False}


def work(turn: Turn, name: str, speed: float) -> Callable[[dict[str, Any]], Awaitable[str]]:
    """The tool as a vendor's runner calls it: with all arguments."""
    field, seconds = turn.work[name]
    whole = early_start.function(name, "call closed", field, seconds / speed)

    async def run(arguments: dict[str, Any]) -> str:
        await whole(**arguments)
        return "done"

    return run


class Anthropic:
    """anthropic's `tool_runner`."""

    name = "anthropic"
    wire = "anthropic"

    @staticmethod
    def has_runner() -> bool:
        return hasattr(importlib.import_module("anthropic.lib.tools._beta_runner"), "EagerToolCalls")

    @staticmethod
    def client(url: str) -> Any:
        return importlib.import_module("anthropic").AsyncAnthropic(api_key="none", base_url=url, max_retries=0)

    @staticmethod
    async def runner(client: Any, turn: Turn, speed: float, eager: bool) -> float:
        import anthropic

        def tool(name: str) -> Any:
            run = work(turn, name, speed)

            async def call(**arguments: Any) -> str:
                return await run(arguments)

            return anthropic.beta_async_tool(call, name=name, description="A tool.", input_schema=schema(turn, name))

        runner = client.beta.messages.tool_runner(
            model="claude-sonnet-5-5",
            max_tokens=1024,
            messages=QUESTION,
            tools=[tool(name) for name in turn.work],
            stream=True,
            run_tools_eagerly=eager,
        )
        begun: list[float] = []
        async for stream in runner:
            begun += [time.perf_counter() async for event in stream if event.type == "message_start"]
        return begun[1]

    @staticmethod
    async def ask(client: Any, turn: Turn, messages: list[Any]) -> Any:
        tools = [{"name": name, "input_schema": schema(turn, name)} for name in turn.work]
        return await client.messages.create(
            model="claude-sonnet-5-5", max_tokens=1024, messages=messages, tools=tools, stream=True
        )


class OpenAI:
    """openai's runner for Responses."""

    name = "openai"
    wire = "openai_responses"

    @staticmethod
    def has_runner() -> bool:
        return importlib.util.find_spec("openai.lib.responses_tool_runner") is not None

    @staticmethod
    def client(url: str) -> Any:
        return importlib.import_module("openai").AsyncOpenAI(api_key="none", base_url=url, max_retries=0)

    @staticmethod
    async def runner(client: Any, turn: Turn, speed: float, eager: bool) -> float:
        from openai.lib import responses_tool_runner as runners

        functions = [
            runners.AsyncRegisteredFunction(declared(turn, name), work(turn, name, speed), independent=True)
            for name in turn.work
        ]
        begun: list[float] = []

        async def note(event: Any) -> None:
            if event.type == "response.created":
                begun.append(time.perf_counter())

        await runners.AsyncResponsesToolRunner(functions=functions).run(
            client,
            {"model": "gpt-5", "input": QUESTION, "store": False},
            stream=True,
            eager=eager,
            max_concurrent_calls=4,
            on_event=note,
        )
        return begun[1]

    @staticmethod
    async def ask(client: Any, turn: Turn, items: list[Any]) -> Any:
        tools = [declared(turn, name) for name in turn.work]
        return await client.responses.create(model="gpt-5", input=items, tools=tools, stream=True)


def declared(turn: Turn, name: str) -> Any:
    function = {"name": name, "description": "A tool.", "parameters": schema(turn, name), "strict": True}
    return {"type": "function", **function}


async def dispatched(vendor: Any, client: Any, turn: Turn, speed: float, inside: bool) -> float:
    """A reply, its tools by `dispatch`, and the first event of the next reply."""
    mode = "element final" if inside else "call closed"
    tools = [early_start.function(name, mode, field, seconds / speed) for name, (field, seconds) in turn.work.items()]
    run = toolstream.dispatch(
        await vendor.ask(client, turn, QUESTION), tools, start=None if inside else "closed", max_concurrency=4
    )
    results = await run
    assert all(result.status == "ok" for result in results), results
    async with toolstream.parse(await vendor.ask(client, turn, [*QUESTION, *run.turn()])) as stream:
        await anext(stream)
        return time.perf_counter()


async def seconds(vendor: Any, turn: Turn, mode: str, speed: float, wires: ModuleType) -> float:
    """How long a turn takes."""
    on_the_wire = getattr(wires, vendor.wire)
    replies = [
        on_the_wire(wires.Turn(text="", calls=tuple(turn.calls))).encode(),
        on_the_wire(wires.Turn(text="Done.", calls=())).encode(),
    ]
    with ReplayServer(*replies, frames_per_second=TOKENS_PER_SECOND * speed) as server:
        async with vendor.client(server.url) as client:
            began = time.perf_counter()
            if mode in MODES[:2]:
                ended = await vendor.runner(client, turn, speed, eager=mode == MODES[1])
            else:
                ended = await dispatched(vendor, client, turn, speed, inside=mode == MODES[3])
    return float((ended - began) * speed)


def turns() -> list[Turn]:
    return [turn for turn in TURNS if sum(len(str(arguments)) for _, arguments in turn.calls) < LONGEST // 2]


def table(vendor: Any, speed: float) -> str:
    wires = generate()
    for mode in MODES:  # what is made and imported once is not counted
        asyncio.run(seconds(vendor, TURNS[0], mode, 8, wires))
    lines = [f"| {vendor.name} | " + " | ".join(MODES) + " |", "| --- |" + " ---: |" * len(MODES)]
    for turn in turns():
        taken = [asyncio.run(seconds(vendor, turn, mode, speed, wires)) for mode in MODES]
        lines.append(f"| {turn.name} | " + " | ".join(f"{each:.2f}" for each in taken) + " |")
    return "\n".join(lines)


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description="The vendors' eager tool runners beside dispatch.")
    parser.add_argument("--speed", type=float, default=1.0)
    chosen = parser.parse_args()
    print("Seconds from the request to the next reply's first event.\n")
    for vendor in (Anthropic, OpenAI):
        if vendor.has_runner():
            version = importlib.import_module(vendor.name).__version__
            print(f"{table(vendor, chosen.speed)}\n\n({vendor.name} {version})\n")
        else:
            print(f"The {vendor.name} package that is installed has no eager runner.\n")
