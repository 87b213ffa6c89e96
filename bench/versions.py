"""Which machine and which versions a run was made on, and where they differ from the pinned ones (`pins.txt`)."""

from __future__ import annotations

import importlib.metadata
import os
import platform
from pathlib import Path

from toolstream._core import BINDING

PINS = Path(__file__).with_name("pins.txt")


def pins() -> dict[str, str]:
    """Package -> version, in the file's order."""
    lines = (line.partition("#")[0].strip() for line in PINS.read_text(encoding="utf-8").splitlines())
    pairs = (line.partition("==") for line in lines if line)
    return {name: version for name, _, version in pairs}


def installed_version(package: str) -> str | None:
    try:
        return importlib.metadata.version(package)
    except importlib.metadata.PackageNotFoundError:
        return None


def unlike_pins() -> list[str]:
    """A line for each peer that is installed in another version than the pinned one: figures may differ for it."""
    found = ((name, pinned, installed_version(name)) for name, pinned in pins().items())
    return [f"{name} is {has} here, pinned is {pinned}" for name, pinned, has in found if has not in (None, pinned)]


def environment() -> str:
    """The machine and the versions, for the head of a table."""
    named = ["toolstream", *pins()]
    versions = ", ".join(f"{name} {version}" for name in named if (version := installed_version(name)))
    python = f"{platform.python_implementation()} {platform.python_version()}"
    machine = f"{platform.system()} {platform.machine()}, {os.cpu_count()} CPUs ({_cpu()})"
    return f"{python}, {machine}; {versions}; toolstream's {BINDING} binding."


def _cpu() -> str:
    """The processor's own name where Linux tells it."""
    try:
        lines = Path("/proc/cpuinfo").read_text(encoding="utf-8").splitlines()
    except OSError:
        return platform.processor() or "unknown"
    names = [line.partition(":")[2].strip() for line in lines if line.startswith("model name")]
    return names[0] if names else platform.machine()
