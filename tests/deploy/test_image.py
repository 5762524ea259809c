"""The steps of deploy/Dockerfile, taken without Docker: built, run with all read-only but its state, asked, drained."""

import os
import re
import shlex
import shutil
import signal
import subprocess
import sys
import sysconfig
from collections.abc import Iterator
from itertools import takewhile
from pathlib import Path

import pytest

from tests.deploy.dockerfile import DEPLOY, Stage, stages
from tests.support.servers import free_port

ROOT = DEPLOY.parent
BUILD, IMAGE = stages((DEPLOY / "Dockerfile").read_text())
STATE = "/var/lib/ocpp-gateway"


class Machine:
    """A folder that stands for the file system of a container."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.tools = folder / "tools"
        self.tools.mkdir(parents=True)
        self._tool("python", sys.executable)
        self._tool("pip", f"{sys.executable} -m pip --disable-pip-version-check --no-input")

    def _tool(self, name: str, command: str) -> None:
        (self.tools / name).write_text(f'#!/bin/sh\nexec {command} "$@"\n')
        (self.tools / name).chmod(0o755)

    def at(self, path: str) -> Path:
        return self.folder / path.lstrip("/")

    def moved(self, command: str) -> str:
        """A command with its absolute paths in this folder."""
        return re.sub(r"(?<![^\s:=])/(?=[a-z])", f"{self.folder}/", command)

    def copy(self, rest: str, context: Path, workdir: str) -> None:
        """COPY."""
        words = [word for word in shlex.split(rest) if not word.startswith("--")]
        source = self.folder if "--from=" in rest else context
        *what, target = words
        to = self.at(target if target.startswith("/") else f"{workdir}/{target}")
        for name in what:
            found = source / name.lstrip("/")
            if found.is_dir():
                if found != to:
                    shutil.copytree(found, to, ignore=shutil.ignore_patterns("__pycache__"), dirs_exist_ok=True)
            else:
                to.mkdir(parents=True, exist_ok=True)
                shutil.copy(found, to)

    def lend_packages(self) -> None:
        """Let the new environment see what the tests' own has installed, but for the gateway: nothing is fetched."""
        lent = self.folder / "lent"
        lent.mkdir()
        for entry in Path(sysconfig.get_path("purelib")).iterdir():
            if not re.match(r"ocpp_mqtt_gateway|__editable__|_+editable|gateway|adapters", entry.name, re.IGNORECASE):
                (lent / entry.name).symlink_to(entry)
        (site,) = self.at("/opt/ocpp-gateway/lib").glob("python*/site-packages")
        (site / "lent.pth").write_text(f"{lent}\n")

    def make_read_only(self) -> None:
        for path in sorted(self.folder.rglob("*"), reverse=True):
            if not path.is_symlink() and not path.is_relative_to(self.at(STATE)):
                path.chmod(path.stat().st_mode & ~0o222)

    def make_removable(self) -> None:
        for path in [self.folder, *self.folder.rglob("*")]:
            if path.is_dir() and not path.is_symlink():
                path.chmod(path.stat().st_mode | 0o700)


def build(machine: Machine) -> None:
    """Carry out the first stage, and the second one's COPY."""
    workdir = BUILD.one("WORKDIR")
    machine.at(workdir).mkdir(parents=True)
    environment = {**os.environ, "PATH": f"{machine.tools}:{os.environ['PATH']}"}
    environment.pop("PYTHONPATH", None)
    for instruction, rest in BUILD.steps:
        if instruction == "COPY":
            machine.copy(rest, ROOT, workdir)
        for command in rest.split("&&") if instruction == "RUN" else ():
            done = subprocess.run(
                ["sh", "-c", machine.moved(command)],
                cwd=machine.at(workdir),
                env=environment,
                capture_output=True,
                text=True,
                timeout=400,
                check=False,
            )
            if done.returncode and re.search(r"No matching distribution found for setuptools", done.stderr):
                pytest.skip("PyPI cannot be reached, so that no wheel can be built")
            assert done.returncode == 0, f"{command}: {done.stdout}{done.stderr}"
            if " venv " in command:
                machine.lend_packages()
    for rest in IMAGE.all("COPY"):
        machine.copy(rest, ROOT, "/")
    machine.at(IMAGE.one("WORKDIR")).mkdir(parents=True)
    shutil.rmtree(machine.at(workdir))


