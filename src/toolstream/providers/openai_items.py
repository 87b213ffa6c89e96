"""OpenAI's output items that are tool calls: what tool each calls, with what, and who runs it.

Shared by Responses and Realtime. https://platform.openai.com/docs/api-reference/responses/object
"""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any, NamedTuple

if TYPE_CHECKING:
    from ..calls import ToolCall

Item = dict[str, Any]


class Tool(NamedTuple):
    """A kind of item. name: the tool's, where its items have none. input: all of an item's, None where it has none.

    free_text: the input is no JSON. server: the provider runs it; None: the item tells.
    """

    input: Callable[[Item], Any]
    name: str | None = None
    free_text: bool = False
    server: bool | None = False


def _member(name: str) -> Callable[[Item], Any]:
    return lambda item: item.get(name)


def _commands(item: Item) -> str | None:
    commands = (item.get("action") or {}).get("commands")
    return None if commands is None else "\n".join(commands)


def _diff(item: Item) -> str | None:
    diff: str | None = (item.get("operation") or {}).get("diff")  # a deletion has none
    return diff


def _queries(item: Item) -> Any:
    return {"queries": item["queries"]} if item.get("queries") else None


def _actions(item: Item) -> Any:
    actions = item.get("actions")
    return item.get("action") if actions is None else {"actions": actions}


PLAIN = "function_call"
TOOLS = {
    PLAIN: Tool(_member("arguments")),
    "custom_tool_call": Tool(_member("input"), free_text=True, server=None),
    "mcp_call": Tool(_member("arguments"), server=True),
    "code_interpreter_call": Tool(_member("code"), "code_interpreter", free_text=True, server=True),
    "shell_call": Tool(_commands, "shell", free_text=True, server=None),
    "local_shell_call": Tool(_member("action"), "local_shell"),
    "apply_patch_call": Tool(_diff, "apply_patch", free_text=True),
    "computer_call": Tool(_actions, "computer"),
    "tool_search_call": Tool(_member("arguments"), "tool_search", server=None),
    "web_search_call": Tool(_member("action"), "web_search", server=True),
    "x_search_call": Tool(_member("action"), "x_search", server=True),  # xAI's
    "file_search_call": Tool(_queries, "file_search", server=True),
}
# The events with a piece of an input, and those with all of it.
FRAGMENTS = {
    "response.function_call_arguments.delta",
    "response.custom_tool_call_input.delta",
    "response.mcp_call_arguments.delta",
    "response.mcp_call.arguments_delta",  # its older name
    "response.code_interpreter_call_code.delta",
    "response.apply_patch_call_operation_diff.delta",
}
WHOLE_INPUTS = {
    "response.function_call_arguments.done": "arguments",
    "response.custom_tool_call_input.done": "input",
    "response.mcp_call_arguments.done": "arguments",
    "response.mcp_call.arguments_done": "arguments",
    "response.code_interpreter_call_code.done": "code",
    "response.apply_patch_call_operation_diff.done": "diff",
}


def is_run_by_server(item: Item) -> bool:
    """Whether the caller must not run the item's tool."""
    server = TOOLS[item["type"]].server
    if server is not None:
        return server
    if item["type"] == "custom_tool_call":  # xAI's search on X is told as calls of its parts
        return str(item.get("call_id")).startswith("xs_call_")
    # A shell in a container of OpenAI's, a search over the tools that the request has deferred.
    return item.get("execution") == "server" or (item.get("environment") or {}).get("type") == "container_reference"


def plain_call(id: str | None, call: ToolCall | None) -> Item:
    """The item of a call that has just begun, as it mostly is."""
    return {
        "id": id,
        "type": PLAIN,
        "status": "in_progress",
        "arguments": "",
        "call_id": call and call.id,
        "name": call and call.name,
    }
