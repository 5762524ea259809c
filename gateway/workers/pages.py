"""Several processes' pages of metrics as one, in which a label tells whose each series is."""

from collections.abc import Mapping

LABEL = "worker"


def merged(pages: Mapping[int, bytes]) -> bytes:
    """One page in Prometheus's text format, by the workers' numbers. A metric's series stand together in it."""
    heads: dict[str, list[str]] = {}
    series: dict[str, list[str]] = {}
    for number, page in sorted(pages.items()):
        name = ""
        for line in page.decode().splitlines():
            if line.startswith("#"):
                name = line.split(" ", 3)[2]
                head = heads.setdefault(name, [])
                if line not in head:
                    head.append(line)
            elif line:
                series.setdefault(name, []).append(_labelled(line, number))
    return "".join(f"{line}\n" for name, head in heads.items() for line in head + series.get(name, [])).encode()


def _labelled(line: str, number: int) -> str:
    name, brace, rest = line.partition("{")
    if brace and " " not in name:
        return f'{name}{{{LABEL}="{number}",{rest}'
    name, _, value = line.partition(" ")
    return f'{name}{{{LABEL}="{number}"}} {value}'
