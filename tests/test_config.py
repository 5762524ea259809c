import os
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import BaseModel

from gateway import config
from gateway.cluster.config import ClusterConfig
from gateway.config import Settings, load
from gateway.config_file import key_lines, key_paths
from gateway.core.errors import ConfigurationError

_READ = ("REDIS_URL", "MQTT_URL", "STATE_DIRECTORY", "CREDENTIALS_DIRECTORY")


@pytest.fixture(autouse=True)
def _bare(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """No configuration but what the test gives."""
    for variable in list(os.environ):
        if variable.upper().startswith("OCPP_GATEWAY") or variable in _READ:
            monkeypatch.delenv(variable)
    monkeypatch.chdir(tmp_path)


def write(text: str, name: str = "gateway.toml") -> Path:
    path = Path(name)
    path.write_text(text)
    return path


# ------------------------------------------------------------ sources


def test_without_configuration_the_defaults_hold() -> None:
    settings = load().settings
    assert (settings.redis.url, settings.mqtt.url) == (None, None)
    assert settings.gateway.adapters == ["mqtt", "rest", "webhooks", "homeassistant"]
    assert settings.chargers.port == 9000


def test_the_environment_wins_over_the_file_and_the_command_line_over_both(monkeypatch: pytest.MonkeyPatch) -> None:
    path = write('[chargers]\nport = 1\nhost = "::1"\n[rest]\nport = 1\n[mqtt]\nembedded_port = 1\n')
    monkeypatch.setenv("OCPP_GATEWAY__CHARGERS__PORT", "2")
    monkeypatch.setenv("OCPP_GATEWAY__REST__PORT", "2")
    settings = load(path, {"rest": {"port": 3}}).settings
    assert (settings.mqtt.embedded_port, settings.chargers.port, settings.rest.port) == (1, 2, 3)
    assert settings.chargers.host == "::1"


def test_short_variables_are_understood_and_the_long_ones_win(monkeypatch: pytest.MonkeyPatch) -> None:
    path = write('[mqtt]\nurl = "mqtt://file"\n[redis]\nurl = "redis://file"\n')
    monkeypatch.setenv("MQTT_URL", "mqtt://short")
    monkeypatch.setenv("REDIS_URL", "redis://short")
    monkeypatch.setenv("OCPP_GATEWAY__MQTT__URL", "mqtt://long")
    settings = load(path).settings
    assert (settings.mqtt.url, settings.redis.url) == ("mqtt://long", "redis://short")


def test_an_empty_variable_is_none_at_all(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("MQTT_URL", "")
    monkeypatch.setenv("OCPP_GATEWAY__CHARGERS__PORT", "")
    settings = load().settings
    assert (settings.mqtt.url, settings.chargers.port) == (None, 9000)


def test_the_file_in_the_working_folder_is_found_and_the_named_one_wins(monkeypatch: pytest.MonkeyPatch) -> None:
    write("[chargers]\nport = 1\n", "ocpp-gateway.toml")
    assert load().settings.chargers.port == 1
    monkeypatch.setenv("OCPP_GATEWAY_CONFIG", str(write("[chargers]\nport = 2\n", "named.toml")))
    assert load().settings.chargers.port == 2
    assert load(write("[chargers]\nport = 3\n", "given.toml")).settings.chargers.port == 3


def test_files_of_the_secrets_folder_win_over_the_file_and_the_environment_over_them(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    folder = tmp_path / "secrets"
    (folder / "..data").mkdir(parents=True)  # Kubernetes's
    for name, text in {"mqtt.password": "s3cret\n", "mqtt.username": "b", "rest.port": "2", "tls.crt": "x"}.items():
        (folder / name).write_text(text)
    monkeypatch.setenv("OCPP_GATEWAY_SECRETS", str(folder))
    monkeypatch.setenv("OCPP_GATEWAY__MQTT__USERNAME", "c")
    settings = load(write('[mqtt]\npassword = "file"\nprefix = "kept"\n')).settings
    assert settings.mqtt.password is not None
    assert settings.mqtt.password.get_secret_value() == "s3cret"
    assert (settings.mqtt.username, settings.rest.port, settings.mqtt.prefix) == ("c", 2, "kept")


def test_systemd_credentials_are_such_a_folder(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    (tmp_path / "redis.url").write_text("redis://of-systemd\n")
    monkeypatch.setenv("CREDENTIALS_DIRECTORY", str(tmp_path))
    assert load().settings.redis.url == "redis://of-systemd"


def test_what_is_wrong_with_a_secret_is_told_with_its_file_and_not_with_its_value(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setenv("OCPP_GATEWAY_SECRETS", str(tmp_path))
    (tmp_path / "rest.admin_key").write_text("short")
    with pytest.raises(ConfigurationError, match=r"rest\.admin_key: ") as wrong:
        load()
    assert "short" not in str(wrong.value).replace("shorter", "")
    (tmp_path / "rest.admin_key").write_bytes(b"\xff" * 20)
    with pytest.raises(ConfigurationError, match=r"admin_key.*not UTF-8"):
        load()
    monkeypatch.setenv("OCPP_GATEWAY_SECRETS", str(tmp_path / "nowhere"))
    with pytest.raises(ConfigurationError, match="folder of secrets cannot be read"):
        load()


@pytest.mark.parametrize("value", ["mqtt", " mqtt, "])
def test_a_list_in_the_environment(monkeypatch: pytest.MonkeyPatch, value: str) -> None:
    monkeypatch.setenv("OCPP_GATEWAY__GATEWAY__ADAPTERS", value)
    assert load().settings.gateway.adapters == ["mqtt"]


def test_policies_come_from_the_environment_too(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("OCPP_GATEWAY__ANSWERS__AUTHORIZE", "tokens, webhook:2,invalid")
    monkeypatch.setenv("OCPP_GATEWAY__WEBHOOKS__URL", "https://billing.example/ocpp")
    monkeypatch.setenv("OCPP_GATEWAY__ANSWERS__BOOT", '["known"]')
    monkeypatch.setenv("OCPP_GATEWAY__ANSWERS__GROUPS", '[{"chargers": ["a*"], "boot": ["pending"]}]')
    monkeypatch.setenv("OCPP_GATEWAY__CHARGERS__MONEY_GRACE", "4")
    answers = load().settings.answers
    assert (answers.authorize, answers.boot) == (("tokens", "webhook:2", "invalid"), ("known",))
    assert (answers.groups[0].chargers, answers.groups[0].boot) == (("a*",), ("pending",))
    assert answers.deadline == 3


@pytest.mark.parametrize(
    ("text", "line", "told"),
    [
        ('[answers]\nboot = ["mqtt:1", "webhook", "rejected"]', 2, r"'webhook' can ask nobody, as \[webhooks\] url"),
        ('[answers]\n[[answers.groups]]\nchargers = ["a"]\nauthorize = ["webhook:2"]', 1, "'webhook:2' can ask nobody"),
        ('[gateway]\nadapters = ["rest"]\n[answers]\nboot = ["mqtt"]', 4, "'mqtt' can ask nobody, as the adapter mqtt"),
        (
            '[gateway]\nadapters = ["mqtt"]\n[webhooks]\nurl = "http://a/"\n[answers]\nboot = ["webhook"]',
            6,
            "the adapter webhooks is not among",
        ),
    ],
)
def test_a_step_that_can_ask_nobody_is_a_mistake(text: str, line: int, told: str) -> None:
    with pytest.raises(ConfigurationError, match=told) as raised:
        load(write(text))
    assert (raised.value.source, raised.value.line) == ("gateway.toml", line)


def test_steps_that_do_not_fit_their_deadline_are_told() -> None:
    text = '[chargers]\nmoney_grace = 8\n[answers]\nboot = ["mqtt:4", "mqtt", "local"]\nauthorize = ["mqtt:6"]\n'
    (told,) = load(write(text)).advice
    assert "answers.boot (all): the steps mqtt:4, mqtt, local may take 7 s, but the whole chain has 6 s" in told


@pytest.mark.parametrize(
    "variable", ["OCPP_GATEWAY_CHARGERS_PORT", "OCPP_GATEWAY_CHARGERS__PORT", "ocpp_gateway_chargers_port"]
)
def test_a_variable_that_lacks_an_underscore_is_told_with_the_right_spelling(
    monkeypatch: pytest.MonkeyPatch, variable: str
) -> None:
    monkeypatch.setenv(variable, "9100")
    loaded = load()
    assert loaded.settings.chargers.port == 9000
    assert loaded.advice == (f"the variable {variable} is not read: the option is spelt OCPP_GATEWAY__CHARGERS__PORT",)


def test_variables_of_a_kubernetes_service_with_our_name_do_no_harm(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("OCPP_GATEWAY_PORT", "tcp://10.0.0.1:9000")
    monkeypatch.setenv("OCPP_GATEWAY_SERVICE_HOST", "10.0.0.1")
    monkeypatch.setenv("OCPP_GATEWAY_REST_PORT", "tcp://10.0.0.1:8080")
    loaded = load()
    assert (loaded.settings.chargers.port, loaded.advice) == (9000, ())


def test_the_data_folder_follows_systemd_and_xdg(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("XDG_STATE_HOME", "/state")
    assert load().settings.gateway.data_dir == Path("/state/ocpp-gateway")
    monkeypatch.setenv("STATE_DIRECTORY", "/var/lib/gateway:/var/lib/other")
    assert load().settings.gateway.data_dir == Path("/var/lib/gateway")


def test_two_nodes_of_one_machine_have_names_of_their_own() -> None:
    assert load().settings.gateway.node != load().settings.gateway.node


def test_settings_made_in_code_do_not_read_the_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("OCPP_GATEWAY__CHARGERS__PORT", "2")
    assert Settings().chargers.port == 9000


# ------------------------------------------------------------ what is wrong


@pytest.mark.parametrize(
    ("text", "line", "message"),
    [
        ("[chargers]\n\nprot = 1\n", 3, r"unknown option 'prot' in \[chargers\]; did you mean 'port'\?"),
        ("[charger]\nport = 1\n", 1, r"unknown section \[charger\]; did you mean \[chargers\]\?"),
        ("[rest]\nmoney_grace = 1\n", 2, r"unknown option 'money_grace' .*did you mean \[chargers\] money_grace\?"),
        ("data_dir = '/x'\n", 1, r"did you mean \[gateway\] data_dir\?"),
        ("[chargers]\nport = 70000\n", 2, r"chargers\.port: .*less than or equal to 65535 \(it is 70000\)"),
        ("[chargers]\nhost = '::'\nport = 'x'\n", 3, r"chargers\.port: .*valid integer.*\(it is 'x'\)"),
        ("# why\n[chargers]\nhost = 'a'\ntls_key = '/dev/null'\n", 2, "tls_certificate and tls_key go together"),
        ("chargers = 3\n", 1, r"chargers: Input should be a valid dictionary"),
        ("[chargers]\nport = \n", 2, "not TOML"),
        ("[chargers\n", 1, "not TOML"),
        ("[gateway]\nadapters = [\n  'mqtt',\n", 3, "not TOML"),
        ("chargers = { host = 'a', prot = 1 }\n", 1, "unknown option 'prot'"),
        ("[gateway]\nnode = 'a b'\n", 2, r"gateway\.node: "),
        (
            "[gateway]\nadapters = ['mqqt']\n",
            2,
            r"gateway\.adapters: unknown adapter 'mqqt'; known are homeassistant, m",
        ),
        ("[gateway]\nadapters = ['rest', 'rest']\n", 2, r"gateway\.adapters: 'rest' is named twice"),
        ("[gateway]\nadapters = ['homeassistant']\n", 2, r"over the broker of 'mqtt': name that, too"),
        ("[homeassistant]\nlanguage = 'xx'\n", 2, r"homeassistant\.language: "),
        ("[homeassistant.chargers.A]\nmin_a = 9\nmax_a = 8\n", 1, r"min_a \(9\) is above max_a \(8\)"),
        ("[homeassistant.chargers.A]\nfirmware_url = 'http://a'\n", 1, "firmware_url and firmware_version go together"),
        ("[answers]\n\nboot = ['tokens']\n", 3, r"answers\.boot: 'tokens' is a step of authorize only"),
        (
            "[answers]\n[[answers.groups]]\nchargers = ['a']\n\nboot = ['x']\n",
            5,
            r"answers\.groups\.0\.boot: unknown step",
        ),
        ("[answers.chargers.CP1]\n\nbooot = ['x']\n", 3, r"unknown option 'booot' in \[answers.chargers.CP1\]"),
        ("[chargers]\nmoney_grace = 3\n[answers]\ndeadline = 3\n", 3, r"deadline 3 must be less than .*money_grace 3"),
    ],
)
def test_a_mistake_is_told_with_its_line(text: str, line: int, message: str) -> None:
    path = write(text)
    with pytest.raises(ConfigurationError, match=message) as raised:
        load(path)
    assert (raised.value.source, raised.value.line) == ("gateway.toml", line)
    assert str(raised.value).startswith(f"gateway.toml, line {line}: ")


@pytest.mark.parametrize(
    ("section", "url"),
    [
        ("mqtt", "mqtt://user:SECRET/more@broker:1883"),
        ("mqtt", "mqtt://user:SECRET#more@broker"),
        ("mqtt", "mqtt://user:SECRET@broker:99999"),
        ("mqtt", "http://user:SECRET@broker"),
        ("redis", "redis://user:SECRET/more@cache:6379"),
        ("redis", "redis://user:SECRET#more@cache"),
        ("redis", "redis://user:SECRET@cache:none"),
        ("redis", "mqtt://user:SECRET@cache"),
        ("redis", "redis+sentinel://user:SECRET/more@a:1,b:2/service/0"),
        ("redis", "redis+sentinel://user:SECRET@a:1,b:none/service/0"),
        ("redis", "redis+sentinel://user:SECRET@a:1,b:2"),
        ("redis", "redis+sentinel://user:SECRET@a:1/service/0/more"),
        ("redis", "rediss+cluster://user:SECRET@a:1,b:70000"),
        ("redis", "redis+cluster://user:SECRET@a:1,,b:2"),
        ("redis", "redis+cluster://user:SECRET@a:1/3"),
        ("redis", "redis+cluster://user:SECRET#more@a:1"),
    ],
)
def test_a_url_that_leads_nowhere_is_told_without_its_password(section: str, url: str) -> None:
    with pytest.raises(ConfigurationError, match=rf"line 2: {section}\.url: .* percent-encoded") as raised:
        load(write(f"[{section}]\nurl = '{url}'\n"))
    assert "SECRET" not in str(raised.value)


def test_all_mistakes_are_told_at_once() -> None:
    with pytest.raises(ConfigurationError) as raised:
        load(write("[chargers]\nport = -1\nprot = 1\n[rest]\nport = -1\n"))
    assert [line.partition(": ")[0] for line in str(raised.value).splitlines()] == [
        "gateway.toml, line 2",
        "gateway.toml, line 3",
        "gateway.toml, line 5",
    ]


@pytest.mark.parametrize(
    ("variable", "value", "message"),
    [
        ("OCPP_GATEWAY__CHARGERS__PROT", "1", "unknown option 'prot' .* did you mean 'port'"),
        ("OCPP_GATEWAY__CHARGES__PORT", "1", r"unknown section \[charges\]; did you mean \[chargers\]"),
        ("OCPP_GATEWAY__CHARGERS__PORT", "x", "chargers.port: .*valid integer"),
        ("OCPP_GATEWAY__NONSENSE", "x", r"unknown section \[nonsense\]"),
    ],
)
def test_a_wrong_variable_is_told_by_name(
    monkeypatch: pytest.MonkeyPatch, variable: str, value: str, message: str
) -> None:
    monkeypatch.setenv(variable, value)
    with pytest.raises(ConfigurationError, match=message) as raised:
        load()
    assert raised.value.source == variable


def test_a_value_that_may_be_secret_is_not_repeated() -> None:
    with pytest.raises(ConfigurationError) as raised:
        load(write('[rest]\nadmin_key = "hunter2"\n'))
    assert "hunter2" not in str(raised.value)
    assert raised.value.line == 2


def test_a_file_that_is_not_there_is_told() -> None:
    with pytest.raises(ConfigurationError, match=r"missing\.toml: cannot be read: No such file"):
        load(Path("missing.toml"))


# ------------------------------------------------------------ lines and descriptions

TEXT = '''\
top = 1

[a]
x = """
one
y = 2
"""
"quoted key" = [
  1,
]
b.c = 3
d = { e = 1, f = 2 }
[a.g]
h = 1
[[list]]
i = 1
'''


def test_lines_are_those_where_a_key_begins() -> None:
    assert key_lines(TEXT) == {
        ("top",): 1,
        ("a",): 3,
        ("a", "x"): 4,
        ("a", "quoted key"): 8,
        ("a", "b"): 11,
        ("a", "b", "c"): 11,
        ("a", "d"): 12,
        ("a", "d", "e"): 12,
        ("a", "d", "f"): 12,
        ("a", "g"): 13,
        ("a", "g", "h"): 14,
        ("list",): 15,
        ("list", "0"): 15,
        ("list", "0", "i"): 16,
    }


@given(st.lists(st.sampled_from(["a", "b", "c"]), unique=True), st.integers(0, 3))
def test_every_key_has_its_line_whatever_stands_between(names: list[str], gap: int) -> None:
    text = "".join("# comment\n" * gap + f"{name} = 1\n" for name in names)
    assert key_lines(text) == {(name,): (gap + 1) * (index + 1) for index, name in enumerate(names)}


def test_every_option_is_described() -> None:
    for section, model in config.sections().items():
        assert model.__doc__, section
        for option, field in model.model_fields.items():
            assert field.description, f"{section}.{option}"
            assert not field.description.endswith("."), f"{section}.{option}"
            assert not isinstance(field.annotation, type) or not issubclass(field.annotation, BaseModel)


def test_key_paths_name_tables_before_what_they_hold() -> None:
    assert list(key_paths({"a": {"b": 1}, "c": 2})) == [("a",), ("a", "b"), ("c",)]
    assert list(key_paths({"a": [{"b": 1}, 2]})) == [("a",), ("a", "0"), ("a", "0", "b")]


def test_an_embedded_valkey_keeps_few_events_unless_told_otherwise() -> None:
    assert ClusterConfig().log_max_bytes == 32 * 1024**2
    assert ClusterConfig(url="redis://cache").log_max_bytes == 256 * 1024**2
    assert ClusterConfig(log_max_bytes=10**9).log_max_bytes == 10**9
    assert ClusterConfig(log_hard_max_bytes=10**6).log_max_bytes == 10**6
