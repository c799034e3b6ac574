"""Runs migrations on the connection that :mod:`connector_app.store.database` hands over."""

from alembic import context

from connector_app.store import notices, proofs, watching  # noqa: F401  their tables belong to Base
from connector_app.store.models import Base

context.configure(
    connection=context.config.attributes["connection"],
    target_metadata=Base.metadata,
    render_as_batch=True,
)
with context.begin_transaction():
    context.run_migrations()
