"""A published result: one JSON file for programs and one text for people, named after date, version and subject."""

from __future__ import annotations

import datetime
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from benchmarks import gate
from benchmarks.harness import versions


def publish(folder: Path, subject: str, results: Mapping[str, Any], lines: Sequence[str]) -> Path:
    """Write DATE-VERSION-subject.json and .txt into `folder`; the path of the JSON file."""
    date, made = datetime.datetime.now(datetime.UTC).date().isoformat(), versions()
    path = folder / f"{date}-{made['halfhour']}-{subject}.json"
    gate.write(path, {"subject": subject, "date": date, "versions": made, "results": dict(results)})
    head = [f"{subject}, {date}", ", ".join(f"{name} {version}" for name, version in made.items()), ""]
    path.with_suffix(".txt").write_text("\n".join([*head, *lines, ""]), encoding="utf-8")
    return path
