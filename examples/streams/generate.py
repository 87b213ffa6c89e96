"""Writes the streams beside this file and those that `toolstream demo` replays.

    python examples/streams/generate.py

Each turn below is an assistant message written for this project. It is put on the wire as the three providers
do: their events, ids, usage counts and ends, the text cut into fragments of about a token that respect nothing
(a cut may fall inside an escape). The same input gives the same bytes on every run.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import dataclass, replace
from itertools import cycle
from pathlib import Path
from typing import Any

STREAMS = Path(__file__).parent
DEMO = STREAMS.parents[1] / "src" / "toolstream" / "demo"

CREATED = 1_764_000_000
FRAGMENT_SIZES = (4, 3, 5, 2, 6, 4, 1, 7, 3, 5)
NOISE = "k3JxQ9vTb2LsWm8Z"


@dataclass(frozen=True)
class Turn:
    """One assistant message. Token counts are made up to fit; fresh + cached + written is the whole prompt."""

    text: str
    calls: tuple[tuple[str, dict[str, Any]], ...]
    thinking: str = ""
    fresh_tokens: int = 412
    cached_tokens: int = 3_584
    written_tokens: int = 0
    cut_after: int | None = None  # characters of the last call's arguments before the output limit strikes

    @property
    def input_tokens(self) -> int:
        return self.fresh_tokens + self.cached_tokens + self.written_tokens

    @property
    def output_tokens(self) -> int:
        return (len(self.thinking) + len(self.text) + sum(len(text) for _, text in self.arguments())) // 4

    def arguments(self) -> list[tuple[str, str]]:
        """Name and argument text of each call, the last one cut where the limit strikes."""
        texts = [(name, json.dumps(arguments, ensure_ascii=False)) for name, arguments in self.calls]
        if self.cut_after is not None:
            name, text = texts[-1]
            texts[-1] = name, text[: self.cut_after]
        return texts


AGENT = Turn(
    thinking="The user wants the opening hours compared. Two searches, then a note, then tell the team.",
    text="I'll look both museums up, write the note and tell the team.",
    calls=(
        (
            "search",
            {
                "queries": ["Musée d'Orsay opening hours", "Rijksmuseum opening hours", "museum night 2026 dates"],
                "max_results": 5,
            },
        ),
        (
            "write_file",
            {
                "path": "notes/museums.md",
                "overwrite": True,
                "content": (
                    "# Two museums, one weekend\n\n"
                    "| museum | opens | closes | late evening |\n"
                    "| --- | --- | --- | --- |\n"
                    "| Musée d'Orsay | 09:30 | 18:00 | Thursday, until 21:45 |\n"
                    "| Rijksmuseum | 09:00 | 17:00 | none |\n\n"
                    'Ask for the "combined" ticket at C:\\desk 4; it is not sold online. 🎟\n'
                ),
            },
        ),
        (
            "notify",
            {
                "channel": "#weekend",
                "message": "The note is in notes/museums.md",
                "mentions": [{"user": "ana", "urgent": False}, {"user": "jörg", "urgent": True}],
            },
        ),
    ),
)

CUT = replace(AGENT, thinking="", calls=AGENT.calls[:2], cut_after=160)

WEATHER = Turn(
    text="",
    calls=tuple(("get_weather", {"city": city, "unit": "celsius"}) for city in ("Oslo", "São Paulo", "東京")),
    fresh_tokens=96,
    cached_tokens=0,
)

RUNBOOK = """\
# Runbook: "database is locked"

This page is for whoever is on call when the ingest service logs
`sqlite3.OperationalError: database is locked`. Read it top to bottom; each step says what it proves.

## 1. Is it a writer or a checkpoint?

    sqlite3 /var/lib/ingest/queue.db 'PRAGMA wal_checkpoint(PASSIVE);'

Three numbers come back. If the first one is 1, a checkpoint is blocked by a reader that never finishes:
go to step 3. If it is 0, somebody holds the write lock: go on.

## 2. Find the writer

    fuser -v /var/lib/ingest/queue.db

