"""`tools`: what is ready and what is invalid, at the first byte that shows it, whatever form the tools have."""

from __future__ import annotations

import copy
import json
import pickle
import subprocess
import sys
from pathlib import Path
from typing import Annotated, Any, TypedDict

import msgspec
import pydantic
import pytest
import recordings
import tool_shapes
import wire
from hypothesis import given
from hypothesis import strategies as st
from tool_shapes import ALL, PARSED, SCHEMA, search
from wire import anthropic, chat, chat_call, cut, json_delta, plain, read, read_bytes, sse, tool_block, tool_start

import toolstream
from toolstream import (
    FieldComplete,
    FieldInvalid,
    InvalidFieldError,
    StreamParser,
    ToolCallEnd,
    ToolCallReady,
    ToolCallStart,
    ToolStreamError,
)

OWN_KINDS = ("tool_call_ready", "field_invalid")


def reading(text: str, tools: Any, *, name: str = "search", size: int = 3, **options: Any) -> wire.Reading:
    """A stream with one call whose arguments are text."""
    return read(anthropic(tool_block(0, "", *cut(text, size), name=name)), tools=tools, **options)


def invalid(found: wire.Reading) -> list[tuple[Any, ...]]:
    return [event.path for event in found.of(FieldInvalid)]


def schema(properties: dict[str, Any], required: tuple[str, ...] = (), **more: Any) -> dict[str, Any]:
    return {"t": {"type": "object", "properties": properties, "required": list(required), **more}}


# ---------------------------------------------------------------------- forms


@pytest.mark.parametrize("form", ALL)
def test_every_form_of_a_tool_gives_readiness_and_faults(form: str) -> None:
    good = reading('{"limit": 3, "query": "tides"}', ALL[form])
    assert [event.type for event in good.events if event.type in OWN_KINDS] == ["tool_call_ready"]
    bad = reading('{"limit": 51, "query": "tides", "order": "sideways"}', ALL[form])
    assert invalid(bad) == [("limit",), ("order",)]
    missing = reading('{"limit": 3}', ALL[form])
    assert invalid(missing) == [("query",)]
    assert not missing.of(ToolCallReady)


@pytest.mark.parametrize("form", ALL)
def test_parsed_is_an_instance_of_the_type(form: str) -> None:
    call = reading('{"query": "tides", "limit": 3}', ALL[form]).call
    assert call.parsed == PARSED.get(form, {"query": "tides", "limit": 3})


def test_parsed_as_takes_every_kind_of_type() -> None:
    types = [tool_shapes.Model, tool_shapes.Struct, tool_shapes.Data, tool_shapes.Typed, dict[str, Any]]
    for type_ in types:
        call = reading('{"query": "tides", "limit": 3}', {"search": type_}).call
        assert call.parsed_as(type_) == call.parsed
        assert call.parsed_as(pydantic.BaseModel, type_) == call.parsed
        with pytest.raises(TypeError, match="no RenamedStruct"):
            call.parsed_as(RenamedStruct)


def test_parsed_raises_for_invalid_and_unfinished_calls() -> None:
    with pytest.raises(InvalidFieldError):
        _ = reading('{"query": 1}', ALL["pydantic"]).call.parsed
    parser = StreamParser(tools=ALL["pydantic"])
    parser.feed(sse([wire.message_start(), tool_start(0), json_delta(0, '{"query": "x"')]))
    with pytest.raises(ToolStreamError, match="has not ended"):
        _ = parser.calls[0].parsed
    assert parser.calls[0].state == "ready"


def test_a_reference_to_another_document_is_refused_not_fetched() -> None:
    with pytest.raises(ValueError, match="not fetched"):
        StreamParser(tools=schema({"a": {"$ref": "http://127.0.0.1:9/x.json"}}))


def test_what_is_no_tool_is_a_value_error() -> None:
    for tools in (3, [3], {"t": {"type": "objekt"}}, [search, search]):
        with pytest.raises(ValueError):  # noqa: PT011
            StreamParser(tools=tools)
    with pytest.raises(ValueError, match="on_invalid"):
        StreamParser(on_invalid="ignore")  # type: ignore[arg-type]


def test_a_missing_library_is_named_with_what_to_install() -> None:
    script = (
        "import sys; sys.modules['jsonschema_rs'] = None; import toolstream\n"
        "try: toolstream.StreamParser(tools={'t': {'type': 'object', 'properties': {}}})\n"
        "except ImportError as error: print(error)"
    )
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, timeout=60)
    assert "pip install 'toolstream[tools]'" in done.stdout


