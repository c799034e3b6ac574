"""The feature's pages hang here."""

from __future__ import annotations

from flask import Blueprint

accounts = Blueprint("accounts", __name__, template_folder="templates")
