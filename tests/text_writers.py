"""What each text format's model would write: one writer for each family, as the chat templates do it.

A message is a list of parts: `Said` text, `Thought` reasoning, `Asked` calls. `write(format, message)` gives the text,
`TOOLS` the schemas that the untyped formats need to be read back.
"""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any


@dataclass(frozen=True)
class Said:
    text: str


@dataclass(frozen=True)
class Thought:
    text: str


@dataclass(frozen=True)
class Asked:
    name: str
    arguments: dict[str, Any] = field(default_factory=dict)


Message = list[Said | Thought | Asked]


def _json(value: Any) -> str:
    return json.dumps(value, ensure_ascii=False)


def _runs(message: Message) -> list[Said | Thought | list[Asked]]:
    """The message with calls that follow each other in one list."""
    runs: list[Said | Thought | list[Asked]] = []
    for part in message:
        if not isinstance(part, Asked):
            runs.append(part)
        elif runs and isinstance(runs[-1], list):
            runs[-1].append(part)
        else:
            runs.append([part])
    return runs


def framed(calls: Callable[[list[Asked]], str], think: tuple[str, str] = ("<think>\n", "\n</think>\n\n")) -> Any:
    """A writer for formats in which text stands as it is, around what `calls` writes."""

    def write(message: Message) -> str:
        text = ""
        for run in _runs(message):
            if isinstance(run, Said):
                text += run.text
            elif isinstance(run, Thought):
                text += think[0] + run.text + think[1]
            else:
                text += calls(run)
        return text

    return write


def _objects(calls: list[Asked], name: str = "name", arguments: str = "arguments") -> list[str]:
    return [_json({name: call.name, arguments: call.arguments}) for call in calls]


def _each(template: Callable[[Asked], str], joint: str = "", around: tuple[str, str] = ("", "")) -> Any:
    return lambda calls: around[0] + joint.join(map(template, calls)) + around[1]


def _text(value: Any) -> str:
    return value if isinstance(value, str) else _json(value)


def _functions(opener: str, closer: str, newline: str) -> Any:
    def write(call: Asked) -> str:
        parameters = "".join(
            f"<parameter={key}>{newline}{_text(value)}{newline}</parameter>\n" for key, value in call.arguments.items()
        )
        return f"{opener}\n<function={call.name}>\n{parameters}</function>\n{closer}"

    return write


def _glm(gap: str) -> Any:
    def write(call: Asked) -> str:
        pairs = "".join(
            f"{gap}<arg_key>{key}</arg_key>{gap}<arg_value>{_text(value)}</arg_value>"
            for key, value in call.arguments.items()
        )
        return f"<tool_call>{call.name}{pairs}{gap}</tool_call>"

    return write


def _invoke(prefix: str) -> Any:
    def write(call: Asked) -> str:
        parameters = "".join(
            f'<{prefix}parameter name="{key}">{_text(value)}</{prefix}parameter>\n'
            for key, value in call.arguments.items()
        )
        return f'<{prefix}invoke name="{call.name}">\n{parameters}</{prefix}invoke>\n'

    return write


def _dsml(call: Asked) -> str:
    parameters = "".join(
        f'<｜DSML｜parameter name="{key}" string="{str(isinstance(value, str)).lower()}">{_text(value)}'
        "</｜DSML｜parameter>\n"
        for key, value in call.arguments.items()
    )
    return f'<｜DSML｜invoke name="{call.name}">\n{parameters}</｜DSML｜invoke>\n'


def _python(call: Asked) -> str:
    return f"{call.name}({', '.join(f'{key}={value!r}' for key, value in call.arguments.items())})"


def _gemma_value(value: Any, mark: str) -> str:
    if isinstance(value, str):
        return mark + value + mark
    if isinstance(value, dict):
        return "{" + ",".join(f"{key}:{_gemma_value(inner, mark)}" for key, inner in value.items()) + "}"
    if isinstance(value, list):
        return "[" + ",".join(_gemma_value(inner, mark) for inner in value) + "]"
    return _json(value)


def _gemma(mark: str, opener: str, closer: str) -> Any:
    return _each(lambda call: f"{opener}call:{call.name}{_gemma_value(call.arguments, mark)}{closer}")


def _deepseek(entry: Callable[[Asked], str]) -> Any:
    return _each(entry, around=("<｜tool▁calls▁begin｜>", "<｜tool▁calls▁end｜>"))


