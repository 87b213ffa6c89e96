"""The examples run and print what they promise, and their streams are what their script writes."""

from __future__ import annotations

import importlib.util
import json
import subprocess
import sys
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest
from packages import package

import toolstream
from toolstream import demo

EXAMPLES = Path(__file__).resolve().parents[1] / "examples"
STREAMS = EXAMPLES / "streams"
PROVIDERS = ("anthropic", "openai-chat", "openai-responses")

PRINTED = {
    "act_early.py": """\
searching for "Musée d'Orsay opening hours"
searching for 'Rijksmuseum opening hours'
searching for 'museum night 2026 dates'
refused 'notes/museums.md'
closed after 11520 of 27482 bytes
""",
    "agent_loop_anthropic.py": """\
tide {'port': 'Dover', 'day': 'monday'} -> 06:12
tide {'port': 'Calais', 'day': 'monday'} -> 06:40
Dover 06:12, Calais 06:40.
""",
    "agent_loop_openai.py": """\
tide {'port': 'Dover', 'day': 'monday'} -> 06:12
tide {'port': 'Calais', 'day': 'monday'} -> 06:40
Dover 06:12, Calais 06:40.
""",
    "early_search.py": """\
searching for 'tide table Dover' after 32 characters of the call
the call has ended after 343 characters
searching for 'harbour office Dover' after 32 characters of the call
the call has ended after 347 characters
ok 3 pages about tide table Dover
ok 3 pages about harbour office Dover
""",
    "fan_out.py": """\
the first page is asked for when 1 of 20 URLs are there
20 pages, 560 characters
""",
    "reject_early.py": """\
('height',) 6.2
('unit',) fathoms
closed after 13 of 559 frames: about 546 tokens saved
to the model: The arguments of the tool 'log_tide' are invalid at unit: "fathoms" is not one of "m" or "cm". \
The value was 'fathoms'. The schema wants {"enum": ["m", "cm"]}. The call was not run. \
Call again with corrected arguments.
""",
    "write_file_streaming.py": """\
first characters written when 35 characters of the call are there
wrote 190410 characters to tides.txt
the same as the model's: True
""",
    "async_stream.py": """\
get_weather has ended; its lookup began earlier
get_weather has ended; its lookup began earlier
get_weather has ended; its lookup began earlier
toolu_01ToolstreamExample00001 Oslo: 11 degrees
toolu_01ToolstreamExample00002 São Paulo: 11 degrees
toolu_01ToolstreamExample00003 東京: 11 degrees
""",
    "json_fields.py": """\
got {"title": "Tide ta
got ble", "stations": [{"name": "Dov
  ('title',) = 'Tide table'
got er", "high": ["06:12", "18:3
  ('stations', 0, 'name') = 'Dover'
got 9"]}, {"name": "Calais", "high": ["06:4
  ('stations', 0) = {'name': 'Dover', 'high': ['06:12', '18:39']}
  ('stations', 1, 'name') = 'Calais'
got 0"]}], "source": "n/a"}
  ('stations', 1) = {'name': 'Calais', 'high': ['06:40']}
all: {'title': 'Tide table', 'stations': [{'name': 'Dover', 'high': ['06:12', '18:39']}, \
{'name': 'Calais', 'high': ['06:40']}], 'source': 'n/a'}
so far: {'title': 'Tide table', 'stations': [{'name': 'Dov'}]}
""",
    "local_agent.py": """\
find_recipe: ingredients = ['eggs', 'leek', 'cream']
find_recipe: course = dinner
find_recipe -> dinner: quiche with eggs, leek, cream
A leek quiche: you have all it takes.
""",
    "local_replay_server.py": """\
message_start
tool_call_start
field_complete Oslo
field_complete celsius
tool_call_end
tool_call_start
field_complete São Paulo
field_complete celsius
tool_call_end
tool_call_start
field_complete 東京
field_complete celsius
tool_call_end
usage_update
message_end
""",
    "push_parser.py": """\
search.queries is final
search.max_results is final
write_file.path is final
write_file.overwrite is final
moved after 26244 bytes
write_file.content is final
notify.channel is final
notify.message is final
notify.mentions is final
whole calls: ['search', 'write_file', 'notify']
""",
}


# At a pace that no test waits for.
ARGUMENTS = {
    "local_replay_server.py": (str(STREAMS / "openai-chat-parallel.sse"), "1e6"),
    **dict.fromkeys(("agent_loop_anthropic.py", "agent_loop_openai.py", "early_search.py", "fan_out.py"), ("1e5",)),
}


