"""A strict KSeF 2.0 on localhost: for the demo, for tests, and for other people's clients.

``KsefSandbox`` serves it in a thread, ``serve`` is what the command line calls, ``create_app`` is the bare
web application over a ``SandboxState``.
"""

from __future__ import annotations

from sandbox.ksef.app import create_app
from sandbox.ksef.server import KsefSandbox, serve
from sandbox.ksef.state import SandboxState, Settings

__all__ = ["KsefSandbox", "SandboxState", "Settings", "create_app", "serve"]
