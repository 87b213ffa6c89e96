"""The `toolstream` command: a client of the public API like any other.

Trusts neither its input nor its output. Guarantees: each event is printed when it is known; exit status 0 when
all went well, 1 with one message on standard error when the input is bad, 2 for a wrong command line, 130 after
Ctrl-C; a reader that leaves (`| head`) ends it quietly; no traceback (`python -X dev -m toolstream` shows one).
"""

from __future__ import annotations

import argparse
import math
import os
import sys
from collections.abc import Sequence
from typing import IO, Any

import toolstream

from . import demo
from .terminal import OutputError, Terminal, dump_json, printable, show_path, show_usage, show_value

EXIT_BAD_INPUT = 1
EXIT_INTERRUPTED = 130

STDIN = 0
VALUE_WIDTH = 100

FRAMINGS = ("auto", "sse", "ndjson", "json-array", "aws")


def main(argv: Sequence[str] | None = None) -> int:
    """Runs the command with these arguments (default: the process's own); returns its exit status.

    Raises `SystemExit` for a wrong command line, `--help` and `--version`, as argparse does.
    """
    arguments = command_line().parse_args(argv)
    try:
        arguments.run(arguments, Terminal(standard_output()))
    except OutputError as error:
        silence_output()
        return 0 if error.quiet else complain(f"cannot write the output: {error}")
    except KeyboardInterrupt:
        return EXIT_INTERRUPTED
    except toolstream.ToolStreamError as error:
        return complain(describe(error))
    except OSError as error:
        return complain(f"cannot read {error.filename or 'the input'}: {error.strerror or error}")
    except Exception as error:
        if sys.flags.dev_mode:
            raise
        return complain(f"a fault in toolstream itself, please report it: {type(error).__name__}: {error}")
    return 0


def command_line() -> argparse.ArgumentParser:
    """The command's grammar."""
    parser = argparse.ArgumentParser(
        prog="toolstream", description="Reads the tool calls of a streamed model response while they are being written."
    )
    parser.add_argument("--version", action="version", version=f"toolstream {toolstream.__version__}")
    commands = parser.add_subparsers(required=True, metavar="COMMAND")
    add_events(commands.add_parser("events", help="print the events of a recorded or piped stream", description=EVENTS))
    add_demo(commands.add_parser("demo", help="watch fields become final in a replayed stream", description=DEMO))
    return parser


EVENTS = """Prints each event of a provider's response stream as one line of JSON, as soon as it is known.
Exit status: 0 when the stream is whole, 1 when it is not (after the events before the fault)."""


def add_events(parser: argparse.ArgumentParser) -> None:
    """The grammar of `toolstream events`."""
    parser.add_argument("file", metavar="FILE", help="the response's body, or - for standard input")
    parser.add_argument("--text", action="store_true", help="print for people, not for programs")
    parser.add_argument(
        "--provider", type=provider, default="auto", metavar="NAME", help="the wire format (default: recognise it)"
    )
    fields = parser.add_mutually_exclusive_group()
    fields.add_argument(
        "--depth", type=depth, default=1, metavar="N|all", help="report fields this deep in the arguments (default: 1)"
    )
    fields.add_argument(
        "--paths", type=path, action="append", metavar="PATH", help="report just this field; may be repeated"
    )
    parser.add_argument("--deltas", action="store_true", help="also report strings while they grow")
    parser.add_argument("--framing", choices=FRAMINGS, default="auto", help="how the body is cut into events")
    parser.set_defaults(run=run_events)


DEMO = """Replays a bundled stream over HTTP on this machine at a model's pace, and prints each field of its tool calls
at the moment it is final. Needs no key and no network."""


def add_demo(parser: argparse.ArgumentParser) -> None:
    """The grammar of `toolstream demo`."""
    parser.add_argument("--provider", choices=demo.PROVIDERS, default=demo.PROVIDERS[0], help="whose wire format")
    parser.add_argument("--speed", type=factor, default=1.0, metavar="N", help="times as fast as a model (default: 1)")
    parser.set_defaults(run=run_demo)


def provider(text: str) -> str:
    """`--provider`: a name that a parser knows."""
    try:
        toolstream.StreamParser(provider=text)
    except ValueError as error:
        raise argparse.ArgumentTypeError(str(error)) from error
    return text


def depth(text: str) -> int | None:
    """`--depth`: a number of levels, or None for all."""
    if text == "all":
        return None
    if not text.isdecimal():
        raise argparse.ArgumentTypeError(f"{text!r} is neither a number nor 'all'")
    return int(text)


def path(text: str) -> str:
    """`--paths`: a path that can be read."""
    try:
        toolstream.JSONParser(paths=[text])
    except ValueError as error:
        raise argparse.ArgumentTypeError(str(error)) from error
    return text


def factor(text: str) -> float:
    """`--speed`: a finite number above 0."""
    try:
        number = float(text)
    except ValueError:
        number = math.nan
    if not 0 < number < math.inf:
        raise argparse.ArgumentTypeError(f"{text!r} is not a number above 0")
    return number


