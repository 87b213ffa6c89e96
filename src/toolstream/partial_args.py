"""Arguments that come as values with their JSONPaths, not as JSON text: `PartialArguments`, a call's parser for them.

It answers like a `FieldParser`: live value, fields by subscription, snapshots, limits, pickling. A value is final when
its part says that nothing of it follows. Nothing marks the end of an object or an array, so one is final when the parts
have gone on outside of it; one that comes back after it was reported is a `DuplicateKeyError`, as a repeated key is in
JSON text. Trusts nothing. Raises `JSONError`, whose offset counts the bytes of names and values so far.
"""

from __future__ import annotations

import json
import re
from typing import TYPE_CHECKING, Any, NamedTuple, NoReturn

from .calls import incomplete_arguments, joined, split_half
from .errors import DuplicateKeyError, JSONError, LimitError, excerpt
from .events import Event, FieldComplete, FieldDelta
from .limits import Limits
from .values import copy_live, find, pack_live, unpack_live

if TYPE_CHECKING:
    from .calls import ToolCall
    from .events import Path
    from .json_parser import DuplicateKeys
    from .paths import Subscription

# RFC 9535, the singular queries: names behind a dot, names in quotes and indices in brackets.
_STEP = re.compile(
    r"""
      \. (?P<name>[^.\[\]]+)
    | \[ (?P<index>[0-9]+) \]
    | \[ (?P<quoted>"(?:[^"\\]|\\.)*" | '(?:[^'\\]|\\.)*') \]
    """,
    re.VERBOSE | re.DOTALL,
)
_LONGEST_INDEX = 18  # digits
_ABSENT: Any = object()

Scalar = str | int | float | bool | None


class Part(NamedTuple):
    """A value, or a piece of a string.

    path: its JSONPath. value: None for null. more: the string goes on in a later part. absent: there is no value; the
    part only ends a string.
    """

    path: str
    value: Scalar
    more: bool = False
    absent: bool = False