def _harmony(message: Message) -> str:
    texts = []
    for part in message:
        if isinstance(part, Said):
            texts.append(f"<|channel|>final<|message|>{part.text}<|end|>")
        elif isinstance(part, Thought):
            texts.append(f"<|channel|>analysis<|message|>{part.text}<|end|>")
        else:
            header = f"<|channel|>commentary to=functions.{part.name} <|constrain|>json<|message|>"
            texts.append(f"{header}{_json(part.arguments)}<|call|>")
    return "<|start|>assistant".join(texts)


def _kimi(calls: list[Asked]) -> str:
    entries = (
        f"<|tool_call_begin|>functions.{call.name}:{index}<|tool_call_argument_begin|>{_json(call.arguments)}"
        "<|tool_call_end|>"
        for index, call in enumerate(calls)
    )
    return "<|tool_calls_section_begin|>" + "".join(entries) + "<|tool_calls_section_end|>"


def _cohere(calls: list[Asked]) -> str:
    listed = [
        {"tool_call_id": str(index), "tool_name": call.name, "parameters": call.arguments}
        for index, call in enumerate(calls)
    ]
    return f"<|START_ACTION|>{_json(listed)}<|END_ACTION|>"


WRITERS: dict[str, Callable[[Message], str]] = {
    "hermes": framed(lambda calls: "\n".join(f"<tool_call>\n{one}\n</tool_call>" for one in _objects(calls))),
    "llama3_json": framed(lambda calls: "; ".join(_objects(calls, arguments="parameters"))),
    "mistral_array": framed(lambda calls: f"[TOOL_CALLS] [{', '.join(_objects(calls))}]", ("[THINK]", "[/THINK]")),
    "mistral_args": framed(
        _each(lambda call: f"[TOOL_CALLS]{call.name}[ARGS]{_json(call.arguments)}"), ("[THINK]", "[/THINK]")
    ),
    "granite3": framed(lambda calls: f"<|tool_call|>[{', '.join(_objects(calls))}]"),
    "phi4_mini": framed(lambda calls: f"<|tool_call|>[{', '.join(_objects(calls))}]<|/tool_call|>"),
    "functools": framed(lambda calls: f"functools[{', '.join(_objects(calls))}]"),
    "deepseek_v3": framed(
        _deepseek(
            lambda call: (
                f"<｜tool▁call▁begin｜>function<｜tool▁sep｜>{call.name}\n```json\n{_json(call.arguments)}\n```"
                "<｜tool▁call▁end｜>"
            )
        )
    ),
    "deepseek_v31": framed(
        _deepseek(
            lambda call: f"<｜tool▁call▁begin｜>{call.name}<｜tool▁sep｜>{_json(call.arguments)}<｜tool▁call▁end｜>"
        )
    ),
    "deepseek_v32": framed(_each(_dsml, around=("<｜DSML｜function_calls>\n", "</｜DSML｜function_calls>"))),
    "deepseek_v4": framed(_each(_dsml, around=("<｜DSML｜tool_calls>\n", "</｜DSML｜tool_calls>"))),
    "kimi_k2": framed(_kimi),
    "minimax_m1": framed(lambda calls: "<tool_calls>\n" + "\n".join(_objects(calls)) + "\n</tool_calls>"),
    "cohere_cmd": framed(_cohere, ("<|START_THINKING|>", "<|END_THINKING|>")),
    "apertus": framed(
        lambda calls: f"<|tools_prefix|>{_json([{call.name: call.arguments} for call in calls])}<|tools_suffix|>",
        ("<|inner_prefix|>", "<|inner_suffix|>"),
    ),
    "function_tag_json": framed(_each(lambda call: f"<function={call.name}>{_json(call.arguments)}</function>")),
    "json_list": framed(lambda calls: f"[{', '.join(_objects(calls))}]"),
    "harmony": _harmony,
    "qwen3_coder": framed(_each(_functions("<tool_call>", "</tool_call>", "\n"), "\n")),
    "seed_oss": framed(
        _each(_functions("<seed:tool_call>", "</seed:tool_call>", ""), "\n"), ("<seed:think>", "</seed:think>")
    ),
    "glm45": framed(_each(_glm("\n"), "\n")),
    "glm47": framed(_each(_glm(""))),
    "minimax_m2": framed(_each(_invoke(""), around=("<minimax:tool_call>\n", "</minimax:tool_call>"))),
    "pythonic": framed(_each(_python, ", ", ("[", "]"))),
    "lfm2": framed(_each(_python, ", ", ("<|tool_call_start|>[", "]<|tool_call_end|>"))),
    "olmo3": framed(_each(_python, "\n", ("<function_calls>", "</function_calls>"))),
    "functiongemma": framed(_gemma("<escape>", "<start_function_call>", "<end_function_call>")),
    "gemma4": framed(_gemma('<|"|>', "<|tool_call>", "<tool_call|>"), ("<|channel>thought\n", "<channel|>")),
}


