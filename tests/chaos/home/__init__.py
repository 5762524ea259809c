"""A day of a home in fast time: two wallboxes, cars that come and go, a tariff and the sun, all over MQTT.

`make home HOURS=24` runs it (`python -m tests.chaos.home --help`). Its modules in the order in which one reads them:

- `clock`: time that runs some hundred times as fast; `nature`: prices and the sun
- `hub`: the home's MQTT client, and what it keeps of each connector; `wishes`: what was set, and how that ended
- `automations`: what a home sets; `cars`: who comes and goes; `mishaps`: what goes wrong on the way
- `books`: what must be true, now and then and at the end; `run`, `summary`: one day, and what is told of it
"""
