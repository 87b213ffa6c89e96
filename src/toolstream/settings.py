"""What is asked of a stream: one object for all streams of which the same is asked.

A gateway holds many streams, and asks the same of most of them.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from .paths import DeltasByTool, PathsByTool, Subscriptions

if TYPE_CHECKING:
    from .json_parser import DuplicateKeys
    from .limits import Limits
    from .tools.checks import Checks


class Settings:
    """What a stream's assembler is told by whoever reads the stream; does not change.

    raises: a call's bad arguments end the reading. checks: None where calls are not checked; else they are this
    stream's alone.
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
    """Settings without checks; what most callers ask for is made once. Raises `ValueError` as `Subscriptions`."""
    if paths is not None or type(deltas) is not bool or not (depth is None or type(depth) is int):
        reported = Subscriptions(depth=depth, paths=paths, deltas=deltas)
        return Settings(reported, duplicate_keys, raises, limits)
    # Limits are told by their id, since their hash takes longer than all the rest; the settings hold them.
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
