"""What may a new plugin be called? One name, from which all others follow."""

from __future__ import annotations

import importlib.metadata
import importlib.util
import keyword
import re
from dataclasses import dataclass

from seqloom.catalog import COMMANDS, KINDS, Catalog
from seqloom.errors import UsageError
from seqloom.hooks import PROJECT

LONGEST = 40
_NAME = re.compile(r"[a-z][a-z0-9]*(-[a-z0-9]+)*")


@dataclass(frozen=True)
class Names:
    """What a plugin called ``my-task`` is called where.

    Attributes:
        name: ``my-task``: its entry point, its part in a job file, the verb of a task.
    """

    name: str

    @property
    def distribution(self) -> str:
        """``seqloom-my-task``, what people install; normalised as PEP 503 has it."""
        return f"{PROJECT}-{self.name}"

    @property
    def package(self) -> str:
        """``seqloom_my_task``, what Python imports."""
        return self.distribution.replace("-", "_")

    @classmethod
    def chosen(cls, name: str, kind: str, catalog: Catalog) -> Names:
        """The names of a new plugin that offers a part of a kind.

        Raises:
            UsageError: It cannot be called that, or somebody else is.
        """
        found = cls(name.removeprefix(f"{PROJECT}-"))
        found._check_form(name)
        found._check_free(kind, catalog)
        return found

    def _check_form(self, given: str) -> None:
        if _NAME.fullmatch(self.name) is None:
            close = re.sub(r"[^a-z0-9]+", "-", self.name.lower()).strip("-0123456789")
            tip = f"; '{close}' would do" if _NAME.fullmatch(close) else ""
            raise UsageError(
                f"'{given}' cannot be a plugin's name: it has small letters, digits and single '-' between "
                f"them, and begins with a letter{tip}"
            )
        if len(self.name) > LONGEST:
            raise UsageError(f"'{given}' is too long for a plugin's name: {LONGEST} characters at most")
        if keyword.iskeyword(self.name) or keyword.issoftkeyword(self.name) or self.name == PROJECT:
            whose = "the core's" if self.name == PROJECT else "a word of Python's"
            raise UsageError(f"'{self.name}' is {whose} name already; choose one that says what it does")

    def _check_free(self, kind: str, catalog: Catalog) -> None:
        takers = [
            f"the {one} '{self.name}'"
            for one in KINDS
            for spec in catalog.specs(one)
            if spec.name == self.name and one == kind
        ]
        takers += [plugin.label for plugin in catalog.plugins() if plugin.name == self.name]
        if kind == "task":
            takers += [f"the command `seqloom {self.name}`"] if self.name in COMMANDS else []
            takers += [
                f"the verb of the task '{spec.name}'"
                for spec in catalog.specs("task")
                if spec.verb == self.name
            ]
        if _installed(self.distribution):
            takers.append(f"the installed distribution {self.distribution}")
        if importlib.util.find_spec(self.package) is not None:
            takers.append(f"the package {self.package}, which can be imported here")
        if takers:
            raise UsageError(f"'{self.name}' is taken by {takers[0]}; choose another name")


def _installed(distribution: str) -> bool:
    try:
        importlib.metadata.distribution(distribution)
    except importlib.metadata.PackageNotFoundError:
        return False
    return True
