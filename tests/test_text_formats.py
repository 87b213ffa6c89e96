"""Tool calls inside raw text: every format reads back what its writer wrote, however the text is cut; what looks like a
marker and is none is text; and a text that breaks off inside a call gives no such call.
"""

from __future__ import annotations

import asyncio
import copy
import json
import os
import pickle
import random
import subprocess
import sys
from collections.abc import AsyncIterator, Iterator
from dataclasses import replace
from itertools import pairwise
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from text_writers import ALL_WRITERS, ENDS_ONLY, START_ONLY, THINKS, WRITERS, Asked, Message, Said, Thought, schemas
from wire import Reading, read_bytes

from toolstream import (
    Event,
    FieldComplete,
    FieldDelta,
    IncompleteError,
    JSONError,
    LimitError,
    Limits,
    MessageEnd,
    MessageStart,
    ProviderError,
    ReasoningDelta,
    SSEParser,
    StreamParser,
    TextDelta,
    ToolCallEnd,
    ToolCallError,
    ToolCallStart,
    parse,
    text_format,
)
from toolstream.testing import check_adapter
from toolstream.text_formats import FORMATS, TextFormat
from toolstream.text_formats.coercion import coerced, schema_of
from toolstream.text_formats.formats import Objects, Opener, Tagged
from toolstream.tools.schemas import toolset


def read(format: Any, pieces: Any, **options: Any) -> Reading:
    return read_bytes(list(pieces), provider=format, **options)


def text(reading: Reading) -> str:
    return "".join(event.text for event in reading.of(TextDelta))


def thought(reading: Reading) -> str:
    return "".join(event.text for event in reading.of(ReasoningDelta))


def whole_calls(reading: Reading) -> list[tuple[str, Any]]:
    return [(call.name, call.arguments) for call in reading.calls if call.complete]


def told(reading: Reading) -> list[Any]:
    """Everything that a reading has told, with adjacent growth joined."""
    said: list[Any] = []
    for event in reading.events:
        call = getattr(event, "call", None)
        key = (event.type, call and call.index, getattr(event, "path", None))
        grown = event.text if isinstance(event, (TextDelta, ReasoningDelta, FieldDelta)) else None
        if grown is not None and said and said[-1][0] == key:
            said[-1][1] += grown
        elif isinstance(event, FieldComplete):
            said.append([key, json.dumps(event.value)])
        else:
            said.append([key, grown])
    states = [(call.id, call.name, call.state, call.text, str(call.error)) for call in reading.calls]
    return [said, states, type(reading.error), str(reading.error)]


def cuts(whole: str, count: int, seed: int = 0) -> list[str]:
    chance = random.Random(f"{seed}{whole}")
    places = sorted(chance.randrange(len(whole) + 1) for _ in range(count))
    return [whole[a:b] for a, b in zip([0, *places], [*places, len(whole)], strict=True)]


def everywhere(format: Any, whole: str, **options: Any) -> Reading:
    """Reads the text whole, by characters, by bytes and at random places: each must tell the same."""
    reading = read(format, [whole], **options)
    ways = [list(whole), [bytes([byte]) for byte in whole.encode()], *(cuts(whole, 3, seed) for seed in range(4))]
    for pieces in ways:
        assert told(read(format, pieces, **options)) == told(reading)
    return reading


# ---------------------------------------------------------------------- samples


def _samples() -> list[Any]:
    corpora = os.environ.get("TOOLSTREAM_CORPORA")
    if not corpora:
        skip = pytest.mark.skip(reason="no samples: TOOLSTREAM_CORPORA is not set")
        return [pytest.param(None, id="samples", marks=skip)]
    paths = sorted((Path(corpora) / "text_streams").glob("*.jsonl"))
    samples = [json.loads(line) for path in paths for line in path.read_text().splitlines()]
    return [pytest.param(sample, id=sample["id"]) for sample in samples]


# Where several readings are possible, and this package has another one than the samples.
POLICIES: dict[str, dict[str, Any]] = {
    # A call that has begun and breaks JSON's rules is a bad call; nothing turns it back into text.
    "llama3_json/invalid-json-is-text": {"text": "", "error": JSONError},
}


def check_sample(sample: dict[str, Any], pieces: list[Any], tools: Any) -> Reading:
    reading = read(sample["format"], pieces, prefill=sample.get("prefill", ""), tools=tools)
    expected = {**sample["expected"], **POLICIES.get(sample["id"], {})}
    assert text(reading).strip() == expected["text"]
    assert (thought(reading).strip() or None) == expected["reasoning"]
    if tools is not None or sample.get("tools") is None:
        assert whole_calls(reading) == [(call["name"], call["arguments"]) for call in expected["calls"]]
    done = [call for call in reading.calls if call.complete]
    for index, (call, known) in enumerate(zip(done, expected["calls"], strict=True)):
        assert call.name == known["name"]
        assert call.id == known.get("id", f"call_{index}")
    if expected.get("truncated"):
        check_partial(reading, expected.get("partial"))
    elif "error" in expected:
        assert isinstance(reading.error, expected["error"])
    else:
        assert reading.error is None
        assert reading.of(MessageEnd)
    return reading


def check_partial(reading: Reading, partial: dict[str, Any] | None) -> None:
    if partial is None:
        assert reading.error is None or isinstance(reading.error, IncompleteError)
        return
    assert isinstance(reading.error, IncompleteError)
    call = reading.calls[-1]
    assert (call.name, call.arguments, call.state) == (partial["name"], partial["arguments"], "void")
    assert reading.error.partial == partial["arguments"]
    if "open" in partial:
        grown = call.snapshot()
        for step in partial["open"]["path"]:
            grown = grown[step]
        assert grown == partial["open"]["so_far"]
        assert reading.error.pending_path == tuple(partial["open"]["path"])


@pytest.mark.parametrize("sample", _samples())
def test_a_sample_gives_what_is_known_of_it_however_it_is_cut(sample: dict[str, Any]) -> None:
    whole, tools = sample["text"], sample.get("tools")
    reading = check_sample(sample, [whole], tools)
    ways = [list(whole), sample.get("pieces") or [whole]]
    ways += [cuts(whole, 4, seed) for seed in range(20)]
    for pieces in ways:
        assert told(check_sample(sample, pieces, tools)) == told(reading)


# Their markers stand in prose and code, too: the first marker does not tell them.
_NAMED_ONLY = ("react", "python_code", "gigachat3", "ernie45", "jamba", "hunyuan_a13b")


@pytest.mark.parametrize("sample", _samples())
def test_the_first_marker_tells_the_format(sample: dict[str, Any]) -> None:
    if sample.get("no_ref") or sample["format"] in _NAMED_ONLY:
        return
    reading = check_sample({**sample, "format": "text"}, [sample["text"]], sample.get("tools"))
    assert told(check_sample({**sample, "format": "text"}, list(sample["text"]), sample.get("tools"))) == told(reading)


@pytest.mark.parametrize("sample", _samples())
def test_without_schemas_values_are_text_and_with_unrelated_ones_the_same(sample: dict[str, Any]) -> None:
    unrelated = [{"name": "unrelated", "parameters": {"type": "object", "properties": {"x": {"type": "integer"}}}}]
    if sample.get("tools") is None:
        check_sample(sample, [sample["text"]], unrelated)
        return
    reading = check_sample(sample, [sample["text"]], None)
    for call, known in zip([one for one in reading.calls if one.complete], sample["expected"]["calls"], strict=True):
        assert list(call.arguments) == list(known["arguments"])
        for value, wanted in zip(call.arguments.values(), known["arguments"].values(), strict=True):
            assert isinstance(value, str)
            assert value == wanted or not isinstance(wanted, str)


# Here the end of the text stands for the call's own end, so that a cut may be taken for one.
OPEN_ENDS = ("glm45", "glm47", "python_code")


@pytest.mark.parametrize("sample", _samples())
def test_a_sample_that_breaks_off_gives_no_call_that_was_not_whole(sample: dict[str, Any]) -> None:
    whole, options = sample["text"], {"prefill": sample.get("prefill", ""), "tools": sample.get("tools")}
    if sample["format"] in OPEN_ENDS or '"code"' in json.dumps(sample["expected"]):
        return
    final = whole_calls(read(sample["format"], [whole], **options))
    chance = random.Random(whole)
    for end in sorted(chance.sample(range(len(whole)), min(25, len(whole)))):
        reading = read(sample["format"], [whole[:end]], on_error="event", **options)
        calls = whole_calls(reading)
        assert calls == final[: len(calls)], f"cut at {end}"
        assert isinstance(reading.error, IncompleteError) or reading.of(MessageEnd)
        assert all(call.complete or call.state == "void" for call in reading.calls)


# ---------------------------------------------------------------------- what the writers write

CONTENT = 'a < b && c[0] } ] > "q" \\ </b> {"x": [1]} \'s\' <| |> ```\n\tétà 北京 🎉\u2028 done'
VALUES: dict[str, Any] = {"city": "Paris", "note": CONTENT, "n": 3, "f": -0.5, "on": True, "no": None, "list": [1, "a"]}
NESTED: dict[str, Any] = {"at": {"lat": 1.5, "tags": ["x", ["y"]], "empty": {}, "none": []}, "word": "true", "e": ""}


def message_for(format: str) -> Message:
    message: Message = [Asked("search", VALUES), Asked("get_time"), Asked("plan", NESTED)]
    if format not in START_ONLY:
        message = [Said("One moment, 3 < 5 holds."), *message]
    if format in THINKS:
        message = [Thought("I need {two} <b>calls</b>."), *message]
    if format not in ENDS_ONLY:
        message.append(Said("I will report back."))
    return message


def check_message(reading: Reading, message: Message) -> None:
    assert reading.error is None
    said = "".join(part.text for part in message if isinstance(part, Said))
    assert "".join(text(reading).split()) == "".join(said.split())
    assert thought(reading).strip() == "".join(part.text for part in message if isinstance(part, Thought)).strip()
    asked = [(part.name, part.arguments) for part in message if isinstance(part, Asked)]
    assert whole_calls(reading) == asked
    for call, (_, arguments) in zip(reading.calls, asked, strict=True):
        assert json.dumps(call.arguments) == json.dumps(arguments)  # types and order, too
        assert json.loads(call.text) == arguments


@pytest.mark.parametrize("format", WRITERS)
def test_a_format_reads_back_what_its_model_writes(format: str) -> None:
    message = message_for(format)
    reading = everywhere(format, WRITERS[format](message), tools=schemas(message), deltas=True, depth=None)
    check_message(reading, message)
    assert reading.types[0] == "message_start"
    assert reading.events[0] == MessageStart(format, None, None)
    (end,) = reading.of(MessageEnd)
    assert end.safe
    assert all(call.state == "committed" for call in reading.calls)


