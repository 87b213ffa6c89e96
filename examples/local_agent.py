"""A local model looks at an image and calls tools: its raw text is read while it writes, and the loop goes on.

    python examples/local_agent.py

Needs `toolstream[local]`. So that it runs anywhere, the model is a SmolVLM2 of random weights that writes two prepared
answers (`tiny/smolvlm2.py`). With the real weights two lines change, and nothing else (their processor also needs
torchvision and num2words):

    PROCESSOR = transformers.AutoProcessor.from_pretrained("HuggingFaceTB/SmolVLM2-2.2B-Instruct")
    MODEL = transformers.AutoModelForImageTextToText.from_pretrained("HuggingFaceTB/SmolVLM2-2.2B-Instruct")

SmolVLM2 has no tool template: its system prompt asks for a JSON list of calls, which is the format "json_list", and
what it has written goes back into the conversation as text.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from threading import Thread
from typing import Any

import transformers
from PIL import Image, ImageDraw
from tiny import smolvlm2

import toolstream

ANSWERS = (
    '[{"name": "find_recipe", "arguments": {"ingredients": ["eggs", "leek", "cream"], "course": "dinner"}}]',
    "A leek quiche: you have all it takes.",
)
PROCESSOR: Any = smolvlm2.Processor()
MODEL: Any = smolvlm2.Model(PROCESSOR.tokenizer, ANSWERS)

SYSTEM = """Answer, or call tools with nothing but a JSON list: [{"name": "…", "arguments": {…}}]
The tools: find_recipe(ingredients: list[str], course: str)"""


def find_recipe(ingredients: list[str], course: str) -> str:
    return f"{course}: quiche with {', '.join(ingredients)}"


TOOLS = {"find_recipe": find_recipe}


def fridge() -> Image.Image:
    """The image; one of your own is `Image.open(path)`."""
    image = Image.new("RGB", (384, 384), "white")
    draw = ImageDraw.Draw(image)
    draw.rectangle((150, 60, 180, 330), fill="green")  # a leek
    for left in (220, 260, 300):
        draw.ellipse((left, 280, left + 36, 330), fill="bisque", outline="black")  # eggs
    return image


def message(role: str, text: str, *images: Image.Image) -> dict[str, Any]:
    parts = [{"type": "image", "image": image} for image in images]
    return {"role": role, "content": [*parts, {"type": "text", "text": text}]}


def generate(conversation: list[dict[str, Any]]) -> Iterable[str]:
    """The model's answer, as it comes."""
    inputs = PROCESSOR.apply_chat_template(
        conversation, add_generation_prompt=True, tokenize=True, return_dict=True, return_tensors="pt"
    )
    streamer: Iterable[str] = transformers.TextIteratorStreamer(PROCESSOR.tokenizer, skip_prompt=True)
    options = {"streamer": streamer, "max_new_tokens": 500, "do_sample": False}
    Thread(target=MODEL.generate, kwargs={**inputs, **options}).start()
    return streamer


def answer(conversation: list[dict[str, Any]]) -> bool:
    """Lets the model write one message; True if it has called tools, whose results are in the conversation now."""
    written: list[str] = []

    def kept() -> Iterator[str]:
        for piece in generate(conversation):
            written.append(piece)
            yield piece

    stream = toolstream.parse(kept(), provider="json_list", tools=list(TOOLS.values()))
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
                results.append(message("user", f"{call.name} has found: {found}"))
    whole = "".join(written).removesuffix(stream.stop_reason or "")  # the template writes the turn's end itself
    conversation += [message("assistant", whole), *results]
    return bool(results)


def main() -> None:
    conversation = [message("system", SYSTEM), message("user", "What can I cook tonight?", fridge())]
    while answer(conversation):
        pass
    print()


if __name__ == "__main__":
    main()
