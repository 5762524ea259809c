"""More than one core: `serve --workers N` is a parent that looks after N nodes, each a process of its own."""
