"""Reads one JSON document that arrives in pieces, field by field.

    python examples/json_fields.py

This is the layer for structured outputs, and for any other JSON that somebody writes slowly.
"""

from __future__ import annotations

import toolstream

PIECES = (
    '{"title": "Tide ta',
    'ble", "stations": [{"name": "Dov',
    'er", "high": ["06:12", "18:3',
    '9"]}, {"name": "Calais", "high": ["06:4',
    '0"]}], "source": "n/a"}',
)


def main() -> None:
    parser = toolstream.JSONParser(paths=["title", "stations[*].name", "stations[*]"])
    for piece in PIECES:
        print(f"got {piece}")
        for event in parser.feed(piece):
            if isinstance(event, toolstream.FieldComplete):
                print(f"  {event.path} = {event.value!r}")
    parser.close()
    print("all:", parser.value)

    # Once is enough for a prefix that is at hand: what does it say so far?
    print("so far:", toolstream.loads('{"title": "Tide table", "stations": [{"name": "Dov', partial=True))


if __name__ == "__main__":
    main()
