"""The project's own XSDs of FA(2) and FA(3); :mod:`core.fa.registry` names them."""
