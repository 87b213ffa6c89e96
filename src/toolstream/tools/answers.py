"""What tells the model of its calls' results, in the shape that each provider's next request must contain.

Where a provider takes pictures in a tool's result they are blocks of its own kind, elsewhere a note in the text.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any, NamedTuple

from ..errors import ToolStreamError
from .content import Image, Part, as_json

if TYPE_CHECKING:
    from ..calls import ToolCall


class Answer(NamedTuple):
    """The answer to one call. parts: what the model is told. value: what the function returned, if it did.

    refused: nobody has tried.
    """

    call: ToolCall
    parts: list[Part]
    value: Any = None
    is_error: bool = False
    refused: bool = False

    @property
    def text(self) -> str:
        return "\n".join(map(str, self.parts))

    @property
    def images(self) -> list[Image]:
        return [part for part in self.parts if isinstance(part, Image)]

    def blocks(self, text: Callable[[str], Any], image: Callable[[Image], Any]) -> list[Any]:
        """Each part as a block of the provider's."""
        return [image(part) if isinstance(part, Image) else text(part) for part in self.parts]

    def content(self, text: Callable[[str], Any], image: Callable[[Image], Any]) -> Any:
        """The text alone, or blocks where there is a picture."""
        return self.blocks(text, image) if self.images else self.text


def tool_messages(provider: str | None, answers: list[Answer]) -> list[dict[str, Any]]:
    """The answers as the provider's next request must contain them.

    Raises `ToolStreamError` for a provider whose shape is not known here, and for a call that can't be answered so.
    """
    if provider in _TOGETHER:
        return [_TOGETHER[provider]([_EACH[provider](answer) for answer in answers])]
    if provider in _EACH:
        return [_EACH[provider](answer) for answer in answers]
    raise ToolStreamError(f"the shape of tool results is not known for {provider!r}; results have content and call.id")


def turn(provider: str | None, message: Any, answers: list[dict[str, Any]]) -> list[Any]:
    """The assistant's message (or messages) and the answers to its calls, for the conversation."""
    if provider == "ai-sdk-ui":  # the results stand in the message itself
        told = {answer["toolCallId"]: answer for answer in answers}
        return [{**message, "parts": [_answered(part, told.get(part.get("toolCallId"))) for part in message["parts"]]}]
    return [*(message if isinstance(message, list) else [message]), *answers]


# ---------------------------------------------------------------------- Anthropic, Bedrock, Gemini


def _text_block(text: str) -> dict[str, Any]:
    return {"type": "text", "text": text}


def _anthropic_image(image: Image) -> dict[str, Any]:
    return {"type": "image", "source": {"type": "base64", "media_type": image.media_type, "data": image.base64}}


def _anthropic(answer: Answer) -> dict[str, Any]:
    content = answer.content(_text_block, _anthropic_image)
    block = {"type": "tool_result", "tool_use_id": answer.call.id, "content": content}
    return {**block, "is_error": True} if answer.is_error else block


def _bedrock_image(image: Image) -> dict[str, Any]:
    kind = image.media_type.partition("/")[2]
    return {"image": {"format": "jpeg" if kind == "jpg" else kind, "source": {"bytes": image.data}}}


def _bedrock(answer: Answer) -> dict[str, Any]:
    content = answer.blocks(lambda text: {"text": text}, _bedrock_image)
    status = "error" if answer.is_error else "success"
    return {"toolResult": {"toolUseId": answer.call.id, "content": content, "status": status}}


def _function_response(answer: Answer) -> dict[str, Any]:
    text = "\n".join(part for part in answer.parts if isinstance(part, str))
    told: dict[str, Any] = {"name": answer.call.name, "response": {"error" if answer.is_error else "output": text}}
    if answer.call.id:
        told = {"id": answer.call.id, **told}
    parts = [{"inlineData": {"mimeType": image.media_type, "data": image.base64}} for image in answer.images]
    return {**told, "parts": parts} if parts else told


