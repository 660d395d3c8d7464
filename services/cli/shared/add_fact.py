"""A fact that a person enters by `aegis facts add`."""

from argparse import Namespace
from collections.abc import Callable, Mapping
from typing import get_args

from services.acts.entered_facts import enter_fact
from services.acts.study_context import StudyContext
from services.cli.command import CommandError
from services.cli.shared.acting_person import find_actor
from services.cli.shared.grade_entered_facts import grade_entered_facts
from services.cli.shared.open_study import open_data
from services.vocabulary.act import ActKind
from services.vocabulary.clinical_fact import (
    Action,
    Administration,
    ChronicGvhd,
    Culture,
    Death,
    GvhdStage,
    Relapse,
    Withdrawal,
)
from services.vocabulary.fact import Body
from services.vocabulary.grade import Symptoms
from services.vocabulary.graft_fact import (
    ChronicGvhdScores,
    ChronicOrgan,
    GraftStatus,
    GvhdSigns,
)
from services.vocabulary.judgement import Assessment, Finding
from services.vocabulary.person import Actor


def _as_finding(args: Namespace, actor: Actor) -> Finding:
    if args.symptoms is None and args.infarction is None:
        raise CommandError("say what was seen: --symptoms, or --infarction")
    symptoms = None if args.symptoms is None else Symptoms(args.symptoms)
    infarction = None if args.infarction is None else args.infarction == "yes"
    return Finding(args.criterion, actor.name, symptoms, infarction, args.note)


def _as_transfusion(args: Namespace, _: Actor) -> Administration:
    drug = "transfusion" if args.product is None else f"{args.product}-transfusion"
    return Administration(drug, Action.DOSE)


def _as_signs(args: Namespace, _: Actor) -> GvhdSigns:
    return GvhdSigns(
        args.rash_percent,
        args.bullae,
        args.bilirubin,
        args.upper_gi,
        args.stool_ml_per_day,
        args.stool_episodes_per_day,
        args.severe_gut_sign,
        tuple(dict.fromkeys(args.other_cause)),
    )


def _as_scores(args: Namespace, _: Actor) -> ChronicGvhdScores:
    scores = {organ: getattr(args, organ) for organ in get_args(ChronicOrgan)}
    other_cause = tuple(dict.fromkeys(args.other_cause))
    return ChronicGvhdScores(**scores, fev1_percent=args.fev1_percent, other_cause=other_cause)


_BODIES: Mapping[str, Callable[[Namespace, Actor], Body]] = {
    "relapse": lambda args, _: Relapse(args.detail),
    "death": lambda args, _: Death(args.cause),
    "withdrawal": lambda args, _: Withdrawal(args.reason or ""),
    "culture": lambda args, _: Culture(not args.negative, args.organism),
    "transfusion": _as_transfusion,
    "gvhd-stage": lambda args, _: GvhdStage(args.skin, args.liver, args.upper_gi, args.lower_gi),
    "chronic-gvhd": lambda args, _: ChronicGvhd(args.severity),
    "gvhd-signs": _as_signs,
    "chronic-gvhd-scores": _as_scores,
    "graft-status": lambda args, actor: GraftStatus(args.status, actor.name, args.note),
    "assessment": lambda args, actor: Assessment(args.criterion, args.grade, actor.name, args.note),
    "finding": _as_finding,
}


def _is_known_cause(context: StudyContext, cause: str) -> bool:
    return not cause or context.study.rules.knows_cause_of_death(cause)


def add_fact(args: Namespace) -> int:
    """Enter the fact, grade it, and print what is known now."""
    context = open_data(args, create=False)
    actor = find_actor(context, ActKind.ENTER_FACT, args.participant)
    try:
        body = _BODIES[args.kind](args, actor)
    except ValueError as error:
        raise CommandError(str(error)) from error
    if isinstance(body, Assessment | Finding) and not context.study.rules.has_term(body.criterion):
        raise CommandError(
            f"{body.criterion} is no term of {context.study.table.name}; terms are written"
            " like ctcae-5.0.tremor"
        )
    if isinstance(body, Death) and not _is_known_cause(context, body.cause):
        raise CommandError(
            f"--cause {body.cause}: write a term of {context.study.table.name} (sepsis), crs,"
            " icans, acute-gvhd, chronic-gvhd, relapse or infection; nothing: not known yet"
        )
    reason = args.reason or getattr(args, "note", "")
    is_new = enter_fact(context, actor, args.participant, args.at, body, reason=reason)
    grade_entered_facts(context)
    print(f"known: {args.kind}" if is_new else "known already")
    return 0
