import re

from gateway.core.ports import Observer
from gateway.metrics import PrometheusObserver


def sample(observer: PrometheusObserver, series: str) -> float | None:
    found = re.search(rf"^{re.escape(series)} (\S+)$", observer.page().decode(), re.MULTILINE)
    return None if found is None else float(found[1])


def test_implements_the_port() -> None:
    observer: Observer = PrometheusObserver()
    assert observer is not None


def test_counts_connections_open_and_all_that_ever_were() -> None:
    observer = PrometheusObserver()
    observer.connection_opened("1.6")
    observer.connection_opened("1.6")
    observer.connection_closed("1.6", "superseded")
    assert sample(observer, 'ocpp_gateway_connections{version="1.6"}') == 1
    assert sample(observer, 'ocpp_gateway_connections_opened_total{version="1.6"}') == 2
    assert sample(observer, 'ocpp_gateway_connections_closed_total{reason="superseded",version="1.6"}') == 1


def test_every_method_of_the_port_has_its_series() -> None:
    observer = PrometheusObserver()
    observer.handshake_refused(503)
    observer.admission_put_off()
    observer.message("2.1", "in", "Heartbeat", "answered")
    observer.violations("CP-1", ["enum", "type", "enum"])
    observer.answered(0.004)
    observer.command("start", "accepted", 0.3)
    observer.committed(70, 0.002)
    observer.delivered("mqtt", 3, 25)
    observer.undelivered("mqtt", 3, "refused")
    observer.log_size(3, 5000, 9000)
    observer.lag("mqtt", 3, 1.5, 700)
    observer.dead_letters(3, 2)
    observer.leases("mqtt", 4)
    observer.depth("commits", 12)
    observer.up("redis", True)
    assert sample(observer, 'ocpp_gateway_handshakes_refused_total{status="503"}') == 1
    assert sample(observer, "ocpp_gateway_admissions_put_off_total") == 1
    assert (
        sample(
            observer,
            'ocpp_gateway_messages_total{action="Heartbeat",direction="in",outcome="answered",version="2.1"}',
        )
        == 1
    )
    assert sample(observer, 'ocpp_gateway_charger_violations_total{charger="CP-1",code="enum"}') == 2
    assert sample(observer, 'ocpp_gateway_answer_seconds_bucket{le="0.005"}') == 1
    assert sample(observer, 'ocpp_gateway_commands_total{name="start",outcome="accepted"}') == 1
    assert sample(observer, "ocpp_gateway_command_seconds_sum") == 0.3
    assert sample(observer, "ocpp_gateway_commit_batch_size_sum") == 70
    assert sample(observer, "ocpp_gateway_commit_seconds_count") == 1
    assert sample(observer, 'ocpp_gateway_delivered_total{reader="mqtt",shard="3"}') == 25
    assert sample(observer, 'ocpp_gateway_undelivered_total{outcome="refused",reader="mqtt",shard="3"}') == 1
    assert sample(observer, 'ocpp_gateway_log_bytes{shard="3"}') == 5000
    assert sample(observer, 'ocpp_gateway_log_limit_bytes{shard="3"}') == 9000
    assert sample(observer, 'ocpp_gateway_reader_lag_seconds{reader="mqtt",shard="3"}') == 1.5
    assert sample(observer, 'ocpp_gateway_reader_lag_bytes{reader="mqtt",shard="3"}') == 700
    assert sample(observer, 'ocpp_gateway_dead_letters{shard="3"}') == 2
    assert sample(observer, 'ocpp_gateway_shards_read{reader="mqtt"}') == 4
    assert sample(observer, 'ocpp_gateway_queue_depth{queue="commits"}') == 12
    assert sample(observer, 'ocpp_gateway_up{part="redis"}') == 1


def test_actions_that_a_charger_makes_up_cannot_grow_the_page_without_end() -> None:
    observer = PrometheusObserver()
    for number in range(5000):
        observer.message("1.6", "in", f"Nonsense{number}", "refused")
    page = observer.page().decode()
    assert page.count("ocpp_gateway_messages_total{") == 1001
    assert 'ocpp_gateway_messages_total{action="other"' in page


def test_a_large_fleet_cannot_grow_the_page_without_end() -> None:
    observer = PrometheusObserver()
    for number in range(12_000):
        observer.violations(f"CP-{number}", ["enum"])
    assert sample(observer, 'ocpp_gateway_charger_violations_total{charger="other",code="other"}') == 2000


def test_two_observers_share_nothing() -> None:
    first, second = PrometheusObserver(), PrometheusObserver()
    first.answered(1.0)
    assert sample(second, "ocpp_gateway_answer_seconds_count") == 0


def test_tells_about_the_process() -> None:
    assert b"process_resident_memory_bytes" in PrometheusObserver().page()
