"""What a crowd of silent chargers costs, and how it comes back all at once: `python -m tests.bench.crowd`.

`idlers` are the chargers, in processes of their own; `crowd` is the handle on them; `figures` reads memory and Redis.
"""
