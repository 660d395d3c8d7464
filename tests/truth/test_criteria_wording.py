"""Criteria files say what NCI published, and one that does not is refused with its field."""

import csv
import re
from hashlib import sha256
from importlib.resources import files
from pathlib import Path

import pytest

from services.runtime.file_error import UntrustedFileError
from services.runtime.strict_yaml import read_yaml, read_yaml_file
from services.safety_rules.adapters.criteria_files import load_table
from services.safety_rules.adapters.criteria_rows import make_slug, read_criteria
from services.safety_rules.reports.criteria_document import write_document

ROOT = Path(__file__).parent.parent.parent
FOLDERS = {
    name: files("services.safety_rules") / "criteria" / name for name in ("ctcae-5.0", "ctcae-6.0")
}

# sha256 of the columns below as NCI publishes them, row by row: v5.0 of 27 November 2017, and v6.0
# with its errata of 20 January 2026
COLUMNS = [
    "meddra_code",
    "soc",
    "term",
    "grade1",
    "grade2",
    "grade3",
    "grade4",
    "grade5",
    "definition",
    "navigational_note",
]
PUBLISHED_DIGESTS = {
    "ctcae-5.0": (837, "1efdc57b692f3f5570bd3e029c39464ba2740413c997a33f20f0425e36447dc4"),
    "ctcae-6.0": (850, "da44c6389431b84281d9e79aacd7cc2cd9cbd799fe3e119f1888c65dda1eebd8"),
}


def load_terms(name):
    with (FOLDERS[name] / "terms.csv").open(encoding="utf-8", newline="") as table:
        return list(csv.DictReader(table))


def list_threshold_files(name):
    return sorted(
        f.name
        for f in FOLDERS[name].iterdir()
        if f.name.endswith(".yaml") and f.name != "assessed.yaml"
    )


FILES = [(name, file) for name in FOLDERS for file in list_threshold_files(name)]


@pytest.mark.parametrize("name", FOLDERS)
def test_every_published_term_is_kept_word_for_word(name):
    rows = load_terms(name)
    text = "\n".join("\t".join(row[column] for column in COLUMNS) for row in rows)
    assert (len(rows), sha256(text.encode()).hexdigest()) == PUBLISHED_DIGESTS[name]


@pytest.mark.parametrize(("name", "file"), FILES)
def test_the_wording_beside_each_threshold_is_the_published_one(name, file):
    criteria_file = read_yaml_file(FOLDERS[name] / file).value
    published_rows = {row["term"]: row for row in load_terms(name)}
    for term in criteria_file["terms"]:
        row = published_rows[term["term"]]
        says = {g: row[f"grade{g}"] for g in "12345" if row[f"grade{g}"] not in ("", "-")}
        assert term["says"] == says
        assert str(term["meddra"]) == row["meddra_code"]
        assert criteria_file["soc"] == row["soc"]
        assert term["id"] == f"{name}.{make_slug(row['term'])}"


@pytest.mark.parametrize("name", FOLDERS)
def test_the_lock_holds_the_hash_of_every_file(name):
    digests = {
        f.name: sha256(f.read_bytes()).hexdigest()
        for f in FOLDERS[name].iterdir()
        if f.name != "criteria.lock"
    }
    lines = (FOLDERS[name] / "criteria.lock").read_text("utf-8").splitlines()[1:]
    assert dict(reversed(line.split()) for line in lines) == digests


def copy_table(folder):
    """A writable copy of the whole of CTCAE v5."""
    for file in FOLDERS["ctcae-5.0"].iterdir():
        (folder / file.name).write_bytes(file.read_bytes())
    return folder


def update_lock(folder, file):
    """Let the lock agree with *file* again: as if its change had been signed."""
    lines = (folder / "criteria.lock").read_text().splitlines()
    digest = sha256((folder / file).read_bytes()).hexdigest()
    new_lines = [f"{digest} {file}" if line.endswith(f" {file}") else line for line in lines]
    (folder / "criteria.lock").write_text("\n".join(new_lines) + "\n")


def test_a_whole_copy_is_accepted_and_grades_the_same(tmp_path):
    copy = load_table("ctcae-5.0", copy_table(tmp_path))
    assert copy.criteria == load_table("ctcae-5.0").criteria


