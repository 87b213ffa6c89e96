"""Plain classes whose objects are made in C, if the extension is there: a stream makes several for each event.

Such a class inherits from `Record`, and its `__init__` does nothing but store its arguments, and constants, in the
class's own slots. It is written once, in Python; `constructor` calls it to find out what goes where. Slots of a base
class are not set.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from ._core import native

if TYPE_CHECKING:
    Record = object
else:
    Record = object if native is None else native.Record

_CONSTANT = (bool, int, str, type(None))


def constructor(cls: type, written: Callable[..., None]) -> Any:
    """The `__init__` of a class: what `written` does, in one C call if the extension is there.

    Arguments that don't fit are left to `written`, which says what is wrong with them. So is a missing argument whose
    default `written` does not store as it is (None for a new dict). Raises `TypeError` if it does more than store.
    """
    if native is None:
        return written
    code, defaults = written.__code__, written.__defaults__ or ()
    names = code.co_varnames[1 : code.co_argcount]
    needed = len(names) - len(defaults)
    marks = [object() for _ in names]
    stored, by_default = _stored(cls, written, marks), _stored(cls, written, marks[:needed])
    slots = [slot for mark in marks for slot, value in stored.items() if value is mark]
    constants = {slot: value for slot, value in stored.items() if slot not in slots}
    if len(slots) != len(names) or not all(isinstance(value, _CONSTANT) for value in constants.values()):
        raise TypeError(f"{cls.__name__}.__init__ does not only store")
    optional = zip(slots[needed:], defaults, strict=True)
    kept = [default if by_default[slot] is default else NotImplemented for slot, default in optional]
    values = (*(... for _ in range(needed)), *kept, *constants.values())
    return native.Constructor(cls, names, (*slots, *constants), written, values)


def _stored(cls: Any, written: Callable[..., None], arguments: list[object]) -> dict[str, Any]:
    """What is in each slot of a new object."""
    instance = cls.__new__(cls)
    written(instance, *arguments)
    return {slot: getattr(instance, slot) for slot in vars(cls)["__slots__"] if slot != "__weakref__"}
