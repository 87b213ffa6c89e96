"""The SSE framing: WHATWG HTML, sections 9.2.5 and 9.2.6, whatever the cut.

Every case runs whole, byte by byte and at every two-way cut. Random streams are compared with a straight reading of
the standard (`read_by_the_standard`) and with sseclient-py where that follows it.
"""

from __future__ import annotations

import copy
import json
import os
import pickle
import re
import threading
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any, NamedTuple

import pytest
import sseclient
from hypothesis import given
from hypothesis import strategies as st

from toolstream.errors import LimitError, SSEError, ToolStreamError
from toolstream.sse import FrameParser, ServerSentEvent, SSEParser

# Longer streams are cut around their line ends and here and there instead of everywhere.
CUT_EVERYWHERE_BELOW = 5000


class Case(NamedTuple):
    name: str
    stream: bytes
    events: list[ServerSentEvent]
    last_event_id: str = ""
    retry: int | None = None


def data(*texts: str) -> list[ServerSentEvent]:
    return [ServerSentEvent("message", text, "", None) for text in texts]


CASES = [
    # line ends
    Case("LF", b"data: a\n\n", data("a")),
    Case("CRLF", b"data: a\r\n\r\n", data("a")),
    Case("CR, the second one dispatches", b"data: a\r\r", data("a")),
    Case("CRLF, CR and LF mixed", b"data: a\r\ndata: b\rdata: c\n\r\n", data("a\nb\nc")),
    Case("LF CR is two line ends", b"data: a\n\rdata: b\n\n", data("a", "b")),
    Case("CR CRLF is a line end and a blank line", b"data: a\r\r\ndata: b\n\n", data("a", "b")),
    Case("LF CRLF is a line end and a blank line", b"data: a\n\r\ndata: b\n\n", data("a", "b")),
    Case("blank lines alone give nothing", b"\n\n\r\r\n\r\n\n", []),
    Case("more blank lines than needed", b"\n\ndata: a\n\n\n\n\ndata: b\n\n\n", data("a", "b")),
    Case("other characters that end lines elsewhere", "data: a\u2028b\x85c\x0bd\x0ce\x1cf\n\n".encode(),
         data("a\u2028b\x85c\x0bd\x0ce\x1cf")),
    # the byte order mark
    Case("a leading BOM is dropped", b"\xef\xbb\xbfdata: a\n\n", data("a")),
    Case("one BOM only: a second one is part of the name", b"\xef\xbb\xbf\xef\xbb\xbfdata: a\ndata: b\n\n", data("b")),
    Case("a later BOM is part of the name", b"data: a\n\n\xef\xbb\xbfdata: b\n\n", data("a")),
    Case("a BOM in a value stays", b"data:\xef\xbb\xbfa\n\n", data("\ufeffa")),
    Case("a BOM after a blank line is none", b"\n\xef\xbb\xbfdata: a\n\n", []),
    Case("half a BOM is part of the name", b"\xef\xbbdata: a\ndata: b\n\n", data("b")),
    Case("a BOM alone", b"\xef\xbb\xbf", []),
    # fields
    Case("one space after the colon is dropped", b"data:a\n\ndata: a\n\ndata:  a\n\ndata:\ta\n\n",
         data("a", "a", " a", "\ta")),
    Case("space at the end stays", b"data: a  \n\n", data("a  ")),
    Case("colons in a value stay", b"data: a: b:c\n\n", data("a: b:c")),
    Case("no colon: an empty value", b"data\n\n", data("")),
    Case("names are told apart by case and by every byte",
         b"DATA: 1\nData: 2\ndat: 3\ndatas: 4\n data: 5\ndata : 6\nda\x00ta: 7\ndata: 8\n\n", data("8")),
    Case("unknown fields are skipped", b"foo: 1\nfoo\ndata: a\nx-long-field-name: 2\n\n", data("a")),
    Case("comments are skipped", b": one\ndata: a\n:\n:data: b\n::\ndata: c\n\n", data("a\nc")),
    Case("a comment ends no event", b"data: a\n: ping\n\n", data("a")),
    Case("comments and blank lines alone give nothing", b": ping\n\n: ping\n\n", []),
    # data
    Case("lines are joined with LF", b"data: a\ndata: b\ndata: c\n\n", data("a\nb\nc")),
    Case("empty lines count", b"data\ndata: a\ndata:\n\n", data("\na\n")),
    Case("nothing but empty lines", b"data\ndata:\ndata: \n\n", data("\n\n")),
    Case("one empty line is data", b"data:\n\n", data("")),
    Case("without data nothing is dispatched", b"event: t\n\n", []),
    Case("NUL is data", b"data: \x00\n\n", data("\x00")),
    # types
    Case("a type", b"event: t\ndata: a\n\n", [ServerSentEvent("t", "a")]),
    Case("a type is for one event", b"event: t\ndata: a\n\ndata: b\n\n",
         [ServerSentEvent("t", "a"), ServerSentEvent("message", "b")]),
    Case("a type without data is forgotten", b"event: t\n\ndata: a\n\n", data("a")),
    Case("the last type counts", b"event: t\nevent: u\ndata: a\n\n", [ServerSentEvent("u", "a")]),
    Case("an empty type is the default", b"event: t\nevent\ndata: a\n\n", data("a")),
    Case("a type may come after the data", b"data: a\nevent: t\ndata: b\n\n", [ServerSentEvent("t", "a\nb")]),
    # ids
    Case("an id stays in force", b"id: 7\ndata: a\n\ndata: b\n\n",
         [ServerSentEvent("message", "a", "7"), ServerSentEvent("message", "b", "7")], "7"),
    Case("a newer id replaces it", b"id: 7\ndata: a\n\nid: 81\ndata: b\n\ndata: c\n\n",
         [ServerSentEvent(data=d, id=i) for d, i in [("a", "7"), ("b", "81"), ("c", "81")]], "81"),
    Case("an empty id resets it", b"id: 7\ndata: a\n\nid\ndata: b\n\n",
         [ServerSentEvent("message", "a", "7"), ServerSentEvent("message", "b", "")]),
    Case("an id without data counts", b"id: 7\n\ndata: a\n\n", [ServerSentEvent("message", "a", "7")], "7"),
    Case("an id without data is replaced by one without data", b"id: 7\n\nid: 8\n\n", [], "8"),
    Case("an id without data is reset by one without data", b"id: 7\n\nid\n\ndata: a\n\n", data("a")),
    Case("an id without a blank line doesn't", b"data: a\n\nid: 7\n", data("a")),
    Case("an id with a NUL is ignored", b"id: 7\nid: a\x00b\ndata: a\n\nid: \x00\ndata: b\n\n",
         [ServerSentEvent("message", "a", "7"), ServerSentEvent("message", "b", "7")], "7"),
    Case("an id that is no ASCII", "id: …\ndata: a\n\n".encode(), [ServerSentEvent("message", "a", "…")], "…"),
    # retry
    Case("a reconnection time", b"retry: 3000\ndata: a\n\n", [ServerSentEvent(data="a", retry=3000)], retry=3000),
    Case("it counts from its line on, and stays", b"data: a\n\ndata: b\nretry: 10\n\ndata: c\n\nretry: 20\n",
         [ServerSentEvent(data=d, retry=r) for d, r in [("a", None), ("b", 10), ("c", 10)]], retry=20),
    Case("ASCII digits only",
         "retry: 5\nretry: +1\nretry: -1\nretry: 1.5\nretry: 1_0\nretry:  1\nretry: 1 \nretry: ٣\nretry: ²\n"
         "retry: 0x1\nretry: 1e3\nretry:\nretry\ndata: a\n\n".encode(), [ServerSentEvent(data="a", retry=5)], retry=5),
    Case("zeros", b"retry: 0010\n\nretry: 0\ndata: a\n\n", [ServerSentEvent(data="a", retry=0)], retry=0),
    Case("too large a number is the largest there is", b"retry: " + b"9" * 400 + b"\ndata: a\n\n",
         [ServerSentEvent(data="a", retry=2**63 - 1)], retry=2**63 - 1),
    # UTF-8
    Case("characters of 2, 3 and 4 bytes", "data: é€😀\n\n".encode(), data("é€😀")),
    Case("an invalid byte", b"data: a\xffb\n\n", data("a\ufffdb")),
    Case("a lone continuation byte", b"data: \x80a\n\n", data("\ufffda")),
    Case("a cut character doesn't swallow the line end", b"data: \xe2\x82\n\ndata: b\n\n", data("\ufffd", "b")),
    Case("a surrogate's bytes are three faults", b"data: \xed\xa0\x80\n\n", data("\ufffd" * 3)),
    Case("an overlong form", b"data: \xc0\xaf\n\n", data("\ufffd" * 2)),
    Case("invalid bytes in a type and an id", b"event: \xff\nid: \xfe\ndata: a\n\n",
         [ServerSentEvent("\ufffd", "a", "\ufffd")], "\ufffd"),
    # ends
    Case("an empty stream", b"", []),
    Case("an event without its blank line is dropped", b"data: a\n\ndata: b\n", data("a")),
    Case("an unfinished line is dropped", b"data: a\n\ndata: b", data("a")),
    Case("half a CRLF is a blank line", b"data: a\r\n\r", data("a")),
    # providers
    Case("named events", b'event: ping\ndata: {"type": "ping"}\n\n', [ServerSentEvent("ping", '{"type": "ping"}')]),
    Case("a sentinel", b'data: {"a":1}\n\ndata: [DONE]\n\n', data('{"a":1}', "[DONE]")),
    Case("a JSON body instead of events", b'{"error": {"message": "no"}}', []),
    Case("an HTML body instead of events", b"<html>\n<body>502</body>\n\n</html>\n\n", []),
]  # fmt: skip


