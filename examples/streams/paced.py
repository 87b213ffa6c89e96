"""Replies for the examples, at a model's pace: a turn of `generate.py` as an async source."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from typing import Any

from streams.generate import Turn, anthropic

from toolstream.demo.server import split_frames

TOKENS_PER_SECOND = 80.0


def reply(*calls: tuple[str, dict[str, Any]], text: str = "") -> bytes:
    """An Anthropic reply that makes these calls."""
    return anthropic(Turn(text=text, calls=calls)).encode()


async def paced(body: bytes, tokens_per_second: float) -> AsyncIterator[bytes]:
    """The reply's frames, which hold about a token each, as a network would bring them."""
    for frame in split_frames(body):
        yield frame
        await asyncio.sleep(1 / tokens_per_second)