@pytest.mark.parametrize("format", [name for name in ALL_WRITERS if name not in WRITERS])
def test_so_does_each_of_the_rarer_ones(format: str) -> None:
    message: Message = [Asked("search", {"city": "Paris", "note": "a < b\n} ] 'x'", "n": 3}), Asked("plan", NESTED)]
    check_message(everywhere(format, ALL_WRITERS[format](message), tools=schemas(message), deltas=True), message)


@pytest.mark.parametrize("format", WRITERS)
def test_reported_fields_are_the_final_ones_and_deltas_join_to_them(format: str) -> None:
    message = message_for(format)
    reading = read(format, list(WRITERS[format](message)), tools=schemas(message), deltas=True)
    grown: dict[Any, str] = {}
    for event in reading.of(FieldDelta):
        grown[event.call.index, event.path] = grown.get((event.call.index, event.path), "") + event.text
    for event in reading.of(FieldComplete):
        assert event.call.arguments[event.path[0]] == event.value
        if isinstance(event.value, str):
            assert grown.get((event.call.index, event.path), "") == event.value


@pytest.mark.parametrize("format", WRITERS)
def test_a_parser_moves_between_any_two_pieces(format: str) -> None:
    message = message_for(format)
    whole = WRITERS[format](message)
    expected = told(read(format, [whole], tools=schemas(message)))
    parser, events = StreamParser(provider=format, tools=schemas(message)), list[Event]()
    for piece in cuts(whole, 25):
        parser, events = pickle.loads(pickle.dumps((copy.deepcopy(parser), events)))
        events += parser.feed(piece)
    events += parser.close()
    assert told(Reading(parser, events)) == expected


@pytest.mark.parametrize("format", [name for name in WRITERS if name not in OPEN_ENDS])
def test_a_text_that_breaks_off_gives_only_whole_calls(format: str) -> None:
    message = message_for(format)
    whole = WRITERS[format](message)
    asked = [(part.name, part.arguments) for part in message if isinstance(part, Asked)]
    parser = StreamParser(provider=format, tools=schemas(message))
    events: list[Event] = []
    for character in whole:
        cut, so_far = copy.deepcopy((parser, events))
        reading = Reading(cut, so_far)
        try:
            reading.events += cut.close()
        except IncompleteError as error:
            reading.error = error
        calls = whole_calls(reading)
        assert calls == asked[: len(calls)]
        assert all(call.complete or call.state == "void" for call in cut.calls)
        events += parser.feed(character)


# ---------------------------------------------------------------------- random messages

_names = st.from_regex(r"[a-z][a-z_0-9]{0,8}", fullmatch=True).filter(
    lambda name: name not in ("assistant", "functions", "function", "print", "call")
)
_words = st.text(st.characters(exclude_categories=("Cs", "Cc")), max_size=12) | st.sampled_from(
    ["null", "true", "42", "<", "</", "```", "[", "{", '"', "'", "\\", "\n", "a\nb", "<|", "]", "<tool", "[TOOL"]
)
_strings = st.lists(_words, max_size=4).map("".join)
_scalars = st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | _strings
_values = st.recursive(
    _scalars, lambda inner: st.lists(inner, max_size=3) | st.dictionaries(_names, inner, max_size=3), max_leaves=8
)
_calls = st.builds(Asked, _names, st.dictionaries(_names, _values, max_size=4))
_text = st.text("abc .,<>[]{}()|:=\n😀é'\"", min_size=1, max_size=20).map(str.strip).filter(bool)


@st.composite
def messages(draw: st.DrawFn, format: str) -> Message:
    calls: Message = list(draw(st.lists(_calls, min_size=1, max_size=3, unique_by=lambda call: call.name)))
    if format not in START_ONLY and draw(st.booleans()):
        calls.insert(0, Said(draw(_text)))
    if format not in ENDS_ONLY and draw(st.booleans()):
        calls.append(Said(" " + draw(_text)))
    if format in THINKS and draw(st.booleans()):
        calls.insert(0, Thought(draw(_text)))
    return calls


def _markers(format: str) -> list[str]:
    declared = FORMATS[format]
    words = [opener.marker for opener in declared.openers if opener.marker]
    return [*words, *declared.ends, *declared.dropped, *(word for pair in declared.reasoning for word in pair)]


@pytest.mark.parametrize("format", WRITERS)
@settings(max_examples=25, suppress_health_check=[HealthCheck.too_slow])
@given(data=st.data())
def test_random_messages_come_back_however_they_are_cut(format: str, data: st.DataObject) -> None:
    message = data.draw(messages(format))
    whole = WRITERS[format](message)
    tools = schemas(message)
    reading = read(format, [whole], tools=tools, deltas=True, depth=None)
    check_message(reading, message)
    for pieces in (list(whole), cuts(whole, data.draw(st.integers(1, 9)))):
        assert told(read(format, pieces, tools=tools, deltas=True, depth=None)) == told(reading)


_SCRAPS = [
    *'{}[]":,()=\n\\ <|',
    "name",
    '"name": "f"',
    "arguments",
    '"arguments": {',
    "f(a=1)",
    "call:f{a:1}",
    "f>",
    "'",
]
_SCRAPS += [
    '{"name": "f", "arguments": {"a": "x"}}',
    ' name="f">',
    "json",
    "\\u00e9",
    "to=functions.f",
    "true",
    "🎉",
    "1",
]


@pytest.mark.parametrize("format", FORMATS)
@settings(max_examples=30, suppress_health_check=[HealthCheck.too_slow])
@given(data=st.data(), on_error=st.sampled_from(["raise", "event"]))
def test_any_text_is_read_the_same_however_it_is_cut(format: str, data: st.DataObject, on_error: str) -> None:
    whole = "".join(data.draw(st.lists(scraps(format), max_size=14)))
    reading = everywhere(format, whole, on_error=on_error, deltas=True)
    if reading.error is None:
        assert reading.of(MessageEnd)
    for call in reading.calls:
        assert call.complete or call.state == "void"


def scraps(format: str) -> st.SearchStrategy[str]:
    """Markers of the format, and what may stand between them."""
    return st.sampled_from([*_SCRAPS, *_markers(format) * 3, *_inner_markers(format) * 2])


def _inner_markers(format: str) -> list[str]:
    words: list[str] = []
    for opener in FORMATS[format].openers:
        for name, value in vars(opener.body).items():
            if name not in ("header", "name", "key"):
                words += value if isinstance(value, tuple) else [value] if isinstance(value, str) else []
    return [word for word in words if word]


@pytest.mark.parametrize("format", WRITERS)
def test_the_first_marker_tells_what_a_model_has_written(format: str) -> None:
    message = message_for(format)
    check_message(everywhere("text", WRITERS[format](message), tools=schemas(message)), message)


# ---------------------------------------------------------------------- detection


class Token:
    def __init__(self, content: str, special: bool) -> None:
        self.content = content
        self.special = special


class Tokenizer:
    """As much of a transformers tokenizer as is looked at."""

    def __init__(self, template: Any, tokens: dict[str, bool] | None = None, prompt: str = "", name: str = "") -> None:
        self.chat_template = template
        self.added_tokens_decoder = {at: Token(*token) for at, token in enumerate((tokens or {}).items())}
        self.name_or_path = name
        self.response_template: Any = None
        self._prompt = prompt

    def apply_chat_template(self, messages: Any, **options: Any) -> str:
        return self._prompt


@pytest.mark.parametrize("format", [name for name in WRITERS if name not in (*START_ONLY, "functools", "glm47")])
def test_a_template_that_shows_the_markers_tells_the_format(format: str) -> None:
    template = "{% for message in messages %}" + WRITERS[format](message_for(format)) + "{% endfor %}"
    assert text_format(template).name == format
    assert text_format(Tokenizer(template)).name == format


@pytest.mark.parametrize(
    ("calls", "format"),
    [
        ({"open_pattern": r"\s*<tool_call>", "close": "</tool_call>", "content": "json"}, "hermes"),
        (
            {
                "open_pattern": r"\s*<tool_call>\s*<function=(?P<name>[^>\n]+)>",
                "content_args": {"tag_pattern": r"<parameter=(?P<key>[^>\n]+)>(?P<value>.*?)</parameter>"},
            },
            "qwen3_coder",
        ),
        ({"open_pattern": r"<\|tool_call>call:(?P<name>\w+)", "close": "<tool_call|>"}, "gemma4"),
        ({"open": "<|tool_call_start|>", "close": "<|tool_call_end|>", "content": "python-call-list"}, "lfm2"),
    ],
)
def test_a_response_template_tells_the_format_before_the_chat_template(calls: dict[str, Any], format: str) -> None:
    tokenizer = Tokenizer("{% [TOOL_CALLS] %}", {"[TOOL_CALLS]": True})
    assert text_format(tokenizer).name == "mistral_array"
    tokenizer.response_template = {"start_anchor": "<|im_start|>assistant\n", "fields": {"tool_calls": calls}}
    assert text_format(tokenizer).name == format


def test_a_tokenizer_tells_special_tokens_and_reasoning_that_its_prompt_opens() -> None:
    tokens = {"<tool_call>": False, "<think>": True, "<|im_end|>": True}
    tokenizer = Tokenizer({"default": "{{ x }}", "tool_use": "{% <tool_call> %}"}, tokens, "assistant\n<think>\n")
    found = text_format(tokenizer)
    assert (found.name, found.special, found.prefill) == ("hermes", ("<think>",), "<think>\n")
    reading = read(found, ["Hm.</think>Hello."])
    assert (thought(reading), text(reading)) == ("Hm.", "Hello.")
    assert text_format(Tokenizer("{% <tool_call> %}", tokens, "<think>\n\n</think>\n\n")).prefill == ""


def test_a_processor_s_tokenizer_and_a_vocabulary_tell_it_too() -> None:
    class Processor:
        chat_template = "{% no tools %}"
        tokenizer = Tokenizer(None, {"[TOOL_CALLS]": True, "[ARGS]": True})

    assert text_format(Processor()).name == "mistral_args"
    assert text_format(Tokenizer("{{ [TOOL_CALLS] }}", {"[ARGS]": True})).name == "mistral_args"
    assert text_format(Tokenizer("{{ no tools }}", name="Qwen/Qwen3-8B")).name == "hermes"


