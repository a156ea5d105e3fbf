"""What BORIS's own sample projects of format 7.0 hold, and what BORIS checks when it opens one.

Facts read off `tests/files/*.boris` of github.com/olivierfriard/BORIS; nothing of them is copied.
"""

from collections.abc import Mapping
from typing import Any

PROJECT = {
    "time_format": str, "project_date": str, "project_name": str, "project_description": str,
    "project_format_version": str, "subjects_conf": dict, "behaviors_conf": dict, "observations": dict,
    "behavioral_categories": list, "behavioral_categories_config": dict, "independent_variables": dict,
    "coding_map": dict, "behaviors_coding_map": list, "converters": dict,
}  # fmt: skip
BEHAVIOUR = {
    "type": str, "key": str, "code": str, "description": str, "color": str, "category": str,
    "modifiers": dict, "excluded": str, "coding map": str,
}  # fmt: skip
SUBJECT = {"key": str, "name": str, "description": str}
OBSERVATION = {
    "file": dict, "type": str, "date": str, "description": str, "time offset": float, "events": list,
    "independent_variables": dict, "visualize_spectrogram": bool, "close_behaviors_between_videos": bool,
    "media_info": dict,
}  # fmt: skip
MEDIA = ("length", "fps", "hasVideo", "hasAudio")
EVENT = (float, str, str, str, str)  # time, subject, behaviour, modifier, comment


def faults(project: Mapping[str, Any]) -> list[str]:
    """Where a project departs from them."""
    found = _types("project", project, PROJECT)
    found += [f"version {v}" for v in [project["project_format_version"]] if v != "7.0"]
    behaviours = list(project["behaviors_conf"].values())
    for table, parts in (("behaviors_conf", BEHAVIOUR), ("subjects_conf", SUBJECT)):
        rows = project[table]
        found += [f"{table} numbered {list(rows)}"] * (
            list(rows) != [str(n) for n in range(len(rows))]
        )
        found += [fault for row in rows.values() for fault in _types(table, row, parts)]
    codes = [b["code"] for b in behaviours]
    found += [f"code {c!r} twice" for c in set(codes) if codes.count(c) > 1]
    keys = [b["key"] for b in behaviours]
    found += [f"key {k!r}" for k in keys if len(k) != 1 or keys.count(k) > 1]
    for b in behaviours:
        if b["category"] not in project["behavioral_categories"]:
            found.append(f"category {b['category']!r} is none of the project's")
        excluded = set(b["excluded"].split(",")) - {""}
        found += [f"excluded {c!r} is no behaviour" for c in excluded - set(codes)]
        found += [f"code {b['code']!r}"] * ("|" in b["code"] or b["code"] != b["code"].strip())
    subjects = {s["name"] for s in project["subjects_conf"].values()} | {""}
    for id, observation in project["observations"].items():
        found += _observation_faults(id, observation, set(codes), subjects)
    return found


def _observation_faults(
    id: str, observation: Mapping[str, Any], codes: set[str], subjects: set[str]
) -> list[str]:
    found = _types(id, observation, OBSERVATION) + [f"id {id!r}"] * (id != id.strip())
    files = [file for player in observation["file"].values() for file in player]
    found += [f"{id}: type {observation['type']}"] * (
        observation["type"] != ("MEDIA" if files else "LIVE")
    )
    for part in MEDIA:
        found += [f"{id}: {part}"] * (set(observation["media_info"][part]) != set(files))
    going: set[tuple[str, str]] = set()
    times = []
    for event in observation["events"]:
        if tuple(map(type, event)) != EVENT:
            found.append(f"{id}: event {event}")
            continue
        time, subject, code, *_ = event
        times.append(time)
        found += [f"{id}: {code!r}"] * (code not in codes) + [f"{id}: {subject!r}"] * (
            subject not in subjects
        )
        going ^= {(subject, code)}
    found += [f"{id}: {state} never stops" for state in going]
    return found + [f"{id}: events out of order"] * (times != sorted(times))


def _types(what: str, given: Mapping[str, Any], expected: Mapping[str, type]) -> list[str]:
    found = [f"{what}: no {name}" for name in expected if name not in given]
    return found + [
        f"{what}: {name} is a {type(given[name]).__name__}"
        for name, kind in expected.items()
        if name in given and not isinstance(given[name], kind)
    ]
