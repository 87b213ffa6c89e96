"""Acts on arguments while the model still writes the rest of the call.

    python examples/act_early.py [STREAM]

Each search query starts its (pretended) search when its closing quote arrives. A file outside the allowed folder
is refused as soon as its path is known: leaving the loop closes the source, which ends the generation, so that
the tokens of its content are neither waited for nor paid for.
"""

from __future__ import annotations

import sys
from pathlib import Path

import toolstream

STREAM = Path(__file__).parent / "streams" / "anthropic.sse"
ALLOWED = "drafts/"


def main(stream: str) -> None:
    with open(stream, "rb") as body:
        for event in toolstream.parse(body, paths=["queries[*]", "path"]):
            match event:
                case toolstream.FieldComplete(path=("queries", _), value=query):
                    print(f"searching for {query!r}")
                case toolstream.FieldComplete(call=call, path=("path",), value=path) if not path.startswith(ALLOWED):
                    print(f"refused {path!r}; read so far: {len(call.text)} bytes of {call.name}'s arguments")
                    break


if __name__ == "__main__":
    main(*sys.argv[1:] or [str(STREAM)])
