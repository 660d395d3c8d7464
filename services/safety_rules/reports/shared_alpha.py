"""One error for all rules of a protocol: how much of it each may have."""

from collections.abc import Sequence
from dataclasses import dataclass

from services.safety_rules.domain.stopping.design import Design, NeverStopsError
from services.safety_rules.domain.stopping.familywise_error import simulate_familywise_error
from services.safety_rules.reports.redesigned_rule import redesign_rule
from services.vocabulary.protocol import Rule
from services.vocabulary.spelled_numbers import spell_number

_HALVINGS = 12


@dataclass(frozen=True, slots=True)
class SharedAlpha:
    """Rules whose nominal errors are all cut by one factor, so that together they err as asked.

    Args:
        target: Chance that any rule stops a trial that is safe under every one of them.
        correlation: Of the events of one participant, from 0 to 1.
        factor: Of every nominal error; 1: they need not be cut.
        designs: Each rule's, by id, calibrated anew.
        familywise_error: The chance with these designs, by simulation; at most *target*.
        standard_error: Of it.
        nominal_familywise_error: The chance with the nominal errors as they are.
    """

    target: float
    correlation: float
    factor: float
    designs: tuple[tuple[str, Design], ...]
    familywise_error: float
    standard_error: float
    nominal_familywise_error: float


def share_alpha(rules: Sequence[Rule], target: float, correlation: float) -> SharedAlpha:
    """Return the rules of a protocol with nominal errors that keep *target* together.

    Every participant is followed to the end of each window. The same trials are simulated for each
    factor, so that the chance falls with it.

    Args:
        rules: That may stop a trial: not those that only watch.
        target: Inside (0, 1).
        correlation: Of the events of one participant, from 0 to 1.

    Raises:
        ValueError: An argument is out of range, a rule has no family, or at so small an error some
            rule could never stop; the message names it.
    """
    if not 0 < target < 1:
        raise ValueError(f"share-alpha must be above 0 and below 1, not {spell_number(target)}")
    if not 0 <= correlation <= 1:
        raise ValueError(f"correlation must be from 0 to 1, not {spell_number(correlation)}")
    if not rules:
        raise ValueError("no rule of the protocol may stop the trial: there is no error to share")

    def simulate(designs: Sequence[Design]) -> tuple[float, float]:
        error = simulate_familywise_error(designs, (correlation,))
        return error.chances[0][1], error.error

    designs = _redesign(rules, 1.0)
    nominal_error, _ = simulate(designs)
    factor = 1.0 if nominal_error <= target else 0.0
    low, high = factor, 1.0
    for _ in range(_HALVINGS if low < high else 0):
        middle = (low + high) / 2
        trial_designs = _redesign_where_possible(rules, middle)
        if trial_designs is None:
            low = middle
        elif simulate(trial_designs)[0] <= target:
            low, factor, designs = middle, middle, trial_designs
        else:
            high = middle
    if not factor:
        raise ValueError(
            f"share-alpha is {target:g}, and at an error so small some rule could never stop"
        )
    familywise_error, standard_error = simulate(designs)
    return SharedAlpha(
        target,
        correlation,
        factor,
        tuple((rule.id, design) for rule, design in zip(rules, designs, strict=True)),
        familywise_error,
        standard_error,
        nominal_error,
    )


def _redesign_where_possible(rules: Sequence[Rule], factor: float) -> list[Design] | None:
    """Return `_redesign`; None: at errors so small some rule could never stop."""
    try:
        return _redesign(rules, factor)
    except NeverStopsError:
        return None


def _redesign(rules: Sequence[Rule], factor: float) -> list[Design]:
    """Return each rule calibrated anew with its nominal error cut by *factor*."""
    return [redesign_rule(rule, rule.stop_when.alpha * factor) for rule in rules]