def test_a_threshold_that_changed_without_a_new_lock_is_refused(tmp_path):
    file = copy_table(tmp_path) / "investigations.yaml"
    file.write_text(file.read_text().replace('"> 3.0 x ULN"', '"> 4.0 x ULN"'))
    with pytest.raises(UntrustedFileError, match=r"investigations.yaml, sha256: criteria.lock"):
        load_table("ctcae-5.0", tmp_path)


def test_a_file_that_the_lock_does_not_know_is_refused(tmp_path):
    (copy_table(tmp_path) / "more.yaml").write_text("terms: []\n")
    with pytest.raises(UntrustedFileError, match=r"more.yaml, sha256: criteria.lock says nothing"):
        load_table("ctcae-5.0", tmp_path)


def test_a_file_that_is_gone_is_refused(tmp_path):
    (copy_table(tmp_path) / "investigations.yaml").unlink()
    with pytest.raises(UntrustedFileError, match=r"investigations.yaml, sha256: .* it is no file"):
        load_table("ctcae-5.0", tmp_path)


def test_wording_that_is_not_the_published_one_is_refused(tmp_path):
    name = "blood-and-lymphatic-system-disorders.yaml"
    file = copy_table(tmp_path) / name
    file.write_text(file.read_text().replace("100 - 80g/L", "100 - 80 g/L"))
    update_lock(tmp_path, name)
    with pytest.raises(UntrustedFileError) as refusal:
        load_table("ctcae-5.0", tmp_path)
    assert str(refusal.value) == (
        f"{file} line 10, terms.ctcae-5.0.anemia: the wording is not what was published"
    )


def test_two_files_may_not_hold_one_term(tmp_path):
    name = "investigations.yaml"
    text = (copy_table(tmp_path) / "blood-and-lymphatic-system-disorders.yaml").read_text()
    (tmp_path / name).write_text(text)
    update_lock(tmp_path, name)
    with pytest.raises(UntrustedFileError) as refusal:
        load_table("ctcae-5.0", tmp_path)
    first_fault = str(refusal.value).splitlines()[0]
    assert first_fault == (
        f"{tmp_path / name} line 10, terms.ctcae-5.0.anemia: is defined in an earlier file too"
    )


SOUND = """
table: CTCAE
version: "5.0"
soc: Investigations
source: CTCAE v5.0
terms:
  - id: ctcae-5.0.alanine-aminotransferase-increased
    term: Alanine aminotransferase increased
    meddra: 10001551
    direction: high
    says: {1: "a", 2: "b", 3: "c", 4: "d"}
    when:
      - measures: [alt]
        grades:
          1: {baseline normal: "> ULN", baseline abnormal: ">= 1.5 x baseline"}
          2: {baseline normal: "> 3.0 x ULN", baseline abnormal: "> 3.0 x baseline"}
          3: "> 5.0 x ULN"
  - id: ctcae-5.0.neutrophil-count-decreased
    term: Neutrophil count decreased
    meddra: 10029366
    direction: low
    says: {1: "a", 2: "b", 3: "c", 4: "d"}
    when:
      - measures: [neutrophils]
        grades:
          1: "< LLN"
          2: {10*9/L: "< 1.5", /mm3: "< 1500"}
          3: {10*9/L: "< 1.0", /mm3: "< 1000"}
          4: {10*9/L: "< 0.5", /mm3: "< 500"}
"""

ALT = "terms.ctcae-5.0.alanine-aminotransferase-increased"
ANC = "terms.ctcae-5.0.neutrophil-count-decreased"
TWO, THREE, FOUR = '{10*9/L: "< 1.5"', '{10*9/L: "< 1.0"', '{10*9/L: "< 0.5"'

