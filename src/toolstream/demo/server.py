"""Replays a recorded event stream over HTTP on the loopback interface, frame by frame at a steady pace.

Trusts its caller with the stream's bytes; answers whatever is asked with that stream. Guarantees that it
listens on 127.0.0.1 only and that leaving the `with` block ends every answer, thread and socket.
"""

from __future__ import annotations

import re
import socketserver
import threading
import time
from http.server import BaseHTTPRequestHandler
from types import TracebackType
from typing import Any

FRAMES_PER_SECOND = 60.0

_FRAME_END = re.compile(rb"(?<=\n\n)|(?<=\r\n\r\n)")


def split_frames(stream: bytes) -> list[bytes]:
    """The stream cut after each blank line."""
    return [frame for frame in _FRAME_END.split(stream) if frame]


class ReplayServer:
    """A server that answers every GET and POST with a stream: the first, then the next, and the last for all others.

    frames_per_second: the pace; in the bundled streams a frame carries about one token.
    url: where it listens, once the `with` block is entered.
    """

    def __init__(self, *streams: bytes, frames_per_second: float = FRAMES_PER_SECOND) -> None:
        self.plans = [
            [(number / frames_per_second, frame) for number, frame in enumerate(split_frames(stream), 1)]
            for stream in streams
        ]
        self.plan = self.plans[0]
        self.host, self.port, self.url = "127.0.0.1", 0, ""

    def __enter__(self) -> ReplayServer:
        self._server = _Server((self.host, 0), _Answer, self.plans)
        self.port = self._server.server_address[1]
        self.url = f"http://{self.host}:{self.port}/"
        # The short poll only shortens the way out.
        self._thread = threading.Thread(target=self._server.serve_forever, args=(0.05,), name="replay")
        self._thread.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._server.stopping.set()
        self._server.shutdown()
        self._thread.join()
        self._server.server_close()


class _Server(socketserver.ThreadingTCPServer):
    # Not http.server.HTTPServer: that one asks the resolver for the host's name, which may take seconds.
    allow_reuse_address = True
    daemon_threads = False

    def __init__(
        self, address: tuple[str, int], answer: type[BaseHTTPRequestHandler], plans: list[list[tuple[float, bytes]]]
    ) -> None:
        super().__init__(address, answer)
        self._plans = plans
        self._turn = threading.Lock()
        self.stopping = threading.Event()

    def next_plan(self) -> list[tuple[float, bytes]]:
        with self._turn:
            return self._plans.pop(0) if len(self._plans) > 1 else self._plans[0]


class _Answer(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = True
    timeout = 10.0
    server: _Server

    def do_POST(self) -> None:
        self.rfile.read(int(self.headers.get("content-length", 0)))
        self.close_connection = True
        try:
            self._send_head()
            self._send_frames()
        except OSError:
            # The client has left, which is its right.
            return

    do_GET = do_POST  # noqa: N815

    def _send_head(self) -> None:
        self.send_response(200)
        self.send_header("content-type", "text/event-stream; charset=utf-8")
        self.send_header("cache-control", "no-cache")
        self.send_header("transfer-encoding", "chunked")
        self.send_header("connection", "close")
        self.end_headers()

    def _send_frames(self) -> None:
        begun = time.monotonic()
        for due, frame in self.server.next_plan():
            if self.server.stopping.wait(max(begun + due - time.monotonic(), 0)):
                return
            self.wfile.write(b"%x\r\n%b\r\n" % (len(frame), frame))
        self.wfile.write(b"0\r\n\r\n")

    def log_message(self, format: str, *args: Any) -> None:
        """Says nothing: standard error belongs to the command."""
