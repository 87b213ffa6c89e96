"""OpenAI Chat Completions, and the many servers that speak it in their own way.

https://platform.openai.com/docs/api-reference/chat-streaming
What is peculiar about other servers is named where it is dealt with; which fragment belongs to which call is the
assembler's business (`Assembler.entry`).
"""

from __future__ import annotations

from typing import Any

from ..assembler import UNCERTAIN, Assembler, StopKind
from ..calls import ToolCall, joined
from ..lane import Repeat
from ..usage import Usage
from .common import merged, provider_error
from .openai_chat_message import KEPT, THOUGHTS, WORDS, Part, add_part, call_entry, joined_member, thought

STOP_KINDS: dict[str | None, StopKind] = {
    "tool_calls": "tools",
    "function_call": "tools",
    "stop": "natural",  # OpenAI's own word after a call that tool_choice had named
    "length": "length",
    "content_filter": "filter",
    # Other servers' own words, and those of the providers behind a gateway; case does not count.
    "tool_use": "tools",
    "eos": "natural",
    "eos_token": "natural",
    "end_turn": "natural",
    "max_tokens": "length",
    "max_output_tokens": "length",
    "model_length": "length",
    "model_context_window_exceeded": "length",
    "insufficient_system_resource": "length",
    "safety": "filter",
    "sensitive": "filter",
    "abort": "error",
    "error": "error",
    "network_error": "error",
}
# OpenRouter says tool_calls also where the arguments were cut; the word of the provider behind it tells.
NATIVE_LENGTH = {"length", "max_tokens", "max_output_tokens", "MAX_TOKENS"}
# Reasoning text, by the servers' names for it; one delta may hold the same text under two of them.
REASONING = ("reasoning_content", "reasoning", "reasoning_text")
# What is known of a choice.
SEEN, STOPPED = 1, 2  # it has come; it has had its finish_reason
HAS_DELTAS = 4  # its message, where there is one too, only repeats
# The place of the one call that a function_call tells of; it has none of its own.
FUNCTION = -1


class More:
    """What few messages hold; each is made when something comes to be in it.

    known: what is known of other choices than the first. parts: Mistral's and Databricks' content, once they reason.
    beside: what the next request must repeat beside a call. function: the call of a function_call. audio: its id.
    stops: by choice, why it stops, where a call was not whole then; Open WebUI says stop behind each fragment of one.
    """

    __slots__ = ("audio", "beside", "function", "known", "parts", "stops")

    def __init__(self) -> None:
        self.known: dict[int, int] | None = None
        self.parts: list[Part] | None = None
        self.beside: dict[ToolCall, dict[str, Any]] | None = None
        self.function: ToolCall | None = None
        self.audio: str | None = None
        self.stops: dict[int, tuple[str, StopKind]] | None = None


NO_MORE = More()  # to be read only