- `ingest-worker`: expected. Its transactions take under 50 ms; look for one that waits on the network
  while it holds the lock ("BEGIN IMMEDIATE" followed by an HTTP call).
- `python` started by a person: a migration. Ask in #storage before you end it.
- nothing at all: the lock is stale. That can't happen on a local disk, so check for an NFS mount.

## 3. Let the checkpoint through

1. Find the oldest reader in the "readers" panel of the dashboard.
2. Restart that one process, not all of them.
3. Run step 1 again; the write-ahead log must shrink to under 4 MB.

## What not to do

Don't delete the `-wal` file. It holds transactions that were already acknowledged to clients, and
without it they are gone. Don't raise `busy_timeout` above 5 s either: callers give up after 6.

## Afterwards

Write down which reader it was. Twice so far it was the nightly export, which reads the whole table in one
transaction; it should page through it instead (ticket pending).
"""

DEMO_TURN = Turn(
    text="Two things to check first, then I'll write the runbook and open a ticket for the nightly export.",
    calls=(
        (
            "web_search",
            {
                "queries": [
                    "sqlite wal checkpoint blocked by long reader",
                    "sqlite busy_timeout versus retry in the application",
                    "sqlite wal file on nfs",
                ],
                "max_results": 5,
                "freshness": "any",
            },
        ),
        (
            "write_file",
            {"path": "runbooks/database-locked.md", "overwrite": False, "content": RUNBOOK, "mode": "0644"},
        ),
        (
            "create_ticket",
            {
                "title": "Nightly export: page through the table",
                "labels": ["storage", "ingest"],
                "assignee": {"team": "data-platform", "notify": True},
                "priority": 2,
            },
        ),
    ),
    fresh_tokens=318,
    cached_tokens=6_144,
    written_tokens=512,
)


def fragments(text: str) -> Iterator[str]:
    """The text in pieces of about a token each, cut without regard to what it says."""
    start = 0
    for size in cycle(FRAGMENT_SIZES):
        if start >= len(text):
            return
        yield text[start : start + size]
        start += size


def frame(data: dict[str, Any], event: str | None = None) -> str:
    """One SSE frame around a JSON object."""
    body = json.dumps(data, ensure_ascii=False, separators=(",", ":"))
    return f"event: {event}\ndata: {body}\n\n" if event else f"data: {body}\n\n"


def noise(fragment: str) -> str:
    """Padding as OpenAI adds it, so that a frame's length does not tell that of its fragment."""
    return NOISE[len(fragment) :]


def anthropic(turn: Turn) -> str:
    """The turn as an Anthropic Messages stream."""
    frames: list[str] = []

    def send(type_: str, **members: Any) -> None:
        frames.append(frame({"type": type_, **members}, type_))

    def block(index: int, start: dict[str, Any], deltas: list[dict[str, Any]], *, whole: bool = True) -> None:
        send("content_block_start", index=index, content_block=start)
        if index == 0:
            send("ping")
        for delta in deltas:
            send("content_block_delta", index=index, delta=delta)
        if whole:
            send("content_block_stop", index=index)

    usage = {
        "input_tokens": turn.fresh_tokens,
        "cache_creation_input_tokens": turn.written_tokens,
        "cache_read_input_tokens": turn.cached_tokens,
    }
    message: dict[str, Any] = {
        "id": "msg_01ToolstreamExample0000001",
        "type": "message",
        "role": "assistant",
        "model": "claude-sonnet-4-5-20250929",
        "content": [],
        "stop_reason": None,
        "stop_sequence": None,
        "usage": {**usage, "output_tokens": 2, "service_tier": "standard"},
    }
    send("message_start", message=message)
    index = 0
    if turn.thinking:
        deltas = [{"type": "thinking_delta", "thinking": piece} for piece in fragments(turn.thinking)]
        deltas.append({"type": "signature_delta", "signature": "RXhhbXBsZSBzaWduYXR1cmUsIG5vdCByZWFs"})
        block(index, {"type": "thinking", "thinking": "", "signature": ""}, deltas)
        index += 1
    if turn.text:
        deltas = [{"type": "text_delta", "text": piece} for piece in fragments(turn.text)]
        block(index, {"type": "text", "text": ""}, deltas)
        index += 1
    cut = turn.cut_after is not None
    for number, (name, text) in enumerate(turn.arguments(), 1):
        start = {"type": "tool_use", "id": f"toolu_01ToolstreamExample{number:05}", "name": name, "input": {}}
        deltas = [{"type": "input_json_delta", "partial_json": piece} for piece in ("", *fragments(text))]
        block(index, start, deltas, whole=not cut or number < len(turn.calls))
        index += 1
    stop = {"stop_reason": "max_tokens" if cut else "tool_use", "stop_sequence": None}
    send("message_delta", delta=stop, usage={**usage, "output_tokens": turn.output_tokens})
    send("message_stop")
    return "".join(frames)


