"""Functions that run while a local model writes their calls as text: when they start, what text values become."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import AsyncIterator, Iterator
from typing import Any, Literal, Optional

import pytest
from text_writers import WRITERS, Asked, Message

import toolstream
from toolstream import CallVoidError, IncompleteError, Streamed, tool

TEXT = "High water 06:12.\nLow water 12:30, 3 < 5."
GIVEN = {"path": "tides.md", "mode": "644", "lines": 2, "tags": ["sea", "7"], "draft": True, "content": TEXT}
WANTED: list[Any] = ["tides.md", "644", 2, ["sea", "7"], True]
TASK: Message = [Asked("write_file", GIVEN)]
TAGGED = ("qwen3_coder", "glm45", "glm47", "seed_oss", "minimax_m2", "deepseek_v32", "deepseek_v4")


def without_the_content(format: str) -> int:
    """Where in the text the content's last word begins."""
    return WRITERS[format](TASK).index("3 < 5")


class File:
    """A tool whose content grows; log: what it had."""

    def __init__(self) -> None:
        self.log: list[Any] = []

    async def write_file(
        self, path: str, mode: str, lines: int, tags: list[str], draft: bool, content: Streamed[str]
    ) -> int:
        self.log += [path, mode, lines, tags, draft]
        async for piece in content:
            self.log.append(piece)
        return lines


class ThreadFile:
    """The same on a thread. has_begun: some of the content has been read."""

    def __init__(self) -> None:
        self.log: list[Any] = []
        self.has_begun = threading.Event()

    def write_file(self, path: str, mode: str, lines: int, tags: list[str], draft: bool, content: Streamed[str]) -> int:
        self.log += [path, mode, lines, tags, draft]
        try:
            for piece in content:
                self.log.append(piece)
                self.has_begun.set()
        except CallVoidError as error:
            self.log.append(type(error.__cause__))
            raise
        return lines


@pytest.mark.parametrize("format", TAGGED)
def test_a_function_starts_and_reads_its_growing_text_before_the_call_has_ended(format: str) -> None:
    whole, file = WRITERS[format](TASK), File()
    seen: list[Any] = []

    async def source() -> AsyncIterator[str]:
        for at, character in enumerate(whole):
            if at == without_the_content(format):
                seen.extend(file.log)
            yield character
            for _ in range(3):
                await asyncio.sleep(0)

    async def read() -> Any:
        run = toolstream.dispatch(source(), [file.write_file], provider=format)
        return await run, run.turn()

    (result,), (assistant, answer) = asyncio.run(read())
    assert (result.status, result.value) == ("ok", 2)
    assert file.log[:5] == WANTED
    assert "".join(file.log[5:]) == TEXT
    assert seen[:5] == WANTED
    assert TEXT.startswith("".join(seen[5:]))
    assert len("".join(seen[5:])) > 20
    assert assistant["tool_calls"][0]["function"] == {"name": "write_file", "arguments": GIVEN}
    assert answer == {"role": "tool", "tool_call_id": "call_0", "name": "write_file", "content": "2"}


@pytest.mark.parametrize("format", TAGGED)
def test_so_does_one_on_a_thread(format: str) -> None:
    whole, file = WRITERS[format](TASK), ThreadFile()

    def source() -> Iterator[str]:
        for at, character in enumerate(whole):
            if at == without_the_content(format):
                assert file.has_begun.wait(10)
            yield character

    (result,) = toolstream.dispatch_sync(source(), [file.write_file], provider=format).wait()
    assert (result.status, result.value) == ("ok", 2)
    assert file.log[:5] == WANTED
    assert "".join(file.log[5:]) == TEXT


@pytest.mark.parametrize("format", TAGGED)
def test_one_whose_text_breaks_off_is_told_so_where_it_reads(format: str) -> None:
    cut, file = WRITERS[format](TASK)[: without_the_content(format)], ThreadFile()

    def source() -> Iterator[str]:
        yield cut
        assert file.has_begun.wait(10)

    run = toolstream.dispatch_sync(source(), [file.write_file], provider=format)
    with pytest.raises(IncompleteError):
        run.wait()
    assert file.log[-1] is IncompleteError
    assert run.results.receipts[0].status == "void"


@pytest.mark.parametrize("format", TAGGED)
def test_text_values_are_what_the_function_s_annotations_say(format: str) -> None:
    taken: dict[str, Any] = {}

    @tool(effects="none")
    def book(
        seats: int,
        price: float,
        code: str,
        when: str | None = "now",
        level: Literal[1, 2] = 1,
        extra: Any = None,
        more: Optional[Any] = None,  # noqa: UP045 - `Any | None` is no type in Python 3.10
    ) -> None:
        taken.update(seats=seats, price=price, code=code, when=when, level=level, extra=extra, more=more)

    given = {"seats": 2, "price": 3, "code": "007", "when": None, "level": 2, "extra": {"a": 1}, "more": [1]}
    asked: Message = [Asked("book", given)]
    run = toolstream.dispatch_sync(iter(WRITERS[format](asked)), [book], provider=format)
    (result,) = run.wait()
    assert result.status == "ok", result
    assert taken == given


def test_a_text_value_that_is_not_what_the_function_wants_never_starts_it() -> None:
    begun: list[int] = []

    def book(seats: int) -> None:
        begun.append(seats)

    text = WRITERS["glm47"]([Asked("book", {"seats": "two"})])
    (result,) = toolstream.dispatch_sync(iter(text), [book], provider="glm47").wait()
    assert (result.status, begun) == ("invalid", [])
