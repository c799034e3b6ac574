"""Load: whole installations against sandboxes with production limits, for ``benchmarks/RESULTS.md``."""
