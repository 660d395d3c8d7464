"""The golden set (``tests/golden``): fixed trials and the outputs of the rules for them.

Facts are written as a person enters them, one to a line; all of one participant that are reported
at one instant are one message. ``python -m tests.helpers.golden_set`` writes the outputs anew.
"""

import json
import sys
from collections import defaultdict
from dataclasses import replace
from functools import cache
from hashlib import sha256
from pathlib import Path
from typing import get_args

from services.runtime import wire
from services.runtime.canonical_json import write_canonical
from services.safety_rules.adapters.rules_version import TABLES, criteria_meaning
from services.safety_rules.adapters.study_rules import load_rules
from services.safety_rules.application.decide_study import find_last_determination
from services.safety_rules.domain.endpoints.curves import estimate_curve
from services.safety_rules.domain.endpoints.definitions import ENDPOINTS
from services.safety_rules.domain.endpoints.follow_up import FollowUp
from services.safety_rules.domain.endpoints.gvhd_grades import (
    apply_decisions,
    list_acute_grades,
    list_chronic_grades,
)
from services.safety_rules.domain.facts.anchors import find_anchors
from services.safety_rules.domain.facts.current_facts import select_current_facts
from services.safety_rules.domain.facts.linked_groups import link_participants
from services.safety_rules.domain.participant.linked_participants import (
    LinkedParticipants,
)
from services.safety_rules.domain.participant.received_message import group_by_message
from services.safety_rules.domain.participant.record_history import RecordHistory
from services.safety_rules.domain.stopping.look_back import find_crossings, list_knowledge_changes
from services.safety_rules.domain.stopping.monitor import decide_rule
from services.safety_rules.domain.stopping.observation import observe_standings
from services.safety_rules.edition import EDITION
from services.store.observation_times import NOT_CLINICAL
from services.vocabulary.endpoint import EndpointClock
from services.vocabulary.fact import JournalEntry

FOLDER = Path(__file__).parent.parent / "golden"
LOCK = FOLDER / "lock"
PROTOCOLS = FOLDER / "protocols"
TRIALS = {  # folder: its protocol
    "laboratory-ctcae-5": "ctcae-5.yaml",
    "laboratory-ctcae-6": "ctcae-6.yaml",
    "bedside-ctcae-5": "ctcae-5.yaml",
    "bedside-ctcae-6": "ctcae-6.yaml",
    "corrections": "ctcae-5.yaml",
    "doses": "ctcae-5.yaml",
    "stopping": "methods.yaml",
}
_CLINICAL = ("subject", "observed_at", "body", "status", "series")
_HEADER = "# edition, trial, sha256 of what goes in, sha256 of what comes out; only ever added to\n"


@cache
def load_trial(name):
    """The rules and the facts of a trial."""
    rules = replace(load_rules(PROTOCOLS, TRIALS[name]).rules, version="golden")
    lines = (FOLDER / name / "facts.ndjson").read_text().splitlines()
    return rules, [_fact(f"{number:04d}", json.loads(line)) for number, line in enumerate(lines, 1)]


def outputs(rules, facts):
    """The text of each output file of a trial that is not empty, by its name."""
    study = rules.protocol.study
    journals = _journals(facts)
    histories = [
        _history(rules, group, [k for member in group for k in journals[member]])
        for group in link_participants([one for one in journals if one != study], facts)
    ]
    versions = [version for history in histories for version in history["versions"]]
    standing_rows = [row for history in histories for row in history["stood"]]
    current = [one for history in histories for one in history["latest"] if not one.retracted]
    texts = {
        "records.ndjson": _lines(sorted(_brief(one.content) for one in current)),
        "versions.txt": _lines(_version_line(one) for one in sorted(versions, key=_version_order)),
        "standings.txt": _lines(sorted(map(_standing_line, standing_rows))),
        "advice.txt": _lines(line for history in histories for line in history["advice"]),
        "queries.ndjson": _lines(
            sorted(_brief(query) for history in histories for query in history["queries"])
        ),
        "endpoints.ndjson": _lines(map(_brief, _curves(rules, journals))),
        **_decision_files(rules, facts, journals, standing_rows),
    }
    return {file: text for file, text in texts.items() if text}