# ------------------------------------------------------------------ ways to feed a stream


def two_way_cuts(stream: bytes) -> Iterator[list[bytes]]:
    if len(stream) < CUT_EVERYWHERE_BELOW:
        places: Iterable[int] = range(len(stream) + 1)
    else:
        ends = {match.start() + shift for match in re.finditer(rb"[\r\n]", stream[-100:]) for shift in (-1, 0, 1)}
        places = sorted({*range(64), *range(0, len(stream), 997), *(len(stream) - 100 + end for end in ends)})
    for place in places:
        yield [stream[:place], stream[place:]]


def every_way(stream: bytes) -> Iterator[list[bytes]]:
    yield [stream]
    yield [stream[at : at + 1] for at in range(len(stream))]
    yield from two_way_cuts(stream)


class Outcome(NamedTuple):
    """All that a stream comes to."""

    events: list[ServerSentEvent]
    last_event_id: str
    retry: int | None
    offset: int
    error: str | None


def read(chunks: Iterable[Any], **options: Any) -> Outcome:
    parser = SSEParser(**options)
    events: list[ServerSentEvent] = []
    error = None
    try:
        for chunk in chunks:
            events += parser.feed(chunk)
        events += parser.close()
    except LimitError as fault:
        events += fault.events  # type: ignore[arg-type]
        error = str(fault)
    assert parser._scanned == parser.offset + (error is not None), "a byte was looked at twice"
    return Outcome(events, parser.last_event_id, parser.retry, parser.offset, error)


