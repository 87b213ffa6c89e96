"""A stream's options in one object, which all streams with the same options share.

A gateway holds many streams, and most of them have the same options.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from .paths import DeltasByTool, PathsByTool, Subscriptions

if TYPE_CHECKING:
    from .json_parser import DuplicateKeys
    from .limits import Limits
    from .tools.checks import Checks


class Settings:
    """What a stream's assembler is told by whoever reads the stream. It does not change.

    raises: a call's bad arguments end the reading. checks: None if calls are not checked; else this stream's own.
    """

    __slots__ = ("checks", "duplicate_keys", "limits", "raises", "subscriptions")

    def __init__(
        self,
        subscriptions: Subscriptions,
        duplicate_keys: DuplicateKeys,
        raises: bool,
        limits: Limits,
        checks: Checks | None = None,
    ) -> None:
        self.subscriptions = subscriptions
        self.duplicate_keys = duplicate_keys
        self.raises = raises
        self.limits = limits
        self.checks = checks

    def checked_by(self, checks: Checks) -> Settings:
        return Settings(self.subscriptions, self.duplicate_keys, self.raises, self.limits, checks)


def shared_settings(
    depth: int | None,
    paths: PathsByTool | None,
    deltas: DeltasByTool,
    duplicate_keys: DuplicateKeys,
    raises: bool,
    limits: Limits,
) -> Settings:
    """Settings without checks; those that most callers ask for are made once. Raises as `Subscriptions`."""
    if paths is not None or type(deltas) is not bool or not (depth is None or type(depth) is int):
        reported = Subscriptions(depth=depth, paths=paths, deltas=deltas)
        return Settings(reported, duplicate_keys, raises, limits)
    # Limits are compared by their id, since their hash takes longer than all the rest. The settings keep them alive.
    key = (depth, deltas, duplicate_keys, raises, id(limits))
    known = _known.get(key)
    if known is None:
        if len(_known) >= _KEPT:
            _known.clear()
        reported = Subscriptions(depth=depth, paths=None, deltas=deltas)
        known = _known[key] = Settings(reported, duplicate_keys, raises, limits)
    return known


# A look into this dict is a fifth of what `lru_cache` takes for the same.
_known: dict[tuple[int | None, bool, DuplicateKeys, bool, int], Settings] = {}
_KEPT = 64
