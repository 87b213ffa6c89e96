"""Text as transformers' own streamers give it, into `parse` and `dispatch`: put into them token by token, and from
`generate` of models in the shape of Llama and SmolVLM.

Nothing is downloaded: tokenizers and models are made here (`tiny_models.py`). Needs `toolstream[local]`; without it
these tests are skipped.
"""

from __future__ import annotations

import asyncio
import json
import threading
from collections.abc import Callable
from typing import Any

import pytest
from packages import package
from text_writers import WRITERS, Asked, Message, Said, Thought, schemas
from tiny_models import IMAGE, TURN_END, image, llama, smolvlm, tokenizer, writing

import toolstream
from toolstream import FieldComplete, MessageEnd, Streamed, ToolCallEnd, parse, text_format

np = package("numpy", "local")
transformers = package("transformers", "local")

MESSAGE: Message = [
    Thought("The user wants the weather."),
    Said("One moment, 3 < 5 holds."),
    Asked("get_weather", {"city": "São Paulo", "days": 3, "note": 'é 🎉 {"x": [1]} </b>'}),
    Asked("get_time", {}),
]
TEMPLATE = (
    "{% for message in messages %}<|im_start|>{{ message.role }}\n{{ message.content }}<|im_end|>\n{% endfor %}"
    "{# <tool_call> #}{% if add_generation_prompt %}<|im_start|>assistant\n{% endif %}"
)


def put(made: Any, whole: str, streamer: Any) -> Callable[[], None]:
    """Stands for `model.generate(..., streamer=streamer)` of a model that writes this text."""

    def run() -> None:
        streamer.put(np.array([[1, 2, 3]]))  # the prompt
        for token in made.encode(whole):
            streamer.put(np.array([token]))
        streamer.end()

    return run


def check(calls: Any, said: str) -> None:
    asked = [(part.name, part.arguments) for part in MESSAGE if isinstance(part, Asked)]
    assert [(call.name, call.arguments) for call in calls] == asked
    assert said.strip() == "One moment, 3 < 5 holds."


def hermes() -> Any:
    plain = ("<tool_call>", "</tool_call>", "<think>", "</think>")
    return tokenizer([WRITERS["hermes"](MESSAGE)], TEMPLATE, plain, ("<|im_start|>", "<|im_end|>"))


@pytest.mark.parametrize("skip_special_tokens", [False, True])
def test_the_streamer_s_text_is_read_while_it_comes(skip_special_tokens: bool) -> None:
    made = hermes()
    streamer = transformers.TextIteratorStreamer(
        made, skip_prompt=True, timeout=30, skip_special_tokens=skip_special_tokens
    )
    thread = threading.Thread(target=put(made, WRITERS["hermes"](MESSAGE) + "<|im_end|>", streamer))
    thread.start()
    stream = parse(streamer, provider=text_format(made), tools=schemas(MESSAGE))
    events = list(stream)
    thread.join()
    check(stream.calls, stream.text)
    assert [event.call.id for event in events if isinstance(event, ToolCallEnd)] == ["call_0", "call_1"]
    assert stream.stop_reason == (None if skip_special_tokens else "<|im_end|>")


def test_so_is_the_async_streamer_s() -> None:
    made = hermes()

    async def read() -> None:
        streamer = transformers.AsyncTextIteratorStreamer(made, skip_prompt=True, timeout=30)
        thread = threading.Thread(target=put(made, WRITERS["hermes"](MESSAGE), streamer))
        thread.start()
        stream = parse(streamer, provider="hermes")
        async for _ in stream:
            pass
        thread.join()
        check(stream.calls, stream.text)

    asyncio.run(read())


def test_a_tokenizer_tells_its_format_its_special_tokens_and_open_reasoning() -> None:
    found = text_format(hermes())
    assert (found.name, found.special, found.prefill) == ("hermes", (), "")
    thinking = hermes()
    thinking.chat_template = TEMPLATE.replace("assistant\n", "assistant\n<think>\n")
    assert text_format(thinking).prefill == "<think>\n"
    lfm2 = tokenizer(["f"], "{# <|tool_call_start|> #}", (), ("<|tool_call_start|>", "<|tool_call_end|>"))
    assert text_format(lfm2).special == ("<|tool_call_start|>", "<|tool_call_end|>")


def test_the_message_goes_back_through_the_template() -> None:
    made = hermes()
    made.chat_template = "{# <tool_call> #}{% for m in messages %}{{ m.role }}{{ m.tool_calls | tojson }}{% endfor %}"
    stream = parse([WRITERS["hermes"](MESSAGE)], provider=text_format(made))
    list(stream)
    rendered = made.apply_chat_template([stream.message], tokenize=False)
    assert json.loads(rendered.removeprefix("assistant"))[1]["function"] == {"name": "get_time", "arguments": {}}


# ---------------------------------------------------------------------- generate

TASK: Message = [Asked("write_file", {"path": "notes/tides.md", "lines": 3, "content": "High water at 06:12.\n" * 8})]
DELAY = 30
"""Seconds that anything here waits for anything else before it fails."""


def coder() -> Any:
    """A tokenizer whose template shows Qwen3-Coder's tags."""
    template = TEMPLATE.replace("<tool_call>", "<tool_call><function=f><parameter=p>")
    return tokenizer([WRITERS["qwen3_coder"](TASK)], template, ("<tool_call>", "</tool_call>"), ("<|im_start|>",))