def frames(chunks: Iterable[bytes]) -> list[tuple[str, bytes]]:
    parser = FrameParser(None)
    return [frame for chunk in chunks for frame in parser.feed(chunk)]


# ------------------------------------------------------------------ the standard's rules


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.name)
def test_events_are_those_of_the_standard_at_every_cut(case: Case) -> None:
    expected = Outcome(case.events, case.last_event_id, case.retry, len(case.stream), None)
    for chunks in every_way(case.stream):
        assert read(chunks) == expected, chunks


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.name)
def test_the_cases_agree_with_a_straight_reading_of_the_standard(case: Case) -> None:
    assert read_by_the_standard(case.stream) == (case.events, case.last_event_id, case.retry)


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.name)
def test_frames_hold_the_same_data_as_bytes(case: Case) -> None:
    expected = [(event.event, event.data) for event in case.events]
    for chunks in every_way(case.stream):
        assert [(name, body.decode("utf-8", "replace")) for name, body in frames(chunks)] == expected


def corpus_cases() -> list[Any]:
    """The shared corpus of SSE cases, one JSON object a line."""
    root = os.environ.get("TOOLSTREAM_CORPORA")
    if not root:
        return []
    lines = (Path(root) / "corpora" / "sse_cases.jsonl").read_text(encoding="utf-8").splitlines()
    return [pytest.param(case, id=case["name"]) for case in map(json.loads, lines)]


CORPUS = corpus_cases() or [
    pytest.param(None, marks=pytest.mark.skip(reason="TOOLSTREAM_CORPORA is not set: the SSE corpus was not run"))
]


