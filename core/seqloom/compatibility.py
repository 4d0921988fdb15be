"""Do versions go together? A plugin's with this core's interface, a model's with what is installed."""

from __future__ import annotations

from typing import Literal

import seqloom
from seqloom.containment import Flaw
from seqloom.hooks import API_VERSION

Fit = Literal["same", "older", "newer", "unfit"]


def check_api(asked: object, distribution: str) -> str:
    """Whether this core's plugin interface is one that a plugin was written for.

    Args:
        asked: ``seqloom_api`` of its entry module: a whole number for all of that major version, or a range
            as pip has it, as ``">=1.1,<2"``; None where it says nothing.
        distribution: What a user installs of it; empty for one that is not installed.

    Returns:
        What it asks for, as a text.

    Raises:
        Flaw: It is not; says what each is for, and which of the two to upgrade.
    """
    if asked is None:
        major = API_VERSION.partition(".")[0]
        raise Flaw(f"its entry module does not say which plugin API it is for: seqloom_api = {major}")
    if isinstance(asked, int) and not isinstance(asked, bool):
        difference = asked - int(API_VERSION.partition(".")[0])
    elif isinstance(asked, str):
        difference = _difference(asked)
    else:
        raise _nonsense(asked)
    if difference == 0:
        return str(asked)
    which, install = ("Seqloom", "seqloom") if difference > 0 else ("the plugin", distribution)
    todo = f"upgrade {which}" + (f": pip install --upgrade {install}" if install else "")
    here = f"this is Seqloom {seqloom.__version__} with plugin API {API_VERSION}"
    raise Flaw(f"it was written for plugin API {asked}, and {here}; {todo}")


def _difference(asked: str) -> int:
    """0 where a range holds this core's version; else whether it begins above it (1) or not (-1)."""
    from packaging.specifiers import InvalidSpecifier, SpecifierSet  # noqa: PLC0415 - few plugins need it
    from packaging.version import InvalidVersion, Version  # noqa: PLC0415

    here = Version(API_VERSION)
    try:
        wanted = SpecifierSet(asked)
        if not asked.strip():
            raise _nonsense(asked)
        if wanted.contains(here, prereleases=True):
            return 0
        bounds = [one for one in wanted if one.operator in (">=", ">", "==", "~=", "===")]
        above = [one for one in bounds if not one.contains(here, prereleases=True)]
        return 1 if any(Version(one.version.removesuffix(".*")) >= here for one in above) else -1
    except (InvalidSpecifier, InvalidVersion):
        raise _nonsense(asked) from None


def _nonsense(asked: object) -> Flaw:
    return Flaw(f"its seqloom_api is {asked!r}, neither a whole number nor a range as '>=1.1,<2'")


def fit(wanted: str, found: str) -> Fit:
    """How an installed version serves what was made with another, by semantic versioning (semver.org).

    Returns:
        ``same`` where nothing differs but fixes; ``older`` where the installed one lacks some of them;
        ``newer`` where it can do more; ``unfit`` where it promises nothing: another major version, before
        1.0 another minor one, or one that can do less.
    """
    from packaging.version import InvalidVersion, Version  # noqa: PLC0415 - `--help` compares nothing

    try:
        made, here = Version(wanted), Version(found)
    except InvalidVersion:
        return "same" if wanted == found else "unfit"
    if (here.epoch, here.major) != (made.epoch, made.major):
        return "unfit"
    if here.minor != made.minor:
        return "newer" if made.major >= 1 and here.minor > made.minor else "unfit"
    return "same" if here >= made else "older"


def requirement(distribution: str, version: str) -> str:
    """What to ask pip for: ``seqloom-speech>=0.1,<0.2``."""
    from packaging.version import InvalidVersion, Version  # noqa: PLC0415 - as above

    try:
        made = Version(version)
    except InvalidVersion:
        return f"{distribution}=={version}"
    epoch = f"{made.epoch}!" if made.epoch else ""
    end = f"{made.major + 1}" if made.major >= 1 else f"0.{made.minor + 1}"
    begin = made.public if made.micro or made.pre or made.dev or made.post else f"{made.major}.{made.minor}"
    begin = begin if begin.startswith(epoch) else f"{epoch}{begin}"
    return f"{distribution}>={begin},<{epoch}{end}"
