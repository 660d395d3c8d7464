"""The alerts, as a part of a process: notices that leave, and pages that acknowledge them."""

from datetime import datetime
from functools import partial

from services.acts.study_context import StudyContext
from services.alerts import http as pages
from services.alerts.adapters.channels import make_channels
from services.alerts.adapters.delivery_faults import (
    AbsenceWarnings,
    list_delivery_faults,
    uses_mail,
    watch_mail_server,
)
from services.alerts.adapters.study_recipients import find_recipients
from services.alerts.delivery_context import DeliveryAttempt, DeliveryContext
from services.alerts.delivery_worker import DeliveryWorker
from services.alerts.links import LIFETIME
from services.alerts.reply_webhook import build_reply_route
from services.alerts.watch import Watch
from services.cli.process.gauges import AlertGauges
from services.cli.process.process_server import make_holder_name
from services.cli.process.roles.parts import Parts
from services.runtime.clock import now_utc
from services.runtime.sites_file import read_sites_file
from services.store.installation_keys import list_in_use, load_keys
from services.store.vault import Purpose


def add_alerts(parts: Parts) -> None:
    """Let notices leave, and people acknowledge them.

    Without the file nobody is told, and the process warns of it.

    Raises:
        services.runtime.file_error.UntrustedFileError: ``recipients.yaml`` cannot be trusted.
    """
    delivery = _make_delivery_context(parts)
    for fault in list_delivery_faults(delivery.recipients, parts.settings.alerts):
        parts.warnings.begin(fault.name, fault.problem)
    if uses_mail(delivery.recipients):
        parts.work["mail server"] = partial(
            watch_mail_server, parts.warnings, parts.settings.alerts
        )
    progress = parts.add_progress("alerts")
    worker = DeliveryWorker(delivery, make_holder_name(), progress, _make_watch(parts, delivery))
    parts.work["alerts"] = worker.run
    if secret := parts.settings.alerts.webhook_secret:
        # before the pages, whose path it would match
        parts.routes.append(build_reply_route(delivery, secret.get_secret_value()))
    parts.routes += pages.build_routes(delivery)
    parts.shows.append(AlertGauges(parts.context, parts.metrics, now_utc).show)
    parts.shows.append(AbsenceWarnings(delivery.recipients, parts.warnings, now_utc).show)


def _make_watch(parts: Parts, delivery: DeliveryContext) -> Watch | None:
    """Return the watch; None where time is that of messages: nothing is late by it."""
    if parts.by_message:
        return None
    _, sites = read_sites_file(parts.context.settings.study)
    return Watch(delivery, sites, parts.settings.alerts.note_time)


def _make_delivery_context(parts: Parts) -> DeliveryContext:
    context, metrics = parts.context, parts.metrics
    recipients = find_recipients(context.settings.study)
    policy = context.study.rules.protocol.alerts

    def count(attempt: DeliveryAttempt) -> None:
        metrics.deliveries.labels(attempt.channel, attempt.result).inc()
        if not parts.by_message:
            latency_s = (attempt.attempted_at - attempt.alert.opened_at).total_seconds()
            metrics.pipeline_latency.labels("delivered").observe(max(0.0, latency_s))

    return DeliveryContext(
        context.db,
        context.keys,
        context.study_id,
        recipients,
        make_channels(parts.settings.alerts),
        now_utc,
        parts.server.url,
        on_attempt=count,
        deadline_s=parts.settings.alerts.delivery_deadline_s,
        links_ask_sign_in=policy.acknowledge_from_link == "signed_in",
        earlier_links_until=_find_end_of_earlier_links(context),
    )


def _find_end_of_earlier_links(context: StudyContext) -> datetime | None:
    """Return when the last link expires that was made before there was a key for links."""
    with context.db.read() as conn:
        (links_key,) = list_in_use(load_keys(conn), Purpose.LINKS)
    return links_key.added_at + LIFETIME