@pytest.mark.parametrize("case", CORPUS)
def test_corpus_case_at_every_cut(case: dict[str, Any]) -> None:
    stream = bytes.fromhex(case["bytes_hex"])
    given_chunks = [bytes.fromhex(chunk) for chunk in case.get("chunks_hex", [])]
    assert not given_chunks or b"".join(given_chunks) == stream
    for chunks in [given_chunks or [stream], *every_way(stream)]:
        outcome = read(chunks)
        if case.get("check") == "data_only":
            assert [event.data for event in outcome.events] == case["expect_data"]
        else:
            assert [event._asdict() for event in outcome.events] == case["expect"]
        assert outcome.last_event_id == case.get("final_id", outcome.last_event_id)
        assert outcome.retry == case.get("final_retry", outcome.retry)


# ------------------------------------------------------------------ random streams


def read_by_the_standard(stream: bytes) -> tuple[list[ServerSentEvent], str, int | None]:
    """9.2.5 and 9.2.6 word by word, on the whole stream at once."""
    text = stream.decode("utf-8", "replace").removeprefix("\ufeff")
    *lines, _unfinished = re.split("\r\n|\n|\r", text)
    events: list[ServerSentEvent] = []
    data_buffer, type_buffer, id_buffer, last_id, retry = "", "", "", "", None
    for line in lines:
        if line == "":
            last_id = id_buffer
            if data_buffer:
                events.append(ServerSentEvent(type_buffer or "message", data_buffer[:-1], last_id, retry))
            data_buffer = type_buffer = ""
            continue
        field, _, value = line.partition(":")
        value = value.removeprefix(" ")
        if field == "event":
            type_buffer = value
        elif field == "data":
            data_buffer += value + "\n"
        elif field == "id" and "\0" not in value:
            id_buffer = value
        elif field == "retry" and re.fullmatch("[0-9]+", value):
            retry = min(int(value), 2**63 - 1)
    return events, last_id, retry


PIECES = [
    *(b"data: ", b"data:", b"data", b"event: ", b"event:t", b"id: ", b"id:", b"id", b"retry: ", b"retry:7", b":", b" "),
    *(b"\n", b"\n", b"\n\n", b"\r", b"\r\n", b"\r\n\r\n", b"\x00", b"\xef\xbb\xbf", b"\xef\xbb", b"\xff"),
    *(b"1", b"23", b"x", b'{"a": [1]}', b"a line that is longer than one block of the line search", "é€😀".encode()),
]
streams = st.lists(st.one_of(st.sampled_from(PIECES), st.binary(max_size=3)), max_size=40).map(b"".join)


@st.composite
def cut_streams(draw: st.DrawFn) -> list[bytes]:
    stream = draw(streams)
    places = sorted(draw(st.lists(st.integers(0, len(stream)), max_size=12)))
    return [stream[a:b] for a, b in zip([0, *places], [*places, len(stream)], strict=True)]


@given(cut_streams())
def test_random_streams_at_random_cuts_agree_with_the_standard(chunks: list[bytes]) -> None:
    stream = b"".join(chunks)
    outcome = read(chunks)
    assert outcome[:3] == read_by_the_standard(stream)
    assert outcome.offset == len(stream)


@given(cut_streams(), st.integers(1, 40))
def test_a_limit_is_hit_at_the_same_byte_at_random_cuts(chunks: list[bytes], limit: int) -> None:
    stream = b"".join(chunks)
    assert read(chunks, max_event_bytes=limit) == read([stream], max_event_bytes=limit)


@given(cut_streams())
def test_random_streams_survive_pickling_between_any_two_chunks(chunks: list[bytes]) -> None:
    parser = SSEParser()
    events = []
    for chunk in chunks:
        events += parser.feed(chunk)
        parser = pickle.loads(pickle.dumps(parser))
    assert Outcome(events, parser.last_event_id, parser.retry, parser.offset, None) == read([b"".join(chunks)])


# sseclient-py 1.9 differs from the standard, so the streams for it are tamer:
# - it keeps a BOM, so none is at the start;
# - it wants one kind of line end throughout, and ends events at none other (mixes of them, a lone CR after CRLF);
# - it decodes strictly, so all is valid UTF-8;
# - it dispatches an event that no blank line has ended, so each is ended here;
# - its ids and retries are those of one event and unchecked, so only the types and the data are compared.
LINES = st.one_of(
    st.sampled_from(["data", "data:", "event", "id: 7", "retry: 10", ": comment", "", "other: x", "Data: x"]),
    st.builds(
        "{}{}{}".format,
        st.sampled_from(["data", "event", "id", "other", "dat"]),
        st.sampled_from([":", ": ", ":  "]),
        st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\r\n"), max_size=30),
    ),
)