@pytest.mark.parametrize(
    ("model", "format"),
    [
        ("Qwen/Qwen3-0.6B", "hermes"),
        ("Qwen/Qwen3-Coder-30B-A3B-Instruct", "qwen3_coder"),
        ("meta-llama/Llama-3.1-8B-Instruct", "llama3_json"),
        ("mistralai/Devstral-Small-2507", "mistral_args"),
        ("HuggingFaceTB/SmolVLM2-2.2B-Instruct", "json_list"),
        ("openai/gpt-oss-20b", "harmony"),
        ("LiquidAI/LFM2-1.2B", "lfm2"),
        ("google/functiongemma-270m-it", "functiongemma"),
        ("zai-org/GLM-4.5-Air", "glm45"),
        ("meituan-longcat/LongCat-Flash-Chat", "longcat"),
        ("nvidia/NVIDIA-Nemotron-Nano-9B-v2", "nemotron_nano2"),
        ("nvidia/NVIDIA-Nemotron-3-Nano-30B-A3B", "qwen3_coder"),
    ],
)
def test_a_model_s_name_tells_its_family(model: str, format: str) -> None:
    assert text_format(model).name == format


def test_what_is_ambiguous_or_unknown_is_said_with_the_candidates() -> None:
    with pytest.raises(ValueError, match="llama3_json, pythonic"):
        text_format("meta-llama/Llama-3.2-1B-Instruct")
    with pytest.raises(ValueError, match="hermes"):
        text_format("nobody/knows-this-one")
    with pytest.raises(ValueError, match="hermes"):
        text_format("{% for message in messages %}{{ message }}{% endfor %}")
    with pytest.raises(TypeError, match="not NoneType"):
        text_format(None)


# ---------------------------------------------------------------------- prompt, linear


PROGRAMS = {"python_code": "<code>{}</code>"}
"""What is written by formats that have programs for calls."""


@pytest.mark.parametrize("format", FORMATS)
def test_a_long_string_costs_the_same_for_each_piece(format: str) -> None:
    """200 KB in pieces of four characters, counted in characters that searches and the scanner have looked at."""
    content = ("lorem ipsum < dolor [ sit } amet\n" * 6300)[:200_000].rstrip()
    if format in PROGRAMS:
        whole, found = PROGRAMS[format].format(content), {"code": content}
    else:
        found = {"path": "a.txt", "content": content}
        whole = ALL_WRITERS[format]([Asked("write_file", found)])
    parser = StreamParser(provider=format)
    work = [0]
    for at in range(0, len(whole), 4):
        parser.feed(whole[at : at + 4])
        if at // 4 % 10_000 == 9_999:
            work.append(_work(parser))
    parser.close()
    assert parser.calls[0].arguments == found
    steps = [later - earlier for earlier, later in pairwise(work)]
    assert max(steps) < 1.02 * min(steps) + 400  # what the first pieces cost, the last ones do
    assert _work(parser) < 4.5 * len(whole)


def _work(parser: StreamParser) -> int:
    adapter: Any = parser._adapter
    calls: Any = parser.calls
    return int(adapter._reader.scanned + sum(call._parser._scanned for call in calls if call._parser is not None))


@pytest.mark.parametrize("format", FORMATS)
def test_text_is_held_back_only_while_it_may_become_a_marker(format: str) -> None:
    parser = StreamParser(provider=format)
    longest = max(map(len, _markers(format)))
    said = ""
    for character in "No calls here, " + "plain words. " * 20:
        said += character
        parser.feed(character)
        assert len(said) - len(parser.text) < longest
        if character == ".":
            assert parser.text == said


@pytest.mark.parametrize("format", FORMATS)
def test_a_marker_cut_short_is_text(format: str) -> None:
    for marker in _markers(format):
        cut = marker[:-1]
        if any(cut.startswith(other) for other in _markers(format) if other != marker) or cut in "{[":
            continue
        reading = read(format, ["All good ", *cut])
        assert reading.error is None
        assert text(reading) == "All good " + cut


def test_a_word_that_ends_where_a_piece_begins_holds_nothing_back() -> None:
    parser = StreamParser(provider="gemma4")
    parser.feed("<|tool_call>call:f{path")
    assert [event.value for event in parser.feed(':<|"|>a.txt<|"|>,') if isinstance(event, FieldComplete)] == ["a.txt"]


def test_a_text_parameter_grows_before_its_closing_tag() -> None:
    parser = StreamParser(provider="qwen3_coder", deltas=True)
    parser.feed("<tool_call>\n<function=write>\n<parameter=content>\n")
    assert [event.text for event in parser.feed("Dear Ann,") if isinstance(event, FieldDelta)] == ["Dear Ann,"]
    assert [type(event) for event in parser.feed("\n</parameter>")] == []  # what follows tells whether it is the end
    (final,) = parser.feed("\n</function>")[:1]
    assert isinstance(final, FieldComplete)
    assert (final.path, final.value) == (("content",), "Dear Ann,")


# ---------------------------------------------------------------------- decisions


@pytest.mark.parametrize(
    ("format", "whole"),
    [
        ("hermes", "To call a tool the model writes <tool_call> and then JSON."),
        ("hermes", "<tool_call"),
        ("hermes", "Write `<tool_call>{...}</tool_call>` or <tool_call>[{ … }]</tool_call>."),
        ("qwen3_coder", "the model writes <tool_call> and then a function tag"),
        ("glm45", "the model writes <tool_call> and then a key"),
        ("mistral_args", "[TOOL_CALLS] is a token; see [TOOL_CALLS] in there"),
        ("functools", "functools[0], functools[{1: 2}] and functools.reduce"),
        ("llama3_json", '{"answer": 42, "name": "Ada"}'),
        ("llama3_json", '{"name": "Ada", "parameters": 3}'),
        ("json_list", '[{"name": "Ada"}, {"name": "Bob"}]'),
        ("json_list", '```json\n{"a": 1}\n```'),
        ("pythonic", "[1] see [text](url) and [f(x) for x in y]"),
        ("harmony", "analysisThe user asks.assistantcommentary to=functions.f json{}"),
    ],
)
def test_what_only_looks_like_a_call_is_text(format: str, whole: str) -> None:
    reading = everywhere(format, whole)
    assert reading.error is None
    assert text(reading) == whole
    assert reading.calls == []


def test_a_call_inside_reasoning_is_thought_or_ends_it_by_format() -> None:
    inside = '<think>maybe <tool_call>\n{"name": "f", "arguments": {}}\n</tool_call></think>No.'
    reading = everywhere("hermes", inside)
    assert reading.calls == []
    assert text(reading) == "No."
    reading = everywhere("qwen3_coder", "<think>I need it.\n<tool_call>\n<function=f>\n</function>\n</tool_call>")
    assert thought(reading).strip() == "I need it."
    assert whole_calls(reading) == [("f", {})]


@pytest.mark.parametrize(
    ("format", "opener", "closer", "inside"),
    [
        ("qwen3_coder", "<think>", "</think>", "I could use <tool_call> or <function=x> here."),
        ("kimi_k2", "<think>", "</think>", "the <|tool_calls_section_begin|> token"),
        ("apertus", "<|inner_prefix|>", "<|inner_suffix|>", "the <|tools_prefix|> token"),
        ("react", "Thought:", "Final Answer:", "Action: none\n"),
    ],
)
def test_a_marker_inside_reasoning_that_opens_no_call_does_not_end_it(
    format: str, opener: str, closer: str, inside: str
) -> None:
    reading = everywhere(format, f"{opener}{inside}{closer}Hello.")
    assert (thought(reading), text(reading)) == (inside, "Hello.")


def test_a_lone_closing_mark_of_reasoning_is_dropped_and_after_a_prefill_ends_it() -> None:
    assert text(everywhere("hermes", "a</think>b")) == "ab"
    reading = everywhere("hermes", "a</think>b", prefill="user\n<|im_start|>assistant\n<think>\n")
    assert (thought(reading), text(reading)) == ("a", "b")


@pytest.mark.parametrize("format", ["hermes", "granite3", "text"])
def test_marks_around_an_answer_are_those_behind_reasoning_and_others_are_xml(format: str) -> None:
    xml = "<response>\n<a>1</a>\n</response>"
    for whole, said in (
        (f"<think>Hm.</think>\n<response>It is {xml}.</response> Bye.", f"It is {xml}. Bye."),
        (f"<think>Hm.</think>\nIt is {xml}.", f"It is {xml}."),
        (f"```xml\n{xml}\n```", f"```xml\n{xml}\n```"),
    ):
        assert text(everywhere(format, whole)).strip() == said


@pytest.mark.parametrize("format", ["mistral_args", "text"])
def test_a_turn_s_end_that_is_html_is_one_only_where_no_text_follows(format: str) -> None:
    for whole, said in (("<s>a</s> b", "<s>a</s> b"), ("a</s>\n</s>", "a\n"), ("a</s> \n", "a \n")):
        reading = everywhere(format, whole)
        assert text(reading) == said
        assert reading.parser.stop_reason == ("</s>" if whole != said else None)
    reading = everywhere(format, "<think><s>a</s> b</think>c</s>")
    assert (thought(reading), text(reading), reading.parser.stop_reason) == ("<s>a</s> b", "c", "</s>")


def test_the_echo_of_a_section_is_no_text_and_what_only_begins_like_it_is() -> None:
    section = "[f(a='it\\'s'), g(b=[1])]<|tool_call_end|>"
    for behind, said in (
        (section, ""),
        (f"\n{section}{section} Done.", "Done."),
        ("[f(a='it", "[f(a='it"),
        ("[f(a='it is')] [1]", "[f(a='it is')] [1]"),
        ("Done.", "Done."),
    ):
        reading = everywhere("lfm2", f"Hm. <|tool_call_start|>{section}{behind}")
        assert whole_calls(reading) == [("f", {"a": "it's"}), ("g", {"b": [1]})]
        assert text(reading).replace("Hm. ", "", 1).strip() == said


@pytest.mark.parametrize(
    ("format", "whole", "said"),
    [
        (
            "hermes",
            '<tool_call>{"name": "f", "arguments": {}}</tool_call>\n</tool_call> Hm. </tool_call>',
            "Hm. </tool_call>",
        ),
        ("qwen3_coder", "<tool_call><function=f></function></tool_call></function></tool_call></tool", "</tool"),
        ("glm47", "<tool_call>f</tool_call></tool_call></p>", "</p>"),
        ("gemma4", "<|tool_call>:call:f{}<tool_call|><tool_call|>Hm.<turn|>", "Hm."),
        ("json_list", '```json\n{"name": "f", "arguments": {}}\n```\n```\nHm.\n```', "```\nHm.\n```"),
        ("kimi_k2", "$ENTRYf$ARGS{}$END<|tool_calls_section_end|>$ENDHm.$END", "Hm."),
    ],
)
def test_end_marks_that_come_once_more_are_no_text(format: str, whole: str, said: str) -> None:
    for name, part in SHORT.items():
        whole = whole.replace(f"${name}", part)
    reading = everywhere(format, whole)
    assert whole_calls(reading) == [("f", {})]
    assert text(reading).strip() == said


