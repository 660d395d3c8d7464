"""Documents lead somewhere: links, files and make targets that they name are there."""

import re
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
DOCUMENTS = [ROOT / "README.md", ROOT / "CONTRIBUTING.md", *sorted((ROOT / "docs").rglob("*.md"))]
LINK = re.compile(r"\]\(([^)\s]+)\)")
CODE = re.compile(r"`([^`\n]+)`")
PATH = re.compile(r"(?:\.?[a-z][\w-]*/)+[\w.-]*")
# A document may call a file by its name within one of these.
PARTS = [ROOT / part for part in (".", "services", "services/safety_rules", "services/cli")]
FOLDERS = {folder.name for part in PARTS for folder in part.iterdir() if folder.is_dir()} - {"var"}


def name_of(document):
    return str(document.relative_to(ROOT))


def headings_of(document):
    """The anchors of a document's headings, as GitHub makes them."""
    lines = re.findall(r"^#+ (.+)$", document.read_text("utf-8"), re.MULTILINE)
    return {re.sub(r"[^\w\- ]", "", line).strip().lower().replace(" ", "-") for line in lines}


def broken_links(document):
    """Yield each link of *document* that leads nowhere in the repository."""
    for target in LINK.findall(document.read_text("utf-8")):
        if re.match(r"[a-z]+:", target):
            continue
        place, _, anchor = target.partition("#")
        file = document.parent / place if place else document
        if not file.exists() or (anchor and anchor not in headings_of(file)):
            yield target


def missing_files(document):
    """Yield each path in code style that begins in a folder of ours and is no file."""
    for code in CODE.findall(document.read_text("utf-8")):
        for path in PATH.findall(code):
            is_ours = path == code and path.partition("/")[0] in FOLDERS and "NAME" not in path
            if is_ours and not any((part / path).exists() for part in PARTS):
                yield path


@pytest.mark.parametrize("document", DOCUMENTS, ids=name_of)
def test_links_lead_to_files_and_headings(document):
    assert list(broken_links(document)) == []


@pytest.mark.parametrize("document", DOCUMENTS, ids=name_of)
def test_paths_in_code_style_are_files(document):
    assert list(missing_files(document)) == []


@pytest.mark.parametrize("document", DOCUMENTS, ids=name_of)
def test_make_targets_are_there(document):
    targets = set(
        re.findall(r"^([a-z0-9-]+):", (ROOT / "Makefile").read_text("utf-8"), re.MULTILINE)
    )
    named_targets = set(
        re.findall(r"(?:`|^)make ([a-z0-9-]+)", document.read_text("utf-8"), re.MULTILINE)
    )
    assert named_targets - targets == set()


def test_a_link_to_nothing_is_found(tmp_path):
    page = tmp_path / "page.md"
    page.write_text("# A title\n[a](#a-title) [b](#b) [c](gone.md) [d](page.md#a-title)\n")
    assert list(broken_links(page)) == ["#b", "gone.md"]


def test_every_page_is_in_an_index():
    linked_pages = {
        (page.parent / target.partition("#")[0]).resolve()
        for page in DOCUMENTS
        for target in LINK.findall(page.read_text("utf-8"))
    }
    assert [
        name_of(page) for page in DOCUMENTS if page not in linked_pages and page.name != "README.md"
    ] == []
