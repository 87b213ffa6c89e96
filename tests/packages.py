"""The packages of others which these tests may do without: clients, frameworks, transformers and torch."""

from __future__ import annotations

import warnings
from typing import Any

import pytest


def package(name: str, extra: str = "clients") -> Any:
    """The module, or a loud skip."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # what other packages warn of while they are imported
        return pytest.importorskip(name, reason=f"{name} is not installed (pip install 'toolstream[{extra}]')")