def run_events(arguments: argparse.Namespace, terminal: Terminal) -> None:
    """`toolstream events`."""
    options: dict[str, Any] = {"provider": arguments.provider, "deltas": arguments.deltas, "framing": arguments.framing}
    options |= {"paths": arguments.paths} if arguments.paths else {"depth": arguments.depth}
    with open_input(arguments.file) as file, toolstream.parse(file, **options) as events:
        if arguments.text:
            print_text(events, terminal)
        else:
            for event in events:
                terminal.line(dump_json(event.to_dict()))


def run_demo(arguments: argparse.Namespace, terminal: Terminal) -> None:
    """`toolstream demo`."""
    demo.play(demo.bundled_stream(arguments.provider), arguments.provider, arguments.speed, terminal)


def open_input(name: str) -> IO[bytes]:
    """The file of this name, or standard input for `-`; the descriptor of the latter stays open."""
    if name != "-":
        return open(name, "rb")
    try:
        return open(STDIN, "rb", closefd=False)
    except OSError as error:
        raise OSError(error.errno, error.strerror, "standard input") from error


def print_text(events: toolstream.EventStream, terminal: Terminal) -> None:
    """Events for people, and a line of token counts at the end."""
    page = Page(terminal)
    try:
        for event in events:
            page.show(event)
    except toolstream.ToolStreamError:
        page.end_run()
        raise
    terminal.line(show_usage(events.usage))


class Page:
    """What `--text` prints: running text as it comes, all else on lines of its own."""

    def __init__(self, terminal: Terminal) -> None:
        self._terminal = terminal
        self._run: object = None  # what the unfinished line holds: text, reasoning, or one growing field

    def show(self, event: toolstream.Event) -> None:
        """Prints one event."""
        match event:
            case toolstream.TextDelta(text=text, index=index):
                self._continue_run(("text", index), "", printable(text))
            case toolstream.ReasoningDelta(text=text, index=index):
                self._continue_run(("reasoning", index), "reasoning: ", printable(text), "dim")
            case toolstream.FieldDelta(call=toolstream.ToolCall() as call, path=path, text=text):
                self._continue_run((call.index, path), f"  {show_path(path)} += ", printable(text), "dim")
            case toolstream.MessageStart(provider=provider, id=id, model=model):
                self._line(f"message {printable(id or '-')} from {printable(model or '-')} ({provider})", "bold")
            case toolstream.ToolCallStart(call=call):
                self._line(f"call {name_of(call)}{' (run by the provider)' if call.server else ''}", "cyan")
            case toolstream.FieldComplete(path=path, value=value):
                self._line(f"  {show_path(path)} = {show_value(value, VALUE_WIDTH)}")
            case toolstream.ToolCallEnd(call=call):
                self._line(f"end of {name_of(call)}", "cyan")
            case toolstream.ToolCallError(call=call, error=error):
                self._line(f"{name_of(call)} is void: {printable(str(error))}", "red")
            case toolstream.MessageEnd(stop_reason=reason, safe=safe):
                verdict = ", its calls are safe to run" if safe else ""
                self._line(f"message ended: {printable(reason or '-')}{verdict}", "bold")

    def end_run(self) -> None:
        """Ends the line that running text has left open."""
        if self._run is not None:
            self._run = None
            self._terminal.line()

    def _line(self, text: str, *styles: str) -> None:
        self.end_run()
        self._terminal.line(self._terminal.style(text, *styles) if styles else text)

    def _continue_run(self, run: object, opening: str, text: str, *styles: str) -> None:
        if run != self._run:
            self.end_run()
            self._run = run
            text = opening + text
        self._terminal.write(self._terminal.style(text, *styles) if styles else text)


def name_of(call: toolstream.ToolCall) -> str:
    """A call's name and id, for people."""
    return printable(f"{call.name} [{call.id or '-'}]")


def describe(error: toolstream.ToolStreamError) -> str:
    """An error as one line: what kind, and what it says."""
    return f"{type(error).__name__}: {printable(str(error))}".replace("\n", "\\n")


def standard_output() -> IO[str]:
    """Standard output; an `OutputError` where the caller has closed it."""
    if sys.stdout is None:
        raise OutputError(OSError("standard output is closed"))
    return sys.stdout


def silence_output() -> None:
    """Sends what is still buffered nowhere: at exit, Python would write it and complain about a closed pipe."""
    try:
        null = os.open(os.devnull, os.O_WRONLY)
        os.dup2(null, sys.stdout.fileno())
        os.close(null)
    except (OSError, AttributeError):
        return


def complain(message: str) -> int:
    """Prints the message on standard error; returns the exit status that goes with it."""
    if sys.stderr is not None:
        print(f"toolstream: {message}", file=sys.stderr)
    return EXIT_BAD_INPUT
