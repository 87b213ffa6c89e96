"""The types hold for users' mypy and pyright: in `typing_cases.py`, which says which lines are right and which are not,
and in the code that the documents show."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import documents
import pytest

CASES = Path(__file__).parent / "typing_cases.py"
# What README says that its examples are given.
GIVEN = "from typing import Any\nurl = ''\nbody: dict[str, Any] = {}\nsse_bytes = b''\n"


def shown(folder: Path) -> list[Path]:
    """The code of the documents, as files in the folder."""
    examples = [GIVEN + code for code in documents.blocks("README.md", "python")]
    examples.append("\n".join(documents.blocks("docs/adding-a-provider.md", "python")))
    files = [folder / f"example_{number}.py" for number in range(len(examples))]
    for file, code in zip(files, examples, strict=True):
        file.write_text(f"# pyright: standard\n{code}", "utf-8")
    return files


def test_mypy_finds_the_errors_that_are_marked_and_no_others(tmp_path: Path) -> None:
    pytest.importorskip("mypy", reason="mypy is not installed (pip install 'toolstream[dev]')")
    # It would read all of the SDKs, which takes longer than all the rest. pyright checks that example.
    files = [CASES, *(file for file in shown(tmp_path) if "anthropic.Anthropic" not in file.read_text("utf-8"))]
    command = [sys.executable, "-m", "mypy", "--strict", "--config-file=", f"--cache-dir={tmp_path}", *map(str, files)]
    done = subprocess.run(command, capture_output=True, text=True, timeout=300, cwd=tmp_path)
    assert done.returncode == 0, done.stdout + done.stderr


def test_pyright_finds_the_errors_that_are_marked_and_no_others(tmp_path: Path) -> None:
    """basedpyright is pyright with a Node.js that pip installs: nothing is downloaded when it runs."""
    pytest.importorskip("basedpyright", reason="basedpyright is not installed (pip install 'toolstream[dev]')")
    files = [CASES, *shown(tmp_path)]
    config = tmp_path / "pyrightconfig.json"
    options = {"include": [*map(str, files)], "typeCheckingMode": "strict", "enableTypeIgnoreComments": False}
    config.write_text(json.dumps(options))
    command = [sys.executable, "-m", "basedpyright", "--outputjson", "--pythonpath", sys.executable, "-p", str(config)]
    done = subprocess.run(command, capture_output=True, text=True, timeout=300, cwd=tmp_path)
    told = json.loads(done.stdout)
    assert told["summary"]["filesAnalyzed"] == len(files), done.stdout + done.stderr
    errors = [each for each in told["generalDiagnostics"] if each["severity"] == "error"]
    found = {(Path(each["file"]).name, each["range"]["start"]["line"]) for each in errors}
    lines = enumerate(CASES.read_text("utf-8").splitlines())
    assert found == {(CASES.name, at) for at, line in lines if "# type: ignore[" in line}, done.stdout