@given(st.lists(LINES, max_size=20), st.sampled_from(["\n", "\r\n", "\r"]))
def test_framing_agrees_with_sseclient_where_that_follows_the_standard(lines: list[str], line_end: str) -> None:
    stream = "".join(line + line_end for line in [*lines, "", ""]).encode()
    peer = [(event.event, event.data) for event in sseclient.SSEClient(iter([stream])).events()]
    assert [(event.event, event.data) for event in read([stream]).events] == peer


# ------------------------------------------------------------------ what feed takes


def test_a_chunk_may_be_bytes_bytearray_memoryview_or_str() -> None:
    stream = "\ufeffid: é\ndata: €😀\n\n"
    expected = read([stream.encode()])
    assert expected.events == [ServerSentEvent("message", "€😀", "é")]
    for kind in (bytes, bytearray, memoryview):
        assert read([kind(stream.encode())]) == expected
    assert read([stream]) == expected
    assert read(list(stream)) == expected
    assert read([memoryview(stream.encode() * 2)[::2][:0], stream]) == expected


def test_a_bytearray_can_be_reused_after_feed() -> None:
    parser = SSEParser()
    buffer = bytearray(b"data: on")
    assert parser.feed(buffer) == []
    buffer[:] = b"e\n\n"
    assert parser.feed(buffer) == data("one")


@pytest.mark.parametrize("chunk", [None, 7, ["data: a\n\n"], object()])
def test_anything_else_is_a_type_error_and_leaves_the_parser_usable(chunk: Any) -> None:
    parser = SSEParser()
    parser.feed(b"data: a")
    with pytest.raises(TypeError):
        parser.feed(chunk)
    assert parser.feed(b"\n\n") == data("a")


def test_empty_chunks_change_nothing() -> None:
    assert read([b"data: a\r", b"", b"", b"\ndata: b\n", b"", b"\n"]).events == data("a\nb")


def test_an_event_comes_with_the_byte_that_ends_its_blank_line() -> None:
    for line_end in (b"\n", b"\r\n", b"\r"):
        stream = b"data: a" + line_end * 2
        first_of_blank_line = len(stream) - len(line_end)
        parser = SSEParser()
        assert parser.feed(stream[:first_of_blank_line]) == []
        # CR ends a line whatever follows, so CRLF's LF isn't waited for.
        assert parser.feed(stream[first_of_blank_line : first_of_blank_line + 1]) == data("a")


# ------------------------------------------------------------------ the end


def test_close_drops_the_open_event_and_its_id() -> None:
    parser = SSEParser()
    assert parser.feed(b"id: 1\ndata: a\n\nid: 2\ndata: b\n") == [ServerSentEvent("message", "a", "1")]
    assert parser.close() == []
    assert parser.close() == []
    assert parser.last_event_id == "1"


def test_feed_after_close_is_an_error() -> None:
    parser = SSEParser()
    parser.close()
    with pytest.raises(SSEError, match="closed"):
        parser.feed(b"data: a\n\n")


@pytest.mark.parametrize(
    ("stream", "expected"),
    [
        (b"", []),
        (b"data: a", [("message", b"a")]),
        (b"data: a\n", [("message", b"a")]),
        (b"data: a\r", [("message", b"a")]),
        (b"event: t\ndata: a\ndata: \xff", [("t", b"a\n\xff")]),
        (b"data: a\nevent: t", [("t", b"a")]),
        (b"data", [("message", b"")]),
        (b"data: a\n\n", []),
        (b"event: t\n", []),
        (b": comment", []),
        (b"dat", []),
    ],
)
def test_flush_gives_the_open_frame_if_it_has_data(stream: bytes, expected: list[tuple[str, bytes]]) -> None:
    for chunks in every_way(stream):
        parser = FrameParser(None)
        for chunk in chunks:
            parser.feed(chunk)
        assert parser.flush() == expected
        assert parser.flush() == []


# ------------------------------------------------------------------ limits

LIMITED = b"data: 1\n\nevent: type\ndata: 2\n\nid: id\ndata: 3\ndata: 45\n\n"


