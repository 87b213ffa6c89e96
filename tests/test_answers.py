"""What functions have returned, as the next request to each provider holds it: the providers' own packages take it."""

from __future__ import annotations

import json
import subprocess
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import pytest
import wire
from packages import package

import toolstream
from toolstream import Image, Result, Results, ToolCall, ToolStreamError
from toolstream.providers import ADAPTERS

PNG = bytes.fromhex("89504e470d0a1a0a")
BASE64 = "iVBORw0KGgo="
URL = f"data:image/png;base64,{BASE64}"

RESULTS: dict[str, tuple[Any, ...]] = {
    "text": ("ok", "two"),
    "data": ("ok", {"sum": 2}),
    "picture": ("ok", Image(PNG)),
    "pictures": ("ok", ["before", Image(PNG), {"at": 2}, Image(b"\xff\xd8", "image/jpeg")]),
    "failed": ("error", None, RuntimeError("no luck")),
    "refused": ("refused",),
    "cut": ("void",),
}


def results(provider: str | None, *values: Any, call: ToolCall | None = None) -> Results:
    call = call or ToolCall("c1", "f")
    return Results([Result(call, *value) for value in values], provider)


def answer(provider: str, value: Any, call: ToolCall | None = None) -> dict[str, Any]:
    (message,) = results(provider, ("ok", value), call=call).messages()
    return message


# ---------------------------------------------------------------------- who takes it


def adapted(type_: Any) -> Callable[[Any], Any]:
    return package("pydantic").TypeAdapter(type_).validate_python  # type: ignore[no-any-return]


def anthropic(message: Any) -> None:
    adapted(package("anthropic.types").MessageParam)(message)


def bedrock(message: Any) -> None:
    package("boto3")
    from botocore.session import Session
    from botocore.validate import ParamValidator

    shapes = Session().get_service_model("bedrock-runtime")
    report = ParamValidator().validate(message, shapes.shape_for("Message"))
    assert not report.has_errors(), report.generate_report()


def gemini(message: Any) -> None:
    package("google.genai").types.Content.model_validate(message)


def gemini_live(message: Any) -> None:
    package("google.genai").types.LiveClientMessage.model_validate(message)


def gemini_interactions(message: Any) -> None:
    package("google.genai")
    from google.genai import interactions

    adapted(interactions.Step)(message)


def cohere(message: Any) -> None:
    adapted(package("cohere").ToolChatMessageV2)(message)


def ollama(message: Any) -> None:
    package("ollama").Message.model_validate(message)


def chat(message: Any) -> None:
    adapted(package("openai.types.chat").ChatCompletionToolMessageParam)(message)


def responses(message: Any) -> None:
    taken = adapted(package("openai.types.responses").ResponseInputItemParam)(message)
    assert taken["type"] == message["type"]


def realtime(message: Any) -> None:
    adapted(package("openai.types.realtime").ConversationItemCreateEvent)(message)


def langchain(message: Any) -> None:
    taken = package("langchain_core.messages").ToolMessage(**message)
    assert (taken.tool_call_id, taken.status) == (message["tool_call_id"], message["status"])


def pydantic_ai(message: Any) -> None:
    messages = package("pydantic_ai.messages")
    ((part,),) = (each.parts for each in messages.ModelMessagesTypeAdapter.validate_python([message]))
    told = message["parts"][0]
    assert part.outcome == told.get("outcome", "success")
    images = [block for block in told["content"] if isinstance(block, dict)]
    assert [file.data for file in part.files] == [wire_bytes(block["data"]) for block in images]


def wire_bytes(base64: str) -> bytes:
    import base64 as codec

    return codec.b64decode(base64)


def ag_ui(message: Any) -> None:
    package("ag_ui.core").ToolMessage.model_validate(message)


