"""The proof that N nodes are one gateway: three nodes, a fleet of chargers, commands, and nodes that come and go.

`make nodes MINUTES=10 CHARGERS=3000` runs it for as long as you like (`python -m tests.chaos.nodes --help`). Its
modules in the order in which one reads them:

- `facts`: what a charger saw, as it is written down; `words`: what chargers say
- `line`, `charger`: a charger that costs next to nothing, on one socket at a time
- `herd`, `herds`: many of them in processes of their own, and the handle that a run has on these
- `town`: the nodes and their servers; `schedule`, `faults`: what happens to the nodes
- `orders`: commands at random nodes, and how they ended
- `evidence`, `books`, `offline`: what must hold at the end, and whether it does; `timings`: how long recoveries took
- `run`, `summary`: one run from its start to its end, and what is told of it
"""
