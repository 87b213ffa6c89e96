"""`check_adapter` passes for every built-in adapter on every known stream, and says what a broken adapter breaks.

The broken ones are made of the adapter that `docs/adding-a-provider.md` builds.
"""

from __future__ import annotations

import json
import threading
from typing import Any

import documents
import pytest
import recordings

from toolstream.assembler import Assembler
from toolstream.lane import IS_FAST, Repeat
from toolstream.testing import check_adapter


@recordings.parametrize()
def test_the_built_in_adapters_keep_the_laws(expected: dict[str, Any]) -> None:
    data = recordings.body(expected)
    if len(data) > 20_000:
        pytest.skip("too long to be read many times")
    check_adapter(expected["format"], data, cuts=5)


@recordings.parametrize(file="ai-sdk-ui/interleaved.sse")
def test_decoded_events_are_taken_as_well(expected: dict[str, Any]) -> None:
    check_adapter(expected["format"], recordings.events(recordings.body(expected)))


ACME = documents.module("docs/adding-a-provider.md", "acme")
Acme: Any = ACME.Acme
STREAM: bytes = ACME.STREAM
CALLS = [("search", {"query": "tides", "limit": 3}), ("ping", {"host": "a"})]


class Buffering(Acme):
    """Gives a call's arguments only at its end."""

    def __init__(self) -> None:
        super().__init__()
        self._texts: dict[int, str] = {}

    def handle(self, event: dict[str, Any], assembler: Assembler) -> None:
        if event["kind"] == "args":
            self._texts[event["slot"]] = self._texts.get(event["slot"], "") + event["json"]
            return
        if event["kind"] == "ready":
            assembler.fragment(event["slot"], self._texts[event["slot"]])
        super().handle(event, assembler)

    def repeats(self, event: dict[str, Any], assembler: Assembler) -> None:
        return None


class Forgetful(Acme):
    """Keeps in the class what belongs to one stream."""

    seen = 0

    def handle(self, event: dict[str, Any], assembler: Assembler) -> None:
        super().handle(event, assembler)
        if event["kind"] == "say":
            Forgetful.seen += 1
            assembler.text_delta(str(Forgetful.seen), 0)


class EndsAnyway(Acme):
    """Takes the connection's end for the message's."""

    def end(self, assembler: Assembler, done: bool) -> None:
        assembler.end()


class Silent(Acme):
    """Says nothing at the connection's end."""

    def end(self, assembler: Assembler, done: bool) -> None:
        pass


class Certain(Acme):
    """Takes a call for whole when another one begins, or the connection ends."""

    def end(self, assembler: Assembler, done: bool) -> None:
        for slot in self._slots:
            assembler.close(slot, certain=True)
        assembler.break_off("the stream ended without stop")


class Swapping(Acme):
    """Gives each fragment to the other call."""

    def handle(self, event: dict[str, Any], assembler: Assembler) -> None:
        super().handle({**event, "slot": 1 - event["slot"]} if event["kind"] == "args" else event, assembler)

    def repeats(self, event: dict[str, Any], assembler: Assembler) -> None:
        return None


class Rewriting(Acme):
    """Changes arguments behind the parser's back."""

    def handle(self, event: dict[str, Any], assembler: Assembler) -> None:
        if event["kind"] == "stop":
            assembler.calls[0].arguments["limit"] = 4
        super().handle(event, assembler)


class Promising(Acme):
    """Lets events repeat that it counts."""

    def __init__(self) -> None:
        super().__init__()
        self.count = 0

    def handle(self, event: dict[str, Any], assembler: Assembler) -> None:
        super().handle(event, assembler)
        self.count += event["kind"] == "say"

    def message(self, assembler: Assembler) -> Any:
        return self.count

    def repeats(self, event: dict[str, Any], assembler: Assembler) -> Repeat | None:
        if event["kind"] != "say":
            return None
        return Repeat("text", event["text"], None, 0, (assembler.texts, self._words))


