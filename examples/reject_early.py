"""Stops a generation at the first wrong argument, and tells the model what was wrong.

    python examples/reject_early.py

The model has chosen a unit that the tool does not have. The stream is closed at that byte: the long note that
would have followed is neither waited for nor paid for. (A frame holds about a token here.)
"""

from __future__ import annotations

from collections.abc import Iterator

from streams.paced import reply

import toolstream
from toolstream.demo.server import split_frames

TOOLS = [
    {
        "name": "log_tide",
        "input_schema": {
            "type": "object",
            "properties": {
                "height": {"type": "number"},
                "unit": {"enum": ["m", "cm"]},
                "note": {"type": "string"},
            },
            "required": ["height", "unit"],
            "additionalProperties": False,
        },
    }
]
FRAMES = split_frames(reply(("log_tide", {"height": 6.2, "unit": "fathoms", "note": "Measured by hand. " * 120})))
received: list[bytes] = []


def connection() -> Iterator[bytes]:
    """Stands for a response."""
    for frame in FRAMES:
        received.append(frame)
        yield frame


def main() -> None:
    stream = toolstream.parse(connection(), tools=TOOLS, on_invalid="close")
    for event in stream:
        if event.type == "field_complete":
            print(event.path, event.value)
    print(f"closed after {len(received)} of {len(FRAMES)} frames: about {len(FRAMES) - len(received)} tokens saved")
    if stream.invalid is not None:
        print("to the model:", stream.invalid.tool_message)


if __name__ == "__main__":
    main()
