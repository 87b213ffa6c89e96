"""OpenAI Realtime: the messages that a server sends over its websocket; also Azure's, Voice Live's and xAI's.

https://platform.openai.com/docs/api-reference/realtime-server-events
Items and their events are those of Responses, but for a key: several responses share a socket, places in the output
repeat (xAI), and item ids are stable. Both the beta's names and the present ones are known. What a model says is text
here, spoken or written.

Each response is a message. Responses that run at once are told one after another: what comes of the second one waits
for the end of the first. An `error` message ends nothing, since the session goes on; it is raised if the socket then
closes before another response has begun. A response that failed is raised when it ends.
"""

from __future__ import annotations

from typing import Any

from ..assembler import Assembler, StopKind
from ..errors import ProviderError
from ..lane import Repeat
from .common import provider_error
from .openai_responses import OpenAIResponses

SESSION = ("session.", "conversation.", "transcription_session.", "input_audio_buffer.", "output_audio_buffer.")
# Text of events that Responses does not have, or has for something else.
TEXT = {"response.text.delta", "response.output_audio_transcript.delta", "response.audio_transcript.delta"}
WHOLE_TEXT = {
    "response.text.done": "text",
    "response.output_audio_transcript.done": "transcript",
    "response.audio_transcript.done": "transcript",
}
SOUND = {"response.output_audio.delta", "response.audio.delta"}


class OpenAIRealtime(OpenAIResponses):
    name = "openai-realtime"
    ignored: tuple[str, ...] = ()

    def __init__(self) -> None:
        super().__init__()
        self._model: str | None = None
        self._response: str | None = None  # the one that is being told
        self._waiting: dict[str, list[dict[str, Any]]] = {}  # the messages of those behind it
        self._fault: dict[str, Any] | None = None  # the last error message

    @classmethod
    def recognises(cls, event: dict[str, Any]) -> bool:
        kind = event.get("type")
        if not isinstance(kind, str):
            return False
        return kind.startswith(SESSION) or ("event_id" in event and (kind == "error" or kind.startswith("response.")))

    def handle(self, event: dict[str, Any], assembler: Assembler) -> None:
        kind = event.get("type")
        if kind == "error":
            self._fault = event
        elif kind in ("session.created", "session.updated"):
            self._model = event["session"].get("model") or self._model
        elif isinstance(kind, str) and kind.startswith("response.") and kind not in SOUND:
            self._route(event, assembler)

    def repeats(self, event: dict[str, Any], assembler: Assembler) -> Repeat | None:
        return None  # a websocket's messages are no server-sent events

    def _route(self, event: dict[str, Any], assembler: Assembler) -> None:
        """Tells of one response after the other."""
        id = event.get("response_id") or (event.get("response") or {}).get("id")
        is_open = assembler.started and not assembler.ended
        if is_open and id is not None and self._response is not None and id != self._response:
            self._waiting.setdefault(id, []).append(event)
            return
        self._response = id or self._response
        self._tell(event, assembler)
        while self._waiting and assembler.ended:
            self._response = next(iter(self._waiting))
            for held in self._waiting.pop(self._response):
                self._tell(held, assembler)

    def _tell(self, event: dict[str, Any], assembler: Assembler) -> None:
        kind = event["type"]
        if kind in TEXT:
            self._text(self._key(event), event, event.get("delta") or "", assembler)
        elif kind in WHOLE_TEXT:
            self._whole_text(self._key(event), event, event.get(WHOLE_TEXT[kind]), assembler)
        elif kind == "response.done":
            response = event["response"]
            self._response_end({**response, "usage": response.get("usage") or event.get("usage")}, assembler)
        else:
            super().handle(event, assembler)

    def end(self, assembler: Assembler, done: bool) -> None:
        if self._fault is not None:
            assembler.fail(provider_error(self._fault))
        assembler.break_off("the socket closed without response.done")

    def _begin(self, response: dict[str, Any], assembler: Assembler) -> None:
        super()._begin({"model": self._model, **response}, assembler)
        self._fault = None

    def _key(self, event: dict[str, Any]) -> Any:
        return event.get("item_id") or (event.get("item") or {}).get("id") or super()._key(event)

    def _error(self, response: dict[str, Any]) -> ProviderError:
        details = response.get("status_details")
        return provider_error(details if isinstance(details, dict) else response)

    def _stop_kind(self, response: dict[str, Any]) -> StopKind:
        status, details = response.get("status"), response.get("status_details")
        if status not in ("incomplete", "cancelled"):
            return "natural"
        reason = details.get("reason") if isinstance(details, dict) else None  # xAI: a word
        return "filter" if reason == "content_filter" else "length"