def prompt(made: Any) -> dict[str, Any]:
    question = [{"role": "user", "content": "When is high water?"}]
    inputs = made.apply_chat_template(question, add_generation_prompt=True, return_tensors="pt", return_dict=True)
    return {name: inputs[name] for name in ("input_ids", "attention_mask")}


@pytest.mark.parametrize("format", ["hermes", "qwen3_coder", "lfm2", "kimi_k2", "gemma4"])
def test_what_a_llama_generates_is_read_while_it_writes(format: str) -> None:
    whole = WRITERS[format](MESSAGE)
    made = tokenizer([whole], TEMPLATE)
    streamer = transformers.TextIteratorStreamer(made, skip_prompt=True, timeout=DELAY)
    thread = writing(llama(made), made, whole, streamer, **prompt(made))
    thread.start()
    # The turn's end of this tokenizer may be another one than that of the format.
    own = text_format(WRITERS[format](MESSAGE) + "{{ messages }}\n")
    assert own.name == format
    stream = parse(without_turn_end(streamer), provider=own, tools=schemas(MESSAGE))
    events = list(stream)
    thread.join()
    check(stream.calls, stream.text)
    assert isinstance(events[-1], MessageEnd)
    assert events[-1].safe


def without_turn_end(streamer: Any) -> Any:
    for piece in streamer:
        yield piece.replace(TURN_END, "")


def test_what_a_smolvlm_says_of_an_image_is_read_while_it_writes() -> None:
    calls: Message = [Asked("find_recipe", {"ingredients": ["eggs", "leek"], "course": "dinner"})]
    template = TEMPLATE.replace("{{ message.content }}", IMAGE + "{{ message.content }}")
    made = tokenizer([WRITERS["json_list"](calls)], template, (), (IMAGE,))
    inputs = prompt(made)
    assert (inputs["input_ids"] == made.convert_tokens_to_ids(IMAGE)).sum() == 1
    streamer = transformers.TextIteratorStreamer(made, skip_prompt=True, timeout=DELAY)
    thread = writing(smolvlm(made), made, WRITERS["json_list"](calls), streamer, pixel_values=image(), **inputs)
    thread.start()
    stream = parse(streamer, provider="json_list", tools=schemas(calls))
    fields = [event.value for event in stream if isinstance(event, FieldComplete)]
    thread.join()
    assert fields == [["eggs", "leek"], "dinner"]
    assert [call.state for call in stream.calls] == ["committed"]
    assert stream.stop_reason == TURN_END


class Reader:
    """A tool that is written to while the model writes, and the model's pause until it has something."""

    def __init__(self) -> None:
        self.has_read = threading.Event()
        self.given: list[Any] = []

    def pause(self, last: int) -> Callable[[int], None]:
        """For the model: before its last token it waits until the tool has a part of the text."""
        return lambda step: None if step < last else self.wait()

    def wait(self) -> None:
        assert self.has_read.wait(DELAY), "the tool had nothing before the call's end"


def test_a_streamed_parameter_is_filled_while_the_model_generates() -> None:
    made, reader = coder(), Reader()
    (call,) = TASK
    assert isinstance(call, Asked)

    async def write_file(path: str, lines: int, content: Streamed[str]) -> int:
        reader.given += [path, lines]
        async for piece in content:
            reader.given.append(piece)
            reader.has_read.set()
        return lines

    async def read() -> Any:
        whole = WRITERS["qwen3_coder"](TASK)
        streamer = transformers.AsyncTextIteratorStreamer(made, skip_prompt=True, timeout=DELAY)
        pause = reader.pause(len(made.encode(whole)) - 1)
        thread = writing(llama(made), made, whole, streamer, before=pause, **prompt(made))
        thread.start()
        run = toolstream.dispatch(streamer, [write_file], provider=text_format(made))
        (result,) = await run
        thread.join()
        return result

    result = asyncio.run(read())
    assert (result.status, result.value) == ("ok", 3)
    assert reader.given[:2] == ["notes/tides.md", 3]
    assert "".join(reader.given[2:]) == call.arguments["content"]


def test_so_is_a_thread_s() -> None:
    made, reader = coder(), Reader()

    def write_file(path: str, lines: int, content: Streamed[str]) -> str:
        pieces = []
        for piece in content:
            pieces.append(piece)
            reader.has_read.set()
        return f"{lines} {len(''.join(pieces))}"

    whole = WRITERS["qwen3_coder"](TASK)
    streamer = transformers.TextIteratorStreamer(made, skip_prompt=True, timeout=DELAY)
    pause = reader.pause(len(made.encode(whole)) - 1)
    thread = writing(llama(made), made, whole, streamer, before=pause, **prompt(made))
    thread.start()
    (result,) = toolstream.dispatch_sync(streamer, [write_file], provider=text_format(made)).wait()
    thread.join()
    assert (result.status, result.value) == ("ok", "3 168")


def test_a_text_that_generation_cut_short_starts_no_call_for_good() -> None:
    made = hermes()
    whole = WRITERS["hermes"]([Asked("get_weather", {"city": "São Paulo"})])[:-25]
    streamer = transformers.TextIteratorStreamer(made, skip_prompt=True, timeout=DELAY, skip_special_tokens=True)
    thread = writing(llama(made), made, whole, streamer, **prompt(made))
    thread.start()
    stream = parse(streamer, provider="hermes")
    with pytest.raises(toolstream.IncompleteError):
        list(stream)
    thread.join()
    assert [call.state for call in stream.calls] == ["void"]
