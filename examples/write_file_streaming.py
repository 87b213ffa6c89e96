"""Writes a file of 200 KB while the model is still generating it.

python examples/write_file_streaming.py [TOKENS_PER_SECOND]
"""

from __future__ import annotations

import asyncio
import sys
import tempfile
from pathlib import Path

from streams.paced import paced, reply

import toolstream

CONTENT = "".join(
    f"{minute // 60:02}:{minute % 60:02} the water stands at {minute % 700} cm\n" for minute in range(5_800)
)
REPLY = reply(("write_file", {"path": "tides.txt", "content": CONTENT}))
FAST = 1e6  # at a model's pace it would take ten minutes


async def main(tokens_per_second: float) -> None:
    with tempfile.TemporaryDirectory() as folder:

        async def write_file(path: str, content: toolstream.Streamed[str], call: toolstream.LiveCall) -> str:
            target = Path(folder, Path(path).name)
            written = 0
            with open(target, "w", encoding="utf-8") as file:
                async for piece in content:
                    if not written:
                        print(f"first characters written when {len(call.call.text)} characters of the call are there")
                    written += file.write(piece)
            return f"wrote {written} characters to {path}"

        (result,) = await toolstream.dispatch(paced(REPLY, tokens_per_second), [write_file])
        print(result.value)
        print("the same as the model's:", Path(folder, "tides.txt").read_text(encoding="utf-8") == CONTENT)


if __name__ == "__main__":
    asyncio.run(main(float(sys.argv[1]) if sys.argv[1:] else FAST))
