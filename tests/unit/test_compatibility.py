"""Which versions go together: a plugin's with the interface, an installed one with a model's."""

from __future__ import annotations

from typing import Any

import pytest

from seqloom import compatibility
from seqloom.compatibility import check_api, fit, requirement
from seqloom.containment import Flaw


@pytest.fixture(autouse=True)
def here(monkeypatch: pytest.MonkeyPatch) -> None:
    """This core's interface, for these tests, is 1.3."""
    monkeypatch.setattr(compatibility, "API_VERSION", "1.3")


@pytest.mark.parametrize("asked", [1, ">=1.0,<2", ">=1.3", "==1.*", "~=1.2", "<2", ">1.2", ">=1.0,!=1.1"])
def test_an_interface_that_is_asked_for_is_given(asked: Any) -> None:
    assert check_api(asked, "seqloom-imu") == str(asked)


@pytest.mark.parametrize("asked", [2, ">=2,<3", ">=1.4", ">1.3", "==1.4", "==2.*", "~=1.4"])
def test_a_plugin_for_a_newer_interface_asks_for_another_core(asked: Any) -> None:
    with pytest.raises(Flaw, match=r"with plugin API 1.3; upgrade Seqloom: pip install --upgrade seqloom$"):
        check_api(asked, "seqloom-imu")


@pytest.mark.parametrize("asked", [0, "<1", ">=1.0,<1.3", "==1.2", "~=0.9", "==0.*", ">=1.0,!=1.3"])
def test_a_plugin_for_an_older_interface_is_to_be_upgraded(asked: Any) -> None:
    with pytest.raises(Flaw, match=r"; upgrade the plugin: pip install --upgrade seqloom-imu$"):
        check_api(asked, "seqloom-imu")


@pytest.mark.parametrize("asked", ["", " ", "one", "1.0", ">=one", True, 1.0, [1], (1, 2), object])
def test_what_is_no_version_is_told(asked: Any) -> None:
    with pytest.raises(
        Flaw, match=r"its seqloom_api is .*, neither a whole number nor a range as '>=1.1,<2'"
    ):
        check_api(asked, "seqloom-imu")


def test_a_plugin_that_is_not_installed_cannot_be_upgraded_by_pip() -> None:
    with pytest.raises(Flaw, match=r"; upgrade the plugin$"):
        check_api(0, "")


def test_who_says_nothing_is_told_what_to_say() -> None:
    with pytest.raises(Flaw, match=r"does not say which plugin API it is for: seqloom_api = 1$"):
        check_api(None, "seqloom-imu")


@pytest.mark.parametrize(
    ("made", "found", "wanted"),
    [
        ("0.1.0", "0.1.0", "same"),
        ("0.1", "0.1.4", "same"),
        ("0.1.4", "0.1.3", "older"),
        ("0.1.4", "0.2.0", "unfit"),
        ("0.2", "0.1.9", "unfit"),
        ("0.9", "1.0", "unfit"),
        ("1.2.3", "1.2.4", "same"),
        ("1.2.3", "1.2.2", "older"),
        ("1.2.3", "1.3.0", "newer"),
        ("1.2.3", "1.1.9", "unfit"),
        ("1.2.3", "2.0", "unfit"),
        ("2.0", "1.9", "unfit"),
        ("1.2.0", "1.2.0rc1", "older"),
        ("1.2.0", "1.2.0+local", "same"),
        ("1!1.0", "1.0", "unfit"),
        ("odd", "odd", "same"),
        ("odd", "1.0", "unfit"),
    ],
)
def test_versions_fit_by_their_numbers(made: str, found: str, wanted: str) -> None:
    assert fit(made, found) == wanted


@pytest.mark.parametrize(
    ("version", "wanted"),
    [
        ("0.1.0", "x>=0.1,<0.2"),
        ("0.1.3", "x>=0.1.3,<0.2"),
        ("1.4.0", "x>=1.4,<2"),
        ("2.0.1", "x>=2.0.1,<3"),
        ("0.2.0.dev1+local", "x>=0.2.0.dev1,<0.3"),
        ("1.0rc1", "x>=1.0rc1,<2"),
        ("1!1.0", "x>=1!1.0,<1!2"),
        ("odd", "x==odd"),
    ],
)
def test_what_to_ask_pip_for_holds_the_version_and_what_fits_it(version: str, wanted: str) -> None:
    assert requirement("x", version) == wanted
