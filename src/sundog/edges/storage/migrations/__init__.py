"""Alembic's environment; ``upgrade`` runs it."""
