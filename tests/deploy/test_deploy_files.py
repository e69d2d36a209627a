"""What cannot be run everywhere is at least what its reader takes: schemas, messages, hashes."""

from __future__ import annotations

import json
import re
import subprocess
import sys
from pathlib import Path

import pytest
import yaml
from helpers import REPO

from grokkeras.config.yaml_core import parse_yaml

DEPLOY = REPO / "deploy"
PROGRAMS = Path(sys.executable).parent


def run(*command: str | Path) -> None:
    done = subprocess.run([*map(str, command)], capture_output=True, text=True, timeout=120)
    assert done.returncode == 0, done.stdout + done.stderr


def test_compose_fits_the_compose_specification():
    schema = ["--builtin-schema", "vendor.compose-spec"]
    run(PROGRAMS / "check-jsonschema", *schema, DEPLOY / "compose.yaml")


def test_kubernetes_takes_the_deployment_and_the_service(tmp_path):
    files = [DEPLOY / "kubernetes" / f"{name}.yaml" for name in ("deployment", "service")]
    run(PROGRAMS / "kubernetes-validate", "--strict", *files)
    # The validator can say no: a probe that is none.
    broken = tmp_path / "broken.yaml"
    broken.write_text(files[0].read_text().replace("periodSeconds: 1\n", "periodSecond: 1\n"))
    with pytest.raises(AssertionError):
        run(PROGRAMS / "kubernetes-validate", "--strict", broken)


def test_the_inference_services_pod_is_a_pod(tmp_path):
    """KServe's own schema is in no package; its predictor is a pod's specification."""
    service = parse_yaml((DEPLOY / "kubernetes" / "inference-service.yaml").read_text(), "x")[0]
    assert service["apiVersion"] == "serving.kserve.io/v1beta1"
    predictor = dict(service["spec"]["predictor"])
    assert 0 < predictor.pop("minReplicas") <= predictor.pop("maxReplicas")
    pod = {"apiVersion": "v1", "kind": "Pod", "metadata": {"name": "x"}, "spec": predictor}
    (tmp_path / "pod.yaml").write_text(yaml.safe_dump(pod))
    run(PROGRAMS / "kubernetes-validate", "--strict", tmp_path / "pod.yaml")


def test_service_and_deployment_mean_the_same_pods_and_port():
    deployment, service = (
        parse_yaml((DEPLOY / "kubernetes" / f"{name}.yaml").read_text(), name)[0]
        for name in ("deployment", "service")
    )
    labels = deployment["spec"]["template"]["metadata"]["labels"]
    assert service["spec"]["selector"].items() <= labels.items()
    ports = deployment["spec"]["template"]["spec"]["containers"][0]["ports"]
    assert service["spec"]["ports"][0]["targetPort"] in [port["name"] for port in ports]
    assert ports[0]["containerPort"] == 8501


@pytest.mark.parametrize("name", ["requirements", "requirements-build", "requirements-tensorflow"])
def test_the_images_packages_are_hashed_and_those_the_tests_run_with(name):
    text = (DEPLOY / f"{name}.txt").read_text()
    pinned = dict(re.findall(r"^([\w.-]+)==(\S+) \\$", text, re.MULTILINE))
    listed = (DEPLOY / f"{name}.in").read_text().split()
    assert set(listed) <= set(pinned)
    for block in re.split(r"^(?=[\w.-]+==)", text, flags=re.MULTILINE)[1:]:
        assert "--hash=sha256:" in block, block
    tested = {
        each.split("==")[0].lower().replace("_", "-"): each.split("==")[1]
        for each in (REPO / "constraints.txt").read_text().split()
        if "==" in each
    }
    others = {key: value for key, value in pinned.items() if tested.get(key, value) != value}
    assert not others


def test_tensorflow_serving_looks_where_the_image_puts_the_models():
    folder = DEPLOY / "tensorflow-serving"
    dockerfile = (folder / "Dockerfile").read_text()
    for name in ("models", "batching", "monitoring"):
        assert f"/etc/tensorflow-serving/{name}.config" in dockerfile
        assert (folder / f"{name}.config").is_file()
    config = (folder / "models.config").read_text()
    names = re.findall(r'name: "(.+)"', config)
    assert re.findall(r'base_path: "/models/(.+)"', config) == names
    assert all((REPO / "saved_models" / name / "1" / "saved_model.pb").is_file() for name in names)


def test_only_what_the_images_need_goes_to_the_builder():
    """Every COPY of both Dockerfiles is let through by .dockerignore, and secrets are not."""
    lines = (REPO / ".dockerignore").read_text().splitlines()
    rules = [line for line in lines if line and not line.startswith("#")]
    assert rules[0] == "*"
    allowed = {rule.removeprefix("!") for rule in rules if rule.startswith("!")}
    for file in (REPO / "Dockerfile", DEPLOY / "tensorflow-serving" / "Dockerfile"):
        text = file.read_text().replace("\\\n", " ")
        for line in re.findall(r"^COPY (?!--from)(.+)$", text, re.MULTILINE):
            for source in line.split()[:-1]:
                assert any(Path(source).is_relative_to(each) or Path(source).match(each)
                           for each in allowed), source  # fmt: skip
                assert (REPO / source).exists(), source


def test_shipped_versions_are_whole_and_small():
    for manifest in (REPO / "saved_models").glob("*/*/manifest.json"):
        held = json.loads(manifest.read_text())
        assert held["has_grokked"] is True
        assert held["test_accuracy"] == 1.0
        found = {
            path.relative_to(manifest.parent).as_posix()
            for path in manifest.parent.rglob("*")
            if path.is_file() and path != manifest
        }
        assert found == set(held["files"])
        assert sum(entry["bytes"] for entry in held["files"].values()) < 4_000_000
