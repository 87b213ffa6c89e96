"""AWS Bedrock InvokeModelWithResponseStream: a model's own events, each wrapped as bytes.

https://docs.aws.amazon.com/bedrock/latest/APIReference/API_runtime_InvokeModelWithResponseStream.html
boto3 gives `{"chunk": {"bytes": b"…"}}`; on the wire the bytes are base64. What they hold depends on the model's maker:
Anthropic's Messages, OpenAI's Chat Completions (gpt-oss, Qwen, DeepSeek, Jamba, Palmyra, …) or, of Nova, the events of
ConverseStream. The latter two are those formats but for the wrapper, and have their names, since a request's messages
are of that shape. Anthropic events whose wrapper somebody has taken off already are told from Anthropic's own by the id
that Bedrock gives the message.
"""

from __future__ import annotations

import base64
from typing import Any

from ..assembler import Assembler
from ..framing import loads
from .anthropic import Anthropic, is_of_bedrock
from .bedrock_converse import BedrockConverse
from .common import find_error
from .openai_chat import OpenAIChat

METRICS = "amazon-bedrock-invocationMetrics"
# What the last event's metrics count, by the names that the events themselves use, whose counts go first.
COUNTS = {
    "inputTokenCount": "input_tokens",
    "outputTokenCount": "output_tokens",
    "cacheReadInputTokenCount": "cache_read_input_tokens",
    "cacheWriteInputTokenCount": "cache_creation_input_tokens",
}


class BedrockInvoke(Anthropic):
    name = "bedrock-invoke"

    @classmethod
    def recognises(cls, event: dict[str, Any]) -> bool:
        inner = unwrapped(event)
        return is_of_bedrock(event) if inner is None else is_of_bedrock(inner) or super().recognises(inner)

    def handle(self, event: dict[str, Any], assembler: Assembler) -> None:
        inner = unwrapped(event) or event
        metrics = inner.get(METRICS)
        if metrics:
            counts = {name: metrics[theirs] for theirs, name in COUNTS.items() if theirs in metrics}
            self._add_usage({**counts, **assembler.raw_usage, METRICS: metrics}, assembler)
        if "type" in inner:
            super().handle(inner, assembler)
            return
        error = find_error(inner)
        if error is not None:
            assembler.fail(error)


class InvokedChat(OpenAIChat):
    __slots__ = ()

    @classmethod
    def recognises(cls, event: dict[str, Any]) -> bool:
        inner = unwrapped(event)
        return inner is not None and super().recognises(inner)

    def handle(self, event: dict[str, Any], assembler: Assembler) -> None:
        inner = unwrapped(event)
        if inner is None:
            error = find_error(event)
            if error is not None:
                assembler.fail(error)
            return
        for choice in inner.get("choices") or ():
            choice.setdefault("finish_reason", choice.get("stop_reason"))  # Mistral's
        super().handle(inner, assembler)
        metrics = inner.get(METRICS)
        if metrics:
            counts = {
                "prompt_tokens": metrics.get("inputTokenCount"),
                "completion_tokens": metrics.get("outputTokenCount"),
            }
            self._add_usage({**counts, **assembler.raw_usage, METRICS: metrics}, assembler)


class InvokedNova(BedrockConverse):
    @classmethod
    def recognises(cls, event: dict[str, Any]) -> bool:
        inner = unwrapped(event)
        return inner is not None and super().recognises(inner)

    def handle(self, event: dict[str, Any], assembler: Assembler) -> None:
        super().handle(unwrapped(event) or event, assembler)


def unwrapped(event: dict[str, Any]) -> dict[str, Any] | None:
    """The model's own event in a chunk; None for what is no chunk. Raises `SSEError`, `ValueError` for broken ones."""
    chunk = event.get("chunk")
    if not isinstance(chunk, dict) or "bytes" not in chunk:
        return None
    data = chunk["bytes"]
    return loads(base64.b64decode(data, validate=True) if isinstance(data, str) else data)
