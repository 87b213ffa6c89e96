"""Which format a model writes: told from its tokenizer, its chat template, or its name (`text_format`); and the format
"text", which is told by the first marker in the text itself.

A template or a tokenizer is evidence; a name is only a table, and where it leaves several formats open that is an
error which lists them.
"""

from __future__ import annotations

import re
from dataclasses import replace
from typing import Any, NamedTuple

from .families import FORMATS
from .formats import Opener, TextFormat


class _Rule(NamedTuple):
    """A template that holds every one of `has` and none of `lacks` is of this format."""

    format: str
    has: tuple[str, ...]
    lacks: tuple[str, ...] = ()


# The most specific first: the first that fits counts.
_RULES = (
    _Rule("minimax_m2", ("<minimax:tool_call>",)),
    _Rule("longcat", ("<longcat_tool_call>",)),
    _Rule("nemotron_nano2", ("<TOOLCALL>",)),
    _Rule("gemma4", ("<|tool_call>", "<tool_call|>")),
    _Rule("functiongemma", ("<start_function_call>",)),
    _Rule("harmony", ("<|channel|>", "<|message|>")),
    _Rule("deepseek_v32", ("｜DSML｜", "function_calls")),
    _Rule("deepseek_v4", ("｜DSML｜",)),
    _Rule("deepseek_v3", ("tool▁calls▁begin", "tool▁sep", "```json")),
    _Rule("deepseek_v31", ("tool▁calls▁begin", "tool▁sep")),
    _Rule("kimi_k2", ("<|tool_calls_section_begin|>",)),
    _Rule("kimi_k3", ("<|open|>", "<|close|>", "<|sep|>")),
    _Rule("step3", ("steptml:",)),
    _Rule("hunyuan_hy3", ("<tool_sep>", "<arg_key>")),
    _Rule("glm45", ("<arg_key>",)),
    _Rule("seed_oss", ("<seed:",)),
    _Rule("qwen3_coder", ("<function=", "<parameter=")),
    _Rule("minicpm5", ("<function name=", "<param name=")),
    _Rule("lfm2", ("<|tool_call_start|>",)),
    _Rule("lfm2", ("<|tool_list_start|>",)),
    _Rule("olmo3", ("<function_calls>",)),
    _Rule("apertus", ("<|tools_prefix|>",)),
    _Rule("cohere_cmd", ("<|START_ACTION|>",)),
    _Rule("cohere_cmd", ("Action: ```json",)),
    _Rule("cohere_cmd", ("Action:\n```json",)),
    _Rule("mistral_args", ("[TOOL_CALLS]", "[ARGS]")),
    _Rule("mistral_array", ("[TOOL_CALLS]",)),
    _Rule("internlm2", ("<|action_start|>",)),
    _Rule("phi4_mini", ("<|tool_call|>", "<|/tool_call|>")),
    _Rule("granite3", ("<|tool_call|>",)),
    _Rule("minimax_m1", ("<tool_calls>",)),
    _Rule("function_tag_json", ("<function=",)),
    _Rule("hermes", ("<tool_call>",)),
    _Rule("gigachat3", ("<|role_sep|>",)),
    _Rule("gigachat3", ("<|function_call|>",)),
    _Rule("pythonic", ("<|python_start|>",), lacks=("parameters",)),
    _Rule("llama3_json", ("<|python_tag|>",)),
    _Rule("llama3_json", ('"parameters"', "<|start_header_id|>")),
)

