"""The wire formats: their adapters by name, and how a stream's format is recognised.

A new format is one module here and one line in `_ALL`; a server of a known format is one name in a list. Who writes an
adapter outside of this package finds here what it needs (docs/adding-a-provider.md).
"""

from __future__ import annotations

from typing import Any

from ..assembler import Assembler, StopKind
from ..lane import Repeat
from .ag_ui import AGUI
from .ai_sdk_ui import AISDKUI
from .anthropic import Anthropic
from .bedrock_converse import BedrockConverse
from .bedrock_invoke import BedrockInvoke, InvokedChat, InvokedNova
from .cohere import CohereV2
from .common import Adapter, MergedObject, find_error, merged, provider_error
from .gemini import Gemini
from .gemini_interactions import GeminiInteractions
from .gemini_live import GeminiLive
from .langchain import LangChain
from .ollama import Ollama
from .openai_chat import OpenAIChat
from .openai_realtime import OpenAIRealtime
from .openai_responses import OpenAIResponses
from .pydantic_ai import PydanticAI

# No two of them recognise the same first event, so the order is free: each is asked in turn, the commonest first.
_ALL: tuple[type[Adapter], ...] = (
    Anthropic,
    OpenAIChat,
    OpenAIResponses,
    Gemini,
    BedrockConverse,
    BedrockInvoke,
    CohereV2,
    GeminiInteractions,
    GeminiLive,
    Ollama,
    OpenAIRealtime,
    AISDKUI,
    AGUI,
    LangChain,
    PydanticAI,
)
ADAPTERS: dict[str, type[Adapter]] = {adapter.name: adapter for adapter in _ALL}
# Servers that speak OpenAI's formats, each in its own way; which of them, the first event tells.
# fmt: off
OPENAI_SERVERS = (
    "openai", "avian", "azure", "cerebras", "cloudflare", "copilot", "dashscope", "databricks", "deepinfra",
    "deepseek", "doubleword", "fireworks", "github", "gpustack", "groq", "huggingface", "litellm", "llama.cpp",
    "lmstudio", "minimax", "mistral", "mistral.rs", "moonshot", "nebius", "novita", "nvidia", "openrouter",
    "perplexity", "qwen", "sambanova", "sglang", "siliconflow", "snowflake", "stepfun", "tgi", "together",
    "venice", "vercel", "vllm", "volcengine", "watsonx", "writer", "xai", "zai",
)
# fmt: on
# Names that leave a choice to the first event.
FAMILIES: dict[str, list[type[Adapter]]] = {
    "auto": [*ADAPTERS.values(), InvokedChat, InvokedNova],
    "bedrock": [BedrockConverse, BedrockInvoke, InvokedChat, InvokedNova],
    **{name: [OpenAIChat, OpenAIResponses, OpenAIRealtime] for name in OPENAI_SERVERS},
}


def candidates(provider: Any) -> list[type[Adapter]] | Adapter:
    """What a `provider` argument leaves open: adapter classes to choose from, or the adapter itself.

    Raises `ValueError` for an unknown name, `TypeError` for what is no adapter.
    """
    if isinstance(provider, str):
        if provider in FAMILIES:
            return FAMILIES[provider]
        if provider in ADAPTERS:
            return ADAPTERS[provider]()
        return _text_adapter(provider)
    adapter: Adapter = provider() if isinstance(provider, type) else provider
    if all(hasattr(adapter, name) for name in ("name", "recognises", "handle", "end", "message")):
        return adapter
    return _text_adapter(provider)


def _text_adapter(provider: Any) -> Adapter:
    """The adapter of a text format, which is given or named."""
    # Most streams are no text, and making the formats would cost each user a third of this package's import.
    import difflib

    from ..text_formats import ANY, FORMATS, TextAdapter, TextFormat

    if isinstance(provider, TextFormat):
        return TextAdapter(provider)
    if not isinstance(provider, str):
        raise TypeError(f"{provider!r} is no provider's name and no adapter")
    if provider == ANY.name:
        return TextAdapter(ANY)
    if provider in FORMATS:
        return TextAdapter(FORMATS[provider])
    known = (*FAMILIES, *ADAPTERS, ANY.name, *FORMATS)
    close = difflib.get_close_matches(provider, known, n=1)
    meant = f" (did you mean {close[0]!r}?)" if close else ""
    raise ValueError(f"unknown provider {provider!r}{meant}; known: {', '.join(map(repr, known))}")


def reads_text(adapter: Any) -> bool:
    """Whether this is a text format's adapter, which takes a model's raw text."""
    return getattr(adapter, "framing", None) == "text"


def recognise(event: dict[str, Any], among: list[type[Adapter]]) -> type[Adapter] | None:
    """The adapter of the stream that begins with event; None if none of them knows it."""
    for adapter in among:
        if adapter.recognises(event):
            return adapter
    return None


__all__ = [
    "ADAPTERS",
    "FAMILIES",
    "Adapter",
    "Assembler",
    "MergedObject",
    "Repeat",
    "StopKind",
    "candidates",
    "find_error",
    "merged",
    "provider_error",
    "reads_text",
    "recognise",
]
