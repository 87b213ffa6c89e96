"""The documents tell the truth: README's Python examples run and print what stands below them, and `.ci/run`
runs the commands that README and CONTRIBUTING name.

An example gets the names that README says it gets: `url` and `body` (a server on this machine that answers with
one recorded reply, in the format that the path asks for) and `sse_bytes` (the same reply as bytes). The SDKs find
the server through their own environment variables.
"""

from __future__ import annotations

import contextlib
import http.server
import json
import re
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

ROOT = Path(__file__).resolve().parents[1]
README = (ROOT / "README.md").read_text(encoding="utf-8")
FENCE = re.compile(r"^```(\w*)\n(.*?)^```$", re.MULTILINE | re.DOTALL)

TEXT = ["Two calls", ", then.\n"]
CALLS: list[tuple[str, str, dict[str, Any]]] = [
    ("call_1", "search", {"query": "tide table Dover", "limit": 3}),
    (
        "call_2",
        "write_file",
        {
            "path": "notes/tides.md",
            "content": "# Tides\n- high water 06:12\n",
            "edits": [{"line": 1, "text": "Dover"}],
        },
    ),
]


def fragments(arguments: dict[str, Any], size: int = 7) -> list[str]:
    text = json.dumps(arguments)
    return [text[i : i + size] for i in range(0, len(text), size)]


def frame(data: dict[str, Any]) -> bytes:
    event = f"event: {data['type']}\n" if "type" in data else ""
    return f"{event}data: {json.dumps(data)}\n\n".encode()


def anthropic_reply() -> bytes:
    def block(index: int, start: dict[str, Any], deltas: list[dict[str, Any]]) -> Iterator[dict[str, Any]]:
        yield {"type": "content_block_start", "index": index, "content_block": start}
        for delta in deltas:
            yield {"type": "content_block_delta", "index": index, "delta": delta}
        yield {"type": "content_block_stop", "index": index}

    message = {
        "id": "msg_1",
        "type": "message",
        "role": "assistant",
        "model": "claude-sonnet-5-5",
        "content": [],
        "stop_reason": None,
        "stop_sequence": None,
        "usage": {"input_tokens": 412, "output_tokens": 1},
    }
    events = [{"type": "message_start", "message": message}]
    events += block(0, {"type": "text", "text": ""}, [{"type": "text_delta", "text": text} for text in TEXT])
    for index, (id, name, arguments) in enumerate(CALLS, 1):
        deltas = [{"type": "input_json_delta", "partial_json": part} for part in ["", *fragments(arguments)]]
        events += block(index, {"type": "tool_use", "id": id, "name": name, "input": {}}, deltas)
    stop = {"stop_reason": "tool_use", "stop_sequence": None}
    events += [{"type": "message_delta", "delta": stop, "usage": {"output_tokens": 97}}, {"type": "message_stop"}]
    return b"".join(map(frame, events))


def openai_chat_reply() -> bytes:
    def chunk(delta: dict[str, Any], finish_reason: str | None = None) -> dict[str, Any]:
        choice = {"index": 0, "delta": delta, "finish_reason": finish_reason}
        head = {"id": "chatcmpl-1", "object": "chat.completion.chunk", "created": 1, "model": "gpt-5"}
        return {**head, "choices": [choice]}

    chunks = [chunk({"role": "assistant", "content": text}) for text in TEXT]
    for index, (id, name, arguments) in enumerate(CALLS):
        head = {"index": index, "id": id, "type": "function", "function": {"name": name, "arguments": ""}}
        parts = [{"index": index, "function": {"arguments": part}} for part in fragments(arguments)]
        chunks += [chunk({"tool_calls": [part]}) for part in [head, *parts]]
    chunks.append(chunk({}, "tool_calls"))
    return b"".join(map(frame, chunks)) + b"data: [DONE]\n\n"


class Replay(http.server.BaseHTTPRequestHandler):
    """Answers each request with a reply in pieces that cut lines, escapes and characters anywhere."""

    def do_POST(self) -> None:
        self.rfile.read(int(self.headers.get("content-length", 0)))
        reply = openai_chat_reply() if self.path.endswith("/chat/completions") else anthropic_reply()
        self.send_response(200)
        self.send_header("content-type", "text/event-stream")
        self.end_headers()
        with contextlib.suppress(ConnectionError):  # a reader may leave early
            for at in range(0, len(reply), 61):
                self.wfile.write(reply[at : at + 61])

    def log_message(self, format: str, *args: Any) -> None:
        """Keeps the test's output to what the examples print."""


@pytest.fixture
def server(monkeypatch: pytest.MonkeyPatch) -> Iterator[str]:
    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), Replay) as running:
        address = f"http://127.0.0.1:{running.server_port}"
        for name, value in {
            "ANTHROPIC_BASE_URL": address,
            "ANTHROPIC_API_KEY": "none",
            "OPENAI_BASE_URL": f"{address}/v1",
            "OPENAI_API_KEY": "none",
            "NO_PROXY": "127.0.0.1",
            "no_proxy": "127.0.0.1",
        }.items():
            monkeypatch.setenv(name, value)
        thread = threading.Thread(target=running.serve_forever, kwargs={"poll_interval": 0.01})
        thread.start()
        yield address
        running.shutdown()
        thread.join()


def examples() -> list[Any]:
    """Each Python block with the text block right behind it, named after the line where it begins."""
    blocks = [(match[1], match[2], match.start(), match.end()) for match in FENCE.finditer(README)]
    found = []
    for (language, code, start, end), (next_language, text, next_start, _) in zip(
        blocks, [*blocks[1:], ("", "", len(README), len(README))], strict=True
    ):
        if language != "python":
            continue
        follows = next_language == "text" and not README[end:next_start].strip()
        line = README.count("\n", 0, start) + 1
        found.append(pytest.param("\n" * line + code, text if follows else "", id=f"line {line}"))
    return found


@pytest.mark.filterwarnings("ignore:The model .* is deprecated:DeprecationWarning")  # the page's models grow old
@pytest.mark.parametrize(("code", "printed"), examples())
def test_readme_example_prints_what_the_page_says(
    code: str, printed: str, server: str, capsys: pytest.CaptureFixture[str]
) -> None:
    for package in re.findall(r"^import (anthropic|openai|httpx)$", code, re.MULTILINE):
        pytest.importorskip(package)
    names = {"__name__": "__main__", "url": f"{server}/v1/messages", "body": {}, "sse_bytes": anthropic_reply()}
    exec(compile(code, str(ROOT / "README.md"), "exec"), names)
    assert capsys.readouterr().out == printed


def test_readme_names_every_public_error_and_event() -> None:
    import toolstream

    events = toolstream.Event.__args__
    errors = [kind for kind in vars(toolstream).values() if isinstance(kind, type) and issubclass(kind, ValueError)]
    assert len(errors) > 5
    assert [kind.__name__ for kind in (*events, *errors) if f"`{kind.__name__}`" not in README] == []


def test_ci_runs_the_commands_that_the_documents_name() -> None:
    script = ROOT / ".ci" / "run"
    if not script.exists():
        pytest.skip("a source distribution has no .ci/run")
    documents = README + (ROOT / "CONTRIBUTING.md").read_text(encoding="utf-8")
    commands = re.findall(r'^ *check "(.+)"$', script.read_text(encoding="utf-8"), re.MULTILINE)
    assert len(commands) > 5
    assert [command for command in commands if command not in documents] == []
