"""What tests of several files ask for by name."""

from __future__ import annotations

import gc
from collections.abc import Iterator

import pytest
from hypothesis import settings
from loopback import Server

# How long an example takes is the machine's mood, not a fault.
settings.register_profile("untimed", deadline=None)
settings.load_profile("untimed")


@pytest.fixture
def server(monkeypatch: pytest.MonkeyPatch) -> Iterator[Server]:
    """An HTTP server on this machine, which clients reach without a proxy."""
    monkeypatch.setenv("NO_PROXY", "127.0.0.1")
    monkeypatch.setenv("no_proxy", "127.0.0.1")
    with Server() as running:
        yield running


@pytest.fixture(autouse=True, scope="module")
def _garbage_of_others() -> None:
    """A collection of garbage that a test asks for looks at what its own file has made: not at all that was imported,
    collected and reported before, which takes a second each time."""
    if hasattr(gc, "freeze"):  # CPython
        gc.collect()
        gc.freeze()
