"""The GitHub Action, the GitLab template and the Dockerfile ask for what exists, and the action's script runs as it stands."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
import yaml

from dbguard.cli.check import command as check
from dbguard.cli.gate import command as gate
from dbguard.report import FORMATS
from dbguard.report.gate_formats import FORMATS as GATE_FORMATS

ROOT = Path(__file__).parent.parent
ACTION = yaml.safe_load((ROOT / "action.yml").read_text())
STEPS = {step["name"]: step for step in ACTION["runs"]["steps"]}
TEMPLATE = yaml.safe_load((ROOT / "docs/ci/gitlab.yml").read_text())


def options(command: Any) -> set[str]:
    return {name for parameter in command.params for name in parameter.opts if name.startswith("--")}


def test_every_input_is_described_has_a_default_and_is_used():
    text = (ROOT / "action.yml").read_text()
    for name, told in ACTION["inputs"].items():
        assert told["description"]
        assert "default" in told
        assert f"inputs.{name}" in text, name


def test_every_input_that_is_used_exists():
    used = set(re.findall(r"inputs\.([\w-]+)", (ROOT / "action.yml").read_text()))
    assert used == set(ACTION["inputs"])


def test_inputs_reach_scripts_as_variables_only():
    """An input that stands in a script is run as a part of it."""
    for step in ACTION["runs"]["steps"]:
        assert "${{" not in step.get("run", "")


def test_options_of_the_action_exist():
    script = STEPS["Run dbguard"]["run"]
    of_gate = re.search(r'if \[ "\$INPUT_COMMAND" = gate \]; then(.*?)\n        ?else', script, re.DOTALL) or re.search(
        r"= gate \]; then(.*?)\nelse", script, re.DOTALL
    )
    assert of_gate is not None
    for both in set(re.findall(r"(--[a-z][\w-]*)", script.replace(of_gate[1], ""))):
        assert both in options(check), both
        assert both in options(gate), both
    for one in re.findall(r"(--[a-z][\w-]*)", of_gate[1]):
        assert one in options(gate), one


def test_formats_of_the_action_exist():
    for name in re.findall(r"(?:--format |--output \"?(?:\$\{\w+:\+)?)(\w+)", STEPS["Run dbguard"]["run"]):
        assert name in FORMATS
        assert name in GATE_FORMATS or name == "concise"


@pytest.mark.parametrize("job", ["dbguard-check", "dbguard-gate"])
def test_the_gitlab_template_uses_options_and_formats_that_exist(job: str):
    script = "\n".join(TEMPLATE[job]["script"])
    verb, known, formats = (check, options(check), FORMATS) if job.endswith("check") else (gate, options(gate), GATE_FORMATS)
    line = script[script.index(f"dbguard {verb.name}") :]
    assert set(re.findall(r"(--[a-z][\w-]*)", line)) <= known
    assert set(re.findall(r"--output (\w+)=", line)) <= formats.keys()
    written = set(re.findall(r"(?:--output \w+=|--html )([\w.-]+)", line))
    kept = {*TEMPLATE[job]["artifacts"]["reports"].values(), *TEMPLATE[job]["artifacts"].get("paths", [])}
    assert written == kept


def test_examples_in_the_documentation_are_yaml_with_inputs_that_exist():
    text = (ROOT / "docs/ci.md").read_text()
    for fence in re.findall(r"```yaml\n(.*?)```", text, re.DOTALL):
        document = yaml.safe_load(fence)
        steps = document["jobs"]["dbguard"]["steps"] if isinstance(document, dict) else document
        for step in steps:
            if step["uses"].startswith("dbguard/"):
                assert set(step["with"]) <= set(ACTION["inputs"])


def test_every_format_is_documented():
    rows = re.findall(r"^\| `(\w+)` \| .* \| (yes)? ?\| (yes)? ?\|$", (ROOT / "docs/ci.md").read_text(), re.MULTILINE)
    assert {name for name, in_check, _ in rows if in_check} == FORMATS.keys()
    assert {name for name, _, in_gate in rows if in_gate} == GATE_FORMATS.keys()


def test_the_image_does_not_run_as_root_and_copies_what_exists():
    lines = (ROOT / "Dockerfile").read_text().splitlines()
    users = [line.split()[1] for line in lines if line.startswith("USER ")]
    assert users
    assert users[-1] not in {"root", "0"}
    assert lines.index(f"USER {users[-1]}") > max(number for number, line in enumerate(lines) if line.startswith("RUN "))
    for line in lines:
        if line.startswith("COPY ") and "--from" not in line:
            for source in line.split()[1:-1]:
                assert (ROOT / source).exists(), source


@pytest.fixture
def project(tmp_path: Path) -> Path:
    shutil.copytree(ROOT / "fixtures/shop", tmp_path / "project")
    return tmp_path / "project"


def run(project: Path, **inputs: str) -> subprocess.CompletedProcess[str]:
    """The script of the action with inputs, as the runner sets them."""
    given = {name: str(told["default"]) for name, told in ACTION["inputs"].items()} | {name.replace("_", "-"): text for name, text in inputs.items()}
    step = STEPS["Run dbguard"]
    environment = {
        "PATH": f"{Path(sys.executable).parent}:{os.environ['PATH']}",
        "HOME": os.environ.get("HOME", "/"),
        "RUNNER_TEMP": str(project.parent),
        "GITHUB_STEP_SUMMARY": str(project.parent / "summary.md"),
        **{key: re.sub(r"\$\{\{ inputs\.([\w-]+) \}\}", lambda match: given[match[1]], text) for key, text in step["env"].items()},
    }
    environment["GITHUB_TOKEN"] = ""
    command = ["bash", "--noprofile", "--norc", "-e", "-o", "pipefail", "-c", step["run"]]
    return subprocess.run(command, cwd=project, env=environment, capture_output=True, text=True, check=False, timeout=60)


def test_the_action_annotates_writes_its_files_and_fails_as_dbguard_does(project: Path):
    done = run(project, sarif="dbguard.sarif", junit="out.xml", html="report.html", comment="true")

    assert done.returncode == 1, done.stderr
    assert done.stdout.startswith("::error file=db/migrations/")
    assert (project.parent / "summary.md").read_text().startswith("## dbguard: ")
    assert all((project / name).stat().st_size > 100 for name in ("dbguard.sarif", "out.xml", "report.html"))
    assert (
        "dbguard: no comment was written, because this is neither GitHub Actions nor GitLab CI; the report is in the summary of the step"
        in done.stderr
    )


def test_the_action_takes_paths_and_arguments_one_a_line(project: Path):
    (project / "a b").mkdir()
    (project / "a b" / "001.sql").write_text("SELECT 1;\n")

    done = run(project, paths="a b/001.sql\n", arguments="--ignore\nlock-timeout-missing\n")

    assert done.returncode == 0, done.stdout + done.stderr


@pytest.mark.parametrize("text", ['"; touch pwned; "', "$(touch pwned)", "`touch pwned`", "--help", "-x"])
def test_an_input_is_never_run(project: Path, text: str):
    done = run(project, paths=text, since="all")

    assert done.returncode == 2
    assert not (project / "pwned").exists()
    assert "Usage:" not in done.stdout


def test_an_unknown_command_is_refused(project: Path):
    assert run(project, command="rm").returncode == 2


def test_the_action_compares_a_pull_request_with_where_it_goes(project: Path):
    os.environ["GITHUB_BASE_REF"] = "main"
    try:
        step = STEPS["Run dbguard"]["run"].replace('dbguard "$INPUT_COMMAND"', "printf '%s\\n' \"$INPUT_COMMAND\"")
        environment = {"PATH": os.environ["PATH"], "RUNNER_TEMP": ".", "GITHUB_STEP_SUMMARY": "s", "GITHUB_BASE_REF": "main", "INPUT_COMMAND": "gate"}
        environment |= {
            f"INPUT_{name}": ""
            for name in ("PATHS", "SINCE", "FAIL_ON", "SNAPSHOT", "POSTGRES", "CONFIG", "SARIF", "HTML", "JUNIT", "COMMENT", "ARGUMENTS")
        }
        done = subprocess.run(["bash", "-c", step], env=environment | {"INPUT_WORKLOAD": "a\nb c\n"}, capture_output=True, text=True, check=True)
    finally:
        del os.environ["GITHUB_BASE_REF"]
    assert done.stdout.splitlines() == [
        "gate",
        "--format",
        "github",
        "--output",
        "summary=s",
        "--since",
        "origin/main",
        "--workload",
        "a",
        "--workload",
        "b c",
        "--",
    ]


@pytest.mark.parametrize("script", [step["run"] for step in ACTION["runs"]["steps"] if "run" in step])
def test_scripts_are_bash(script: str):
    subprocess.run(["bash", "-n", "-c", script], check=True)
