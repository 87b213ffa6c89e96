"""The search for markers in text that comes in pieces: what is found does not depend on the cuts, what is held back can
still become a marker, and no character is looked at twice for being held back."""

from __future__ import annotations

import copy
import pickle
import re
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from toolstream.text_formats.cursor import Cursor, Markers, markers


def found(words: tuple[str, ...], pieces: list[str], moved: bool = False) -> list[tuple[str, str]]:
    """What is read: text and the marker behind it, and last the text without one."""
    cursor, wanted, read, held = Cursor(), markers(words), list[tuple[str, str]](), ""
    for piece in [*pieces, None]:
        cursor.final = piece is None
        cursor.add(piece or "")
        marker = "?"
        while marker:
            if moved:
                cursor = pickle.loads(pickle.dumps(copy.deepcopy(cursor)))
            text, marker = cursor.take_until(wanted)
            held += text
            if marker:
                read.append((held, marker))
                held = ""
        assert not cursor.rest or any(word.startswith(cursor.rest) and word != cursor.rest for word in words)
    return [*read, (held, "")]


def plainly_found(words: tuple[str, ...], text: str) -> list[tuple[str, str]]:
    pattern = re.compile("|".join(re.escape(word) for word in sorted(words, key=len, reverse=True)))
    read, at = list[tuple[str, str]](), 0
    for match in pattern.finditer(text):
        read.append((text[at : match.start()], match.group()))
        at = match.end()
    return [*read, (text[at:], "")]


_letters = st.text("ab<｜🎉", max_size=12)


@given(
    words=st.lists(st.text("ab<｜🎉", min_size=1, max_size=4), min_size=1, max_size=5).map(tuple),
    pieces=st.lists(_letters, max_size=6),
    moved=st.booleans(),
)
def test_the_first_and_longest_marker_is_found_however_the_text_is_cut(
    words: tuple[str, ...], pieces: list[str], moved: bool
) -> None:
    whole = "".join(pieces)
    expected = plainly_found(words, whole)
    assert found(words, pieces, moved) == expected
    assert found(words, list(whole)) == expected


def test_a_half_marker_is_not_looked_at_again_when_more_of_it_comes() -> None:
    cursor, wanted = Cursor(), markers(("<|tool_calls_section_begin|>",))
    whole = "plain <|tool_calls_section_beg" * 50
    for character in whole:
        cursor.add(character)
        assert cursor.take_until(wanted)[1] == ""
    assert cursor.scanned == len(whole)


def test_other_markers_and_another_place_begin_a_new_search() -> None:
    cursor = Cursor()
    cursor.add("x <to")
    assert cursor.take_until(markers(("<tool>",))) == ("x ", "")
    assert cursor.take_until(markers(("o", "<tool>"))) == ("", "")
    cursor.at += 1
    assert cursor.take_until(markers(("o", "<tool>"))) == ("t", "o")


@pytest.mark.parametrize("text", ["\ud800<a>", "\udfff", "a\ud83d<"])
def test_lone_surrogates_are_characters_like_others(text: str) -> None:
    assert found(("<a>", "\ud83d<"), list(text)) == plainly_found(("<a>", "\ud83d<"), text)


@pytest.mark.parametrize("words", [("",), ("x" * 4097,)])
def test_a_marker_that_is_empty_or_endless_is_refused(words: tuple[str, ...]) -> None:
    with pytest.raises(ValueError, match="a marker has 1 to 4096 characters"):
        Markers(words)


def test_markers_pickle_as_their_words() -> None:
    wanted: Any = markers(("<a>", "</a>"))
    assert pickle.loads(pickle.dumps(wanted)) is wanted
    assert wanted.words == ("<a>", "</a>")
