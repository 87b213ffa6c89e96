"""`toolstream demo`: a bundled stream over real HTTP on loopback, at a model's pace.

The streams beside this file were written for this project, in the wire shapes of three providers.
"""

from __future__ import annotations

from importlib.resources import files

from .player import play
from .server import ReplayServer

__all__ = ["PROVIDERS", "ReplayServer", "bundled_stream", "play"]

PROVIDERS = ("anthropic", "openai-chat", "openai-responses")


def bundled_stream(provider: str) -> bytes:
    """The body of the bundled response of one of `PROVIDERS`."""
    return files(__name__).joinpath(f"{provider}.sse").read_bytes()
