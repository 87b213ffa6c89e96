"""The documents tell the truth: README's Python examples run and print what stands below them, and `.ci/run`
runs the commands that README and CONTRIBUTING name.

An example gets the names that README says it gets: `url` and `body` (a server on this machine) and `sse_bytes` (the
reply that the server sends). The SDKs find the server through their own environment variables.
"""

from __future__ import annotations

import inspect
import json
import re
import subprocess
import sys
from collections.abc import Iterator
from typing import Any

import documents
import pytest
import streams
from loopback import Server

import toolstream

README = documents.text("README.md")

SEARCH = {"query": "tide table Dover", "limit": 3}
WRITE = {
    "path": "notes/tides.md",
    "content": "# Tides\n- high water 06:12\n",
    "edits": [{"line": 1, "text": "Dover"}],
}
REPLY = {
    "text": "Two calls, then.\n",
    "calls": (
        streams.Call("call_1", "search", json.dumps(SEARCH)),
        streams.Call("call_2", "write_file", json.dumps(WRITE)),
    ),
}
SSE_BYTES = streams.body(streams.anthropic(**REPLY))


@pytest.fixture
def url(monkeypatch: pytest.MonkeyPatch) -> Iterator[str]:
    with Server() as anthropic, Server() as openai:
        anthropic.reply([SSE_BYTES[at : at + 61] for at in range(0, len(SSE_BYTES), 61)])
        openai.reply(streams.chat(**REPLY))
        for name, value in {
            "ANTHROPIC_BASE_URL": anthropic.url,
            "ANTHROPIC_API_KEY": "none",
            "OPENAI_BASE_URL": openai.url,
            "OPENAI_API_KEY": "none",
            "NO_PROXY": "127.0.0.1",
            "no_proxy": "127.0.0.1",
        }.items():
            monkeypatch.setenv(name, value)
        yield f"{anthropic.url}/v1/messages"


def examples() -> list[Any]:
    """Each Python block with the text block right behind it, named after the line where it begins."""
    blocks = [(match[1], match[2], match.start(), match.end()) for match in documents.FENCE.finditer(README)]
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
    code: str, printed: str, url: str, capsys: pytest.CaptureFixture[str]
) -> None:
    for package in re.findall(r"^import (anthropic|openai|httpx)$", code, re.MULTILINE):
        pytest.importorskip(package)
    names = {"__name__": "__main__", "url": url, "body": {}, "sse_bytes": SSE_BYTES}
    exec(compile(code, str(documents.ROOT / "README.md"), "exec"), names)
    assert capsys.readouterr().out == printed


def test_readme_names_every_public_error_and_event() -> None:
    events = toolstream.Event.__args__
    errors = [kind for kind in vars(toolstream).values() if isinstance(kind, type) and issubclass(kind, ValueError)]
    assert len(errors) > 5
    assert [kind.__name__ for kind in (*events, *errors) if f"`{kind.__name__}`" not in README] == []


def test_importing_the_package_imports_no_client() -> None:
    clients = "{'aiohttp', 'anthropic', 'httpx', 'httpx2', 'httpx_sse', 'openai', 'requests', 'sseclient', 'urllib3'}"
    code = f"import sys, toolstream; print(sorted({clients} & set(sys.modules)))"
    assert subprocess.run([sys.executable, "-c", code], check=True, capture_output=True, text=True).stdout == "[]\n"


def test_the_public_names_are_listed_and_no_others() -> None:
    code = "import toolstream; print(*(name for name in dir(toolstream) if name[:2] != '__'))"  # none was used before
    found = subprocess.run([sys.executable, "-c", code], check=True, capture_output=True, text=True).stdout
    assert found.split() == sorted(toolstream.__all__)


@pytest.mark.parametrize("kind", [toolstream.JSONParser, toolstream.StreamParser, toolstream.SSEParser])
def test_help_says_what_feed_takes(kind: Any) -> None:
    assert list(inspect.signature(kind.feed).parameters) == ["self", "data"]


def test_ci_runs_the_commands_that_the_documents_name() -> None:
    script = documents.ROOT / ".ci" / "run"
    if not script.exists():
        pytest.skip("a source distribution has no .ci/run")
    named = README + (documents.ROOT / "CONTRIBUTING.md").read_text(encoding="utf-8")
    commands = re.findall(r'^ *check "(.+)"$', script.read_text(encoding="utf-8"), re.MULTILINE)
    assert len(commands) > 5
    assert [command for command in commands if command not in named] == []