@pytest.mark.parametrize(
    ("properties", "good", "bad"),
    [
        ({"a": {"$ref": "#/$defs/C"}}, '"r"', '"x"'),
        ({"a": {"anyOf": [{"type": "integer"}, {"type": "null"}]}}, "null", '"1"'),
        ({"a": {"type": "string", "nullable": True}}, "null", "1"),
        ({"a": {"type": "string", "nullable": True, "enum": ["r"]}}, "null", '"b"'),
        ({"a": {"type": "object", "properties": {"b": {"type": "integer"}}, "required": ["b"]}}, '{"b": 1}', "{}"),
        ({"a": {"type": "array", "items": {"$ref": "#/$defs/C"}, "minItems": 1}}, '["r"]', "[]"),
        ({"a": {"type": ["integer", "boolean"]}}, "true", "1.5"),
    ],
)
def test_json_schema_is_followed(properties: dict[str, Any], good: str, bad: str) -> None:
    tools = schema(properties, ("a",), **{"$defs": {"C": {"enum": ["r", "g"]}}})
    assert not invalid(reading(f'{{"a": {good}}}', tools, name="t"))
    assert [path[0] for path in invalid(reading(f'{{"a": {bad}}}', tools, name="t"))] == ["a"]


def test_keys_that_need_escapes_in_a_pointer_are_found() -> None:
    tools = schema({"a/b ~c%": {"type": "integer"}})
    assert invalid(reading('{"a/b ~c%": "x"}', tools, name="t")) == [("a/b ~c%",)]


def test_what_only_the_whole_shows_is_reported_at_the_end() -> None:
    tools = schema({"a": {}, "b": {}}, dependentRequired={"a": ["b"]})
    found = reading('{"a": 1}', tools, name="t")
    assert invalid(found) == [()]
    assert found.events.index(found.of(FieldInvalid)[0]) < found.events.index(found.of(ToolCallEnd)[0])
    assert reading('{"a": 1, "b": 1}', tools, name="t").of(ToolCallReady)


class Node(pydantic.BaseModel):
    name: str
    kids: list[Node] = []


class Renamed(pydantic.BaseModel, extra="forbid"):
    own: int = pydantic.Field(alias="given")


class RenamedStruct(msgspec.Struct, rename="camel", forbid_unknown_fields=True):
    own_name: int


def test_nested_recursive_and_renamed_models_work() -> None:
    nested = reading('{"name": "a", "kids": [{"name": "b"}]}', {"search": Node}).call
    assert nested.parsed == Node(name="a", kids=[Node(name="b")])
    assert invalid(reading('{"name": "a", "kids": [{"name": 1}]}', {"search": Node})) == [("kids", 0, "name")]
    call = reading('{"given": 1}', {"search": Renamed}).call
    assert call.parsed_as(Renamed).own == 1
    assert call.partial.own == 1
    assert invalid(reading('{"own": 1}', {"search": Renamed})) == [("own",), ("given",)]
    assert reading('{"ownName": 1}', {"search": RenamedStruct}).call.parsed == RenamedStruct(1)


seen: list[Any] = []


class Watching(pydantic.BaseModel):
    path: str
    content: str = ""

    @pydantic.field_validator("path", "content")
    @classmethod
    def keep(cls, value: str) -> str:
        seen.append(value)
        return value.upper()

    @pydantic.model_validator(mode="after")
    def keep_all(self) -> Watching:
        seen.append(dict(self))
        if self.content == "BAD":
            raise ValueError("bad content")
        return self


@pytest.mark.parametrize("size", [1, 4, 100])
def test_a_models_validators_run_once_and_never_on_half_a_value(size: int) -> None:
    seen.clear()
    call = reading('{"path": "a.txt", "content": "tide"}', {"search": Watching}, size=size).call
    assert seen == ["a.txt", "tide", {"path": "A.TXT", "content": "TIDE"}]
    assert call.parsed.content == "TIDE"
    assert invalid(reading('{"path": "a", "content": "bad"}', {"search": Watching})) == [()]


class Ordered(pydantic.BaseModel):
    low: int
    high: int

    @pydantic.field_validator("high")
    @classmethod
    def not_below(cls, value: int, info: pydantic.ValidationInfo) -> int:
        if value < info.data["low"]:
            raise ValueError("below low")
        return value


