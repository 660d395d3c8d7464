"""The bound of a Chen-Chaloner rule that binds: the calibrated one, or nu."""

from collections.abc import Sequence

import numpy as np

from services.safety_rules.domain.stopping.design import Design
from services.safety_rules.domain.stopping.families import Parameters, compute_statistics


def find_sizes_bound_by_nu(design: Design, parameters: Parameters) -> Sequence[int]:
    """Return the looks at which the bound on P(p > p0) would stop with fewer events than nu lets.

    At all others the calibrated bound binds. When it does everywhere, the boundary is that of
    beta-binomial: the next lower constant adds a count that nu lets stop, and exceeds alpha.

    Args:
        design: Of the family ``chen-chaloner``; it can stop.
        parameters: Those that it was made with.
    """
    looks, table = np.array(design.looks), design.table
    prior = {"prior": parameters["prior"]}
    with_nu = compute_statistics("chen-chaloner", design.n, design.p0, parameters)[looks, 1:]
    above_p0 = compute_statistics("beta-binomial", design.n, design.p0, prior)[looks, 1:]
    goes_on = np.arange(1, design.n + 1) < table[looks, None]
    highest = with_nu[goes_on].max(initial=-np.inf, where=np.isfinite(with_nu[goes_on]))
    fewest = (above_p0 <= highest).sum(axis=1) + 1
    return [int(x) for x in looks[fewest < table[looks]]]
