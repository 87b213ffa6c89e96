"""The `toolstream` command, from its arguments to its exit status.

What depends on real pipes, signals or a closed descriptor runs as a process of its own; nothing here measures time,
and the timer in `command` only turns a hang into a failure.
"""

from __future__ import annotations

import contextlib
import io
import json
import os
import signal
import socket
import subprocess
import sys
import threading
import urllib.request
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

import toolstream
from toolstream import cli, demo
from toolstream.demo.server import split_frames
from toolstream.terminal import Terminal, dump_json, show_value

STREAMS = Path(__file__).resolve().parents[1] / "examples" / "streams"
STREAM = STREAMS / "anthropic.sse"
PROVIDERS = ("anthropic", "openai-chat", "openai-responses")
COMMAND = [sys.executable, "-m", "toolstream"]

posix_only = pytest.mark.skipif(os.name != "posix", reason="POSIX descriptors and signals")


def status_of(*arguments: str) -> int:
    """The exit status of the command, run in this process."""
    try:
        return cli.main(arguments)
    except SystemExit as exit:
        return int(exit.code or 0)


@contextlib.contextmanager
def command(*arguments: str, **options: Any) -> Iterator[subprocess.Popen[bytes]]:
    """The command as a process with pipes on all sides, killed should it hang."""
    pipes = {"stdin": subprocess.PIPE, "stdout": subprocess.PIPE, "stderr": subprocess.PIPE}
    with subprocess.Popen([*COMMAND, *arguments], **{**pipes, **options}) as process:
        guard = threading.Timer(60, process.kill)
        guard.start()
        try:
            yield process
        finally:
            guard.cancel()
            process.kill()


def frame(data: dict[str, Any]) -> str:
    return f"event: {data['type']}\ndata: {json.dumps(data)}\n\n"


def anthropic_stream(*events: dict[str, Any]) -> str:
    """A message that begins, and then says these events."""
    message = {"id": "msg_1", "role": "assistant", "model": "m", "content": [], "usage": {"input_tokens": 3}}
    return "".join(frame(event) for event in ({"type": "message_start", "message": message}, *events))


def text_events(text: str) -> list[dict[str, Any]]:
    return [
        {"type": "content_block_start", "index": 0, "content_block": {"type": "text", "text": ""}},
        {"type": "content_block_delta", "index": 0, "delta": {"type": "text_delta", "text": text}},
        {"type": "content_block_stop", "index": 0},
    ]


def call_events(arguments: str) -> list[dict[str, Any]]:
    block = {"type": "tool_use", "id": "toolu_1", "name": "search", "input": {}}
    return [
        {"type": "content_block_start", "index": 0, "content_block": block},
        {"type": "content_block_delta", "index": 0, "delta": {"type": "input_json_delta", "partial_json": arguments}},
        {"type": "content_block_stop", "index": 0},
    ]


END: list[dict[str, Any]] = [
    {"type": "message_delta", "delta": {"stop_reason": "end_turn"}, "usage": {"output_tokens": 5}},
    {"type": "message_stop"},
]


# events: what is printed


