"""``make bench-e2e``: from the MLLP port to committed records, everything on this machine.

PostgreSQL, Kafka and the processes of Aegis are started for it, in a folder that is removed. Facts
count from the first byte that is sent to the commit of the last record.
"""

import os
import sys
import time
from argparse import ArgumentParser, Namespace
from collections.abc import Iterator, Sequence
from pathlib import Path
from tempfile import TemporaryDirectory

from benchmarks import measuring
from benchmarks.end_to_end.bench import WITHOUT_RULES, Bench, rate
from benchmarks.end_to_end.feed import ALL_OTHERS
from benchmarks.end_to_end.idle import measure_idle_shares, sum_own_shares
from benchmarks.end_to_end.processes import cpu_s, resident_mb
from benchmarks.end_to_end.senders import send_all, send_at
from benchmarks.end_to_end.stages import STAGES, delays_ms
from benchmarks.machine import machine
from benchmarks.measuring import write_rows
from deploy.local.installation import Installation
from services.cli.demo.mail_sink import MailSink
from services.cli.shared.tables import make_table

_CONNECTIONS = 32
_RESULTS = 10  # facts of a message, where it is not one
_PER_SECOND = 1000.0  # facts, where delays are measured
_WARM = 4000
_SETTLED_S, _IDLE_S = 60.0, 30.0

Row = tuple[str, ...]


def main(argv: Sequence[str] | None = None) -> int:
    """Print the tables; return the exit code."""
    args = _parser().parse_args(argv)
    args.folder.mkdir(parents=True, exist_ok=True)
    with TemporaryDirectory(dir=args.folder, prefix="e2e-") as temporary:
        folder = Path(temporary)
        folder.chmod(0o755)  # PostgreSQL runs as another user
        print(machine(folder), flush=True)
        with MailSink(folder / "mails") as sink:  # nobody is told
            os.environ["AEGIS_SMTP_PORT"] = str(sink.port)
            _measure(Installation(folder / "up", WITHOUT_RULES), folder, args)
    return 0


def _measure(installation: Installation, folder: Path, args: Namespace) -> None:
    bench: Bench | None = None
    try:
        for name, place in installation.start():
            print(f"{name} on {place}", file=sys.stderr, flush=True)
        bench = Bench(installation, args.participants, folder)
        for head, rows in _tables(bench, args.facts, args.seconds):
            print(f"\n{make_table(head, rows)}", flush=True)
        shares = _measure_idle(bench)
        head = ("nothing to do, each process", "% of a core")
        print(
            f"\n{make_table(head, [(one, f'{100 * share:.1f}') for one, share in shares.items()])}"
        )
        write_rows(
            args.folder / "bench" / "e2e.json",
            [measuring.Row("idle", sum_own_shares(shares), "core")],
        )
    finally:
        if bench is not None:
            bench.stop_rules()
        list(installation.stop())


def _measure_idle(bench: Bench) -> dict[str, float]:
    """Return the share of a core of each process, once all are told and settled."""
    bench.start_rules()
    bench.wait_until_folded()
    bench.wait_until_notified()
    time.sleep(_SETTLED_S)
    return measure_idle_shares(bench, _IDLE_S)


def _tables(bench: Bench, facts: int, seconds: float) -> Iterator[tuple[Row, list[Row]]]:
    yield ("a backlog, all of it there", "facts/s", "of a bare Faust agent"), _backlog(bench, facts)
    yield ("the next backlog, workers (joining counts)", "facts/s"), _workers(bench, 2 * facts)
    bench.start_rules()
    send_all(bench.mllp, bench.build_messages(_WARM, _RESULTS), _CONNECTIONS)
    bench.wait_until_folded()
    bench.wait_until_notified()
    head: Row = ("sustained", "facts/s", "messages/s answered", "CPU us/fact", "rules hold, MiB")
    yield head, [_sustained_row(bench, facts, results) for results in (_RESULTS, 1)]
    head = (f"received to ... at {_PER_SECOND:.0f} facts/s", "median, ms", "p99, ms", "of")
    yield head, _delays(bench, seconds)
    bench.stop_rules()
    head = ("MLLP to PostgreSQL, no rules", "messages/s", "facts/s")
    yield (
        head,
        [
            _durable(bench, facts, results, connections)
            for results in (_RESULTS, 1)
            for connections in (1, _CONNECTIONS)
        ],
    )