class OpenAIChat:
    __slots__ = ("_calls", "_content", "_kept", "_known", "_more")

    name = "openai-chat"
    ignored: tuple[str, ...] = ("obfuscation", "p")

    def __init__(self) -> None:
        self._known = 0  # of the first choice: an or of SEEN, STOPPED, HAS_DELTAS
        # The message, of the first choice.
        self._content: list[str] | None = None
        self._kept: dict[str, list[Any]] | None = None
        self._calls: ToolCall | dict[ToolCall, None] | None = None  # mostly there is one
        self._more = NO_MORE

    def _own_more(self) -> More:
        """`_more`, to be written to."""
        if self._more is NO_MORE:
            self._more = More()
        return self._more

    @classmethod
    def recognises(cls, event: dict[str, Any]) -> bool:
        kind = event.get("object")
        return kind == "chat.completion.chunk" or (isinstance(event.get("choices"), list) and kind != "text_completion")

    def handle(self, event: dict[str, Any], assembler: Assembler) -> None:
        choices = event.get("choices")
        # Azure's first chunk has no choices, and empty strings for id and model.
        if not assembler.started and (choices or event.get("id") or event.get("model")):
            assembler.message_start(event.get("id"), event.get("model"))
        # The counts first, since a stop reason may raise.
        groq = event.get("x_groq") or {}
        usage = event.get("usage") or groq.get("usage")
        if usage:
            self._add_usage(usage, assembler)
        if choices:
            for choice in choices:
                self._choice(choice, assembler)
        # OpenRouter sends an error beside a choice that stops for it; vLLM's was once the event itself.
        if event.get("error") or "error" in (event.get("object"), event.get("type")):
            assembler.fail(provider_error(event), _stop_reason(choices))
        if groq.get("error"):
            assembler.fail(provider_error(groq), _stop_reason(choices))
        status = event.get("base_resp")
        if status and status.get("status_code"):  # MiniMax, behind a status of 200
            assembler.fail(provider_error(event), _stop_reason(choices))
        if choices:
            for choice in choices:
                self._finish(choice, assembler)

    def repeats(self, event: dict[str, Any], assembler: Assembler) -> Repeat | None:
        choices = event.get("choices")
        if not choices or len(choices) != 1 or event.get("usage") or event.get("error"):
            return None
        choice = choices[0]
        index, delta = choice.get("index") or 0, choice.get("delta")
        if not delta or choice.get("finish_reason") or choice.get("usage"):
            return None
        entries = delta.get("tool_calls")
        if entries:
            if isinstance(entries, dict):
                return None
            return self._repeated_entry(index, entries, assembler) if len(delta) == len(entries) == 1 else None
        said = {name for name, value in delta.items() if value and name != "role"}
        if index == 0 and said == {"content"} and isinstance(delta["content"], str) and not self._more.parts:
            keep = (assembler.texts, self._content or [])
            return Repeat("content", delta["content"], None, index, keep)
        if index == 0 and len(said) == 1 and said <= set(REASONING):
            (name,) = said
            return Repeat(name, delta[name], None, index, ((self._kept or {})[name],), reasoning=True)
        return None

    def _repeated_entry(self, index: int, entries: list[Any], assembler: Assembler) -> Repeat | None:
        entry = entries[0]
        function = entry.get("function") or {}
        if entry.get("id") or function.get("id") or function.get("name") or not isinstance(entry.get("index"), int):
            return None
        if "extra_content" in entry:
            return None
        call, arguments = assembler.call_at(index, entry["index"]), function.get("arguments")
        if call is None or not isinstance(arguments, str):
            return None
        # Some servers repeat all so far in each fragment.
        return Repeat("arguments", arguments, call, watchful=True)

    def end(self, assembler: Assembler, done: bool) -> None:
        # Some servers send no [DONE], others no finish_reason; one of them there must be.
        seen = [known for known in (self._known, *(self._more.known or {}).values()) if known & SEEN]
        stops = self._more.stops or {}
        has_stopped = bool(seen) and all(known & STOPPED for known in seen)
        if done or (has_stopped and all(kind == "tools" for _, kind in stops.values())):
            for index, (reason, kind) in stops.items():
                assembler.stop(reason, kind, index)
            assembler.end()
        else:
            assembler.break_off("the stream ended without finish_reason and [DONE]")

    def _known_of(self, index: int) -> int:
        return self._known if index == 0 else (self._more.known or {}).get(index, 0)

    def _choice(self, choice: dict[str, Any], assembler: Assembler) -> None:
        index = choice.get("index") or 0
        # Writer has sent message for delta, Perplexity sends both; Azure's content filter sends neither.
        delta = choice.get("delta")
        if delta is None and not self._known_of(index) & HAS_DELTAS:
            delta = choice.get("message")
        if delta:
            self._delta(index, delta, assembler)
        if choice.get("usage"):  # Moonshot
            self._add_usage(choice["usage"], assembler)

    def _finish(self, choice: dict[str, Any], assembler: Assembler) -> None:
        index, reason, delta = choice.get("index") or 0, choice.get("finish_reason"), choice.get("delta")
        known = self._known_of(index) | SEEN | (STOPPED if reason else 0) | (HAS_DELTAS if delta else 0)
        if delta and delta.get("tool_calls") and not reason:
            known &= ~STOPPED  # a reason that came before was none
        if index == 0:
            self._known = known
        else:
            more = self._own_more()
            more.known = more.known or {}
            more.known[index] = known
        if choice.get("error"):
            assembler.fail(provider_error(choice), reason)
        if reason:
            native = choice.get("native_finish_reason")
            kind = "length" if native in NATIVE_LENGTH else STOP_KINDS.get(reason.lower(), "other")
            self._stop(index, reason, kind, assembler)

    def _stop(self, index: int, reason: str, kind: StopKind, assembler: Assembler) -> None:
        if kind not in UNCERTAIN and assembler.awaits_more(index):
            more = self._own_more()
            more.stops = {**(more.stops or {}), index: (reason, kind)}
            assembler.stop_reason = reason if index == 0 else assembler.stop_reason
            return
        if self._more.stops:
            self._more.stops.pop(index, None)
        assembler.stop(reason, kind, index)

    def _delta(self, index: int, delta: dict[str, Any], assembler: Assembler) -> None:
        entries = delta.get("tool_calls")
        if not entries or len(delta) > 1:
            self._words(index, delta, assembler)
        if entries:
            for entry in (entries,) if isinstance(entries, dict) else entries:  # TGI has sent one alone
                self._entry(index, entry, assembler)

    def _words(self, index: int, delta: dict[str, Any], assembler: Assembler) -> None:
        """What a delta holds beside tool_calls; where it has both, the model has said it before."""
        for name in REASONING:
            reasoning = delta.get(name)
            if reasoning:
                break
        else:
            details = delta.get("reasoning_details")
            reasoning = _minimax_reasoning(details) if details else None
        if reasoning:
            assembler.end_whole(index)
            assembler.reasoning_delta(reasoning, index)
        content = delta.get("content")
        if content is not None:
            self._say(index, content, assembler)
        if delta.get("refusal"):
            assembler.text_delta(delta["refusal"], index, aside=index != 0)
        function = delta.get("function_call") or {}  # the predecessor of tool_calls: one call, without id and index
        if function.get("name") or function.get("arguments"):
            call = assembler.entry(index, FUNCTION, None, function.get("name"), function.get("arguments"))
            if index == 0:
                self._own_more().function = call
        if index == 0:
            self._keep(delta)

    def _entry(self, index: int, entry: dict[str, Any], assembler: Assembler) -> None:
        custom = entry.get("custom")
        function = custom or entry.get("function") or {}
        # llama.cpp once put the id inside function; mistralai's client writes "null" for none.
        id = entry.get("id") or function.get("id")
        id = None if id == "null" else str(id) if isinstance(id, int) else id
        arguments = function.get("input" if custom else "arguments")
        call = assembler.entry(index, entry.get("index"), id, function.get("name"), arguments, free_text=bool(custom))
        if call is None or index != 0:
            return
        self._add_call(call)
        if "extra_content" in entry:  # Gemini's thought signature
            more = self._own_more()
            more.beside = more.beside or {}
            more.beside[call] = {"extra_content": entry["extra_content"]}

    def _add_call(self, call: ToolCall) -> None:
        if self._calls is None:
            self._calls = call
        elif isinstance(self._calls, dict):
            self._calls[call] = None
        elif self._calls is not call:
            self._calls = {self._calls: None, call: None}

    def _say(self, index: int, content: str | list[dict[str, Any]], assembler: Assembler) -> None:
        if content:
            assembler.end_whole(index)
        if isinstance(content, str):
            assembler.text_delta(content, index, aside=index != 0)
            content = [{"type": "text", "text": content}]
        else:
            for part in content:
                if part["type"] in THOUGHTS:
                    assembler.reasoning_delta(thought(part)[0], index)
                elif part["type"] in WORDS:
                    assembler.text_delta(part.get("text") or "", index, aside=index != 0)
            more = self._own_more()
            more.parts = more.parts or [Part("text", self._content or [])]
        if index == 0 and self._more.parts:
            for part in content:
                add_part(self._more.parts, part)
        elif index == 0:
            self._content = self._content or []
            self._content.append(content[0]["text"])

    # ------------------------------------------------------------------ usage

    def _add_usage(self, usage: dict[str, Any], assembler: Assembler) -> None:
        raw = merged(assembler.raw_usage, usage)
        prompt, output = raw.get("prompt_tokens"), raw.get("completion_tokens")
        read = raw.get("prompt_tokens_details") or {}
        reasoning = (raw.get("completion_tokens_details") or {}).get("reasoning_tokens")
        # xAI counts reasoning beside the completion; the total tells.
        if prompt and output is not None and reasoning and raw.get("total_tokens") == prompt + output + reasoning:
            output += reasoning
        cached = _first(
            read.get("cached_tokens"),
            raw.get("prompt_cache_hit_tokens"),  # DeepSeek
            raw.get("cached_tokens"),  # Together
            raw.get("cache_read_input_tokens"),  # Databricks
        )
        written = _first(
            read.get("cache_write_tokens"),  # OpenRouter
            read.get("cache_creation_tokens"),  # LiteLLM
            read.get("cache_creation_input_tokens"),  # DashScope
            raw.get("cache_creation_input_tokens"),  # Databricks
        )
        if prompt is not None and (cached or 0) + (written or 0) > prompt:  # a bridge that counts them beside it
            prompt += (cached or 0) + (written or 0)
        assembler.usage_update(
            Usage(
                input_tokens=prompt,
                output_tokens=output,
                cache_read_tokens=cached,
                cache_write_tokens=written,
                reasoning_tokens=reasoning,
                raw=raw,
            )
        )

    # ------------------------------------------------------------------ the message

    def _keep(self, delta: dict[str, Any]) -> None:
        for name, value in delta.items():
            if not value:
                continue
            if name in KEPT:
                self._kept = self._kept or {}
                self._kept.setdefault(name, []).append(value)
            elif name == "audio":
                more = self._own_more()
                more.audio = value.get("id") or more.audio

    def message(self, assembler: Assembler) -> dict[str, Any]:
        """The first choice's message as the next request must contain it."""
        message: dict[str, Any] = {"role": "assistant", "content": self._message_content()}
        for name, values in (self._kept or {}).items():
            message[name] = joined_member(values)
        beside = self._more.beside or {}
        calls = (self._calls,) if isinstance(self._calls, ToolCall) else self._calls
        if calls:
            message["tool_calls"] = [{**call_entry(call), **beside.get(call, {})} for call in calls if call.name]
        function, audio = self._more.function, self._more.audio
        if function is not None:
            message["function_call"] = {"name": function.name, "arguments": function.text or "{}"}
        if audio is not None:
            message["audio"] = {"id": audio}
        return message

    def _message_content(self) -> str | list[dict[str, Any]] | None:
        parts = self._more.parts
        if not parts:
            return None if self._content is None else joined(self._content)
        content = (part.content() for part in parts)
        return [part for part in content if part is not None]


def _stop_reason(choices: list[dict[str, Any]] | None) -> str | None:
    return choices[0].get("finish_reason") if choices else None


def _first(*counts: int | None) -> int | None:
    return next((count for count in counts if count is not None), None)


def _minimax_reasoning(details: list[dict[str, Any]]) -> str:
    """What MiniMax tells of its reasoning nowhere else, in pieces: https://github.com/MiniMax-AI/MiniMax-M2/issues/95."""
    ours = (detail for detail in details if str(detail.get("format")).startswith("MiniMax"))
    return "".join(detail.get("text") or "" for detail in ours)
