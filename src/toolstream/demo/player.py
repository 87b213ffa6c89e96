"""Reads a replayed stream as any client reads a model's, and shows each field at the moment it is final.

All times are measured with the client's own clock, from the response's head on, but one: while a call still
streams, the time left until its end comes from the replay's plan, because nothing in a stream announces it.
"""

from __future__ import annotations

import http.client
import time
from dataclasses import dataclass
from typing import Any

import toolstream

from ..events import Path
from ..terminal import Terminal, printable, show_path, show_usage, show_value
from .server import FRAMES_PER_SECOND, ReplayServer

DEPTH = 2
VALUE_WIDTH = 48


@dataclass(frozen=True)
class Seen:
    """A field of a call, under the call's name, and when it was final: seconds since the response began."""

    call: toolstream.ToolCall
    name: str
    at: float


def play(stream: bytes, provider: str, speed: float, terminal: Terminal) -> None:
    """Replays the stream, `speed` times as fast as a model writes, and shows what is known when."""
    pace = FRAMES_PER_SECOND * speed
    with ReplayServer(stream, frames_per_second=pace) as server:
        show_opening(terminal, provider, pace, server)
        player = Player(terminal, planned_ends(server.plan))
        connection = http.client.HTTPConnection(server.host, server.port)
        try:
            connection.request("POST", "/", body=b"{}", headers={"content-type": "application/json"})
            player.run(connection.getresponse())
        finally:
            connection.close()


def planned_ends(plan: list[tuple[float, bytes]]) -> dict[int, float]:
    """When each call will end, by its index: found by reading the plan ahead, which only a replay allows."""
    parser = toolstream.StreamParser(depth=0)
    ends = {}
    for due, frame in plan:
        for event in parser.feed(frame):
            if isinstance(event, toolstream.ToolCallEnd):
                ends[event.call.index] = due
    parser.close()
    return ends


def show_opening(terminal: Terminal, provider: str, pace: float, server: ReplayServer) -> None:
    """Says what is about to be seen, and what of it a live model could not tell."""
    frames, length = len(server.plan), server.plan[-1][0]
    terminal.line(terminal.style(f"A bundled {provider} stream, replayed over HTTP from {server.url}", "bold"))
    terminal.line(f"{frames} frames of about a token, {pace:,.0f} a second, {length:.1f} s; no key, no network.")
    terminal.line("Time left until a call's end: from the replay's plan, for a live model announces none.")
    terminal.line()


class Player:
    """One reading of one stream."""

    def __init__(self, terminal: Terminal, ends: dict[int, float]) -> None:
        self._terminal = terminal
        self._planned_ends = ends
        self._ended: dict[int, float] = {}
        self._seen: list[Seen] = []
        self._in_text = False
        self._begun = 0.0

    def run(self, response: http.client.HTTPResponse) -> None:
        """Shows the stream's events as they come, then what it was worth."""
        self._begun = time.monotonic()
        with toolstream.parse(response, depth=DEPTH, deltas=True) as events:
            for event in events:
                self._show(event)
            length = self._clock()
            self._terminal.line(f"{length:5.1f} s  the message ends ({events.stop_reason})")
            self._show_summary(length)
            self._terminal.line(show_usage(events.usage))

    def _clock(self) -> float:
        return time.monotonic() - self._begun

    def _show(self, event: toolstream.Event) -> None:
        match event:
            case toolstream.TextDelta(text=text):
                self._show_text(text)
            case toolstream.ToolCallStart(call=call):
                self._end_text()
                self._show_call(call, "begins")
            case toolstream.FieldDelta(path=path, text=text):
                self._terminal.status(f"{self._clock():5.1f} s    {show_path(path)} is being written")
            case toolstream.FieldComplete(call=toolstream.ToolCall() as call, path=path, value=value):
                self._show_field(call, path, value)
            case toolstream.ToolCallEnd(call=call):
                self._ended[call.index] = self._clock()
                self._show_call(call, "ends")

    def _show_call(self, call: toolstream.ToolCall, what: str) -> None:
        self._terminal.line(f"{self._clock():5.1f} s  {self._terminal.style(printable(call.name), 'cyan')} {what}")

    def _show_text(self, text: str) -> None:
        if not self._in_text:
            self._terminal.write(f"{self._clock():5.1f} s  ")
            self._in_text = True
        self._terminal.write(printable(text))

    def _end_text(self) -> None:
        if self._in_text:
            self._terminal.line()
            self._in_text = False

    def _show_field(self, call: toolstream.ToolCall, path: Path, value: Any) -> None:
        now = self._clock()
        name = show_path(path)
        self._seen.append(Seen(call, f"{printable(call.name)}.{name}", now))
        left = max(self._planned_ends[call.index] - now, 0)
        # Padded before it is coloured, so that the columns stay.
        field = self._terminal.style(f"{name:<15}", "green")
        shown = show_value(value, VALUE_WIDTH)
        self._terminal.line(f"{now:5.1f} s    {field} {shown:<{VALUE_WIDTH}}  {left:4.1f} s left")

    def _show_summary(self, length: float) -> None:
        terminal = self._terminal
        terminal.line()
        terminal.line(terminal.style("Earlier than with a parser that waits for the call's end (measured):", "bold"))
        width = max(len(field.name) for field in self._seen)
        terminal.line(f"{'field':<{width}}{'final at':>12}{'call ended':>12}{'earlier by':>12}")
        for field in self._seen:
            end = self._ended[field.call.index]
            terminal.line(f"{field.name:<{width}}{field.at:>10.1f} s{end:>10.1f} s{end - field.at:>10.1f} s")
        first = self._seen[0].at
        terminal.line(f"The message ended after {length:.1f} s; its first field was final after {first:.1f} s.")
