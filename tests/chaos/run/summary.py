"""What a run tells at its end."""

from collections import defaultdict

from tests.chaos.run.run import Outcome, Plan

SHOWN, WHOLE = 60, 12
"""How many discrepancies are told, and how many of them with all that belongs to them."""


def command(plan: Plan) -> str:
    """The command that repeats a run."""
    broker = "" if plan.persistent else " --broker embedded"
    least = f" --transactions {plan.transactions}" if plan.transactions else ""
    return (
        f"make chaos SEED={plan.seed} MINUTES={plan.seconds / 60:g} CHARGERS={plan.chargers} "
        f'ARGS="--faults {plan.faults} --pause {plan.pause:g}{broker}{least}"'
    )


def percentile(values: list[float], share: float) -> float:
    """The value below which that share of the values lies."""
    ordered = sorted(values)
    return ordered[min(len(ordered) - 1, int(share * len(ordered)))] if ordered else 0.0


def told(outcome: Outcome) -> str:
    """The whole summary."""
    rows = [
        ("seed", outcome.plan.seed),
        ("took", f"{outcome.seconds:.0f} s"),
        ("chargers", str(outcome.plan.chargers)),
        ("transactions", f"{outcome.transactions}, {outcome.energy_wh} Wh"),
        ("of them messy", str(sum(count for mess, count in outcome.messes.items() if mess != "none"))),
        ("messages", f"{outcome.messages}, sent in {outcome.copies} copies over {outcome.connections} connections"),
        ("faults", str(sum(outcome.faults.values()))),
        ("acknowledged", f"p50 {percentile(outcome.acknowledgements, 0.5) * 1000:.0f} ms, "
                         f"p99 {percentile(outcome.acknowledgements, 0.99) * 1000:.0f} ms, "
                         f"most {max(outcome.acknowledgements, default=0):.1f} s"),
        *((f"events by {name}", f"{events}, and {again} repeats") for name, (events, again) in outcome.events.items()),
        ("commands", ", ".join(f"{count} {what}" for what, count in outcome.orders.most_common())),
    ]  # fmt: skip
    lines = ["", *(f"  {name:18} {value}" for name, value in rows), "", *_recoveries(outcome), ""]
    lines += [f"  mess {mess:18} {count}" for mess, count in sorted(outcome.messes.items())]
    lines += ["", *_verdict(outcome)]
    return "\n".join(lines)


def _recoveries(outcome: Outcome) -> list[str]:
    took: dict[str, list[float]] = defaultdict(list)
    for recovery in outcome.recoveries:
        took[recovery.kind].append(recovery.seconds)
    lines = [f"  {'fault':20} {'times':>5}  recovery: median, longest"]
    for kind, count in sorted(outcome.faults.items()):
        seconds = took.get(kind, [])
        lines.append(f"  {kind:20} {count:5}  {percentile(seconds, 0.5):.1f} s, {max(seconds, default=0):.1f} s")
    return lines


def _verdict(outcome: Outcome) -> list[str]:
    found = outcome.discrepancies
    lines = [f"TROUBLE  {trouble}" for trouble in outcome.troubles[:SHOWN]]
    for place, one in enumerate(found[:SHOWN]):
        lines.append(f"WRONG  seed {outcome.plan.seed}: {one if place < WHOLE else one.line()}")
    if len(found) > SHOWN:
        lines.append(f"... and {len(found) - SHOWN} more discrepancies")
    lines += [f"TOO LITTLE  {one}" for one in outcome.short_of]
    if outcome.good:
        lines.append("the books add up: nothing lost, nothing doubled, nothing wrong")
    else:
        told = f"{len(found)} discrepancies, {len(outcome.troubles)} troubles"
        lines.append(f"{told}; logs are in {outcome.folder}")
    return [*lines, f"to repeat it: {command(outcome.plan)}"]