class Unpicklable(Acme):
    def __init__(self) -> None:
        super().__init__()
        self._lock = threading.Lock()


class Speechless(Acme):
    def message(self, assembler: Assembler) -> Any:
        raise KeyError("signature")


class Strict(Acme):
    def handle(self, event: dict[str, Any], assembler: Assembler) -> None:
        if event["kind"] == "ready":
            raise KeyError("why")
        super().handle(event, assembler)


BROKEN: list[tuple[type[Any], str]] = [
    (Buffering, r"search's \('query',\) is whole in the event that ends at \d+, and came only at byte \d+ \(law 3\)"),
    (Forgetful, r"Forgetful, at byte \d+ .*instead of .*\(law 1\)\n  to reproduce: .*one byte at a time"),
    (EndsAnyway, r"the message ends as if it were whole; .* was to come \(law 7\)\n  to reproduce: .*stream\[:\d+\]"),
    (Silent, r"neither an error nor MessageEnd \(law 7\)"),
    (Certain, r"search is complete with {}; in the whole stream they are {'query': 'tides', 'limit': 3} \(law 7\)"),
    (Swapping, r"the calls are \[\('search', {'host': 'a'}\)"),
    (Rewriting, r"search's \('limit',\) was reported as 3, and is 4 \(law 2\)"),
    (Unpicklable, r"the parser can't be pickled: TypeError.*\n.*pickling=False"),
    (Speechless, r"message raises .*KeyError: 'signature'"),
    (Strict, r"the stream can't be read: ToolStreamError.*the adapter 'acme' can't read \(KeyError: 'why'\)"),
]


def test_it_passes_for_the_adapter_of_the_docs() -> None:
    check_adapter(Acme, STREAM, calls=CALLS)
    check_adapter(lambda: Acme(), STREAM)
    check_adapter(Acme, [json.loads(line[6:]) for line in STREAM.split(b"\n\n") if line])


class Minimal:
    """An adapter without what only speed needs: `repeats` and `ignored`."""

    name = "minimal"
    recognises = Acme.recognises

    def __init__(self) -> None:
        acme = Acme()
        self.handle, self.end, self.message = acme.handle, acme.end, acme.message


@pytest.mark.parametrize("members", [(), ("repeats",), ("ignored",)])
def test_what_only_speed_needs_may_be_left_out(members: tuple[str, ...]) -> None:
    made = type("Made", (Minimal,), {name: getattr(Acme, name) for name in members})
    check_adapter(made, STREAM, calls=CALLS, cuts=5, pickling=False)


@pytest.mark.parametrize(("adapter", "message"), BROKEN, ids=[adapter.__name__ for adapter, _ in BROKEN])
def test_it_says_what_a_broken_adapter_breaks(adapter: type[Any], message: str) -> None:
    with pytest.raises(AssertionError, match=message):
        check_adapter(adapter, STREAM, calls=CALLS if adapter is Swapping else None)


@pytest.mark.skipif(not IS_FAST, reason="there is no fast lane here: TOOLSTREAM_LANE or TOOLSTREAM_BINDING")
def test_it_says_that_the_fast_lane_gives_something_else() -> None:
    words = b"".join(b'data: {"kind": "say", "text": "%d"}\n\n' % number for number in range(9))
    with pytest.raises(AssertionError, match=r"message is \d instead of 11 .*\n  to reproduce: .*one byte at a time$"):
        check_adapter(Promising, STREAM.replace(b'data: {"kind": "call"', words + b'data: {"kind": "call"', 1))


def test_what_can_not_be_pickled_may_be_left_out() -> None:
    check_adapter(Unpicklable, STREAM, pickling=False)


def test_an_adapter_that_exists_already_is_refused() -> None:
    with pytest.raises(TypeError, match="a name, an adapter's class or a function"):
        check_adapter(Acme(), STREAM)
