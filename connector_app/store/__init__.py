"""The database: models, types, migrations, and how it is opened."""
