"""Gemini Live: the messages of a session over a WebSocket, decoded.

https://ai.google.dev/api/live#BidiGenerateContentServerMessage
A session holds many turns. A `toolCall` ends a message, since the model waits for the results; what it says next is
another one.
"""

from __future__ import annotations

from typing import Any

from ..assembler import Assembler, StopKind
from ..calls import ToolCall
from ..errors import ProviderError
from ..lane import Repeat
from .common import merged, provider_error
from .gemini_content import Turn, normalised, usage_of

SIGNS = {
    *("setupComplete", "serverContent", "toolCall", "toolCallCancellation", "goAway", "sessionResumptionUpdate"),
    *("setup_complete", "server_content", "tool_call", "tool_call_cancellation", "go_away"),
    "session_resumption_update",
}
# Reasons for a turn's end that say nothing against it. With most others the input or the output was refused.
NATURAL = {"turnComplete", "NEED_MORE_INPUT", "TURN_COMPLETE_REASON_UNSPECIFIED"}
STOP_KINDS: dict[str, StopKind] = {
    **dict.fromkeys(NATURAL, "natural"),
    "interrupted": "length",
    "MALFORMED_FUNCTION_CALL": "error",
}


class GeminiLive:
    name = "gemini-live"
    ignored: tuple[str, ...] = ()

    def __init__(self) -> None:
        self._calls: dict[str, ToolCall] = {}  # by id, of the whole session: each may still be cancelled
        self._forget()

    def _forget(self) -> None:
        self._turn = Turn()
        self._interrupted = False
        self._usage: dict[str, Any] = {}

    @classmethod
    def recognises(cls, event: dict[str, Any]) -> bool:
        return any(event.get(name) is not None for name in SIGNS)

    def handle(self, event: dict[str, Any], assembler: Assembler) -> None:
        event = normalised(event)
        if event.get("error"):
            assembler.fail(provider_error(event))
        content: dict[str, Any] = event.get("serverContent", {})
        functions = event.get("toolCall", {}).get("functionCalls") or ()
        self._speak(content, assembler)
        for function in functions:
            self._call(function, assembler)
        if event.get("usageMetadata"):
            self._usage = merged(self._usage, event["usageMetadata"])
            assembler.usage_update(usage_of(self._usage, final=assembler.ended))
        for id in event.get("toolCallCancellation", {}).get("ids") or ():
            if id in self._calls:
                error = ProviderError("the provider has cancelled the call", type="toolCallCancellation", raw=event)
                assembler.revoke(self._calls.pop(id), error)
        if functions and not self._turn.is_open:
            assembler.stop("toolCall", "tools")
            assembler.end()
        elif content.get("turnComplete") and not assembler.ended:
            self._end_turn(content.get("turnCompleteReason"), assembler)

    def repeats(self, event: dict[str, Any], assembler: Assembler) -> Repeat | None:
        return None  # a session's messages come one by one, decoded

    def end(self, assembler: Assembler, done: bool) -> None:
        assembler.break_off("the session ended without turnComplete")

    def _begin(self, assembler: Assembler) -> None:
        if not assembler.started or assembler.ended:
            self._forget()
            assembler.message_start(None, None)

    def _speak(self, content: dict[str, Any], assembler: Assembler) -> None:
        """What the model says, as text or as the transcription of its voice. The voice itself is not kept."""
        parts = content.get("modelTurn", {}).get("parts") or ()
        transcription = content.get("outputTranscription", {}).get("text")
        for part in (*parts, {"text": transcription}) if transcription else parts:
            self._begin(assembler)
            if "inlineData" not in part:
                self._turn.take(part, assembler)
        self._interrupted = self._interrupted or bool(content.get("interrupted"))

    def _call(self, function: dict[str, Any], assembler: Assembler) -> None:
        self._begin(assembler)
        call = self._turn.take({"functionCall": function}, assembler)
        if call is not None and call.id:
            self._calls[call.id] = call

    def _end_turn(self, reason: str | None, assembler: Assembler) -> None:
        reason = reason or ("interrupted" if self._interrupted else "turnComplete")
        assembler.stop(reason, STOP_KINDS.get(reason, "filter"))
        assembler.end()

    def message(self, assembler: Assembler) -> dict[str, Any]:
        """The turn as `send_client_content` takes it. What was said aloud is in it as text."""
        return {"role": "model", "parts": self._turn.parts}