def openai_chat(turn: Turn) -> str:
    """The turn as an OpenAI Chat Completions stream."""
    frames: list[str] = []

    def send(choices: list[dict[str, Any]], usage: dict[str, Any] | None, fragment: str = "") -> None:
        chunk = {
            "id": "chatcmpl-ToolstreamExample000001",
            "object": "chat.completion.chunk",
            "created": CREATED,
            "model": "gpt-4.1-2025-04-14",
            "service_tier": "default",
            "system_fingerprint": "fp_toolstream",
            "choices": choices,
            "usage": usage,
            "obfuscation": noise(fragment),
        }
        frames.append(frame(chunk))

    def choice(delta: dict[str, Any], fragment: str = "", finish_reason: str | None = None) -> None:
        send([{"index": 0, "delta": delta, "logprobs": None, "finish_reason": finish_reason}], None, fragment)

    choice({"role": "assistant", "content": "" if turn.text else None, "refusal": None})
    for piece in fragments(turn.text):
        choice({"content": piece}, piece)
    for index, (name, text) in enumerate(turn.arguments()):
        function = {"name": name, "arguments": ""}
        call_id = f"call_ToolstreamExample{index:05}"
        choice({"tool_calls": [{"index": index, "id": call_id, "type": "function", "function": function}]})
        for piece in fragments(text):
            choice({"tool_calls": [{"index": index, "function": {"arguments": piece}}]}, piece)
    choice({}, finish_reason="tool_calls" if turn.cut_after is None else "length")
    usage = {
        "prompt_tokens": turn.input_tokens,
        "completion_tokens": turn.output_tokens,
        "total_tokens": turn.input_tokens + turn.output_tokens,
        "prompt_tokens_details": {"cached_tokens": turn.cached_tokens, "audio_tokens": 0},
        "completion_tokens_details": {"reasoning_tokens": 0, "audio_tokens": 0},
    }
    send([], usage)
    return "".join(frames) + "data: [DONE]\n\n"


def openai_responses(turn: Turn) -> str:
    """The turn as an OpenAI Responses stream."""
    frames: list[str] = []
    output: list[dict[str, Any]] = []

    def send(type_: str, **members: Any) -> None:
        frames.append(frame({"type": type_, **members, "sequence_number": len(frames)}, type_))

    def item(added: dict[str, Any], done: dict[str, Any], events: list[tuple[str, dict[str, Any]]]) -> None:
        index = len(output)
        output.append(added | done)
        send("response.output_item.added", item=added, output_index=index)
        for type_, members in events:
            send(type_, item_id=added["id"], output_index=index, **members)
        send("response.output_item.done", item=output[index], output_index=index)

    cut = turn.cut_after is not None
    send("response.created", response=response("in_progress"))
    send("response.in_progress", response=response("in_progress"))
    if turn.thinking:
        summary = [{"type": "summary_text", "text": turn.thinking}]
        added = {"id": "rs_ToolstreamExample000001", "type": "reasoning", "summary": []}
        item(added, {"summary": summary}, summary_events(turn.thinking))
    if turn.text:
        added = {"id": "msg_ToolstreamExample000001", "type": "message", "status": "in_progress", "role": "assistant"}
        done = {"status": "completed", "content": [text_part(turn.text)]}
        item({**added, "content": []}, done, text_events(turn.text))
    for number, (name, text) in enumerate(turn.arguments(), 1):
        ids = {"id": f"fc_ToolstreamExample{number:06}", "call_id": f"call_ToolstreamExample{number:05}"}
        added = {"type": "function_call", "status": "in_progress", **ids, "name": name, "arguments": ""}
        status = "incomplete" if cut and number == len(turn.calls) else "completed"
        item(added, {"status": status, "arguments": text}, argument_events(text))
    status = "incomplete" if cut else "completed"
    details = {"reason": "max_output_tokens"} if cut else None
    whole = response(status, incomplete_details=details, output=output, usage=responses_usage(turn))
    send(f"response.{status}", response=whole)
    return "".join(frames)


