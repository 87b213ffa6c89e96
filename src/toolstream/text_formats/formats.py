"""`TextFormat`: how a family of models writes its calls into plain text, declared as data.

A format is a set of markers and, behind each marker that opens calls, a body: what is written there. The bodies are few
(`Objects`, `Headed`, `Tagged`, `Python`, `Gemma`, `Code`, `Messages`), and each has one reader, shared by all formats.
"""

from __future__ import annotations

from dataclasses import dataclass, field

NAMES = ("name", "tool_name")
ARGUMENTS = ("arguments", "parameters", "args")
IDS = ("id", "tool_call_id")


@dataclass(frozen=True)
class Objects:
    """JSON objects that hold a call's name and its arguments: one, several, or a list of them.

    closes: what ends the section; it may be missing. separator: what may stand between two objects outside a list, and
    is needed there ("" for white space alone).
    keyed: the object's only key is the name, and its value the arguments.
    late_id: the id, if any, comes as the last member. entry: how the next object begins behind a bad one.
    """

    closes: tuple[str, ...] = ()
    separator: str = ""
    entry: tuple[str, ...] = ()
    keyed: bool = False
    late_id: bool = False


@dataclass(frozen=True)
class Headed:
    """A header with the name, then the arguments as JSON; one entry or several.

    header: a pattern for all that stands between the opener (or entry) and the first `{`, with a group `name` and
    perhaps a group `id`. begins: a pattern that every beginning of a header fits: what does not is text at once.
    entry: what opens each entry of a section; none: the opener itself opens one.
    tail: what may stand behind the arguments. ends: what may end an entry. closes: what ends the section. Each may be
    missing.
    """

    header: str
    begins: str = ".*"
    entry: tuple[str, ...] = ()
    tail: tuple[str, ...] = ()
    ends: tuple[str, ...] = ()
    closes: tuple[str, ...] = ()


@dataclass(frozen=True)
class Tagged:
    """Each parameter's value is text between tags.

    call: what opens a call; "": the opener does. name: a pattern for what stands between that and the first of
    `name_ends`, with a group `name`, and perhaps a group `empty` (the call has no parameters, and no end of its own). A
    name end that is a parameter's opener or the call's end is read as such, too.
    parameter: what opens a parameter. key: a pattern for what stands between that and `key_ends`, with a group `key`
    and perhaps a group `type` (the value's, whatever the schema says) or `string` ("true": the value is text; "false":
    it is JSON).
    value_ends: what ends a value; followed_by: and must stand behind it, white space aside, where values may hold
    the end's text. framing_newline: one newline after the key and one before the value's end mean nothing.
    cdata: a value may stand in `<![CDATA[…]]>`. open_value: what (or the text's end, or the
    section's end and another section) must stand behind a call's end to show that it ends a value that has no end.
    call_ends: what ends a call; open_end: at the end of the text, behind a whole parameter, it may be missing.
    closes: what ends the section, and a call whose own end is missing; it may be missing. skipped: marks between calls
    that mean nothing.
    """

    name: str
    name_ends: tuple[str, ...]
    parameter: str
    key: str
    key_ends: str
    value_ends: tuple[str, ...]
    call: str = ""
    call_ends: tuple[str, ...] = ()
    closes: tuple[str, ...] = ()
    followed_by: tuple[str, ...] = ()
    framing_newline: bool = False
    cdata: bool = False
    open_value: tuple[str, ...] = ()
    open_end: bool = False
    skipped: tuple[str, ...] = ()


@dataclass(frozen=True)
class Python:
    """Calls as Python writes them, with keyword arguments that are literals.

    brackets: they stand in a list. closes: what ends the section; it may be missing.
    wrapper: a function that may stand around each call, and means nothing. suffix: what each name must end with, which
    is no part of it. echoes: the section may be repeated behind itself without its opener, which means nothing.
    """

    brackets: bool = True
    closes: tuple[str, ...] = ()
    wrapper: str = ""
    suffix: str = ""
    echoes: bool = False


@dataclass(frozen=True)
class Gemma:
    """`call:name{key:value}`, with strings between two of the same mark.

    untyped: some templates put all values between marks, so that the tool's schema says what is a string.
    """

    mark: str
    closes: tuple[str, ...] = ()
    untyped: bool = False


@dataclass(frozen=True)
class Code:
    """A program up to one of `closes`, or the end: one call of the tool `name`, with the text as its `parameter`."""

    name: str
    closes: tuple[str, ...] = ()
    parameter: str = "code"


@dataclass(frozen=True)
class Messages:
    """Messages with headers, some of which are calls: Harmony.

    body: what ends a header. channel: what stands before a channel's name. starts: what opens a header.
    ends: what ends a message. reasoning: the channel that holds reasoning.
    """

    body: str
    channel: str
    starts: tuple[str, ...]
    ends: tuple[str, ...]
    reasoning: str


Body = Objects | Headed | Tagged | Python | Gemma | Code | Messages


@dataclass(frozen=True)
class Opener:
    """A marker that opens calls, and what must follow it (white space aside) for that to be so.

    needs: the characters one of which must follow, white space aside; "": anything may. Of several openers with one
    marker the first counts that fits and does not turn out to be no call; if there is none, the marker is text.
    trial: these are calls only once a name and its arguments (or where they begin) have shown; until then they may be
    text.
    keep: so many characters of the marker are the body's.

    The marker "" stands for the beginning of what is visible.
    """

    marker: str
    body: Body
    needs: str = ""
    trial: bool = False
    keep: int = 0


@dataclass(frozen=True)
class TextFormat:
    """How a family of models writes tool calls.

    name: what `provider` and `MessageStart.provider` say. openers: what opens calls.
    reasoning: what opens reasoning, and what closes it. ends: what ends a turn. answers: what ends one, and begins
    another's, which a model that is not stopped makes up: it is not read. dropped: marks that mean nothing.
    wraps: marks around an answer behind reasoning.
    calls_end_reasoning: a call's marker inside reasoning ends it; else it is thought.
    special: markers that tokenizers usually flag as special, so that `skip_special_tokens=True` loses them.
    models: whose format this is. prefill: what the prompt's end has opened, where nothing else is said.

    Raises `ValueError` for markers that cannot be told apart.
    """

    name: str
    openers: tuple[Opener, ...]
    reasoning: tuple[tuple[str, str], ...] = (("<think>", "</think>"),)
    ends: tuple[str, ...] = ()
    answers: tuple[str, ...] = ()
    dropped: tuple[str, ...] = ()
    wraps: tuple[tuple[str, str], ...] = ()
    calls_end_reasoning: bool = False
    special: tuple[str, ...] = ()
    models: str = ""
    prefill: str = ""
    by_marker: dict[str, tuple[Opener, ...]] = field(init=False, repr=False, compare=False)

    def __post_init__(self) -> None:
        groups: dict[str, tuple[Opener, ...]] = {}
        for opener in self.openers:
            groups[opener.marker] = (*groups.get(opener.marker, ()), opener)
        pairs = (*self.reasoning, *self.wraps)
        for marker in (*self.dropped, *self.ends, *self.answers, *(word for pair in pairs for word in pair)):
            if not marker:
                raise ValueError("an empty marker")
            if marker in groups:
                raise ValueError(f"{marker!r} opens calls, and is another marker, too")
        object.__setattr__(self, "by_marker", groups)