def _backlog(bench: Bench, facts: int) -> list[Row]:
    """Read one topic by a bare Faust agent, by a plain loop with the same core, by the rules."""
    send_all(bench.mllp, bench.build_messages(facts, _RESULTS), _CONNECTIONS)
    bench.wait_until_announced()
    records, backlog = bench.records_on_topic(), bench.count_waiting()
    bare = backlog / bench.time_reader("bare-faust", records)
    plain = backlog / bench.time_reader("plain-loop", records)
    bench.forget_results()
    bench.start_rules()
    rules = rate(bench.wait_until_folded())
    bench.stop_rules()
    rates = {
        f"bare Faust agent ({records} records)": bare,
        "plain kafka-python loop, same core": plain,
        "aegis run rules": rules,
    }
    return [(name, f"{one:,.0f}", f"{one / bare:.3f}") for name, one in rates.items()]


def _workers(bench: Bench, facts: int) -> list[Row]:
    rows: list[Row] = []
    for workers in (1, 2, 4):
        send_all(bench.mllp, bench.build_messages(facts, _RESULTS), _CONNECTIONS)
        bench.wait_until_announced()
        bench.start_rules(workers)
        rows.append((str(workers), f"{rate(bench.wait_until_folded()):,.0f}"))
        bench.stop_rules()
    return rows


def _sustained_row(bench: Bench, facts: int, results: int) -> Row:
    messages = bench.build_messages(facts, results)
    cpu_before = {name: cpu_s(pid) for name, pid in bench.processes().items()}
    memory_before = resident_mb(bench.processes()["rules 1"])
    began_s = time.perf_counter()
    answered_s = send_all(bench.mllp, messages, _CONNECTIONS)
    bench.wait_until_folded()
    took_s = time.perf_counter() - began_s
    count = len(messages) * results
    cpu_spent = {name: cpu_s(pid) - cpu_before[name] for name, pid in bench.processes().items()}
    shares = ", ".join(f"{name} {1e6 * s / count:.0f}" for name, s in cpu_spent.items())
    return (
        f"{_facts(results)} a message, {_CONNECTIONS} connections",
        f"{count / took_s:,.0f}",
        f"{len(messages) / answered_s:,.0f}",
        shares,
        f"{memory_before:.0f} to {resident_mb(bench.processes()['rules 1']):.0f}",
    )


def _facts(number: int) -> str:
    return f"{number} fact" + ("" if number == 1 else "s")


def _delays(bench: Bench, seconds: float) -> list[Row]:
    last_row = bench.last_audited()
    messages = bench.build_messages(int(_PER_SECOND * seconds), _RESULTS, ALL_OTHERS)
    send_at(bench.mllp, messages, _CONNECTIONS, _PER_SECOND / _RESULTS)
    bench.wait_until_folded()
    time.sleep(1.0)  # the last alert is raised by the step after the last fold
    delays = {stage: delays_ms(bench.url, stage, last_row) for stage in STAGES}
    return [
        (stage, f"{middle:.0f}", f"{slow:.0f}", f"{count:,} rows")
        for stage, (middle, slow, count) in delays.items()
    ]


def _durable(bench: Bench, facts: int, results: int, connections: int) -> Row:
    messages = bench.build_messages(facts, results)
    took_s = send_all(bench.mllp, messages, connections)
    plural = "" if connections == 1 else "s"
    a_second = len(messages) / took_s
    return (
        f"{connections} connection{plural}, {_facts(results)} a message",
        f"{a_second:,.0f}",
        f"{a_second * results:,.0f}",
    )


def _parser() -> ArgumentParser:
    parser = ArgumentParser(prog="python -m benchmarks.end_to_end.run", description=__doc__)
    parser.add_argument("--facts", type=int, default=20_000, metavar="N", help="of each feed")
    parser.add_argument("--participants", type=int, default=200, metavar="N")
    parser.add_argument("--seconds", type=float, default=20.0, help="for how long delays are taken")
    parser.add_argument("--folder", type=Path, default=Path("var"), metavar="DIR")
    return parser


if __name__ == "__main__":
    sys.exit(main())