def response(status: str, **members: Any) -> dict[str, Any]:
    """The response object of the Responses API."""
    return {
        "id": "resp_ToolstreamExample000001",
        "object": "response",
        "created_at": CREATED,
        "status": status,
        "error": None,
        "incomplete_details": None,
        "model": "gpt-5-2025-08-07",
        "output": [],
        "parallel_tool_calls": True,
        "tool_choice": "auto",
        "usage": None,
        **members,
    }


def responses_usage(turn: Turn) -> dict[str, Any]:
    """Token counts as the Responses API gives them."""
    return {
        "input_tokens": turn.input_tokens,
        "input_tokens_details": {"cached_tokens": turn.cached_tokens},
        "output_tokens": turn.output_tokens,
        "output_tokens_details": {"reasoning_tokens": len(turn.thinking) // 4},
        "total_tokens": turn.input_tokens + turn.output_tokens,
    }


def summary_events(thinking: str) -> list[tuple[str, dict[str, Any]]]:
    """What a reasoning item streams: its summary."""
    part = {"type": "summary_text", "text": thinking}
    prefix, place = "response.reasoning_summary_", {"summary_index": 0}
    return [
        (prefix + "part.added", {**place, "part": {**part, "text": ""}}),
        *(
            (prefix + "text.delta", {**place, "delta": piece, "obfuscation": noise(piece)})
            for piece in fragments(thinking)
        ),
        (prefix + "text.done", {**place, "text": thinking}),
        (prefix + "part.done", {**place, "part": part}),
    ]


def text_part(text: str) -> dict[str, Any]:
    """A message's text as the Responses API stores it."""
    return {"type": "output_text", "annotations": [], "logprobs": [], "text": text}


def text_events(text: str) -> list[tuple[str, dict[str, Any]]]:
    """What a message item streams."""
    place = {"content_index": 0}
    return [
        ("response.content_part.added", {**place, "part": text_part("")}),
        *(
            ("response.output_text.delta", {**place, "delta": piece, "logprobs": [], "obfuscation": noise(piece)})
            for piece in fragments(text)
        ),
        ("response.output_text.done", {**place, "text": text, "logprobs": []}),
        ("response.content_part.done", {**place, "part": text_part(text)}),
    ]


def argument_events(text: str) -> list[tuple[str, dict[str, Any]]]:
    """What a function call item streams."""
    prefix = "response.function_call_arguments."
    deltas = [(prefix + "delta", {"delta": piece, "obfuscation": noise(piece)}) for piece in fragments(text)]
    return [*deltas, (prefix + "done", {"arguments": text})]


def streams() -> dict[Path, str]:
    """Every file this script writes, with its text."""
    files = {}
    for name, write in (("anthropic", anthropic), ("openai-chat", openai_chat), ("openai-responses", openai_responses)):
        files[DEMO / f"{name}.sse"] = write(DEMO_TURN)
        files[STREAMS / f"{name}.sse"] = write(AGENT)
        files[STREAMS / f"{name}-parallel.sse"] = write(WEATHER)
        files[STREAMS / f"{name}-cut.sse"] = write(CUT)
    return files


if __name__ == "__main__":
    for path, text in streams().items():
        path.write_bytes(text.encode())
