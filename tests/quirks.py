"""The streams in `data/streams` of OpenAI's formats and Anthropic's, one for each quirk, and what each must give.

Run as a program it writes them: `python tests/quirks.py`. What they must give is written here by hand, never read from
the library. `test_quirks.py` holds that the files are what this module says.
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import wire
from wire import DONE, calls, chat, chat_call, chunk, entry, sse, usage_chunk

ROOT = Path(__file__).parent / "data" / "streams"
ARGUMENTS = '{"city": "Zürich", "days": 3}'
PIECES = wire.cut(ARGUMENTS, 7)
Known = dict[str, Any]
USAGE = {"input_tokens": 10, "output_tokens": 20, "cache_read_tokens": None, "cache_write_tokens": None}


def call(id: str | None, name: str, text: str = ARGUMENTS, *, valid: bool = True, server: bool = False) -> Known:
    """What is known of a call. text: of its arguments."""
    arguments = None
    if valid:
        arguments = json.loads(text) if text else {}
    return {"id": id, "name": name, "arguments_text": text, "arguments": arguments, "valid": valid, "server": server}


def free(id: str, name: str, text: str, *, server: bool = False) -> Known:
    return {**call(id, name, "", server=server), "arguments_text": text, "arguments": text}


def known(*found: Known, stop: str | None = "tool_calls", usage: Any = USAGE, **more: Any) -> Known:
    """What a stream must give, text and reasoning but where told."""
    told = {"calls": list(found), "text": "", "reasoning": "", "stop_reason": stop, "usage": usage, "error": None}
    return {**told, **more}


def counts(read: int, output: int, cached: int | None = None, written: int | None = None) -> dict[str, Any]:
    return {"input_tokens": read, "output_tokens": output, "cache_read_tokens": cached, "cache_write_tokens": written}


def delta(**about: Any) -> dict[str, Any]:
    return chunk(about)


def finish(reason: str | None = "tool_calls", **more: Any) -> dict[str, Any]:
    return {**chunk({}, reason), **more}


WEATHER = call("call_0", "weather")


def weather(*fragments: str) -> wire.Wire:
    return chat_call(0, *(fragments or PIECES), name="weather")


def one_by_one(*entries: Any) -> wire.Wire:
    return chat([calls(one) for one in entries])


# A detail of MiniMax's reasoning, and the one call that TGI's deltas hold.
MINIMAX = {"type": "reasoning.text", "id": "reasoning-text-1", "format": "MiniMax-response-v1", "index": 0}
TGI = [entry(0, "", "call_0", "weather"), *(entry(0, text, "") for text in PIECES)]

TOKENS = {"prompt_tokens": 10, "completion_tokens": 20, "total_tokens": 30}

CHAT: dict[str, tuple[Any, dict[str, Any]]] = {
    "openai-calls-interleaved": (
        chat(
            [calls(entry(0, "", "call_0", "weather"), entry(1, "", "call_1", "weather"))],
            [calls(entry(1, text), entry(0, text)) for text in PIECES],
        ),
        known(WEATHER, call("call_1", "weather")),
    ),
    "openai-two-choices-same-id": (
        [
            *(chunk({"role": "assistant", "content": None}, index=index) for index in (0, 1)),
            *(calls(entry(0, "", "call_0", "weather"), index=index) for index in (0, 1)),
            *(calls(entry(0, text), index=index) for text in PIECES for index in (1, 0)),
            *(chunk({}, "tool_calls", index=index) for index in (0, 1)),
            usage_chunk(),
            DONE,
        ],
        known(WEATHER, WEATHER),
    ),
    "openai-no-arguments": (weather("{}"), known(call("call_0", "weather", "{}"))),
    "openai-named-tool-ends-with-stop": (chat(weather(), finish_reason="stop"), known(WEATHER, stop="stop")),
    "openai-length-cuts-arguments": (
        chat(weather(*PIECES[:2]), finish_reason="length"),
        known(call("call_0", "weather", "".join(PIECES[:2]), valid=False), stop="length"),
    ),
    "openai-refusal": (
        chat([delta(refusal="I "), delta(refusal="can't.")], finish_reason="stop"),
        known(stop="stop", text="I can't."),
    ),
    "openai-legacy-function-call": (
        chat(
            [delta(function_call={"name": "weather", "arguments": ""})],
            [delta(function_call={"arguments": text}) for text in PIECES],
            finish_reason="function_call",
        ),
        known(call(None, "weather"), stop="function_call"),
    ),
    "openai-multi-tool-use-wrapper": (
        chat(chat_call(0, '{"tool_uses": [', "]}", name="multi_tool_use.parallel")),
        known(call("call_0", "multi_tool_use.parallel", '{"tool_uses": []}')),
    ),
    "openai-escapes-cut-in-two": (
        chat(weather('{"a": "\\', "u00fc\\ud83d", "\\ude00\\", '"', '"}')),
        known(call("call_0", "weather", '{"a": "\\u00fc\\ud83d\\ude00\\""}')),
    ),
    "openai-line-separators-in-text": (
        chat([delta(content="a\u2028b\u2029c\u0085d")], weather('{"a": "x\u2028', 'y"}')),
        known(call("call_0", "weather", '{"a": "x\u2028y"}'), text="a\u2028b\u2029c\u0085d"),
    ),
    "openai-no-blank-line-at-the-end": (sse(chat(weather())[:-2]).rstrip(b"\n"), known(WEATHER, usage={})),
    "openai-no-finish-reason": (
        [event for event in chat(weather()) if event == DONE or not event["choices"] or event["choices"][0]["delta"]],
        known(WEATHER, stop=None),
    ),
    "azure-first-chunk-about-nothing": (
        [
            {"choices": [], "created": 0, "id": "", "model": "", "object": "", "prompt_filter_results": []},
            *chat(weather())[:-1],
            {**chunk(), "choices": [{"index": 0, "finish_reason": None, "content_filter_offsets": {}}]},
            DONE,
        ],
        known(WEATHER),
    ),
    "mistral-all-calls-with-the-end": (
        [
            delta(role="assistant", content=""),
            {
                **calls(
                    {"id": "a1", "function": {"name": "weather", "arguments": ARGUMENTS}, "index": 0},
                    {"id": "b2", "function": {"name": "ping", "arguments": "{}"}, "index": 1},
                    finish_reason="tool_calls",
                ),
                "usage": {**TOKENS, "prompt_tokens_details": {"cached_tokens": 4}},
                "p": "abcdefgh",
            },
            DONE,
        ],
        known(call("a1", "weather"), call("b2", "ping", "{}"), usage=counts(10, 20, 4)),
    ),
    "mistral-no-index-and-null-ids": (
        one_by_one(
            entry(None, PIECES[0], "a1", "weather"),
            *({**entry(None, text, "null", ""), "type": None} for text in PIECES[1:]),
            entry(None, "{}", "b2", "ping"),
        ),
        known(call("a1", "weather"), call("b2", "ping", "{}")),
    ),
    "mistral-content-in-parts": (
        chat(
            [
                delta(content=[{"type": "thinking", "thinking": [{"type": "text", "text": text}]}])
                for text in ("Hm", ".")
            ],
            [delta(content=[{"type": "text", "text": "So"}]), delta(content=": ")],
            weather(),
        ),
        known(WEATHER, text="So: ", reasoning="Hm."),
    ),
    "groq-whole-call-and-its-own-usage": (
        [
            delta(role="assistant", reasoning="Hm.", channel="analysis"),
            calls(entry(0, ARGUMENTS, "functions.weather:0", "weather")),
            finish(x_groq={"id": "req_1", "usage": {**TOKENS, "prompt_tokens_details": {"cached_tokens": 8}}}),
            DONE,
        ],
        known(call("functions.weather:0", "weather"), reasoning="Hm.", usage=counts(10, 20, 8)),
    ),
    "groq-tool-use-failed": (
        sse([delta(role="assistant"), delta(reasoning="Hm.")])
        + b'event: error\ndata: {"error":{"message":"Failed to call a function.","type":"invalid_request_error",'
        b'"code":"tool_use_failed","failed_generation":"<function=weather>"}}\n\n',
        known(stop=None, usage={}, reasoning="Hm.", error="Failed to call a function."),
    ),
    "deepseek-keep-alive-and-cache-hits": (
        b": keep-alive\n\n"
        + sse(
            [
                *chat([delta(content=None, reasoning_content=text) for text in ("Let ", "me.")], weather())[:-3],
                finish(usage={**TOKENS, "prompt_cache_hit_tokens": 6, "prompt_cache_miss_tokens": 4}),
                DONE,
            ]
        ).replace(b"data: [", b": keep-alive\n\ndata: ["),
        known(WEATHER, reasoning="Let me.", usage=counts(10, 20, 6)),
    ),
    "xai-reasoning-beside-the-output": (
        [
            {
                **event,
                "choices": [{key: value for key, value in choice.items() if value} for choice in event["choices"]],
            }
            for event in [
                delta(role="assistant", reasoning_content="Hm."),
                calls(entry(0, ARGUMENTS, "call_0", "weather")),
                calls(entry(1, "{}", "call_1", "ping")),
                finish(),
                usage_chunk(**{**TOKENS, "total_tokens": 37}, completion_tokens_details={"reasoning_tokens": 7}),
            ]
        ]
        + [DONE],
        known(WEATHER, call("call_1", "ping", "{}"), reasoning="Hm.", usage=counts(10, 27)),
    ),
    "zai-whole-call-usage-with-the-end": (
        [
            delta(role="assistant", reasoning_content="Hm."),
            calls(entry(0, ARGUMENTS, "call_0", "weather")),
            finish(usage={**TOKENS, "prompt_tokens_details": {"cached_tokens": 2}}),
            DONE,
        ],
        known(WEATHER, reasoning="Hm.", usage=counts(10, 20, 2)),
    ),
    "dashscope-empty-ids-and-names": (
        one_by_one(
            entry(0, "", "call_0", "weather"),
            *({**entry(0, text, ""), "type": "function"} for text in PIECES),
            {"index": 0, "id": "", "type": "function", "function": {"name": "", "arguments": ""}},
        ),
        known(WEATHER),
    ),
    "together-two-ends-and-text-beside": (
        [
            chunk({"role": "assistant", "content": "", "token_id": 1}, text="", role="assistant"),
            chunk({"content": "", "tool_calls": [entry(0, "", "call_0", "weather")], "token_id": 2}, text=""),
            chunk({"content": "", "tool_calls": [entry(0, ARGUMENTS)]}, "tool_calls", text=""),
            {**chunk({"content": ""}, "tool_calls", text=""), "usage": {**TOKENS, "cached_tokens": 5}},
            DONE,
        ],
        known(WEATHER, usage=counts(10, 20, 5)),
    ),
    "openrouter-comments-and-two-ends": (
        b": OPENROUTER PROCESSING\n\n"
        + sse(
            [
                chunk({"role": "assistant", "content": "", "reasoning": "Hm.", "reasoning_details": []}),
                *(
                    chunk({"role": "assistant", "content": "", **event["choices"][0]["delta"]})
                    for event in weather("", *PIECES)
                ),
                chunk({"role": "assistant", "content": ""}, "tool_calls", native_finish_reason="tool_calls"),
                {
                    **chunk({"role": "assistant", "content": ""}, "tool_calls", native_finish_reason="tool_calls"),
                    "usage": {
                        **TOKENS,
                        "prompt_tokens_details": {"cached_tokens": 3, "cache_write_tokens": 1},
                        "cost": 0.1,
                    },
                },
                DONE,
            ]
        ),
        known(WEATHER, reasoning="Hm.", usage=counts(10, 20, 3, 1)),
    ),
    "openrouter-cut-but-tool-calls": (
        [
            *weather(PIECES[0]),
            chunk({"role": "assistant", "content": ""}, "tool_calls", native_finish_reason="max_output_tokens"),
            {**chunk({"content": ""}, "tool_calls", native_finish_reason="max_output_tokens"), "usage": TOKENS},
            DONE,
        ],
        known(call("call_0", "weather", PIECES[0], valid=False)),
    ),
    "openrouter-error-beside-a-choice": (
        [
            *weather(PIECES[0]),
            {
                **chunk({"content": ""}, "error", native_finish_reason=None),
                "error": {"code": 502, "message": "Lost it"},
            },
            DONE,
        ],
        known(call("call_0", "weather", PIECES[0], valid=False), stop="error", usage={}, error="Lost it"),
    ),
    "gateway-comments-as-data": (
        sse(chat(weather())).replace(b"data: {", b"data: : OPENROUTER PROCESSING\n\ndata: {", 3),
        known(WEATHER),
    ),
    "gateway-role-again-and-again": (
        chat([chunk({"role": "assistant", "content": None, **event["choices"][0]["delta"]}) for event in weather()]),
        known(WEATHER),
    ),
    "vllm-always-index-0": (
        chat(weather(), [calls(entry(0, "", "call_1", "ping"))], [calls(entry(0, "{}"))]),
        known(WEATHER, call("call_1", "ping", "{}")),
    ),
    "vllm-id-in-every-delta": (
        one_by_one(entry(0, None, "call_0", "weather"), *(entry(0, text, "call_0") for text in PIECES)),
        known(WEATHER),
    ),
    "vllm-null-arguments-and-two-entries-at-once": (
        chat(
            [
                calls(
                    {"index": 0, "id": "call_0", "type": "function", "function": {"name": "weather", "arguments": None}}
                )
            ],
            [calls(entry(0, PIECES[0]), entry(0, PIECES[1]))],
            [calls(entry(0, "".join(PIECES[2:])))],
        ),
        known(WEATHER),
    ),
    "vllm-no-arguments-at-all": (
        one_by_one(entry(0, None, "call_0", "ping"), entry(1, None, "call_1", "ping")),
        known(call("call_0", "ping", ""), call("call_1", "ping", "")),
    ),
    "sglang-arguments-before-the-name": (
        chat(
            [delta(role=None, content=None, tool_calls=None, reasoning_content=None)],
            [calls(entry(0, PIECES[0], "0")), calls(entry(0, PIECES[1], None, "weather"))],
            [calls(entry(0, "".join(PIECES[2:])))],
            [calls(entry(0, "{}", "1", "ping"), matched_stop=None)],
        ),
        known(call("0", "weather"), call("1", "ping", "{}")),
    ),
    "llamacpp-id-inside-function": (
        chat(
            [
                calls({"index": 0, "type": "function", "function": {"id": "x1", "name": "weather", "arguments": text}})
                for text in PIECES
            ],
        ),
        known(call("x1", "weather")),
    ),
    "llamacpp-first-fragment-with-the-name": (
        one_by_one(entry(0, PIECES[0], "call_0", "weather"), *(entry(0, text) for text in PIECES[1:])),
        known(WEATHER),
    ),
    "ollama-whole-calls-at-index-0": (
        one_by_one(*(entry(0, ARGUMENTS, f"call_{number}", "weather") for number in range(3))),
        known(WEATHER, call("call_1", "weather"), call("call_2", "weather")),
    ),
    "gemini-no-index-and-a-signature": (
        chat(
            [
                calls(
                    {
                        **entry(None, PIECES[0], "call_0", "weather"),
                        "extra_content": {"google": {"thought_signature": "c2ln"}},
                    }
                )
            ],
            [calls(entry(None, text)) for text in PIECES[1:]],
            [calls(entry(None, "{}", "call_1", "ping"))],
            finish_reason="stop",
        ),
        known(WEATHER, call("call_1", "ping", "{}"), stop="stop"),
    ),
    "localai-same-id-under-another-index": (
        chat(weather(), [calls(entry(1, ARGUMENTS, "call_0", "weather"))]),
        known(WEATHER),
    ),
    "relay-id-that-changes-each-time": (
        one_by_one(
            entry(0, PIECES[0], "call_0", "weather"),
            *(entry(0, text, f"other_{number}") for number, text in enumerate(PIECES[1:])),
        ),
        known(WEATHER),
    ),
    "relay-name-in-pieces": (
        one_by_one(entry(0, None, None, "wea"), entry(0, None, None, "ther"), entry(0, ARGUMENTS, "call_0")),
        known(WEATHER),
    ),
    "qianfan-cumulative-arguments": (
        chat(weather(*("".join(PIECES[: number + 1]) for number in range(len(PIECES))))),
        known(WEATHER),
    ),
    "qianfan-cumulative-from-a-colon-on": (
        chat(weather('{"city": ', '{"city": "Zü', '{"city": "Zürich", "days": ', ARGUMENTS)),
        known(WEATHER),
    ),
    "qianfan-cumulative-interleaved": (
        chat(
            [calls(entry(0, "", "call_0", "weather"), entry(1, "", "call_1", "weather"))],
            [
                calls(*(entry(index, "".join(PIECES[: number + 1])) for index in (0, 1)))
                for number in range(len(PIECES))
            ],
        ),
        known(WEATHER, call("call_1", "weather")),
    ),
    "relay-everything-again-at-the-end": (chat(weather(*PIECES, ARGUMENTS)), known(WEATHER)),
    "relay-everything-again-in-another-spelling": (
        chat(weather(*PIECES, json.dumps(json.loads(ARGUMENTS), separators=(",", ":")))),
        known(WEATHER),
    ),
    "increments-that-look-like-repetitions": (
        chat(weather('{"a": ', '{"a": ', '{"a": ', "1}}", "}")),
        known(call("call_0", "weather", '{"a": {"a": {"a": 1}}}')),
    ),
    "placeholder-before-the-arguments": (chat(weather("{}", *PIECES)), known(WEATHER)),
    "minimax-arguments-as-an-object": (
        one_by_one(
            entry(0, json.loads(ARGUMENTS), "call_0", "weather"), entry(1, json.loads(ARGUMENTS), "call_1", "weather")
        ),
        known(WEATHER, call("call_1", "weather")),
    ),
    "minimax-reasoning-in-details-alone": (
        chat(
            [
                delta(reasoning_details=[{**MINIMAX, "text": text}], role="assistant")
                for text in ("The user", " wants the weather.")
            ],
            weather(),
        ),
        known(WEATHER, reasoning="The user wants the weather."),
    ),
    "minimax-error-behind-a-status-of-200": (
        [
            delta(role="assistant", content="Hi"),
            {**chunk(), "choices": None, "base_resp": {"status_code": 1027, "status_msg": "output is sensitive"}},
            DONE,
        ],
        known(stop=None, usage={}, text="Hi", error="output is sensitive"),
    ),
    "minimax-whole-message-at-the-end": (
        [
            *weather(),
            finish(),
            {
                **chunk(None, "tool_calls", message={"role": "assistant", "content": "", "tool_calls": None}),
                "usage": TOKENS,
                "base_resp": {"status_code": 0, "status_msg": ""},
            },
            DONE,
        ],
        known(WEATHER),
    ),
    "tgi-call-that-is-no-list": (
        [*(delta(role="assistant", tool_calls=one) for one in TGI), finish(), usage_chunk(), DONE],
        known(WEATHER),
    ),
    "bridge-objects-that-grow": (
        one_by_one(
            entry(0, {}, "call_0", "weather"), entry(0, {"city": "Zürich"}), entry(0, json.loads(ARGUMENTS), "call_0")
        ),
        known(WEATHER),
    ),
    "venice-null-name-and-empty-deltas": (
        one_by_one(
            entry(0, "", "call_0", "weather"),
            *(
                {"index": 0, "id": None, "type": "function", "function": {"name": None, "arguments": text}}
                for text in ("", "", *PIECES, "")
            ),
        ),
        known(WEATHER),
    ),
    "writer-message-for-delta": (
        [
            {
                **event,
                "choices": [
                    {"message" if key == "delta" else key: value for key, value in choice.items()}
                    for choice in event["choices"]
                ],
            }
            for event in chat(weather())[:-1]
        ],
        known(WEATHER),
    ),
    "openai-custom-tool": (
        one_by_one(
            {"index": 0, "id": "call_0", "type": "custom", "custom": {"name": "code", "input": ""}},
            *({"index": 0, "custom": {"input": text}} for text in ("{x", "{x", "}")),
            entry(1, "", "call_1", "weather"),
            *(entry(1, text) for text in PIECES),
        ),
        known(free("call_0", "code", "{x{x}"), call("call_1", "weather")),
    ),
    "openai-length-cuts-a-custom-tool": (
        chat(
            [calls({"index": 0, "id": "call_0", "type": "custom", "custom": {"name": "code", "input": "print("}})],
            finish_reason="length",
        ),
        known(call("call_0", "code", "print(", valid=False), stop="length"),
    ),
    "relay-ids-that-are-names": (
        one_by_one(
            *(
                one
                for index, text in enumerate((ARGUMENTS, '{"city": "Bern"}'))
                for one in (entry(index, "", "weather", "weather"), *(entry(index, part) for part in wire.cut(text)))
            )
        ),
        known(call("weather", "weather"), call("weather", "weather", '{"city": "Bern"}')),
    ),
    "deepseek-second-call-begins-at-index-0": (
        one_by_one(
            entry(0, "", "call_0", "weather"),
            *(entry(0, text) for text in PIECES),
            entry(0, "", "call_1", "weather"),
            *(entry(1, text) for text in PIECES),
        ),
        known(WEATHER, call("call_1", "weather")),
    ),
    "databricks-reasoning-in-parts": (
        chat(
            [
                delta(content=[{"type": "reasoning", "summary": [{"type": "summary_text", "text": text, **signature}]}])
                for text, signature in (("Hm", {}), (".", {"signature": ""}), ("", {"signature": "c2ln"}))
            ],
            [delta(content="So")],
            weather(),
        ),
        known(WEATHER, text="So", reasoning="Hm."),
    ),
    "content-in-parts-of-other-kinds": (
        chat(
            [
                delta(content=[{"type": "reference", "reference_ids": [1]}, {"type": "text", "text": "So"}]),
                delta(content=[{"type": "image_url", "image_url": {"url": "https://x"}}]),
                delta(content=[{"type": "output_text", "text": "."}]),
            ],
            finish_reason="stop",
        ),
        known(stop="stop", text="So."),
    ),
    "open-webui-stop-behind-each-fragment": (
        [
            event
            for one in (delta(role="assistant"), *weather(), *chat_call(1, "{", "}", name="ping"), delta(content="."))
            for event in (one, finish("stop"))
        ]
        + [usage_chunk(), DONE],
        known(WEATHER, call("call_1", "ping", "{}"), stop="stop", text="."),
    ),
    "workbuddy-empty-reasons-and-function-call": (
        [
            {**event, "choices": [{**choice, "finish_reason": ""} for choice in event["choices"]]}
            for event in (delta(role="assistant"), *weather())
        ]
        + [chunk({"function_call": {"name": "", "arguments": ""}}, "tool_calls"), usage_chunk(), DONE],
        known(WEATHER),
    ),
    "together-eos": (chat(weather(), finish_reason="eos"), known(WEATHER, stop="eos")),
    "relay-upper-case-max-tokens": (
        chat(weather(*PIECES[:2]), finish_reason="MAX_TOKENS"),
        known(call("call_0", "weather", "".join(PIECES[:2]), valid=False), stop="MAX_TOKENS"),
    ),
    "groq-null-of-its-own": (
        [{**event, "x_groq": None} if isinstance(event, dict) else event for event in chat(weather())],
        known(WEATHER),
    ),
    "groq-stopped-early": (
        [delta(content="So"), {**chunk({}), "x_groq": {"id": "req_1", "error": "over capacity"}}, DONE],
        known(stop=None, usage={}, text="So", error="over capacity"),
    ),
    "vllm-error-without-a-wrapper": (
        [
            delta(content="So"),
            {"object": "error", "message": "Out of memory", "type": "ServerError", "code": 500},
            DONE,
        ],
        known(stop=None, usage={}, text="So", error="Out of memory"),
    ),
    "perplexity-cumulative-message-beside-delta": (
        sse(
            [
                {**chunk({"role": "assistant", "content": "So "}, message={"content": "So "}), "usage": TOKENS},
                {
                    **chunk({"role": "assistant", "content": "it is."}, message={"content": "So it is."}),
                    "usage": TOKENS,
                },
                {**chunk({}, "stop", message={"role": "assistant", "content": "So it is."}), "usage": TOKENS},
            ],
            "\r\n",
        ),
        known(stop="stop", text="So it is."),
    ),
    "databricks-null-counts": (
        [
            {
                **event,
                "usage": {
                    "prompt_tokens": 10,
                    "completion_tokens": 20 if number == 5 else None,
                    "total_tokens": None,
                    "cache_read_input_tokens": 7 if number == 1 else None,
                    "cache_creation_input_tokens": None,
                    "prompt_tokens_details": {"cached_tokens": None},
                },
            }
            for number, event in enumerate(chat(weather())[:-2])
        ]
        + [DONE],
        known(WEATHER, usage=counts(10, 20, 7)),
    ),
    "moonshot-usage-in-the-choice": (
        [*weather(), chunk({}, "tool_calls", usage={**TOKENS, "cached_tokens": 9}), DONE],
        known(WEATHER, usage=counts(10, 20, 9)),
    ),
    "litellm-every-key-as-null": (
        chat(
            [
                chunk(
                    {
                        "content": "",
                        "role": "assistant",
                        "function_call": None,
                        "audio": None,
                        "tool_calls": [
                            {
                                "id": "toolu_1",
                                "function": {"arguments": "", "name": "ping"},
                                "type": "function",
                                "index": 0,
                            }
                        ],
                    }
                ),
                chunk(
                    {
                        "content": None,
                        "role": None,
                        "function_call": None,
                        "audio": None,
                        "tool_calls": [
                            {"id": None, "function": {"arguments": "{}", "name": None}, "type": "function", "index": 0}
                        ],
                    }
                ),
            ],
        ),
        known(call("toolu_1", "ping", "{}")),
    ),
    "copilot-reasoning-text": (
        chat([delta(reasoning_text="Hm.", reasoning_opaque="c2ln")], weather()),
        known(WEATHER, reasoning="Hm."),
    ),
}
CHAT["openai-no-arguments"] = (chat(weather("{}")), CHAT["openai-no-arguments"][1])


# ---------------------------------------------------------------------- Responses

R_USAGE = counts(10, 20, 4)


def item_known(*found: dict[str, Any], stop: str = "completed", usage: Any = R_USAGE, **more: Any) -> dict[str, Any]:
    return known(*found, stop=stop, usage=usage, **more)


def fc(index: int = 0, **more: Any) -> dict[str, Any]:
    return wire.function_item(index, name="weather", **more)


WHOLE = fc(arguments=ARGUMENTS, status="completed")


def deltas(index: int) -> wire.Wire:
    return [wire.arguments_delta(index, text) for text in PIECES]


DELTAS = deltas(0)
R_WEATHER = [wire.item_added(0, fc()), *DELTAS, wire.arguments_done(0, ARGUMENTS), wire.item_done(0, WHOLE)]


def renamed(events: wire.Wire) -> wire.Wire:
    """Another item id in each event."""
    told = []
    for number, event in enumerate(json.loads(json.dumps(events))):
        if "item_id" in event:
            event["item_id"] = f"rotated_{number}"
        if "item" in event:
            event["item"]["id"] = f"rotated_{number}"
        told.append(event)
    return told


def tool_item(kind: str, **about: Any) -> dict[str, Any]:
    return {"type": kind, "id": "item_0", **about}


MCP = tool_item("mcp_call", name="ask", server_label="docs", arguments="")
CODE = tool_item("code_interpreter_call", code="", container_id="cntr_1", outputs=None)
PATCH = tool_item("apply_patch_call", call_id="call_0", operation={"type": "create_file", "path": "a.md", "diff": ""})
SHELL = tool_item("shell_call", call_id="call_0", action={"commands": [], "timeout_ms": None})
CUSTOM = tool_item("custom_tool_call", call_id="call_0", name="sql", input="")
ON_X = {"call_id": "xs_call_0", "name": "x_keyword_search"}


def shell_event(step: str, index: int, **more: Any) -> dict[str, Any]:
    kind = f"response.shell_call_command.{step}"
    return {"type": kind, "output_index": 0, "command_index": index, **more}


def without_places(events: wire.Wire) -> wire.Wire:
    """As llama.cpp sends them: no places, and calls have no id but their own."""
    told = json.loads(json.dumps(events))
    for event in told:
        event.pop("output_index", None)
        for item in [event["item"]] if "item" in event else event.get("response", {}).get("output", []):
            if item["type"] == "function_call":
                item["call_id"] = item.pop("id")
    return told


def bare_responses(events: wire.Wire) -> bytes:
    """Responses without the event around them, whose type its name alone tells."""
    told = [(event["type"], event.get("response", event)) for event in events]
    return "".join(f"event: {kind}\ndata: {json.dumps(data)}\n\n" for kind, data in told).encode()


RESPONSES: dict[str, tuple[Any, dict[str, Any]]] = {
    "calls-interleaved": (
        wire.responses(
            [wire.item_added(0, fc()), wire.item_added(1, fc(1))],
            [wire.arguments_delta(index, text) for text in PIECES for index in (1, 0)],
            [wire.item_done(index, fc(index, arguments=ARGUMENTS, status="completed")) for index in (1, 0)],
        ),
        item_known(WEATHER, call("call_1", "weather")),
    ),
    "copilot-item-ids-rotate": (renamed(wire.responses(R_WEATHER)), item_known(WEATHER)),
    "bridge-no-output-index": (
        [{key: value for key, value in event.items() if key != "output_index"} for event in wire.responses(R_WEATHER)],
        item_known(WEATHER),
    ),
    "llama-cpp-no-places-and-calls-without-item-ids": (
        without_places(
            wire.responses(
                wire.output_text(0, "So."),
                [event for index in (1, 2) for event in (wire.item_added(index, fc(index)), *deltas(index))],
                [wire.item_done(index, fc(index, arguments=ARGUMENTS, status="completed")) for index in (1, 2)],
            )
        ),
        item_known(call("fc_1", "weather"), call("fc_2", "weather"), text="So."),
    ),
    "gemini-web2api-text-without-a-place": (
        wire.responses(
            [{"type": "response.output_text.done", "text": "So."}], output=[wire.output_text(0, "So.")[-1]["item"]]
        ),
        item_known(text="So."),
    ),
    "sap-proxy-responses-without-events": (bare_responses(wire.responses(R_WEATHER)), item_known(WEATHER)),
    "bridge-every-item-at-place-0": (
        [
            {**event, "output_index": 0} if "output_index" in event else event
            for event in wire.responses(
                R_WEATHER, wire.function_call(1, *PIECES, name="weather"), wire.output_text(2, "So."), output=[]
            )
        ],
        item_known(WEATHER, call("call_1", "weather"), text="So."),
    ),
    "lmstudio-done-without-deltas": (
        wire.responses([wire.item_added(0, fc()), wire.arguments_done(0, ARGUMENTS), wire.item_done(0, WHOLE)]),
        item_known(WEATHER),
    ),
    "bridge-item-done-alone": (wire.responses([wire.item_done(0, WHOLE)]), item_known(WEATHER)),
    "bridge-only-the-end": (wire.responses(output=[WHOLE]), item_known(WEATHER)),
    "bridge-end-finishes-what-deltas-began": (
        wire.responses([wire.item_added(0, fc()), *DELTAS[:2]], output=[WHOLE]),
        item_known(WEATHER),
    ),
    "pooler-whole-when-added": (
        wire.responses([wire.item_added(0, WHOLE), wire.arguments_done(0, ARGUMENTS), wire.item_done(0, WHOLE)]),
        item_known(WEATHER),
    ),
    "done-says-more-than-the-deltas": (
        wire.responses([wire.item_added(0, fc()), *DELTAS[:2], wire.arguments_done(0, ARGUMENTS)], output=[WHOLE]),
        item_known(WEATHER),
    ),
    "xai-whole-in-one-delta-after-an-empty-one": (
        wire.responses(
            [wire.item_added(0, fc()), wire.arguments_delta(0, ""), wire.arguments_delta(0, ARGUMENTS)], output=[WHOLE]
        ),
        item_known(WEATHER),
    ),
    "custom-tool": (
        wire.responses(
            [wire.item_added(0, CUSTOM)],
            [wire.arguments_delta(0, text, "custom_tool_call_input") for text in ("SELECT ", "'{' \"", "\n")],
            [wire.item_done(0, {**CUSTOM, "input": "SELECT '{' \"\n", "status": "completed"})],
        ),
        item_known(free("call_0", "sql", "SELECT '{' \"\n")),
    ),
    "xai-search-on-x": (
        wire.responses(
            [wire.item_added(0, {**CUSTOM, **ON_X})],
            [wire.arguments_delta(0, '{"query": "x"}', "custom_tool_call_input")],
            [wire.item_done(0, {**CUSTOM, **ON_X, "input": '{"query": "x"}', "status": "completed"})],
            wire.output_text(1, "So."),
        ),
        item_known(
            free("xs_call_0", "x_keyword_search", '{"query": "x"}', server=True),
            text="So.",
        ),
    ),
    "shell-commands": (
        wire.responses(
            [wire.item_added(0, SHELL)],
            [
                shell_event("added", 0, command=""),
                shell_event("delta", 0, delta="cd "),
                shell_event("delta", 0, delta="a"),
            ],
            [shell_event("done", 0, command="cd a"), shell_event("added", 1, command="")],
            [shell_event("delta", 1, delta="ls"), shell_event("done", 1, command="ls")],
            [wire.item_done(0, {**SHELL, "action": {"commands": ["cd a", "ls"]}, "status": "completed"})],
        ),
        item_known(free("call_0", "shell", "cd a\nls")),
    ),
    "apply-patch": (
        wire.responses(
            [wire.item_added(0, PATCH)],
            [wire.arguments_delta(0, text, "apply_patch_call_operation_diff") for text in ("+# ", "Hi\n")],
            [wire.arguments_done(0, "+# Hi\n", "apply_patch_call_operation_diff", "diff")],
            [
                wire.item_done(
                    0, {**PATCH, "operation": {**PATCH["operation"], "diff": "+# Hi\n"}, "status": "completed"}
                )
            ],
        ),
        item_known(free("call_0", "apply_patch", "+# Hi\n")),
    ),
    "code-interpreter": (
        wire.responses(
            [wire.item_added(0, CODE)],
            [wire.arguments_delta(0, text, "code_interpreter_call_code") for text in ("1 ", "+ 1")],
            [wire.arguments_done(0, "1 + 1", "code_interpreter_call_code", "code")],
            [wire.item_done(0, {**CODE, "code": "1 + 1", "status": "completed"})],
            wire.output_text(1, "2"),
        ),
        item_known(free("item_0", "code_interpreter", "1 + 1", server=True), text="2"),
    ),
    "mcp-call": (
        wire.responses(
            [wire.item_added(0, MCP), *(wire.arguments_delta(0, text, "mcp_call_arguments") for text in PIECES)],
            [wire.arguments_done(0, ARGUMENTS, "mcp_call_arguments")],
            [wire.item_done(0, {**MCP, "arguments": ARGUMENTS, "output": "Sun", "status": "completed"})],
        ),
        item_known(call("item_0", "ask", server=True)),
    ),
    "mcp-call-object-under-its-older-name": (
        wire.responses(
            [wire.item_added(0, MCP)],
            [{"type": "response.mcp_call.arguments_delta", "output_index": 0, "delta": json.loads(ARGUMENTS)}],
            [wire.item_done(0, {**MCP, "arguments": ARGUMENTS, "output": "Sun", "status": "completed"})],
        ),
        item_known(call("item_0", "ask", server=True)),
    ),
    "tool-search-object": (
        wire.responses(
            [wire.item_added(0, tool_item("tool_search_call", arguments={}, call_id=None, execution="server"))],
            [
                wire.item_done(
                    0,
                    tool_item("tool_search_call", arguments={"paths": ["f"]}, execution="server", status="completed"),
                )
            ],
            [{**event, "output_index": 1} for event in R_WEATHER],
        ),
        item_known(call("item_0", "tool_search", '{"paths": ["f"]}', server=True), WEATHER),
    ),
    "incomplete-in-the-middle-of-a-call": (
        wire.responses(
            [wire.item_added(0, fc()), *DELTAS[:2]],
            [wire.arguments_done(0, "".join(PIECES[:2]))],
            [wire.item_done(0, fc(arguments="".join(PIECES[:2]), status="incomplete"))],
            status="incomplete",
            incomplete_details={"reason": "max_output_tokens"},
        ),
        item_known(call("call_0", "weather", "".join(PIECES[:2]), valid=False), stop="incomplete"),
    ),
    "error-nested": (
        [
            wire.response("in_progress"),
            {
                "type": "error",
                "sequence_number": 2,
                "error": {"type": "insufficient_quota", "message": "No quota left"},
            },
            wire.response("failed", error={"code": "insufficient_quota", "message": "No quota left"}),
        ],
        known(stop="failed", usage={}, error="No quota left"),
    ),
    "failed-in-the-middle-of-a-call": (
        [
            wire.response("in_progress"),
            wire.item_added(0, fc()),
            *DELTAS[:2],
            wire.response("failed", error={"code": "server_error", "message": "Lost it"}),
        ],
        known(call("call_0", "weather", "".join(PIECES[:2]), valid=False), stop="failed", usage={}, error="Lost it"),
    ),
    "gateway-error-without-a-type": (
        [
            wire.response("in_progress"),
            wire.item_added(0, fc()),
            *DELTAS[:2],
            {"error": {"message": "Lost it", "code": "500"}},
        ],
        known(call("call_0", "weather", "".join(PIECES[:2]), valid=False), stop="failed", usage={}, error="Lost it"),
    ),
    "gateway-error-under-another-type": (
        [wire.response("in_progress"), {"type": "response.error", "error": {"message": "Lost it", "code": "500"}}],
        known(stop="failed", usage={}, error="Lost it"),
    ),
    "cancelled": (
        wire.responses(R_WEATHER, status="cancelled"),
        item_known(WEATHER, stop="cancelled"),
    ),
    "end-under-another-type": (
        [*wire.responses(R_WEATHER)[:-1], {**wire.responses(R_WEATHER)[-1], "type": "response.done"}],
        item_known(WEATHER),
    ),
    "open-responses-reasoning": (
        wire.responses(
            [wire.item_added(0, {"type": "reasoning", "id": "rs_0", "summary": []})],
            [
                {"type": "response.reasoning.delta", "output_index": 0, "item_id": "rs_0", "delta": text}
                for text in ("Hm", None, ".")
            ],
            [{**event, "output_index": 1} for event in R_WEATHER],
        ),
        item_known(WEATHER, reasoning="Hm."),
    ),
    "prompt-written-to-the-cache": (
        wire.responses(
            R_WEATHER,
            usage={
                **wire.RESPONSE_USAGE,
                "input_tokens_details": {"cached_tokens": 4, "cache_write_tokens": 5},
            },
        ),
        item_known(WEATHER, usage=counts(10, 20, 4, 5)),
    ),
    "keepalive-and-padding": (
        [
            {"type": "keepalive", "sequence_number": 1},
            *(
                {**event, "sequence_number": number, **({"obfuscation": "x" * number} if "delta" in event else {})}
                for number, event in enumerate(wire.responses(R_WEATHER), 2)
            ),
        ],
        item_known(WEATHER),
    ),
    "openrouter-done-without-event-names": (
        b"".join(
            line + b"\n" for line in sse([*wire.responses(R_WEATHER), DONE]).split(b"\n")[:-1] if b"event:" not in line
        ),
        item_known(WEATHER),
    ),
    "reasoning-that-comes-whole": (
        wire.responses(
            [wire.item_added(0, {"type": "reasoning", "id": "rs_0", "summary": []})],
            [
                wire.item_done(
                    0, {"type": "reasoning", "id": "rs_0", "summary": [{"type": "summary_text", "text": "Hm."}]}
                )
            ],
            [{**event, "output_index": 1} for event in R_WEATHER],
        ),
        item_known(WEATHER, reasoning="Hm."),
    ),
}


# ---------------------------------------------------------------------- Realtime


def live(kind: str, response: str = "resp_1", **about: Any) -> dict[str, Any]:
    return {"type": f"response.{kind}", "event_id": "event_1", "response_id": response, **about}


def live_created(response: str = "resp_1") -> dict[str, Any]:
    about = {"id": response, "object": "realtime.response", "status": "in_progress", "output": [], "usage": None}
    return {"type": "response.created", "event_id": "event_1", "response": about}


def live_done(*output: Any, response: str = "resp_1", status: str = "completed", **more: Any) -> dict[str, Any]:
    usage = {"input_tokens": 10, "output_tokens": 20, "input_token_details": {"cached_tokens": 4, "text_tokens": 10}}
    about = {"id": response, "object": "realtime.response", "status": status, "output": list(output), "usage": usage}
    return {"type": "response.done", "event_id": "event_1", "response": {**about, **more}}


def live_item(id: str, arguments: str = "", status: str = "in_progress") -> dict[str, Any]:
    about = {"id": id, "object": "realtime.item", "type": "function_call", "status": status}
    return {**about, "call_id": f"call_{id}", "name": "weather", "arguments": arguments}


def live_call(id: str, *fragments: str, response: str = "resp_1", status: str = "completed") -> wire.Wire:
    place, text = {"item_id": id, "output_index": 0, "call_id": f"call_{id}"}, "".join(fragments)
    return [
        live("output_item.added", response, output_index=0, item=live_item(id)),
        {"type": "conversation.item.added", "event_id": "event_1", "item": live_item(id)},
        *(
            live("function_call_arguments.delta", response, **place, delta=piece, obfuscation="xx")
            for piece in fragments
        ),
        live("function_call_arguments.done", response, **place, arguments=text),
        live("output_item.done", response, output_index=0, item=live_item(id, text, status)),
    ]


def live_speech(id: str, *texts: str, response: str = "resp_1", prefix: str = "output_") -> wire.Wire:
    place = {"item_id": id, "output_index": 0, "content_index": 0}
    item = {"id": id, "type": "message", "role": "assistant", "status": "in_progress"}
    return [
        live("output_item.added", response, output_index=0, item={**item, "content": []}),
        live(f"{prefix}audio.delta", response, **place, delta="FQAfACIAHwA="),
        *(live(f"{prefix}audio_transcript.delta", response, **place, delta=text) for text in texts),
        live(f"{prefix}audio_transcript.done", response, **place, transcript="".join(texts)),
        live("output_item.done", response, output_index=0, item={**item, "status": "completed"}),
    ]


SESSION = {
    "type": "session.created",
    "event_id": "event_0",
    "session": {"id": "sess_1", "object": "realtime.session", "model": "gpt-realtime"},
}
ITEM = live_item("1", ARGUMENTS, "completed")
L_WEATHER = call("call_1", "weather")
BLANKS = ["{", "  \n", ' "city"', ": ", '"Zürich"', " \n", "}", " \n"]

REALTIME: dict[str, tuple[Any, dict[str, Any]]] = {
    "call-with-blanks-as-deltas": (
        [SESSION, live_created(), *live_call("1", *BLANKS), live_done(live_item("1", "".join(BLANKS), "completed"))],
        item_known(call("call_1", "weather", "".join(BLANKS))),
    ),
    "calls-interleaved": (
        [
            SESSION,
            live_created(),
            *(event for pair in zip(live_call("1", *PIECES), live_call("2", *PIECES), strict=True) for event in pair),
            live_done(ITEM, live_item("2", ARGUMENTS, "completed")),
        ],
        item_known(L_WEATHER, call("call_2", "weather")),
    ),
    "two-responses": (
        [
            SESSION,
            live_created(),
            *live_call("1", *PIECES),
            live_done(ITEM),
            live_created("resp_2"),
            *live_speech("2", "It is ", "sunny.", response="resp_2"),
            live_done(response="resp_2"),
        ],
        item_known(L_WEATHER, text="It is sunny."),
    ),
    "two-responses-at-once": (
        [
            SESSION,
            live_created(),
            live_created("resp_2"),
            *(
                event
                for pair in zip(
                    [*live_call("1", *PIECES), live_done(ITEM)],
                    [*live_call("2", *PIECES, response="resp_2"), live_done(response="resp_2")],
                    strict=True,
                )
                for event in pair
            ),
        ],
        item_known(L_WEATHER, call("call_2", "weather")),
    ),
    "cancelled-with-done-arguments": (
        [
            SESSION,
            live_created(),
            *live_call("1", *PIECES[:2], status="incomplete"),
            live_done(status="cancelled", status_details={"type": "cancelled", "reason": "turn_detected"}),
        ],
        item_known(call("call_1", "weather", "".join(PIECES[:2]), valid=False), stop="cancelled"),
    ),
    "xai-audio-then-call-at-the-same-place": (
        [
            SESSION,
            {"type": "ping", "event_id": "event_1", "timestamp": 1},
            live_created(),
            *live_speech("1", "I'll ", "look."),
            *live_call("2", ARGUMENTS),
            {
                **live_done(live_item("2", ARGUMENTS, "completed"), usage={}, status_details="unimplemented"),
                "usage": {"input_tokens": 10, "output_tokens": 20, "input_token_details": {"cached_tokens": 4}},
            },
        ],
        item_known(call("call_2", "weather"), text="I'll look."),
    ),
    "error-that-ends-nothing": (
        [
            SESSION,
            {"type": "error", "event_id": "event_1", "error": {"type": "invalid_request_error", "message": "No item"}},
            live_created(),
            *live_call("1", *PIECES),
            live_done(ITEM),
        ],
        item_known(L_WEATHER),
    ),
    "beta-names": (
        [SESSION, live_created(), *live_speech("1", "Hi ", "you", prefix=""), live_done()],
        item_known(text="Hi you"),
    ),
    "failed": (
        [
            SESSION,
            live_created(),
            *live_call("1", *PIECES)[:4],
            live_done(
                status="failed",
                status_details={"type": "failed", "error": {"type": "server_error", "message": "Lost it"}},
            ),
        ],
        item_known(call("call_1", "weather", "".join(PIECES[:2]), valid=False), stop="failed", error="Lost it"),
    ),
}


# ---------------------------------------------------------------------- Anthropic

A_USAGE = counts(10, 20)


def block_known(*found: dict[str, Any], stop: str | None = "tool_use", **more: Any) -> dict[str, Any]:
    return known(*found, **{"stop": stop, "usage": A_USAGE, **more})


def tool(index: int = 0, *fragments: str, **about: Any) -> wire.Wire:
    return wire.tool_block(index, *(fragments or ("", *PIECES)), **{"name": "weather", **about})


def fallback(index: int) -> wire.Wire:
    """The model before it has declined, and another one goes on."""
    about = {"from": {"model": "claude"}, "to": {"model": "claude-2"}, "trigger": {"type": "refusal"}}
    return [wire.block_start(index, type="fallback", **about), wire.block_stop(index)]


def without_index(event: dict[str, Any], *, zeros: bool = False) -> dict[str, Any]:
    """zeros: only where it is 0, as Go's `omitempty` leaves it out."""
    return {name: value for name, value in event.items() if name != "index" or (zeros and value != 0)}