def test_blank_reasoning_is_none() -> None:
    reading = everywhere("hermes", "<think>\n\n</think>\n\nHello.")
    assert reading.of(ReasoningDelta) == []
    assert text(reading).strip() == "Hello."


def test_white_space_between_calls_is_no_text() -> None:
    call = '<tool_call>\n{"name": "f", "arguments": {}}\n</tool_call>'
    reading = everywhere("hermes", f"{call}\n\n{call}\n")
    assert reading.of(TextDelta) == []
    assert [one.id for one in reading.calls] == ["call_0", "call_1"]


def test_a_bad_call_is_an_error_and_the_others_go_on() -> None:
    bad, good = '{"name": "f", "arguments": {"a": tru}}', '{"name": "g", "arguments": {"a": 1}}'
    whole = f"<tool_call>{bad}</tool_call>Hm.<tool_call>{good}</tool_call>"
    reading = everywhere("hermes", whole, on_error="event")
    assert reading.error is None
    (fault,) = reading.of(ToolCallError)
    assert fault.call.name == "f"
    assert whole_calls(reading) == [("g", {"a": 1})]
    assert text(reading) == "Hm."
    assert isinstance(everywhere("hermes", whole).error, JSONError)


SHORT = {
    "CALL": '<tool_call>{"name": "g"}</tool_call>',
    "SECTION": "<|tool_calls_section_begin|>",
    "ENTRY": "<|tool_call_begin|>",
    "ARGS": "<|tool_call_argument_begin|>",
    "END": "<|tool_call_end|>",
}


@pytest.mark.parametrize(
    ("format", "whole", "good", "said"),
    [
        ("hermes", '<tool_call>{"name": "f", "arguments": {"a": 1</tool_call>Hm.$CALL', "g", "Hm."),
        ("hermes", '<tool_call>{"name": "f", "arguments": {"a": [1}}\n$CALL', "g", ""),
        ("kimi_k2", '$SECTION$ENTRY f:0 $ARGS{"a": 1$END$ENTRY g:1 $ARGS{}$END', "g", ""),
        ("kimi_k2", '$SECTION$ENTRY f:0 $ARGS{"a": $ENTRY g:1 $ARGS{}$END<|tool_calls_section_end|>.', "g", "."),
        ("deepseek_v31", '<｜tool▁call▁begin｜>f<｜tool▁sep｜>{"a": 1\n```<｜tool▁call▁end｜>Hm.', "", "Hm."),
        ("function_tag_json", '<function=f>{"a": 1</function>Hm.<function=g>{}</function>', "g", "Hm."),
        ("mistral_args", '[TOOL_CALLS]f[ARGS]{"a": 1 <[TOOL_CALLS]g[ARGS]{}', "g", ""),
        (
            "minimax_m1",
            '<tool_calls>\n{"name": "f", "arguments": {"a"}}\n{"name": "g", "arguments": {}}\n</tool_calls>',
            "g",
            "",
        ),
        ("llama3_json", '{"name": "f", "parameters": {"a": 1<|eot_id|>', "", ""),
        ("harmony", '<|channel|>commentary to=f<|message|>{"a"<|call|><|channel|>final<|message|>Hm.', "", "Hm."),
        ("gemma4", "<|tool_call>call:f{a:{b:1}<tool_call|>Hm.<|tool_call>call:g{}<tool_call|>", "g", "Hm."),
        ("pythonic", "[f(a=b'x, (', c=[1]), g()] Hm.", "g", " Hm."),
        ("pythonic", "[f('x'), g()]", "g", ""),
        ("pythonic", "[f(a=1]), g()]", "g", ""),
        ("pythonic", "[f(a=[1, x, '\\')'\n], b=2), g()]", "g", ""),
        ("pythonic", "```tool_code\nprint(f(a=x))\ng()\n```", "g", ""),
        ("lfm2", "<|tool_call_start|>[f(a=x, b='<|tool_call_end|>Hm.", "", "Hm."),
        ("olmo3", "<function_calls>\nf(a=x)\ng()\n</function_calls>Hm.", "g", "Hm."),
    ],
)
def test_behind_what_breaks_a_call_s_rules_others_follow_and_text(
    format: str, whole: str, good: str, said: str
) -> None:
    for name, part in SHORT.items():
        whole = whole.replace(f"${name}", part)
    reading = everywhere(format, whole, on_error="event")
    assert [event.call.name for event in reading.of(ToolCallError)] == ["f"]
    assert [name for name, _ in whole_calls(reading)] == good.split()
    assert text(reading) == said
    assert reading.error is None
    assert isinstance(everywhere(format, whole).error, JSONError)


@pytest.mark.parametrize(
    ("format", "whole"),
    [("llama3_json", '{"name": "f", "parameters": {a}'), ("mistral_args", "[TOOL_CALLS]f{a"), ("pythonic", "[f(a b")],
)
def test_a_text_that_ends_in_a_bad_call_has_no_second_fault(format: str, whole: str) -> None:
    reading = everywhere(format, whole, on_error="event")
    assert len(reading.of(ToolCallError)) == 1
    assert reading.error is None
    assert not reading.of(MessageEnd)[0].safe


TIME = '{"name": "get_time", "arguments": {}}'
SECTION, ENTRY, SEP, ENTRY_END = (f"<｜tool▁{words}｜>" for words in ("calls▁begin", "call▁begin", "sep", "call▁end"))
DSML = "<｜DSML｜tool_calls>"
KIMI = "<|tool_call_begin|>functions.get_time:0<|tool_call_argument_begin|>{}<|tool_call_end|>"


