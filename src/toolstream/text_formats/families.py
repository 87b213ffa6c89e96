"""The formats that are known, each as one declaration. `docs/text-formats.md` shows the same as a table."""

from __future__ import annotations

import re
from dataclasses import replace

from .formats import Code, Gemma, Headed, Messages, Objects, Opener, Python, Tagged, TextFormat

_OBJECT = "{["
_CHATML = ("<|im_end|>", "<|endoftext|>")
_LLAMA = ("<|eot_id|>", "<|eom_id|>", "<|end_of_text|>", "<|eot|>", "<|eom|>")
_DEEPSEEK = ("<｜end▁of▁sentence｜>",)
_GRANITE = ("<|end_of_text|>", "<|endoftext|>")
_PHI = ("<|end|>", "<|endoftext|>")
_GLM = ("<|user|>", "<|endoftext|>", "<|role_end|>")
_GEMMA = ("<end_of_turn>", "<turn|>", "<eos>")
_RESPONSE = ("<response>", "</response>")
_THINK = ("<think>", "</think>")
_NAME = r"\s*name=(?P<quote>[\"'])(?P<name>[^\"']+)(?P=quote)\s*"
_KEY = r"\s*name=(?P<quote>[\"'])(?P<key>[^\"']*)(?P=quote)[^>]*"

_HERMES = Opener("<tool_call>", Objects(closes=("</tool_call>",)), needs=_OBJECT)
_PYTHON_TAG_OBJECT = Opener("<|python_tag|>", Objects(separator=";"), needs="{")
_PYTHON_TAG_LIST = Opener("<|python_tag|>", Objects(), needs="[", trial=True)
_PYTHON_TAG_CODE = Opener("<|python_tag|>", Code("ipython", closes=_LLAMA))
_FUNCTIONARY = Headed(header=r"(?P<name>[^\s{]+)\n\s*", begins=r"[^\s{]*(?:\n\s*)?")
_FENCES = tuple(
    Opener(fence, Objects(closes=("```",)), needs=_OBJECT, trial=True) for fence in ("```json", "```JSON", "```\n")
)
_BUILT_IN = Opener("<|python_tag|>", Python(brackets=False, suffix=".call"), trial=True)


def _python(opens: str, closes: str, *, echoes: bool = False) -> tuple[Opener, ...]:
    """Python calls between two marks, in a list or one after another."""
    return (
        Opener(opens, Python(closes=(closes,), echoes=echoes), needs="["),
        Opener(opens, Python(brackets=False, closes=(closes,))),
    )


_MISTRAL = (
    Opener("[TOOL_CALLS]", Objects(late_id=True), needs=_OBJECT),
    Opener(
        "[TOOL_CALLS]",
        Headed(
            header=r"\s*(?P<name>[^\[{\s]+)\s*(?:\[CALL_ID\](?P<id>[^\[{\s]+))?(?:\[ARGS\])?\s*",
            begins=r"\s*[^\[{\s]*\s*(?:\[.*)?",
        ),
    ),
)
_MISTRAL_REASONING = (("[THINK]", "[/THINK]"), _THINK)
_MISTRAL_SPECIAL = ("[TOOL_CALLS]", "[ARGS]", "[CALL_ID]", "[THINK]", "[/THINK]")


_GAPS = ("▁", "_", r"\_", " ")


def _deepseek(name: str, models: str) -> TextFormat:
    """DeepSeek's section of entries, V3's (a type before the name, and a fence) and V3.1's.

    Distilled models spell the markers by hand, in one of three ways, and may leave the section's out.
    """

    def marks(*words: str) -> tuple[str, ...]:
        return tuple("<｜" + gap.join(words) + "｜>" for gap in _GAPS)

    sep = "(?:" + "|".join(map(re.escape, marks("tool", "sep"))) + r")\s*"
    header = rf"\s*(?:function\s*{sep})?(?P<name>[^\n`]+?)\s*(?:{sep})?(?:```(?:json)?\s*)?(?:```\s*)?"
    begins, ends, closes = marks("tool", "call", "begin"), marks("tool", "call", "end"), marks("tool", "calls", "end")
    section = Headed(header, entry=begins, tail=("```",), ends=ends, closes=closes)
    return TextFormat(
        name,
        (
            *(Opener(mark, section) for mark in marks("tool", "calls", "begin")),
            *(Opener(mark, _alone(section, r"\s*[^\s`]*(?:\s*`{0,3}\w*\s*)?")) for mark in begins),
        ),
        ends=_DEEPSEEK,
        special=("<｜tool▁calls▁begin｜>", "<｜tool▁call▁begin｜>", "<｜tool▁sep｜>"),
        models=models,
    )


