"""The registry's verbs about aliases: names that point to one version of a model."""

from __future__ import annotations

from typing import Final, Literal

from sqlalchemy import select
from sqlalchemy.orm import Session

from seqloom.errors import ConfigError
from seqloom.registry.lookup import LATEST, alias_row, check_name, latest_version, version_row
from seqloom.registry.opened import Opened, reread
from seqloom.registry.records import AliasChange, Model
from seqloom.registry.tables import AliasChangeRow, AliasRow

Expected = int | Literal["none", "any"]
"""A version that an alias must point to, that it must not be there, or that it does not matter."""

ANY: Final = "any"


class AliasVerbs(Opened):
    """What is asked and told about aliases."""

    def set_alias(self, name: str, version: int, alias: str, *, expected: Expected = ANY) -> Model:
        """Lets an alias point to a version, and no longer to another.

        Args:
            name: The model.
            version: What the alias is to point to.
            alias: The alias.
            expected: What it must point to until now; where it points elsewhere, nothing is written. So one
                is told of two who move it at once.

        Raises:
            ConfigError: The alias cannot be one, there is no such version or it is deleted, or the alias
                does not point to what was expected.
        """
        check_name("an alias", alias)
        if alias == LATEST:
            raise ConfigError(f"'{LATEST}' always is the newest version; choose another alias")
        with self._writing() as session:
            row = version_row(session, name, version)
            if row.deleted_at is not None:
                raise ConfigError(f"{row.record().uri} is deleted; take that back first, or choose another")
            found = session.get(AliasRow, (name, alias), with_for_update=True)
            former = None if found is None else found.version
            _check_expected(f"{name}@{alias}", former, expected)
            if former != version:
                session.merge(AliasRow(name=name, alias=alias, version=version))
                self._keep(session, AliasRow(name=name, alias=alias, version=former), version)
            return reread(session, row).record()

    def remove_alias(self, name: str, alias: str, *, expected: Expected = ANY) -> Model:
        """Forgets an alias.

        Args:
            name: The model.
            alias: The alias.
            expected: As of :meth:`set_alias`.

        Returns:
            The version that it pointed to.

        Raises:
            ConfigError: There is no such alias, or it does not point to what was expected.
        """
        with self._writing() as session:
            found = alias_row(session, name, alias)
            _check_expected(f"{name}@{alias}", found.version, expected)
            row = version_row(session, name, found.version)
            self._keep(session, found, None)
            session.delete(found)
            return reread(session, row).record()

    def alias_history(self, name: str, alias: str | None = None) -> list[AliasChange]:
        """What a model's aliases pointed to over time, newest change first.

        Args:
            name: The model.
            alias: One of its aliases, there still or not; None for all.

        Raises:
            ConfigError: There is no such model.
        """
        with self._reading() as session:
            latest_version(session, name, deleted=True)
            wanted = select(AliasChangeRow).where(AliasChangeRow.name == name)
            if alias is not None:
                wanted = wanted.where(AliasChangeRow.alias == alias)
            return [row.record() for row in session.scalars(wanted.order_by(AliasChangeRow.id.desc()))]

    def _keep(self, session: Session, before: AliasRow, version: int | None) -> None:
        change = AliasChangeRow(
            name=before.name, alias=before.alias, version=version, former=before.version, at=self._clock()
        )
        session.add(change)


def _check_expected(alias: str, found: int | None, expected: Expected) -> None:
    if expected == ANY or found == (None if expected == "none" else expected):
        return
    stands = f"points to version {found}" if found is not None else "is not there"
    wanted = "no such alias" if expected == "none" else f"version {expected}"
    raise ConfigError(f"{alias} {stands}, and {wanted} was expected: somebody else moved it; look again")