@pytest.mark.parametrize(
    ("limit", "offset", "events"),
    [
        (6, LIMITED.index(b"1"), []),
        (7, LIMITED.index(b"type"), data("1")),
        (10, LIMITED.index(b"type") + 3, data("1")),
        (11, LIMITED.index(b"45") + 1, [*data("1"), ServerSentEvent("type", "2")]),
    ],
)
def test_a_limit_is_hit_at_the_same_byte_at_every_cut(limit: int, offset: int, events: list[ServerSentEvent]) -> None:
    whole = read([LIMITED], max_event_bytes=limit)
    assert (whole.offset, whole.events) == (offset, events)
    for chunks in every_way(LIMITED):
        assert read(chunks, max_event_bytes=limit) == whole


def test_the_limit_counts_data_type_id_and_the_line_in_progress() -> None:
    # The last event needs most: "id", "3" with its line end, and "data: 45".
    for chunks in every_way(LIMITED):
        assert len(read(chunks, max_event_bytes=12).events) == 3


def test_a_comment_without_end_is_refused_too() -> None:
    with pytest.raises(LimitError) as caught:
        SSEParser(max_event_bytes=100).feed(b":" * 101)
    assert (caught.value.limit, caught.value.offset) == ("max_event_bytes", 100)
    assert "max_event_bytes=100" in str(caught.value)


def test_events_before_the_fault_are_in_the_error_and_the_parser_stays_dead() -> None:
    parser = SSEParser(max_event_bytes=10)
    with pytest.raises(LimitError) as caught:
        parser.feed(b"data: a\n\ndata: much too long\n\n")
    assert caught.value.events == data("a")
    with pytest.raises(LimitError) as again:
        parser.feed(b"data: b\n\n")
    assert again.value is caught.value
    assert again.value.events == []
    assert parser.offset == 19
    assert parser.close() == []


def test_frames_before_the_fault_are_in_the_error() -> None:
    for count in (0, 1, 2):
        with pytest.raises(LimitError) as caught:
            FrameParser(10).feed(b"data: a\n\n" * count + b"data: much too long\n\n")
        assert caught.value.frames == [("message", b"a")] * count  # type: ignore[attr-defined]


def test_the_limit_is_on_by_default_and_can_be_lifted() -> None:
    chunk = b":" * 2**20
    for parser, trips in ((SSEParser(), True), (SSEParser(max_event_bytes=None), False)):
        tripped = False
        try:
            for _ in range(65):
                parser.feed(chunk)
        except LimitError:
            tripped = True
        assert tripped == trips


@pytest.mark.parametrize("limit", [0, -1, "7", 1.5])
def test_a_limit_is_a_positive_int_or_none(limit: Any) -> None:
    with pytest.raises(ValueError, match="max_event_bytes"):
        SSEParser(max_event_bytes=limit)


# ------------------------------------------------------------------ long streams


def test_an_event_of_megabytes_in_small_chunks() -> None:
    text = "0123456789abcdef" * 2**16
    stream = b"data: " + text.encode() + b"\n\ndata: next\n\n"
    for size in (1000, 16384):
        assert read(stream[at : at + size] for at in range(0, len(stream), size)).events == data(text, "next")


def test_many_events_in_one_chunk() -> None:
    texts = [f"{number:x}" for number in range(5000)]
    stream = "".join(f"id: {text}\ndata: {text}\n\ndata: more\n\n" for text in texts)
    expected = [ServerSentEvent(data=shown, id=text) for text in texts for shown in (text, "more")]
    assert read([stream]).events == expected


def test_a_long_id_is_kept_once_for_all_events_under_it() -> None:
    parser = SSEParser()
    (first,) = parser.feed(b"id: " + b"x" * 10000 + b"\ndata: 1\n\n")
    second, third = parser.feed(b"data: 2\n\ndata: 3\n\n")
    assert first.id == "x" * 10000
    assert first.id is second.id is third.id


# ------------------------------------------------------------------ pickling and copies


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.name)
@pytest.mark.parametrize("move", [lambda parser: pickle.loads(pickle.dumps(parser)), copy.deepcopy, copy.copy])
def test_a_parser_can_be_moved_between_any_two_bytes(case: Case, move: Any) -> None:
    parser, framer = SSEParser(), FrameParser(None)
    events, framed = [], []
    for at in range(len(case.stream)):
        parser, framer = move(parser), move(framer)
        events += parser.feed(case.stream[at : at + 1])
        framed += framer.feed(case.stream[at : at + 1])
    parser, framer = move(parser), move(framer)
    assert events == case.events
    assert (parser.last_event_id, parser.retry) == (case.last_event_id, case.retry)
    assert framed == frames([case.stream])
    assert parser.offset == framer.offset == len(case.stream)


