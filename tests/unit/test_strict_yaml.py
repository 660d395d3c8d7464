"""YAML that two readers may understand differently is refused, with its line and what to do."""

import pytest
import yaml

from services.runtime import strict_yaml
from services.runtime.file_error import UntrustedFileError
from services.runtime.strict_yaml import read_yaml, read_yaml_file

AMBIGUOUS = "is ambiguous: put it in quotes if it is text, or write true, false or a plain number"


@pytest.fixture(params=["the loader in C", "the loader in Python"], autouse=True)
def loader(request, monkeypatch):
    """Each test runs with both loaders of the library, which differ in nothing."""
    if request.param == "the loader in Python":
        monkeypatch.setattr(strict_yaml, "_Loader", yaml.SafeLoader)


GOOD = {  # text, its values
    "text": ("a: per day", {"a": "per day"}),
    "text in quotes": ("a: 'NO'\nb: \"010\"", {"a": "NO", "b": "010"}),
    "a block of text": ("a: |\n  two\n  lines\n", {"a": "two\nlines\n"}),
    "numbers": ("[0, -7, 40, 0.05, -1.5, 1.0e-06]", (0, -7, 40, 0.05, -1.5, 1e-06)),
    "truth and nothing": ("[true, False, null, ~]", (True, False, None, None)),
    "a date is text": ("2026-01-31", "2026-01-31"),
    "a quantity is text": ("8 ug/d", "8 ug/d"),
    "a duration is text": ("72h", "72h"),
    "a version of three parts is text": ("1.2.3", "1.2.3"),
    "a number is text as a key": ("{3: severe, 010: x}", {"3": "severe", "010": "x"}),
    "a word is text as a key": ("{NO: a, on: b, ~: c}", {"NO": "a", "on": "b", "~": "c"}),
    "nothing in it": ("{a: [], b: {}, c: ''}", {"a": (), "b": {}, "c": ""}),
    "one document with its marks": ("---\na: 1\n...\n", {"a": 1}),
}


@pytest.mark.parametrize(("text", "value"), GOOD.values(), ids=GOOD)
def test_plain_values_are_read(text, value):
    assert read_yaml(text, "a.yaml").value == value


BAD = {  # text; the faults
    "a key given twice": ("a: 1\nb: 2\na: 3", ["line 3, a: is given twice: remove one"]),
    "a key twice, once in quotes": ("3: x\n'3': y", ["line 2, 3: is given twice: remove one"]),
    "a key twice, deep down": (
        "terms:\n- id: T1\n  grades: {3: x,\n    3: y}",
        ["line 4, terms.T1.grades.3: is given twice: remove one"],
    ),
    "an anchor and its alias": (
        "a: &x 1\nb: *x",
        ["line 1, a: &x is an anchor: remove it", "line 2, b: *x is an alias: write the value out"],
    ),
    "a merge": ("a:\n  <<: {b: 1}", ["line 2, a: '<<' is no key: write the keys out"]),
    "a merge as a value": ("a: <<", [f"line 1, a: << {AMBIGUOUS}"]),
    "a tag": ("a: !!str 1", ["line 1, a: tag:yaml.org,2002:str is a tag: remove it"]),
    "a tag of ours": ("a:\n- !env {b: 1}", ["line 2, a.1: !env is a tag: remove it"]),
    "an object of Python": (
        "a: !!python/name:os.system x",
        ["line 1, a: tag:yaml.org,2002:python/name:os.system is a tag: remove it"],
    ),
    "a tagged key": (
        "!!str a: 1",
        ["line 1: a: remove the anchor or tag of this key"],
    ),
    "a second document": ("a: 1\n---\nb: 1", ["line 2: a second document begins here (---)"]),
    "a list as a key": ("a:\n  ? [b, [c]]\n  : 1", ["line 2, a: a key is text, not a list"]),
    "an empty key": ("a:\n  ? \n  : 1", ["line 2, a: '' is no key: write the keys out"]),
    "no value": ("a: 1\nb:\nc: 2", ["line 2, b: has no value: write one, or [], {} or"]),
    "an empty item": ("a:\n- \n- 1", ["line 2, a.1: has no value: write one, or [], {} or"]),
    "nothing at all": ("# later\n", [": is empty"]),
    "too deep": ("[" * 60 + "]" * 60, [f", {'.'.join('1' * 40)}: lies deeper than 40 levels"]),
    "a tab": ("a:\n\tb: 1", ["line 2: is not YAML: a tab stands where only blanks may: indent"]),
    "a tab behind blanks": ("a:\n  - é\n  \t- c", ["line 3: is not YAML: a tab stands where"]),
    "a list left open at the end": ("a: [-", ["not YAML: "]),
    "a bracket left open": ("a: [1, 2\nb: 3", ["line 2: is not YAML: "]),
    "what no text has": ("a: 1\nb: \x07", ["line 2: is not YAML: "]),
    "not UTF-8": (b"a: \xe4", [": is not UTF-8"]),
    "a long number": (f"a: {'1' * 5_000}", [f"line 1, a: {'1' * 80} {AMBIGUOUS}"]),
    "a long alias": (f"a: *{'x' * 5_000}", [f"line 1, a: *{'x' * 80} is an alias"]),
    "a long anchor": (f"a: &{'x' * 5_000} 1", [f"line 1, a: &{'x' * 80} is an anchor"]),
    "a long tag": (f"a: !{'x' * 900} 1", [f"line 1, a: !{'x' * 79} is a tag"]),
    "a long key": (f"? {'k' * 5_000}\n: yes", [f"line 2, {'k' * 160}...: yes {AMBIGUOUS}"]),
    "a long key with an anchor": (
        f"? &x {'k' * 5_000}\n: 1",
        [f"line 1: {'k' * 80}: remove the anchor or tag of this key"],
    ),
    "a key that moves the cursor": ('"k\\e[2J": yes', [r"line 1, k\x1b[2J: yes is ambiguous"]),
    "two faults": (
        "a: yes\nb: 1\nb: off",
        [f"line 1, a: yes {AMBIGUOUS}", "line 3, b: is given twice", f"line 3, b: off {AMBIGUOUS}"],
    ),
}


