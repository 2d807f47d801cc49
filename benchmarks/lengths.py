"""Which modules are longer than one idea should be: `python -m benchmarks.lengths`."""

from __future__ import annotations

from pathlib import Path

AIM = 300
PACKAGES = ("routing", "dispatch", "sim", "api", "halfhour", "benchmarks")


def long_modules(root: Path) -> list[tuple[int, str]]:
    """(lines, path) of every module longer than AIM, longest first."""
    found = []
    for package in PACKAGES:
        for path in (root / package).rglob("*.py"):
            lines = path.read_text(encoding="utf-8").count("\n")
            if lines > AIM:
                found.append((lines, path.relative_to(root).as_posix()))
    return sorted(found, reverse=True)


if __name__ == "__main__":
    longest = long_modules(Path(__file__).resolve().parents[1])
    print(f"modules beyond {AIM} lines: {len(longest)}")
    for lines, path in longest:
        print(f"  {lines:5d}  {path}")