def input_digest(name):
    """The sha256 of all that a trial is made from: facts, protocol, sites and criteria."""
    protocol = (PROTOCOLS / TRIALS[name]).read_bytes()
    table = "ctcae-6.0" if b"criteria: ctcae-6.0" in protocol else "ctcae-5.0"
    sites = (PROTOCOLS / "sites.yaml").read_bytes()
    parts = [(FOLDER / name / "facts.ndjson").read_bytes(), protocol, sites]
    parts.append(criteria_meaning(TABLES / table).encode())
    return sha256(b"|".join(sha256(part).digest() for part in parts)).hexdigest()


def output_digest(texts):
    """The sha256 of the outputs of a trial."""
    content = "".join(f"{name}\0{texts[name]}\0" for name in sorted(texts))
    return sha256(content.encode()).hexdigest()


def stored_outputs(name):
    """The output files of a trial as they are on disk, by their name."""
    files = [*(FOLDER / name).glob("*")]
    return {file.name: file.read_text() for file in files if file.name != "facts.ndjson"}


def read_lock():
    """The lines of the lock: edition, trial, digest of the inputs, digest of the outputs."""
    if not LOCK.exists():
        return []
    lines = [line for line in LOCK.read_text().splitlines() if not line.startswith("#")]
    return [(int(edition), *more) for edition, *more in map(str.split, lines)]


def lock_faults(lock, entries):
    """Yield a message for each of *entries* (trials as computed now) that *lock* contradicts."""
    lock_outputs = {line[:3]: line[3] for line in lock}
    for edition, name, inputs, output in entries:
        lock_output = lock_outputs.get((edition, name, inputs))
        if lock_output is not None and lock_output != output:
            yield (
                f"{name} comes out otherwise than edition {edition} made it from the same facts,"
                " protocol and criteria: if that is meant, raise EDITION in"
                " services/safety_rules/edition.py, say under Rule changes in CHANGELOG.md what"
                f" Edition {edition + 1} grades otherwise, and run `make golden`"
            )


def main():
    """Write the outputs of every trial and add to the lock; 1: the edition has to be raised."""
    lock, entries, outputs_by_trial = read_lock(), [], {}
    for name in TRIALS:
        outputs_by_trial[name] = outputs(*load_trial(name))
        entries.append((EDITION, name, input_digest(name), output_digest(outputs_by_trial[name])))
    faults = list(lock_faults(lock, entries))
    if faults:
        sys.stderr.write("".join(f"golden: {fault}\n" for fault in faults))
        return 1
    for name, texts in outputs_by_trial.items():
        for file in stored_outputs(name).keys() - texts.keys():
            (FOLDER / name / file).unlink()
        for file, text in texts.items():
            (FOLDER / name / file).write_text(text)
    new_entries = [entry for entry in entries if entry not in lock]
    lines = "".join(" ".join(map(str, entry)) + "\n" for entry in [*lock, *new_entries])
    LOCK.write_text(_HEADER + lines)
    return 0


def _fact(number, fields):
    content = {"reported_at": fields["observed_at"], **fields}
    clinical = json.dumps([fields.get(key) for key in _CLINICAL], sort_keys=True)
    digest = sha256(clinical.encode()).hexdigest()
    fact = wire.read_fact(json.dumps({"id": number, "digest": digest, **content}))
    if isinstance(fact, wire.Unreadable):
        raise TypeError(f"fact {number}: {fact}")
    return fact


def _journals(facts):
    journals = defaultdict(list)
    for fact in sorted(facts, key=lambda fact: (fact.reported_at, fact.id)):
        journal = journals[fact.subject]
        message = fact.reported_at.isoformat()
        journal.append(JournalEntry(len(journal) + 1, fact.reported_at, message, fact))
    return journals


