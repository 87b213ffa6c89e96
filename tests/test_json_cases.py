"""The project's own table of cases (`json_cases`), each whole, byte by byte and at every two-way cut, str and bytes."""

from __future__ import annotations

import pickle

import pytest
from json_cases import ACCEPTED, REJECTED, STATES, UNFINISHED, Accept, Reject, State
from json_oracle import Fault, read, same, strict_loads
from json_runs import Outcome, each_one, every_way, finish, run

from toolstream import IncompleteError, JSONError, JSONParser, loads


def name_of(case: object) -> str:
    if isinstance(case, bytes):
        return repr(case)[1:40]
    text = case.prefix if isinstance(case, State) else case.text  # type: ignore[attr-defined]
    return repr(text)[1:40]


@pytest.mark.parametrize("case", ACCEPTED, ids=name_of)
def test_accepted_documents_give_their_value_however_they_are_cut(case: Accept) -> None:
    expected = run([case.text])
    assert expected.fault is None
    assert expected.value == repr(case.value)
    assert expected.complete
    assert expected.pending_path is None
    for pieces in every_way(case.text):
        assert run(pieces) == expected, pieces


@pytest.mark.parametrize("case", ACCEPTED, ids=name_of)
def test_loads_gives_what_json_loads_gives(case: Accept) -> None:
    assert same(strict_loads(case.text), case.value)
    assert same(loads(case.text), case.value)
    assert same(loads(case.text.decode()), case.value)
    assert same(loads(b" \n" + case.text + b"\t\r"), case.value)


def check_fault(outcome: Outcome, text: bytes, kind: str, offset: int) -> None:
    assert outcome.fault is not None, f"{text!r} was accepted as {outcome.value}"
    assert (outcome.kind, outcome.offset) == (kind, offset), outcome.fault
    line, column = outcome.fault[2:4]
    assert line == 1 + text[:offset].count(b"\n")
    assert column == offset - (text.rfind(b"\n", 0, offset) + 1) + 1


@pytest.mark.parametrize("case", REJECTED, ids=name_of)
def test_rejected_documents_name_the_same_fault_however_they_are_cut(case: Reject) -> None:
    expected = run([case.text])
    check_fault(expected, case.text, case.kind, case.offset)
    for pieces in every_way(case.text):
        assert run(pieces) == expected, pieces


@pytest.mark.parametrize("case", REJECTED, ids=name_of)
def test_the_fault_is_raised_by_the_feed_that_carries_the_offending_byte(case: Reject) -> None:
    parser = JSONParser()
    for at, byte in enumerate(each_one(case.text)):
        if at < case.offset:
            parser.feed(byte)
            continue
        with pytest.raises(JSONError) as raised:
            parser.feed(byte)
        assert raised.value.offset == at == case.offset
        break
    else:
        pytest.fail("no byte was refused")


@pytest.mark.parametrize("text", UNFINISHED, ids=name_of)
def test_a_document_that_ends_too_early_is_incomplete_at_its_length(text: bytes) -> None:
    expected = run([text])
    check_fault(expected, text, "incomplete", len(text))
    assert not expected.complete
    for pieces in every_way(text):
        assert run(pieces) == expected, pieces
    with pytest.raises(IncompleteError):
        loads(text)
    loads(text, partial=True)


@pytest.mark.parametrize("state", STATES, ids=name_of)
def test_each_state_of_the_grammar_takes_its_bytes_and_no_other(state: State) -> None:
    for byte in range(256):
        text = state.prefix + bytes([byte])
        kind = state.kind_of(byte)
        for pieces in ([text], [state.prefix, text[-1:]], each_one(text)):
            outcome = run(pieces)
            if kind is not None:
                assert (outcome.kind, outcome.offset) == (kind, len(state.prefix)), (text, outcome)
            elif outcome.fault is not None:
                assert (outcome.kind, outcome.offset) == ("incomplete", len(text)), (text, outcome)


def test_the_second_reading_agrees_with_the_table() -> None:
    for accepted in ACCEPTED:
        assert read(accepted.text).fault is None
    for rejected in REJECTED:
        assert read(rejected.text).fault == Fault(rejected.kind, rejected.offset)
    for text in UNFINISHED:
        assert read(text).fault == Fault("incomplete", len(text))


@pytest.mark.parametrize("case", [*ACCEPTED, *REJECTED], ids=name_of)
def test_what_comes_after_a_pickle_is_the_same(case: Accept | Reject) -> None:
    expected = run([case.text], deltas=True, depth=None, duplicate_keys="last")
    parser = JSONParser(deltas=True, depth=None, duplicate_keys="last")
    events = []
    fault_at = expected.offset if expected.fault else len(case.text)
    for byte in each_one(case.text[:fault_at]):
        events += parser.feed(byte)
        parser = pickle.loads(pickle.dumps(parser))
    assert finish(parser, [case.text[fault_at:]], events) == expected