def test_a_validator_that_looks_at_other_fields_finds_them_in_any_order() -> None:
    tools = {"search": Ordered}
    for text in ('{"low": 1, "high": 2}', '{"high": 2, "low": 1}'):
        found = reading(text, tools)
        assert found.call.parsed == Ordered(low=1, high=2)
        assert len(found.of(ToolCallReady)) == 1
    assert invalid(reading('{"high": 2, "low": 3}', tools)) == [("high",)]


class Near(msgspec.Struct, tag="near"):
    km: int


class Far(msgspec.Struct, tag="far"):
    miles: int


def test_a_union_of_structs_is_told_apart_at_the_end() -> None:
    call = reading('{"type": "far", "miles": 3}', {"search": Near | Far}).call
    assert call.parsed == Far(3)
    assert invalid(reading('{"type": "far", "miles": "x"}', {"search": Near | Far})) == [()]


class Opaque: ...


def test_a_type_that_nobody_can_check_is_refused_at_once() -> None:
    for type_ in (dict[str, Opaque], Near | dict[str, Opaque] | Opaque):
        with pytest.raises(ValueError, match="the tool 'search': a tool's type"):
            StreamParser(tools={"search": type_})

    def run(a: int, context: Opaque) -> None: ...

    with pytest.raises(ValueError, match="a tool's type"):
        StreamParser(tools=[run])


def burst(value: str) -> str:
    raise KeyError(value)


def test_a_validator_that_raises_anything_makes_the_field_invalid() -> None:
    def run(a: Annotated[str, pydantic.AfterValidator(burst)]) -> None: ...

    found = reading('{"a": "x"}', [run], name="run")
    assert invalid(found) == [("a",)]
    assert "KeyError" in found.of(FieldInvalid)[0].error.reason


# ---------------------------------------------------------------------- the byte


def first_fragment_with(kind: type, text: str, tools: Any, name: str = "t") -> int | None:
    """How many characters of the arguments had come when the first event of a kind was reported."""
    parser = StreamParser(tools=tools)
    parser.feed(sse([wire.message_start(), tool_start(0, name=name)]))
    for at, character in enumerate(text, 1):
        if any(isinstance(event, kind) for event in parser.feed(sse([json_delta(0, character)]))):
            return at
    return None


def final_members(text: str) -> dict[str, Any]:
    """By brute force: the members that no continuation of an object's text can change."""
    members: dict[str, Any] = {}
    for end in range(1, len(text) + 1):
        for closer in ("", "}", '"another": 0}'):
            try:
                told = json.loads(text[:end] + closer)
            except ValueError:
                continue
            told.pop("another", None)
            if closer == "}" and text[end - 1] in "0123456789" and told:
                told.popitem()  # the number may go on
            members.update(told)
    return members


ARGUMENTS = st.fixed_dictionaries(
    {},
    optional={
        "a": st.one_of(st.integers(), st.floats(allow_nan=False, allow_infinity=False), st.text(max_size=4)),
        "b": st.one_of(st.lists(st.integers(0, 99), max_size=3), st.none(), st.booleans()),
        "c": st.dictionaries(st.sampled_from(["a", "x"]), st.integers(), max_size=2),
        "d": st.text(max_size=3),
    },
)
VALID = {"a": (int, str), "b": (list, bool), "c": (dict,)}
TOOL = schema(
    {"a": {"type": ["integer", "string"]}, "b": {"type": ["array", "boolean"]}, "c": {"type": "object"}, "d": {}},
    ("a", "b"),
)


@given(ARGUMENTS, st.randoms(use_true_random=False))
def test_ready_fires_at_the_earliest_byte_that_a_search_over_all_prefixes_finds(value: Any, chance: Any) -> None:
    members = list(value.items())
    chance.shuffle(members)
    text = json.dumps(dict(members))

    def is_ready(prefix: str) -> bool:
        known = final_members(prefix)
        return all(
            key in known
            and (isinstance(known[key], VALID[key]) or (isinstance(known[key], float) and known[key].is_integer()))
            and not (key == "a" and isinstance(known[key], bool))
            for key in ("a", "b")
        )

    earliest = next((end for end in range(1, len(text) + 1) if is_ready(text[:end])), None)
    assert first_fragment_with(ToolCallReady, text, TOOL) == earliest


def test_an_invalid_field_is_reported_by_the_byte_that_completes_it() -> None:
    tools = schema({"n": {"maximum": 5}, "s": {"enum": ["ab"]}, "l": {"items": {"type": "integer"}}})
    assert first_fragment_with(FieldInvalid, '{"n": 12, "s": 1}', tools) == len('{"n": 12,')
    assert first_fragment_with(FieldInvalid, '{"s": "ac", "n": 1}', tools) == len('{"s": "ac"')
    assert first_fragment_with(FieldInvalid, '{"l": [1, "x", 2]}', tools) == len('{"l": [1, "x"')


