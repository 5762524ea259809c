"""The proof that money comes exactly once: a fleet, a schedule of faults drawn from a seed, and books that are checked.

`make chaos MINUTES=10` runs it for as long as you like (`python -m tests.chaos.run --help`). Its modules in the order
in which one reads them:

- `truth`: what chargers say, and what is true of their transactions; `traits`: how chargers are made;
  `plays`, `plays16`, `plays201` with `words16` and `words201`: what happens at a connector, messes and all
- `chargers`: how that gets said, over connections that break
- `town`, `gates`: two nodes, their servers, and what lies between them; `schedule`, `faults`: what happens to them
- `recorders`, `orders`: the business systems; `recordings`, `books`: the check of what they got
- `run`, `summary`: one run from its start to its end, and what is told of it
"""
