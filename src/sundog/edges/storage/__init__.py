"""Flavors, servers, claims and services in a database: SQLAlchemy and Alembic."""
