"""Fixed trials, and all that the rules make of them: ``tests/golden``.

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
from services.safety_rules.adapters.rules_version import TABLES, criteria_meaning
from services.safety_rules.adapters.study_rules import load_rules
from services.safety_rules.application.recompute import last_answer
from services.safety_rules.domain.endpoints.curves import estimate_curve
from services.safety_rules.domain.endpoints.definitions import ENDPOINTS
from services.safety_rules.domain.endpoints.follow_up import FollowUp
from services.safety_rules.domain.facts.anchors import find_anchors
from services.safety_rules.domain.facts.current_facts import select_standing_facts
from services.safety_rules.domain.participant.linked_participants import (
    LinkedParticipants,
    link_participants,
)
from services.safety_rules.domain.participant.record_history import RecordHistory, group_by_message
from services.safety_rules.domain.stopping.look_back import find_crossings, list_knowledge_changes
from services.safety_rules.domain.stopping.monitor import decide_rule
from services.safety_rules.edition import EDITION
from services.store.journal import NOT_CLINICAL
from services.vocabulary.endpoint import EndpointClock
from services.vocabulary.fact import JournalEntry
from services.vocabulary.standing import ObservedStanding

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
    stood = [row for history in histories for row in history["stood"]]
    current = [one for history in histories for one in history["latest"] if not one.retracted]
    texts = {
        "records.ndjson": _lines(sorted(_brief(one.content) for one in current)),
        "versions.txt": _lines(_version_line(one) for one in sorted(versions, key=_by_knowledge)),
        "standings.txt": _lines(sorted(map(_standing_line, stood))),
        "advice.txt": _lines(line for history in histories for line in history["advice"]),
        "queries.ndjson": _lines(
            sorted(_brief(query) for history in histories for query in history["queries"])
        ),
        "endpoints.ndjson": _lines(map(_brief, _curves(rules, journals))),
        **_decisions(rules, facts, journals, stood),
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
    named = "".join(f"{name}\0{texts[name]}\0" for name in sorted(texts))
    return sha256(named.encode()).hexdigest()


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
    """What is wrong with *entries* (the trials as they come out now) beside *lock*."""
    known = {line[:3]: line[3] for line in lock}
    for edition, name, inputs, output in entries:
        locked = known.get((edition, name, inputs))
        if locked is not None and locked != output:
            yield (
                f"{name} comes out otherwise than edition {edition} made it from the same facts,"
                " protocol and criteria: if that is meant, raise EDITION in"
                " services/safety_rules/edition.py, say under Rule changes in CHANGELOG.md what"
                f" Edition {edition + 1} grades otherwise, and run `make golden`"
            )


def main():
    """Write the outputs of every trial and add to the lock; 1: the edition has to be raised."""
    lock, entries, made = read_lock(), [], {}
    for name in TRIALS:
        made[name] = outputs(*load_trial(name))
        entries.append((EDITION, name, input_digest(name), output_digest(made[name])))
    faults = list(lock_faults(lock, entries))
    if faults:
        sys.stderr.write("".join(f"golden: {fault}\n" for fault in faults))
        return 1
    for name, texts in made.items():
        for file in stored_outputs(name).keys() - texts.keys():
            (FOLDER / name / file).unlink()
        for file, text in texts.items():
            (FOLDER / name / file).write_text(text)
    added = [entry for entry in entries if entry not in lock]
    lines = "".join(" ".join(map(str, entry)) + "\n" for entry in [*lock, *added])
    LOCK.write_text(_HEADER + lines)
    return 0


def _fact(number, given):
    filled = {"reported_at": given["observed_at"], **given}
    clinical = json.dumps([given.get(key) for key in _CLINICAL], sort_keys=True)
    digest = sha256(clinical.encode()).hexdigest()
    fact = wire.read_fact(json.dumps({"id": number, "digest": digest, **filled}))
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


def _history(rules, group, journaled):
    """What is recorded of one family, message by message; time is told until a year later."""
    history, told, advice = RecordHistory(LinkedParticipants(group, rules), rules), {}, []
    messages = group_by_message(journaled)
    for message in messages:
        history.receive(message)
        advice += _advice_lines(history, message.received_at, told)
    last = messages[-1].received_at
    history.pass_time(last.replace(year=last.year + 1))
    advice += _advice_lines(history, last.replace(year=last.year + 1), told)
    versions, stood = history.take_changes()
    latest = [one for member in group for one in history.list_latest_versions(member)]
    queries = history.list_queries()
    return {
        "versions": versions,
        "stood": stood,
        "latest": latest,
        "queries": queries,
        "advice": advice,
    }


def _advice_lines(history, at, told):
    """What is recommended from *at* on and was not before, and what no longer is."""
    for member, advice in sorted(history.take_changed_advice(at).items()):
        before, told[member] = told.get(member, ()), advice
        yield from (
            f"{_instant(at)} {member} - {one.kind} {one.rule} {_mark(one)}"
            for one in before
            if one not in advice
        )
        yield from (
            f"{_instant(at)} {member} + {one.kind} {one.rule} {_mark(one)} {_advice(one)}"
            for one in advice
            if one not in before
        )


def _advice(one):
    because = [one.because[0]] if one.because else []
    words = [one.says, *because, one.may_be, *one.missing]
    said = "; ".join(word for word in words if word)
    return f"level {one.level} days {one.treatment_day}-{one.over_on} {said}"


def _decisions(rules, facts, journals, stood):
    """What every rule says whenever somebody stands otherwise, and in full at the end."""
    protocol = rules.protocol
    known_at = {row.known_at for row in stood}
    known_at |= {fact.reported_at for fact in facts if fact.body.kind == "determination"}
    lines, told = [], {}
    for at in sorted(known_at):
        for rule in protocol.rules:
            line = _decision_line(_decision(rules, rule, facts, stood, at))
            if told.get(rule.id) != line:
                told[rule.id] = line
                lines.append(f"{_instant(at)} {rule.id} {line}")
    upto = max(known_at)
    full = [_brief(_decision(rules, rule, facts, stood, upto)) for rule in protocol.rules]
    observed = sorted(
        (one.received_at, subject, one.fact.observed_at)
        for subject, journal in journals.items()
        for one in journal
        if one.fact.body.kind not in NOT_CLINICAL
    )
    learned = list_knowledge_changes([(row.known_at, row.standing) for row in stood], observed)
    past = find_crossings(protocol.rules, learned, max(upto, learned[-1].known_at))
    crossed = [
        f"{rule} crossed {_instant(one.crossed_at)} {_instant(one.ended_at)}"
        for rule, found in past.items()
        for one in found
    ]
    return {"decisions.txt": _lines([*lines, *crossed]), "decisions.ndjson": _lines(full)}


def _curves(rules, journals):
    """The curve of every endpoint with each clock, where GVHD was staged and nobody is merged."""
    study, joined = rules.protocol.study, ("merge", "move")
    facts = [one.fact for who, journal in journals.items() if who != study for one in journal]
    kinds = {fact.body.kind for fact in facts}
    if kinds.intersection(joined) or "gvhd-stage" not in kinds:
        return
    upto = max(fact.reported_at for fact in facts)
    everybody = [
        _follow_up(who, rules, [one.fact for one in journal], upto)
        for who, journal in sorted(journals.items())
        if who != study
    ]
    treated = [one for one in everybody if one.anchors.first_infusion_at is not None]
    for clock in get_args(EndpointClock):
        for endpoint in ENDPOINTS:
            yield estimate_curve(endpoint, treated, clock, rules.protocol.endpoints.landmarks)


def _follow_up(who, rules, facts, upto):
    stands = [fact for fact in select_standing_facts(facts) if fact.observed_at <= upto]
    known = find_anchors(stands, rules.protocol)
    seen = max(fact.observed_at for fact in stands if fact.body.kind not in NOT_CLINICAL)
    return FollowUp(
        who,
        known,
        min(one for one in (seen, upto, known.withdrawn_at) if one),
        tuple((f.observed_at, f.body) for f in stands if f.body.kind == "gvhd-stage"),
        tuple((f.observed_at, f.body.severity) for f in stands if f.body.kind == "chronic-gvhd"),
    )


def _decision(rules, rule, facts, stood, at):
    known = [fact for fact in facts if fact.reported_at <= at]
    seen = {}
    for fact in known:
        if fact.body.kind not in NOT_CLINICAL:
            seen[fact.subject] = max(fact.observed_at, seen.get(fact.subject, fact.observed_at))
    newest = {
        row.standing.participant: row.standing
        for row in stood
        if row.known_at <= at and row.standing.rule == rule.id
    }
    observed = [ObservedStanding(one, seen.get(who, at)) for who, one in sorted(newest.items())]
    return decide_rule(rules.protocol, rule, observed, at, last_answer(known, rule.id))


def _decision_line(decision):
    counts = f"{decision.events}/{decision.ess:.6g} of {decision.evaluable}"
    others = f"confirmed {decision.confirmed} upper {decision.upper} boundary {decision.boundary}"
    since = _instant(decision.crossed_since)
    odds = f"{decision.p_cross_p0:.6g} {decision.p_cross_posterior:.6g} {decision.predictive:.6g}"
    words = f"{decision.determination or '-'} {decision.silenced_at_events}"
    return f"{counts} {others} {since} {odds} {words} {decision.signal}"


def _brief(value):
    """The canonical JSON of *value* without what is empty; chances to nine digits.

    The last digits of a chance differ between machines.
    """
    whole = json.loads(
        wire.write_canonical(value), parse_float=lambda text: float(f"{float(text):.9g}")
    )
    return json.dumps(_drop_empty(whole), sort_keys=True, separators=(",", ":"), ensure_ascii=False)


def _drop_empty(value):
    if isinstance(value, dict):
        parts = {key: _drop_empty(part) for key, part in value.items()}
        return {key: part for key, part in parts.items() if part not in (None, "", [], {}, False)}
    return [_drop_empty(part) for part in value] if isinstance(value, list) else value


def _version_line(one):
    content = one.content
    words = [
        *(_instant(one.recorded_at), content.participant, content.criterion, one.id[:8]),
        *(f"v{one.version}", f"seq {one.seq}", f"worst {content.worst}", f"now {content.current}"),
        *(str(content.state), _mark(one), one.cause),
    ]
    return " ".join(words + ([f"into {one.merged_into[:8]}"] if one.merged_into else []))


def _standing_line(row):
    one = row.standing
    events = [_event_text(event) for event in (one.event, one.confirmed, one.upper)]
    competing = one.competing.what if one.competing else "-"
    parts = [_instant(row.known_at), one.participant, one.rule, f"seq {row.seq}", *events]
    return " ".join([*parts, competing, _mark(one)])


def _event_text(event):
    return f"{event.grade}@{_instant(event.at)}" if event else "-"


def _by_knowledge(one):
    return one.recorded_at, one.content.participant, one.content.criterion, one.id, one.version


def _instant(at):
    return f"{at:%Y-%m-%dT%H:%M}" if at else "-"


def _mark(value):
    """Twelve digits that stand for the whole of *value*."""
    return sha256(_brief(value).encode()).hexdigest()[:12]


def _lines(texts):
    return "".join(f"{text}\n" for text in texts)


if __name__ == "__main__":
    sys.exit(main())
