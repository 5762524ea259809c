"""What a run tells at its end."""

from tests.chaos.nodes.run import Outcome, Plan
from tests.chaos.run.summary import percentile

SHOWN = 40


def command(plan: Plan) -> str:
    """The command that repeats a run."""
    nameless = " --nameless" if plan.nameless else ""
    return (
        f"make nodes SEED={plan.seed} MINUTES={plan.seconds / 60:g} CHARGERS={plan.chargers} "
        f'ARGS="--faults {plan.faults} --pause {plan.pause:g} --rate {plan.rate:g}{nameless}"'
    )


def told(outcome: Outcome) -> str:
    """The whole summary."""
    faults = ", ".join(f"{count} {kind}" for kind, count in sorted(outcome.faults.items()))
    rows = [
        ("seed", outcome.plan.seed),
        ("took", f"{outcome.seconds:.0f} s"),
        ("nodes, chargers", f"{outcome.plan.nodes}, {outcome.plan.chargers}"),
        ("faults", faults or "none"),
        ("messages", f"{outcome.messages} acknowledged over {outcome.connections} connections"),
        ("acknowledged in", _spread(outcome.acknowledgements)),
        ("commands", ", ".join(f"{count} {what}" for what, count in outcome.orders.most_common())),
        ("answered in", _spread(outcome.commands)),
        ("events", f"{outcome.events}, and {outcome.repeats} repeats"),
    ]
    lines = ["", *(f"  {name:18} {value}" for name, value in rows), ""]
    lines += [f"  {timing.what:20} after {timing.kind:8} {_spread(timing.seconds)}" for timing in outcome.timings]
    return "\n".join([*lines, "", *_verdict(outcome)])


def _spread(seconds: list[float] | tuple[float, ...]) -> str:
    if not seconds:
        return "nothing measured"
    values = list(seconds)
    parts = [f"{name} {_time(percentile(values, share))}" for name, share in (("p50", 0.5), ("p99", 0.99))]
    return f"{', '.join(parts)}, most {_time(max(values))} ({len(values)} measured)"


def _time(seconds: float) -> str:
    return f"{seconds:.1f} s" if seconds >= 1 else f"{seconds * 1000:.0f} ms"


def _verdict(outcome: Outcome) -> list[str]:
    lines = [f"SURPRISE  {one}" for one in outcome.surprises[:SHOWN]]
    lines += [f"WRONG  {one}" for one in outcome.breaches[:SHOWN]]
    if len(outcome.breaches) > SHOWN:
        lines.append(f"... and {len(outcome.breaches) - SHOWN} more breaches")
    if outcome.evidence is not None and outcome.evidence.starved:
        lines.append(
            f"the machine was too busy {len(outcome.evidence.starved)} times: checks of those moments are lenient"
        )
    lines += [f"TOO LITTLE  {one}" for one in outcome.short_of]
    if outcome.good:
        lines.append("the books add up: one gateway, whatever became of its nodes")
    else:
        lines.append(f"{len(outcome.breaches)} breaches, {len(outcome.surprises)} surprises; logs: {outcome.folder}")
    return [*lines, f"to repeat it: {command(outcome.plan)}"]
