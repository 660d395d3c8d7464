"""A death that is taken back: the rows are what hospitals and people say."""

from itertools import permutations

import pytest

from services.safety_rules.domain.participant.fold import Fold
from services.vocabulary.clinical_fact import Death
from tests.helpers.fact_notes import fact, status
from tests.helpers.random_trials import RULES

# name: of each message the name, Y or N, the site (-: a person), the hour of report and the count;
# then the names that stand, and those of a query
TABLE = {
    "a death": (["a Y north 1 0"], "a", ""),
    "denied later": (["a Y north 1 0", "b N north 2 0"], "", ""),
    "denied before": (["a Y north 2 0", "b N north 1 0"], "a", ""),
    "never reported": (["b N north 1 0"], "", ""),
    "reported again": (["a Y north 1 0", "b N north 2 0", "c Y north 3 0"], "c", ""),
    "denied twice": (["a Y north 1 0", "b N north 2 0", "c N north 3 0"], "", ""),
    "two reports": (["a Y north 1 0", "b Y north 2 0", "c N north 3 0"], "", ""),
    "one of two reports": (["a Y north 1 0", "b Y north 3 0", "c N north 2 0"], "b", ""),
    "of one second, by the count": (["a Y north 1 1", "b N north 1 2"], "", ""),
    "of one second and one count": (["a Y north 1 1", "b N north 1 1"], "a", ""),
    "by another site": (["a Y north 1 0", "b N rhein 2 0"], "a", "a b"),
    "by another site before": (["a Y north 2 0", "b N rhein 1 0"], "a", ""),
    "by several other sites": (["a Y north 1 0", "b N rhein 2 0", "c N east 3 0"], "a", "a c"),
    "entered by a person": (["a Y - 1 0", "b N north 2 0"], "a", "a b"),
    "taken back by a person": (["a Y north 1 0", "b Y - 2 0", "c N - 3 0"], "", ""),
}


def read_row(row):
    name, flag, site, hour, count = row.split()
    return fact(
        Death(),
        int(hour) + 24,
        name=name,
        site="" if site == "-" else site,
        sequence=int(count),
        reported_hour=int(hour),
        status=status("F" if flag == "Y" else "D"),
    )


@pytest.mark.parametrize(("rows", "standing", "queried_names"), TABLE.values(), ids=TABLE)
def test_the_deaths_that_stand(rows, standing, queried_names):
    for order in permutations(map(read_row, rows)):
        fold = Fold("P-001", RULES)
        for report in order:
            fold.apply([report])
        deaths = {one.id: one for one in map(read_row, rows)}
        died_at = min((deaths[name].observed_at for name in standing.split()), default=None)
        assert fold.anchors.died_at == died_at
        queries = [query.facts for query in fold.list_queries() if "has not died" in query.problem]
        assert queries == ([tuple(queried_names.split())] if queried_names else [])