def _alone(section: Headed, begins: str) -> Headed:
    """An entry of a section whose own opener is missing."""
    return replace(
        section,
        begins=begins,
        entry=(),
        tail=(*section.tail, *section.ends),
        ends=(*section.ends, *section.closes),
        closes=(),
    )


def _invoke(prefix: str, closes: tuple[str, ...], skipped: tuple[str, ...] = ()) -> Tagged:
    """`<invoke name="…">` with `<parameter name="…">`."""
    return Tagged(
        call=f"<{prefix}invoke",
        name=rf"{_NAME}(?P<empty>/?)",
        name_ends=(">",),
        call_ends=(f"</{prefix}invoke>",),
        parameter=f"<{prefix}parameter",
        key=_KEY,
        key_ends=">",
        value_ends=(f"</{prefix}parameter>",),
        closes=closes,
        skipped=skipped,
    )


_HARMONY = Messages(
    body="<|message|>",
    channel="<|channel|>",
    starts=("<|start|>", "<|channel|>"),
    ends=("<|end|>", "<|call|>", "<|return|>"),
    reasoning="analysis",
)

_KIMI_SECTION = Headed(
    header=r"\s*(?P<id>(?:functions\.)?(?P<name>[^\s<]+?)(?::\d+)?)\s*<\|tool_call_argument_begin\|>\s*",
    entry=("<|tool_call_begin|>",),
    ends=("<|tool_call_end|>",),
    closes=("<|tool_calls_section_end|>", "<|tool_call_section_end|>"),
)

_DSML_ROOTS = ("function_calls", "tool_calls", " calls")


def _dsml(name: str, models: str) -> TextFormat:
    """DeepSeek's XML: the flag on each value says whether it is text, so that no schema is needed.

    Each version has another root; it may be missing.
    """
    body = replace(
        _invoke("｜DSML｜", tuple(f"</｜DSML｜{root}>" for root in _DSML_ROOTS)),
        key=r"(?=.*\bname=(?P<quote>[\"'])(?P<key>[^\"']*)(?P=quote))(?:.*\bstring=[\"'](?P<string>true|false)[\"'])?.*",
    )
    openers = [Opener(f"<｜DSML｜{root}>", body, needs="<") for root in _DSML_ROOTS]
    openers.append(Opener(body.call, body, trial=True, keep=len(body.call)))
    return TextFormat(name, tuple(openers), ends=_DEEPSEEK, special=("｜DSML｜",), models=models)


def _pairs(prefix: str = "", suffix: str = "", turn_ends: tuple[str, ...] = ()) -> Tagged:
    """A bare name, then `<arg_key>` with `<arg_value>`: GLM's tags."""

    def tag(name: str, slash: str = "") -> str:
        return f"<{slash}{prefix}{name}{suffix}>"

    return Tagged(
        name=r"\s*(?P<name>\w[^\s<>{\[]*)\s*",
        name_ends=(tag("arg_key"), tag("tool_call", "/"), *turn_ends),
        call_ends=(tag("tool_call", "/"),),
        parameter=tag("arg_key"),
        key=rf"(?P<key>.*?){re.escape(tag('arg_key', '/'))}\s*",
        key_ends=tag("arg_value"),
        value_ends=(tag("arg_value", "/"),),
        closes=turn_ends,
    )


def _glm(name: str, models: str) -> TextFormat:
    answers = ("<|observation|>",)
    body = replace(_pairs(turn_ends=(*answers, *_GLM)), open_end=True)
    return TextFormat(name, (Opener("<tool_call>", body),), ends=_GLM, answers=answers, models=models)


