"""Which distributions are plugins, by their metadata alone."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from seqloom.discovery import found_plugins, normalized

Install = Callable[..., Path]


def test_nothing_is_imported(install: Install) -> None:
    install("imu", "raise AssertionError")
    (found,) = [one for one in found_plugins() if one.name == "imu"]
    assert found[:4] == ("imu", "seqloom-imu", "0.1", "fake_imu")
    assert found.flaw == ""
    with pytest.raises(AssertionError):
        found.load()


def test_of_one_distribution_twice_the_first_on_the_path_counts(
    install: Install, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    install("imu", "")
    info = tmp_path / "first" / "Seqloom_IMU-0.9.dist-info"
    info.mkdir(parents=True)
    (info / "METADATA").write_text(
        "Metadata-Version: 2.1\nName: Seqloom.IMU\nVersion: 0.9\n\nName: other\n"
    )
    (info / "entry_points.txt").write_text("[other]\nx = y\n[seqloom]\nimu = newer\n")
    monkeypatch.syspath_prepend(str(tmp_path / "first"))
    (found,) = [one for one in found_plugins() if one.name == "imu"]
    assert found[:4] == ("imu", "Seqloom.IMU", "0.9", "newer")


def test_a_broken_distribution_that_is_no_plugin_is_nobodys_affair(install: Install) -> None:
    site = install("imu", "")
    info = site / "other-1.0.dist-info"
    info.mkdir()
    (info / "entry_points.txt").write_text("[console_scripts]\nno equals sign\n")
    assert "other" not in {one.distribution for one in found_plugins()}


def test_names_are_compared_as_indexes_do() -> None:
    assert normalized("Seqloom_IMU..x-y") == "seqloom-imu-x-y"