# By name, in lower case. Of several formats the name alone cannot tell.
_MODELS: tuple[tuple[str, tuple[str, ...]], ...] = (
    (r"qwen3-coder|qwen3\.[56]|nemotron-3|step-3\.5|mimo", ("qwen3_coder",)),
    (r"qwen|qwq|hermes|smollm3|granite-?4", ("hermes",)),
    (r"ernie-?4\.5", ("ernie45",)),
    (r"functiongemma", ("functiongemma",)),
    (r"gemma-?4", ("gemma4",)),
    (r"llama-?3\.2-(1|3)b", ("llama3_json", "pythonic")),
    (r"llama-?3\.[123]", ("llama3_json",)),
    (r"llama-?4|toolace|gemma-?3", ("pythonic",)),
    (r"lfm-?2", ("lfm2",)),
    (r"olmo-?3", ("olmo3",)),
    (r"mistral-7b-instruct-v0\.3|mistral-nemo|mistral-small-(instruct-)?2409", ("mistral_array",)),
    (r"mistral-small|devstral|ministral|magistral", ("mistral_args",)),
    (r"mi[sx]tral", ("mistral_array", "mistral_args")),
    (r"deepseek-v3\.1|deepseek-v3\.2-exp", ("deepseek_v31",)),
    (r"deepseek-v3\.2", ("deepseek_v32",)),
    (r"deepseek-v4", ("deepseek_v4",)),
    (r"deepseek-r1-0528|deepseek-(v3|r1)", ("deepseek_v3",)),
    (r"kimi-k3", ("kimi_k3",)),
    (r"kimi", ("kimi_k2",)),
    (r"glm-?4\.[56]|ring-", ("glm45",)),
    (r"glm-?(4\.7|5)", ("glm47",)),
    (r"seed-oss", ("seed_oss",)),
    (r"minimax-m1", ("minimax_m1",)),
    (r"minimax-m2", ("minimax_m2",)),
    (r"granite-20b-functioncalling", ("granite_20b_fc",)),
    (r"granite-?3", ("granite3",)),
    (r"phi-?4-(mini|multimodal)", ("phi4_mini", "functools")),
    (r"firefunction", ("functools",)),
    (r"gpt-oss", ("harmony",)),
    (r"command-?(r|a)|c4ai", ("cohere_cmd",)),
    (r"apertus", ("apertus",)),
    (r"functionary", ("function_tag_json",)),
    (r"xlam|watt-tool|smolvlm", ("json_list",)),
    (r"internlm", ("internlm2",)),
    (r"longcat", ("longcat",)),
    (r"nemotron-nano-(9b|12b)-v2|nemotron-nano-v?2", ("nemotron_nano2",)),
    (r"jamba", ("jamba",)),
    (r"hunyuan-a13b", ("hunyuan_a13b",)),
    (r"step-?3", ("step3",)),
    (r"minicpm-?5", ("minicpm5",)),
    (r"gigachat-?3", ("gigachat3",)),
)

# Formats whose markers stand in ordinary prose and code, too: they have to be named.
_NAMED_ONLY = ("react", "python_code", "gigachat3", "ernie45", "jamba", "hunyuan_a13b")
# In this order, where several formats have one marker: what demands more comes first.
_FIRST = ("phi4_mini", "hermes", "llama3_json", "json_list", "function_tag_json", "qwen3_coder")
_PROSE = (">>>", ">>>python\n", ">>>all\n", "Action: ```json", "Action:\n```json")


def text_format(source: Any) -> TextFormat:
    """The format in which a model writes its calls, to be passed as `provider`.

    source: a transformers tokenizer or processor, a chat template, or a model's name ("Qwen/Qwen3-0.6B").

    From a tokenizer the format also knows which of its markers are special tokens (`special`: with
    `skip_special_tokens=True` they would be lost) and whether the prompt ends inside reasoning (`prefill`).
    Raises `ValueError` if no format fits, or several do, which the message lists; `TypeError` for another source.
    """
    if isinstance(source, str):
        is_template = "{%" in source or "{{" in source or "\n" in source
        return _of_template(source) if is_template else _of_model(source)
    tokenizer = getattr(source, "tokenizer", source)
    tokens = _tokens(tokenizer)
    evidence = [*_response_templates(source, tokenizer), *(_templates(source) or _templates(tokenizer))]
    found = next((format for format in map(_shown_by, evidence) if format is not None), None)
    if not (tokens or evidence or hasattr(tokenizer, "name_or_path")):
        wanted = "a tokenizer, a processor, a chat template or a model's name"
        raise TypeError(f"text_format takes {wanted}, not {type(source).__name__}")
    if found is None:
        found = _of_tokens(tokens, getattr(tokenizer, "name_or_path", ""))
    elif found.name == "mistral_array" and "[ARGS]" in tokens:
        found = FORMATS["mistral_args"]
    special = tuple(token for token, is_special in tokens.items() if is_special and token in _markers(found))
    return replace(found, special=special, prefill=_open_reasoning(found, tokenizer))


