"""Random facts of every kind about two participants: the same seed gives the same facts.

P-002 may be a second registration of P-001; a visit of the one may be moved to the other.
"""

from dataclasses import replace
from decimal import Decimal
from random import Random

from msgspec import structs

from services.runtime.drug_classes import load_drug_classes
from services.runtime.measures import load_measures
from services.safety_rules.domain.ctcae.rule_book import Rules
from services.vocabulary.clinical_fact import (
    Action,
    Administration,
    ChronicGvhd,
    Culture,
    Death,
    Enrolment,
    GvhdStage,
    Movement,
    Observation,
    Relapse,
    Transplant,
    Withdrawal,
)
from services.vocabulary.fact import ResultKey
from services.vocabulary.grade import Symptoms
from services.vocabulary.graft_fact import ChronicGvhdScores, GraftStatus, GvhdSigns
from services.vocabulary.identity_change import Merge, Move
from services.vocabulary.judgement import Adjudication, Assessment, Finding, Verdict
from services.vocabulary.quantity import Quantity
from tests.helpers.fact_notes import fact, hours, lab, status
from tests.helpers.lab_reading import TABLES
from tests.helpers.protocols import PROTOCOL

PEOPLE = ("P-001", "P-002")
RULES = Rules(
    PROTOCOL,
    TABLES["5"].compiled,
    TABLES["5"].terms,
    "rules-1",
    load_measures(),
    load_drug_classes(),
)
RULES_6 = Rules(
    replace(PROTOCOL, criteria="ctcae-6.0"),
    TABLES["6"].compiled,
    TABLES["6"].terms,
    "rules-6",
    load_measures(),
    load_drug_classes(),
)

# measure: unit, LLN, ULN, then values from normal to the worst grade
CHEMISTRY = {
    "alt": ("U/L", None, "40", "30 40 60 130 250 900"),
    "bilirubin": ("mg/dL", None, "1.0", "0.5 1.2 2.5 4.0 12"),
    "creatinine": ("mg/dL", "0.5", "1.2", "0.4 0.8 1.3 2.6 8.0"),
    "neutrophils": ("10*9/L", "1.8", "7.0", "3.0 1.2 0.7 0.3 <0.1"),
    "sodium": ("mmol/L", "135", "145", "140 132 127 122 1400"),
    "calcium": ("mg/dL", "8.5", "10.5", "9.0 8.0 7.2 6.4 5.0"),
    "albumin": ("g/dL", "3.5", "5.0", "5.0 4.0 3.0 2.0"),
    "glucose": ("mg/dL", "70", "140", "100 150 300 40"),
    "potassium": ("mmol/L", "3.5", "5.0", "4.0 3.2 3.2 2.7"),
    "inr": ("{INR}", None, "1.2", "1.0 1.4 2.0 2.6"),
    "lipase": ("U/L", None, "60", "30 70 100 200 400"),
}
SIGNS = {
    "temperature": ("Cel", "36.8 37.9 38.4 39.2 40.3"),
    "sbp": ("mm[Hg]", "120 100 85"),
    "spo2": ("%", "98 92 86"),
    "oxygen-flow": ("L/min", "2 4 10"),
}
DRUGS = (
    "insulin",
    "metformin",
    "potassium-chloride",
    "warfarin",
    "dexamethasone",
    "acetaminophen",
    "tocilizumab",
    "norepinephrine",
    "vasopressin",
)
CRITERIA = (
    "ctcae-5.0.alanine-aminotransferase-increased",
    "ctcae-5.0.neutrophil-count-decreased",
    "ctcae-5.0.hypocalcemia",
    "ctcae-5.0.nausea",
    "astct-2019.crs",
)


def trial(seed):
    """The facts of one trial, each with an id of its own, in no order."""
    chance = Random(seed)
    person = _Person(chance)
    facts = [*person.anchors(), *person.laboratory(), *person.bedside(), *person.judgements()]
    if chance.random() < 0.7:
        facts += person.merges()
    facts += _findings(Random(seed + 2000))
    facts += _movements(Random(seed + 3000))
    facts += _repeated_results(Random(seed + 4000))
    facts += _gvhd(Random(seed + 5000))
    facts = _with_visits(facts, Random(seed + 1000))
    return [structs.replace(one, id=f"{one.subject}-{n:03d}") for n, one in enumerate(facts)]


def _findings(chance):
    """Findings of clinicians near results whose grade depends on symptoms."""
    facts = []
    for _ in range(8):
        criterion = f"ctcae-5.0.{chance.choice(('hypokalemia', 'lipase-increased'))}"
        body = Finding(criterion, "nurse", chance.choice((None, *Symptoms)))
        subject = "P-001" if chance.random() < 0.7 else "P-002"
        facts.append(fact(body, chance.choice(range(-96, 24 * 24, 4)), subject=subject))
    return facts


