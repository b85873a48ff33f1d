"""Bring a database to the tables that this Sundog works on."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Final

from alembic import command
from alembic.config import Config
from alembic.util import CommandError

from sundog.core.errors import UnavailableError
from sundog.edges.storage.database import database_errors, writing

if TYPE_CHECKING:
    from sqlalchemy import Engine

_MIGRATIONS: Final = Path(__file__).parent / "migrations"


def upgrade(engine: Engine, revision: str = "head") -> None:
    """Bring any database, an empty one too, to the newest tables, or to earlier ones.

    All of it happens in one transaction where the database can do so (MariaDB cannot
    undo a change of tables). Raises UnavailableError when a newer Sundog has been
    there, or the database fails.
    """
    config = Config()
    # Alembic reads % as the start of a variable.
    config.set_main_option("script_location", str(_MIGRATIONS).replace("%", "%%"))
    try:
        with database_errors(), writing(engine) as connection:
            config.attributes["connection"] = connection
            command.upgrade(config, revision)
    except CommandError as error:
        raise UnavailableError(
            f"the database's tables are not this Sundog's ({error}); "
            "run the Sundog that upgraded them"
        ) from error