# what was typed instead of what; the field that the message names, and how it says why
TYPOS = {
    "a key that nobody knows": (
        "    meddra: 10001551",
        "    medra: 10001551",
        f"{ALT}.medra",
        "there is no such key; did you mean 'meddra'?",
    ),
    "one key too many": ("source:", "colour: red\nsource:", "colour", "it is one of: table,"),
    "a key of a term too many": (
        "    direction: low",
        "    direction: low\n    note: x",
        f"{ANC}.note",
        "there is no such key",
    ),
    "the operator": (
        '1: "< LLN"',
        '1: "=< LLN"',
        f"{ANC}.when.1.grades.1",
        "not a threshold: '=< LLN'",
    ),
    "the operator left out": (
        '1: "< LLN"',
        '1: "LLN"',
        f"{ANC}.when.1.grades.1",
        "not a threshold: 'LLN'",
    ),
    "the limit": ('1: "< LLN"', '1: "< LNN"', f"{ANC}.when.1.grades.1", "not a threshold: '< LNN'"),
    "a decimal comma": ('"< 1.5"', '"< 1,5"', f"{ANC}.when.1.grades.2", "not a threshold: '< 1,5'"),
    "a number of nothing": (
        f'3: {THREE}, /mm3: "< 1000"}}',
        '3: "< 1.0"',
        f"{ANC}.when.1.grades.3",
        "a number needs its unit",
    ),
    "a multiple with a unit": (
        '1: "< LLN"',
        '1: {10*9/L: "< LLN"}',
        f"{ANC}.when.1.grades.1",
        "a multiple has none",
    ),
    "an unknown unit": (
        '{10*9/L: "< 1.5"',
        '{10*8/L: "< 1.5"',
        f"{ANC}.when.1.grades.2",
        "'10*8/L'",
    ),
    "one unit of two": (
        ', /mm3: "< 1000"',
        "",
        f"{ANC}.when.1.grades.3",
        "no threshold in /mm3",
    ),
    "a threshold of zero": ('"< 0.5"', '"< 0"', f"{ANC}.when.1.grades.4", "not a threshold"),
    "an arm without its counterpart": (
        ', baseline abnormal: ">= 1.5 x baseline"',
        "",
        f"{ALT}.when.1.grades.1",
        "without its counterpart",
    ),
    "a worse grade that is milder": (
        THREE,
        '{10*9/L: "< 2.0"',
        f"{ANC}.when.1.grades.3",
        "no harder to reach than grade 2",
    ),
    "a worse grade that is the same": (
        '"> 3.0 x ULN"',
        '"> ULN"',
        f"{ALT}.when.1.grades.2",
        "no harder to reach than grade 1",
    ),
    "the wrong way round": (
        '1: "< LLN"',
        '1: "> LLN"',
        f"{ANC}.when.1.grades.1",
        "direction low",
    ),
    "a grade twice": (
        f"4: {FOUR}",
        f"3: {FOUR}",
        f"{ANC}.when.1.grades.3",
        "is given twice: remove one",
    ),
    "a term in one file twice": (
        "    term: Neutrophil",
        "    term: Alanine aminotransferase increased\n    term: Neutrophil",
        f"{ANC}.term",
        "is given twice: remove one",
    ),
    "a grade that is not published": (
        'says: {1: "a", 2: "b", 3: "c", 4: "d"}\n    when:\n      - measures: [neutrophils]',
        'says: {1: "a", 2: "b", 3: "c"}\n    when:\n      - measures: [neutrophils]',
        f"{ANC}.when.1.grades.4",
        "does not publish",
    ),
    "a grade that does not exist": (
        f"4: {FOUR}",
        f"6: {FOUR}",
        f"{ANC}.when.1.grades.6",
        "'6' is no grade",
    ),
    "the id of another version": (
        "id: ctcae-5.0.neu",
        "id: ctcae-6.0.neu",
        "terms.ctcae-6.0.neutrophil-count-decreased.id",
        "is not ctcae-5.0.neutrophil-count-decreased",
    ),
    "the id of another term": (
        "id: ctcae-5.0.neutrophil-count",
        "id: ctcae-5.0.neutrofil-count",
        "terms.ctcae-5.0.neutrofil-count-decreased.id",
        "is not ctcae-5.0.neutrophil-count-decreased",
    ),
    "a file of another version": (
        'version: "5.0"',
        'version: "6.0"',
        "version",
        "CTCAE 6.0 in ctcae-5.0",
    ),
    "no measure": ("[neutrophils]", "[]", f"{ANC}.when.1.measures", "must list at least 1"),
    "a direction that is none": (
        "direction: low",
        "direction: down",
        f"{ANC}.direction",
        "'high' or 'low'",
    ),
    "no YAML": ("terms:", "terms: [", "", "is not YAML: "),
}


def test_the_file_that_the_typos_are_made_in_is_sound():
    assert [
        criterion.term for criterion in read_criteria(read_yaml(SOUND, "labs.yaml"), "ctcae-5.0")
    ] == [
        "Alanine aminotransferase increased",
        "Neutrophil count decreased",
    ]


