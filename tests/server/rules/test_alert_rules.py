"""The alert rules are those of the invariants, Prometheus reads them, and they fire and end as they should."""

import re
import shutil
import subprocess
from pathlib import Path

import pytest

from opsai_server.alert_rules import alert_rules, rules_text
from opsai_subjects.invariant import Invariant
from opsai_subjects.registry import subject_kind
from scripts.rules import files
from tests.server.toy import KIND

HERE = Path(__file__).parent
PROMTOOL = shutil.which("promtool")


def promtool(*arguments: object) -> str:
    assert PROMTOOL is not None, "promtool comes with Debian's prometheus"
    done = subprocess.run([PROMTOOL, *map(str, arguments)], check=False, capture_output=True, text=True, timeout=60)
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


@pytest.mark.parametrize("path", files(), ids=lambda path: path.parent.name)
def test_the_committed_rules_are_what_the_code_generates(path: Path) -> None:
    assert path.read_text(encoding="utf-8") == files()[path], "run: make rules"


@pytest.mark.parametrize("path", files(), ids=lambda path: path.parent.name)
def test_there_is_one_alert_for_each_invariant_and_two_for_our_sight(path: Path) -> None:
    text = path.read_text(encoding="utf-8")
    judged = re.findall(r'invariant="(\w+)",verdict="violated"', text)

    assert judged == [one.id for one in subject_kind(path.parent.name).invariants]
    assert len(re.findall(r"- alert:", text)) == len(judged) + 2
    assert "OpsaiWatcherLate" in text
    assert "OpsaiCannotSee" in text


@pytest.mark.prometheus
@pytest.mark.parametrize("path", files(), ids=lambda path: path.parent.name)
def test_prometheus_reads_the_rules(path: Path) -> None:
    assert f"{path.read_text(encoding='utf-8').count('- alert:')} rules found" in promtool("check", "rules", path)


@pytest.mark.prometheus
def test_the_alerts_fire_and_end_as_the_table_says() -> None:
    assert "SUCCESS" in promtool("test", "rules", HERE / "tikv.test.yml")


@pytest.mark.prometheus
def test_a_third_partys_invariants_become_rules_too_whatever_they_say(tmp_path: Path) -> None:
    wild = KIND.invariants[0].model_copy(
        update={
            "id": "part_wild",
            "says": 'It\'s "never" {{ $labels.x }} 100% \\ sure: ‹ok›\nor so.',
            "why": "{{ template }} # no comment",
            "for_seconds": 2.5,
        }
    )
    path = tmp_path / "rules.yml"
    path.write_text(rules_text("toy", alert_rules("toy", (*KIND.invariants, wild))), encoding="utf-8")
    (tmp_path / "test.yml").write_text(expected_of(wild), encoding="utf-8")

    assert "7 rules found" in promtool("check", "rules", path)
    assert "SUCCESS" in promtool("test", "rules", tmp_path / "test.yml")


@pytest.mark.prometheus
def test_the_scrape_configuration_of_the_page_is_one(tmp_path: Path) -> None:
    page = (HERE.parents[2] / "docs" / "operator.md").read_text(encoding="utf-8")
    (snippet,) = re.findall(r"^```yaml\n(scrape_configs:\n.*?)^```", page, re.MULTILINE | re.DOTALL)
    token = tmp_path / "opsai-token"  # promtool looks whether it is there
    token.write_text("canary-d41d8cd98f00b204", encoding="utf-8")
    assert "/etc/prometheus/opsai-token" in snippet
    snippet = snippet.replace("/etc/prometheus/opsai-token", str(token))
    (tmp_path / "prometheus.yml").write_text(snippet, encoding="utf-8")
    (tmp_path / "opsai-rules.yml").write_text(rules_text("toy", alert_rules("toy", KIND.invariants)), encoding="utf-8")

    said = promtool("check", "config", tmp_path / "prometheus.yml")

    assert "1 rule files found" in said
    assert "6 rules found" in said


def expected_of(wild: Invariant) -> str:
    assert wild.for_seconds == 2.5
    return """
rule_files: [rules.yml]
evaluation_interval: 5s
tests:
  - interval: 5s
    input_series:
      - series: 'opsai_invariant{cluster="c",subject="toy",invariant="part_wild",entity="part:a",severity="critical",verdict="violated"}'
        values: "1x24"
    alert_rule_test:
      - alertname: OpsaiPartWild
        eval_time: 60s
        exp_alerts:
          - exp_labels: {cluster: c, entity: "part:a", severity: critical, subject: toy, invariant: part_wild, grade: cause}
            exp_annotations:
              summary: "part:a of c: not so: It's \\"never\\" {{ $labels.x }} 100% \\\\ sure: ‹ok›\\nor so."
              description: "{{ template }} # no comment"
              runbook: "Ask opsai-mcp: knowledge part_wild; then differential, and tickets of c."
"""
