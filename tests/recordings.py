"""Streams whose contents are known: those of this repository, and recordings of real providers where there are any.

`data/streams/` holds a folder for each wire format: small streams in the provider's shape, written for these tests, one
for each quirk, and `expected.jsonl`, which says what each must give. TOOLSTREAM_CORPORA may name a directory with
`streams/` of the same kind: recordings, with one `expected.jsonl` for all. A value of null there means that it is
undecided.
"""

from __future__ import annotations

import json
import os
from collections.abc import Container
from functools import lru_cache
from pathlib import Path
from typing import Any

import aws_messages
import pytest

from toolstream.providers import ADAPTERS

# What may be known of a stream; null or left out: undecided.
KNOWN = ("calls", "text", "reasoning", "stop_reason", "usage", "error")
# What `expected.jsonl` of the recordings has missed: RUN_FINISHED of these holds the run's token counts.
CORRECTIONS: dict[str, dict[str, Any]] = {
    f"ag-ui/dotnet-{name}-Turn-01.jsonl": {
        "usage": {"input_tokens": read, "output_tokens": written, "cache_read_tokens": 0, "cache_write_tokens": None}
    }
    for name, read, written in (
        ("MixedInvocation-TwoTurnFlow-EmitsToolCallsThenServerResults", 184, 116),
        ("PostRun-WithApprovalRequired-RoundTripsThroughBothWrappers", 146, 97),
        ("PostRun-WithBackendToolCall-InvokesToolAndStreamsResult", 463, 422),
        ("PostRun-WithReasoningContent-EmitsReasoningAndTextEvents", 39, 345),
    )
}

OWN = Path(__file__).parent / "data" / "streams"
# How many places of a stream are tried at least, where a test tries some and not all.
_PLACES = int(os.environ.get("TOOLSTREAM_PLACES", "0"))


def places(last: int, about: int) -> list[int]:
    """About so many of the places from 0 to last, the last five among them."""
    step = last // max(about, _PLACES) + 1
    return sorted({*range(0, last + 1, step), *range(max(0, last - 5), last + 1)})


def directory() -> Path | None:
    corpora = os.environ.get("TOOLSTREAM_CORPORA")
    return Path(corpora) / "streams" if corpora else None


def _read(path: Path, root: Path) -> list[dict[str, Any]]:
    lines = path.read_text(encoding="utf-8").rstrip("\n").split("\n")
    known = [json.loads(line) for line in lines]
    unknown = dict.fromkeys(KNOWN)
    return [{"root": root, **unknown, **stream, **CORRECTIONS.get(stream["file"], {})} for stream in known]


@lru_cache
def expectations() -> list[dict[str, Any]]:
    """What each recording of a known format holds; nothing without recordings."""
    streams = directory()
    if streams is None:
        return []
    return [known for known in _read(streams / "expected.jsonl", streams) if known["format"] in ADAPTERS]


@lru_cache
def own_expectations() -> list[dict[str, Any]]:
    """What each stream of this repository must give."""
    return [known for path in sorted(OWN.glob("*/expected.jsonl")) for known in _read(path, OWN)]


def body(known: dict[str, Any]) -> bytes:
    return (known["root"] / known["file"]).read_bytes()  # type: ignore[no-any-return]


def events(data: bytes) -> list[dict[str, Any]]:
    """The stream's events, decoded with the standard library, or with botocore if it is binary."""
    if data.startswith(b"\0"):
        return aws_messages.decoded(data)
    text = data.decode("utf-8-sig").replace("\r\n", "\n")
    if text.startswith("["):
        return json.loads(text)  # type: ignore[no-any-return]
    if text.startswith("{"):
        return [json.loads(line) for line in text.split("\n") if line.strip()]
    frames = [line[5:].strip() for line in text.split("\n") if line.startswith("data:")]
    return [json.loads(frame) for frame in frames if frame.startswith("{")]


def parametrize(
    argument: str = "expected", *, own: bool = True, formats: Container[str] = ADAPTERS, **of: Any
) -> pytest.MarkDecorator:
    """Runs a test for each stream (of these formats): this repository's own, and the recordings, or skips these
    loudly."""
    found = [
        pytest.param(known, id=known["file"])
        for known in [*(own_expectations() if own else ()), *expectations()]
        if known["format"] in formats and all(known[name] == value for name, value in of.items())
    ]
    if directory() is None:
        reason = "no recordings: TOOLSTREAM_CORPORA is not set"
        found.append(pytest.param(None, id="recordings", marks=pytest.mark.skip(reason=reason)))
    return pytest.mark.parametrize(argument, found)