def _history(rules, group, journal):
    """The recorded history of linked participants; time passes to a year after the last message."""
    history, latest_advice, advice = RecordHistory(LinkedParticipants(group, rules), rules), {}, []
    messages = group_by_message(journal)
    for message in messages:
        history.receive(message)
        advice += _advice_lines(history, message.received_at, latest_advice)
    last = messages[-1].received_at
    history.pass_time(last.replace(year=last.year + 1))
    advice += _advice_lines(history, last.replace(year=last.year + 1), latest_advice)
    versions, standing_rows = history.take_changes()
    latest = [one for member in group for one in history.list_latest_versions(member)]
    queries = history.list_queries()
    return {
        "versions": versions,
        "stood": standing_rows,
        "latest": latest,
        "queries": queries,
        "advice": advice,
    }


def _advice_lines(history, instant, latest_advice):
    """Yield a line for each recommendation that ends or begins at *instant*."""
    periods = history.take_changed_advice(instant)
    for member, advice in sorted((member, one.advice) for member, one in periods.items()):
        previous, latest_advice[member] = latest_advice.get(member, ()), advice
        yield from (
            f"{_instant(instant)} {member} - {one.kind} {one.rule} {_short_digest(one)}"
            for one in previous
            if one not in advice
        )
        yield from (
            f"{_instant(instant)} {member} + {one.kind} {one.rule} {_short_digest(one)}"
            f" {_advice_text(one)}"
            for one in advice
            if one not in previous
        )


def _advice_text(recommendation):
    because = [recommendation.because[0]] if recommendation.because else []
    words = [recommendation.says, *because, recommendation.may_be, *recommendation.missing]
    text = "; ".join(word for word in words if word)
    days = f"{recommendation.treatment_day}-{recommendation.over_on}"
    return f"level {recommendation.level} days {days} {text}"


def _decision_files(rules, facts, journals, standing_rows):
    """The decision of every rule at each change of a standing, and in full at the end."""
    protocol = rules.protocol
    known_at = {row.known_at for row in standing_rows}
    known_at |= {fact.reported_at for fact in facts if fact.body.kind == "determination"}
    lines, latest_lines = [], {}
    for instant in sorted(known_at):
        for rule in protocol.rules:
            line = _decision_line(_decision(rules, rule, facts, standing_rows, instant))
            if latest_lines.get(rule.id) != line:
                latest_lines[rule.id] = line
                lines.append(f"{_instant(instant)} {rule.id} {line}")
    upto = max(known_at)
    full = [_brief(_decision(rules, rule, facts, standing_rows, upto)) for rule in protocol.rules]
    observed = sorted(
        (one.received_at, subject, one.fact.observed_at)
        for subject, journal in journals.items()
        for one in journal
        if one.fact.body.kind not in NOT_CLINICAL
    )
    changes = list_knowledge_changes(
        [(row.known_at, row.standing) for row in standing_rows], observed
    )
    crossings = find_crossings(protocol.rules, changes, max(upto, changes[-1].known_at))
    crossing_lines = [
        f"{rule} crossed {_instant(one.crossed_at)} {_instant(one.ended_at)}"
        for rule, found in crossings.items()
        for one in found
    ]
    return {"decisions.txt": _lines([*lines, *crossing_lines]), "decisions.ndjson": _lines(full)}


def _curves(rules, journals):
    """The curve of every endpoint with each clock, where GVHD was staged and nobody is merged."""
    study, joining_kinds = rules.protocol.study, ("merge", "move")
    facts = [one.fact for who, journal in journals.items() if who != study for one in journal]
    kinds = {fact.body.kind for fact in facts}
    if kinds.intersection(joining_kinds) or "gvhd-stage" not in kinds:
        return
    upto = max(fact.reported_at for fact in facts)
    follow_ups = [
        _follow_up(who, rules, [one.fact for one in journal], upto)
        for who, journal in sorted(journals.items())
        if who != study
    ]
    infused_people = [one for one in follow_ups if one.anchors.first_infusion_at is not None]
    for clock in get_args(EndpointClock):
        for endpoint in ENDPOINTS:
            yield estimate_curve(
                endpoint, infused_people, clock, rules.protocol.endpoints.landmarks
            )


