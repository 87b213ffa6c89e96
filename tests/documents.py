"""The code that the project's documents show, for the tests that run it."""

from __future__ import annotations

import re
import sys
from pathlib import Path
from types import ModuleType

ROOT = Path(__file__).resolve().parents[1]
FENCE = re.compile(r"^```(\w*)\n(.*?)^```$", re.MULTILINE | re.DOTALL)


def text(name: str) -> str:
    return (ROOT / name).read_text(encoding="utf-8")


def blocks(name: str, language: str) -> list[str]:
    """The fenced blocks of one language, in order."""
    return [code for kind, code in FENCE.findall(text(name)) if kind == language]


def module(name: str, called: str) -> ModuleType:
    """A page's Python code, run as a module that is called so; what is made of it can be pickled."""
    made = sys.modules[called] = ModuleType(called)
    exec(compile("\n".join(blocks(name, "python")), name, "exec"), vars(made))
    return made
