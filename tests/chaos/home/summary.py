"""What is told of a day."""

from tests.chaos.home.run import Outcome, Plan

MOST_SHOWN = 20


def command(plan: Plan) -> str:
    """How to live through the same day again."""
    return f"make home HOURS={plan.hours:g} SPEED={plan.speed:g} SEED={plan.seed}"


def told(outcome: Outcome) -> str:
    """A page in words."""
    plan = outcome.plan
    lines = [
        f"{plan.hours:g} hours of a home from {plan.hour:g} h on, {plan.speed:g} times as fast, "
        f"in {outcome.seconds:.0f} s; seed {plan.seed}",
        f"{outcome.arrivals} cars came, {outcome.rests} times one paused by itself; "
        f"{outcome.looks} closer looks; mishaps: {_counted(outcome.mishaps)}",
    ]
    for charger, (most, median, every) in outcome.calls.items():
        number, energy = outcome.energy[charger]
        lines += [
            f"{charger}: calls in a minute: {most} at most, {median:g} in the median, {every} in all",
            f"{charger}: sets: {_counted(outcome.outcomes[charger])}",
            f"{charger}: {number} transactions, {energy} Wh by sensors and records",
        ]
    lines.append(f"{outcome.excused} sets got lost while the broker or the gateway was away")
    if outcome.good:
        lines.append("EVERYTHING AS ASKED")
    else:
        lines += [f"FLAW: {flaw}" for flaw in outcome.flaws[:MOST_SHOWN]]
        lines.append(f"{len(outcome.flaws)} flaws; again: {command(plan)}")
    return "\n".join(lines)


def _counted(counts: dict[str, int]) -> str:
    return ", ".join(f"{number} {name}" for name, number in sorted(counts.items())) or "none"
