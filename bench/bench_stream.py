"""Whole provider streams under pytest-benchmark: toolstream beside hand-written loops and the SDKs, from one run.

pytest -o addopts= bench/bench_stream.py
"""

from __future__ import annotations

from typing import Any

import pytest

from .stream_peers import Reader, readers
from .wire import CHUNK_BYTES, SHAPES, stream

_CASES = [
    pytest.param(reader, shape, key, chunking, id=f"{shape}-{key}-{chunking or 'event'}-{reader.name}")
    for shape in SHAPES
    for key in ("W2", "W3")
    for chunking in (None, CHUNK_BYTES)
    for reader in readers(shape, [])
]


@pytest.mark.parametrize(("reader", "shape", "key", "chunking"), _CASES)
def test_stream(benchmark: Any, reader: Reader, shape: str, key: str, chunking: int | None) -> None:
    streamed = stream(shape, key)
    chunks = streamed.chunks(chunking)
    entry = reader.entry(streamed, chunks)
    assert entry.check is not None
    entry.check(entry.run())
    benchmark.group = f"{shape} {key}, {'one event a chunk' if chunking is None else f'{chunking} bytes a chunk'}"
    benchmark.extra_info["events"] = len(streamed.events)
    benchmark(entry.run)
