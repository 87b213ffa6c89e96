"""Prints the text as it comes, each call when it has ended, and whether the calls may be run.

    python examples/print_text_and_calls.py [STREAM]

Try it on `streams/anthropic-cut.sse` as well: there the output limit struck in the middle of a call.
"""

from __future__ import annotations

import json
import sys
from pathlib import Path

import toolstream

STREAM = Path(__file__).parent / "streams" / "openai-chat.sse"


def main(stream: str) -> None:
    with open(stream, "rb") as body:
        events = toolstream.parse(body)
        for event in events:
            match event:
                case toolstream.TextDelta(text=text):
                    print(text, end="", flush=True)
                case toolstream.ToolCallStart():
                    print()
                case toolstream.ToolCallEnd(call=call):
                    print(f"{call.name}({json.dumps(call.arguments, ensure_ascii=False)})")
                case toolstream.ToolCallError(call=call, error=error):
                    print(f"{call.name} must not run: {error}")
                case toolstream.MessageEnd(stop_reason=reason, safe=safe):
                    print(f"ended: {reason}; {'run the calls' if safe else 'nothing to run'}")
        usage = events.usage
    print(f"{usage.input_tokens} tokens in, {usage.cache_read_tokens} of them cached, {usage.output_tokens} out")


if __name__ == "__main__":
    main(*sys.argv[1:] or [str(STREAM)])