@pytest.mark.parametrize(("text", "problems"), BAD.values(), ids=BAD)
def test_a_file_is_refused_with_the_line_and_what_to_do(text, problems):
    with pytest.raises(UntrustedFileError) as refusal:
        read_yaml(text, "a.yaml")
    lines = str(refusal.value).splitlines()
    assert len(lines) == len(problems) == len(refusal.value.faults)
    for line, problem in zip(lines, problems, strict=True):
        assert line.startswith("a.yaml")
        assert problem in line


SHOWN_COUNTS = [  # faults, lines, the last line if some are left out
    (19, 19, []),
    (20, 20, []),
    (21, 21, ["a.yaml: and 1 more"]),
    (2_000, 21, ["a.yaml: and 1,980 more"]),
]


@pytest.mark.parametrize(("count", "shown_count", "rest"), SHOWN_COUNTS)
def test_the_first_twenty_faults_of_a_file_are_shown_and_the_others_are_counted(
    count, shown_count, rest
):
    with pytest.raises(UntrustedFileError) as refusal:
        read_yaml("a: &a 1\nb:\n" + "- *a\n" * (count - 1), "a.yaml")
    lines = str(refusal.value).splitlines()
    assert (len(refusal.value.faults), len(lines)) == (count, shown_count)
    assert [line for line in lines if "more" in line] == rest
    assert lines[1].startswith("a.yaml line 3, b.1: *a is an alias")


WORDS = """
yes Yes NO off On 010 0o17 0x1F 0b11 1_000 +5 12:30 1:30:00.5 1e3 1.5e3 5. .5 .inf -.INF .nan =
1234567890123456789 1.0e+999
"""


@pytest.mark.parametrize("word", WORDS.split())
def test_a_word_that_some_reader_takes_for_another_value_is_refused(word):
    with pytest.raises(UntrustedFileError, match="line 2, b: ") as refusal:
        read_yaml(f"a: 1\nb: {word}", "a.yaml")
    assert str(refusal.value) == f"a.yaml line 2, b: {word} {AMBIGUOUS}"
    assert read_yaml(f"a: 1\nb: '{word}'", "a.yaml").value == {"a": 1, "b": word}


def test_a_file_that_cannot_be_read_is_named(tmp_path):
    with pytest.raises(UntrustedFileError) as refusal:
        read_yaml_file(tmp_path / "none.yaml")
    assert (
        str(refusal.value) == f"{tmp_path / 'none.yaml'}: cannot be read: No such file or directory"
    )


PROBLEMS = [  # as it was found, as it is shown
    (f"'{'x' * 99}' is no zone", f"'{'x' * 99}... is no zone"),
    (f"{'x' * 100} is no zone", f"{'x' * 100} is no zone"),
    (f"{'x' * 2_000_000} is no zone", f"{'x' * 100}... is no zone"),
    ("x y " * 500, "x y " * 500),
    ("x y " * 500 + "z", "x y " * 500 + "..."),
    ("\x1b[2J is no zone", r"\x1b[2J is no zone"),
]


@pytest.mark.parametrize(("problem", "shown"), PROBLEMS)
def test_a_fault_found_later_is_one_line_of_limited_length(problem, shown):
    refusal = read_yaml("a: 1", "a.yaml").refusal([("a", problem)])
    assert str(refusal) == f"a.yaml line 1, a: {shown}"
    assert refusal.faults[0].problem == problem


def test_a_fault_found_later_has_the_line_of_its_field_or_of_what_it_lies_in():
    document = read_yaml("rules:\n- id: X.S1\n  n: 1\n- id: X.S2\n", "a.yaml")
    problems = [("rules.X.S1.n", "a"), ("rules.X.S2.n.low", "b"), ("alerts", "c"), ("", "d")]
    assert str(document.refusal(problems)).splitlines() == [
        "a.yaml line 1, alerts: c",
        "a.yaml line 1: d",
        "a.yaml line 3, rules.X.S1.n: a",
        "a.yaml line 4, rules.X.S2.n.low: b",
    ]
