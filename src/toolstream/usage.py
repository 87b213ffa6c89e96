"""Token counts under one set of names for every provider."""

from __future__ import annotations

from dataclasses import dataclass, field, fields
from typing import Any

from .records import Record, constructor


@dataclass(frozen=True, slots=True, init=False)
class Usage(Record):
    """Token counts so far; None for a count that the provider has not sent.

    input_tokens: all prompt tokens, cached ones included.
    output_tokens: all generated tokens, reasoning included.
    cache_read_tokens, cache_write_tokens: prompt tokens read from and written to the provider's cache.
    reasoning_tokens: the part of the output that is reasoning.
    raw: the provider's own object.
    final: these are the provider's last counts (False after an early close).
    """

    input_tokens: int | None = None
    output_tokens: int | None = None
    cache_read_tokens: int | None = None
    cache_write_tokens: int | None = None
    reasoning_tokens: int | None = None
    raw: dict[str, Any] = field(default_factory=dict)
    final: bool = False

    def __init__(
        self,
        input_tokens: int | None = None,
        output_tokens: int | None = None,
        cache_read_tokens: int | None = None,
        cache_write_tokens: int | None = None,
        reasoning_tokens: int | None = None,
        raw: dict[str, Any] | None = None,
        final: bool = False,
    ) -> None:
        # As events are made.
        _set_input(self, input_tokens)
        _set_output(self, output_tokens)
        _set_read(self, cache_read_tokens)
        _set_write(self, cache_write_tokens)
        _set_reasoning(self, reasoning_tokens)
        _set_raw(self, {} if raw is None else raw)
        _set_final(self, final)

    @property
    def cache_hit_ratio(self) -> float | None:
        """The share of the prompt that came from the cache, 0.0 to 1.0; None while it is not known."""
        if self.cache_read_tokens is None or not self.input_tokens:
            return None
        return self.cache_read_tokens / self.input_tokens

    def finished(self) -> Usage:
        """The same counts as the provider's last word."""
        return Usage(
            self.input_tokens,
            self.output_tokens,
            self.cache_read_tokens,
            self.cache_write_tokens,
            self.reasoning_tokens,
            self.raw,
            True,
        )

    def to_dict(self) -> dict[str, Any]:
        """All counts as plain data, without `raw`."""
        return {
            "input_tokens": self.input_tokens,
            "output_tokens": self.output_tokens,
            "cache_read_tokens": self.cache_read_tokens,
            "cache_write_tokens": self.cache_write_tokens,
            "reasoning_tokens": self.reasoning_tokens,
            "cache_hit_ratio": self.cache_hit_ratio,
            "final": self.final,
        }


_set_input, _set_output, _set_read, _set_write, _set_reasoning, _set_raw, _set_final = (
    getattr(Usage, field.name).__set__ for field in fields(Usage)
)

Usage.__init__ = constructor(Usage, Usage.__init__)  # type: ignore[method-assign]

NOTHING = Usage()


def same_counts(one: Usage, other: Usage) -> bool:
    """Whether they say the same, whatever the provider's own objects hold beside that."""
    return (
        one.output_tokens == other.output_tokens
        and one.input_tokens == other.input_tokens
        and one.cache_read_tokens == other.cache_read_tokens
        and one.cache_write_tokens == other.cache_write_tokens
        and one.reasoning_tokens == other.reasoning_tokens
        and one.final == other.final
    )