def ai_sdk_ui(part: Any) -> None:
    types = package("pydantic_ai.ui.vercel_ai.request_types")
    kinds = {"output-available": types.ToolOutputAvailablePart, "output-error": types.ToolOutputErrorPart}
    kinds[part["state"]].model_validate(part)


TAKERS: dict[str, Callable[[Any], None]] = {
    "ag-ui": ag_ui,
    "ai-sdk-ui": ai_sdk_ui,
    "anthropic": anthropic,
    "bedrock-converse": bedrock,
    "bedrock-invoke": anthropic,
    "cohere-v2": cohere,
    "gemini": gemini,
    "gemini-interactions": gemini_interactions,
    "gemini-live": gemini_live,
    "langchain": langchain,
    "ollama": ollama,
    "openai-chat": chat,
    "openai-realtime": realtime,
    "openai-responses": responses,
    "pydantic-ai": pydantic_ai,
}


def test_every_wire_format_has_a_shape() -> None:
    assert TAKERS.keys() == ADAPTERS.keys()


@pytest.mark.parametrize("told", RESULTS)
@pytest.mark.parametrize("provider", TAKERS)
def test_the_providers_own_package_takes_every_result(provider: str, told: str) -> None:
    (message,) = results(provider, RESULTS[told]).messages()
    TAKERS[provider](message)


@pytest.mark.parametrize("provider", TAKERS)
def test_calls_that_fail_are_answered_too_and_in_order(provider: str) -> None:
    calls = [ToolCall(f"c{at}", "f") for at in range(3)]
    of = zip(calls, [("ok", "one"), ("error", None, RuntimeError("two")), ("ok", "three")], strict=True)
    text = json.dumps(Results([Result(call, *value) for call, value in of], provider).messages())
    assert text.index("one") < text.index("RuntimeError: two") < text.index("three")


# ---------------------------------------------------------------------- pictures

PICTURES = {
    "anthropic": {"type": "image", "source": {"type": "base64", "media_type": "image/png", "data": BASE64}},
    "bedrock-invoke": {"type": "image", "source": {"type": "base64", "media_type": "image/png", "data": BASE64}},
    "bedrock-converse": {"image": {"format": "png", "source": {"bytes": PNG}}},
    "gemini": {"inlineData": {"mimeType": "image/png", "data": BASE64}},
    "gemini-live": {"inlineData": {"mimeType": "image/png", "data": BASE64}},
    "gemini-interactions": {"type": "image", "data": BASE64, "mime_type": "image/png"},
    "openai-responses": {"type": "input_image", "image_url": URL, "detail": "auto"},
    "langchain": {"type": "image", "base64": BASE64, "mime_type": "image/png"},
    "pydantic-ai": {"kind": "binary", "data": BASE64, "media_type": "image/png"},
    "ag-ui": {"type": "image", "source": {"type": "data", "value": BASE64, "mimeType": "image/png"}},
    "ai-sdk-ui": {"type": "image", "data": BASE64, "mimeType": "image/png"},
}


def holds(message: Any, block: Any) -> bool:
    if message == block:
        return True
    parts = message.values() if isinstance(message, dict) else message if isinstance(message, list) else ()
    return any(holds(part, block) for part in parts)


@pytest.mark.parametrize("provider", TAKERS)
def test_a_picture_is_a_block_where_the_provider_takes_one_and_a_note_elsewhere(provider: str) -> None:
    for value in (Image(PNG), ["see", Image(PNG)]):
        message = answer(provider, value)
        if provider in PICTURES:
            assert holds(message, PICTURES[provider])
        else:
            assert "[image/png, 8 bytes]" in json.dumps(message)
            assert BASE64 not in json.dumps(message)


def test_parts_of_a_list_with_a_picture_are_blocks_in_their_order() -> None:
    blocks = answer("anthropic", ["before", Image(PNG), {"at": 2}])["content"][0]["content"]
    assert blocks == [
        {"type": "text", "text": "before"},
        PICTURES["anthropic"],
        {"type": "text", "text": '{"at": 2}'},
    ]
    assert answer("anthropic", ["a", "b"])["content"][0]["content"] == '["a", "b"]'