class PartialArguments:
    """The arguments of one call, as they come.

    subscription: what is reported. limits: max_depth, and max_call_bytes for all names and values together, in bytes of
    UTF-8. Pickles and deep-copies between any two parts.
    """

    def __init__(
        self,
        subscription: Subscription,
        *,
        duplicate_keys: DuplicateKeys = "error",
        limits: Limits,
        call: ToolCall,
    ) -> None:
        self.complete = False
        self.offset = 0
        self._subscription = subscription
        self._duplicate_keys = duplicate_keys
        self._limits = limits
        self._call = call
        self._root: dict[str, Any] = {}
        self._place: Path = ()  # the innermost container that the last part was in
        self._open: list[Any] = [self._root]  # that one and those around it, outermost first
        self._growing: dict[Path, list[str]] = {}  # strings in progress
        self._halves: dict[Path, str] = {}  # high surrogates whose other half is in the next part
        self._early: dict[Path, dict[int, Any]] = {}  # by array: elements that came before the ones in front of them
        self._waits: dict[Path, int] = {}  # by container: strings in progress and arrays with early elements inside
        self._reported: set[Path] = set()
        self._holders: set[Path] = set()  # containers with something in them that was reported

    # ------------------------------------------------------------------ feeding

    def take(self, part: Part, events: list[Event]) -> None:
        """One part. Appends the events that it completes."""
        if self.complete:
            self._fault("a part behind the end of the arguments")
        path = self._steps(part.path)
        if part.absent and path not in self._growing:
            return
        max_depth = self._limits.max_depth
        if max_depth is not None and len(path) > max_depth:
            raise LimitError(
                f"nested deeper than max_depth={max_depth}", limit="max_depth", offset=self.offset, call=self._call
            )
        self._leave(path, events)
        container = self._enter(path)
        if path not in self._growing:
            self._check_repeated(container, path)
        if part.absent or isinstance(part.value, str):
            self._take_string(container, path, "" if part.absent else str(part.value), part.more, events)
        elif path in self._growing:
            self._fault("a string goes on as another value", path)
        else:
            self._take_scalar(container, path, part.value, events)

    def feed_into(self, data: str, events: list[Event]) -> None:
        """Text is no part: a server that sends both contradicts itself."""
        self._fault("argument text for a call whose arguments come in parts")

    def close(self) -> list[Event]:
        """The arguments have ended: what is open is final. Raises `IncompleteError` where something is missing."""
        if self.complete:
            return []
        if self._growing:
            raise incomplete_arguments(self._call, "the arguments ended inside a string")
        if self._early:
            raise incomplete_arguments(self._call, "the arguments ended before all elements of an array had come")
        events: list[Event] = []
        while self._place:
            self._leave_innermost(events)
        self.complete = True
        return events

    def _take_string(self, container: Any, path: Path, text: str, more: bool, events: list[Event]) -> None:
        if path not in self._growing:
            self._wait(path, 1)
        parts = self._growing.setdefault(path, [])
        self._count(len(text.encode("utf-8", "surrogatepass")))
        text, half = split_half(self._halves.pop(path, "") + text)
        if half and more:
            self._halves[path] = half
        else:
            text += half  # alone for good, as `json.loads` gives it
        if text:
            parts.append(text)
            if self._subscription.reports(path, growth=True):
                events.append(FieldDelta(self._call, path, text))
        if not more:
            del self._growing[path]
            self._wait(path, -1)
            self._finish(container, path, joined(parts), events)

    def _take_scalar(self, container: Any, path: Path, value: Scalar, events: list[Event]) -> None:
        if value is not None and not isinstance(value, (bool, int, float)):
            self._fault(f"a part whose value is a {type(value).__name__}", path)
        try:
            text = json.dumps(value, allow_nan=False)
        except ValueError:
            self._fault("a number that JSON does not have", path)
        self._count(len(text))
        self._finish(container, path, value, events)

    def _finish(self, container: Any, path: Path, value: Scalar, events: list[Event]) -> None:
        self._put(container, path, value)
        self._report(path, value, events)

    def _report(self, path: Path, value: Any, events: list[Event]) -> None:
        if self._subscription.reports(path):
            self._reported.add(path)
            holder = path[:-1]
            while holder not in self._holders:
                self._holders.add(holder)
                holder = holder[:-1]
            events.append(FieldComplete(self._call, path, value))

    # ------------------------------------------------------------------ where the parts stand

    def _leave(self, path: Path, events: list[Event]) -> None:
        """Goes out of the containers that path is not in."""
        while self._place and (len(self._place) >= len(path) or path[: len(self._place)] != self._place):
            self._leave_innermost(events)

    def _leave_innermost(self, events: list[Event]) -> None:
        place, container = self._place, self._open.pop()
        self._place = place[:-1]
        if place not in self._waits:
            self._report(place, container, events)

    def _wait(self, path: Path, change: int) -> None:
        """The containers around path are not final as long as something in them is awaited."""
        for length in range(1, len(path)):
            count = self._waits.pop(path[:length], 0) + change
            if count:
                self._waits[path[:length]] = count

    def _enter(self, path: Path) -> Any:
        """The container that holds path's value; those that are not there yet are made."""
        while len(self._place) < len(path) - 1:
            depth = len(self._place) + 1
            place, kind = path[:depth], dict if isinstance(path[depth], str) else list
            child = self._get(self._open[-1], place)
            if child is _ABSENT:
                if place in self._growing:
                    self._fault("a part contradicts an earlier one", place)
                child = kind()
                self._count_name(place[-1])
                self._put(self._open[-1], place, child)
            elif place in self._reported and self._duplicate_keys != "last":
                raise self._repeated(place)
            if type(child) is not kind:
                self._fault("a part contradicts an earlier one", place)
            self._place = place
            self._open.append(child)
        if type(self._open[-1]) is not (dict if isinstance(path[-1], str) else list):
            self._fault("a part contradicts an earlier one", self._place)
        return self._open[-1]

    def _get(self, container: Any, path: Path) -> Any:
        """The value that container, which path leads through, has at path's last step."""
        step: Any = path[-1]
        if type(container) is dict:
            return container.get(step, _ABSENT)
        if isinstance(step, int) and step < len(container):
            return container[step]
        return self._early.get(path[:-1], {}).get(step, _ABSENT)

    def _put(self, container: Any, path: Path, value: Any) -> None:
        step: Any = path[-1]
        if type(container) is dict or step < len(container):
            container[step] = value
            return
        early = self._early.get(path[:-1])
        if early is None:
            if step == len(container):
                container.append(value)
                return
            early = self._early[path[:-1]] = {}
            self._wait(path, 1)
        early[step] = value
        while len(container) in early:
            container.append(early.pop(len(container)))
        if not early:
            del self._early[path[:-1]]
            self._wait(path, -1)

    def _check_repeated(self, container: Any, path: Path) -> None:
        """A value that is there already: the last one counts, unless something was said of the first."""
        if self._get(container, path) is _ABSENT:
            self._count_name(path[-1])
            return
        was_said = path in self._reported or path in self._holders
        if self._duplicate_keys == "strict" or (self._duplicate_keys == "error" and was_said):
            raise self._repeated(path)

    # ------------------------------------------------------------------ faults

    def _steps(self, jsonpath: str) -> Path:
        """The keys and indices of a JSONPath."""
        steps: list[str | int] = []
        at = 1 if jsonpath.startswith("$") else 0
        source = jsonpath if at else f".{jsonpath}"
        while at < len(source):
            match = _STEP.match(source, at)
            if match is None or len(match["index"] or "") > _LONGEST_INDEX:
                self._fault(f"a path that is no JSONPath: {excerpt(jsonpath)}")
            steps.append(_step(match))
            at = match.end()
        if not steps:
            self._fault("a part for the root; the arguments are an object")
        return tuple(steps)

    def _count_name(self, step: str | int) -> None:
        self._count(len(step.encode("utf-8", "surrogatepass")) if isinstance(step, str) else 1)

    def _count(self, size: int) -> None:
        self.offset += size
        limit = self._limits.max_call_bytes
        if limit is not None and self.offset > limit:
            self.offset = limit
            reason = f"longer than max_call_bytes={limit} bytes"
            raise LimitError(reason, limit="max_call_bytes", offset=limit, call=self._call)

    def _repeated(self, path: Path) -> DuplicateKeyError:
        return DuplicateKeyError("a value that is final comes again", offset=self.offset, path=path, call=self._call)

    def _fault(self, reason: str, path: Path = ()) -> NoReturn:
        raise JSONError(reason, offset=self.offset, path=path, call=self._call)

    # ------------------------------------------------------------------ reading

    @property
    def value(self) -> dict[str, Any]:
        """All that is final so far, live; an element of an array once all before it are."""
        return self._root

    @property
    def text(self) -> str:
        """All that is final so far as JSON: the provider sends no text."""
        return json.dumps(self._root, ensure_ascii=False)

    @property
    def pending_path(self) -> Path | None:
        """The string in progress, or else the container that the parts stand in; None once complete."""
        if self.complete:
            return None
        return next(reversed(self._growing), self._place)

    def snapshot(self, strings: bool = True) -> dict[str, Any]:
        """A detached copy of the value so far; strings: with the strings in progress as far as they go."""
        root: dict[str, Any] = copy_live(self._root, [])[0]
        for path, parts in self._growing.items() if strings else ():
            found, container = find(root, path[:-1])
            if found and type(container) is dict:
                container[path[-1]] = joined(parts)
            elif found and path[-1] == len(container):
                container.append(joined(parts))
        return root

    def is_complete(self, *path: str | int) -> bool:
        """Whether the value at path is final: a container is once it was reported, or all is complete."""
        found, value = find(self._root, path)
        if not path or self.complete:
            return self.complete and found
        if type(value) not in (dict, list):
            return found
        return any(path[:length] in self._reported for length in range(1, len(path) + 1))

    # ------------------------------------------------------------------ pickling

    def __getstate__(self) -> dict[str, Any]:
        live = [self._root, *(list(elements.values()) for elements in self._early.values())]
        early = [(path, list(elements)) for path, elements in self._early.items()]
        return {**vars(self), "_root": None, "_open": pack_live(live, self._open), "_early": early}

    def __setstate__(self, state: dict[str, Any]) -> None:
        vars(self).update(state)
        (self._root, *elements), self._open = unpack_live(state["_open"])
        pairs = zip(state["_early"], elements, strict=True)
        self._early = {path: dict(zip(indices, values, strict=True)) for (path, indices), values in pairs}


def _step(match: re.Match[str]) -> str | int:
    if match["name"] is not None:
        return match["name"]
    if match["index"] is not None:
        return int(match["index"])
    body = match["quoted"]
    if body[0] == "'":  # the same string as JSON writes it
        body = '"' + body[1:-1].replace("\\'", "'").replace('"', '\\"') + '"'
    name: str = json.loads(body, strict=False)
    return name
