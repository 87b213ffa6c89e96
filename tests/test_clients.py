"""`parse` reads the real HTTP clients and SDKs, over a server on loopback.

Promptness is shown by a handshake: the server sends the rest only after the test has got an event from
what came before, so a client that is read too far ends in the server's impatience, not in a slow test.
"""

from __future__ import annotations

import asyncio
import http.client
import urllib.request
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import AbstractAsyncContextManager, AbstractContextManager, asynccontextmanager, contextmanager
from typing import Any

import loopback
import pytest
import streams
from loopback import PATIENCE, TRANSFERS, Gate, Server
from packages import package

import toolstream
from toolstream import FieldComplete


@pytest.fixture(autouse=True)
def no_proxy(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("NO_PROXY", "127.0.0.1")
    monkeypatch.setenv("no_proxy", "127.0.0.1")


def reply_with_gate(server: Server, frames: list[bytes], **how: Any) -> Gate:
    """The server stops inside the first call, right after its first field."""
    place = next(number for number, frame in enumerate(frames) if b"limit" in frame) + 1
    gate = Gate()
    server.reply([streams.body(frames[:place]), gate, *frames[place:]], **how)
    return gate


def plain(events: list[toolstream.Event]) -> list[dict[str, Any]]:
    return [event.to_dict() for event in events]


def pushed(frames: list[bytes]) -> list[dict[str, Any]]:
    """What the push parser says of the same bytes."""
    parser = toolstream.StreamParser()
    return plain([*parser.feed(streams.body(frames)), *parser.close()])


def read_through(source: Any, gate: Gate) -> list[toolstream.Event]:
    """All events; the gate opens at the first field."""
    events = []
    for event in toolstream.parse(source):
        events.append(event)
        if isinstance(event, FieldComplete):
            gate.open()
    return events


async def aread_through(source: Any, gate: Gate) -> list[toolstream.Event]:
    events = []
    async for event in toolstream.parse(source):
        events.append(event)
        if isinstance(event, FieldComplete):
            gate.open()
    return events


# HTTP clients. Each is a context manager that gives what a user would pass to `parse`.


@contextmanager
def open_httpx(url: str) -> Iterator[Any]:
    with package("httpx").stream("POST", url, json={}, timeout=PATIENCE) as response:
        yield response


@contextmanager
def open_httpx_bytes(url: str) -> Iterator[Any]:
    with open_httpx(url) as response:
        yield response.iter_bytes()


@contextmanager
def open_httpx_lines(url: str) -> Iterator[Any]:
    with open_httpx(url) as response:
        yield response.iter_lines()


@contextmanager
def open_httpx_manager(url: str) -> Iterator[Any]:
    yield package("httpx").stream("POST", url, json={}, timeout=PATIENCE)


@contextmanager
def open_httpx2(url: str) -> Iterator[Any]:
    with package("httpx2").stream("POST", url, json={}, timeout=PATIENCE) as response:
        yield response


@contextmanager
def open_httpx_sse(url: str) -> Iterator[Any]:
    sse = package("httpx_sse")
    with (
        package("httpx").Client(timeout=PATIENCE) as client,
        sse.connect_sse(client, "POST", url, json={}) as source,
    ):
        yield source


@contextmanager
def open_httpx_sse_events(url: str) -> Iterator[Any]:
    with open_httpx_sse(url) as source:
        yield source.iter_sse()


@contextmanager
def open_requests(url: str) -> Iterator[Any]:
    with package("requests").post(url, json={}, stream=True, timeout=PATIENCE) as response:
        yield response


@contextmanager
def open_urllib3(url: str) -> Iterator[Any]:
    urllib3 = package("urllib3")
    with urllib3.PoolManager(timeout=PATIENCE, retries=False) as pool:
        response = pool.request("POST", url, body=b"{}", preload_content=False)
        yield response
        response.close()


@contextmanager
def open_urllib(url: str) -> Iterator[Any]:
    with urllib.request.urlopen(url, data=b"{}", timeout=PATIENCE) as response:
        yield response


@contextmanager
def open_http_client(url: str) -> Iterator[Any]:
    connection = http.client.HTTPConnection(url.removeprefix("http://"), timeout=PATIENCE)
    connection.request("POST", "/", body=b"{}")
    with connection.getresponse() as response:
        yield response
    connection.close()


@contextmanager
def open_sseclient(url: str) -> Iterator[Any]:
    sseclient = package("sseclient")
    with open_requests(url) as response:
        yield sseclient.SSEClient(response)


@asynccontextmanager
async def aopen_httpx(url: str) -> AsyncIterator[Any]:
    async with (
        package("httpx").AsyncClient(timeout=PATIENCE) as client,
        client.stream("POST", url, json={}) as response,
    ):
        yield response


@asynccontextmanager
async def aopen_httpx_bytes(url: str) -> AsyncIterator[Any]:
    async with aopen_httpx(url) as response:
        yield response.aiter_bytes()


@asynccontextmanager
async def aopen_httpx_lines(url: str) -> AsyncIterator[Any]:
    async with aopen_httpx(url) as response:
        yield response.aiter_lines()


@asynccontextmanager
async def aopen_httpx_manager(url: str) -> AsyncIterator[Any]:
    async with package("httpx").AsyncClient(timeout=PATIENCE) as client:
        yield client.stream("POST", url, json={})


@asynccontextmanager
async def aopen_httpx2(url: str) -> AsyncIterator[Any]:
    async with (
        package("httpx2").AsyncClient(timeout=PATIENCE) as client,
        client.stream("POST", url, json={}) as response,
    ):
        yield response


@asynccontextmanager
async def aopen_httpx_sse(url: str) -> AsyncIterator[Any]:
    sse = package("httpx_sse")
    async with (
        package("httpx").AsyncClient(timeout=PATIENCE) as client,
        sse.aconnect_sse(client, "POST", url, json={}) as source,
    ):
        yield source


@asynccontextmanager
async def aopen_httpx_sse_events(url: str) -> AsyncIterator[Any]:
    async with aopen_httpx_sse(url) as source:
        yield source.aiter_sse()


@asynccontextmanager
async def aopen_aiohttp(url: str) -> AsyncIterator[Any]:
    async with package("aiohttp").ClientSession() as session, session.post(url, json={}) as response:
        yield response


@asynccontextmanager
async def aopen_aiohttp_content(url: str) -> AsyncIterator[Any]:
    async with aopen_aiohttp(url) as response:
        yield response.content


@asynccontextmanager
async def aopen_aiohttp_manager(url: str) -> AsyncIterator[Any]:
    async with package("aiohttp").ClientSession() as session:
        yield session.post(url, json={})


CLIENTS: dict[str, Callable[[str], AbstractContextManager[Any]]] = {
    "httpx": open_httpx,
    "httpx iter_bytes": open_httpx_bytes,
    "httpx iter_lines": open_httpx_lines,
    "httpx manager": open_httpx_manager,
    "httpx2": open_httpx2,
    "httpx-sse": open_httpx_sse,
    "httpx-sse events": open_httpx_sse_events,
    "requests": open_requests,
    "urllib3": open_urllib3,
    "urllib": open_urllib,
    "http.client": open_http_client,
    "sseclient-py": open_sseclient,
}
ASYNC_CLIENTS: dict[str, Callable[[str], AbstractAsyncContextManager[Any]]] = {
    "httpx": aopen_httpx,
    "httpx aiter_bytes": aopen_httpx_bytes,
    "httpx aiter_lines": aopen_httpx_lines,
    "httpx manager": aopen_httpx_manager,
    "httpx2": aopen_httpx2,
    "httpx-sse": aopen_httpx_sse,
    "httpx-sse events": aopen_httpx_sse_events,
    "aiohttp": aopen_aiohttp,
    "aiohttp content": aopen_aiohttp_content,
    "aiohttp manager": aopen_aiohttp_manager,
}
UNDECODED = ("urllib", "http.client")  # these leave decompression to their users
# requests' own iteration, which sseclient-py drives, waits for 128 bytes where there are no HTTP chunks.
WAITING = {("sseclient-py", "until-close"), ("sseclient-py", "length")}


@pytest.mark.parametrize("transfer", TRANSFERS)
@pytest.mark.parametrize("client", CLIENTS)
def test_an_event_arrives_before_the_server_has_sent_the_rest(server: Server, client: str, transfer: str) -> None:
    frames = streams.anthropic()
    gate = reply_with_gate(server, frames, transfer=transfer)
    if (client, transfer) in WAITING:
        gate.open()
    with CLIENTS[client](server.url) as source:
        assert plain(read_through(source, gate)) == pushed(frames)


@pytest.mark.parametrize("transfer", TRANSFERS)
@pytest.mark.parametrize("client", ASYNC_CLIENTS)
def test_an_event_arrives_before_the_server_has_sent_the_rest_async(server: Server, client: str, transfer: str) -> None:
    frames = streams.anthropic()
    gate = reply_with_gate(server, frames, transfer=transfer)

    async def read() -> list[toolstream.Event]:
        async with ASYNC_CLIENTS[client](server.url) as source:
            return await aread_through(source, gate)

    assert plain(asyncio.run(read())) == pushed(frames)


@pytest.mark.parametrize("encoding", ["gzip", "deflate"])
@pytest.mark.parametrize("transfer", ["chunked", "until-close"])
@pytest.mark.parametrize("client", [name for name in CLIENTS if name not in UNDECODED])
def test_a_compressed_reply_is_decoded_as_it_comes(server: Server, client: str, transfer: str, encoding: str) -> None:
    frames = streams.chat()
    gate = reply_with_gate(server, frames, transfer=transfer, encoding=encoding)
    if (client, transfer) in WAITING:
        gate.open()
    with CLIENTS[client](server.url) as source:
        assert plain(read_through(source, gate)) == pushed(frames)


@pytest.mark.parametrize("encoding", ["gzip", "deflate"])
@pytest.mark.parametrize("client", ASYNC_CLIENTS)
def test_a_compressed_reply_is_decoded_as_it_comes_async(server: Server, client: str, encoding: str) -> None:
    frames = streams.chat()
    gate = reply_with_gate(server, frames, encoding=encoding)

    async def read() -> list[toolstream.Event]:
        async with ASYNC_CLIENTS[client](server.url) as source:
            return await aread_through(source, gate)

    assert plain(asyncio.run(read())) == pushed(frames)


@pytest.mark.parametrize("client", CLIENTS)
def test_leaving_the_loop_closes_the_connection(server: Server, client: str) -> None:
    gate = reply_with_gate(server, streams.responses())
    with CLIENTS[client](server.url) as source:
        for event in toolstream.parse(source):
            if isinstance(event, FieldComplete):
                break
        assert server.hung_up.wait(PATIENCE)
    assert not gate.is_open


# Items got from a response know no way to the connection beyond their own end; aiohttp's body has none.
BEYOND_REACH = ("aiohttp content",)


@pytest.mark.parametrize("client", [name for name in ASYNC_CLIENTS if name not in BEYOND_REACH])
def test_leaving_the_loop_closes_the_connection_async(server: Server, client: str) -> None:
    gate = reply_with_gate(server, streams.responses())

    async def read() -> None:
        async with ASYNC_CLIENTS[client](server.url) as source:
            async with toolstream.parse(source) as stream:
                async for event in stream:
                    if isinstance(event, FieldComplete):
                        break
            assert await asyncio.to_thread(server.hung_up.wait, PATIENCE)

    asyncio.run(read())
    assert not gate.is_open


def test_an_async_break_alone_closes_the_connection(server: Server) -> None:
    reply_with_gate(server, streams.responses())

    async def read() -> None:
        async with aopen_httpx(server.url) as response:
            async for event in toolstream.parse(response):
                if isinstance(event, FieldComplete):
                    break
            assert await asyncio.to_thread(server.hung_up.wait, PATIENCE)

    asyncio.run(read())


@pytest.mark.parametrize("client", ["httpx", "httpx2", "requests"])
def test_a_response_that_has_been_read_is_read_again(server: Server, client: str) -> None:
    frames = streams.chat()
    server.reply(frames)
    response = package(client).post(server.url, json={}, timeout=PATIENCE)
    assert plain(list(toolstream.parse(response))) == pushed(frames)


def test_a_urllib3_response_that_has_been_read_is_read_again(server: Server) -> None:
    frames = streams.chat()
    server.reply(frames)
    with package("urllib3").PoolManager(timeout=PATIENCE) as pool:
        assert plain(list(toolstream.parse(pool.request("POST", server.url, body=b"{}")))) == pushed(frames)


@pytest.mark.parametrize("client", ["httpx", "httpx2"])
def test_an_async_response_that_has_been_read_is_read_again(server: Server, client: str) -> None:
    frames = streams.chat()
    server.reply(frames)

    async def read() -> list[toolstream.Event]:
        async with package(client).AsyncClient(timeout=PATIENCE) as http_client:
            response = await http_client.post(server.url, json={})
            return [event async for event in toolstream.parse(response)]

    assert plain(asyncio.run(read())) == pushed(frames)


def test_an_aiohttp_response_that_has_been_read_is_read_again(server: Server) -> None:
    frames = streams.chat()
    server.reply(frames)

    async def read() -> list[toolstream.Event]:
        async with aopen_aiohttp(server.url) as response:
            await response.read()
            return [event async for event in toolstream.parse(response)]

    assert plain(asyncio.run(read())) == pushed(frames)


@pytest.mark.parametrize("client", ["httpx", "httpx2", "httpx-sse", "requests", "urllib3", "http.client"])
def test_an_error_reply_is_the_providers_error_with_its_message(server: Server, client: str) -> None:
    body = b'{"error": {"message": "Rate limit reached", "type": "rate_limit_error", "code": null}}'
    server.reply([body], status="429 Too Many Requests", content_type="application/json", transfer="length")
    with CLIENTS[client](server.url) as source, pytest.raises(toolstream.ProviderError, match="Rate limit reached"):
        list(toolstream.parse(source))


def test_a_connection_that_breaks_raises_the_clients_exception_after_the_events(server: Server) -> None:
    httpx = package("httpx")
    frames = streams.anthropic()
    place = next(number for number, frame in enumerate(frames) if b"limit" in frame) + 1
    server.reply([streams.body(frames[:place]), loopback.BREAK, *frames[place:]])
    events = []
    with open_httpx(server.url) as response, pytest.raises(httpx.RemoteProtocolError):  # noqa: PT012
        for event in toolstream.parse(response):
            events.append(event)  # noqa: PERF402 - what came before the exception is to be kept
    assert plain(events)[-1]["type"] == "field_complete"


def test_requests_raises_its_own_exceptions(server: Server) -> None:
    requests = package("requests")
    frames = streams.anthropic()
    server.reply([streams.body(frames[:8]), loopback.BREAK, *frames[8:]])
    with open_requests(server.url) as response, pytest.raises(requests.RequestException):
        list(toolstream.parse(response))


# SDKs. `ways` are the ways to stream with one; each is a context manager that gives what a user would pass.

MESSAGES: dict[str, Any] = {"model": "claude-test", "max_tokens": 100, "messages": [{"role": "user", "content": "?"}]}
COMPLETIONS: dict[str, Any] = {"model": "gpt-test", "messages": [{"role": "user", "content": "?"}]}
RESPONSES: dict[str, Any] = {"model": "gpt-test", "input": "?"}

ANTHROPIC_WAYS: dict[str, tuple[str, Callable[[Any], Any]]] = {
    "messages.create": ("anthropic", lambda sdk: sdk.messages.create(**MESSAGES, stream=True)),
    "messages.stream": ("anthropic", lambda sdk: sdk.messages.stream(**MESSAGES)),
    "messages.with_streaming_response": (
        "anthropic",
        lambda sdk: sdk.messages.with_streaming_response.create(**MESSAGES, stream=True),
    ),
    "messages.with_raw_response": (
        "anthropic",
        lambda sdk: sdk.messages.with_raw_response.create(**MESSAGES, stream=True),
    ),
}
OPENAI_WAYS: dict[str, tuple[str, Callable[[Any], Any]]] = {
    "chat.completions.create": ("openai-chat", lambda sdk: sdk.chat.completions.create(**COMPLETIONS, stream=True)),
    "chat.completions.stream": ("openai-chat", lambda sdk: sdk.chat.completions.stream(**COMPLETIONS)),
    "chat.completions.with_streaming_response": (
        "openai-chat",
        lambda sdk: sdk.chat.completions.with_streaming_response.create(**COMPLETIONS, stream=True),
    ),
    "responses.create": ("openai-responses", lambda sdk: sdk.responses.create(**RESPONSES, stream=True)),
    "responses.stream": ("openai-responses", lambda sdk: sdk.responses.stream(**RESPONSES)),
    "responses.with_streaming_response": (
        "openai-responses",
        lambda sdk: sdk.responses.with_streaming_response.create(**RESPONSES, stream=True),
    ),
}
WAYS = ANTHROPIC_WAYS | OPENAI_WAYS


def client_of(way: str, url: str, *, asynchronous: bool = False) -> Any:
    name, kind = ("anthropic", "Anthropic") if way in ANTHROPIC_WAYS else ("openai", "OpenAI")
    sdk = package(name)
    make = getattr(sdk, f"Async{kind}" if asynchronous else kind)
    return make(api_key="none", base_url=url, max_retries=0, timeout=PATIENCE)


@contextmanager
def open_sdk(way: str, url: str, *, enter: bool = True) -> Iterator[Any]:
    with client_of(way, url) as client:
        source = WAYS[way][1](client)
        if enter and hasattr(source, "__enter__"):
            with source as entered:
                yield entered
        else:
            yield source


@asynccontextmanager
async def aopen_sdk(way: str, url: str, *, enter: bool = True) -> AsyncIterator[Any]:
    async with client_of(way, url, asynchronous=True) as client:
        source = WAYS[way][1](client)
        if asyncio.iscoroutine(source):
            source = await source
        if enter and hasattr(source, "__aenter__"):
            async with source as entered:
                yield entered
        else:
            yield source


@pytest.mark.parametrize("way", WAYS)
def test_an_sdks_stream_gives_the_same_events_as_the_bytes_and_as_promptly(server: Server, way: str) -> None:
    frames = streams.BUILDERS[WAYS[way][0]]()
    gate = reply_with_gate(server, frames)
    with open_sdk(way, server.url) as source:
        assert plain(read_through(source, gate)) == pushed(frames)


@pytest.mark.parametrize("way", WAYS)
def test_an_sdks_async_stream_gives_the_same_events_as_the_bytes_and_as_promptly(server: Server, way: str) -> None:
    frames = streams.BUILDERS[WAYS[way][0]]()
    gate = reply_with_gate(server, frames)

    async def read() -> list[toolstream.Event]:
        async with aopen_sdk(way, server.url) as source:
            return await aread_through(source, gate)

    assert plain(asyncio.run(read())) == pushed(frames)


@pytest.mark.parametrize("way", WAYS)
def test_an_sdks_manager_is_read_without_being_entered_first(server: Server, way: str) -> None:
    frames = streams.BUILDERS[WAYS[way][0]]()
    gate = reply_with_gate(server, frames)
    with open_sdk(way, server.url, enter=False) as source:
        assert plain(read_through(source, gate)) == pushed(frames)


@pytest.mark.parametrize("way", WAYS)
def test_an_sdks_async_manager_is_read_without_being_entered_first(server: Server, way: str) -> None:
    frames = streams.BUILDERS[WAYS[way][0]]()
    gate = reply_with_gate(server, frames)

    async def read() -> list[toolstream.Event]:
        async with aopen_sdk(way, server.url, enter=False) as source:
            return await aread_through(source, gate)

    assert plain(asyncio.run(read())) == pushed(frames)


@pytest.mark.parametrize("way", WAYS)
def test_leaving_an_sdks_stream_early_closes_the_connection(server: Server, way: str) -> None:
    gate = reply_with_gate(server, streams.BUILDERS[WAYS[way][0]]())
    with open_sdk(way, server.url) as source:
        for event in toolstream.parse(source):
            if isinstance(event, FieldComplete):
                break
        assert server.hung_up.wait(PATIENCE)
    assert not gate.is_open


@pytest.mark.parametrize("way", WAYS)
def test_leaving_an_sdks_async_stream_early_closes_the_connection(server: Server, way: str) -> None:
    gate = reply_with_gate(server, streams.BUILDERS[WAYS[way][0]]())

    async def read() -> None:
        async with aopen_sdk(way, server.url) as source:
            async with toolstream.parse(source) as stream:
                async for event in stream:
                    if isinstance(event, FieldComplete):
                        break
            assert await asyncio.to_thread(server.hung_up.wait, PATIENCE)

    asyncio.run(read())
    assert not gate.is_open


@pytest.mark.parametrize("way", WAYS)
def test_the_message_is_the_same_from_an_sdks_stream_and_from_the_bytes(server: Server, way: str) -> None:
    frames = streams.BUILDERS[WAYS[way][0]]()
    server.reply(frames)
    parser = toolstream.StreamParser()
    parser.feed(streams.body(frames))
    parser.close()
    with open_sdk(way, server.url) as source:
        stream = toolstream.parse(source)
        list(stream)
    assert stream.message == parser.message
    assert stream.usage.raw == parser.usage.raw


def test_the_sdks_own_accumulation_still_works_beside_parse(server: Server) -> None:
    server.reply(streams.anthropic())
    with open_sdk("messages.stream", server.url) as source:
        stream = toolstream.parse(source)
        list(stream)
        message = source.get_final_message()
    assert [block.input for block in message.content if block.type == "tool_use"] == [
        call.arguments for call in stream.calls
    ]


@pytest.mark.parametrize("way", WAYS)
def test_an_error_inside_the_stream_comes_after_the_events(server: Server, way: str) -> None:
    provider = WAYS[way][0]
    frames = streams.BUILDERS[provider]()
    place = next(number for number, frame in enumerate(frames) if b"limit" in frame) + 1
    server.reply([*frames[:place], ERRORS[provider]])
    events = []
    with open_sdk(way, server.url) as source, pytest.raises(Exception, match="Overloaded"):  # noqa: PT012
        for event in toolstream.parse(source):
            events.append(event)  # noqa: PERF402 - what came before the exception is to be kept
    assert events[-1].type == "field_complete"


ERRORS = {
    "anthropic": b'event: error\ndata: {"type": "error", "error": {"type": "overloaded_error", '
    b'"message": "Overloaded"}}\n\n',
    "openai-chat": b'data: {"error": {"message": "Overloaded", "type": "server_error", "code": null}}\n\n',
    "openai-responses": b'event: error\ndata: {"type": "error", "code": "server_error", "message": "Overloaded", '
    b'"param": null, "sequence_number": 9}\n\n',
}
