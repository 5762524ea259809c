"""The Helm chart: rendered by Helm itself, held against Kubernetes's schemas, its configuration read by the gateway."""

import importlib.util
import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import kubernetes_validate
import pytest
import yaml

from gateway.config import load
from tests.deploy.dockerfile import DEPLOY, stages
from tests.deploy.watched import ALERTS, DASHBOARD

CHART = DEPLOY / "helm" / "ocpp-gateway"
EVERYTHING: dict[str, Any] = {
    "chargers": {"tlsSecret": "tls", "service": {"annotations": {"a": "b"}}},
    "rest": {"service": {"annotations": {"a": "b"}}},
    "caSecret": "ca",
    "configFiles": {"quirks.toml": "[[profile]]\nname = 'x'\n"},
    "autoscaling": {"enabled": True, "metric": "connections"},
    "networkPolicy": {"chargersFrom": [{"ipBlock": {"cidr": "10.0.0.0/8"}}]},
    "serviceMonitor": {"enabled": True, "labels": {"release": "prometheus"}},
    "prometheusRule": {"enabled": True},
    "grafanaDashboard": {"enabled": True},
    "imagePullSecrets": [{"name": "registry"}],
    "podAnnotations": {"a": "b"},
    "podLabels": {"a": "b"},
    "nodeSelector": {"a": "b"},
    "tolerations": [{"key": "a", "operator": "Exists"}],
    "affinity": {"nodeAffinity": {}},
    "priorityClassName": "charging",
    "extraEnv": [{"name": "OCPP_GATEWAY__GATEWAY__LOG_LEVEL", "value": "debug"}],
    "preStopSeconds": 7,
    "drainSeconds": 120,
}
BARE: dict[str, Any] = {
    "podDisruptionBudget": {"enabled": False},
    "networkPolicy": {"enabled": False},
    "autoscaling": {"enabled": True},
    "chargers": {"service": {"type": "ClusterIP"}},
}
WRONG: dict[str, dict[str, Any]] = {
    "replicaCuont": {"replicaCuont": 3},
    "existingSecret": {"existingSecret": ""},
    "metric": {"autoscaling": {"metric": "messages"}},
    "config": {"config": {"mqtt": {"prefix": "x"}}},
    "drainSeconds": {"drainSeconds": 0},
    "egressPorts": {"networkPolicy": {"egressPorts": ["redis"]}},
}
NAMES = {"defaults": {}, "everything": EVERYTHING, "bare": BARE}
OF_THE_OPERATOR = {"ServiceMonitor", "PrometheusRule"}

Manifests = dict[str, dict[str, Any]]


