"""What google-genai gives its users, objects and streams, is read as the bytes are; and it takes our messages back."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest
import recordings
import wire
from wire import Reading, plain, read_async_source, read_bytes, read_source

from toolstream import Event, StreamParser, ToolStreamError, parse


@pytest.fixture(scope="module")
def genai() -> Any:
    return pytest.importorskip("google.genai", reason="the google-genai package is not installed")


def client(genai: Any, body: bytes) -> Any:
    httpx = pytest.importorskip("httpx", reason="the httpx package is not installed")
    headers = {"content-type": "text/event-stream"}
    transport = httpx.MockTransport(lambda _: httpx.Response(200, headers=headers, content=body))
    options = genai.types.HttpOptions(
        httpx_client=httpx.Client(transport=transport), httpx_async_client=httpx.AsyncClient(transport=transport)
    )
    return genai.Client(api_key="none", http_options=options)


CONTENT = {"model": "gemini-test", "contents": "?"}
INTERACTION = {"model": "gemini-test", "input": "?", "stream": True}


def objects(genai: Any, known: dict[str, Any]) -> list[Any]:
    """The stream's events as the package's own objects."""
    events = recordings.events(recordings.body(known))
    if known["format"] == "gemini-interactions":
        pydantic = pytest.importorskip("pydantic", reason="the pydantic package is not installed")
        from google.genai import interactions

        return [pydantic.TypeAdapter(interactions.InteractionSSEEvent).validate_python(event) for event in events]
    if known["format"] == "gemini-live":
        return [genai.types.LiveServerMessage.model_validate(event) for event in events]
    if "usage_metadata" in events[0]:
        return [genai.types.GenerateContentResponse.model_validate(event) for event in events]
    try:
        return list(client(genai, wire.sse(events)).models.generate_content_stream(**CONTENT))
    except (AttributeError, genai.errors.APIError) as error:
        pytest.skip(f"the package has no object for an event: {error!r}")


def comparable(reading: Reading) -> list[Any]:
    """Without what the package changes: the counts' raw objects, and errors' messages (it drops finishMessage)."""
    told = [event if isinstance(event, dict) else {"error": event[0]} for event in plain(reading)]
    return [{**event, "usage": event["usage"].to_dict()} if "usage" in event else event for event in told]


def with_google(*formats: str) -> Any:
    def mark(test: Any) -> Any:
        found = [*recordings.own_expectations(), *recordings.expectations()]
        params = [pytest.param(known, id=known["file"]) for known in found if known["format"] in formats]
        return pytest.mark.parametrize("known", params)(test)

    return mark


@with_google("gemini", "gemini-live")
def test_its_objects_give_the_same_events_as_the_bytes(genai: Any, known: dict[str, Any]) -> None:
    items = objects(genai, known)
    told = comparable(read_bytes(recordings.body(known)))
    assert comparable(read_source(items)) == told
    assert comparable(read_async_source(items)) == told


@with_google("gemini-interactions")
def test_objects_of_interactions_give_the_same_events_as_the_bytes(genai: Any, known: dict[str, Any]) -> None:
    if b"content.delta" in recordings.body(known):
        pytest.skip("this version of the package has no objects for the older revision")
    items = objects(genai, known)
    told = comparable(read_bytes(recordings.body(known)))
    assert comparable(read_source(items)) == told
    assert comparable(read_async_source(items)) == told


@with_google("gemini", "gemini-live")
def test_it_takes_our_message_back(genai: Any, known: dict[str, Any]) -> None:
    parser = StreamParser(on_error="event")
    try:
        parser.feed(recordings.body(known))
        parser.close()
    except ToolStreamError:
        pytest.skip("the stream holds an error")
    content = genai.types.Content.model_validate(parser.message)
    assert content.role == "model"
    assert [part.function_call.name for part in content.parts if part.function_call] == [
        call.name for call in parser.calls if call._scope == 0 and call in message_calls(parser)
    ]


def message_calls(parser: StreamParser) -> list[Any]:
    return parser.calls[parser._assembler._first :]


OWN = {known["file"]: known for known in recordings.own_expectations()}
CLIENTS = ["gemini/call.sse", "gemini/parallel-calls-in-one-chunk.sse", "gemini/thoughts.sse"]


@pytest.mark.parametrize("file", [*CLIENTS, "gemini-interactions/steps.sse"])
def test_its_streams_are_read_as_the_bytes_are(genai: Any, file: str) -> None:
    body = recordings.body(OWN[file])
    told = comparable(read_bytes(body))
    is_content = file.startswith("gemini/")

    sdk = client(genai, body)
    stream = sdk.models.generate_content_stream(**CONTENT) if is_content else sdk.interactions.create(**INTERACTION)
    sync = Reading(parse(stream))  # type: ignore[arg-type]
    sync.events.extend(sync.parser)  # type: ignore[arg-type]
    assert comparable(sync) == told

    async def run() -> list[Event]:
        aio = client(genai, body).aio
        stream = aio.models.generate_content_stream(**CONTENT) if is_content else aio.interactions.create(**INTERACTION)
        return [event async for event in parse(await stream)]

    told_async = Reading(wire.StreamParser(), asyncio.run(run()))
    assert comparable(told_async) == told
