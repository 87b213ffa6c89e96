"""The types of tools hold for mypy and pyright: `typing_cases.py` says which lines are right, and which are not."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest

CASES = Path(__file__).parent / "typing_cases.py"


def test_mypy_finds_the_errors_that_are_marked_and_no_others(tmp_path: Path) -> None:
    pytest.importorskip("mypy", reason="mypy is not installed (pip install 'toolstream[dev]')")
    command = [sys.executable, "-m", "mypy", "--strict", "--config-file=", f"--cache-dir={tmp_path}", str(CASES)]
    done = subprocess.run(command, capture_output=True, text=True, timeout=300, cwd=tmp_path)
    assert done.returncode == 0, done.stdout + done.stderr


def test_pyright_finds_the_errors_that_are_marked_and_no_others(tmp_path: Path) -> None:
    """basedpyright is pyright with a Node.js that pip installs: nothing is downloaded when it runs."""
    pytest.importorskip("basedpyright", reason="basedpyright is not installed (pip install 'toolstream[dev]')")
    cases = CASES.read_text("utf-8").splitlines()
    config = tmp_path / "pyrightconfig.json"
    config.write_text(
        json.dumps({"include": [str(CASES)], "typeCheckingMode": "strict", "enableTypeIgnoreComments": False})
    )
    command = [sys.executable, "-m", "basedpyright", "--outputjson", "--pythonpath", sys.executable, "-p", str(config)]
    done = subprocess.run(command, capture_output=True, text=True, timeout=300, cwd=tmp_path)
    told = json.loads(done.stdout)
    assert told["summary"]["filesAnalyzed"] == 1, done.stdout + done.stderr
    found = {each["range"]["start"]["line"] for each in told["generalDiagnostics"] if each["severity"] == "error"}
    marked = {at for at, line in enumerate(cases) if "# type: ignore[" in line}
    assert found == marked, done.stdout