@pytest.fixture(scope="module")
def answers() -> dict[str, dict[str, Any]]:
    """What Helm says to each case."""
    if importlib.util.find_spec("helm_python") is None:
        pytest.skip("helm-python-sdk has no wheel for this machine")
    cases = {**NAMES, **WRONG}
    done = subprocess.run(
        [sys.executable, "-m", "tests.deploy.helm", str(CHART)],
        input=json.dumps(list(cases.values())),
        cwd=DEPLOY.parent,
        capture_output=True,
        text=True,
        timeout=250,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    return dict(zip(cases, json.loads(done.stdout), strict=True))


@pytest.fixture(params=list(NAMES))
def manifests(answers: dict[str, dict[str, Any]], request: pytest.FixtureRequest) -> Manifests:
    return by_kind(answers[request.param])


def by_kind(answer: dict[str, Any]) -> Manifests:
    """Each object by its kind; services and config maps also by their names."""
    found: Manifests = {}
    for name, text in answer["manifests"].items():
        for thing in yaml.safe_load_all(text) if name.endswith(".yaml") else ():
            if thing is not None:
                key = thing["kind"]
                found[key if key not in ("Service", "ConfigMap") else f"{key} {thing['metadata']['name']}"] = thing
    return found


def container(manifests: Manifests) -> dict[str, Any]:
    (only,) = pod(manifests)["containers"]
    return dict(only)


def pod(manifests: Manifests) -> dict[str, Any]:
    return dict(manifests["Deployment"]["spec"]["template"]["spec"])


@pytest.mark.parametrize("case", list(NAMES))
def test_helm_finds_nothing_to_complain_of(answers: dict[str, dict[str, Any]], case: str) -> None:
    report = answers[case]["lint"]
    assert report["errors"] == []
    assert [message for message in report["messages"] if message["severity"] > 1] == []


@pytest.mark.parametrize("version", ["1.25", kubernetes_validate.latest_version()])
def test_every_object_is_one_that_kubernetes_knows(manifests: Manifests, version: str) -> None:
    for kind, thing in manifests.items():
        if kind not in OF_THE_OPERATOR:
            kubernetes_validate.validate(thing, version, strict=True)


@pytest.mark.parametrize("case", list(WRONG))
def test_values_that_mean_nothing_are_refused_by_name(answers: dict[str, dict[str, Any]], case: str) -> None:
    assert case in answers[case]["error"]


def test_what_is_off_is_left_out_and_what_is_on_is_there(answers: dict[str, dict[str, Any]]) -> None:
    usual = {
        *("Deployment", "PodDisruptionBudget", "NetworkPolicy", "ConfigMap release-ocpp-gateway"),
        *("Service release-ocpp-gateway-chargers", "Service release-ocpp-gateway-rest"),
    }
    assert set(by_kind(answers["defaults"])) == usual
    more = {"HorizontalPodAutoscaler", "ConfigMap release-ocpp-gateway-dashboard", *OF_THE_OPERATOR}
    assert set(by_kind(answers["everything"])) == usual | more
    left = usual - {"PodDisruptionBudget", "NetworkPolicy"} | {"HorizontalPodAutoscaler"}
    assert set(by_kind(answers["bare"])) == left


def test_it_scales_on_connections_where_they_are_counted_and_on_the_processor_elsewhere(
    answers: dict[str, dict[str, Any]],
) -> None:
    (by_connections,) = by_kind(answers["everything"])["HorizontalPodAutoscaler"]["spec"]["metrics"]
    assert by_connections["pods"]["metric"]["name"] == "ocpp_gateway_connections"
    (by_processor,) = by_kind(answers["bare"])["HorizontalPodAutoscaler"]["spec"]["metrics"]
    assert by_processor["resource"]["name"] == "cpu"
    assert "replicas" in by_kind(answers["defaults"])["Deployment"]["spec"]
    assert "replicas" not in by_kind(answers["everything"])["Deployment"]["spec"]


def test_names_and_labels_find_each_other(manifests: Manifests) -> None:
    labels = manifests["Deployment"]["spec"]["template"]["metadata"]["labels"]
    ports = {port["name"] for port in container(manifests)["ports"]}
    services = [thing for kind, thing in manifests.items() if kind.startswith("Service ")]
    for service in services:
        assert service["spec"]["selector"].items() <= labels.items()
        assert {port["targetPort"] for port in service["spec"]["ports"]} <= ports
    for policy in ("NetworkPolicy", "PodDisruptionBudget"):
        if policy in manifests:
            spec = manifests[policy]["spec"]
            chosen = (spec["podSelector"] if policy == "NetworkPolicy" else spec["selector"])["matchLabels"]
            assert chosen.items() <= labels.items()
    if "NetworkPolicy" in manifests:
        assert {
            port["port"] for rule in manifests["NetworkPolicy"]["spec"]["ingress"] for port in rule["ports"]
        } == ports
    if "ServiceMonitor" in manifests:
        spec = manifests["ServiceMonitor"]["spec"]
        wanted = spec["selector"]["matchLabels"].items()
        (scraped,) = (service for service in services if wanted <= service["metadata"]["labels"].items())
        assert spec["endpoints"][0]["port"] in {port["name"] for port in scraped["spec"]["ports"]}
    mounted = {mount["name"] for mount in container(manifests)["volumeMounts"]}
    assert mounted == {volume["name"] for volume in pod(manifests)["volumes"]}


def test_a_pod_has_the_time_that_draining_takes(manifests: Manifests, tmp_path: Path) -> None:
    sleep = int(container(manifests)["lifecycle"]["preStop"]["exec"]["command"][1])
    drain = float(environment(manifests)["OCPP_GATEWAY__GATEWAY__SHUTDOWN_DEADLINE"])
    assert pod(manifests)["terminationGracePeriodSeconds"] >= sleep + drain + 15


def test_a_pod_may_do_nothing_that_it_need_not(manifests: Manifests) -> None:
    _, image = stages((DEPLOY / "Dockerfile").read_text())
    whole, own = pod(manifests)["securityContext"], container(manifests)["securityContext"]
    assert whole["runAsNonRoot"] is True
    assert f"{whole['runAsUser']}:{whole['runAsGroup']}" == image.one("USER")
    assert whole["seccompProfile"] == {"type": "RuntimeDefault"}
    assert own == {
        "allowPrivilegeEscalation": False,
        "readOnlyRootFilesystem": True,
        "capabilities": {"drop": ["ALL"]},
    }
    assert pod(manifests)["automountServiceAccountToken"] is False
    paths = {mount["mountPath"] for mount in container(manifests)["volumeMounts"] if not mount.get("readOnly")}
    assert paths == {"/tmp"}


def environment(manifests: Manifests) -> dict[str, str]:
    return {variable["name"]: variable["value"] for variable in container(manifests)["env"]}


def test_the_gateway_takes_the_configuration(
    manifests: Manifests, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """With the image's variables, the pod's, and the mounts at places here."""
    for variable in list(os.environ):
        if variable.startswith("OCPP_GATEWAY") or variable in ("REDIS_URL", "MQTT_URL", "CREDENTIALS_DIRECTORY"):
            monkeypatch.delenv(variable)
    secrets, tls = tmp_path / "secrets", tmp_path / "tls"
    for folder, names in ((secrets, ("redis.url", "mqtt.url", "rest.metrics_key")), (tls, ("tls.crt", "tls.key"))):
        folder.mkdir()
        for name in names:
            (folder / name).write_text({"redis.url": "redis://r", "mqtt.url": "mqtts://m"}.get(name, "x" * 20))
    for name, text in manifests["ConfigMap release-ocpp-gateway"]["data"].items():
        (tmp_path / name).write_text(text)
    _, image = stages((DEPLOY / "Dockerfile").read_text())
    places = {"/config/": f"{tmp_path}/", "/run/secrets/ocpp-gateway": str(secrets), "/tls/": f"{tls}/"}
    for name, value in {**image.environment(), **environment(manifests)}.items():
        if name.startswith("OCPP_GATEWAY"):
            for place, here in places.items():
                value = value.replace(place, here)
            monkeypatch.setenv(name, value)
    loaded = load()
    settings = loaded.settings
    assert loaded.advice == ()
    assert (settings.redis.url, settings.mqtt.url) == ("redis://r", "mqtts://m")
    assert (settings.chargers.port, settings.rest.port) == (9000, 8080)
    assert {port["containerPort"] for port in container(manifests)["ports"]} == {9000, 8080}
    assert settings.rest.host == "0.0.0.0"
    assert settings.gateway.shutdown_deadline == float(
        environment(manifests)["OCPP_GATEWAY__GATEWAY__SHUTDOWN_DEADLINE"]
    )


def test_alerts_and_dashboard_are_those_of_this_repository(answers: dict[str, dict[str, Any]]) -> None:
    manifests = by_kind(answers["everything"])
    assert manifests["PrometheusRule"]["spec"] == yaml.safe_load(ALERTS.read_text())
    told = manifests["ConfigMap release-ocpp-gateway-dashboard"]["data"]["ocpp-gateway.json"]
    assert json.loads(told) == json.loads(DASHBOARD.read_text())


def test_chart_image_and_package_are_of_one_version() -> None:
    import tomllib

    version = tomllib.loads((DEPLOY.parent / "pyproject.toml").read_text())["project"]["version"]
    chart = yaml.safe_load((CHART / "Chart.yaml").read_text())
    assert chart["appVersion"] == version
    assert f"ARG VERSION={version}" in (DEPLOY / "Dockerfile").read_text()
