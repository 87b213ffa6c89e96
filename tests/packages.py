"""The providers' and frameworks' own packages, which these tests may do without."""

from __future__ import annotations

import warnings
from typing import Any

import pytest


def package(name: str) -> Any:
    """The module, or a loud skip."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # what other packages warn of while they are imported
        return pytest.importorskip(name, reason=f"{name} is not installed (pip install 'toolstream[clients]')")