def test_a_picture_inside_other_data_is_a_note() -> None:
    assert answer("anthropic", {"shot": Image(PNG)})["content"][0]["content"] == '{"shot": "[image/png, 8 bytes]"}'


@dataclass
class Content:
    """As `mcp.types` has them."""

    type: str
    text: str | None = None
    data: str | None = None
    mimeType: str | None = None  # noqa: N815


@dataclass
class CallToolResult:
    content: list[Any]
    isError: bool = False  # noqa: N815


def test_what_an_mcp_server_returns_is_its_contents() -> None:
    contents = [Content("text", text="see"), Content("image", data=BASE64, mimeType="image/png")]
    plain = [{"type": "text", "text": "see"}, {"type": "image", "data": BASE64, "mimeType": "image/png"}]
    for value in (CallToolResult(contents), {"content": plain, "isError": False}, contents, plain):
        (block,) = answer("anthropic", value)["content"]
        assert block["content"] == [{"type": "text", "text": "see"}, PICTURES["anthropic"]]
        assert "is_error" not in block
    (block,) = answer("anthropic", CallToolResult([Content("text", text="no")], isError=True))["content"]
    assert (block["content"], block["is_error"]) == ("no", True)


def test_what_only_looks_like_a_picture_is_data() -> None:
    value = {"type": "image", "data": "no base64", "mimeType": "image/png"}
    assert answer("anthropic", value)["content"][0]["content"] == json.dumps(value)


# ---------------------------------------------------------------------- OpenAI's own tools


def call_of(item: dict[str, Any]) -> ToolCall:
    """The call of an output item of Responses."""
    place = {"output_index": 0}
    events = [
        wire.response("in_progress"),
        {"type": "response.output_item.added", **place, "item": item},
        {"type": "response.output_item.done", **place, "item": item},
        wire.response("completed", usage=wire.RESPONSE_USAGE),
    ]
    reading = wire.read(events)
    assert reading.error is None
    return reading.call


ABOUT = {"id": "x_0", "call_id": "c1", "status": "completed"}
SHELL = {**ABOUT, "type": "shell_call", "action": {"commands": ["ls"]}}
COMPUTER = {**ABOUT, "type": "computer_call", "action": {"type": "screenshot"}, "pending_safety_checks": []}
PATCH = {
    **ABOUT,
    "type": "apply_patch_call",
    "operation": {"type": "update_file", "path": "a.py", "diff": "@@\n-a\n+b"},
}
EXITED = {"type": "exit", "exit_code": 0}