def test_an_unexpected_field_is_reported_at_its_keys_closing_quote() -> None:
    tools = schema({"n": {}}, additionalProperties=False)
    assert first_fragment_with(FieldInvalid, '{"n": 1, "other": {"x": 1}}', tools) == len('{"n": 1, "other"')
    assert not invalid(reading('{"n": 1, "other": 2}', schema({"n": {}}), name="t"))


def test_an_unknown_tool_is_reported_when_its_name_is_known() -> None:
    found = reading('{"a": 1}', schema({"a": {}}), name="other")
    assert [event.type for event in found.events[2:5]] == ["tool_call_start", "field_invalid", "field_complete"]
    assert found.events[3].value == "other"  # type: ignore[union-attr]
    assert not found.of(ToolCallReady)


def test_a_name_that_grows_is_no_unknown_tool() -> None:
    pieces = [
        wire.calls(wire.entry(0, None, "call_0", "sea")),
        wire.calls(wire.entry(0, None, "call_0", "search")),
        wire.calls(wire.entry(0, '{"query": "x"}')),
    ]
    found = read(chat(pieces), tools={"search": SCHEMA})
    assert found.call.name == "search"
    assert not found.of(FieldInvalid)
    assert len(found.of(ToolCallReady)) == 1


def test_a_call_without_required_fields_is_ready_with_its_first_byte() -> None:
    assert first_fragment_with(ToolCallReady, '{"a": 1}', schema({"a": {}})) == 1
    assert len(reading("", schema({"a": {}}), name="t").of(ToolCallReady)) == 1
    for text in ("[1]", '"x"'):
        assert invalid(reading(text, schema({"a": {}}), name="t")) == [()]


def test_a_repeated_field_is_invalid_where_repetition_is_allowed() -> None:
    found = reading('{"query": "a", "query": "b"}', {"search": SCHEMA}, duplicate_keys="last")
    assert invalid(found) == [("query",)]
    assert len(found.of(ToolCallReady)) == 1
    assert isinstance(reading('{"query": "a", "query": "b"}', {"search": SCHEMA}).error, toolstream.DuplicateKeyError)


# ---------------------------------------------------------------------- what the caller asked for


@pytest.mark.parametrize(
    "options",
    [
        {"depth": 0},
        {"depth": 0, "deltas": True},
        {"depth": 2},
        {"depth": None, "deltas": True},
        {"paths": ["limit"]},
        {"paths": ["**.city"], "deltas": ["query"]},
        {"paths": {"search": ["tags[*]"]}},
        {"paths": ["where.*", "tags[1]"]},
        {"depth": 1, "deltas": ["where.city"]},
    ],
    ids=str,
)
def test_the_other_events_stay_what_was_asked_for(options: dict[str, Any]) -> None:
    tools = {"search": {**SCHEMA, "properties": {**SCHEMA["properties"], "tags": {"items": {"type": "string"}}}}}
    stream = sse(anthropic(tool_block(0, "", *cut(wire.ARGUMENTS))))
    without = plain(read_bytes(stream, **options))
    with_tools = plain(read_bytes(stream, tools=tools, **options))
    assert [event for event in with_tools if event["type"] not in OWN_KINDS] == without
    assert len(with_tools) == len(without) + 1


BROKEN = '{"limit": 99, "query": "x", "tags": ["a", 1], "odd": {"query": 1}, "order": "up"}'
CLOSED = {"search": {**SCHEMA, "additionalProperties": False}}


@pytest.mark.parametrize("on_invalid", ["event", "raise", "close"])
@pytest.mark.parametrize("on_error", ["raise", "event"])
def test_cuts_and_moves_do_not_show(on_invalid: str, on_error: str) -> None:
    stream = sse(anthropic(tool_block(0, BROKEN), tool_block(1, '{"query": "y"}'), tool_block(2, "", name="other")))
    options = {"tools": CLOSED, "on_invalid": on_invalid, "on_error": on_error}
    told = plain(read_bytes(stream, **options))
    fragments = sse(anthropic(tool_block(0, *BROKEN), tool_block(1, '{"query": "y"}'), tool_block(2, "", name="other")))
    assert plain(read_bytes(fragments, **options)) == told
    for size in (1, 7, 64):
        assert plain(read_bytes(stream, size, **options)) == told
    moved = wire.Reading(StreamParser(**options))  # type: ignore[arg-type]
    try:
        for at in range(0, len(stream), 11):
            moved.events += moved.parser.feed(stream[at : at + 11])
            moved.parser, moved.events = pickle.loads(pickle.dumps((moved.parser, moved.events)))
        moved.events += moved.parser.close()
    except ToolStreamError as error:
        moved.events += error.events
        moved.error = error
    assert plain(moved) == told
    assert copy.deepcopy(moved.parser).calls[0].invalid[0].path == ("limit",)


