"""Recorded streams of real providers, if there are any on this machine.

TOOLSTREAM_CORPORA names a directory with `streams/`: the recordings, and `expected.jsonl`, which says for each what it
holds. A value of null there means that it is undecided.
"""

from __future__ import annotations

import json
import os
from functools import lru_cache
from pathlib import Path
from typing import Any

import pytest

FORMATS = ("anthropic", "openai-chat", "openai-responses")


def directory() -> Path | None:
    corpora = os.environ.get("TOOLSTREAM_CORPORA")
    return Path(corpora) / "streams" if corpora else None


@lru_cache
def expectations() -> list[dict[str, Any]]:
    """What each recording of a known format holds; nothing without recordings."""
    streams = directory()
    if streams is None:
        return []
    lines = (streams / "expected.jsonl").read_text(encoding="utf-8").splitlines()
    return [expected for expected in map(json.loads, lines) if expected["format"] in FORMATS]


def body(name: str) -> bytes:
    streams = directory()
    assert streams is not None
    return (streams / name).read_bytes()


def events(data: bytes) -> list[dict[str, Any]]:
    """The recording's events, decoded with the standard library."""
    text = data.decode().replace("\r\n", "\n")
    if text.startswith("{"):
        return [json.loads(line) for line in text.split("\n") if line.strip()]
    frames = [line[5:].strip() for line in text.split("\n") if line.startswith("data:")]
    return [json.loads(frame) for frame in frames if frame.startswith("{")]


def parametrize(argument: str = "expected", **of: Any) -> pytest.MarkDecorator:
    """Runs a test for each recording (of a format), or skips it with the reason."""
    found = [
        pytest.param(expected, id=expected["file"])
        for expected in expectations()
        if all(expected[name] == value for name, value in of.items())
    ]
    reason = "no recordings: TOOLSTREAM_CORPORA is not set"
    return pytest.mark.parametrize(argument, found or [pytest.param(None, marks=pytest.mark.skip(reason=reason))])
