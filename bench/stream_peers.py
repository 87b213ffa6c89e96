"""Everybody who reads a provider's stream: toolstream, the loops that people write by hand, and the SDKs.

A contestant is a function from network chunks to what it found: the call's arguments, or for those that ignore the
arguments the number of events. Either is checked before it is timed. The SDKs read the chunks through their own HTTP
client on a mock transport; the client is made outside the timing. A package that isn't installed is left out.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any, Literal

import orjson

import toolstream

from .peers import SUBJECT, WrongResultError, installed
from .timing import Entry
from .wire import TOOL_NAME, Stream

FLOOR = "floor: a loop over the chunks"

Chunks = Sequence[bytes]
Read = Callable[[Chunks], Any]


@dataclass(frozen=True, slots=True)
class Reader:
    """read: chunks in; out comes what `finds` says. rank: the kind of peer, by which the bars name it."""

    name: str
    read: Read
    rank: str
    finds: Literal["arguments", "events", "bytes"] = "arguments"

    def entry(self, stream: Stream, chunks: Chunks) -> Entry:
        """The work on the stream in these chunks; a wrong result raises `WrongResultError`."""

        def check(found: object) -> None:
            if found != self._expected(stream, chunks):
                where = f"{stream.shape} {stream.workload.key}"
                raise WrongResultError(f"{self.name} on {where}: found {str(found)[:80]}")

        return Entry(self.name, lambda: self.read(chunks), check=check)

    def _expected(self, stream: Stream, chunks: Chunks) -> Any:
        if self.finds == "arguments":
            return stream.workload.value
        return len(stream.events) if self.finds == "events" else sum(map(len, chunks))


def readers(shape: str, missing: list[str]) -> tuple[Reader, ...]:
    """Everybody who can read that shape, toolstream first; `missing` gets a line for each absent package."""
    provider = shape.partition("-")[0]
    found = [*_toolstream(), *_by_hand(provider, missing), *_frameworks(provider, missing)]
    return tuple(found)


# ---------------------------------------------------------------- toolstream


def _toolstream() -> Iterator[Reader]:
    yield Reader(SUBJECT, _parse(), "subject")
    yield Reader(f"{SUBJECT}, StreamParser.feed", _push, "subject push")
    yield Reader(f"{SUBJECT}, deltas=True", _parse(deltas=True), "subject deltas")


def _parse(**options: Any) -> Read:
    """Every event is consumed; with deltas, every piece of text is looked at."""

    def read(chunks: Chunks) -> Any:
        stream = toolstream.parse(iter(chunks), **options)
        for _ in stream:
            pass
        return stream.calls[0].arguments

    def read_deltas(chunks: Chunks) -> Any:
        stream, size = toolstream.parse(iter(chunks), **options), 0
        field_delta = toolstream.FieldDelta
        for event in stream:
            if type(event) is field_delta:
                size += len(event.text)
        return stream.calls[0].arguments

    return read_deltas if options else read


def _push(chunks: Chunks) -> Any:
    parser = toolstream.StreamParser()
    feed, count = parser.feed, 0
    for chunk in chunks:
        events = feed(chunk)
        if events:
            count += len(events)
    parser.close()
    return parser.calls[0].arguments


# ---------------------------------------------------------------- by hand

_DONE = b"[DONE]"


def _frames(chunks: Chunks) -> Iterator[Any]:
    """The fastest loop that works on these streams: split at blank lines, decode what follows `data: `."""
    rest = b""
    loads = orjson.loads
    for chunk in chunks:
        frames = (rest + chunk if rest else chunk).split(b"\n\n")
        rest = frames.pop()
        for frame in frames:
            data = frame.split(b"data: ", 1)[1]
            yield None if data == _DONE else loads(data)


def _split_only(loads: Callable[[bytes], Any]) -> Read:
    """`_frames` written out, which spares it the generator: decodes every event and looks no further."""

    def read(chunks: Chunks) -> int:
        rest, count = b"", 0
        for chunk in chunks:
            frames = (rest + chunk if rest else chunk).split(b"\n\n")
            rest = frames.pop()
            for frame in frames:
                data = frame.split(b"data: ", 1)[1]
                if data != _DONE:
                    loads(data)
                count += 1
        return count

    return read


def _typed(provider: str, msgspec: Any) -> Callable[[bytes], Any]:
    """Decodes only the members that lead to the arguments; msgspec skips all others."""

    def struct(name: str, **members: Any) -> Any:
        return msgspec.defstruct(name, [(member, kind, None) for member, kind in members.items()], gc=False)

    def optional(kind: Any) -> Any:
        return kind | None

    def several(kind: Any) -> Any:
        return list[kind]

    if provider == "anthropic":
        event = struct("Event", type=optional(str), delta=optional(struct("Delta", partial_json=optional(str))))
    elif provider == "chat":
        call = struct("Call", function=optional(struct("Function", arguments=optional(str))))
        delta = struct("Delta", tool_calls=optional(several(call)))
        event = struct("Chunk", choices=optional(several(struct("Choice", delta=optional(delta)))))
    else:
        event = struct("Event", type=optional(str), delta=optional(str))
    decode: Callable[[bytes], Any] = msgspec.json.Decoder(event).decode
    return decode


def _sse_frames(sseclient: Any) -> Callable[[Chunks], Iterator[Any]]:
    def frames(chunks: Chunks) -> Iterator[Any]:
        loads = orjson.loads
        for event in sseclient.SSEClient(iter(chunks)).events():
            yield None if event.data == "[DONE]" else loads(event.data)

    return frames


def _fragment(provider: str) -> Callable[[Any], str | None]:
    """What a decoded event adds to the call's arguments; None: nothing."""

    def anthropic(event: Any) -> str | None:
        return event["delta"]["partial_json"] if event["type"] == "content_block_delta" else None

    def chat(event: Any) -> str | None:
        if event is None or not event["choices"]:
            return None
        calls = event["choices"][0]["delta"].get("tool_calls")
        return calls[0]["function"]["arguments"] if calls else None

    def responses(event: Any) -> str | None:
        return event["delta"] if event["type"] == "response.function_call_arguments.delta" else None

    return {"anthropic": anthropic, "chat": chat, "responses": responses}[provider]


