"""The streams of this repository are those that `quirks.py` describes."""

from __future__ import annotations

import quirks


def test_the_files_are_what_the_module_says() -> None:
    for path, data in quirks.files().items():
        assert path.read_bytes() == data, f"{path}: run python tests/quirks.py"
