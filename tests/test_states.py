"""The table of docs/tools.md: which signal of which provider gives a call which state, and that nothing else does.

Every stream is ended between its events (a long one at some places) with every stop reason of its format; what must be
so is said here once more, and not taken from the adapters.
"""

from __future__ import annotations

import asyncio
import copy
import json
import re
from collections.abc import AsyncIterator, Callable
from contextlib import suppress
from typing import Any, NamedTuple

import documents
import pytest
import recordings
import wire

import toolstream
from toolstream import MessageEnd, ProviderError, StreamParser, ToolCall, ToolStreamError
from toolstream.providers import ADAPTERS

Event = dict[str, Any]
PAGE = "docs/tools.md"
# Where arguments grow can't be told from their end: each event holds all so far, as an object; or they are free text,
# which ends with the message.
GROWS = ("openai-chat/bridge-objects-that-grow.sse", "openai-chat/openai-custom-tool.sse")


class Stop(NamedTuple):
    """How a format says why the message stops.

    place: the member of an event that says it, as the object that holds it and its name; None for other events.
    asks: the reasons that ask for the calls to be run. others: those that don't. withdraw: those of them that take
    back whole calls, too.
    """

    place: Callable[[Event], tuple[Any, str] | None]
    asks: tuple[Any, ...]
    others: tuple[Any, ...]
    withdraw: tuple[Any, ...] = ()


def at(*path: Any, given: bool = False) -> Callable[[Event], tuple[Any, str] | None]:
    """The last of these steps, where all those before it are there, and it is itself (given: and is not null)."""

    def place(event: Event) -> tuple[Any, str] | None:
        owner: Any = event
        for step in path[:-1]:
            try:
                owner = owner[step]
            except (KeyError, IndexError, TypeError):
                return None
        name = path[-1]
        is_there = isinstance(owner, dict) and name in owner
        return (owner, name) if is_there and not (given and owner[name] is None) else None

    return place


def of_type(*types: str, place: Callable[[Event], tuple[Any, str] | None]) -> Callable[[Event], Any]:
    return lambda event: place(event) if event.get("type") in types else None


def of_responses(event: Event) -> tuple[Any, str] | None:
    """Of a response's end: its status. What ends it otherwise has another type, too; the status alone decides."""
    return (event["response"], "status") if event.get("type") in ("response.completed", "response.done") else None


CHAT = Stop(
    at("choices", 0, "finish_reason", given=True),
    ("tool_calls", "function_call", "stop"),
    ("length", "content_filter", "model_length", "sensitive", "error", "unheard of"),
    ("content_filter", "sensitive"),
)
ANTHROPIC = Stop(
    of_type("message_delta", place=at("delta", "stop_reason", given=True)),
    ("tool_use",),
    ("end_turn", "max_tokens", "stop_sequence", "pause_turn", "model_context_window_exceeded", "refusal", "unheard of"),
    ("refusal",),
)
RESPONSES = Stop(of_responses, ("completed",), ("incomplete", "failed", "cancelled"))
STOPS = {
    "anthropic": ANTHROPIC,
    "bedrock-invoke": ANTHROPIC,
    "bedrock-converse": Stop(
        at("messageStop", "stopReason"),
        ("tool_use", "end_turn"),
        ("max_tokens", "stop_sequence", "guardrail_intervened", "content_filtered", "malformed_tool_use", "unheard of"),
        ("guardrail_intervened", "content_filtered"),
    ),
    "cohere-v2": Stop(
        of_type("message-end", place=at("delta", "finish_reason")),
        ("TOOL_CALL",),
        ("COMPLETE", "STOP_SEQUENCE", "MAX_TOKENS", "TIMEOUT", "unheard of"),
    ),
    "gemini": Stop(
        at("candidates", 0, "finishReason"),
        ("STOP",),
        ("MAX_TOKENS", "SAFETY", "RECITATION", "MALFORMED_FUNCTION_CALL", "LANGUAGE", "unheard of"),
        ("SAFETY", "RECITATION"),
    ),
    "gemini-interactions": Stop(
        at("interaction", "status"),
        ("requires_action", "completed"),
        ("incomplete", "failed", "cancelled", "budget_exceeded", "unheard of"),
    ),
    "ollama": Stop(at("done_reason", given=True), ("stop",), ("length", "load", "unheard of")),
    "openai-chat": CHAT,
    "openai-responses": RESPONSES,
    "openai-realtime": RESPONSES,
    "ai-sdk-ui": Stop(
        of_type("finish", place=at("finishReason")),
        ("tool-calls", "stop"),
        ("length", "content-filter", "error", "other", "unheard of"),
        ("content-filter",),
    ),
    "langchain": Stop(
        lambda event: (
            at("response_metadata", "finish_reason", given=True)(event)
            or at("response_metadata", "stop_reason", given=True)(event)
        ),
        ("tool_calls", "tool_use", "stop", "end_turn"),
        ("length", "max_tokens", "content_filter", "refusal", "safety", "error", "unheard of"),
        ("content_filter", "refusal", "safety"),
    ),
}
# What they send does not say why the message stops.
WITHOUT = {"ag-ui", "gemini-live", "pydantic-ai"}


