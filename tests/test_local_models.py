"""Text as transformers' own streamers give it, with a real tokenizer that is trained here on a few lines.

No weights and no torch: a model's part is to put token ids into the streamer, which is done here by hand. Needs
`toolstream[local]`; without it these tests are skipped.
"""

from __future__ import annotations

import asyncio
import json
import threading
from collections.abc import Callable
from typing import Any

import pytest
from text_writers import WRITERS, Asked, Message, Said, Thought, schemas

from toolstream import ToolCallEnd, parse, text_format

np = pytest.importorskip("numpy", reason="no transformers: pip install 'toolstream[local]'")
tokenizers = pytest.importorskip("tokenizers", reason="no transformers: pip install 'toolstream[local]'")
transformers = pytest.importorskip("transformers", reason="no transformers: pip install 'toolstream[local]'")

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


def tokenizer(template: str, plain: list[str], special: list[str]) -> Any:
    """A byte-level tokenizer with these markers, of which the special ones can be stripped."""
    trained = tokenizers.ByteLevelBPETokenizer()
    trained.train_from_iterator([WRITERS["hermes"](MESSAGE)], vocab_size=400, show_progress=False)
    made = transformers.PreTrainedTokenizerFast(tokenizer_object=trained._tokenizer, clean_up_tokenization_spaces=False)
    made.add_tokens([tokenizers.AddedToken(token, special=False, normalized=False) for token in plain])
    made.add_tokens([tokenizers.AddedToken(token, special=True, normalized=False) for token in special])
    made.chat_template = template
    return made


def generate(made: Any, whole: str, streamer: Any) -> Callable[[], None]:
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
    return tokenizer(TEMPLATE, ["<tool_call>", "</tool_call>", "<think>", "</think>"], ["<|im_start|>", "<|im_end|>"])


@pytest.mark.parametrize("skip_special_tokens", [False, True])
def test_the_streamer_s_text_is_read_while_it_comes(skip_special_tokens: bool) -> None:
    made = hermes()
    streamer = transformers.TextIteratorStreamer(
        made, skip_prompt=True, timeout=30, skip_special_tokens=skip_special_tokens
    )
    thread = threading.Thread(target=generate(made, WRITERS["hermes"](MESSAGE) + "<|im_end|>", streamer))
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
        thread = threading.Thread(target=generate(made, WRITERS["hermes"](MESSAGE), streamer))
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
    lfm2 = tokenizer("{# <|tool_call_start|> #}", [], ["<|tool_call_start|>", "<|tool_call_end|>"])
    assert text_format(lfm2).special == ("<|tool_call_start|>", "<|tool_call_end|>")


def test_the_message_goes_back_through_the_template() -> None:
    made = hermes()
    made.chat_template = "{# <tool_call> #}{% for m in messages %}{{ m.role }}{{ m.tool_calls | tojson }}{% endfor %}"
    stream = parse([WRITERS["hermes"](MESSAGE)], provider=text_format(made))
    list(stream)
    rendered = made.apply_chat_template([stream.message], tokenize=False)
    assert json.loads(rendered.removeprefix("assistant"))[1]["function"] == {"name": "get_time", "arguments": {}}
