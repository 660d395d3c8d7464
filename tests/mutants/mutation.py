"""Mutations: small faults put into the code of the domain; for each, some test should fail."""

import ast
import difflib
from collections import defaultdict
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from functools import cached_property
from operator import itemgetter
from pathlib import Path
from random import Random

import parso.python.tree as syntax  # before cosmic_ray, which is else imported in a circle
from cosmic_ray.ast import ast_nodes, get_ast
from cosmic_ray.mutating import mutate_code
from cosmic_ray.operators.operator import Operator
from cosmic_ray.operators.provider import OperatorProvider

DOMAIN = Path("services/safety_rules/domain")

# One replacement for each operator: a second one fails on the same rows as the first.
_NAMES = """
    ReplaceAndWithOr ReplaceOrWithAnd AddNot ReplaceUnaryOperator_Delete_Not
    ReplaceTrueWithFalse ReplaceFalseWithTrue NumberReplacer ReplaceUnaryOperator_Delete_USub
    ReplaceBreakWithContinue ReplaceContinueWithBreak ZeroIterationForLoop ExceptionReplacer
    ReplaceBinaryOperator_Add_Sub ReplaceBinaryOperator_Sub_Add
    ReplaceBinaryOperator_Mul_Div ReplaceBinaryOperator_Div_Mul
    ReplaceBinaryOperator_FloorDiv_Mul ReplaceBinaryOperator_Mod_Mul ReplaceBinaryOperator_Pow_Mul
    ReplaceBinaryOperator_BitOr_BitAnd ReplaceBinaryOperator_BitAnd_BitOr
    ReplaceBinaryOperator_BitXor_BitOr
    ReplaceComparisonOperator_Lt_LtE ReplaceComparisonOperator_LtE_Lt
    ReplaceComparisonOperator_Gt_GtE ReplaceComparisonOperator_GtE_Gt
    ReplaceComparisonOperator_Eq_NotEq ReplaceComparisonOperator_NotEq_Eq
    ReplaceComparisonOperator_Is_IsNot ReplaceComparisonOperator_IsNot_Is
"""


class ReplaceReturnWithNone(Operator):
    """A function returns None instead of its value; cosmic-ray has no such operator.

    Not instead of False, which no caller tells from None; another operator makes it True.
    """

    def mutation_positions(self, node):
        """Yield the position of *node* if it returns a value other than False."""
        is_return = isinstance(node, syntax.ReturnStmt)
        if is_return and node.children[1].get_code().strip() not in ("None", "False"):
            yield node.start_pos, node.end_pos

    def mutate(self, node, _index):
        """Return *node* with None for its value."""
        node.children[1] = syntax.Keyword("None", node.children[1].start_pos, prefix=" ")
        return node

    @classmethod
    def examples(cls):
        """Return nothing: the tests of this module are the examples."""
        return ()


OPERATORS = [*(OperatorProvider()[name] for name in _NAMES.split()), ReplaceReturnWithNone]


@dataclass(frozen=True)
class Mutation:
    """A change of a file and its *text*, by *operator* at its *occurrence* there, from 0 on."""

    file: Path
    text: str = field(repr=False)
    line: int
    operator: type[Operator]
    occurrence: int

    @cached_property
    def mutated_text(self) -> str:
        """The text of the file with the fault."""
        return mutate_code(self.text, self.operator(), self.occurrence)

    @cached_property
    def changed_lines(self) -> tuple[str, str]:
        """The lines that differ: the original and the mutated one."""
        lines = difflib.ndiff(self.text.splitlines(), self.mutated_text.splitlines())
        differences = [line for line in lines if line[0] in "-+"]
        return tuple(
            " ".join(line[1:].strip() for line in differences if line[0] == sign) for sign in "-+"
        )

    @cached_property
    def function(self) -> str:
        """The name of the innermost function or class, after those around it; empty in none."""
        scopes = (ast.FunctionDef, ast.AsyncFunctionDef, ast.ClassDef)
        return ".".join(node.name for node in self._nodes_around() if isinstance(node, scopes))

    @cached_property
    def statement_lines(self) -> range:
        """The lines of the innermost statement; of one with a body, those before its body."""
        for node in reversed(self._nodes_around()):
            body = getattr(node, "body", None)
            end = body[0].lineno if body else node.end_lineno + 1
            if self.line < end:
                return range(node.lineno, end)
        return range(self.line, self.line + 1)

    def _nodes_around(self):
        """The statements that hold the line, from the outermost to the innermost."""
        nodes = ast.walk(ast.parse(self.text))
        statements = (node for node in nodes if isinstance(node, ast.stmt))
        return [node for node in statements if node.lineno <= self.line <= node.end_lineno]


def list_mutations(files: Iterable[Path]) -> list[Mutation]:
    """Return every mutation of *files*, in their order.

    None in annotations and decorators, of the mark of keyword-only parameters, and of ``strict`` in
    `zip`: they say what is never otherwise.
    """
    return [mutation for file in files for mutation in _mutations_in(file)]


def sample_by_room(mutations: Iterable[Mutation], count: int, seed: int) -> list[Mutation]:
    """Return *count* of *mutations* at random, of each room of the domain the same share."""
    rooms = defaultdict(list)
    for mutation in mutations:
        rooms[mutation.file.relative_to(DOMAIN).parts[0]].append(mutation)
    random, ranks = Random(seed), []
    for room in rooms.values():
        random.shuffle(room)
        ranks += [((rank + random.random()) / len(room), m) for rank, m in enumerate(room)]
    return [mutation for _, mutation in sorted(ranks, key=itemgetter(0))[:count]]


def _mutations_in(file: Path) -> Iterator[Mutation]:
    text = file.read_text()
    nodes = [node for node in ast_nodes(get_ast(text)) if not _marks_keyword_only(node)]
    left_alone = _places_left_alone(text)
    for operator in OPERATORS:
        starts = (start for node in nodes for start, _ in operator().mutation_positions(node))
        for occurrence, place in enumerate(starts):
            if not any(start <= place < end for start, end in left_alone):
                yield Mutation(file, text, place[0], operator, occurrence)


def _marks_keyword_only(node):
    return getattr(node, "value", "") == "*" and node.parent.type == "parameters"


def _places_left_alone(source: str) -> list[tuple[tuple[int, int], tuple[int, int]]]:
    """The start and end of what is not mutated, as line and column."""
    nodes = list(ast.walk(ast.parse(source)))
    parts = [getattr(node, name, None) for node in nodes for name in ("annotation", "returns")]
    parts += [part for node in nodes for part in getattr(node, "decorator_list", ())]
    calls = [node for node in nodes if isinstance(node, ast.Call)]
    zips = [call for call in calls if isinstance(call.func, ast.Name) and call.func.id == "zip"]
    parts += [one.value for call in zips for one in call.keywords if one.arg == "strict"]
    return [
        ((part.lineno, part.col_offset), (part.end_lineno, part.end_col_offset))
        for part in parts
        if part
    ]
