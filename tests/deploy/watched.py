"""What the dashboard and the alerts ask Prometheus for."""

import json
import re
from collections.abc import Iterator

import yaml

from tests.deploy.dockerfile import DEPLOY

DASHBOARD = DEPLOY / "grafana" / "dashboards" / "ocpp-gateway.json"
ALERTS = DEPLOY / "prometheus" / "alerts.yml"
_METRIC = re.compile(r"\b(?:ocpp_gateway|process|python)_[a-z_]+\b")


def alert_expressions() -> Iterator[str]:
    for group in yaml.safe_load(ALERTS.read_text())["groups"]:
        yield from (rule["expr"] for rule in group["rules"])


def dashboard_expressions() -> Iterator[str]:
    for panel in json.loads(DASHBOARD.read_text())["panels"]:
        yield from (target["expr"] for target in panel.get("targets", ()))


def metrics_in(expression: str) -> set[str]:
    return set(_METRIC.findall(expression))


def metrics_on(page: str) -> set[str]:
    """The series that a page of metrics has or will have: counters and histograms by the names of their samples."""
    found = set()
    for name, kind in re.findall(r"^# TYPE (\S+) (\S+)$", page, re.MULTILINE):
        found |= {f"{name}_bucket", f"{name}_sum", f"{name}_count"} if kind == "histogram" else {name}
    return found


def as_grafana_asks(expression: str) -> str:
    replaced = expression.replace("$__rate_interval", "1m").replace("$__range", "3h").replace("$instance", ".*")
    assert "$" not in replaced
    return replaced
