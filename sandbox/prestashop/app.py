"""The shop's webservice and the sandbox's own controls, as a Flask application."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from email.utils import format_datetime

from flask import Flask, Response, g, request

from sandbox.faults import Fault, FaultError, FaultPlan
from sandbox.prestashop.access import Gate, RefusedError, check
from sandbox.prestashop.entities import errors_xml, field_names, list_xml, one_xml, permissions_xml
from sandbox.prestashop.listing import select, shown
from sandbox.prestashop.recordings import known_fields
from sandbox.prestashop.state import ShopState, UnknownEntityError
from sandbox.prestashop.writing import CREATED, change_order, create

API = "/api"
_FIRST_WITH_PATCH = 8


@dataclass(frozen=True, slots=True)
class Shop:
    """What the application works on.

    Attributes:
        state: entities and e-mails.
        gate: keys.
        faults: planned faults.
        version: of PrestaShop.
        enabled: the webservice is switched on.
    """

    state: ShopState
    gate: Gate
    faults: FaultPlan
    version: str
    enabled: bool = True


def create_app(shop: Shop) -> Flask:
    """Make the application.

    Args:
        shop: the data it serves and changes.
    """
    app = Flask("sandbox.prestashop", static_folder=None)

    @app.before_request
    def admit() -> None:
        if not request.path.startswith(API):
            return
        if not shop.enabled:
            message = (
                "The PrestaShop webservice is disabled. Please activate it in the PrestaShop Back Office"
            )
            raise RefusedError(503, (22, message))
        g.permissions = shop.gate.admit(
            request.headers.get("Authorization", ""), request.args.get("ws_key", "")
        )

    @app.after_request
    def told(response: Response) -> Response:
        response.headers["Date"] = format_datetime(shop.state.clock(), usegmt=True)
        if g.get("permissions"):
            response.headers["PSWS-Version"] = shop.version
            response.headers["Execution-Time"] = "0.01"
        return response

    @app.errorhandler(RefusedError)
    def refused(error: RefusedError) -> Response:
        if not error.errors:
            return Response("401 Unauthorized", error.status, content_type="text/html")
        return _xml(errors_xml(error.errors), error.status)

    @app.errorhandler(UnknownEntityError)
    def unknown(_error: UnknownEntityError) -> Response:
        return Response(b"", 404)

    _add_reading(app, shop)
    _add_writing(app, shop)
    _add_controls(app, shop)
    return app


def _add_reading(app: Flask, shop: Shop) -> None:
    @app.get(f"{API}/")
    def permissions() -> Response:
        return _xml(permissions_xml(g.permissions))

    @app.get(f"{API}/<collection>")
    def listed(collection: str) -> Response:
        check(g.permissions, collection, "GET")
        params = _params()
        with shop.state.lock:
            entities = shop.state.tables[collection].values()
            names = field_names(collection, entities, known_fields())
            found = select(entities, names, params)
            return _xml(list_xml(collection, found, shown(names, params)))

    @app.get(f"{API}/<collection>/<int:key>")
    def one(collection: str, key: int) -> Response:
        check(g.permissions, collection, "GET")
        with shop.state.lock:
            return _xml(one_xml(collection, shop.state.entity(collection, key)))


def _add_writing(app: Flask, shop: Shop) -> None:
    @app.post(f"{API}/<collection>")
    def add(collection: str) -> Response:
        check(g.permissions, collection, "POST")
        if collection not in CREATED:
            raise RefusedError(405, (101, f"Method POST is not allowed for the resource {collection}"))
        made = create(
            shop.state,
            collection,
            request.get_data(),
            sends_mail=request.args.get("sendemail", "") not in {"", "0"},
            names=known_fields()[collection],
        )
        return _xml(one_xml(collection, made), 201)

    @app.route(f"{API}/orders/<int:_key>", methods=["PUT", "PATCH"])
    @app.route(f"{API}/orders", methods=["PUT", "PATCH"], defaults={"_key": 0})
    def change(_key: int) -> Response:
        if request.method == "PATCH" and int(shop.version.partition(".")[0]) < _FIRST_WITH_PATCH:
            raise RefusedError(405, (23, "Method PATCH is not valid"))
        check(g.permissions, "orders", request.method)
        order = change_order(shop.state, request.get_data(), partly=request.method == "PATCH")
        return _xml(one_xml("orders", order))


def _add_controls(app: Flask, shop: Shop) -> None:
    @app.post("/sandbox/faults")
    def plan_fault() -> Response:
        try:
            fault = Fault(**json.loads(request.get_data() or b"{}"))
        except (FaultError, TypeError, ValueError) as error:
            return _json({"message": str(error)}, 400)
        shop.faults.add(fault)
        return Response(status=204)

    @app.delete("/sandbox/faults")
    def clear_faults() -> Response:
        shop.faults.clear()
        return Response(status=204)

    @app.get("/sandbox/orders/<int:order_id>")
    def inspect(order_id: int) -> Response:
        with shop.state.lock:
            return _json(shop.state.seen(order_id))


def _params() -> Mapping[str, str]:
    """The query; of a parameter that is given twice the last one counts, as in PHP."""
    return {key: values[-1] for key, values in request.args.lists()}


def _xml(text: str, status: int = 200) -> Response:
    return Response(text, status=status, content_type="text/xml;charset=utf-8")


def _json(data: object, status: int = 200) -> Response:
    return Response(json.dumps(data, ensure_ascii=False), status, content_type="application/json")