@pytest.mark.parametrize(("right", "typo", "field", "why"), TYPOS.values(), ids=TYPOS)
def test_a_typo_is_refused_with_its_file_and_field(right, typo, field, why):
    assert right in SOUND
    with pytest.raises(UntrustedFileError) as refusal:
        read_criteria(read_yaml(SOUND.replace(right, typo, 1), "labs.yaml"), "ctcae-5.0")
    fault = refusal.value.faults[0]
    assert (fault.file, fault.field) == ("labs.yaml", field)
    assert fault.line > 1
    assert why in fault.problem


def test_two_terms_of_one_file_may_not_have_one_id():
    first = SOUND.index("  - id")
    second = SOUND.index("  - id", first + 1)
    with pytest.raises(UntrustedFileError) as refusal:
        read_criteria(read_yaml(SOUND + SOUND[first:second], "labs.yaml"), "ctcae-5.0")
    problem = "'ctcae-5.0.alanine-aminotransferase-increased' is defined twice"
    assert str(refusal.value) == f"labs.yaml line 30, {ALT}.id: {problem}"


# what makes a term a matter of numbers: a figure, a limit of normal, or the baseline
NUMBER = re.compile(r"\d|\b[UL]LN\b|\bURL\b|baseline|limit of normal", re.IGNORECASE)


@pytest.mark.parametrize("name", FOLDERS)
def test_every_term_with_a_number_is_graded_by_it_or_listed_with_a_reason(name):
    table = load_table(name)
    with_number = {
        make_slug(row["term"])
        for row in load_terms(name)
        if any(NUMBER.search(row[f"grade{grade}"]) for grade in range(1, 6))
    }
    graded_terms = {criterion.removeprefix(f"{name}.") for criterion in table.criteria}
    assert sorted(with_number - graded_terms - table.not_by_number.keys()) == []
    assert sorted((graded_terms | table.not_by_number.keys()) - with_number) == []
    assert all(len(why) > len("clinician's assessment: ") for why in table.not_by_number.values())


@pytest.mark.parametrize("name", FOLDERS)
def test_every_term_can_be_assessed_with_its_wording_and_code(name):
    published_terms, rows = load_table(name).terms, load_terms(name)
    assert len(published_terms) == len(rows)
    for row in rows:
        term = published_terms[make_slug(row["term"])]
        assert (term.term, term.meddra_code) == (row["term"], row["meddra_code"])
        assert term.says, term.term


def test_a_term_may_not_be_graded_by_a_number_and_listed_as_not(tmp_path):
    file = copy_table(tmp_path) / "assessed.yaml"
    file.write_text(file.read_text().replace("- Purpura", "- Anemia"))
    update_lock(tmp_path, "assessed.yaml")
    with pytest.raises(
        UntrustedFileError,
        match=r"assessed.yaml line \d+, assessed.\d+.terms.\d+: 'Anemia' is graded by a number",
    ):
        load_table("ctcae-5.0", tmp_path)


@pytest.mark.parametrize(
    ("right", "typo", "why"),
    [
        ("- Purpura", "- Porpura", "the table publishes no term 'Porpura'"),
        ("- Purpura", "- Alopecia", "'Alopecia' is given twice: remove one"),
        ('version: "5.0"', 'version: "6.0"', "CTCAE 6.0 in ctcae-5.0"),
        ("  - why: ", "  - because: ", ".because: there is no such key"),
        ("assessed:", "assessed: [", "is not YAML: "),
        ("functions:", "table: CTCAE\nfunctions:", "table: is given twice: remove one"),
    ],
)
def test_a_typo_in_the_list_of_the_assessed_is_refused(tmp_path, right, typo, why):
    file = copy_table(tmp_path) / "assessed.yaml"
    assert right in file.read_text()
    file.write_text(file.read_text().replace(right, typo, 1))
    update_lock(tmp_path, "assessed.yaml")
    with pytest.raises(UntrustedFileError) as refusal:
        load_table("ctcae-5.0", tmp_path)
    assert str(refusal.value).startswith(f"{file} line ")
    assert why in str(refusal.value)


def test_the_document_that_clinicians_sign_says_what_the_files_say():
    text = "\n".join(write_document(tuple(load_table(name) for name in FOLDERS))) + "\n"
    assert (ROOT / "docs" / "criteria.md").read_text("utf-8") == text, "run make criteria"
    for name in FOLDERS:
        _, of_version = text.split(f"\n# {name.upper().replace('-', ' v')}\n")
        missing = [row["term"] for row in load_terms(name) if row["term"] not in of_version]
        assert missing == []