def _follow_up(subject, rules, facts, upto):
    stands = [fact for fact in select_current_facts(facts) if fact.observed_at <= upto]
    subject_anchors = find_anchors(stands, rules.protocol)
    stagings = list_acute_grades(stands, rules.protocol, rules.measures)
    visits = list_chronic_grades(stands, rules.protocol)
    last_contact = max(fact.observed_at for fact in stands if fact.body.kind not in NOT_CLINICAL)
    return FollowUp(
        subject,
        subject_anchors,
        min(one for one in (last_contact, upto, subject_anchors.withdrawn_at) if one),
        apply_decisions(stagings, ()),
        apply_decisions(visits, ()),
        tuple(one.instant for one in stagings),
        tuple(one.instant for one in visits),
    )


def _decision(rules, rule, facts, standing_rows, instant):
    known_facts = [fact for fact in facts if fact.reported_at <= instant]
    last_contacts = {}
    for fact in known_facts:
        if fact.body.kind not in NOT_CLINICAL:
            last_contacts[fact.subject] = max(
                fact.observed_at, last_contacts.get(fact.subject, fact.observed_at)
            )
    newest = {
        row.standing.participant: row.standing
        for row in standing_rows
        if row.known_at <= instant and row.standing.rule == rule.id
    }
    ordered_standings = [one for _, one in sorted(newest.items())]
    observed = observe_standings(ordered_standings, last_contacts, instant)
    return decide_rule(
        rules.protocol, rule, observed, instant, find_last_determination(known_facts, rule.id)
    )


def _decision_line(decision):
    counts = f"{decision.events}/{decision.ess:.6g} of {decision.evaluable}"
    other_counts = (
        f"confirmed {decision.confirmed} upper {decision.upper} boundary {decision.boundary}"
    )
    crossed_at = _instant(decision.crossed_since)
    odds = f"{decision.p_cross_p0:.6g} {decision.p_cross_posterior:.6g} {decision.predictive:.6g}"
    words = f"{decision.determination or '-'} {decision.silenced_at_events}"
    return f"{counts} {other_counts} {crossed_at} {odds} {words} {decision.signal}"


def _brief(value):
    """The canonical JSON of *value* without what is empty; chances to nine digits.

    The last digits of a chance differ between machines.
    """
    content = json.loads(
        write_canonical(value), parse_float=lambda text: float(f"{float(text):.9g}")
    )
    return json.dumps(
        _drop_empty(content), sort_keys=True, separators=(",", ":"), ensure_ascii=False
    )


def _drop_empty(value):
    if isinstance(value, dict):
        parts = {key: _drop_empty(part) for key, part in value.items()}
        return {key: part for key, part in parts.items() if part not in (None, "", [], {}, False)}
    return [_drop_empty(part) for part in value] if isinstance(value, list) else value


def _version_line(version):
    content = version.content
    words = [
        *(_instant(version.recorded_at), content.participant, content.criterion, version.id[:8]),
        *(
            f"v{version.version}",
            f"seq {version.seq}",
            f"worst {content.worst}",
            f"now {content.current}",
        ),
        *(str(content.state), _short_digest(version), version.cause),
    ]
    return " ".join(words + ([f"into {version.merged_into[:8]}"] if version.merged_into else []))


def _standing_line(row):
    standing = row.standing
    events = [_event_text(event) for event in (standing.event, standing.confirmed, standing.upper)]
    competing = standing.competing.what if standing.competing else "-"
    parts = [_instant(row.known_at), standing.participant, standing.rule, f"seq {row.seq}", *events]
    return " ".join([*parts, competing, _short_digest(standing)])


def _event_text(event):
    return f"{event.grade}@{_instant(event.at)}" if event else "-"


def _version_order(version):
    return (
        version.recorded_at,
        version.content.participant,
        version.content.criterion,
        version.id,
        version.version,
    )


def _instant(instant):
    return f"{instant:%Y-%m-%dT%H:%M}" if instant else "-"


def _short_digest(value):
    """The first twelve digits of the digest of *value*."""
    return sha256(_brief(value).encode()).hexdigest()[:12]


def _lines(texts):
    return "".join(f"{text}\n" for text in texts)


if __name__ == "__main__":
    sys.exit(main())