@pytest.mark.parametrize("form", ALL)
def test_a_checked_stream_can_be_pickled_anywhere_whatever_the_tools_are(form: str) -> None:
    stream = sse(anthropic(tool_block(0, *'{"query": "tides", "limit": 3}')))
    moved = wire.Reading(StreamParser(tools=ALL[form]))
    for at in range(0, len(stream), 41):
        moved.events += moved.parser.feed(stream[at : at + 41])
        moved.parser, moved.events = pickle.loads(pickle.dumps((moved.parser, moved.events)))
    moved.events += moved.parser.close()
    assert plain(moved) == plain(read_bytes(stream, tools=ALL[form]))
    assert moved.call.parsed == PARSED.get(form, {"query": "tides", "limit": 3})


GOES_ON = """
import json, pickle, sys
for line in sys.stdin:
    parser, rest = pickle.loads(bytes.fromhex(line))
    events = [*parser.feed(rest), *parser.close()]
    print(json.dumps([[event.to_dict() for event in events], repr([call.parsed for call in parser.calls])]))
"""


def test_a_checked_stream_moves_to_another_process_whatever_the_tools_are() -> None:
    arguments = '{"query": "tides", "limit": 3}'
    raw = f'<tool_call>\n{{"name": "search", "arguments": {arguments}}}\n</tool_call>'.encode()
    streams = {"auto": sse(anthropic(tool_block(0, *arguments))), "hermes": raw}
    lines, expected = [], []
    for form, tools in ALL.items():
        if form == "objects":
            continue
        for provider, stream in streams.items():
            at = len(stream) // 2 + len(lines) % 40
            parser = StreamParser(tools=tools, provider=provider)
            parser.feed(stream[:at])
            lines.append(pickle.dumps((parser, stream[at:])).hex())
            events = [*parser.feed(stream[at:]), *parser.close()]
            told = [[event.to_dict() for event in events], repr([call.parsed for call in parser.calls])]
            expected.append(json.loads(json.dumps(told)))
    done = subprocess.run(
        [sys.executable, "-c", GOES_ON],
        input="\n".join(lines),
        capture_output=True,
        text=True,
        timeout=120,
        cwd=Path(__file__).parent,
    )
    assert [json.loads(line) for line in done.stdout.splitlines()] == expected, done.stderr


# ---------------------------------------------------------------------- what an invalid field does


def test_raise_ends_the_stream_with_the_events_before() -> None:
    found = reading('{"query": "x", "limit": 99, "order": "up"}', {"search": SCHEMA}, on_invalid="raise")
    assert isinstance(found.error, InvalidFieldError)
    assert (found.error.path, found.error.value, found.call.state) == (("limit",), 99, "void")
    assert found.types[-1] == "field_invalid"


def test_raise_spares_the_other_calls_where_faults_are_events() -> None:
    stream = anthropic(tool_block(0, '{"query": 1}'), tool_block(1, '{"query": "y"}'), tool_block(2, "{}", name="no"))
    found = read(stream, tools={"search": SCHEMA}, on_invalid="raise", on_error="event")
    assert found.error is None
    assert [call.state for call in found.calls] == ["void", "confirmed", "void"]
    assert found.types.count("tool_call_error") == 2


def test_close_closes_the_source_at_the_byte_and_keeps_the_usage() -> None:
    stream = sse(anthropic(tool_block(0, "", *cut('{"query": "x", "limit": 99, "order": "up"}', 1))))
    taken = 0
    closed = False

    def source() -> Any:
        nonlocal taken, closed
        try:
            for at in range(len(stream)):
                taken += 1
                yield stream[at : at + 1]
        finally:
            closed = True

    events = toolstream.parse(source(), tools={"search": SCHEMA}, on_invalid="close")
    told = list(events)
    assert closed
    assert told[-1].type == "field_invalid"
    assert taken < stream.index(b'"partial_json": "o"')
    assert (events.usage.input_tokens, events.usage.final) == (10, False)
    assert events.calls[0].state == "void"
    assert events.invalid is not None
    message = events.invalid.tool_message
    assert all(part in message for part in ("'search'", "limit", "99", '"maximum": 50'))