@pytest.mark.parametrize(
    ("format", "whole", "calls", "said"),
    [
        # in a list, or without one, where the others are written the other way
        ("lfm2", f"<|tool_call_start|>[{TIME}]<|tool_call_end|>", [("get_time", {})], ""),
        ("lfm2", "<|tool_call_start|>f(x=1)<|tool_call_end|>", [("f", {"x": 1})], ""),
        ("lfm2", "<|tool_call_start|>[x] is", [], "<|tool_call_start|>[x] is"),
        ("olmo3", "<function_calls>[f(x=1), g()]</function_calls>", [("f", {"x": 1}), ("g", {})], ""),
        ("pythonic", "<|python_start|>f(x=1)<|python_end|>", [("f", {"x": 1})], ""),
        ("pythonic", "```tool_code\n[f(x=1), g()]\n```", [("f", {"x": 1}), ("g", {})], ""),
        ("llama3_json", f"<|python_tag|>[{TIME}, {TIME}]<|eom_id|>", [("get_time", {})] * 2, ""),
        ("llama3_json", f"[{TIME}, {TIME}]", [("get_time", {})] * 2, ""),
        ("apertus", '<|tools_prefix|>{"f": {"x": 1}}<|tools_suffix|>', [("f", {"x": 1})], ""),
        ("minimax_m1", "Hm. <tool_calls>[]</tool_calls>", [], "Hm."),
        ("hermes", "<tool_call>[1] is no call", [], "<tool_call>[1] is no call"),
        ("json_list", f"Hm.<tool_call>[{TIME}]</tool_call>", [("get_time", {})], "Hm."),
        ("json_list", f"Hm.[TOOL_CALLS][{TIME}]", [("get_time", {})], "Hm."),
        ("cohere_cmd", f"Action:\n```json\n[{TIME}]\n```", [("get_time", {})], ""),
        # a mark of the section or of the call is missing, or another one stands there
        ("deepseek_v3", f"{ENTRY}function{SEP}f\n```json\n{{}}\n```{ENTRY_END}Hm.", [("f", {})], "Hm."),
        ("deepseek_v31", f"{ENTRY}f{SEP}{{}}{ENTRY_END}\n{ENTRY}g{SEP}{{}}{ENTRY_END}", [("f", {}), ("g", {})], ""),
        ("deepseek_v3", f"{SECTION}{ENTRY}f{SEP}{{}}{ENTRY_END}", [("f", {})], ""),
        ("deepseek_v31", f"{SECTION}{ENTRY}function{SEP}f\n```json\n{{}}\n```{ENTRY_END}", [("f", {})], ""),
        ("deepseek_v31", f"{SECTION}{ENTRY}f{SEP}```json\n{{}}\n```{ENTRY_END}", [("f", {})], ""),
        ("deepseek_v3", f"<｜tool_calls_begin｜>{ENTRY}function{SEP}f\n{{}}{ENTRY_END}", [("f", {})], ""),
        ("deepseek_v3", f"The token {SECTION} opens a section.", [], f"The token {SECTION} opens a section."),
        ("deepseek_v3", f"A {ENTRY} alone is text.", [], f"A {ENTRY} alone is text."),
        ("kimi_k2", "A <|tool_call_begin|> alone is text.", [], "A <|tool_call_begin|> alone is text."),
        ("olmo3", "in <function_calls> tags.", [], "in <function_calls> tags."),
        ("lfm2", "the token <|tool_call_start|>.", [], "the token <|tool_call_start|>."),
        ("kimi_k2", f"A{KIMI}B", [("get_time", {})], "AB"),
        ("kimi_k2", f"<|tool_call_section_begin|>{KIMI}<|tool_call_section_end|>B", [("get_time", {})], "B"),
        ("kimi_k2", f"<|tool_calls_section_begin|> hm {KIMI}<|tool_calls_section_end|>", [("get_time", {})], ""),
        ("kimi_k2", "<|tool_calls_section_begin|><|tool_calls_section_end|>Hi", [], "Hi"),
        ("deepseek_v32", f"{DSML}\n<｜DSML｜invoke name='f'></｜DSML｜invoke>", [("f", {})], ""),
        ("deepseek_v4", '<｜DSML｜invoke name="f"></｜DSML｜invoke>', [("f", {})], ""),
        ("deepseek_v4", f"{DSML} opens calls", [], f"{DSML} opens calls"),
        ("granite3", f"<tool_call>[{TIME}]</tool_call>Hm.", [("get_time", {})], "Hm."),
        ("glm45", "<tool_call>get_time<|observation|>3 pm", [("get_time", {})], ""),
        ("glm47", "<tool_call>f<arg_key>a</arg_key><arg_value>x</arg_value><|user|>", [("f", {"a": "x"})], ""),
        ("glm45", "the tag <tool_call>.", [], "the tag <tool_call>."),
        ("qwen3_coder", "<tool_call><function=f><parameter=a>x</parameter></tool_call>", [("f", {"a": "x"})], ""),
        ("qwen3_coder", "Write `<function=f>` there.", [], "Write `<function=f>` there."),
        ("mistral_args", '[TOOL_CALLS]f[CALL_ID]a-1[ARGS]{"x": 1}', [("f", {"x": 1})], ""),
        ("react", 'Action: f\nAction Input: ```json\n{"x": 1}\n```', [("f", {"x": 1})], ""),
        ("react", "Action: f\nAction Input: rain", [], "Action: f\nAction Input: rain"),
        # a program, and not
        ("function_tag_json", ">>>python\nprint(1)<|eot_id|>", [("python", {"code": "print(1)"})], ""),
        ("function_tag_json", '>>>python\n{"x": 1}', [("python", {"x": 1})], ""),
        ("function_tag_json", ">>>python3\nIt is.", [], ">>>python3\nIt is."),
        # brackets, commas, quotes and white space
        ("hermes", f"<tool_call>{TIME}}}\n</tool_call>Hm.", [("get_time", {})], "Hm."),
        ("hermes", f"<tool_call>{TIME}, {TIME}</tool_call>", [("get_time", {})] * 2, ""),
        ("hermes", f"<tool_call>{TIME}, or so", [("get_time", {})], ", or so"),
        ("gemma4", "<|tool_call> call:f {a: 1} <tool_call|>", [("f", {"a": 1})], ""),
        ("json_list", f"```\n[{TIME}]\n```", [("get_time", {})], ""),
        ("pythonic", "[f(x=\"\"\"a\n'b\" \"\"\", y='', z='''''')]", [("f", {"x": "a\n'b\" ", "y": "", "z": ""})], ""),
        ("hermes", f"<tool_call>[{TIME}\n</tool_call>Hm.", [("get_time", {})], "Hm."),
        ("lfm2", "<|tool_call_start|>[f(x=1), g()<|tool_call_end|>Hm.", [("f", {"x": 1}), ("g", {})], "Hm."),
        ("pythonic", "[f(x=1)]<|python_end|>", [("f", {"x": 1})], ""),
        ("deepseek_v31", f"{SECTION}f{SEP}{{}}<｜tool▁calls▁end｜>", [], f"{SECTION}f{SEP}{{}}<｜tool▁calls▁end｜>"),
        ("gemma4", '<|tool_call>call:f{a:<|"|>x<|"|>b:[1]c:2}<tool_call|>', [("f", {"a": "x", "b": [1], "c": 2})], ""),
        # marks around the answer
        ("gemma4", "<|tool_call>call:f{a:None,b:[True]}<tool_call|>", [("f", {"a": None, "b": [True]})], ""),
        (
            "gemma4",
            '<|tool_call>call:f{a:[x y<|"|>, 1<|"|>],b<|"|>:<|"|>c<|"|>}<tool_call|>',
            [("f", {"a": ["x y", "1"], "b": "c"})],
            "",
        ),
        ("deepseek_v4", '<｜DSML｜invoke name="f" /><｜DSML｜invoke name="g"/>', [("f", {}), ("g", {})], ""),
        (
            "deepseek_v4",
            '<｜DSML｜tool_calls><｜DSML｜invoke name="f">\n{"a": {}} </｜DSML｜invoke></｜DSML｜tool_calls>.',
            [("f", {"a": {}})],
            ".",
        ),
        (
            "minimax_m2",
            '<minimax:tool_call><invoke name="f">{}</invoke><invoke name="g">{"a": 1}',
            [("f", {}), ("g", {"a": 1})],
            "",
        ),
        (
            "qwen3_coder",
            '<tool_call><function=f>{"a": "</function>"}</function></tool_call>.',
            [("f", {"a": "</function>"})],
            ".",
        ),
        ("gemma4", "<|channel>thought<channel|>Hm.<|channel>thought\n<channel|><channel|>", [], "Hm."),
        ("kimi_k3", "<|open|>response<|sep|>Hm.<|close|>response<|sep|><|close|>message<|sep|>", [], "Hm."),
        ("cohere_cmd", "<|CHATBOT_TOKEN|><|START_TEXT|>Hm.<|END_TEXT|><|END_OF_TURN_TOKEN|>", [], "Hm."),
        ("hunyuan_a13b", "</think>\n<answer>\nHm.\n</answer><|eos|>", [], "Hm."),
        ("mistral_args", "<s>Hm</s>.</s>", [], "<s>Hm</s>."),
        ("hermes", f"<tool_call>{TIME}</tool_call><|end_of_text|>", [("get_time", {})], ""),
        ("glm45", "<tool_call>f</tool_call><|role_end|>", [("f", {})], ""),
        # what others would say next
        ("functiongemma", "Hm.<start_function_response>response:f{}<end_function_response>", [], "Hm."),
        ("gemma4", "<|tool_call>call:f{}<tool_call|><|tool_response>response:f{}", [("f", {})], ""),
        ("react", 'Action: f\nAction Input: {"x": 1}\nObservation: 3\nFinal Answer: 4', [("f", {"x": 1})], ""),
    ],
)
def test_calls_that_are_not_written_quite_as_the_template_has_them(
    format: str, whole: str, calls: list[tuple[str, Any]], said: str
) -> None:
    reading = everywhere(format, whole)
    assert reading.error is None
    assert whole_calls(reading) == calls
    assert text(reading).strip() == said


@pytest.mark.parametrize(
    ("whole", "calls", "said"),
    [
        (" to=functions.f<|channel|>commentary json<|message|>{}<|call|>", [("f", {})], ""),
        ("to be or not to=be", [], "to be or not to=be"),
        ("to=functions.f is text", [], "to=functions.f is text"),
        ('<|channel|>commentary to=functions.f <|constrain|>json{"x": 1}<|call|>', [("f", {"x": 1})], ""),
        ("<|channel|>commentary to=functions.f json<|message|><|call|>", [("f", {})], ""),
        ("<|channel|>commentary to=functions.f json<|call|>", [("f", {})], ""),
        ("<|channel|>analysis<|end|><|start|>assistant<|channel|>final<|message|>Hi {x}", [], "Hi {x}"),
        ("<|start|>functions.f to=assistant<|channel|>commentary<|message|>{}<|end|>", [], ""),
        ("Hello.<|return|>", [], "Hello."),
    ],
)
def test_headers_of_harmony_may_have_gaps(whole: str, calls: list[tuple[str, Any]], said: str) -> None:
    reading = everywhere("harmony", whole)
    assert reading.error is None
    assert whole_calls(reading) == calls
    assert text(reading).strip() == said
    assert thought(reading) == ""


def test_a_header_of_harmony_that_is_begun_again_is_the_later_one() -> None:
    begun = "<|channel|>commentary to=assistant"
    whole = f"{begun}<|channel|>analysis<|message|>Hm.<|end|><|start|>assistant{begun}<|channel|>final<|message|>Hi."
    reading = everywhere("harmony", whole)
    assert (thought(reading), text(reading), reading.calls) == ("Hm.", "Hi.", [])


def test_a_program_of_harmony_may_end_with_the_text_but_not_with_a_limit() -> None:
    whole = "<|start|>assistant to=container.exec<|channel|>commentary<|message|>ls"
    assert whole_calls(everywhere("harmony", whole)) == [("container.exec", {"code": "ls"})]
    stream = parse([{"choices": [{"text": whole, "finish_reason": None}]}, LENGTHS["completions"]], provider="harmony")
    list(stream)
    assert [call.state for call in stream.calls] == ["void"]


def test_reasoning_of_kimi_k3_and_of_gemma_4_without_a_channel_s_name() -> None:
    reading = everywhere("kimi_k3", "Hm.<|close|>think<|sep|>Hi.", prefill="<|open|>think<|sep|>")
    assert (thought(reading), text(reading)) == ("Hm.", "Hi.")
    reading = everywhere("gemma4", "<|channel>Hm.<channel|>Hi.")
    assert (thought(reading), text(reading)) == ("Hm.", "Hi.")


@pytest.mark.parametrize("mark", ["<|call|>", "<|return|>"])
def test_the_mark_that_ends_a_turn_of_harmony_is_the_stop_reason(mark: str) -> None:
    reading = everywhere("harmony", f"<|channel|>commentary to=functions.f json<|message|>{{}}{mark}")
    assert reading.parser.stop_reason == mark


@pytest.mark.parametrize("said", ["y", "<parameter=a> y", "<parameter=b"])
def test_a_value_without_its_end_tag_ends_where_a_missing_parameter_begins(said: str) -> None:
    tools = [{"name": "f", "parameters": {"properties": {"a": {"type": "string"}, "b": {"type": "integer"}}}}]
    value = f"x <parameter=c> {said}"
    whole = f"<tool_call>\n<function=f>\n<parameter=a>\n{value}\n<parameter=b>\n3\n</parameter>\n</function>"
    assert whole_calls(everywhere("qwen3_coder", whole, tools=tools, deltas=True)) == [("f", {"a": value, "b": 3})]
    assert whole_calls(everywhere("qwen3_coder", whole))[0][1].keys() == {"a"}


@pytest.mark.parametrize("end", ["", "</tool_call>", "\n</tool_call>\n", "</tool_call><|im_end|>\n"])
def test_a_value_without_its_end_tag_ends_with_its_function_where_nothing_else_follows(end: str) -> None:
    call = "<tool_call>\n<function=f>\n<parameter=a>\nx\n</function>\n"
    unclosed = call.replace("\n</function>\n", "")
    for whole, count in (
        (call + end, 1),
        (f"{call}</tool_call>\n{call}{end}", 2),
        (unclosed + (end or "</tool_call>"), 1),
    ):
        assert whole_calls(everywhere("qwen3_coder", whole)) == [("f", {"a": "x"})] * count
    seed = (call + end).replace("tool_call>", "seed:tool_call>").replace("<|im_end|>", "<seed:eos>")
    assert whole_calls(everywhere("seed_oss", seed)) == [("f", {"a": "\nx\n"})]