@pytest.mark.parametrize("name", sorted(path.name for path in STREAMS.glob("*.sse")))
def test_events_prints_each_event_as_one_line_of_json(name: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert status_of("events", str(STREAMS / name)) == 0
    with open(STREAMS / name, "rb") as body:
        expected = [event.to_dict() for event in toolstream.parse(body)]
    assert [json.loads(line) for line in capsys.readouterr().out.splitlines()] == expected


def test_events_prints_an_event_as_soon_as_standard_input_has_said_it() -> None:
    parser = toolstream.StreamParser()
    with command("events", "-") as process:
        assert process.stdin
        assert process.stdout
        for line in STREAM.read_bytes().splitlines(keepends=True):
            process.stdin.write(line)
            process.stdin.flush()
            for event in parser.feed(line):
                assert json.loads(process.stdout.readline()) == event.to_dict()
        process.stdin.close()
        assert process.stdout.read() == b""
        assert process.wait() == 0


def test_depth_says_how_deep_fields_are_reported(capsys: pytest.CaptureFixture[str]) -> None:
    assert reported_paths(capsys, "--depth", "0") == []
    assert reported_paths(capsys)[0] == ["queries"]
    assert reported_paths(capsys, "--depth", "2")[0] == ["queries", 0]
    assert ["mentions", 1, "urgent"] in reported_paths(capsys, "--depth", "all")


def test_paths_reports_just_these_fields(capsys: pytest.CaptureFixture[str]) -> None:
    paths = reported_paths(capsys, "--paths", "path", "--paths", "mentions[*].user")
    assert paths == [["path"], ["mentions", 0, "user"], ["mentions", 1, "user"]]


def reported_paths(capsys: pytest.CaptureFixture[str], *options: str) -> list[list[str | int]]:
    assert status_of("events", *options, str(STREAM)) == 0
    events = [json.loads(line) for line in capsys.readouterr().out.splitlines()]
    return [event["path"] for event in events if event["type"] == "field_complete"]


def test_deltas_reports_strings_while_they_grow(capsys: pytest.CaptureFixture[str]) -> None:
    assert status_of("events", "--deltas", str(STREAM)) == 0
    events = [json.loads(line) for line in capsys.readouterr().out.splitlines()]
    grown = "".join(e["text"] for e in events if e["type"] == "field_delta" and e["path"] == ["content"])
    final = [e["value"] for e in events if e["type"] == "field_complete" and e["path"] == ["content"]]
    assert final == [grown]


def test_framing_and_provider_can_be_said(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    lines = [line.removeprefix("data: ") for line in STREAM.read_text("utf-8").splitlines() if line[:5] == "data:"]
    (tmp_path / "lines").write_text("\n".join(lines), "utf-8")
    assert status_of("events", "--framing", "ndjson", "--provider", "anthropic", str(tmp_path / "lines")) == 0
    said = capsys.readouterr().out.splitlines()
    assert status_of("events", str(STREAM)) == 0
    recognised = capsys.readouterr().out.splitlines()
    assert [json.loads(line)["type"] for line in said] == [json.loads(line)["type"] for line in recognised]


def test_lines_of_json_are_ascii_and_keep_every_value() -> None:
    for value in ("\ud83d", "é 🎟 \u2028", [1e999, "Infinity", -1e999, '"-Infinity\\"'], 10**400, {"a": [None, True]}):
        line = dump_json(value)
        assert line.isascii()
        assert "\n" not in line
        assert json.loads(line) == value
    assert dump_json([1e999, -1e999]) == "[1e999, -1e999]"


# events --text


def test_text_is_for_people_and_closes_with_the_token_counts(capsys: pytest.CaptureFixture[str]) -> None:
    assert status_of("events", "--text", str(STREAM)) == 0
    lines = capsys.readouterr().out.splitlines()
    assert lines[0] == "message msg_01ToolstreamExample0000001 from claude-sonnet-4-5-20250929 (anthropic)"
    assert lines[1].startswith("reasoning: The user wants")
    assert lines[2] == "I'll look both museums up, write the note and tell the team."
    assert lines[3] == "call search [toolu_01ToolstreamExample00001]"
    assert lines[5] == "  max_results = 5"
    assert lines[6] == "end of search [toolu_01ToolstreamExample00001]"
    assert lines[-2] == "message ended: tool_use, its calls are safe to run"
    assert lines[-1] == "usage: input 3,996, cached 3,584, written 0, output 188, cache hit ratio 89.7%"


def test_text_says_which_call_was_cut(capsys: pytest.CaptureFixture[str]) -> None:
    assert status_of("events", "--text", str(STREAMS / "openai-chat-cut.sse")) == 0
    lines = capsys.readouterr().out.splitlines()
    assert any(line.startswith("write_file [call_ToolstreamExample00001] is void: ") for line in lines)
    assert "message ended: length" in lines


def test_text_shows_growing_strings_on_one_run(capsys: pytest.CaptureFixture[str]) -> None:
    assert status_of("events", "--text", "--deltas", str(STREAM)) == 0
    lines = capsys.readouterr().out.splitlines()
    at = lines.index("  path += notes/museums.md")
    assert lines[at + 1] == '  path = "notes/museums.md"'


def test_text_shows_control_characters_instead_of_sending_them(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    events = [*text_events("a\x1b]0;title\x07\u009b\tb\r\n"), *END]
    (tmp_path / "stream").write_text(anthropic_stream(*events))
    assert status_of("events", "--text", str(tmp_path / "stream")) == 0
    assert "a\\x1b]0;title\\x07\\x9b\tb\\x0d\n" in capsys.readouterr().out


def test_text_goes_through_an_encoding_that_lacks_its_characters() -> None:
    with command("events", "--text", str(STREAM), env={**os.environ, "PYTHONIOENCODING": "ascii"}) as process:
        output, errors = process.communicate()
    assert process.returncode == 0
    assert errors == b""
    assert rb"Mus\xe9e d'Orsay" in output


def test_a_long_value_is_shown_by_its_beginning_and_its_size() -> None:
    assert show_value("short", 40) == '"short"'
    assert show_value("x" * 5_000, 40) == '"' + "x" * 17 + "... (5,000 characters)"
    assert show_value(list(range(1_000)), 40) == "[0, 1, 2, 3, 4, 5, 6, 7... (1,000 items)"


# bad input


@pytest.mark.parametrize(
    ("stream", "events_before", "message"),
    [
        ("", [], "UnknownProviderError"),
        ("no stream at all\n\n", [], "UnknownProviderError"),
        ('data: {"hello": 1}\n\n', [], "UnknownProviderError"),
        (
            '{"type": "error", "error": {"type": "t", "message": "key not valid"}}',
            [],
            "ProviderError: t: key not valid",
        ),
        (anthropic_stream(*text_events("a")), ["message_start", "text_delta"], "IncompleteError"),
        (anthropic_stream(*call_events('{"q": 1, x}'), *END), ["message_start", "field_complete"], "JSONError"),
        (
            anthropic_stream(*text_events("a"), {"type": "error", "error": {"type": "overloaded", "message": "busy"}}),
            ["message_start", "text_delta"],
            "ProviderError: overloaded: busy",
        ),
    ],
    ids=["empty", "no-sse", "no-provider", "http-error", "broken-off", "bad-arguments", "in-stream-error"],
)
@pytest.mark.parametrize("options", [[], ["--text"]], ids=["json", "text"])
def test_a_bad_stream_is_one_message_after_the_events_before_it(
    stream: str,
    events_before: list[str],
    message: str,
    options: list[str],
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
) -> None:
    (tmp_path / "stream").write_text(stream)
    assert status_of("events", *options, str(tmp_path / "stream")) == 1
    output, errors = capsys.readouterr()
    assert errors.startswith(f"toolstream: {message}")
    assert errors.count("\n") == 1
    if not options:
        types = [json.loads(line)["type"] for line in output.splitlines()]
        assert [type for type in events_before if type not in types] == []
        assert len(types) >= len(events_before)
        assert bool(types) == bool(events_before)


def test_a_message_never_sends_control_characters_to_the_terminal(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    error = {"type": "error", "error": {"type": "t", "message": "two\nlines and \x1b[2J"}}
    (tmp_path / "stream").write_text(json.dumps(error))
    assert status_of("events", str(tmp_path / "stream")) == 1
    assert capsys.readouterr().err == "toolstream: ProviderError: t: two\\nlines and \\x1b[2J\n"


def test_a_missing_file_is_one_message(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    missing = str(tmp_path / "missing.sse")
    assert status_of("events", missing) == 1
    assert capsys.readouterr().err == f"toolstream: cannot read {missing}: {os.strerror(2)}\n"


def test_a_folder_is_one_message(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert status_of("events", str(tmp_path)) == 1
    assert capsys.readouterr().err.startswith(f"toolstream: cannot read {tmp_path}: ")


def test_a_fault_in_the_command_itself_is_one_message(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(demo, "play", lambda *_: 1 / 0)
    assert status_of("demo") == 1
    assert "please report it: ZeroDivisionError" in capsys.readouterr().err


@pytest.mark.parametrize(
    "arguments",
    [
        [],
        ["unknown"],
        ["events"],
        ["events", "-", "more"],
        ["events", "--depth", "-1", "-"],
        ["events", "--depth", "deep", "-"],
        ["events", "--paths", "a[", "-"],
        ["events", "--paths", "a", "--depth", "2", "-"],
        ["events", "--framing", "tar", "-"],
        ["events", "--provider", "nobody", "-"],
        ["demo", "--provider", "nobody"],
        ["demo", "--speed", "0"],
        ["demo", "--speed", "nan"],
        ["demo", "--speed", "fast"],
    ],
    ids=" ".join,
)
def test_a_wrong_command_line_is_a_usage_message(arguments: list[str], capsys: pytest.CaptureFixture[str]) -> None:
    assert status_of(*arguments) == 2
    output, errors = capsys.readouterr()
    assert output == ""
    assert errors.startswith("usage: toolstream")


def test_version_is_the_packages(capsys: pytest.CaptureFixture[str]) -> None:
    assert status_of("--version") == 0
    assert capsys.readouterr().out == f"toolstream {toolstream.__version__}\n"


# pipes, signals, descriptors


def test_a_reader_that_leaves_ends_the_command_quietly() -> None:
    with command("events", "-") as process:
        assert process.stdin
        assert process.stdout
        assert process.stderr
        stream = STREAM.read_bytes()
        first, rest = stream.split(b"\n\n", 1)
        process.stdin.write(first + b"\n\n")
        process.stdin.flush()
        assert json.loads(process.stdout.readline())["type"] == "message_start"
        process.stdout.close()
        with contextlib.suppress(BrokenPipeError):
            process.stdin.write(rest)
            process.stdin.close()
        assert process.stderr.read() == b""
        assert process.wait() == 0


def heed_sigint() -> None:
    """A background job is started with this signal ignored, and its children inherit that."""
    signal.signal(signal.SIGINT, signal.SIG_DFL)


@posix_only
def test_ctrl_c_ends_the_command_quietly() -> None:
    with command("events", "-", preexec_fn=heed_sigint) as process:
        assert process.stdin
        assert process.stdout
        assert process.stderr
        process.stdin.write(split_frames(STREAM.read_bytes())[0])
        process.stdin.flush()
        process.stdout.readline()
        process.send_signal(signal.SIGINT)
        assert process.stderr.read() == b""
        assert process.wait() == 130


@pytest.mark.skipif(not os.path.exists("/dev/full"), reason="no /dev/full")
@pytest.mark.parametrize("arguments", [["events", str(STREAM)], ["demo", "--speed", "1e6"]], ids=["events", "demo"])
def test_a_full_disk_is_one_message(arguments: list[str]) -> None:
    with open("/dev/full", "wb") as full, command(*arguments, stdout=full) as process:
        _, errors = process.communicate()
    assert process.returncode == 1
    assert errors == f"toolstream: cannot write the output: {os.strerror(28)}\n".encode()


@posix_only
@pytest.mark.parametrize("closed", [">&-", "<&-"], ids=["output", "input"])
def test_a_closed_descriptor_is_one_message(closed: str) -> None:
    done = subprocess.run(["sh", "-c", f'exec "$@" {closed}', "sh", *COMMAND, "events", "-"], capture_output=True)
    assert done.returncode == 1
    assert done.stderr.startswith(b"toolstream: cannot ")
    assert done.stderr.count(b"\n") == 1


# colour


class Screen(io.StringIO):
    """A terminal of which one can read what was sent to it."""

    encoding = "utf-8"

    def isatty(self) -> bool:
        return True


@pytest.mark.parametrize(
    ("out", "environ", "styled"),
    [
        (Screen(), {"TERM": "xterm", "WT_SESSION": "1"}, True),
        (Screen(), {"TERM": "xterm", "WT_SESSION": "1", "NO_COLOR": ""}, True),
        (Screen(), {"TERM": "xterm", "WT_SESSION": "1", "NO_COLOR": "1"}, False),
        (Screen(), {"TERM": "dumb", "WT_SESSION": "1"}, False),
        (io.StringIO(), {"TERM": "xterm", "WT_SESSION": "1"}, False),
    ],
    ids=["terminal", "empty-NO_COLOR", "NO_COLOR", "dumb", "pipe"],
)
def test_colour_and_a_changing_line_only_where_they_are_welcome(
    out: io.StringIO, environ: dict[str, str], styled: bool
) -> None:
    terminal = Terminal(out, environ)
    terminal.status("under way")
    terminal.line(terminal.style("done", "bold"))
    shown = "\r\x1b[Kunder way\r\x1b[K\x1b[1mdone\x1b[0m\n" if styled else "done\n"
    assert out.getvalue() == shown


# demo


@pytest.mark.parametrize("provider", PROVIDERS)
def test_demo_shows_every_field_and_when_it_was_final(provider: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert status_of("demo", "--provider", provider, "--speed", "1e6") == 0
    output, errors = capsys.readouterr()
    assert errors == ""
    assert "\x1b" not in output
    live, summary = output.split("Earlier than with a parser that waits for the call's end")
    assert "from the replay's plan" in live
    assert live.count(" s left\n") == 18
    fields = {line.split()[0] for line in summary.splitlines() if line.count(" s") == 3}
    assert {"web_search.queries[2]", "write_file.path", "write_file.content", "create_ticket.assignee.team"} < fields
    assert len(fields) == 18
    written = "-" if provider != "anthropic" else "512"
    assert f"usage: input 6,974, cached 6,144, written {written}, output 519, cache hit ratio 88.1%\n" in summary


def test_demo_needs_no_home_no_proxy_and_no_key() -> None:
    environ = {name: value for name, value in os.environ.items() if name in ("PATH", "SYSTEMROOT", "PYTHONPATH")}
    environ |= {"http_proxy": "http://192.0.2.1:9", "HTTP_PROXY": "http://192.0.2.1:9"}
    with command("demo", "--speed", "1e6", env=environ) as process:
        output, errors = process.communicate()
    assert (process.returncode, errors) == (0, b"")
    assert b"write_file ends" in output


@pytest.mark.parametrize("provider", PROVIDERS)
def test_replay_server_sends_the_streams_bytes_in_chunks(provider: str) -> None:
    stream = demo.bundled_stream(provider)
    with demo.ReplayServer(stream, frames_per_second=1e6) as server:
        for _ in range(2):
            with direct().open(server.url, timeout=60) as response:
                assert response.headers["transfer-encoding"] == "chunked"
                assert response.headers["content-type"] == "text/event-stream; charset=utf-8"
                assert response.read() == stream


def test_replay_server_ends_with_its_block_though_an_answer_is_under_way() -> None:
    with demo.ReplayServer(b"data: 1\n\n" * 2, frames_per_second=0.001) as server:
        response = direct().open(server.url, timeout=60)
        threads = threading.active_count()
    with response:
        pass
    assert threading.active_count() < threads
    with pytest.raises(OSError, match=r"."), socket.create_connection((server.host, server.port), timeout=60):
        pass


def test_replay_server_outlives_a_client_that_leaves() -> None:
    with demo.ReplayServer(b"data: 1\n\n" * 2_000, frames_per_second=1e6) as server:
        direct().open(server.url, timeout=60).close()
        with direct().open(server.url, timeout=60) as response:
            assert response.read() == b"data: 1\n\n" * 2_000


def test_frames_end_after_a_blank_line() -> None:
    assert split_frames(b"data: 1\n\n: c\r\n\r\nevent: x\ndata: 2\n\ndata: cut") == [
        b"data: 1\n\n",
        b": c\r\n\r\n",
        b"event: x\ndata: 2\n\n",
        b"data: cut",
    ]
    assert split_frames(b"") == []


def direct() -> urllib.request.OpenerDirector:
    """Opens URLs without a proxy."""
    return urllib.request.build_opener(urllib.request.ProxyHandler({}))