def _gvhd(chance):
    """Signs, stages and severities of GVHD, of which some are taken back."""
    facts = []
    for number in range(6):
        hour = chance.choice(range(0, 24 * 24, 8))
        subject = "P-001" if chance.random() < 0.7 else "P-002"
        body = chance.choice(
            (
                GvhdSigns(
                    rash_percent=chance.choice((None, Decimal(0), Decimal(25), Decimal(60))),
                    upper_gi=chance.choice((None, "none", "persistent")),
                    stool_ml_per_day=chance.choice((None, Decimal(0), Decimal(700))),
                    other_cause=chance.choice(((), ("liver",))),
                ),
                GvhdStage(chance.choice((None, 0, 3)), chance.choice((None, 0, 2)), 0, 0),
                ChronicGvhd(chance.choice(("none", "mild", "severe"))),
                GraftStatus(chance.choice(("functioning", "failed")), "dr"),
                ChronicGvhdScores(skin=chance.choice((None, 0, 3)), fev1_percent=Decimal(90)),
            )
        )
        series = chance.choice(("", f"chart-{number}"))
        charted = fact(body, hour, subject=subject, series=series)
        facts.append(charted)
        if series and chance.random() < 0.3:
            facts.append(structs.replace(charted, status=status("D"), reported_at=hours(hour + 9)))
    return facts


def _movements(chance):
    """Moves to intensive care and back, cancels and updates, as a feed sends them."""
    facts = []
    for _ in range(6):
        event, *destinations = chance.choice((("ward", "icu", "ward"), ("update", "icu")))
        body = Movement(chance.choice(destinations), event == "update" or chance.random() < 0.4)
        hour = chance.choice(range(-96, 24 * 24, 4))
        facts.append(
            fact(
                body,
                hour,
                reported_hour=hour + chance.choice((0, 1, 100)),
                subject="P-001" if chance.random() < 0.7 else "P-002",
                series=f"LAB|NORTH|movement|{event}|",
            )
        )
    return facts


def _repeated_results(chance):
    """Results of one order under one or two codes, several in a message, and reports of them."""
    facts = []
    for order in range(6):
        measure = chance.choice(("neutrophils", "alt", "creatinine"))
        subject = "P-001" if chance.random() < 0.7 else "P-002"
        hour = chance.choice(range(-96, 24 * 24, 4))
        for number in range(chance.choice((1, 2, 2, 3))):
            facts += _message_of_results(
                chance, measure, hour, number, subject=subject, order=order
            )
    return facts


def _message_of_results(chance, measure, hour, late, *, subject, order):
    """The results of one message, *late* hours after the first: values, corrections, deletions."""
    unit, lln, uln, values = CHEMISTRY[measure]
    facts = []
    for number in chance.sample("123", chance.choice((1, 2, 2))):
        letter = chance.choice("FFFVP" if late == 0 else "FFVCCDWXU")
        is_hour_away = late > 0 and chance.random() < 0.2  # the clocks changed between two reports
        code = chance.choice(("", "AUTO", "AUTO", "AUTO", "MANUAL"))
        local_time = f"{hours(hour):%Y%m%d%H%M%S}" if code else ""
        key = ResultKey(code, number, local_time, f"message-{late}") if code else None
        body_value = None if letter in "UX" else chance.choice(values.split())
        facts.append(
            lab(
                measure,
                body_value,
                hour + is_hour_away,
                unit,
                lln=lln,
                uln=uln,
                status=status(letter),
                series=f"repeated-{order}-{measure}",
                reported_hour=hour + 2 + late,
                subject=subject,
                result_key=key,
            )
        )
    return facts


def _with_visits(facts, chance):
    """The same facts, most of them with a visit; some visits may be moved."""
    visit_facts = [
        structs.replace(
            one, site=chance.choice(("north", "")), visit=chance.choice(("V1", "V2", "V2", ""))
        )
        for one in facts
    ]
    moves = [(("V2", "", False),), (("V2", "V3", False), ("V3", "", False)), (("", "", False),)]
    moves += [
        (("V2", "", False), ("V2", "", True)),
        (("V1", "", False), ("V2", "", True)),
        *[()] * 2,
    ]
    for number, (visit, new_visit, is_reversal) in enumerate(chance.choice(moves)):
        source, target = chance.sample(PEOPLE, 2)
        body = Move(source, target, visit, new_visit, is_reversal)
        visit_facts += [fact(body, 310 + 10 * number, subject=subject) for subject in PEOPLE]
    return visit_facts