@pytest.mark.parametrize(
    "held",
    [
        "</function>",
        "</function>\n</tool_call>",
        "</function></tool_call>\n\nThen.",
        "</function> <function=x>",
        "</tool_call>",
        "</tool_call> <tool_call>\n<function=x>",
        "</function",
    ],
)
def test_a_value_may_hold_a_function_s_end(held: str) -> None:
    whole = f"<tool_call>\n<function=f>\n<parameter=a>\n{held}\n</parameter>\n</function>\n</tool_call>"
    assert whole_calls(everywhere("qwen3_coder", whole)) == [("f", {"a": held})]


def test_functiongemma_s_strings_are_what_the_schema_wants() -> None:
    types = {"n": "integer", "on": "boolean", "s": "string", "l": "array"}
    tools = [{"name": "f", "parameters": {"properties": {key: {"type": kind} for key, kind in types.items()}}}]
    written = (
        '{n:<escape>3<escape>,<escape>on<escape>:<escape>true<escape>,s:<escape>3<escape>,l:<escape>["n"]<escape>}'
    )
    whole = f"<start_function_call>call:f{written}<end_function_call>"
    meant = {"n": 3, "on": True, "s": "3", "l": ["n"]}
    assert whole_calls(everywhere("functiongemma", whole, tools=tools, deltas=True)) == [("f", meant)]
    assert whole_calls(everywhere("functiongemma", whole)) == [("f", {"n": "3", "on": "true", "s": "3", "l": '["n"]'})]
    long = whole.replace('["n"]', "[" + '"n", ' * 40 + '"n"]') + "Hm."
    limited = everywhere("functiongemma", long, tools=tools, limits=Limits(max_call_bytes=60))
    assert isinstance(limited.error, LimitError)
    limited = everywhere("functiongemma", long, tools=tools, limits=Limits(max_call_bytes=60), on_error="event")
    assert [type(event.error) for event in limited.of(ToolCallError)] == [LimitError]
    assert text(limited) == "Hm."


def test_an_object_without_arguments_is_a_call_of_a_tool_that_is_known() -> None:
    tools = [{"name": "get_time", "parameters": {"properties": {}}}]
    assert whole_calls(everywhere("json_list", '[{"name": "get_time"}]', tools=tools)) == [("get_time", {})]
    assert whole_calls(everywhere("llama3_json", '{"type": "function", "name": "get_time"}', tools=tools))
    for whole in ('[{"name": "Ada"}]', '{"name": "get_time", "at": 3}', '{"type": "function", "name": 3}'):
        assert text(everywhere("json_list", whole, tools=tools)) == whole


@pytest.mark.parametrize("header", ["<|start_header_id|>assistant<|end_header_id|>\n\n", "{x}: [1]<|eot_id|>\n"])
@pytest.mark.parametrize(
    ("format", "whole", "begun"),
    [("llama3_json", TIME, 0), ("llama3_json", TIME, 1), ("llama3_json", TIME, 12), ("pythonic", "[get_time()]", 1)],
)
def test_a_prompt_s_end_may_have_begun_the_call_behind_its_header(
    format: str, whole: str, begun: int, header: str
) -> None:
    reading = everywhere(format, whole[begun:], prefill=header + whole[:begun])
    assert whole_calls(reading) == [("get_time", {})]


def test_of_a_prompt_only_the_last_turn_counts() -> None:
    prompt = "Answer in <tool_call>{x}</tool_call>.<|im_end|>\n<|im_start|>assistant\n<think>\n"
    for format, end in (("hermes", prompt), ("glm45", "<think>\n</think>x<|user|>\nHello<|assistant|>\n<think>")):
        reading = everywhere(format, "Hm.</think>Hi", prefill=end)
        assert (thought(reading), text(reading)) == ("Hm.", "Hi")


def test_members_of_an_object_may_come_in_any_order_and_under_other_names() -> None:
    whole = '<tool_call>{"args": {"name": "x"}, "more": [1, {"name": "no"}], "name": "f"}</tool_call>'
    assert whole_calls(everywhere("hermes", whole)) == [("f", {"name": "x"})]
    wrapped = '[{"type": "function", "function": {"name": "f", "arguments": "{\\"a\\": 1}"}}]'
    assert whole_calls(everywhere("json_list", wrapped)) == [("f", {"a": 1})]


@pytest.mark.parametrize("name", ['""', "null", "3"])
def test_a_call_without_a_name_is_a_bad_call(name: str) -> None:
    bad = f'<tool_call>{{"name": {name}, "arguments": {{}}}}</tool_call>'
    early = f'<tool_call>{{"arguments": {{}}, "name": {name}}}</tool_call>'
    reading = everywhere("hermes", bad + early + f"<tool_call>{TIME}</tool_call>", on_error="event")
    assert [str(event.error) for event in reading.of(ToolCallError)] == ["found '}', expected a call's name"] * 2
    assert whole_calls(reading) == [("get_time", {})]


@pytest.mark.parametrize("arguments", ["{}", "null", '""', None])
def test_no_arguments_are_none(arguments: str | None) -> None:
    member = "" if arguments is None else f', "arguments": {arguments}'
    assert whole_calls(everywhere("hermes", f'<tool_call>{{"name": "f"{member}}}</tool_call>')) == [("f", {})]


def test_control_characters_in_strings_are_taken_as_they_are() -> None:
    whole = '<tool_call>{"name": "f", "arguments": {"a": "x\ny\tz"}}</tool_call>'
    assert whole_calls(everywhere("hermes", whole)) == [("f", {"a": "x\ny\tz"})]


def test_a_missing_last_brace_of_the_object_ends_with_its_section() -> None:
    whole = '<tool_call>\n{"name": "f", "arguments": {"a": 1}\n</tool_call>'
    assert whole_calls(everywhere("hermes", whole)) == [("f", {"a": 1})]


@pytest.mark.parametrize(
    ("literal", "value"),
    [
        ("'it\\'s'", "it's"),
        ('"\\x41\\u00e9\\U0001F600\\101\\q\\/"', "Aé😀A\\q/"),
        ("'a\nb'", "a\nb"),
        ("'\\ud83d\\ude00'", "😀"),
        ("-1", -1),
        ("+1_000", 1000),
        ("007", 7),
        (".5", 0.5),
        ("5.", 5.0),
        ("1e3", 1000.0),
        ("[True, None, (1, 2), {'a': false,},]", [True, None, [1, 2], {"a": False}]),
        ("()", []),
        ("{}", {}),
        ("{'a', 1, None}", ["a", 1, None]),
        ("{('a', 2), 'b',}", [["a", 2], "b"]),
        ("[{1: 2, None : {}, 'c': {'d'}}]", [{"1": 2, "null": {}, "c": ["d"]}]),
        ("'a' \"b\"\n'c'", "abc"),
    ],
)
def test_a_python_literal_is_the_value_that_it_says(literal: str, value: Any) -> None:
    reading = everywhere("pythonic", f"[f(a={literal}, b=1)]")
    assert whole_calls(reading) == [("f", {"a": value, "b": 1})]
    assert type(reading.calls[0].arguments["a"]) is type(value)


@pytest.mark.parametrize(
    "literal", ["x", "1 + 2", "g()", "(1)", "[1 2]", "'a' + 'b'", "'a'.upper()", "0x1F", "f'a'", "[,]", "{,}", "{1, x}"]
)
def test_what_is_no_literal_is_a_fault_and_never_evaluated(literal: str) -> None:
    reading = everywhere("pythonic", f"[f(a={literal})]")
    assert isinstance(reading.error, JSONError)
    assert whole_calls(reading) == []


@pytest.mark.parametrize(
    ("literal", "value"),
    [
        ("'it's late, isn't it?'", "it's late, isn't it?"),
        ("'sed -n '3,5p' /x.py'", "sed -n '3,5p' /x.py"),
        ("'He said 'hi', and (to 'me') left.'", "He said 'hi', and (to 'me') left."),
        ("'python3 -c \"print(g(x, y='\\\\,'))\"'", "python3 -c \"print(g(x, y='\\,'))\""),
        ("'a 'b'. c'", "a 'b'. c"),
        ("['it's', {'it's': 'it's'}]", ["it's", {"it's": "it's"}]),
    ],
)
@pytest.mark.parametrize("behind", [", b=1)", ")", " , b = 1 )", ", )"])
def test_a_quote_behind_which_a_string_cannot_end_is_part_of_it(literal: str, value: Any, behind: str) -> None:
    calls = whole_calls(everywhere("pythonic", f"[f(a={literal}{behind}, g()]", deltas=True))
    assert [(name, arguments.get("a")) for name, arguments in calls] == [("f", value), ("g", None)]
    for end in ("</function_calls>", "\n</function_calls>"):
        reading = everywhere("olmo3", f"<function_calls>f(a={literal}{behind}{end}")
        assert [arguments["a"] for _, arguments in whole_calls(reading)] == [value]


def test_a_text_that_ends_behind_a_quote_ends_a_string_there_unless_a_limit_has_cut_it() -> None:
    for literal, value in (("'x'", "x"), ("'it's'", "it's")):
        reading = everywhere("pythonic", f"[f(a={literal}", on_error="event")
        assert [event.value for event in reading.of(FieldComplete)] == [value]
    parser = StreamParser(provider="pythonic")
    parser.feed_event({"choices": [{"text": "[f(a='it'", "finish_reason": None}]})
    events = parser.feed_event(LENGTHS["completions"]) + parser.close()
    assert not [event for event in events if isinstance(event, FieldComplete)]


@pytest.mark.parametrize(
    ("value", "schema", "meant"),
    [
        ("42", {"type": "string"}, "42"),
        ("null", {"type": "string"}, "null"),
        ("42", {"type": "integer"}, 42),
        ("3.0", {"type": "integer"}, 3),
        ("3.5", {"type": "integer"}, "3.5"),
        ("3", {"type": "number"}, 3),
        ("True", {"type": "boolean"}, True),
        ("yes", {"type": "boolean"}, "yes"),
        ("null", {"type": ["string", "null"]}, None),
        ("none", {"type": ["string", "null"]}, "none"),
        ("None", {"type": ["string", "null"]}, None),
        ("5", {"anyOf": [{"type": "integer"}, {"type": "null"}]}, 5),
        ("5", {"anyOf": [{"type": "string"}, {"type": "integer"}]}, 5),
        ('{"a": 5}', {"anyOf": [{}, {"type": "null"}]}, {"a": 5}),
        ("five", {"oneOf": [{"type": "null"}, {"description": "anything"}]}, "five"),
        ("5", {"type": "string", "anyOf": [{"minLength": 1}, {"pattern": "^x"}]}, "5"),
        ("5", {"allOf": [{"type": "integer"}, {"minimum": 1}]}, 5),
        ('"5"', {"anyOf": [{"type": "string"}, {"type": "integer"}]}, '"5"'),
        ("{'a': [1]}", {"type": "object"}, {"a": [1]}),
        ('{"a": NaN}', {"type": "object"}, '{"a": NaN}'),
        ("[1, 2", {"type": "array"}, "[1, 2"),
        ("7", {}, 7),
        ("1" * 5000, {"type": "string"}, "1" * 5000),
        ("123456789012345678901234567890", {"type": "integer"}, 123456789012345678901234567890),
        ('{"a": 1e2}', {"type": "object"}, {"a": 100.0}),
        ("seven", {}, "seven"),
        ("2", {"enum": [1, 2]}, 2),
        ("2", {"enum": ["1", "2"]}, "2"),
    ],
)
def test_a_text_value_means_what_its_schema_says(value: str, schema: Any, meant: Any) -> None:
    got = json.loads(coerced(value, schema))
    assert got == meant
    assert type(got) is type(meant)
    whole = f"<tool_call>f<arg_key>a</arg_key><arg_value>{value}</arg_value></tool_call>"
    tools = [{"name": "f", "input_schema": {"type": "object", "properties": {"a": schema}}}]
    assert whole_calls(everywhere("glm47", whole, tools=tools)) == [("f", {"a": meant})]


