"""A local model that looks at an image and calls tools: its raw text is read while it writes, and the loop goes on.

    python examples/local_agent.py

So that it runs anywhere, the model here is `Script`, which writes two prepared answers piece by piece from a thread, as
`transformers.TextIteratorStreamer` gives them. With a real SmolVLM2 two lines change, in `generate`:

    streamer = TextIteratorStreamer(processor.tokenizer, skip_prompt=True)
    Thread(target=model.generate, kwargs={**inputs(conversation), "streamer": streamer}).start()

where `inputs` is `processor.apply_chat_template` with `tokenize=True, return_dict=True, return_tensors="pt"`.

SmolVLM2 has no tool template: its system prompt asks for a JSON list of calls, which is the format "json_list".
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from queue import Queue
from threading import Thread
from typing import Any

import toolstream

IMAGE = {"type": "image", "url": "fridge.jpg"}
SYSTEM = "Answer, or call tools with nothing but a JSON list: " + json.dumps([{"name": "…", "arguments": {}}])


class Script:
    """Stands for a model and its streamer: writes an answer from a thread, word by word."""

    def __init__(self, answer: str) -> None:
        self._pieces: Queue[str | None] = Queue()
        self._answer = answer

    def write(self) -> None:
        for word in self._answer.split(" "):
            self._pieces.put(word + " ")
        self._pieces.put(None)

    def __iter__(self) -> Iterator[str]:
        while (piece := self._pieces.get()) is not None:
            yield piece


ANSWERS = iter(
    [
        '[{"name": "find_recipe", "arguments": {"ingredients": ["eggs", "leek", "cream"], "course": "dinner"}}]',
        "A leek quiche: you have all it takes.",
    ]
)


def find_recipe(ingredients: list[str], course: str) -> str:
    return f"{course}: quiche with {', '.join(ingredients)}"


TOOLS = {"find_recipe": find_recipe}


def generate(conversation: list[dict[str, Any]]) -> Iterator[str]:
    """The model's answer, as it comes."""
    streamer = Script(next(ANSWERS))
    Thread(target=streamer.write).start()
    return iter(streamer)


def answer(conversation: list[dict[str, Any]]) -> bool:
    """Lets the model write one message; True if it has called tools, whose results are in the conversation now."""
    stream = toolstream.parse(generate(conversation), provider="json_list", tools=list(TOOLS.values()))
    results = []
    for event in stream:
        match event:
            case toolstream.TextDelta(text=text):
                print(text, end="")
            case toolstream.FieldComplete(call=toolstream.ToolCall() as call, path=(str() as key,), value=value):
                print(f"{call.name}: {key} = {value}")
            case toolstream.ToolCallEnd(call=call):
                found = TOOLS[call.name](**call.arguments)
                print(f"{call.name} -> {found}")
                results.append({"role": "tool", "tool_call_id": call.id, "content": found})
    conversation += [stream.message, *results]
    return bool(results)


def main() -> None:
    question = {"role": "user", "content": [IMAGE, {"type": "text", "text": "What can I cook tonight?"}]}
    conversation = [{"role": "system", "content": SYSTEM}, question]
    while answer(conversation):
        pass
    print()


if __name__ == "__main__":
    main()
