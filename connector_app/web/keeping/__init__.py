"""The settings page of keeping: backups, the archive, how long what is kept."""