def test_schemas_are_found_in_each_providers_shape() -> None:
    schema = {"type": "object", "properties": {"a": {"$ref": "#/$defs/A"}}, "$defs": {"A": {"type": "integer"}}}
    shapes: list[Any] = [
        [{"type": "function", "function": {"name": "f", "parameters": schema}}],
        [{"type": "function", "name": "f", "parameters": schema}],
        [{"name": "f", "input_schema": schema}],
        [{"function_declarations": [{"name": "f", "parameters": schema}]}],
    ]
    for tools in shapes:
        assert schema_of(toolset(tools), "f", "a")["type"] == "integer"
        assert schema_of(toolset(tools), "f", "b") is None
        assert schema_of(toolset(tools), "g", "a") is None


def test_functions_and_models_are_schemas_too() -> None:
    def f(word: str, count: int, tags: list[str]) -> None: ...

    whole = "".join(
        f"<arg_key>{key}</arg_key><arg_value>{value}</arg_value>"
        for key, value in (("word", "12"), ("count", "12"), ("tags", '["a"]'))
    )
    reading = everywhere("glm47", f"<tool_call>f{whole}</tool_call>", tools=[f])
    assert whole_calls(reading) == [("f", {"word": "12", "count": 12, "tags": ["a"]})]
    assert reading.calls[0].parsed is not None


def test_what_follows_the_calls_of_a_format_without_a_marker_is_text() -> None:
    call = '{"name": "f", "parameters": {}}'
    for whole, said in ((f"{call} ; {call}", ""), (f"{call};  and so on", ";  and so on"), (f"{call};", ";")):
        reading = everywhere("llama3_json", whole)
        assert text(reading).strip() == said
        assert [one.name for one in reading.calls] == ["f"] * whole.count("name")
    assert text(everywhere("pythonic", "[f()] [g()]")).strip() == "[g()]"


@pytest.mark.parametrize("format", ["llama3_json", "json_list", "text"])
def test_objects_without_a_marker_may_follow_each_other(format: str) -> None:
    call = '{"name": "f", "parameters": {}}'
    for whole, said in (
        (f"{call}\n{call}", ""),
        (f'{call}\n{{"result": 3}}\n{call}', f'{{"result": 3}}\n{call}'),
        (f"{call} Hm. {call}", f"Hm. {call}"),
        (f"{call}\n[1]", "[1]"),
    ):
        reading = everywhere(format, whole)
        assert reading.error is None
        assert text(reading).strip() == said
        assert [one.name for one in reading.calls] == ["f"] * (whole.count("name") - said.count("name"))
    assert text(everywhere("text", f"<tool_call>{call}</tool_call>{call}")) == call
    assert text(everywhere("text", f"{call}[g()]")) == "[g()]"


# ---------------------------------------------------------------------- as a provider

CALL = '<tool_call>\n{"name": "f", "arguments": {"a": "x"}}\n</tool_call>'


def test_parse_reads_an_iterable_of_text_or_of_its_bytes() -> None:
    for pieces in (list(CALL), [CALL], [CALL.encode()[:7], CALL.encode()[7:]], ["data: no\n", "event: SSE\n", CALL]):
        stream = parse(iter(pieces), provider="hermes")
        events = list(stream)
        assert [type(event) for event in events if isinstance(event, (ToolCallStart, ToolCallEnd))]
        assert stream.calls[0].arguments == {"a": "x"}


def test_parse_reads_an_async_iterable_of_text() -> None:
    async def source() -> AsyncIterator[str]:
        for character in CALL:
            yield character

    async def read_all() -> Any:
        stream = parse(source(), provider="hermes")
        events = [event async for event in stream]
        return stream, events

    stream, events = asyncio.run(read_all())
    assert stream.calls[0].arguments == {"a": "x"}
    assert isinstance(events[-1], MessageEnd)


def test_parse_reads_objects_that_hold_text() -> None:
    class Response:  # as mlx_lm.stream_generate yields
        def __init__(self, text: str) -> None:
            self.text = text

    makers: list[Any] = [
        Response,
        lambda text: {"choices": [{"text": text, "index": 0}]},
        lambda text: {"response": text, "done": text == CALL[-1]},
        lambda text: {"token": {"id": 1, "text": text}},
        lambda text: {"content": text},
        lambda text: {"choices": [{"delta": {"content": text}}]},
    ]
    for make in makers:
        stream = parse([make(character) for character in CALL], provider="hermes")
        list(stream)
        assert stream.calls[0].arguments == {"a": "x"}
    with pytest.raises(TypeError, match="holds no text"):
        list(parse([{"no": "text"}], provider="hermes"))


def test_a_completions_stream_may_hold_the_text() -> None:
    frames = "".join(f"data: {json.dumps({'choices': [{'text': piece}]})}\n\n" for piece in cuts(CALL, 5))
    stream = parse([frames.encode() + b"data: [DONE]\n\n"], provider="hermes", framing="sse")
    list(stream)
    assert stream.calls[0].arguments == {"a": "x"}


class Response:
    """As much of an HTTP response as is looked at."""

    def __init__(self, kind: str, body: list[bytes]) -> None:
        self.headers = {"content-type": kind}
        self._body = body

    def iter_bytes(self) -> Iterator[bytes]:
        return iter(self._body)


@pytest.mark.parametrize(
    "piece", [{"choices": [{"text": "?"}]}, {"token": {"text": "?"}}, {"response": "?"}, {"content": "?"}]
)
def test_a_response_s_content_type_tells_whether_its_bytes_are_the_text_or_hold_it(piece: dict[str, Any]) -> None:
    events = [json.dumps(piece).replace('"?"', json.dumps(part)).encode() for part in cuts(CALL, 5)]
    sse = [b"data: " + event + b"\n\n" for event in events]
    for kind, body in (
        ("text/event-stream; charset=utf-8", [*sse, b"data: [DONE]\n\n"]),
        ("application/x-ndjson", [event + b"\n" for event in events]),
        ("application/json", [b"".join(event for event in events)]),
        ("text/plain", [CALL.encode()]),
        ("", [CALL.encode()]),
    ):
        stream = parse(Response(kind, body), provider="hermes")
        list(stream)
        assert [call.arguments for call in stream.calls] == [{"a": "x"}]
    taken_as_text = parse(Response("text/event-stream", [CALL.encode()]), provider="hermes", framing="text")
    assert [event.call.name for event in taken_as_text if isinstance(event, ToolCallEnd)] == ["f"]


def test_sse_events_may_hold_the_text() -> None:
    frames = "".join(f"data: {json.dumps({'choices': [{'text': piece}]})}\n\n" for piece in cuts(CALL, 5))
    stream = parse(iter(SSEParser().feed(frames.encode() + b"data: [DONE]\n\n")), provider="hermes")
    list(stream)
    assert [call.arguments for call in stream.calls] == [{"a": "x"}]


@pytest.mark.parametrize("format", WRITERS)
def test_a_format_passes_the_conformance_check(format: str) -> None:
    message: Message = [
        Asked("write_file", {"path": "a.txt", "content": "x < y\n\u00e9 \U0001f389"}),
        Asked("get_time"),
    ]
    asked = [(part.name, part.arguments) for part in message if isinstance(part, Asked)]
    check_adapter(FORMATS[format], WRITERS[format](message).encode(), calls=asked, cuts=15)


def test_the_conformance_check_takes_a_format_of_ones_own() -> None:
    body = Tagged("(?P<name>f)", (">",), "<p ", "(?P<key>a)", ">", ("<",), call_ends=("/f>",))
    own = TextFormat("mine", (Opener("@@", body),))
    check_adapter(own, b"@@f><p a>1</f>", calls=[("f", {"a": "1"})])
    with pytest.raises(AssertionError, match="the calls are"):
        check_adapter(own, b"@@f><p a>1</f>", calls=[("f", {"a": 1})])


def test_the_conformance_check_takes_text_around_calls() -> None:
    text = "<think>Hm.</think>I\u2019ll look." + CALL + "Done.<|im_end|>"
    check_adapter("hermes", text.encode(), calls=[("f", {"a": "x"})])


def test_the_message_is_what_chat_templates_take() -> None:
    reading = read("hermes", ["<think>\nHm.</think>Wait." + CALL + "<|im_end|>"])
    assert reading.parser.stop_reason == "<|im_end|>"
    function = {"name": "f", "arguments": {"a": "x"}}
    assert reading.parser.message == {
        "role": "assistant",
        "content": "Wait.",
        "reasoning_content": "Hm.",
        "tool_calls": [{"id": "call_0", "type": "function", "function": function}],
    }


def test_limits_hold_at_the_same_character_however_the_text_is_cut() -> None:
    reading = everywhere("hermes", CALL, limits=Limits(max_bytes=40))
    assert isinstance(reading.error, LimitError)
    assert reading.error.limit == "max_bytes"
    reading = everywhere("hermes", CALL + CALL, limits=Limits(max_calls=1))
    assert isinstance(reading.error, LimitError)
    long = "<tool_call>f<arg_key>a</arg_key><arg_value>[" + "1, " * 50 + "1]</arg_value></tool_call>"
    tools = [{"name": "f", "parameters": {"properties": {"a": {"type": "array"}}}}]
    reading = read("glm47", list(long), tools=tools, limits=Limits(max_call_bytes=60))
    assert isinstance(reading.error, LimitError)
    assert reading.error.limit == "max_call_bytes"
    early = '<tool_call>{"arguments": {"a": "' + "x" * 100 + '"}, "name": "f"}</tool_call>'
    reading = everywhere("hermes", early, limits=Limits(max_call_bytes=60))
    assert isinstance(reading.error, LimitError)


