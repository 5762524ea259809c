"""The dashboard and the alerts: well formed, asking for what the gateway tells, and firing when they should."""

import json
import re
import subprocess
from pathlib import Path

import pytest
import yaml
from prometheus_client.parser import text_string_to_metric_families

from gateway.metrics import PrometheusObserver
from tests.deploy.dockerfile import DEPLOY
from tests.deploy.stack import tool
from tests.deploy.watched import (
    ALERTS,
    DASHBOARD,
    alert_expressions,
    as_grafana_asks,
    dashboard_expressions,
    metrics_in,
)

OF_PROMETHEUS = {"instance", "job", "le"}


def promtool(*arguments: str) -> None:
    done = subprocess.run([tool("promtool", "prometheus"), *arguments], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr


def test_alerts_fire_when_they_should_and_only_then() -> None:
    promtool("check", "rules", str(ALERTS))
    promtool("test", "rules", str(Path(__file__).parent / "alerts.test.yml"))


def test_every_alert_is_tried() -> None:
    tried = (Path(__file__).parent / "alerts.test.yml").read_text()
    for group in yaml.safe_load(ALERTS.read_text())["groups"]:
        for rule in group["rules"]:
            assert f'{{alertname="{rule["alert"]}"}}' in tried
            assert set(rule["annotations"]) == {"summary", "action"}


def test_prometheus_takes_its_configuration(tmp_path: Path) -> None:
    (tmp_path / "key").write_text("x")
    text = (DEPLOY / "prometheus" / "prometheus.yml").read_text()
    (tmp_path / "prometheus.yml").write_text(text.replace("/run/secrets/metrics_key", str(tmp_path / "key")))
    (tmp_path / "alerts.yml").write_text(ALERTS.read_text())
    promtool("check", "config", str(tmp_path / "prometheus.yml"))


def test_every_question_of_the_dashboard_is_one_that_prometheus_understands(tmp_path: Path) -> None:
    rules = [{"record": f"q{n}", "expr": as_grafana_asks(one)} for n, one in enumerate(dashboard_expressions())]
    assert len(rules) > 30
    (tmp_path / "rules.yml").write_text(json.dumps({"groups": [{"name": "dashboard", "rules": rules}]}))
    promtool("check", "rules", str(tmp_path / "rules.yml"))


@pytest.fixture(scope="module")
def labels() -> dict[str, set[str]]:
    """Every metric of the gateway's own and its labels, as an observer tells them that has seen everything once."""
    observer = PrometheusObserver()
    observer.connection_opened("1.6")
    observer.connection_closed("1.6", "gone")
    observer.handshake_refused(503)
    observer.message("1.6", "in", "Heartbeat", "answered")
    observer.violations("CP-1", ["enum"])
    observer.answered(0.1)
    observer.command("start", "accepted", 0.1)
    observer.committed(1, 0.1)
    observer.delivered("mqtt", 0, 1)
    observer.undelivered("mqtt", 0, "refused")
    observer.log_size(0, 1, 2)
    observer.lag("mqtt", 0, 0.1, 1)
    observer.dead_letters(0, 1)
    observer.leases("mqtt", 1)
    observer.depth("commit", 1)
    observer.up("redis", True)
    found: dict[str, set[str]] = {}
    for family in text_string_to_metric_families(observer.page().decode()):
        for sample in family.samples:
            found.setdefault(sample.name, set()).update(sample.labels)
    return found


@pytest.mark.parametrize("expression", [*dashboard_expressions(), *alert_expressions()])
def test_a_question_names_only_labels_that_its_metrics_have(labels: dict[str, set[str]], expression: str) -> None:
    known = OF_PROMETHEUS.union(*(labels[metric] for metric in metrics_in(expression)))
    by = {label.strip() for group in re.findall(r"by \(([^)]*)\)", expression) for label in group.split(",")}
    assert by <= known
    for metric, selector in re.findall(r"\b([a-z_]+)\{([^}]*)\}", expression):
        chosen = set(re.findall(r"(\w+) *(?:=~|!~|!=|=)", selector))
        assert chosen <= OF_PROMETHEUS | labels.get(metric, set()), metric


def test_panels_have_titles_and_places_that_do_not_overlap() -> None:
    dashboard = json.loads(DASHBOARD.read_text())
    taken: set[tuple[int, int]] = set()
    for panel in dashboard["panels"]:
        at = panel["gridPos"]
        cells = {(x, y) for x in range(at["x"], at["x"] + at["w"]) for y in range(at["y"], at["y"] + at["h"])}
        assert not cells & taken, panel["title"]
        assert all(x < 24 for x, _ in cells), panel["title"]
        taken |= cells
    assert len({panel["id"] for panel in dashboard["panels"]}) == len(dashboard["panels"])
    assert len({panel["title"] for panel in dashboard["panels"]}) == len(dashboard["panels"])