def _shown_by(template: str) -> TextFormat | None:
    for rule in _RULES:
        if all(mark in template for mark in rule.has) and not any(mark in template for mark in rule.lacks):
            return FORMATS[rule.format]
    return None


def _of_template(template: str) -> TextFormat:
    found = _shown_by(template)
    if found is None:
        raise ValueError(f"the template shows no known way to write tool calls; known formats: {', '.join(FORMATS)}")
    return found


def _response_templates(*owners: Any) -> list[str]:
    """How transformers (from 5 on) is told to parse a model's answers, as text; patterns without their escapes."""
    found = (getattr(owner, "response_template", None) for owner in owners)
    return [str(one).replace("\\", "") for one in found if one]


def _of_tokens(tokens: dict[str, bool], name: str) -> TextFormat:
    """By the vocabulary, where the template says nothing; else by the name."""
    for rule in _RULES:
        if rule.format not in ("hermes", "minimax_m1") and all(mark in tokens for mark in rule.has):
            return FORMATS[rule.format]
    return _of_model(name)


def _of_model(name: str) -> TextFormat:
    short = name.lower().replace("_", "-")
    for pattern, formats in _MODELS:
        if re.search(pattern, short):
            if len(formats) > 1:
                raise ValueError(f"{name!r} may write any of {', '.join(formats)}: name one, or give the tokenizer")
            return FORMATS[formats[0]]
    raise ValueError(f"no format is known for {name!r}; known formats: {', '.join(FORMATS)}")


def _templates(owner: Any) -> list[str]:
    template = getattr(owner, "chat_template", None)
    if isinstance(template, dict):
        template = template.get("tool_use") or template.get("default")
    return [template] if isinstance(template, str) else []


def _tokens(tokenizer: Any) -> dict[str, bool]:
    """The tokenizer's added tokens, and whether each is special."""
    added = getattr(tokenizer, "added_tokens_decoder", None) or {}
    return {str(getattr(token, "content", token)): bool(getattr(token, "special", False)) for token in added.values()}


def _markers(format: TextFormat) -> set[str]:
    words = {opener.marker for opener in format.openers} | set(format.special)
    return words | {word for pair in format.reasoning for word in pair}


def _open_reasoning(format: TextFormat, tokenizer: Any) -> str:
    """The mark of the reasoning that the tokenizer's prompt leaves open, or ""."""
    render = getattr(tokenizer, "apply_chat_template", None)
    if render is None or not _templates(tokenizer):
        return ""
    try:
        prompt = render([{"role": "user", "content": "Hello"}], add_generation_prompt=True, tokenize=False)
    except Exception:  # a template may raise anything
        return ""
    return prefill_of(format, prompt)


def prefill_of(format: TextFormat, prompt: str) -> str:
    """The end of a prompt, from the mark on of reasoning that it opens and does not close; or ""."""
    for opener, closer in format.reasoning:
        at = prompt.rfind(opener)
        if at >= 0 and closer not in prompt[at:] and not prompt[at + len(opener) :].strip():
            return prompt[at:]
    return ""


def _any() -> TextFormat:
    """All formats as one: each marker with all that it may open, tried in order."""
    order = [*_FIRST, *(name for name in FORMATS if name not in (*_FIRST, *_NAMED_ONLY))]
    formats = [FORMATS[name] for name in order]
    openers: dict[Opener, None] = {}
    for format in formats:
        openers.update(dict.fromkeys(opener for opener in format.openers if opener.marker not in _PROSE))
    marks = {opener.marker for opener in openers}

    def all_of(words: list[str]) -> tuple[str, ...]:
        return tuple(word for word in dict.fromkeys(words) if word not in marks and word not in _PROSE)

    return TextFormat(
        "text",
        tuple(openers),
        tuple(dict.fromkeys(pair for format in formats for pair in format.reasoning)),
        ends=all_of([word for format in formats for word in format.ends]),
        answers=all_of([word for format in formats for word in format.answers]),
        dropped=all_of([word for format in formats for word in format.dropped]),
        wraps=tuple(dict.fromkeys(pair for format in formats for pair in format.wraps)),
        models="whatever the first marker tells",
    )


ANY = _any()
