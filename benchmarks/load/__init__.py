"""Load: whole installations against the sandboxes with production limits, written to ``benchmarks/RESULTS.md``."""
