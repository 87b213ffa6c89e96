"""How much a stream may ask of this process before it is refused.

Every limit trips at the same byte however the input is cut, and gives a `LimitError` that names it.
"""

from dataclasses import dataclass, fields

KIB = 1024
MIB = 1024 * KIB
GIB = 1024 * MIB


@dataclass(frozen=True, slots=True)
class Limits:
    """Upper bounds on one stream or document. `None` means no bound.

    max_depth: containers open at once in one call's arguments or one JSON document.
    max_bytes: bytes of a whole stream, or of a `JSONParser`'s document.
    max_call_bytes: bytes of one call's argument text.
    max_calls: tool calls in one stream.
    max_event_bytes: bytes of one event: an SSE frame, a value of NDJSON or of an array, an AWS event-stream message.

    Raises `ValueError` for a bound below 1.
    """

    max_depth: int | None = 512
    max_bytes: int | None = GIB
    max_call_bytes: int | None = 64 * MIB
    max_calls: int | None = 1024
    max_event_bytes: int | None = 64 * MIB

    def __post_init__(self) -> None:
        for field in fields(self):
            bound = getattr(self, field.name)
            if bound is not None and (not isinstance(bound, int) or isinstance(bound, bool) or bound < 1):
                raise ValueError(f"{field.name} must be a positive int or None, not {bound!r}")


def check_limits(limits: Limits) -> None:
    """Raises `TypeError` for what is no `Limits`, such as a dict of bounds."""
    if not isinstance(limits, Limits):
        raise TypeError(f"limits is a toolstream.Limits, as in Limits(max_calls=10), not {type(limits).__name__}")


# More than any stream has; it leaves room for sums in the core's 64 bits.
_UNLIMITED = 2**62


def core_bound(bound: int | None) -> int:
    """A bound as the core takes it: a number of 64 bits, however large it is here."""
    return _UNLIMITED if bound is None or bound > _UNLIMITED else bound
