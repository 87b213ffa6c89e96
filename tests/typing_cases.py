"""What type checkers must say of tools: checked by `test_typing.py`, never run.

A line that must be an error carries the error's code in `type: ignore[...]`: an unused one is an error, too.
"""

from __future__ import annotations

from collections.abc import AsyncIterator
from dataclasses import dataclass
from typing import Any

import msgspec
from pydantic import BaseModel
from typing_extensions import TypedDict, assert_type

import toolstream


class Search(BaseModel):
    query: str
    limit: int = 10


class Place(TypedDict):
    city: str


class Fetch(msgspec.Struct):
    url: str


@dataclass
class Move:
    to: str


def final_and_partial(call: toolstream.ToolCall) -> None:
    assert_type(call.parsed_as(Search), Search)
    assert_type(call.parsed_as(Place), Place)
    assert_type(call.parsed_as(Fetch, Move), Fetch | Move)
    match call.parsed_as(Search, Fetch, Move):
        case Search(query=query):
            assert_type(query, str)
        case Fetch() as fetch:
            assert_type(fetch, Fetch)
        case Move() as move:
            assert_type(move, Move)
    call.parsed_as("Search")  # type: ignore[call-overload]
    assert_type(call.partial_as(Search), toolstream.Partial[Search])
    takes_final(call.parsed_as(Search))
    takes_final(call.partial_as(Search))  # type: ignore[arg-type]
    takes_partial(call.partial_as(Search))
    takes_partial(call.parsed_as(Search))  # type: ignore[arg-type]
    if call.partial_as(Search).limit is toolstream.PENDING:
        return


def results(result: toolstream.Result) -> None:
    assert_type(result.hidden, float)
    assert_type(result.started_at, float | None)
    assert_type(toolstream.Image(b"").base64, str)
    result.status = "fine"  # type: ignore[assignment]


def takes_final(search: Search) -> None: ...


def takes_partial(search: toolstream.Partial[Search]) -> None: ...


@toolstream.tool(effects="none")
async def fetch(urls: toolstream.Streamed[list[int]], note: toolstream.Streamed[str], call: toolstream.LiveCall) -> str:
    async for url in urls:
        assert_type(url, int)
    async for piece in note:
        assert_type(piece, str)
    async for part in call.stream("other"):
        assert_type(part, Any)
    return ""


@toolstream.tool
def on_a_thread(urls: toolstream.Streamed[list[int]], call: toolstream.LiveThreadCall) -> int:
    return sum(urls)


def fields_of_a_document(parser: toolstream.JSONParser) -> None:
    events: list[toolstream.Event] = parser.feed("{}") + parser.close()
    for event in events:
        if isinstance(event, toolstream.FieldComplete):
            assert_type(event.path, tuple[str | int, ...])


def options() -> None:
    toolstream.parse([b""], paths=["edits[*].path", ("query",)], deltas={"search": True, "write": ["text"]})
    toolstream.parse([b""], paths={"search": "query", "write": ["path"]}, framing="ndjson")
    toolstream.dispatch_sync([b""], [on_a_thread], depth=None, limits=toolstream.Limits(max_calls=3))
    toolstream.parse([b""], framing="json")  # type: ignore[call-overload]
    toolstream.parse([b""], limits={"max_calls": 3})  # type: ignore[call-overload]
    toolstream.dispatch_sync([b""], [on_a_thread], detph=2)  # type: ignore[call-arg]
    toolstream.dispatch([b""], [fetch])  # type: ignore[arg-type]


toolstream.tool(effects="sometimes")  # type: ignore[call-overload]
toolstream.tool(start="soon")  # type: ignore[call-overload]


async def running(source: AsyncIterator[bytes]) -> None:
    toolstream.dispatch_sync(source, [on_a_thread])  # type: ignore[arg-type]
    assert_type(await fetch(toolstream.Streamed(), toolstream.Streamed(), toolstream.LiveCall()), str)
    run = toolstream.dispatch(source, [fetch])
    async for event in run:
        match event:
            case toolstream.FieldInvalid(error=error):
                assert_type(error, toolstream.InvalidFieldError)
            case toolstream.ToolCallReady(call=call) | toolstream.FieldComplete(call=call):
                assert_type(call, toolstream.ToolCall)
            case _:
                pass
    results = await run
    assert_type(results, toolstream.Results)
    assert_type(results[0], toolstream.Result)
    assert_type(results.messages(), list[dict[str, Any]])
    assert_type(toolstream.dispatch_sync([b""], [on_a_thread]).wait(), toolstream.Results)
