"""Learnt speeds as a traffic table in TOML, to be read by everything that takes one."""

from __future__ import annotations

from collections.abc import Sequence

from routing.roads.traces.learning import DAY_S, Learnt

HEAD = """\
# Speeds learnt from {traces} traces ({km:.0f} km) by `halfhour roads learn`.
# seen: what the traces alone say; factor: drawn towards the class over the day where few have passed.
starts_at = 00:00:00
slot_s = {slot_s}
"""


def speeds_file(learnt: Sequence[Learnt], *, slot_s: int, timezone: str, traces: int) -> str:
    """The text of a daily table with one rule for each factor.

    Slots of a class that no trace has passed have no rule: there the streets' own speeds hold.
    """
    lines = [HEAD.format(traces=traces, km=sum(each.km for each in learnt), slot_s=slot_s)]
    if timezone:
        lines.append(f'timezone = "{timezone}"\n')
    for each in learnt:
        lines.append(f"\n[[speed]]  # seen {each.seen:.3f}, {each.traces:.1f} traces, {each.km:.1f} km\n")
        if slot_s < DAY_S:
            lines.append(f"from = {_clock(each.slot * slot_s)}\nto = {_clock((each.slot + 1) * slot_s)}\n")
        lines.append(f'class = ["{each.road_class}"]\nprofiles = ["{each.profile}"]\nfactor = {each.factor:.4f}\n')
    return "".join(lines)


def _clock(seconds: int) -> str:
    minutes = seconds % DAY_S // 60
    return f"{minutes // 60:02d}:{minutes % 60:02d}:00"
