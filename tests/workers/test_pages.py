"""Several workers' metrics as one page."""

from prometheus_client.parser import text_string_to_metric_families

from gateway.metrics import PrometheusObserver
from gateway.workers.pages import merged


def page(charger: str) -> bytes:
    observer = PrometheusObserver()
    observer.connection_opened("1.6")
    observer.answered(0.004)
    observer.violations(charger, ["enum"])
    return observer.page()


def test_every_series_says_whose_it_is_and_each_metric_is_told_once() -> None:
    odd = 'brace { quote " and } space'
    both = merged({2: page("CP-2"), 1: page(odd)}).decode()
    families = list(text_string_to_metric_families(both))
    names = [family.name for family in families]
    assert len(names) == len(set(names)), "Prometheus takes a metric's series only where they stand together"
    alone = list(text_string_to_metric_families(page(odd).decode()))
    assert [(family.name, family.type, family.documentation) for family in families] == [
        (family.name, family.type, family.documentation) for family in alone
    ]
    samples = {(sample.name, *sorted(sample.labels.items())): sample.value for f in families for sample in f.samples}
    for worker, charger in (("1", odd), ("2", "CP-2")):
        label = ("worker", worker)
        assert samples["ocpp_gateway_connections", ("version", "1.6"), label] == 1
        assert samples["ocpp_gateway_answer_seconds_count", label] == 1
        assert samples["ocpp_gateway_answer_seconds_bucket", ("le", "0.005"), label] == 1
        violation = (("charger", charger), ("code", "enum"), label)
        assert samples["ocpp_gateway_charger_violations_total", *violation] == 1
    assert len(samples) == 2 * sum(len(family.samples) for family in alone)


def test_what_one_worker_alone_has_is_there_too() -> None:
    assert merged({1: b"# HELP a A\n# TYPE a gauge\na 1\n", 2: b'# HELP b B\n# TYPE b gauge\nb{x="y"} 2\n'}) == (
        b'# HELP a A\n# TYPE a gauge\na{worker="1"} 1\n# HELP b B\n# TYPE b gauge\nb{worker="2",x="y"} 2\n'
    )
    assert merged({}) == b""