def _ignoring(frames: Callable[[Chunks], Iterator[Any]]) -> Read:
    """Decodes every event and looks no further."""

    def read(chunks: Chunks) -> int:
        count = 0
        for _ in frames(chunks):
            count += 1
        return count

    return read


def _reparsing(frames: Callable[[Chunks], Iterator[Any]], provider: str, jiter: Any) -> Read:
    fragment_of = _fragment(provider)

    def read(chunks: Chunks) -> Any:
        text, value = b"", None
        for event in frames(chunks):
            fragment = fragment_of(event)
            if fragment:
                text += fragment.encode()
                value = jiter.from_json(text, partial_mode=True)
        return value

    return read


def _pushing(frames: Callable[[Chunks], Iterator[Any]], provider: str, ijson: Any) -> Read:
    fragment_of = _fragment(provider)

    def read(chunks: Chunks) -> Any:
        events: list[Any] = ijson.utils.sendable_list()
        builder = ijson.common.ObjectBuilder()
        send = ijson.basic_parse_coro(events, use_float=True).send
        for event in frames(chunks):
            fragment = fragment_of(event)
            if fragment:
                send(fragment.encode())
                for kind, item in events:
                    builder.event(kind, item)
                events.clear()
        return builder.value

    return read


def _by_hand(provider: str, missing: list[str]) -> Iterator[Reader]:
    yield Reader(FLOOR, lambda chunks: sum(len(chunk) for chunk in chunks), "floor", "bytes")
    yield Reader("bytes.split + orjson, arguments ignored", _split_only(orjson.loads), "split", "events")
    if msgspec := installed("msgspec", missing):
        typed = _split_only(_typed(provider, msgspec))
        yield Reader("bytes.split + msgspec typed, arguments ignored", typed, "split msgspec", "events")
    jiter = installed("jiter", missing)
    if jiter:
        yield Reader("bytes.split + orjson + jiter partial_mode", _reparsing(_frames, provider, jiter), "split jiter")
    if installed("ijson.backends.yajl2_c", missing):
        backend = installed("ijson", missing).get_backend("yajl2_c")
        yield Reader(
            "bytes.split + orjson + ijson + ObjectBuilder", _pushing(_frames, provider, backend), "split ijson"
        )
    if sseclient := installed("sseclient", missing):
        frames = _sse_frames(sseclient)
        yield Reader("sseclient-py + orjson, arguments ignored", _ignoring(frames), "sseclient", "events")
        if jiter:
            reader = _reparsing(frames, provider, jiter)
            yield Reader("sseclient-py + orjson + jiter partial_mode", reader, "sseclient jiter")


# ---------------------------------------------------------------- the SDKs

_PARAMETERS = {"type": "object", "properties": {}, "additionalProperties": False}
_MESSAGES: list[Any] = [{"role": "user", "content": "go"}]


def _frameworks(provider: str, missing: list[str]) -> Iterator[Reader]:
    name = "anthropic" if provider == "anthropic" else "openai"
    sdk = installed(name, missing)
    if sdk is None:
        return
    served = _Served()
    http = served.http_module(sdk)
    client = served.client(sdk, http)
    yield Reader(f"{http.__name__} response, read only", served.bytes_only(http), "transport", "bytes")
    yield Reader(f"{SUBJECT} on the {http.__name__} response", served.parsed(http), "subject response")
    if httpx_sse := installed("httpx_sse", missing):
        label = "httpx-sse + orjson, arguments ignored"
        yield Reader(label, served.httpx_sse(http, httpx_sse), "httpx-sse", "events")
    for label, rank, read in _SDK_READERS[provider]:
        yield Reader(f"{name} SDK, {label}", served.reader(client, read), rank)


