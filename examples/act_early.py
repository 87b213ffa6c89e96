"""Acts on arguments while the model still writes the rest of the call.

    python examples/act_early.py [STREAM]

Each search query starts its (pretended) search when its closing quote arrives. A file outside the allowed folder
is refused as soon as its path is known: leaving the loop closes the connection, which ends the generation, so that
the tokens of its content are neither waited for nor paid for.
"""

from __future__ import annotations

import os
import sys
from collections.abc import Iterator
from pathlib import Path

import toolstream

STREAM = Path(__file__).parent / "streams" / "anthropic.sse"
ALLOWED = "drafts/"


def connection(stream: str) -> Iterator[bytes]:
    """Stands for a response: gives a few bytes at a time, and says when it is closed."""
    received = 0
    try:
        with open(stream, "rb") as body:
            while piece := body.read(256):
                received += len(piece)
                yield piece
    finally:
        print(f"closed after {received} of {os.path.getsize(stream)} bytes")


def main(stream: str) -> None:
    for event in toolstream.parse(connection(stream), paths=["queries[*]", "path"]):
        match event:
            case toolstream.FieldComplete(path=("queries", _), value=query):
                print(f"searching for {query!r}")
            case toolstream.FieldComplete(path=("path",), value=str() as path) if not path.startswith(ALLOWED):
                print(f"refused {path!r}")
                break


if __name__ == "__main__":
    main(*sys.argv[1:] or [str(STREAM)])
