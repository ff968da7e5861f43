"""What holds of any input at all, tried with inputs that hypothesis makes up and makes small."""

from __future__ import annotations

import json
from pathlib import PurePosixPath, PureWindowsPath

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as some
from hypothesis.extra.numpy import arrays

from contract.image import Stored, network_to_stored, stored_to_network
from contract.pose import AXES, mirrored_pose, pose_from_vector
from contract.records import append_line, journal_lines
from contract.text import escaped_path, printable, restored_path
from dataset.unpack.names import decoded, safe_path
from renderer.deform.quaternion import Quat, inverse, multiply, normalised, rotate

settings.register_profile("quick", max_examples=100, deadline=None)
settings.load_profile("quick")

NUMBERS = some.floats(-1, 1)
QUATERNIONS = some.tuples(NUMBERS, NUMBERS, NUMBERS, NUMBERS).filter(
    lambda q: sum(x * x for x in q) > 1e-2
)
POSES = some.tuples(*(some.floats(axis.low, axis.high, width=32) for axis in AXES))
PATHS = some.binary(min_size=1, max_size=40).map(
    lambda data: data.decode("utf-8", "surrogateescape")
)
JSON = some.recursive(
    some.none() | some.booleans() | some.integers() | some.text(),
    lambda inner: some.lists(inner) | some.dictionaries(some.text(), inner),
    max_leaves=8,
)


@given(PATHS)
def test_a_path_of_any_bytes_comes_back_from_its_text(path: str) -> None:
    text = escaped_path(path)
    assert restored_path(text) == path
    text.encode("utf-8")  # every file and page can hold it


@given(some.text(max_size=300))
def test_a_name_of_an_archive_stays_in_its_folder_on_every_system(name: str) -> None:
    path = safe_path(name)
    if path is None:
        return
    windows = PureWindowsPath(str(path))
    assert not path.is_absolute()
    assert not windows.drive and not windows.root
    assert ".." not in path.parts and ".." not in windows.parts
    assert all(part == part.rstrip(". ") and len(part) <= 121 for part in path.parts)
    assert all(len(part.encode()) <= 241 for part in path.parts)
    assert safe_path(str(path)) == path


@given(some.lists(some.binary(max_size=30), max_size=6))
def test_names_of_any_bytes_are_read_one_for_one(raw_names: list[bytes]) -> None:
    encoding, names = decoded(raw_names, [])
    assert len(names) == len(raw_names)
    for raw, name in zip(raw_names, names, strict=True):
        assert safe_path(name) is None or isinstance(safe_path(name), PurePosixPath)
        if raw.isascii():
            assert name.replace("\\", "/") == raw.decode().replace("\\", "/"), encoding


@given(some.text(max_size=200))
def test_a_strangers_words_stay_on_one_line(text: str) -> None:
    shown = printable(text)
    assert shown.isprintable()
    assert len(shown.splitlines()) <= 1


@given(lines=some.lists(JSON, min_size=1, max_size=4), data=some.data())
@settings(suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_of_a_journal_that_was_cut_anywhere_the_whole_lines_stay(
    lines: list[object], data: some.DataObject, tmp_path_factory: pytest.TempPathFactory
) -> None:
    path = tmp_path_factory.mktemp("journal") / "j.jsonl"
    ends = [0]
    for line in lines:
        append_line(path, line)
        ends.append(path.stat().st_size)
    whole = path.read_bytes()
    cut = data.draw(some.integers(0, len(whole)))
    path.write_bytes(whole[:cut])
    # All but the newline of a line is the line.
    kept = sum(end <= cut + 1 for end in ends[1:])
    read = [json.loads(line) for line in journal_lines(path)]
    # What is left of a number's digits, say, is a number too: a cut line may count as another one.
    assert read[:kept] == lines[:kept]
    assert len(read) <= kept + 1
    assert path.read_bytes() == whole[:cut]  # reading writes nothing
    append_line(path, "next")
    after = [json.loads(line) for line in journal_lines(path)]
    assert after[:kept] == lines[:kept]
    assert after[-1] == "next"


@given(arrays(np.uint8, (3, 2, 4)))
def test_a_stored_picture_comes_back_from_the_network_form(picture: Stored) -> None:
    picture[picture[..., 3] == 0] = 0
    np.testing.assert_array_equal(network_to_stored(stored_to_network(picture)), picture)


@given(POSES)
def test_a_pose_mirrored_twice_is_the_pose(values: tuple[float, ...]) -> None:
    vector = pose_from_vector(values).to_vector()
    np.testing.assert_array_equal(mirrored_pose(mirrored_pose(vector)), vector)
    pose_from_vector(mirrored_pose(vector))  # and a mirrored pose is a pose


@given(QUATERNIONS, QUATERNIONS, some.tuples(NUMBERS, NUMBERS, NUMBERS))
def test_turns_after_each_other_are_one_turn_and_an_inverse_undoes_it(
    a: Quat, b: Quat, point: tuple[float, float, float]
) -> None:
    first, second = normalised(a), normalised(b)
    at_once = rotate(multiply(second, first), point)
    assert at_once == pytest.approx(rotate(second, rotate(first, point)), abs=1e-9)
    assert rotate(inverse(first), rotate(first, point)) == pytest.approx(point, abs=1e-9)
    assert np.linalg.norm(at_once) == pytest.approx(np.linalg.norm(point), abs=1e-9)
