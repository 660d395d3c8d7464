"""A small protocol for tests, with one rule of each kind."""

from datetime import timedelta
from decimal import Decimal

from services.vocabulary.protocol import (
    AlertPolicy,
    Bedside,
    BoundaryStep,
    Consequence,
    Curve,
    EventPattern,
    Inducer,
    LaboratoryCounting,
    Protocol,
    Rule,
    StopWhen,
    TermSet,
    Window,
    WindowEdge,
)

TO_DAY_100 = Window(WindowEdge("first_infusion"), WindowEdge("transplant", 100))


def rule(name, *patterns, competing=("death", "relapse", "second_transplant"), **fields):
    """A rule that counts *patterns* from the first infusion to transplant day 100."""
    settings = {
        "status": "not_rejected",
        "if_a_grade_is_incomplete": "lowest",
        "out_of": "infused",
        "window": TO_DAY_100,
        "event_date": "grade_reached",
        "policy": "onset_weighted",
        "curve": Curve("exponential", mean_days=5.0),
        "looks": (),
        "warn_at": 0.2,
        "worked_examples": (),
    }
    return Rule(
        id=f"TRIAL.{name}",
        title=name,
        why="a test",
        any_of=patterns,
        competing=competing,
        stop_when=StopWhen(
            "beta-binomial",
            0.05,
            0.05,
            40,
            (
                BoundaryStep(2, 2, 4),
                BoundaryStep(3, 5, 11),
                BoundaryStep(4, 12, 21),
                BoundaryStep(5, 22, 32),
                BoundaryStep(6, 33, 40),
            ),
            {"prior": (0.1, 1.9)},
        ),
        consequence=Consequence("pause_enrolment", ("dsmb",), timedelta(hours=24)),
        **(settings | fields),
    )


CRS = rule("CRS", EventPattern(scale="astct-2019.crs", grade_at_least=3))
AE = rule("AE", EventPattern(term_set="non-hematologic", grade_at_least=3))
NRM = rule("NRM", EventPattern(fact="nrm"), competing=("relapse",))

PROTOCOL = Protocol(
    study="TRIAL",
    version="1",
    title="A trial",
    criteria="ctcae-5.0",
    study_drug="blinatumomab",
    windows={
        "day-100": Window(WindowEdge("transplant"), WindowEdge("transplant", 100)),
        "course": Window(WindowEdge("each_course"), WindowEdge("each_course", 30)),
    },
    merge_gap=timedelta(days=14),
    inducers=(
        Inducer(drug="blinatumomab"),
        Inducer(graft_days=(0, 14), donors=("haploidentical",)),
    ),
    bedside=Bedside(
        fever_c=Decimal("38.0"),
        sbp_below=Decimal(90),
        sbp_drop=Decimal(40),
        vitals_stay=timedelta(hours=12),
        ice_stays=timedelta(hours=24),
        crs_free=timedelta(hours=24),
        reopens_within=timedelta(hours=48),
        antipyretic_masks=timedelta(hours=6),
        antipyretics=("acetaminophen", "ibuprofen", "metamizole"),
        steroids=("dexamethasone", "methylprednisolone", "prednisone"),
        anticytokines=("tocilizumab", "siltuximab", "anakinra"),
        vasopressors=("norepinephrine", "epinephrine", "phenylephrine", "dopamine"),
        vasopressors_not_counted=("vasopressin",),
        antibiotics=("meropenem", "cefepime"),
    ),
    term_sets={
        "non-hematologic": TermSet(
            without_socs=("Blood and lymphatic system disorders",),
            without_terms=("neutrophil-count-decreased", "platelet-count-decreased"),
        )
    },
    laboratory=LaboratoryCounting(timedelta(hours=72), ("hyperglycemia",)),
    alerts=AlertPolicy(
        3, ("safety_officer",), ("safety_officer", "dsmb"), timedelta(hours=24), ("chair",)
    ),
    rules=(CRS, AE, NRM),
    timezones={"north": "America/New_York", "rhein": "Europe/Berlin"},
)
