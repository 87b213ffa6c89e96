"""Gemini's streamGenerateContent, of the Gemini API and of Vertex AI: each event is a piece of the response.

https://ai.google.dev/api/generate-content#v1beta.GenerateContentResponse
Framed as SSE without an end mark (`alt=sse`), or as the elements of one JSON array. Names are camelCase, in dumps of
google-genai snake_case.
"""

from __future__ import annotations

from typing import Any

from ..assembler import CUTS, Assembler, StopKind
from ..errors import ProviderError
from ..lane import Repeat
from .common import merged, provider_error
from .gemini_content import Turn, normalised, usage_of
from .gemini_live import GeminiLive

# The model has written something that the provider could not read, and which it keeps to itself.
FAILURES = {
    "MALFORMED_FUNCTION_CALL",
    "MALFORMED_RESPONSE",
    "MISSING_THOUGHT_SIGNATURE",
    "TOO_MANY_TOOL_CALLS",
    "UNEXPECTED_TOOL_CALL",
}
# STOP is said of calls as well. The numbers are the same words in dumps of the protocol buffers. For all other reasons
# the reply broke off.
STOP_KINDS: dict[Any, StopKind] = {
    "STOP": "natural",
    "MAX_TOKENS": "length",
    **dict.fromkeys(("SAFETY", "RECITATION", "BLOCKLIST", "PROHIBITED_CONTENT", "SPII", "MODEL_ARMOR"), "filter"),
    **dict.fromkeys(("IMAGE_SAFETY", "IMAGE_PROHIBITED_CONTENT", "IMAGE_RECITATION"), "filter"),
    **dict.fromkeys(FAILURES, "error"),
    1: "natural",
    2: "length",
    3: "filter",
    4: "filter",
}
UNSPECIFIED = (0, "FINISH_REASON_UNSPECIFIED")  # what protocol buffers say for none
# LangChain's chunks have usage_metadata, watsonx's model_version.
SIGNS = {"candidates", "promptFeedback", "prompt_feedback", "usageMetadata"}


class Gemini:
    name = "gemini"
    ignored: tuple[str, ...] = ()

    def __init__(self) -> None:
        self._turns: dict[int, Turn] = {}  # by candidate
        self._stopped: dict[int, bool] = {}  # candidate: whether it has had its finishReason
        self._usage: dict[str, Any] = {}

    @classmethod
    def recognises(cls, event: dict[str, Any]) -> bool:
        event = unwrapped(event)
        # Live's messages bring counts as well.
        return not SIGNS.isdisjoint(event) and not GeminiLive.recognises(event)

    def handle(self, event: dict[str, Any], assembler: Assembler) -> None:
        event = normalised(unwrapped(event))
        if not assembler.started and self.recognises(event):
            assembler.message_start(event.get("responseId"), event.get("modelVersion"))
        if event.get("usageMetadata"):
            self._usage = merged(self._usage, event["usageMetadata"])
            assembler.usage_update(usage_of(self._usage))
        candidates = event.get("candidates") or ()
        for candidate in candidates:
            self._candidate(candidate, assembler)
        blocked = event.get("promptFeedback", {}).get("blockReason")
        if blocked and not candidates:
            self._stopped[0] = True
            assembler.stop(blocked, "filter")
        if event.get("error") or event.get("type") == "error":  # the latter is a gateway's
            assembler.fail(provider_error(event))

    def repeats(self, event: dict[str, Any], assembler: Assembler) -> Repeat | None:
        return None  # each event has counts that differ, and holds many tokens

    def end(self, assembler: Assembler, done: bool) -> None:
        if self._stopped and all(self._stopped.values()):
            assembler.end()
        else:
            assembler.break_off("the stream ended without finishReason")

    def _candidate(self, candidate: dict[str, Any], assembler: Assembler) -> None:
        index, reason = candidate.get("index") or 0, candidate.get("finishReason")
        if reason in UNSPECIFIED:
            reason = None
        kind = "other" if reason is None else STOP_KINDS.get(reason, "length")
        turn = self._turns.setdefault(index, Turn(index))
        for part in candidate.get("content", {}).get("parts") or ():
            turn.take(part, assembler, cut=kind in (*CUTS, "error"))
        self._stopped[index] = bool(reason) or self._stopped.get(index, False)
        if kind == "error" and index == 0:
            message = candidate.get("finishMessage") or "the provider could not use what the model has written"
            assembler.fail(ProviderError(message, type=reason, raw=candidate), stop_reason=reason)
        if reason:
            assembler.stop(reason, kind, index)

    def message(self, assembler: Assembler) -> dict[str, Any]:
        """The first candidate's content as the next request must contain it."""
        turn = self._turns.get(0)
        return {"role": "model", "parts": [] if turn is None else turn.parts}


def unwrapped(event: dict[str, Any]) -> dict[str, Any]:
    """The response in an event of Cloud Code's (gemini-cli's server), which wraps it; the event itself elsewhere."""
    response = event.get("response")
    return response if isinstance(response, dict) else event