def test_bytes_that_are_no_utf_8_become_the_replacement_character() -> None:
    reading = read("hermes", [b"caf\xc3", b"\xa9 \xff!"])
    assert text(reading) == "café �!"


def test_a_format_of_ones_own_is_a_declaration() -> None:
    own = TextFormat("mine", (Opener("@@call ", Objects(), needs="{"),), reasoning=(), ends=("@@end",))
    reading = everywhere(own, 'Hi @@call {"name": "f", "arguments": {"a": 1}} bye@@end')
    assert whole_calls(reading) == [("f", {"a": 1})]
    assert text(reading) == "Hi  bye"
    with pytest.raises(ValueError, match="another marker"):
        TextFormat("bad", (Opener("<a>", Objects()),), ends=("<a>",))


def test_importing_the_package_makes_no_format() -> None:
    code = "import sys, toolstream; toolstream.StreamParser(); print('toolstream.text_formats' in sys.modules)"
    done = subprocess.run([sys.executable, "-c", code], check=True, capture_output=True, text=True)
    assert done.stdout == "False\n"


def test_an_unknown_name_lists_the_known_ones() -> None:
    with pytest.raises(ValueError, match="'hermes'"):
        StreamParser(provider="no such format")
    with pytest.raises(ValueError, match=r"did you mean 'anthropic'\?"):
        StreamParser(provider="antropic")
    with pytest.raises(ValueError, match="text format"):
        StreamParser(provider="anthropic", prefill="<think>")


def test_the_documentation_lists_every_format() -> None:
    page = (Path(__file__).parent.parent / "docs" / "text-formats.md").read_text(encoding="utf-8")
    for name, format in FORMATS.items():
        (line,) = [line for line in page.splitlines() if line.startswith(f"| `{name}` |")]
        assert format.models in line
        for pair in format.reasoning:
            assert pair[0].replace("|", "\\|").replace("\n", "␤") in line


# ---------------------------------------------------------------------- markers that were stripped

STRIPPED = [name for name in WRITERS if FORMATS[name].special or name in ("hermes", "granite3")]
STRIPPED = [name for name in STRIPPED if name not in START_ONLY]


@pytest.mark.parametrize("format", STRIPPED)
def test_calls_whose_special_tokens_were_stripped_are_text_of_which_the_log_tells(
    format: str, caplog: pytest.LogCaptureFixture
) -> None:
    declared = FORMATS[format]
    words = declared.special or tuple(opener.marker for opener in declared.openers)
    stripped = WRITERS[format]([Asked("get_weather", {"city": "Paris"})])
    for word in {*words, *declared.ends, *(closer for opener in declared.openers for closer in _closers(opener.body))}:
        stripped = stripped.replace(word, "")
    reading = read(replace(declared, special=words), [stripped])
    assert reading.calls == []
    assert text(reading) == stripped
    (record,) = caplog.records
    assert "skip_special_tokens=False" in record.message
    assert declared.openers[0].marker in record.message


def _closers(body: Any) -> tuple[str, ...]:
    return tuple(getattr(body, "closes", ())) + tuple(getattr(body, "ends", ())) + tuple(getattr(body, "tail", ()))


@pytest.mark.parametrize("format", FORMATS)
def test_nothing_is_said_of_texts_and_calls_that_are_fine(format: str, caplog: pytest.LogCaptureFixture) -> None:
    written = WRITERS[format](message_for(format)) if format in WRITERS else ""
    long = ("\n" * 200_000, "x" * 200_000, "\n x" * 70_000)  # which takes minutes if it is looked at again and again
    for whole in ("A list: [1], a call: f(x), an object {}.", '{"name": "Ada", "born": 1815}', "", written, *long):
        read(format, [whole])
    assert caplog.records == []


# ---------------------------------------------------------------------- too long, misnamed, in vain

_FAR = " " * 1100
"""More white space than a header may hold."""


@pytest.mark.parametrize(
    ("format", "whole"),
    [
        ("mistral_args", f'[TOOL_CALLS]search{_FAR}{{"a": 1}}'),
        ("mistral_args", "[TOOL_CALLS]" + "a" * 2000),
        ("function_tag_json", f'<function=search>{_FAR}{{"a": 1}}</function>'),
        (
            "deepseek_v31",
            "<\uff5ctool\u2581calls\u2581begin\uff5c><\uff5ctool\u2581call\u2581begin\uff5c>"
            f"search<\uff5ctool\u2581sep\uff5c>{_FAR}{{}}",
        ),
    ],
)
def test_a_header_that_is_too_long_opens_no_call_without_its_arguments(format: str, whole: str) -> None:
    assert not everywhere(format, whole, on_error="event").of(ToolCallEnd)


def test_arguments_under_an_unknown_name_are_not_taken_for_none() -> None:
    bad = '<tool_call>{"name": "search", "params": {"query": "x"}}</tool_call>'
    good = '<tool_call>{"name": "get_time", "note": "now"}</tool_call>'
    reading = everywhere("hermes", bad + good, on_error="event")
    (error,) = reading.of(ToolCallError)
    assert "params" in str(error.error)
    assert whole_calls(reading) == [("get_time", {})]


@pytest.mark.parametrize("value", ["", ":", ":{}", "]", "(1)", "</tool_call>"])
def test_arguments_that_are_no_value_are_not_taken_for_none(value: str) -> None:
    reading = everywhere("hermes", f'<tool_call>{{"name": "f", "arguments": {value}}}</tool_call>Hm.', on_error="event")
    assert [type(event.error) for event in reading.of(ToolCallError)] == [JSONError]
    assert whole_calls(reading) == []


@pytest.mark.parametrize(
    ("format", "unit"),
    [("json_list", '```json {"a": ['), ("functools", 'functools[ {"a": ['), ("text", 'functools[{"a": [')],
)
def test_openers_inside_what_another_trial_has_read_open_no_trial(format: str, unit: str) -> None:
    whole = "x " + unit * 500
    parser = StreamParser(provider=format)
    parser.feed(whole)
    parser.close()
    assert parser._adapter is not None
    assert parser._adapter._reader.scanned < 20 * len(whole)
    assert text(everywhere(format, "x " + unit * 3)) == "x " + unit * 3


# ---------------------------------------------------------------------- why the text stopped

HALF = '<tool_call>{"name": "search", "arguments": {"query": "ri'
GLM = "<tool_call>search<arg_key>query</arg_key><arg_value>rain</arg_value>"
LENGTHS: dict[str, dict[str, Any]] = {
    "completions": {"choices": [{"text": "", "finish_reason": "length"}]},
    "Ollama": {"response": "", "done": True, "done_reason": "length"},
    "llama.cpp": {"content": "", "stop": True, "stop_type": "limit"},
    "TGI": {"token": {"text": ""}, "details": {"finish_reason": "length"}},
}


@pytest.mark.parametrize("last", LENGTHS.values(), ids=LENGTHS)
@pytest.mark.parametrize(
    ("format", "whole"),
    [
        ("hermes", HALF),
        ("hermes", '<tool_call>{"name": "search", "arguments": {"query": "rain"}'),
        ("glm45", GLM),
        ("python_code", "<code>\nprint(1)"),
    ],
)
def test_a_text_that_a_limit_has_cut_completes_no_call_and_is_no_exception(
    format: str, whole: str, last: dict[str, Any]
) -> None:
    parser = StreamParser(provider=format, framing="ndjson")
    events = parser.feed(json.dumps({"text": whole}) + "\n" + json.dumps(last) + "\n") + parser.close()
    (call,) = parser.calls
    assert call.state == "void"
    assert [event.type for event in events[-2:]] == ["tool_call_error", "message_end"]
    assert isinstance(events[-1], MessageEnd)
    assert not events[-1].safe
    assert parser.stop_reason in ("length", "limit")


def test_a_limit_s_cut_does_not_end_a_value_that_might_have_gone_on() -> None:
    whole = "<tool_call><function=f><parameter=a>x</parameter>"
    assert [event.value for event in read("qwen3_coder", [whole]).of(FieldComplete)] == ["x"]
    chunks = [{"choices": [{"text": whole, "finish_reason": None}]}, LENGTHS["completions"]]
    assert not [event for event in parse(chunks, provider="qwen3_coder") if isinstance(event, FieldComplete)]


@pytest.mark.parametrize("format", FORMATS)
@settings(max_examples=15, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(data=st.data())
def test_a_limit_s_cut_ends_no_call_that_would_have_gone_on(format: str, data: st.DataObject) -> None:
    whole = "".join(data.draw(st.lists(scraps(format), max_size=14)))
    if format in WRITERS:
        whole = data.draw(st.sampled_from([whole, WRITERS[format](data.draw(messages(format)))]))
    whole = whole[: data.draw(st.integers(0, len(whole)))]
    going_on, parser = (StreamParser(provider=format, on_error="event") for _ in range(2))
    ended = {event.call.index for event in going_on.feed(whole + " x") if isinstance(event, ToolCallEnd)}
    parser.feed_event({"choices": [{"text": whole, "finish_reason": None}]})
    parser.feed_event(LENGTHS["completions"])
    parser.close()
    assert {call.index for call in parser.calls if call.complete} <= ended
    assert all(call.complete or call.state == "void" for call in parser.calls)


def test_a_runtime_s_stop_reason_is_the_message_s() -> None:
    chunks = [{"choices": [{"text": GLM, "finish_reason": None}]}, {"choices": [{"text": "", "finish_reason": "stop"}]}]
    stream = parse(chunks, provider="glm45")
    (end,) = [event for event in stream if isinstance(event, MessageEnd)]
    assert (end.stop_reason, end.safe) == ("stop", True)


def test_objects_that_should_say_why_the_text_stops_and_do_not_are_cut_short() -> None:
    stream = parse([{"choices": [{"text": GLM, "finish_reason": None}]}], provider="glm45")
    with pytest.raises(IncompleteError, match="without a stop reason"):
        list(stream)
    assert [call.state for call in stream.calls] == ["void"]


def test_a_runtime_s_error_is_the_provider_s() -> None:
    with pytest.raises(ProviderError, match="overloaded"):
        list(parse([{"token": {"text": "Hi"}}, {"error": "overloaded", "error_type": "overloaded"}], provider="hermes"))