class _Served:
    """A mock transport that answers every request with the chunks that are being measured."""

    def __init__(self) -> None:
        self.chunks: Chunks = ()

    @staticmethod
    def http_module(sdk: Any) -> Any:
        """The HTTP package that this version of the SDK builds on: httpx, or httpx2."""
        bases = sdk.DefaultHttpxClient.__mro__
        root = next(base.__module__ for base in bases if base.__name__ == "Client").partition(".")[0]
        return installed(root, [])

    def transport(self, http: Any) -> Any:
        class Body(http.SyncByteStream):  # type: ignore[misc]
            def __init__(self, chunks: Chunks) -> None:
                self.chunks = chunks

            def __iter__(self) -> Iterator[bytes]:
                return iter(self.chunks)

        headers = {"content-type": "text/event-stream"}
        return http.MockTransport(lambda request: http.Response(200, headers=headers, stream=Body(self.chunks)))

    def client(self, sdk: Any, http: Any) -> Any:
        make = getattr(sdk, "Anthropic", None) or sdk.OpenAI
        return make(api_key="none", max_retries=0, http_client=http.Client(transport=self.transport(http)))

    def reader(self, client: Any, read: Callable[[Any], Any]) -> Read:
        def serve(chunks: Chunks) -> Any:
            self.chunks = chunks
            return read(client)

        return serve

    def bytes_only(self, http: Any) -> Read:
        client = http.Client(transport=self.transport(http))

        def read(chunks: Chunks) -> int:
            self.chunks = chunks
            size = 0
            with client.stream("POST", "http://localhost/") as response:
                for chunk in response.iter_bytes():
                    size += len(chunk)
            return size

        return read

    def httpx_sse(self, http: Any, httpx_sse: Any) -> Read:
        client = http.Client(transport=self.transport(http))

        def read(chunks: Chunks) -> int:
            self.chunks = chunks
            count, loads = 0, orjson.loads
            with client.stream("POST", "http://localhost/") as response:
                for event in httpx_sse.EventSource(response).iter_sse():
                    if event.data != "[DONE]":
                        loads(event.data)
                    count += 1
            return count

        return read

    def parsed(self, http: Any) -> Read:
        client = http.Client(transport=self.transport(http))

        def read(chunks: Chunks) -> Any:
            self.chunks = chunks
            with client.stream("POST", "http://localhost/") as response:
                stream = toolstream.parse(response)
                for _ in stream:
                    pass
                return stream.calls[0].arguments

        return read


def _anthropic_raw(client: Any) -> Any:
    events = client.messages.create(model="m", max_tokens=9, messages=_MESSAGES, stream=True)
    return json.loads("".join(event.delta.partial_json for event in events if event.type == "content_block_delta"))


def _anthropic_helper(client: Any) -> Any:
    with client.messages.stream(model="m", max_tokens=9, messages=_MESSAGES) as stream:
        for event in stream:
            if event.type == "input_json":
                _ = event.snapshot
        return stream.get_final_message().content[0].input


def _chat_tools(strict: bool) -> list[Any]:
    return [{"type": "function", "function": {"name": TOOL_NAME, "strict": strict, "parameters": _PARAMETERS}}]


def _chat_raw(client: Any) -> Any:
    parts: list[str] = []
    for chunk in client.chat.completions.create(model="m", messages=_MESSAGES, stream=True):
        for choice in chunk.choices:
            parts.extend(call.function.arguments for call in choice.delta.tool_calls or ())
    return json.loads("".join(parts))


def _chat_helper(client: Any) -> Any:
    with client.chat.completions.stream(model="m", messages=_MESSAGES, tools=_chat_tools(strict=True)) as stream:
        for event in stream:
            if event.type == "tool_calls.function.arguments.delta":
                _ = event.parsed_arguments
        message = stream.get_final_completion().choices[0].message
    return json.loads(message.tool_calls[0].function.arguments)


def _responses_raw(client: Any) -> Any:
    events = client.responses.create(model="m", input="go", stream=True)
    delta = "response.function_call_arguments.delta"
    return json.loads("".join(event.delta for event in events if event.type == delta))


def _responses_helper(client: Any) -> Any:
    with client.responses.stream(model="m", input="go") as stream:
        for event in stream:
            if event.type == "response.function_call_arguments.delta":
                _ = event.snapshot
        return json.loads(stream.get_final_response().output[0].arguments)


_SDK_READERS: dict[str, tuple[tuple[str, str, Callable[[Any], Any]], ...]] = {
    "anthropic": (
        ("create(stream=True)", "sdk raw", _anthropic_raw),
        ("messages.stream()", "sdk helper", _anthropic_helper),
    ),
    "chat": (
        ("create(stream=True)", "sdk raw", _chat_raw),
        ("chat.completions.stream()", "sdk helper", _chat_helper),
    ),
    "responses": (
        ("create(stream=True)", "sdk raw", _responses_raw),
        ("responses.stream()", "sdk helper", _responses_helper),
    ),
}
