"""An HTTP server on loopback that replays a reply piece by piece, under a test's control.

A reply is a list of bytes (one write each) and of `Gate`s, at which the server stops until the test opens
them. So a test can know, without any clock, that something had arrived before the rest was sent. A gate
that nobody opens ends the connection after `PATIENCE` seconds, so that a failing test ends, too.
"""

from __future__ import annotations

import select
import socket
import threading
import zlib
from collections.abc import Sequence
from types import TracebackType

PATIENCE = 10.0  # seconds

TRANSFERS = ("chunked", "until-close", "length")


BREAK = b""
"""A piece at which the server breaks the connection."""


class Gate:
    """A place in a reply where the server waits."""

    def __init__(self) -> None:
        self._ours, self.theirs = socket.socketpair()
        self.is_open = False

    def open(self) -> None:
        """Lets the server go on; a second time does nothing."""
        if not self.is_open:
            self.is_open = True
            self._ours.send(b"!")

    def close(self) -> None:
        self._ours.close()
        self.theirs.close()


class Server:
    """Answers every request with the reply that was set last.

    hung_up: set when a client has closed its connection while the server still had something to send.
    """

    def __init__(self) -> None:
        self.hung_up = threading.Event()
        self._listener = socket.create_server(("127.0.0.1", 0))
        self.url = f"http://127.0.0.1:{self._listener.getsockname()[1]}"
        self._threads: list[threading.Thread] = []
        self._gates: list[Gate] = []
        self._pieces: list[bytes | Gate] = []
        self._head = b""
        self._chunked = False

    def reply(
        self,
        pieces: Sequence[bytes | Gate],
        *,
        transfer: str = "chunked",
        encoding: str | None = None,
        content_type: str = "text/event-stream",
        status: str = "200 OK",
    ) -> None:
        """Sets the reply. transfer is one of `TRANSFERS`; encoding: None, "gzip" or "deflate"."""
        self._pieces = list(pieces if encoding is None else _compressed(pieces, encoding))
        self._gates += [piece for piece in pieces if isinstance(piece, Gate)]
        self._chunked = transfer == "chunked"
        head = [f"HTTP/1.1 {status}", f"Content-Type: {content_type}", "Connection: close"]
        if encoding is not None:
            head.append(f"Content-Encoding: {encoding}")
        if self._chunked:
            head.append("Transfer-Encoding: chunked")
        elif transfer == "length":
            head.append(f"Content-Length: {sum(len(piece) for piece in self._pieces if isinstance(piece, bytes))}")
        self._head = "\r\n".join([*head, "", ""]).encode()

    def __enter__(self) -> Server:
        self._start(self._accept)
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        self._listener.shutdown(socket.SHUT_RDWR)
        for gate in self._gates:
            gate.open()
        for thread in self._threads:
            thread.join(PATIENCE)
        for gate in self._gates:
            gate.close()
        self._listener.close()

    def _start(self, target: object, *arguments: object) -> None:
        thread = threading.Thread(target=target, args=arguments, daemon=True)  # type: ignore[arg-type]
        self._threads.append(thread)
        thread.start()

    def _accept(self) -> None:
        while True:
            try:
                connection, _ = self._listener.accept()
            except OSError:  # the listener was shut down
                return
            self._start(self._answer, connection)

    def _answer(self, connection: socket.socket) -> None:
        with connection:
            connection.settimeout(PATIENCE)
            try:
                if not _read_request(connection):
                    return
                connection.sendall(self._head)
                for piece in self._pieces:
                    if isinstance(piece, Gate):
                        _wait(connection, piece)
                    elif piece is BREAK:
                        return
                    else:
                        connection.sendall(b"%x\r\n%b\r\n" % (len(piece), piece) if self._chunked else piece)
                if self._chunked:
                    connection.sendall(b"0\r\n\r\n")
            except (ConnectionError, _HungUpError):
                self.hung_up.set()
            except TimeoutError:
                return


class _HungUpError(Exception):
    pass


def _wait(connection: socket.socket, gate: Gate) -> None:
    ready, _, _ = select.select([connection, gate.theirs], [], [], PATIENCE)
    if gate.theirs in ready:
        return
    if connection in ready and not connection.recv(1):
        raise _HungUpError
    raise TimeoutError


def _read_request(connection: socket.socket) -> bool:
    """Reads one request with its body; False if there was none."""
    data = b""
    while b"\r\n\r\n" not in data:
        received = connection.recv(65536)
        if not received:
            return False
        data += received
    head, _, body = data.partition(b"\r\n\r\n")
    lengths = [line.split(b":")[1] for line in head.split(b"\r\n") if line.lower().startswith(b"content-length:")]
    missing = (int(lengths[0]) if lengths else 0) - len(body)
    while missing > 0:
        missing -= len(connection.recv(65536))
    return True


def _compressed(pieces: Sequence[bytes | Gate], encoding: str) -> list[bytes | Gate]:
    """Each piece flushed, as servers that compress a live stream do."""
    compressor = zlib.compressobj(wbits=31 if encoding == "gzip" else 15)
    flushed: list[bytes | Gate] = []
    for piece in pieces:
        if isinstance(piece, Gate):
            flushed.append(piece)
        else:
            flushed.append(compressor.compress(piece) + compressor.flush(zlib.Z_SYNC_FLUSH))
    flushed.append(compressor.flush())
    return flushed
