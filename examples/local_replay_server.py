"""Replays a recorded stream over HTTP on this machine, at a model's pace, to build and test a client without a key.

    python examples/local_replay_server.py [STREAM] [FRAMES_PER_SECOND]

The server answers whatever is asked, so the base URL of any SDK can point at it. Here the standard library reads it.
"""

from __future__ import annotations

import sys
import urllib.request
from pathlib import Path

import toolstream
from toolstream.demo import ReplayServer

STREAM = Path(__file__).parent / "streams" / "openai-chat-parallel.sse"


def main(stream: str, frames_per_second: float = 60.0) -> None:
    direct = urllib.request.build_opener(urllib.request.ProxyHandler({}))  # no proxy between us and ourselves
    with ReplayServer(Path(stream).read_bytes(), frames_per_second=frames_per_second) as server:
        request = urllib.request.Request(server.url, data=b"{}", headers={"content-type": "application/json"})
        with direct.open(request) as response:
            for event in toolstream.parse(response):
                print(event.type, event.value if isinstance(event, toolstream.FieldComplete) else "", flush=True)


if __name__ == "__main__":
    arguments = sys.argv[1:]
    main(arguments[0] if arguments else str(STREAM), *map(float, arguments[1:2]))
