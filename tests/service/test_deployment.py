"""The files of deploy/ start commands that there are, with options that these have."""

import configparser
import shlex
from pathlib import Path

import yaml

from cooldown.search.cli.frame import command_line

DEPLOY = Path(__file__).parents[2] / "deploy"
COMMANDS = command_line().commands


def check(words: list[str]) -> None:
    """A command line whose first word is the name of a command."""
    known = {option for parameter in COMMANDS[words[0]].params for option in parameter.opts}
    assert {word for word in words[1:] if word.startswith("--")} <= known


def test_the_unit_of_systemd() -> None:
    unit = configparser.ConfigParser(interpolation=None)
    unit.optionxform = str  # type: ignore[assignment,method-assign]
    unit.read(DEPLOY / "cooldown.service")
    program, *words = shlex.split(unit["Service"]["ExecStart"])
    assert Path(program).name == "cooldown"
    check(words)


def test_the_services_of_the_containers() -> None:
    compose = yaml.safe_load((DEPLOY / "compose.yaml").read_text())
    services = compose["services"]
    for name in ("server", "worker"):
        check(services[name]["command"])
        assert {secret["source"] for secret in services[name]["secrets"]} <= compose["secrets"].keys()
    assert services["worker"]["deploy"]["replicas"] == 2
    built = DEPLOY.parent / services["server"]["build"]["dockerfile"]
    assert 'ENTRYPOINT ["cooldown"]' in built.read_text()
    for line in built.read_text().splitlines():
        if line.startswith("COPY"):
            assert line == "COPY . /src"