OWN_TOOLS: list[tuple[dict[str, Any], tuple[Any, ...], dict[str, Any]]] = [
    (
        SHELL,
        ("ok", "a.py"),
        {
            "type": "shell_call_output",
            "call_id": "c1",
            "output": [{"stdout": "a.py", "stderr": "", "outcome": EXITED}],
        },
    ),
    (
        SHELL,
        ("ok", subprocess.CompletedProcess(["ls"], 2, b"", b"no such file")),
        {
            "type": "shell_call_output",
            "call_id": "c1",
            "output": [{"stdout": "", "stderr": "no such file", "outcome": {"type": "exit", "exit_code": 2}}],
        },
    ),
    (
        SHELL,
        ("ok", {"stdout": "", "stderr": "", "outcome": {"type": "timeout"}}),
        {
            "type": "shell_call_output",
            "call_id": "c1",
            "output": [{"stdout": "", "stderr": "", "outcome": {"type": "timeout"}}],
        },
    ),
    (
        SHELL,
        ("error", None, RuntimeError("no luck")),
        {
            "type": "shell_call_output",
            "call_id": "c1",
            "output": [{"stdout": "", "stderr": "RuntimeError: no luck", "outcome": {"type": "exit", "exit_code": 1}}],
        },
    ),
    (
        {**ABOUT, "type": "local_shell_call", "action": {"type": "exec", "command": ["ls"], "env": {}}},
        ("ok", "a.py"),
        {"type": "local_shell_call_output", "id": "c1", "output": "a.py"},
    ),
    (
        PATCH,
        ("ok", "patched"),
        {"type": "apply_patch_call_output", "call_id": "c1", "status": "completed", "output": "patched"},
    ),
    (
        PATCH,
        ("error", None, RuntimeError("no luck")),
        {"type": "apply_patch_call_output", "call_id": "c1", "status": "failed", "output": "RuntimeError: no luck"},
    ),
    (
        COMPUTER,
        ("ok", Image(PNG)),
        {
            "type": "computer_call_output",
            "call_id": "c1",
            "output": {"type": "computer_screenshot", "image_url": URL},
        },
    ),
    (
        {**ABOUT, "type": "tool_search_call", "arguments": {"query": "tides"}, "execution": "client"},
        ("ok", [{"type": "function", "name": "tide", "parameters": {"type": "object"}, "strict": False}]),
        {
            "type": "tool_search_output",
            "call_id": "c1",
            "execution": "client",
            "tools": [{"type": "function", "name": "tide", "parameters": {"type": "object"}, "strict": False}],
        },
    ),
    (
        {**ABOUT, "type": "custom_tool_call", "name": "shell", "input": "ls"},
        ("ok", "a.py"),
        {"type": "custom_tool_call_output", "call_id": "c1", "output": "a.py"},
    ),
    (
        {**ABOUT, "type": "function_call", "name": "computer", "arguments": "{}"},
        ("ok", "done"),
        {"type": "function_call_output", "call_id": "c1", "output": "done"},
    ),
]


@pytest.mark.parametrize(("item", "value", "expected"), OWN_TOOLS)
def test_each_of_openais_own_tools_has_its_own_item(item: Any, value: Any, expected: Any) -> None:
    (message,) = results("openai-responses", value, call=call_of(item)).messages()
    assert message == expected
    responses(message)


def test_a_computer_call_without_a_screenshot_can_not_be_answered() -> None:
    told = results("openai-responses", ("ok", "clicked"), call=call_of(COMPUTER))
    with pytest.raises(ToolStreamError, match=r"screenshot.*clicked"):
        told.messages()


# ---------------------------------------------------------------------- the turn


def ui_stream(**about: Any) -> list[Any]:
    place = {"toolCallId": "a", "toolName": "f", **about}
    return [
        {"type": "start", "messageId": "m"},
        {"type": "start-step"},
        {"type": "tool-input-start", **place},
        {"type": "tool-input-delta", "toolCallId": "a", "inputTextDelta": '{"n": 1}'},
        {"type": "tool-input-available", **place, "input": {"n": 1, "unit": "cm"}},
        {"type": "finish-step"},
        {"type": "finish", "finishReason": "tool-calls"},
        wire.DONE,
    ]


@pytest.mark.parametrize("dynamic", [False, True])
def test_in_an_ai_sdk_message_results_stand_in_its_parts(dynamic: bool) -> None:
    def f(n: int) -> Any:
        if n:
            return {"twice": 2 * n}
        raise RuntimeError("no luck")

    run = toolstream.dispatch_sync([wire.sse(ui_stream(**({"dynamic": True} if dynamic else {})))], [f])
    (told,) = run.wait().messages()
    (message,) = run.turn()
    part = message["parts"][1]
    assert part["input"] == {"n": 1, "unit": "cm"}  # what the message has, and not the model's own
    assert (part["state"], part["output"]) == ("output-available", {"twice": 2})
    assert part["type"] == told["type"] == ("dynamic-tool" if dynamic else "tool-f")
    package("pydantic_ai.ui.vercel_ai.request_types").UIMessage.model_validate(message)