def unprivileged(command: list[str]) -> list[str]:
    """For root, too, what is read-only is so: it runs without any capability."""
    return ["setpriv", "--bounding-set=-all", "--inh-caps=-all", *command] if os.geteuid() == 0 else command


@pytest.fixture
def machine(tmp_path: Path) -> "Iterator[Machine]":
    machine = Machine(tmp_path / "container")
    yield machine
    machine.make_removable()


def stage_environment(machine: Machine, stage: Stage, **more: str) -> dict[str, str]:
    own = {name: machine.moved(value) for name, value in stage.environment().items()}
    return {**own, "PATH": own["PATH"].replace("$PATH", os.environ["PATH"]), **more}


@pytest.mark.timeout(600)
def test_the_image_is_built_and_runs_with_nothing_writable_but_its_state(machine: Machine) -> None:
    build(machine)
    machine.make_read_only()
    rest, chargers, broker = (str(free_port()) for _ in range(3))
    environment = stage_environment(
        machine,
        IMAGE,
        OCPP_GATEWAY__REST__PORT=rest,
        OCPP_GATEWAY__CHARGERS__PORT=chargers,
        OCPP_GATEWAY__MQTT__EMBEDDED_PORT=broker,
    )

    def run(*command: str) -> "subprocess.Popen[str]":
        return subprocess.Popen(
            unprivileged(list(command)),
            cwd=machine.at(IMAGE.one("WORKDIR")),
            env=environment,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
        )

    assert run("touch", str(machine.at("/opt/ocpp-gateway/there"))).wait(60) != 0
    health = IMAGE.command("HEALTHCHECK")
    assert run(*health).wait(60) == 1
    gateway = run(*IMAGE.command("ENTRYPOINT"), *IMAGE.command("CMD"))
    try:
        assert gateway.stdout is not None
        begun = list(takewhile(lambda line: "chargers may connect" not in line, gateway.stdout))
        assert gateway.poll() is None, begun
        assert run(*health).wait(60) == 0
        gateway.send_signal(signal.SIGTERM)
        said = gateway.communicate(timeout=60)[0]
    finally:
        gateway.kill()
    assert gateway.returncode == 0, said
    assert "drained" in said
    assert any(machine.at(STATE).iterdir()), "the embedded servers' data is not where the image keeps it"


def test_the_image_runs_as_a_user_of_its_own_and_owns_only_its_state() -> None:
    user = IMAGE.one("USER")
    assert re.fullmatch(r"[1-9]\d{3,}:[1-9]\d{3,}", user), "a number, so that Kubernetes can tell that it is not root"
    owned = [rest for rest in IMAGE.all("COPY") if "--chown" in rest]
    assert owned == [f"--from=build --chown={user} /state {STATE}"]


def test_no_step_depends_on_the_processor() -> None:
    text = (DEPLOY / "Dockerfile").read_text()
    assert not re.search(r"amd64|arm64|x86_64|aarch64|--platform", text)
    assert all(re.fullmatch(r"python:3\.\d+-slim", stage.base) for stage in (BUILD, IMAGE))


def test_the_build_is_sent_what_it_copies_and_nothing_else() -> None:
    lines = (DEPLOY / "Dockerfile.dockerignore").read_text().splitlines()
    let_in = {line[1:] for line in lines if line.startswith("!")}
    copied = {word.removeprefix("./") for rest in BUILD.all("COPY") for word in shlex.split(rest)[:-1]}
    assert let_in == copied
    assert "*" in lines