def test_a_copy_goes_its_own_way() -> None:
    parser = SSEParser()
    parser.feed(b"id: 1\n\ndata: a")
    twin = copy.deepcopy(parser)
    assert parser.feed(b"b\n\n") == [ServerSentEvent("message", "ab", "1")]
    assert twin.feed(b"\nid: 2\n\n") == [ServerSentEvent("message", "a", "2")]
    assert (parser.last_event_id, twin.last_event_id) == ("1", "2")


def test_a_dead_or_closed_parser_stays_so_when_moved() -> None:
    dead = SSEParser(max_event_bytes=5)
    with pytest.raises(LimitError):
        dead.feed(b"too long\n")
    with pytest.raises(LimitError):
        pickle.loads(pickle.dumps(dead)).feed(b"\n")
    closed = SSEParser()
    closed.close()
    with pytest.raises(SSEError):
        pickle.loads(pickle.dumps(closed)).feed(b"\n")


def test_the_limit_moves_with_the_parser() -> None:
    parser = SSEParser(max_event_bytes=8)
    parser.feed(b"data: ")
    with pytest.raises(LimitError) as caught:
        pickle.loads(pickle.dumps(parser)).feed(b"abc")
    assert caught.value.offset == 8


def test_a_damaged_state_is_refused() -> None:
    parser = SSEParser()
    parser.feed(b"data: a")
    limit, saved, *rest = parser.__getstate__()
    for damaged in (b"", saved[:-1], saved + b"\x00", b"?" + saved[1:]):
        with pytest.raises(ValueError, match="damaged"):
            SSEParser.__new__(SSEParser).__setstate__((limit, damaged, *rest))


# ------------------------------------------------------------------ threads


def test_a_second_thread_inside_gets_a_clear_error() -> None:
    parser = SSEParser()
    entered, leave = threading.Event(), threading.Event()

    def stay_inside() -> None:
        with parser._guard:  # what feed holds while the core runs without the GIL
            entered.set()
            leave.wait()

    thread = threading.Thread(target=stay_inside)
    thread.start()
    entered.wait()
    try:
        for call in (
            lambda: parser.feed(b"data: a\n\n"),
            parser.close,
            lambda: parser.last_event_id,
            lambda: pickle.dumps(parser),
        ):
            with pytest.raises(RuntimeError, match="another thread"):
                call()
    finally:
        leave.set()
        thread.join()
    assert parser.feed(b"data: a\n\n") == data("a")


def test_threads_with_parsers_of_their_own_do_not_meet() -> None:
    results: dict[int, list[ServerSentEvent]] = {}

    def work(number: int) -> None:
        stream = f"id: {number}\ndata: {number}\n\n".encode() * 200
        results[number] = read(stream[at : at + 3] for at in range(0, len(stream), 3)).events

    threads = [threading.Thread(target=work, args=(number,)) for number in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    for number in range(8):
        assert results[number] == [ServerSentEvent(data=str(number), id=str(number))] * 200


# ------------------------------------------------------------------ the event itself


def test_an_event_is_immutable_and_comparable_and_picklable() -> None:
    event = ServerSentEvent("t", "d", "i", 5)
    with pytest.raises(AttributeError):
        event.data = "other"  # type: ignore[misc]
    with pytest.raises(AttributeError):
        event.extra = 1  # type: ignore[attr-defined]
    assert event == ServerSentEvent(event="t", data="d", id="i", retry=5)
    assert event != ServerSentEvent("t", "d", "i", None)
    assert pickle.loads(pickle.dumps(event)) == event
    assert repr(event) == "ServerSentEvent(event='t', data='d', id='i', retry=5)"


def test_an_event_matches_by_keyword_and_position() -> None:
    match ServerSentEvent(data="d", id="i"):
        case ServerSentEvent("message", text, id=last_id, retry=None):
            assert (text, last_id) == ("d", "i")
        case _:
            pytest.fail("no match")


def test_errors_are_those_of_the_package() -> None:
    assert issubclass(LimitError, ToolStreamError)
    assert issubclass(SSEError, ToolStreamError)
