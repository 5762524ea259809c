"""The proof that money comes exactly once: a fleet, a schedule of faults drawn from a seed, and books that are checked.

`python -m tests.chaos.run --help` (or `make chaos MINUTES=10`) runs it for as long as you like; the modules in the
order in which one reads them: `truth` (what chargers say), `plays` with `words16` and `words201` (what happens at a
connector), `chargers` (how it gets said), `town` (nodes, servers and what lies between), `schedule` and `faults`,
`recorders` and `orders` (the business systems), `books` (the check), `run` (one run from its start to its end).
"""
