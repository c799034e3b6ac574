"""The web application, put together from its features, one folder each."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from flask import Flask, Response, render_template, request
from flask_bootstrap import Bootstrap5
from flask_compress import Compress
from flask_login import current_user
from flask_wtf.csrf import CSRFError
from sqlalchemy import select
from sqlalchemy.exc import SQLAlchemyError
from werkzeug.exceptions import HTTPException
from werkzeug.routing import IntegerConverter, Map

from connector_app.keeping import damage
from connector_app.keeping.reading import ArchiveDamaged
from connector_app.log_events import Said
from connector_app.logs import Log
from connector_app.pipeline.services import Services
from connector_app.store.database import trouble
from connector_app.store.models import Seller
from connector_app.store.types import LARGEST_ID
from connector_app.web import access, health, logged, metrics, probes, webhooks
from connector_app.web.accounts.signing_in import add_signing_in
from connector_app.web.accounts.views import accounts
from connector_app.web.alerts.views import alerts
from connector_app.web.api.serving import http_problem, is_ours
from connector_app.web.api.views import api
from connector_app.web.auditing.views import auditing
from connector_app.web.board.views import board
from connector_app.web.buyer.views import buyer
from connector_app.web.checks.views import checks
from connector_app.web.corrections.views import corrections
from connector_app.web.documents.views import documents
from connector_app.web.dry_run.views import dry_run
from connector_app.web.formats import add_formats
from connector_app.web.here import Here, Pulse, Wake, WebOptions, here, put
from connector_app.web.home.views import home
from connector_app.web.jobs import jobs
from connector_app.web.keeping.views import keeping
from connector_app.web.ksef.views import ksef
from connector_app.web.language import add_language, say, t
from connector_app.web.machines.views import machines
from connector_app.web.orders.views import orders
from connector_app.web.people.joining import joining
from connector_app.web.people.views import people
from connector_app.web.proposals.views import proposing
from connector_app.web.registers.views import registers
from connector_app.web.safety import add_safety
from connector_app.web.settings.views import settings
from connector_app.web.setup.views import setup
from connector_app.web.stores.views import stores
from connector_app.web.taxes.views import taxes
from connector_app.web.uploads.views import uploads
from connector_app.words import state_text

_log = Log(__name__)

_FEATURES = (
    accounts,
    alerts,
    api,
    auditing,
    board,
    buyer,
    checks,
    corrections,
    documents,
    dry_run,
    home,
    jobs,
    joining,
    keeping,
    ksef,
    machines,
    orders,
    people,
    proposing,
    registers,
    settings,
    setup,
    stores,
    taxes,
    uploads,
)


class _IdConverter(IntegerConverter):
    """A number in an address; one that is too large for an id is an address that does not exist."""

    def __init__(self, url_map: Map, *args: Any, **more: Any) -> None:
        super().__init__(url_map, *args, **{"max": LARGEST_ID, **more})


def create_app(
    services: Services,
    pulse: Pulse | Callable[[], Pulse],
    wake: Wake = lambda _seller_id=None, /: None,
    options: WebOptions | None = None,
    worker: str = "",
) -> Flask:
    """The web application of an installation.

    Args:
        services: the installation.
        pulse: kept up to date by the background work, or read when it is asked for.
        wake: called when there is something new to do.
        options: how it is reached; on this machine only when not given.
        worker: name of this process among all workers.
    """
    options = options or WebOptions()
    app = logged.LoggedFlask(__name__)
    app.url_map.converters["int"] = _IdConverter
    put(app.extensions, Here(services, pulse, wake, options, worker))
    app.config["BOOTSTRAP_SERVE_LOCAL"] = True
    # pages hold form tokens and must not be compressed (BREACH); files hold none
    app.config["COMPRESS_MIMETYPES"] = ["text/css", "text/javascript", "image/svg+xml"]
    app.config["SEND_FILE_MAX_AGE_DEFAULT"] = 86_400
    logged.add_request_log(app)
    add_safety(app, options, services.vault.derive("web"))
    Bootstrap5(app)
    Compress(app)
    add_signing_in(app)
    add_language(app)
    add_formats(app)
    webhooks.add_webhooks(app, services, wake, options)
    health.add_health(app)
    probes.add_probes(app)
    metrics.add_metrics(app)
    for feature in _FEATURES:
        app.register_blueprint(feature)
    app.jinja_env.globals["state_text"] = lambda state: say(state_text(state))
    app.jinja_env.globals["Right"] = access.Right
    app.jinja_env.globals["known_endpoints"] = app.view_functions
    app.context_processor(_frame)
    _add_errors(app)
    return app


def _frame() -> dict[str, object]:
    """What the frame around each page shows."""
    if not (current_user and current_user.is_authenticated):
        return {"sellers": [], "chosen_seller": None}
    try:
        with here().services.database() as session:
            ids = access.rights(session)
            rows = session.execute(
                select(Seller.id, Seller.name, Seller.nip).where(Seller.id.in_(ids)).order_by(Seller.name)
            ).all()
            owns = access.may_anywhere(session, access.Right.OWN)
    except SQLAlchemyError:
        return {"sellers": [], "chosen_seller": None, "owns": False}
    return {"sellers": rows, "chosen_seller": access.chosen(), "owns": owns, "me": access.me()}


_WORDS = {
    400: ("Tego nie da się odczytać", "This cannot be read"),
    403: ("Nie masz do tego uprawnień", "You may not do this"),
    404: ("Nie ma takiej strony", "There is no such page"),
    405: ("Tej strony nie otwiera się w ten sposób", "This page is not opened this way"),
    413: ("To jest za duże", "This is too large"),
    429: ("Za dużo prób. Odczekaj chwilę", "Too many tries. Wait a moment"),
    500: ("Błąd programu; szczegóły są w dzienniku", "The program failed; its log has details"),
}


def _add_errors(app: Flask) -> None:
    """Errors in words, as pages."""
    for code in _WORDS:
        app.register_error_handler(code, _error)

    @app.errorhandler(CSRFError)
    def stale(_error: CSRFError) -> tuple[str, int]:
        said = t(
            "Formularz stracił ważność. Otwórz stronę ponownie", "The form is stale. Open the page again"
        )
        return _error_page(said), 400

    @app.errorhandler(ArchiveDamaged)
    def damaged(error: ArchiveDamaged) -> tuple[str, int]:
        damage.note(here().services, error)
        return _error_page(say(error.said).rstrip(".")), 409

    @app.errorhandler(SQLAlchemyError)
    def database(error: SQLAlchemyError) -> tuple[str, int]:
        _log.warning(Said.DATABASE_FAILED, error)
        return _error_page(say(trouble(error))), 503


def _error(error: HTTPException) -> Response | tuple[str, int]:
    """A page for people, a problem for machines."""
    if is_ours(request.path):
        return http_problem(error)
    code = error.code or 500
    return _error_page(t(*_WORDS[code])), code


def _error_page(said: str) -> str:
    return render_template("error.html", said=said)


__all__ = ["Pulse", "WebOptions", "create_app"]
