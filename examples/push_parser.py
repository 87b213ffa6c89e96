"""Feeds a parser that does no input or output itself, and moves it to "another machine" half way.

    python examples/push_parser.py [STREAM]

This is the layer for code that owns its own transport: a proxy, an actor, a durable workflow. The pieces may be
cut anywhere; the events are the same.
"""

from __future__ import annotations

import pickle
import sys
from pathlib import Path

import toolstream

STREAM = Path(__file__).parent / "streams" / "openai-responses.sse"


def main(stream: str) -> None:
    body = Path(stream).read_bytes()
    half = len(body) // 2
    parser = toolstream.StreamParser()
    show(parser.feed(body[:half]))

    moved: toolstream.StreamParser = pickle.loads(pickle.dumps(parser))
    print(f"moved after {half} bytes")
    show(moved.feed(body[half:]))
    show(moved.close())
    print("whole calls:", [call.name for call in moved.calls if call.state == "committed"])


def show(events: list[toolstream.Event]) -> None:
    for event in events:
        if isinstance(event, toolstream.FieldComplete) and event.call is not None:
            print(f"{event.call.name}.{event.path[0]} is final")


if __name__ == "__main__":
    main(*sys.argv[1:] or [str(STREAM)])