def test_server_executed_tools_are_not_checked() -> None:
    stream = anthropic(tool_block(0, '{"query": 1}', type="server_tool_use", name="web_search"))
    assert not read(stream, tools={"search": SCHEMA}).of(FieldInvalid)


# ---------------------------------------------------------------------- partial views


def test_a_partial_view_tells_absent_pending_invalid_and_none_apart() -> None:
    class Model(pydantic.BaseModel):
        a: int | None
        b: str = "default"
        c: int = 3
        d: int = 4

    parser = StreamParser(tools={"t": Model})
    parser.feed(sse([wire.message_start(), tool_start(0, name="t"), json_delta(0, '{"a": null, "c": "x", "b": "ha')]))
    partial = parser.calls[0].partial_as(Model)
    assert partial.a is None
    assert partial.b is toolstream.PENDING
    assert partial.c is toolstream.INVALID
    assert partial.d is toolstream.ABSENT
    assert not isinstance(partial, Model)
    parser.feed(sse([json_delta(0, 'lf"')]))
    assert partial["b"] == "half"
    with pytest.raises(AttributeError):
        partial.a = 1


# ---------------------------------------------------------------------- every stream


def tools_of(stream: bytes) -> dict[str, Any]:
    """Tools that fit the calls of a stream."""
    tools: dict[str, Any] = {}
    for call in (event.call for event in read_bytes(stream, on_error="event").of(ToolCallEnd)):
        if isinstance(call.arguments, dict):
            own = tools.setdefault(call.name, {"type": "object", "properties": {}, "required": list(call.arguments)})
            own["properties"].update({key: {} for key in call.arguments})
            own["required"] = [key for key in own["required"] if key in call.arguments]
    return tools


@recordings.parametrize()
def test_every_whole_call_of_every_stream_becomes_ready_once(expected: dict[str, Any]) -> None:
    data = recordings.body(expected)
    tools = tools_of(data)
    without, found = (read_bytes(data, on_error="event", **more) for more in ({}, {"tools": tools}))
    assert [event for event in plain(found) if not isinstance(event, dict) or event["type"] not in OWN_KINDS] == plain(
        without
    )
    ready = [event.call.index for event in found.of(ToolCallReady)]
    assert len(ready) == len(set(ready))
    for event in found.of(ToolCallEnd):
        if not event.call.server and isinstance(event.call.arguments, dict):
            assert event.call.index in ready
            at = found.events.index(ToolCallReady(event.call))
            assert found.events.index(ToolCallStart(event.call)) < at < found.events.index(event)
            assert event.call.invalid == ()


def test_every_value_that_was_reported_stays_in_parsed() -> None:
    found = reading('{"query": "x", "limit": 3}', tool_shapes.TYPES["pydantic"])
    for event in found.of(FieldComplete):
        assert getattr(found.call.parsed, event.path[0]) == event.value


def test_parallel_calls_are_checked_apart() -> None:
    stream = chat(chat_call(0, '{"query": "x"', "}"), chat_call(1, '{"query": 1}'))
    found = read(stream, tools={"search": SCHEMA})
    assert [event.call.index for event in found.of(ToolCallReady)] == [0]
    assert [event.call.index for event in found.of(FieldInvalid)] == [1]


@pytest.mark.parametrize("value", ['"\\ud83d"', "[" * 300 + "]" * 300], ids=["half a pair", "nested deep"])
def test_json_that_pydantic_does_not_read_is_checked_as_the_value_that_it_is(value: str) -> None:
    def search(query: Any, limit: int = 1) -> None: ...

    call = reading(f'{{"query":{value}}}', [search]).call
    assert call.parsed == {"query": call.arguments["query"]}

    def number(query: int) -> None: ...

    (error,) = reading(f'{{"query":{value}}}', {"search": number}).call.invalid
    assert "JSON" not in error.reason


@pytest.mark.skipif(sys.version_info >= (3, 12), reason="pydantic takes it")
def test_a_type_that_pydantic_refuses_is_a_value_error() -> None:
    class Place(TypedDict):
        city: str

    def search(place: Place) -> None: ...

    search.__annotations__["place"] = Place
    with pytest.raises(ValueError, match=r"pydantic can't check: .*typing_extensions\.TypedDict"):
        StreamParser(tools=[search])
