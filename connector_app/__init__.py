"""The connector application: store, pipeline, command line and web around :mod:`core` and :mod:`adapters`."""
