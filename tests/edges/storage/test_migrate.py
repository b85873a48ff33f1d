"""The migrations make the tables that the code works on."""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING

import pytest
from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext
from sqlalchemy import make_url, text
from sqlalchemy.schema import CreateIndex, CreateTable

from sundog.core.errors import UnavailableError
from sundog.edges.storage.database import open_engine
from sundog.edges.storage.migrate import upgrade
from sundog.edges.storage.tables import metadata

if TYPE_CHECKING:
    from collections.abc import Iterator

    from sqlalchemy import Engine


@pytest.fixture
def engine() -> Iterator[Engine]:
    engine = open_engine("sqlite://")
    yield engine
    engine.dispose()


def test_migrations_and_tables_agree(engine: Engine) -> None:
    upgrade(engine)
    with engine.connect() as connection:
        context = MigrationContext.configure(
            connection, opts={"compare_type": True, "compare_server_default": True}
        )
        assert compare_metadata(context, metadata) == []


def test_upgrading_twice_changes_nothing(engine: Engine) -> None:
    upgrade(engine)
    with engine.begin() as connection:
        connection.execute(
            text("INSERT INTO claims VALUES ('1', 'gpu1', 'claimed', '{}', NULL)")
        )
    upgrade(engine)
    with engine.connect() as connection:
        assert connection.execute(text("SELECT host FROM claims")).scalar() == "gpu1"


def test_old_actions_are_over_that_have_ended(engine: Engine) -> None:
    """Nothing else on the shelves ever is; an error may say what it likes."""
    started = '"started":"2026-01-01T00:00:00Z"'
    documents = {
        "ended": f'{{"events":[{{"finished":"2026-01-01T00:00:01Z",{started}}}]}}',
        "failed": r'{"events":[{"error":"\"finished\":null","finished":"2026"}]}',
        "under way": f'{{"events":[{{"finished":null,{started}}}]}}',
        "told without events": '{"events":[]}',
    }
    upgrade(engine, "0003")
    with engine.begin() as connection:
        for kind in ("action", "quota"):
            for key, document in documents.items():
                connection.execute(
                    text("INSERT INTO shelves VALUES (:kind, 's', :key, :document)"),
                    {"kind": kind, "key": key, "document": document},
                )
    upgrade(engine)
    with engine.connect() as connection:
        query = "SELECT key FROM shelves WHERE kind = '{}' AND NOT is_over"
        left = [
            set(connection.execute(text(query.format(kind))).scalars())
            for kind in ("action", "quota")
        ]
    assert left == [{"under way"}, set(documents)]


def test_a_database_that_a_newer_sundog_upgraded_is_left_alone(engine: Engine) -> None:
    upgrade(engine)
    with engine.begin() as connection:
        connection.execute(text("UPDATE alembic_version SET version_num = '9999'"))
    with pytest.raises(UnavailableError, match=r"9999.*run the Sundog that upgraded"):
        upgrade(engine)


def test_an_upgrade_that_fails_leaves_the_database_as_it_was(engine: Engine) -> None:
    with engine.begin() as connection:
        connection.execute(text("CREATE TABLE services (theirs INTEGER)"))
    with pytest.raises(UnavailableError, match="table services already exists"):
        upgrade(engine)
    with engine.connect() as connection:
        tables = connection.execute(text("SELECT name FROM sqlite_master")).scalars()
        assert set(tables) == {"services"}


@pytest.mark.parametrize(
    ("url", "words"),
    [
        ("postgresql://", {"UUID", "TIMESTAMP", "BIGSERIAL", "TEXT"}),
        ("mysql://", {"DATETIME(6)", "MEDIUMTEXT", "utf8mb4_bin"}),
    ],
    ids=["PostgreSQL", "MariaDB"],
)
def test_the_tables_can_be_said_in_other_dialects(url: str, words: set[str]) -> None:
    dialect = make_url(url).get_dialect()()
    tables = metadata.sorted_tables
    said = [str(CreateTable(table).compile(dialect=dialect)) for table in tables]
    said += [
        str(CreateIndex(index).compile(dialect=dialect))
        for table in tables
        for index in table.indexes
    ]
    assert not {word for word in words if word not in " ".join(said)}


def test_migrations_ship_inside_the_package() -> None:
    name = "sundog.edges.storage.migrations.versions.r0001_first_tables"
    assert import_module(name).down_revision is None
