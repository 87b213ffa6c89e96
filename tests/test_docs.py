"""The pages under `docs/` tell the truth: their code runs and prints what stands below it, and links lead somewhere."""

from __future__ import annotations

import re

import documents
import pytest

from toolstream.providers import ADAPTERS, FAMILIES

ADDING = "docs/adding-a-provider.md"
PROVIDERS = "docs/providers.md"
TEXT_FORMATS = "docs/text-formats.md"


def test_the_adapter_that_is_built_works(capsys: pytest.CaptureFixture[str]) -> None:
    documents.module(ADDING, "acme_once_more")
    assert capsys.readouterr().out == "".join(documents.blocks(ADDING, "text"))


def test_the_text_format_that_is_built_works(capsys: pytest.CaptureFixture[str]) -> None:
    (built,) = [code for code in documents.blocks(TEXT_FORMATS, "python") if "check_adapter" in code]
    exec(compile(built, TEXT_FORMATS, "exec"), {})
    assert capsys.readouterr().out == "".join(documents.blocks(TEXT_FORMATS, "text"))


def test_every_format_has_its_row() -> None:
    rows = re.findall(r"^\| `([a-z0-9-]+)` \|", documents.text(PROVIDERS), re.MULTILINE)
    assert rows == sorted(rows)
    assert set(ADAPTERS) <= set(rows)


def test_every_family_is_named() -> None:
    page = documents.text(PROVIDERS)
    assert all(f'"{family}"' in page for family in FAMILIES)


@pytest.mark.parametrize(
    "page",
    [ADDING, PROVIDERS, "docs/architecture.md", "examples/README.md", "README.md", "CONTRIBUTING.md"],
)
def test_links_lead_somewhere(page: str) -> None:
    folder = (documents.ROOT / page).parent
    links = re.findall(r"\]\((?!https?:)([^)#]+)", documents.text(page))
    assert links
    assert [link for link in links if not (folder / link).exists()] == []