def _minicpm(call: Asked) -> str:
    parameters = "".join(f'<param name="{key}">{_text(value)}</param>' for key, value in call.arguments.items())
    return f'<function name="{call.name}">{parameters}</function>'


def _kimi_k3(call: Asked) -> str:
    parameters = "".join(
        f'<|open|>argument key="{key}" type="{_type(value)}"<|sep|>{_text(value)}<|close|>argument<|sep|>'
        for key, value in call.arguments.items()
    )
    return f'<|open|>call tool="{call.name}"<|sep|>{parameters}<|close|>call<|sep|>'


def _hunyuan(call: Asked) -> str:
    pairs = "".join(
        f"<arg_key>{key}</arg_key>\n<arg_value>{_text(value)}</arg_value>\n" for key, value in call.arguments.items()
    )
    return f"<tool_call>{call.name}<tool_sep>\n{pairs}</tool_call>\n"


def _longcat(call: Asked) -> str:
    pairs = "".join(
        f"<longcat_arg_key>{key}</longcat_arg_key>\n<longcat_arg_value>{_text(value)}</longcat_arg_value>\n"
        for key, value in call.arguments.items()
    )
    return f"<longcat_tool_call>{call.name}\n{pairs}</longcat_tool_call>"


def _step(call: Asked) -> str:
    return f"<｜tool_call_begin｜>{_invoke('steptml:')(call)}<｜tool_call_end｜>"


ALL_WRITERS: dict[str, Callable[[Message], str]] = {
    **WRITERS,
    "ernie45": WRITERS["hermes"],
    "jamba": WRITERS["minimax_m1"],
    "hunyuan_a13b": WRITERS["minimax_m1"],
    "internlm2": framed(
        lambda calls: "".join(
            f"<|action_start|><|plugin|>\n{one}<|action_end|>" for one in _objects(calls, arguments="parameters")
        )
    ),
    "granite_20b_fc": framed(lambda calls: "\n".join(f"<function_call> {one}" for one in _objects(calls))),
    "step3": framed(_each(_step, "<｜tool_sep｜>", ("<｜tool_calls_begin｜>", "<｜tool_calls_end｜>"))),
    "minicpm5": framed(_each(_minicpm)),
    "kimi_k3": framed(_each(_kimi_k3, around=("<|open|>tools<|sep|>", "<|close|>tools<|sep|>"))),
    "hunyuan_hy3": framed(_each(_hunyuan, around=("<tool_calls>\n", "</tool_calls>"))),
    "longcat": framed(_each(_longcat, "\n")),
    "nemotron_nano2": framed(lambda calls: f"<TOOLCALL>[{', '.join(_objects(calls))}]</TOOLCALL>"),
    "gigachat3": framed(
        lambda calls: "".join(f"<|message_sep|>\n\nfunction call<|role_sep|>\n{one}" for one in _objects(calls))
    ),
    "react": framed(_each(lambda call: f"Action: {call.name}\nAction Input: {_json(call.arguments)}\n")),
}
"""With those of the formats that few models write, and that only have to be named."""

START_ONLY = ("llama3_json", "json_list", "pythonic")
"""Formats without a marker: calls stand at the beginning, and nothing follows them."""

ENDS_ONLY = (*START_ONLY, "mistral_array", "mistral_args", "granite3")
"""Formats in which nothing follows a call."""

THINKS = [name for name in WRITERS if name not in ("functiongemma",)]

_TYPES: list[tuple[type, str]] = [
    (bool, "boolean"),
    (int, "integer"),
    (float, "number"),
    (str, "string"),
    (list, "array"),
    (dict, "object"),
]


def schemas(message: Message) -> list[dict[str, Any]]:
    """Tools whose parameters are what the message's calls hold."""
    return [
        {
            "type": "function",
            "function": {
                "name": part.name,
                "parameters": {
                    "type": "object",
                    "properties": {key: {"type": _type(value)} for key, value in part.arguments.items()},
                },
            },
        }
        for part in message
        if isinstance(part, Asked)
    ]


def _type(value: Any) -> str:
    return next((name for kind, name in _TYPES if isinstance(value, kind)), "null")
