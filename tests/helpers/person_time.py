"""Rules of person-time for tests: one as a value, two as a protocol's file writes them."""

from dataclasses import replace
from pathlib import Path
from shutil import copytree

from services.vocabulary.protocol import Curve, PersonTimeBoundary, StopWhen, TimeStep
from tests.helpers.protocols import CRS

STUDY = Path("studies/blina-hsct")
CONSTANT = """
  - id: BLINA-HSCT.T1
    title: Non-relapse mortality in person-time
    why: The endpoint of the trial is NRM at six months.
    in_words: Death without relapse, first dose to transplant day 183.
    count: participants
    event: {any_of: [{fact: nrm}]}
    status: not_rejected
    if_a_grade_is_incomplete: lowest
    out_of: infused
    window: {from: first_infusion, to: {anchor: transplant, day: 183}}
    event_date: grade_reached
    competing: [relapse]
    pending: {policy: person_time, curve: uniform, source: One hazard for the whole window}
    looks: every_event
    stop_when:
      method: gamma-poisson
      p0: 0.15
      window_days: 100
      alpha: 0.10
      n: 46
      planned: 4245.65
      prior: [1.86897, 1150]
      boundary:
        - {events: 3, person_days: 104.828}
        - {events: 4, person_days: 514.194}
        - {events: 5, person_days: 941.031}
        - {events: 6, person_days: 1381.54}
        - {events: 7, person_days: 1833.14}
        - {events: 8, person_days: 2293.94}
        - {events: 9, person_days: 2762.57}
        - {events: 10, person_days: 3237.93}
        - {events: 11, person_days: 3719.19}
        - {events: 12, person_days: 4205.65}
        - {events: 13, person_days: 4245.65}
      source: a test
    warn_at: 0.20
    then: {recommend: review, tell: [safety_officer], acknowledge_within: 72h, otherwise: escalate}
    worked_examples:
      - {events: 3, person_days: 104.828, answer: stop}
      - {events: 3, person_days: 105, answer: continue}
    assumed: [stop_when.p0]
"""
CURVE = """
  - id: BLINA-HSCT.T2
    title: Non-relapse mortality against its expected risk
    why: The endpoint of the trial is NRM at six months.
    count: participants
    event: {any_of: [{fact: nrm}]}
    status: not_rejected
    if_a_grade_is_incomplete: lowest
    out_of: infused
    window: {from: first_infusion, to: {anchor: transplant, day: 183}}
    event_date: grade_reached
    competing: [relapse]
    pending:
      policy: person_time
      curve: {risk: [[30, 0.02], [100, 0.05], [183, 0.08]]}
      source: a test
    looks: every_event
    stop_when:
      method: poisson-maxsprt
      p0: 0.08
      window_days: 183
      alpha: 0.05
      n: 40
      planned: 3.2
      min_events: 2
      delayed_start: 0.1
      boundary:
        - {events: 2, expected_events: 0.194488}
        - {events: 3, expected_events: 0.503964}
        - {events: 4, expected_events: 0.903221}
        - {events: 5, expected_events: 1.36532}
        - {events: 6, expected_events: 1.87425}
        - {events: 7, expected_events: 2.4197}
        - {events: 8, expected_events: 2.99465}
        - {events: 9, expected_events: 3.2}
      source: a test
    warn_at: 0.20
    then: {recommend: review, tell: [safety_officer], acknowledge_within: 72h, otherwise: escalate}
    worked_examples:
      - {events: 2, expected_events: 0.19, answer: stop}
      - {events: 2, expected_events: 0.2, answer: continue}
      - {events: 2, expected_events: 0.09, answer: continue}
    watch_only: true
"""


def write_person_time_study(folder):
    """A copy of the trial's folder in *folder* whose protocol has the two rules above, too."""
    study = copytree(STUDY, folder / "study")
    file = study / "protocol.yaml"
    file.write_text(file.read_text() + CONSTANT + CURVE)
    return study


def time_rule(steps, planned, *, unit="person_days", curve=None, n=40, p0=0.05, **plan):
    """The CRS rule of `protocols` in person-time, with the table *steps* of (events, until)."""
    parameters = plan.pop("parameters", {})
    boundary = PersonTimeBoundary(
        unit=unit,
        window_days=plan.pop("window_days", 40.0),
        planned=planned,
        steps=tuple(TimeStep(*step) for step in steps),
        **plan,
    )
    return replace(
        CRS,
        policy="person_time",
        curve=curve or Curve("uniform"),
        stop_when=StopWhen("poisson-table", p0, 0.5, n, (), parameters, boundary),
    )