def printed_by(script: str, *arguments: str) -> str:
    done = subprocess.run(
        [sys.executable, "-X", "utf8", "-W", "error", str(EXAMPLES / script), *arguments],
        capture_output=True,
        encoding="utf-8",
        timeout=120,
    )
    assert done.stderr == ""
    return "\n".join(line.rstrip() for line in done.stdout.splitlines()) + "\n"


NEEDS = {"local_agent.py": ("PIL", "torch", "transformers")}
"""Packages of `toolstream[local]`."""


@pytest.mark.parametrize("script", sorted(PRINTED))
def test_example_prints_what_is_written_here(script: str) -> None:
    for name in NEEDS.get(script, ()):
        package(name, "local")
    assert printed_by(script, *ARGUMENTS.get(script, ())) == PRINTED[script]


@pytest.mark.parametrize("provider", PROVIDERS)
def test_text_and_calls_are_printed_alike_for_every_provider(provider: str, generate: ModuleType) -> None:
    turn = generate.AGENT
    lines = printed_by("print_text_and_calls.py", str(STREAMS / f"{provider}.sse")).splitlines()
    assert lines[0] == turn.text
    calls = [f"{name}({json.dumps(arguments, ensure_ascii=False)})" for name, arguments in turn.calls]
    assert [line for line in lines[1:-2] if line] == calls
    assert lines[-2].endswith("run the calls")
    assert lines[-1] == "3996 tokens in, 3584 of them cached, 188 out"


@pytest.mark.parametrize("provider", PROVIDERS)
def test_a_cut_call_is_printed_as_not_to_be_run(provider: str) -> None:
    lines = printed_by("print_text_and_calls.py", str(STREAMS / f"{provider}-cut.sse")).splitlines()
    assert any(line.startswith("write_file must not run: ") for line in lines)
    assert lines[-2].endswith("nothing to run")


def test_every_example_is_run_here() -> None:
    scripts = {path.name for path in EXAMPLES.glob("*.py")}
    assert scripts == {*PRINTED, "print_text_and_calls.py"}


def test_every_example_has_its_row() -> None:
    page = (EXAMPLES / "README.md").read_text(encoding="utf-8")
    assert [script.name for script in EXAMPLES.glob("*.py") if f"({script.name})" not in page] == []


@pytest.fixture(scope="module")
def generate() -> ModuleType:
    """The script that writes the streams."""
    spec = importlib.util.spec_from_file_location("generate", STREAMS / "generate.py")
    assert spec
    assert spec.loader
    module = importlib.util.module_from_spec(spec)
    sys.modules["generate"] = module  # its dataclasses look their module up
    try:
        spec.loader.exec_module(module)
    finally:
        del sys.modules["generate"]
    return module


def test_streams_are_what_their_script_writes(generate: ModuleType) -> None:
    for path, text in generate.streams().items():
        if path.parent == STREAMS:
            assert path.read_bytes() == text.encode(), path.name
        else:
            assert demo.bundled_stream(path.stem) == text.encode(), path.name
    assert {path for path in generate.streams() if path.parent == STREAMS} == set(STREAMS.glob("*.sse"))


@pytest.mark.parametrize("provider", PROVIDERS)
@pytest.mark.parametrize(("suffix", "name"), [("", "AGENT"), ("-parallel", "WEATHER")])
def test_a_turn_says_the_same_in_every_wire_format(provider: str, suffix: str, name: str, generate: ModuleType) -> None:
    turn = getattr(generate, name)
    stream = (STREAMS / f"{provider}{suffix}.sse").read_bytes()
    assert_says(turn, stream)


@pytest.mark.parametrize("provider", PROVIDERS)
def test_the_demos_turn_says_the_same_in_every_wire_format(provider: str, generate: ModuleType) -> None:
    assert_says(generate.DEMO_TURN, demo.bundled_stream(provider))


def assert_says(turn: Any, stream: bytes) -> None:
    with toolstream.parse([stream]) as events:
        last = list(events)[-1]
        assert isinstance(last, toolstream.MessageEnd)
        assert last.safe
        assert events.text == turn.text
        assert [(call.name, call.arguments) for call in events.calls] == list(turn.calls)
        usage = events.usage
    assert (usage.input_tokens, usage.cache_read_tokens) == (turn.input_tokens, turn.cached_tokens)
    assert (usage.output_tokens, usage.final) == (turn.output_tokens, True)