def test_every_format_is_tried_here_and_has_its_row() -> None:
    assert STOPS.keys() | WITHOUT == ADAPTERS.keys()
    rows = documents.text(PAGE).partition("## Which signal gives which state")[2]
    named = {
        name for row in re.findall(r"^\| (`[^|]+) \|", rows, re.MULTILINE) for name in re.findall("`([^`]+)`", row)
    }
    assert ADAPTERS.keys() <= named
    assert "text formats" in rows


def endings(events: list[Event], stop: Stop) -> tuple[int, Callable[[Any], list[Event]]] | None:
    """Where a stream begins to end, and its last events with another reason; None where it says none."""
    first = next((index for index, event in enumerate(events) if stop.place(event)), None)
    if first is None or sum(1 for event in events if stop.place(event)) != 1:
        return None
    if wire.read_events(events[:first]).error.__class__ is ProviderError:
        return None

    def tail(reason: Any) -> list[Event]:
        changed = copy.deepcopy(events[first:])
        place = stop.place(changed[0])
        assert place is not None
        owner, name = place
        owner[name] = reason
        for holder in (changed[0], owner):  # what the event beside it says of the content is of the stream's own end
            for content in ("output", "steps", "outputs"):
                if isinstance(holder.get(content), list):
                    holder[content] = []
        return changed

    return first, tail


def after(parser: StreamParser, events: list[Event]) -> tuple[StreamParser, list[toolstream.Event]]:
    """A copy of the parser that has read these, and then the end of the stream."""
    parser = copy.deepcopy(parser)
    told: list[toolstream.Event] = []
    try:
        for event in events:
            told += parser.feed_event(event)
        told += parser.close()
    except ToolStreamError as error:
        told += error.events
    return parser, told


def own(calls: list[ToolCall]) -> list[ToolCall]:
    return [call for call in calls if not call.server]


def texts_of(calls: list[ToolCall]) -> dict[str, set[str]]:
    """Their arguments, by their ids, which some servers give to several."""
    texts: dict[str, set[str]] = {}
    for call in calls:
        if call.id:
            texts.setdefault(call.id, set()).add(call.text.strip())
    return texts


def check(
    parser: StreamParser, told: list[toolstream.Event], whole: dict[str, set[str]], reason: Any, stop: Stop
) -> None:
    committed = [call for call in parser.calls if call.state == "committed"]
    safe = any(event.safe for event in told if isinstance(event, MessageEnd))
    assert bool(committed) == safe
    if reason not in stop.asks:
        assert not committed
    for call in committed:
        assert not call.server
        assert call.complete
        if not call._free_text:
            json.loads(call.text or "{}")
        # Nothing at all, at an end that asks for the call, is a call without arguments.
        text = call.text.strip()
        assert text in ("", "{}") or text in whole.get(call.id or "", {text}), (
            "a call counts with half of its arguments"
        )
    if reason in stop.withdraw:
        assert all(call.state == "void" for call in parser.calls), parser.calls
    for call in parser.calls:
        assert call.state in ("closed", "confirmed", "committed", "void")
        assert (call.state == "void") != call.complete


@recordings.parametrize()
def test_only_a_reason_that_asks_for_tools_commits_wherever_the_message_stops(expected: dict[str, Any]) -> None:
    stop = STOPS.get(expected["format"])
    events = recordings.events(recordings.body(expected))
    ends = None if stop is None else endings(events, stop)
    if stop is None or ends is None or expected["file"] in GROWS:
        pytest.skip("the stream says no reason, or several, or its end can't be told from its middle")
    first, tail = ends
    whole = texts_of(wire.read_events(events, on_error="event").calls)
    parser = StreamParser(provider=expected["format"], on_error="event")
    wanted = set(recordings.places(first, 12))
    for index in range(first + 1):
        if index in wanted:
            cut, _ = after(parser, [])
            assert not [call for call in cut.calls if call.state == "committed"]
            for reason in (*stop.asks, *stop.others):
                found, told = after(parser, tail(reason))
                check(found, told, whole, reason, stop)
        with suppress(ToolStreamError):
            parser.feed_event(events[index])


@recordings.parametrize(formats=STOPS)
def test_what_runs_at_most_once_runs_only_for_a_reason_that_asks_for_it(expected: dict[str, Any]) -> None:
    stop = STOPS[expected["format"]]
    events = recordings.events(recordings.body(expected))
    ends = endings(events, stop)
    names = sorted({call.name for call in own(wire.read_events(events, on_error="event").calls) if call.name})
    if ends is None or not names:
        pytest.skip("the stream says no reason, or several, or has no calls")
    first, tail = ends
    begun: list[str] = []

    def once(name: str) -> Any:
        @toolstream.tool(name=name, effects="once")
        async def f(**_: Any) -> None:
            begun.append(name)

        return f

    tools = [once(name) for name in names]

    async def run(pieces: list[Event]) -> None:
        async def source() -> AsyncIterator[Event]:
            for piece in pieces:
                yield piece

        with suppress(ToolStreamError):
            await toolstream.dispatch(source(), tools, provider=expected["format"])

    for end in recordings.places(first, 3):
        for reason in (*stop.asks[:1], *stop.others):
            begun.clear()
            asyncio.run(run([*events[:end], *tail(reason)]))
            assert not begun or reason in stop.asks
            assert len(begun) <= len(names) * 8
        begun.clear()
        asyncio.run(run(events[:end]))
        assert not begun
