"""The sites of a study, whose own codes all lead to what is known here."""

from collections.abc import Iterator, Mapping
from difflib import get_close_matches
from pathlib import Path

from services.ingest.domain.pseudonyms import DEFAULT_PATTERN, PseudonymForm
from services.ingest.domain.site import CodeTables, SiteMap, Sites
from services.runtime.sites_file import SiteRow, read_sites_content
from services.vocabulary.number_text import NumberMarks

__all__ = ["SiteMap", "load_sites"]


def load_sites(folder: Path, tables: CodeTables) -> Sites:
    """Return the sites of the study in *folder*.

    Raises:
        UntrustedFileError: ``sites.yaml`` cannot be read, or a code in it leads to nothing that is
            graded.
    """
    document, content = read_sites_content(folder)
    if faults := list(_find_faults(content.sites, _list_targets(tables))):
        raise document.refusal(faults)
    form = PseudonymForm(content.pseudonyms or DEFAULT_PATTERN)
    return Sites.build(tuple(_build_site(row) for row in content.sites), form)


def _build_site(row: SiteRow) -> SiteMap:
    content = row.model_dump(exclude={"decimal_mark", "thousands_mark", "principals", "expect"})
    has_marks = row.decimal_mark or row.thousands_mark
    marks = NumberMarks(row.decimal_mark or ".", row.thousands_mark) if has_marks else None
    return SiteMap(
        **{**content, "icu": frozenset(row.icu), "ignored": frozenset(row.ignored), "marks": marks}
    )


def _list_targets(tables: CodeTables) -> Mapping[str, frozenset[str]]:
    devices = (word for (measure, _), word in tables.words.items() if "oxygen" in measure)
    return {
        "codes": tables.measures,
        "units": frozenset(tables.units.dimensions),
        "drugs": frozenset(tables.drugs.values()),
        "devices": frozenset(devices),
    }


def _find_faults(
    rows: tuple[SiteRow, ...], targets: Mapping[str, frozenset[str]]
) -> Iterator[tuple[str, str]]:
    for row in rows:
        for field, names in targets.items():
            for code, name in getattr(row, field).items():
                if name not in names:
                    problem = f"nothing is called {name!r}{_suggest_name(name, names)}"
                    yield f"sites.{row.id}.{field}.{code}", problem


def _suggest_name(name: str, names: frozenset[str]) -> str:
    close = get_close_matches(name, sorted(names), n=1)
    return f"; did you mean {close[0]!r}?" if close else ""