class _Person:
    def __init__(self, chance):
        self.chance = chance

    def pick_subject(self):
        return "P-001" if self.chance.random() < 0.7 else "P-002"

    def hour(self):
        """Four days before the first infusion to twenty-four after, on a coarse grid."""
        return self.chance.choice(range(-96, 24 * 24, 4))

    def fact(self, body, time, **fields):
        return fact(
            body, time, subject=fields.pop("subject", None) or self.pick_subject(), **fields
        )

    def anchors(self):
        chance = self.chance
        bodies = [
            (Enrolment("north"), -80 * 24),
            (Transplant("haploidentical"), -70 * 24),
            (Administration("blinatumomab", Action.START), chance.choice((-4, 0, 0))),
            (Administration("blinatumomab", Action.STOP), 240),
            (Administration("blinatumomab", Action.START), 264),
        ]
        if chance.random() < 0.3:
            cause = chance.choice(("", *CRITERIA))
            bodies.append((Death(cause), 500 + chance.randrange(60)))
        if chance.random() < 0.3:
            bodies.append((Relapse(), self.hour()))
        if chance.random() < 0.2:
            bodies.append((Withdrawal(), 400))
        return [self.fact(body, at, subject="P-001") for body, at in bodies]

    def laboratory(self):
        facts = []
        for number in range(30):
            measure = self.chance.choice(list(CHEMISTRY))
            facts += self.result(measure, f"order-{number}", self.hour())
        for number, measure in enumerate(("calcium", "albumin", "creatinine"), 30):
            facts += self.result(measure, f"order-{number}", self.chance.choice(range(-12, 12, 4)))
        return facts

    def result(self, measure, order, hour):
        """One result with its later corrections and deletions."""
        unit, lln, uln, values = CHEMISTRY[measure]
        chance, subject = self.chance, self.pick_subject()
        letters = chance.choice(
            ("F", "F", "P", "PF", "FC", "PFC", "FD", "FW", "PU", "FX", "FCD", "FF")
        )
        facts = []
        for late, letter in enumerate(letters):
            value = None if letter in "UX" else chance.choice(values.split())
            shift = 4 if letter == "C" and chance.random() < 0.2 else 0  # a corrected time
            facts.append(
                lab(
                    measure,
                    value,
                    hour + shift,
                    unit,
                    lln=lln if chance.random() < 0.9 else None,
                    uln=uln if chance.random() < 0.9 else None,
                    status=status(letter),
                    series=f"{order}-{measure}",
                    reported_hour=hour + shift + chance.choice((1, 2, 2, 30)) + late,
                    subject=subject,
                )
            )
        return facts

    def bedside(self):
        chance, facts = self.chance, []
        for _ in range(24):
            measure = chance.choice(list(SIGNS))
            unit, values = SIGNS[measure]
            body = Observation(measure, Quantity(Decimal(chance.choice(values.split())), unit))
            facts.append(self.fact(body, chance.choice(range(-8, 160, 4))))
        for _ in range(6):
            device = Observation("oxygen-device", text=chance.choice(("room-air", "nasal-cannula")))
            facts.append(self.fact(device, chance.choice(range(0, 160, 4))))
            action = chance.choice((Action.DOSE, Action.START, Action.STOP))
            drug = Administration(chance.choice(DRUGS), action, scheduled=chance.random() < 0.3)
            facts.append(self.fact(drug, chance.choice(range(-4, 160, 4))))
        facts.append(self.fact(Culture(chance.random() < 0.5), chance.choice(range(0, 100, 4))))
        facts.append(self.fact(Movement("icu"), self.hour()))
        return facts

    def judgements(self):
        """Verdicts of adjudicators and assessments of clinicians."""
        chance, facts = self.chance, []
        for _ in range(4):
            hour, verdict = self.hour(), chance.choice(list(Verdict))
            body = Adjudication(
                chance.choice(CRITERIA),
                verdict,
                by="adjudicator",
                reason="seen",
                signed_at=hours(600 + chance.randrange(40)),
                grade=chance.choice((1, 2, 3, 4)) if verdict is Verdict.REGRADE else None,
                cause="study drug" if verdict is Verdict.ATTRIBUTE else "",
            )
            facts.append(self.fact(body, hour, reported_hour=620))
            term = chance.choice(("ctcae-5.0.nausea", "ctcae-5.0.hypokalemia"))
            assessment = Assessment(term, chance.choice((0, 1, 2, 3)), "investigator")
            facts.append(self.fact(assessment, self.hour()))
        return facts

    def merges(self):
        """The registrations are merged and perhaps parted again; each fact is in both journals."""
        facts = []
        for number, is_reversal in enumerate(self.chance.choice(((False,), (False, True)))):
            for subject in PEOPLE:
                body = Merge("P-002", "P-001", is_reversal)
                facts.append(self.fact(body, 300 + 10 * number, subject=subject))
        return facts


def shuffle_messages(facts, chance):
    """The same facts as they may arrive: shuffled, some twice, in messages of any size.

    A message is about one subject: ``(subject, facts)``.
    """
    order = [*facts, *chance.sample(facts, len(facts) // 4)]
    chance.shuffle(order)
    messages = []
    for fact_of_order in order:
        joins = messages and messages[-1][0] == fact_of_order.subject and chance.random() < 0.5
        if joins:
            messages[-1][1].append(fact_of_order)
        else:
            messages.append((fact_of_order.subject, [fact_of_order]))
    return messages
