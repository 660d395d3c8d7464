"""Names and docstrings of the source, as its syntax trees give them."""

import ast
import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).parents[2]
FOLDERS = ("benchmarks", "deploy", "migrations", "services", "tests")
SHORT = 3  # lines of a function that may use a bare word

PREPOSITIONS = """
    about above across after against ago ahead along amid among around as aside at away before
    behind below beneath beside besides between beyond by despite down during forward from
    here in inside into like near of off on onto out outside over past per round since than
    then there through throughout till to together toward towards under underneath until unto
    up upon via with within without
"""
PRONOUNS = """
    all another any anybody anyone anything both each either everybody everyone everything few
    he her hers him his i it its least less many me mine more most much my neither nobody none
    nothing one ones other others our ours own same she some somebody someone something such
    that their theirs them these they this those us we what whatever which whichever who
    whoever whom whose you your yours
"""
ADVERBS = "again almost already also anew apart else ever just never now once only still too yet"
ADJECTIVES = "new old whole"
IRREGULAR_PARTICIPLES = """
    become been begun borne bought broken brought built caught chosen come done drawn
    driven fallen fed felt found given gone grown had heard held hidden kept known laid led
    left lent lost made meant met paid said seen sent shown sold sought spent spoken stood
    stuck taken taught thought told understood undone won worn written
"""
REGULAR_PARTICIPLE = re.compile(r"[a-z]+(?:ed|ing)")
COMPOUND = re.compile(r"(?:[A-Z][a-z]+){2,}")  # PreparedGrading: a noun with another before it

# Words of the trade that look like a participle: nouns of the trial, of statistics, of streaming,
# and states that HL7, CTCAE or a protocol name so.
TRADE = """
    bed ceiling censored censoring competing confirmed confounding crossing dosing embed
    encoding engrafted enrolled evaluable expected fasting feed finding folding grading heading
    meaning merging missing need observed padding parked parsing pending planned provisional
    quarantined reading received recorded red rejected reported retracted rounding sampling
    sealed seed setting sibling signed speed spelling staging standing stopping string
    suspected thing timing treated warning wording
"""

_WORDS = frozenset(
    f"{PREPOSITIONS} {PRONOUNS} {ADVERBS} {ADJECTIVES} {IRREGULAR_PARTICIPLES}".split()
)
_TRADE = frozenset(TRADE.split())
_QUESTION = re.compile(
    r"(?:(?:return|say|tell|yield|show|print|decide|find|ask|know|see|count|list|learn|name)s?\s+)?"
    r"(?:what|who|whom|whose|which|when|where|whether|how|why)\b",
    re.IGNORECASE,
)


@dataclass(frozen=True, slots=True)
class Name:
    """A name that is assigned or passed, and where."""

    word: str
    file: str
    line: int
    kind: str

    @property
    def is_bare(self) -> bool:
        """A preposition, pronoun, adverb or participle, and nothing else."""
        word = self.word.strip("_")
        if self.word.startswith("__"):  # named by Python
            return False
        if COMPOUND.fullmatch(word):
            return False
        word = word.lower()
        return word in _WORDS or bool(REGULAR_PARTICIPLE.fullmatch(word) and word not in _TRADE)


def source_files() -> list[Path]:
    """Every Python file of the project."""
    return sorted(path for folder in FOLDERS for path in (ROOT / folder).rglob("*.py"))


def names_in(file: Path) -> Iterator[Name]:
    """Yield the names of *file*, but those of a comprehension or of a function of three lines."""
    tree = ast.parse(file.read_text("utf-8"))
    place = str(file.relative_to(ROOT))
    yield from _names(tree, place)


def _names(node: ast.AST, place: str) -> Iterator[Name]:
    for child in ast.iter_child_nodes(node):
        if isinstance(child, ast.Lambda):
            continue
        if isinstance(child, ast.comprehension):
            yield from _names(child.iter, place)
            continue
        yield from _name_of_node(child, place)
        if isinstance(child, ast.FunctionDef | ast.AsyncFunctionDef) and _is_short(child):
            continue
        yield from _names(child, place)


def _name_of_node(node: ast.AST, place: str) -> Iterator[Name]:
    if isinstance(node, ast.Name) and isinstance(node.ctx, ast.Store):
        yield Name(node.id, place, node.lineno, "variable")
    elif isinstance(node, ast.Attribute) and isinstance(node.ctx, ast.Store):
        yield Name(node.attr, place, node.lineno, "attribute")
    elif isinstance(node, ast.arg):
        yield Name(node.arg, place, node.lineno, "parameter")
    elif isinstance(node, ast.keyword) and node.arg:
        yield Name(node.arg, place, node.value.lineno, "keyword")
    elif isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
        yield Name(node.name, place, node.lineno, "function")
    elif isinstance(node, ast.ClassDef):
        yield Name(node.name, place, node.lineno, "class")


def _is_short(function: ast.FunctionDef | ast.AsyncFunctionDef) -> bool:
    body = function.body
    if len(body) > 1 and ast.get_docstring(function) is not None:
        body = body[1:]
    return (body[-1].end_lineno or 0) - body[0].lineno < SHORT


@dataclass(frozen=True, slots=True)
class FirstLine:
    """The first line of a docstring, and where."""

    text: str
    file: str
    line: int

    @property
    def is_question(self) -> bool:
        """An indirect question: it says that something is answered, and not what is there."""
        return bool(_QUESTION.match(self.text))


def first_lines_in(file: Path) -> Iterator[FirstLine]:
    """Yield the first line of every docstring of *file*."""
    documented_nodes = ast.Module | ast.ClassDef | ast.FunctionDef | ast.AsyncFunctionDef
    for node in ast.walk(ast.parse(file.read_text("utf-8"))):
        if isinstance(node, documented_nodes) and (text := ast.get_docstring(node)):
            line = getattr(node, "lineno", 1)
            yield FirstLine(text.splitlines()[0], str(file.relative_to(ROOT)), line)