def _hunyuan(suffix: str) -> Opener:
    """GLM's tags in a section, and a mark behind the name; some releases give each tag a suffix."""
    sep, call = f"<tool_sep{suffix}>", f"<tool_call{suffix}>"
    pairs = _pairs(suffix=suffix)
    body = replace(pairs, call=call, name_ends=(sep, *pairs.call_ends), closes=(f"</tool_calls{suffix}>",))
    return Opener(f"<tool_calls{suffix}>", body, needs="<")


def _functions(closes: str, ends: tuple[str, ...]) -> Tagged:
    """`<function=name>` with `<parameter=key>`: Qwen3-Coder's tags."""
    return Tagged(
        call="<function=",
        name=r"(?P<name>[^\s<>{}]+)",
        name_ends=(">",),
        call_ends=("</function>",),
        parameter="<parameter=",
        key=r"(?P<key>[^>]+)",
        key_ends=">",
        value_ends=("</parameter>",),
        open_value=ends,
        closes=(closes,),
    )


_QWEN_BODY = replace(
    _functions("</tool_call>", _CHATML),
    followed_by=("<parameter=", "</function>", "</tool_call>"),
    framing_newline=True,
)


FORMATS: dict[str, TextFormat] = {
    format.name: format
    for format in (
        TextFormat(
            "hermes",
            (_HERMES,),
            ends=(*_CHATML, "<|eot_id|>", "<|end_of_text|>"),
            wraps=(_RESPONSE,),
            models="Qwen2.5, Qwen3, QwQ, Hermes 2 to 4, Granite 4, SmolLM3 (xml tools), Ernie 4.5",
        ),
        TextFormat(
            "llama3_json",
            (
                Opener("", Objects(separator=";"), needs=_OBJECT, trial=True),
                _PYTHON_TAG_OBJECT,
                _PYTHON_TAG_LIST,
                _BUILT_IN,
                _PYTHON_TAG_CODE,
            ),
            ends=_LLAMA,
            special=("<|python_tag|>",),
            models="Llama 3.1, 3.2, 3.3",
        ),
        TextFormat(
            "mistral_array",
            _MISTRAL,
            _MISTRAL_REASONING,
            ends=("</s>",),
            special=_MISTRAL_SPECIAL,
            models="Mistral 7B v0.3, Nemo, Small 2409",
        ),
        TextFormat(
            "mistral_args",
            _MISTRAL,
            _MISTRAL_REASONING,
            ends=("</s>",),
            special=_MISTRAL_SPECIAL,
            models="Mistral Small 3, Devstral, Ministral 3, Magistral",
        ),
        TextFormat(
            "granite3",
            (Opener("<|tool_call|>", Objects(), needs=_OBJECT), _HERMES),
            ends=_GRANITE,
            wraps=(_RESPONSE,),
            models="Granite 3.0 to 3.3",
        ),
        TextFormat(
            "phi4_mini",
            (Opener("<|tool_call|>", Objects(closes=("<|/tool_call|>",)), needs=_OBJECT),),
            ends=_PHI,
            special=("<|tool_call|>", "<|/tool_call|>"),
            models="Phi-4-mini, Phi-4-multimodal",
        ),
        TextFormat(
            "functools",
            (Opener("functools[", Objects(), needs="{", trial=True, keep=1),),
            ends=(*_PHI, *_LLAMA),
            models="Phi-4-mini (as vLLM prompts it), Firefunction",
        ),
        _deepseek("deepseek_v3", "DeepSeek V3, R1, R1 distills"),
        _deepseek("deepseek_v31", "DeepSeek V3.1, V3.2-Exp"),
        TextFormat(
            "kimi_k2",
            (
                Opener("<|tool_calls_section_begin|>", _KIMI_SECTION),
                Opener("<|tool_call_section_begin|>", _KIMI_SECTION),
                Opener("<|tool_call_begin|>", _alone(_KIMI_SECTION, r"\s*[^\s<]*\s*(?:<\S*\s*)?")),
            ),
            (_THINK, ("◁think▷", "◁/think▷")),
            ends=("<|im_end|>", "[EOS]"),
            dropped=(*_KIMI_SECTION.ends, *_KIMI_SECTION.closes),
            calls_end_reasoning=True,
            special=("<|tool_calls_section_begin|>", "<|tool_call_begin|>", "<|tool_call_argument_begin|>"),
            models="Kimi K2, K2 Thinking, K2.5",
        ),
        TextFormat(
            "minimax_m1",
            (Opener("<tool_calls>", Objects(closes=("</tool_calls>",), entry=('\n{"name"',)), needs=_OBJECT),),
            ends=("<end_of_sentence>", "[e~[", "<|eom|>", "<|endoftext|>", "<|eos|>"),
            models="MiniMax M1, Jamba, Hunyuan A13B",
        ),
        TextFormat(
            "cohere_cmd",
            (
                Opener("<|START_ACTION|>", Objects(closes=("<|END_ACTION|>",)), needs=_OBJECT),
                *(
                    Opener(mark, Objects(closes=("```",)), needs=_OBJECT)
                    for mark in ("Action: ```json", "Action:\n```json")
                ),
            ),
            (("<|START_THINKING|>", "<|END_THINKING|>"),),
            ends=("<|END_OF_TURN_TOKEN|>",),
            dropped=(
                *("<|START_RESPONSE|>", "<|END_RESPONSE|>", "<|START_TEXT|>", "<|END_TEXT|>"),
                *("<|START_OF_TURN_TOKEN|>", "<|CHATBOT_TOKEN|>"),
            ),
            special=("<|START_ACTION|>", "<|END_ACTION|>", "<|START_THINKING|>", "<|START_RESPONSE|>"),
            models="Command R7B, Command A, Command R and R+ (Action:)",
        ),
        TextFormat(
            "apertus",
            (Opener("<|tools_prefix|>", Objects(closes=("<|tools_suffix|>",), keyed=True), needs=_OBJECT),),
            (("<|inner_prefix|>", "<|inner_suffix|>"),),
            ends=("<|assistant_end|>",),
            calls_end_reasoning=True,
            special=("<|tools_prefix|>", "<|tools_suffix|>", "<|inner_prefix|>", "<|inner_suffix|>"),
            models="Apertus 8B, 70B",
        ),
        TextFormat(
            "function_tag_json",
            (
                Opener(
                    "<function=",
                    Headed(header=r"(?P<name>[^>\s]+)>\s*", begins=r"[^>\s]*(?:>\s*)?", ends=("</function>",)),
                ),
                Opener(">>>", _FUNCTIONARY),
                Opener(">>>python\n", _FUNCTIONARY, needs="{", keep=len("python\n")),
                Opener(">>>python\n", Code("python", closes=_LLAMA)),
                Opener("<|python_tag|>", Code("python", closes=_LLAMA)),
            ),
            ends=_LLAMA,
            dropped=(">>>all\n",),
            models="Functionary 3.1 and 3.2, Llama 3.1 custom tools",
        ),
        TextFormat(
            "json_list",
            (
                Opener("", Objects(), needs=_OBJECT, trial=True),
                *_FENCES,
                _HERMES,
                Opener("[TOOL_CALLS]", Objects(), needs=_OBJECT),
            ),
            ends=(*_CHATML, *_LLAMA, "<end_of_utterance>", "<end_of_turn>", "<|end|>"),
            models="xLAM, watt-tool, prompted small models (SmolVLM2)",
        ),
        TextFormat(
            "harmony",
            (
                *(Opener(start, _HARMONY, keep=len(start)) for start in ("<|start|>", "<|channel|>", "<|message|>")),
                Opener("", _HARMONY, needs="t", trial=True),
            ),
            (),
            ends=_HARMONY.ends,
            special=("<|start|>", "<|channel|>", "<|constrain|>", "<|message|>", "<|call|>", "<|end|>", "<|return|>"),
            models="gpt-oss 20B, 120B",
        ),
        _dsml("deepseek_v32", "DeepSeek V3.2"),
        _dsml("deepseek_v4", "DeepSeek V4"),
        _glm("glm45", "GLM 4.5, 4.6, Ring"),
        _glm("glm47", "GLM 4.7, 5"),
        TextFormat(
            "qwen3_coder",
            (
                Opener("<tool_call>", _QWEN_BODY, needs="<"),
                Opener(_QWEN_BODY.call, _QWEN_BODY, trial=True, keep=len(_QWEN_BODY.call)),
            ),
            ends=_CHATML,
            calls_end_reasoning=True,
            models="Qwen3-Coder, Qwen3.5, Qwen3.6, Nemotron 3, Step 3.5, MiMo",
        ),
        TextFormat(
            "seed_oss",
            (Opener("<seed:tool_call>", _functions("</seed:tool_call>", ("<seed:eos>",)), needs="<"),),
            (("<seed:think>", "</seed:think>"),),
            ends=("<seed:eos>",),
            models="Seed-OSS",
        ),
        TextFormat(
            "minimax_m2",
            (Opener("<minimax:tool_call>", _invoke("", ("</minimax:tool_call>",)), needs="<"),),
            ends=("[e~[",),
            models="MiniMax M2",
        ),
        TextFormat(
            "pythonic",
            (
                Opener("", Python(), needs="[", trial=True),
                *_python("<|python_start|>", "<|python_end|>"),
                Opener("```tool_code", Python(closes=("```",)), needs="[", trial=True),
                Opener("```tool_code", Python(brackets=False, closes=("```",), wrapper="print"), trial=True),
            ),
            ends=(*_LLAMA, "<end_of_turn>"),
            dropped=("<|python_end|>",),
            special=("<|python_start|>", "<|python_end|>"),
            models="Llama 3.2 1B and 3B, Llama 4, ToolACE, Gemma 3 (prompted)",
        ),
        TextFormat(
            "lfm2",
            (
                *_python("<|tool_call_start|>", "<|tool_call_end|>", echoes=True),
                Opener("<|tool_call_start|>", Objects(closes=("<|tool_call_end|>",)), needs=_OBJECT),
            ),
            ends=_CHATML,
            dropped=("<|tool_call_end|>",),
            special=("<|tool_call_start|>", "<|tool_call_end|>"),
            models="LFM2, LFM2.5, LFM2-VL",
        ),
        TextFormat(
            "olmo3",
            _python("<function_calls>", "</function_calls>"),
            ends=_CHATML,
            models="OLMo 3",
        ),
        TextFormat(
            "functiongemma",
            (
                Opener(
                    "<start_function_call>", Gemma("<escape>", closes=("<end_function_call>",), untyped=True), needs="c"
                ),
            ),
            (),
            ends=_GEMMA,
            answers=("<start_function_response>",),
            special=("<start_function_call>", "<end_function_call>", "<escape>"),
            models="FunctionGemma",
        ),
        TextFormat(
            "gemma4",
            (Opener("<|tool_call>", Gemma('<|"|>', closes=("<tool_call|>",)), needs="c:"),),
            (("<|channel>thought", "<channel|>"), ("<|channel>", "<channel|>")),
            ends=_GEMMA,
            answers=("<|tool_response>",),
            special=("<|tool_call>", "<tool_call|>", '<|"|>', "<|channel>", "<channel|>"),
            models="Gemma 4",
        ),
        TextFormat(
            "internlm2",
            (Opener("<|action_start|><|plugin|>", Objects(closes=("<|action_end|>",)), needs="{"),),
            ends=_CHATML,
            special=("<|action_start|>", "<|plugin|>", "<|action_end|>"),
            models="InternLM 2, 2.5, 3",
        ),
        TextFormat(
            "granite_20b_fc",
            (Opener("<function_call>", Objects(), needs=_OBJECT),),
            ends=_GRANITE,
            models="Granite 20B function calling",
        ),
        TextFormat(
            "step3",
            (
                Opener(
                    "<｜tool_calls_begin｜>",
                    _invoke(
                        "steptml:",
                        ("<｜tool_calls_end｜>",),
                        ("<｜tool_call_begin｜>", "<｜tool_call_end｜>", "<｜tool_sep｜>", "function<｜tool_sep｜>"),
                    ),
                ),
            ),
            ends=("<|EOT|>",),
            special=("<｜tool_calls_begin｜>", "<｜tool_call_begin｜>", "<｜tool_call_end｜>", "<｜tool_sep｜>"),
            models="Step 3",
        ),
        TextFormat(
            "minicpm5",
            (
                Opener(
                    "<function name=",
                    Tagged(
                        call="<function",
                        name=_NAME,
                        name_ends=(">",),
                        call_ends=("</function>",),
                        parameter="<param",
                        key=_KEY,
                        key_ends=">",
                        value_ends=("</param>",),
                        cdata=True,
                    ),
                    trial=True,
                    keep=len("<function name="),
                ),
            ),
            ends=_CHATML,
            models="MiniCPM 5",
        ),
        TextFormat(
            "kimi_k3",
            (
                Opener(
                    "<|open|>tools<|sep|>",
                    Tagged(
                        call="<|open|>call",
                        name=r"\s*tool=\"(?P<name>[^\"]+)\".*",
                        name_ends=("<|sep|>",),
                        call_ends=("<|close|>call<|sep|>",),
                        parameter="<|open|>argument",
                        key=r"\s*key=\"(?P<key>[^\"]*)\"(?:\s+type=\"(?P<type>\w+)\")?.*",
                        key_ends="<|sep|>",
                        value_ends=("<|close|>argument<|sep|>",),
                        closes=("<|close|>tools<|sep|>",),
                    ),
                ),
            ),
            (("<|open|>think<|sep|>", "<|close|>think<|sep|>"), _THINK),
            ends=("<|close|>message<|sep|>", "<|im_end|>", "[EOS]"),
            dropped=("<|open|>response<|sep|>", "<|close|>response<|sep|>"),
            special=("<|open|>", "<|close|>", "<|sep|>"),
            models="Kimi K3",
        ),
        TextFormat(
            "hunyuan_hy3",
            (_hunyuan(""), _hunyuan(":opensource")),
            models="Hunyuan Hy3",
        ),
        TextFormat(
            "longcat",
            (
                Opener("<longcat_tool_call>", Objects(closes=("</longcat_tool_call>",)), needs=_OBJECT),
                Opener("<longcat_tool_call>", _pairs("longcat_")),
            ),
            (_THINK, ("<longcat_think>", "</longcat_think>")),
            ends=("</longcat_s>",),
            models="LongCat Flash",
        ),
        TextFormat(
            "nemotron_nano2",
            (Opener("<TOOLCALL>", Objects(closes=("</TOOLCALL>",)), needs=_OBJECT),),
            ends=("<SPECIAL_12>",),
            models="Nemotron Nano 2",
        ),
        TextFormat(
            "gigachat3",
            tuple(Opener(mark, Objects(), needs="{") for mark in ("function call<|role_sep|>\n", "<|function_call|>")),
            ends=("</s>",),
            dropped=("<|message_sep|>\n\n", "<|message_sep|>"),
            special=("<|role_sep|>", "<|message_sep|>", "<|function_call|>"),
            models="GigaChat 3, 3.1",
        ),
        TextFormat(
            "python_code",
            (
                Opener("<code>", Code("python", closes=("</code>",))),
                Opener("```py\n", Code("python", closes=("```<end_code>", "```"))),
                Opener("```python\n", Code("python", closes=("```<end_code>", "```"))),
            ),
            ends=_CHATML,
            dropped=("<end_code>",),
            models="SmolLM3 (python tools), code agents",
        ),
        TextFormat(
            "react",
            (
                Opener(
                    "Action:",
                    Headed(
                        header=r"\s*(?P<name>[^\n{]+?)\s*\n\s*Action Input:\s*(?:```(?:json)?\s*)?",
                        begins=r"[^\n{]*(?:\n\s*[ \w]*(?::\s*(?:`{1,3}\w*\s*)?)?)?",
                        tail=("```",),
                    ),
                ),
            ),
            (("Thought:", "Final Answer:"),),
            answers=("Observation:",),
            calls_end_reasoning=True,
            models="any, prompted for ReAct",
        ),
    )
}
_HERMES_ENDS = FORMATS["hermes"].ends
FORMATS["ernie45"] = replace(FORMATS["hermes"], name="ernie45", ends=(*_HERMES_ENDS, "</s>", "<|end_of_sentence|>"))
FORMATS["jamba"] = replace(FORMATS["minimax_m1"], name="jamba")
FORMATS["hunyuan_a13b"] = replace(FORMATS["minimax_m1"], name="hunyuan_a13b", wraps=(("<answer>", "</answer>"),))