def _gemini(answer: Answer) -> dict[str, Any]:
    return {"functionResponse": _function_response(answer)}


def _interaction_image(image: Image) -> dict[str, Any]:
    return {"type": "image", "data": image.base64, "mime_type": image.media_type}


def _interaction(answer: Answer) -> dict[str, Any]:
    result = answer.content(_text_block, _interaction_image)
    step = {"type": "function_result", "call_id": answer.call.id, "name": answer.call.name, "result": result}
    return {**step, "is_error": True} if answer.is_error else step


# ---------------------------------------------------------------------- Chat and its relatives


def _chat(answer: Answer) -> dict[str, Any]:
    return {"role": "tool", "tool_call_id": answer.call.id or "", "content": answer.text}


def _template(answer: Answer) -> dict[str, Any]:
    return {"role": "tool", "tool_call_id": answer.call.id, "name": answer.call.name, "content": answer.text}


def _ollama(answer: Answer) -> dict[str, Any]:
    return {"role": "tool", "tool_name": answer.call.name, "content": answer.text}


# ---------------------------------------------------------------------- Responses


def _input_image(image: Image) -> dict[str, Any]:
    return {"type": "input_image", "image_url": image.url, "detail": "auto"}


def _responses(answer: Answer) -> dict[str, Any]:
    """Each of OpenAI's own tools has an output item of its own."""
    special = _OUTPUTS.get(answer.call._kind)
    if special is not None:
        return special(answer)
    kind = "custom_tool_call_output" if answer.call._free_text else "function_call_output"
    output = answer.content(lambda text: {"type": "input_text", "text": text}, _input_image)
    return {"type": kind, "call_id": answer.call.id, "output": output}


def _shell(answer: Answer) -> dict[str, Any]:
    """A function may return what ran (`subprocess.CompletedProcess`), or the output's own entries."""
    value = answer.value
    if isinstance(value, dict) and "outcome" in value:
        value = [value]
    if not (isinstance(value, list) and value and all(isinstance(one, dict) and "outcome" in one for one in value)):
        code, out, err = (getattr(value, name, None) for name in ("returncode", "stdout", "stderr"))
        if not isinstance(code, int):
            code, out, err = (1, "", answer.text) if answer.is_error else (0, answer.text, "")
        value = [{"stdout": _decoded(out), "stderr": _decoded(err), "outcome": {"type": "exit", "exit_code": code}}]
    return {"type": "shell_call_output", "call_id": answer.call.id, "output": value}


def _decoded(output: Any) -> str:
    return output.decode(errors="replace") if isinstance(output, bytes) else output or ""


def _local_shell(answer: Answer) -> dict[str, Any]:
    return {"type": "local_shell_call_output", "id": answer.call.id, "output": answer.text}


def _apply_patch(answer: Answer) -> dict[str, Any]:
    status = "failed" if answer.is_error else "completed"
    return {"type": "apply_patch_call_output", "call_id": answer.call.id, "status": status, "output": answer.text}


def _computer(answer: Answer) -> dict[str, Any]:
    if not answer.images:
        raise ToolStreamError(f"a computer call is answered with a screenshot, an Image, and not with: {answer.text}")
    screenshot = {"type": "computer_screenshot", "image_url": answer.images[-1].url}
    return {"type": "computer_call_output", "call_id": answer.call.id, "output": screenshot}


def _tool_search(answer: Answer) -> dict[str, Any]:
    tools = as_json(answer.value) if isinstance(answer.value, list) and not answer.is_error else []
    return {"type": "tool_search_output", "call_id": answer.call.id, "execution": "client", "tools": tools}


_OUTPUTS: dict[str, Callable[[Answer], dict[str, Any]]] = {
    "shell_call": _shell,
    "local_shell_call": _local_shell,
    "apply_patch_call": _apply_patch,
    "computer_call": _computer,
    "tool_search_call": _tool_search,
}