T_WEATHER = call("toolu_0", "weather")

ANTHROPIC: dict[str, tuple[Any, dict[str, Any]]] = {
    "blocks-interleaved": (
        wire.anthropic(
            [wire.tool_start(0, "weather"), wire.tool_start(1, "weather")],
            [wire.json_delta(index, text) for text in ("", *PIECES) for index in (1, 0)],
            [wire.block_stop(0), wire.block_stop(1)],
        ),
        block_known(T_WEATHER, call("toolu_1", "weather")),
    ),
    "no-arguments": (
        wire.anthropic(tool(0, ""), wire.tool_block(1, name="ping")),
        block_known(call("toolu_0", "weather", ""), call("toolu_1", "ping", "")),
    ),
    "input-whole-in-the-start": (
        wire.anthropic(wire.tool_block(0, name="weather", input=json.loads(ARGUMENTS))),
        block_known(T_WEATHER),
    ),
    "input-in-the-start-is-a-placeholder": (wire.anthropic(tool(0, input={"x": 1})), block_known(T_WEATHER)),
    "message-that-begins-with-content": (
        [
            wire.message_start(
                content=[{"type": "tool_use", "id": "toolu_0", "name": "weather", "input": json.loads(ARGUMENTS)}],
                stop_reason="tool_use",
            ),
            wire.message_delta("tool_use"),
            wire.MESSAGE_STOP,
        ],
        block_known(T_WEATHER),
    ),
    "second-message-start-in-a-block": (
        [
            wire.message_start("msg_0"),
            wire.tool_start(0, "weather", "toolu_lost"),
            wire.json_delta(0, PIECES[0]),
            *wire.anthropic(tool()),
        ],
        block_known(call("toolu_lost", "weather", PIECES[0], valid=False), T_WEATHER),
    ),
    "same-message-start-twice": ([wire.message_start(), *wire.anthropic(tool())], block_known(T_WEATHER)),
    "max-tokens-in-a-block": (
        [*wire.anthropic(tool(0, "", PIECES[0]))[:-3], wire.message_delta("max_tokens"), wire.MESSAGE_STOP],
        block_known(call("toolu_0", "weather", PIECES[0], valid=False), stop="max_tokens"),
    ),
    "overloaded-in-a-block": (
        [
            *wire.anthropic(tool(0, "", PIECES[0]))[:-3],
            {"type": "error", "error": {"type": "overloaded_error", "message": "Overloaded"}, "request_id": "req_1"},
        ],
        block_known(
            call("toolu_0", "weather", PIECES[0], valid=False), stop=None, usage=counts(10, 1), error="Overloaded"
        ),
    ),
    "tools-of-the-server": (
        wire.anthropic(
            tool(0, '{"query": ', '"x"}', type="server_tool_use", id="srvtoolu_0", name="web_search"),
            [
                wire.block_start(1, type="web_search_tool_result", tool_use_id="srvtoolu_0", content=[]),
                wire.block_stop(1),
            ],
            tool(2, '{"q": 1}', type="mcp_tool_use", id="mcptoolu_0", name="ask", server_name="docs"),
            [wire.block_start(3, type="mcp_tool_result", tool_use_id="mcptoolu_0", content=[]), wire.block_stop(3)],
            wire.text_block(4, "So."),
            stop_reason="end_turn",
        ),
        block_known(
            call("srvtoolu_0", "web_search", '{"query": "x"}', server=True),
            call("mcptoolu_0", "ask", '{"q": 1}', server=True),
            stop="end_turn",
            text="So.",
        ),
    ),
    "pings-and-blanks": (
        sse([event for one in wire.anthropic(tool()) for event in (one, {"type": "ping"})]).replace(
            b"}\n", b" }     \n"
        ),
        block_known(T_WEATHER),
    ),
    "another-model-takes-over-in-a-block": (
        wire.anthropic(
            [wire.block_start(0, type="thinking", thinking="", signature="")],
            [wire.block_delta(0, type="thinking_delta", thinking="Hm."), wire.block_stop(0)],
            wire.text_block(1, "Let me"),
            tool(2),
            tool(3, '{"query": "x"}', type="server_tool_use", id="srvtoolu_3", name="web_search"),
            [wire.tool_start(4, "weather"), wire.json_delta(4, PIECES[0])],
            fallback(5),
            wire.text_block(6, " look."),
            tool(7),
        ),
        block_known(
            {**call("toolu_2", "weather"), "valid": None},
            call("srvtoolu_3", "web_search", '{"query": "x"}', server=True),
            call("toolu_4", "weather", PIECES[0], valid=False),
            call("toolu_7", "weather"),
            text="Let me look.",
            reasoning="Hm.",
        ),
    ),
    "another-model-takes-over-behind-a-cut-block": (
        wire.anthropic(
            [wire.tool_start(0, "weather"), wire.json_delta(0, PIECES[0]), wire.block_stop(0)],
            fallback(1),
            wire.text_block(2, "So."),
            stop_reason="end_turn",
        ),
        block_known(call("toolu_0", "weather", PIECES[0], valid=False), stop="end_turn", text="So."),
    ),
    "text-between-calls-and-nulls": (
        wire.anthropic(
            [wire.block_start(0, type="connector_text", connector_text="")],
            [
                wire.block_delta(0, type="connector_text_delta", connector_text=text)
                for text in ("I'll ", None, "look.")
            ],
            [wire.block_stop(0)],
            tool(1),
            [wire.block_start(2, type="text", text=None), wire.block_delta(2, type="text_delta", text=None)],
            [wire.block_stop(2), {"type": "message_delta", "usage": {"output_tokens": 10}}],
        ),
        block_known(call("toolu_1", "weather"), text="I'll look."),
    ),
    "arguments-as-an-object": (
        wire.anthropic([wire.tool_start(0, "weather"), wire.json_delta(0, json.loads(ARGUMENTS)), wire.block_stop(0)]),
        block_known(T_WEATHER),
    ),
    "bridge-without-zeros": (
        [
            without_index(event, zeros=True)
            for event in wire.anthropic(wire.text_block(0, "So."), tool(1), tool(2, "{}"))
        ],
        block_known(call("toolu_1", "weather"), call("toolu_2", "weather", "{}"), text="So."),
    ),
    "bridge-without-indexes": (
        [without_index(event) for event in wire.anthropic(wire.text_block(0, "So."), tool(1), tool(2, "{}"))],
        block_known(call("toolu_1", "weather"), call("toolu_2", "weather", "{}"), text="So."),
    ),
    "bridge-text-without-its-start": (
        wire.anthropic(wire.text_block(0, "So", ".")[1:], tool(1)),
        block_known(call("toolu_1", "weather"), text="So."),
    ),
    "bridge-empty-reason-before-the-end": (
        wire.anthropic([wire.tool_start(0, "weather"), wire.message_delta(""), *tool()[1:]]),
        block_known(T_WEATHER),
    ),
    "gateway-error-without-a-type": (
        [
            *wire.anthropic(tool(0, "", PIECES[0]))[:-3],
            {"error": {"message": "Lost it", "code": "500"}},
        ],
        block_known(
            call("toolu_0", "weather", PIECES[0], valid=False), stop=None, usage=counts(10, 1), error="Lost it"
        ),
    ),
    "thinking-with-its-signature": (
        wire.anthropic(
            [wire.block_start(0, type="thinking", thinking="", signature="")],
            [wire.block_delta(0, type="thinking_delta", thinking=text) for text in ("Let ", "me.")],
            [wire.block_delta(0, type="signature_delta", signature="c2ln"), wire.block_stop(0)],
            [wire.block_start(1, type="redacted_thinking", data="AAAA"), wire.block_stop(1)],
            tool(2),
        ),
        block_known(call("toolu_2", "weather"), reasoning="Let me."),
    ),
    "counts-that-come-late-and-null": (
        [
            wire.message_start(input_tokens=0, output_tokens=0),
            *tool(),
            wire.message_delta(
                "tool_use",
                input_tokens=4,
                cache_read_input_tokens=5,
                cache_creation_input_tokens=1,
                output_tokens=20,
                server_tool_use=None,
            ),
            wire.message_delta(None, input_tokens=None, cache_read_input_tokens=None, output_tokens=20),
            wire.MESSAGE_STOP,
        ],
        block_known(T_WEATHER, usage=counts(10, 20, 5, 1)),
    ),
    "bedrock-metrics-at-the-end": (
        [
            *wire.anthropic(tool())[:-1],
            {**wire.MESSAGE_STOP, "amazon-bedrock-invocationMetrics": {"inputTokenCount": 10, "outputTokenCount": 20}},
        ],
        block_known(T_WEATHER),
    ),
    "refusal": (
        wire.anthropic(tool(), stop_reason="refusal"),
        {**block_known(stop="refusal"), "calls": None},
    ),
}

FORMATS = {
    "openai-chat": CHAT,
    "openai-responses": RESPONSES,
    "openai-realtime": REALTIME,
    "anthropic": ANTHROPIC,
}


def files() -> dict[Path, bytes]:
    """What the files hold, those of `expected.jsonl` included."""
    told: dict[Path, bytes] = {}
    for format, streams in FORMATS.items():
        lines = ""
        framing, suffix = ("jsonl", ".jsonl") if format == "openai-realtime" else ("sse", ".sse")
        for name, (stream, expected) in streams.items():
            path = Path(format, name + suffix)
            if isinstance(stream, list):
                stream = wire.lines(stream) if framing == "jsonl" else sse(stream)
            told[ROOT / path] = stream
            about = {"file": path.as_posix(), "format": format, "framing": framing, **expected}
            lines += json.dumps(about, ensure_ascii=False) + "\n"
        told[ROOT / format / "expected.jsonl"] = lines.encode()
    return told


if __name__ == "__main__":
    for path, data in files().items():
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(data)