def _realtime(answer: Answer) -> dict[str, Any]:
    item = {"type": "function_call_output", "call_id": answer.call.id, "output": answer.text}
    return {"type": "conversation.item.create", "item": item}


# ---------------------------------------------------------------------- frameworks


def _langchain_image(image: Image) -> dict[str, Any]:
    return {"type": "image", "base64": image.base64, "mime_type": image.media_type}


def _langchain(answer: Answer) -> dict[str, Any]:
    content = answer.content(_text_block, _langchain_image)
    about = {"type": "tool", "tool_call_id": answer.call.id, "name": answer.call.name}
    return {**about, "content": content, "status": "error" if answer.is_error else "success"}


def _binary(image: Image) -> dict[str, Any]:
    return {"kind": "binary", "data": image.base64, "media_type": image.media_type}


def _pydantic_ai(answer: Answer) -> dict[str, Any]:
    about = {"part_kind": "tool-return", "tool_name": answer.call.name, "tool_call_id": answer.call.id}
    part = {**about, "content": answer.content(str, _binary)}
    return {**part, "outcome": "denied" if answer.refused else "failed"} if answer.is_error else part


def _ag_ui_image(image: Image) -> dict[str, Any]:
    return {"type": "image", "source": {"type": "data", "value": image.base64, "mimeType": image.media_type}}


def _ag_ui(answer: Answer) -> dict[str, Any]:
    content = answer.content(_text_block, _ag_ui_image)
    message = {"id": f"result-{answer.call.id}", "role": "tool", "toolCallId": answer.call.id, "content": content}
    return {**message, "error": answer.text} if answer.is_error else message


def _ai_sdk_ui(answer: Answer) -> dict[str, Any]:
    call = answer.call
    part = {"type": f"tool-{call.name}", "toolCallId": call.id, "input": call.arguments}
    if call._kind == "dynamic-tool":
        part = {**part, "type": "dynamic-tool", "toolName": call.name}
    if answer.is_error:
        return {**part, "state": "output-error", "errorText": answer.text}
    return {**part, "state": "output-available", "output": as_json(answer.value)}


def _answered(part: dict[str, Any], answer: dict[str, Any] | None) -> dict[str, Any]:
    """A part of an AI SDK message with its result; one that the stream itself has told stays."""
    if answer is None or part["state"].startswith("output-"):
        return part
    return {**answer, **part, **{name: answer[name] for name in ("state", "output", "errorText") if name in answer}}


# ---------------------------------------------------------------------- the table

TEXT = "text"
"""What is said for a provider that is a text format: the shape is that of chat templates."""

# The shape of each answer: a message, an item, or a part of one.
_EACH: dict[str | None, Callable[[Answer], dict[str, Any]]] = {
    "ag-ui": _ag_ui,
    "ai-sdk-ui": _ai_sdk_ui,
    "anthropic": _anthropic,
    "bedrock-converse": _bedrock,
    "bedrock-invoke": _anthropic,
    "cohere-v2": _chat,
    "gemini": _gemini,
    "gemini-interactions": _interaction,
    "gemini-live": _function_response,
    "langchain": _langchain,
    "ollama": _ollama,
    "openai-chat": _chat,
    "openai-realtime": _realtime,
    "openai-responses": _responses,
    "pydantic-ai": _pydantic_ai,
    TEXT: _template,
}
# Where all of them are in one message.
_TOGETHER: dict[str | None, Callable[[list[dict[str, Any]]], dict[str, Any]]] = {
    "anthropic": lambda parts: {"role": "user", "content": parts},
    "bedrock-converse": lambda parts: {"role": "user", "content": parts},
    "bedrock-invoke": lambda parts: {"role": "user", "content": parts},
    "gemini": lambda parts: {"role": "user", "parts": parts},
    "gemini-live": lambda parts: {"toolResponse": {"functionResponses": parts}},
    "pydantic-ai": lambda parts: {"kind": "request", "parts": parts},
}
