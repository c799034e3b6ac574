"""The shop's REST API and the sandbox's own controls, as a Flask application."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from email.utils import format_datetime
from typing import Any

from flask import Flask, Response, request

from sandbox.faults import Fault, FaultError, FaultPlan
from sandbox.woocommerce.access import Gate, RefusedError
from sandbox.woocommerce.listing import page_of, select_orders, select_refunds, trimmed
from sandbox.woocommerce.notes import filtered
from sandbox.woocommerce.state import Json, ShopState, UnknownOrderError
from sandbox.woocommerce.webhooks import shown

API = "/wp-json/wc/v3"


@dataclass(frozen=True, slots=True)
class Shop:
    """What the application works on.

    Attributes:
        state: orders, notes, refunds, e-mails.
        gate: keys and signatures.
        faults: planned faults.
        settings: endpoint such as ``settings/tax`` to its answer.
    """

    state: ShopState
    gate: Gate
    faults: FaultPlan
    settings: Mapping[str, Any]


def create_app(shop: Shop) -> Flask:
    """Make the application.

    Args:
        shop: the data it serves and changes.
    """
    app = Flask("sandbox.woocommerce", static_folder=None)

    @app.before_request
    def admit() -> None:
        if request.path.startswith(API):
            now = int(shop.state.clock().timestamp())
            shop.gate.admit(request.method, request.base_url, _params(), now)

    @app.after_request
    def dated(response: Response) -> Response:
        response.headers["Date"] = format_datetime(shop.state.clock(), usegmt=True)
        return response

    @app.errorhandler(RefusedError)
    def refused(error: RefusedError) -> Response:
        return _json(
            {"code": error.code, "message": error.message, "data": {"status": error.status}}, error.status
        )

    @app.errorhandler(UnknownOrderError)
    def unknown(_error: UnknownOrderError) -> Response:
        return refused(RefusedError(404, "woocommerce_rest_shop_order_invalid_id", "Invalid ID."))

    @app.errorhandler(404)
    def no_route(_error: Exception) -> Response:
        text = "No route was found matching the URL and request method."
        return refused(RefusedError(404, "rest_no_route", text))

    _add_orders(app, shop)
    _add_notes(app, shop)
    _add_webhooks(app, shop)
    _add_settings(app, shop)
    _add_controls(app, shop)
    return app


def _add_orders(app: Flask, shop: Shop) -> None:
    @app.get(f"{API}/orders")
    def list_orders() -> Response:
        with shop.state.lock:
            params = _params()
            orders = select_orders(list(shop.state.orders.values()), params, shop.state.zone)
            page = page_of(orders, params, request.base_url)
            return _json([trimmed(item, params) for item in page.items], headers=page.headers)

    @app.get(f"{API}/orders/<int:order_id>")
    def read_order(order_id: int) -> Response:
        with shop.state.lock:
            return _json(trimmed(shop.state.order(order_id), _params()))

    @app.put(f"{API}/orders/<int:order_id>")
    def change_order(order_id: int) -> Response:
        with shop.state.lock:
            order = shop.state.order(order_id)
            body = _body()
            if body:
                shop.state.set_metadata(order_id, body.get("meta_data", []))
                _set_status(shop.state, order, str(body.get("status", order["status"])))
                shop.state.touch(order_id)
                shop.state.save()
            return _json(order)

    @app.get(f"{API}/orders/<int:order_id>/refunds")
    def list_refunds(order_id: int) -> Response:
        with shop.state.lock:
            shop.state.order(order_id)
            newest_first = shop.state.refunds.get(order_id, [])[::-1]
            page = page_of(newest_first, _params(), request.base_url)
            return _json(page.items, headers=page.headers)

    @app.get(f"{API}/refunds")
    def list_all_refunds() -> Response:
        with shop.state.lock:
            params = _params()
            chosen = select_refunds(shop.state.all_refunds(), params, shop.state.zone)
            page = page_of(chosen, params, request.base_url)
            return _json([trimmed(item, params) for item in page.items], headers=page.headers)


def _set_status(state: ShopState, order: Json, status: str) -> None:
    if status == order["status"]:
        return
    order["status"] = status
    if status == "completed":
        order.update(state.times("date_completed"))
        if order.get("date_paid_gmt") is None:
            order.update(state.times("date_paid"))


def _add_notes(app: Flask, shop: Shop) -> None:
    @app.get(f"{API}/orders/<int:order_id>/notes")
    def list_notes(order_id: int) -> Response:
        with shop.state.lock:
            shop.state.order(order_id)
            kind = _params().get("type", "any")
            notes = [
                note
                for note in shop.state.notes.get(order_id, [])
                if kind == "any" or note["customer_note"] is (kind == "customer")
            ]
            # newest second first, and by id within one second, as recorded
            notes.sort(key=lambda note: note["id"])
            notes.sort(key=lambda note: str(note["date_created_gmt"]), reverse=True)
            return _json(notes)

    @app.post(f"{API}/orders/<int:order_id>/notes")
    def add_note(order_id: int) -> Response:
        with shop.state.lock:
            shop.state.order(order_id)
            body = _body()
            text = body.get("note")
            if not isinstance(text, str):
                raise RefusedError(400, "rest_missing_callback_param", "Missing parameter(s): note")
            note = shop.state.add_note(
                order_id, filtered(text), for_customer=body.get("customer_note") is True
            )
            shop.state.save()
            return _json(note, 201)


def _add_webhooks(app: Flask, shop: Shop) -> None:
    book = shop.state.webhooks

    @app.get(f"{API}/webhooks")
    def list_webhooks() -> Response:
        with shop.state.lock:
            params = _params()
            wanted = params.get("status", "all")
            hooks = [shown(one) for one in book.hooks.values() if wanted in {"all", one["status"]}]
            hooks.sort(key=lambda one: one["id"], reverse=params.get("order", "desc") == "desc")
            page = page_of(hooks, params, request.base_url)
            return _json(page.items, headers=page.headers)

    @app.post(f"{API}/webhooks")
    def add_webhook() -> Response:
        with shop.state.lock:
            times = shop.state.times("date_created") | shop.state.times("date_modified")
            hook = book.add(shop.state.new_id(), _body(), times)
            shop.state.save()
        if hook["status"] == "active":
            shop.state.sender(request.host_url.rstrip("/")).ping(hook)
        return _json(shown(hook), 201)

    @app.get(f"{API}/webhooks/<int:hook_id>")
    def read_webhook(hook_id: int) -> Response:
        return _json(shown(book.get(hook_id)))

    @app.put(f"{API}/webhooks/<int:hook_id>")
    def change_webhook(hook_id: int) -> Response:
        with shop.state.lock:
            hook = book.change(hook_id, _body(), shop.state.times("date_modified"))
            shop.state.save()
            return _json(shown(hook))

    @app.delete(f"{API}/webhooks/<int:hook_id>")
    def delete_webhook(hook_id: int) -> Response:
        if _params().get("force") != "true":
            text = "Webhooks do not support trashing."
            raise RefusedError(501, "woocommerce_rest_trash_not_supported", text)
        with shop.state.lock:
            hook = book.remove(hook_id)
            shop.state.save()
            return _json(shown(hook))


def _add_settings(app: Flask, shop: Shop) -> None:
    def answer_for(endpoint: str) -> Any:
        def answer() -> Response:
            data = shop.settings[endpoint]
            return _json(trimmed(data, _params()) if isinstance(data, dict) else data)

        return answer

    for endpoint in shop.settings:
        app.add_url_rule(f"{API}/{endpoint}", endpoint, answer_for(endpoint))


def _add_controls(app: Flask, shop: Shop) -> None:
    @app.post("/sandbox/faults")
    def plan_fault() -> Response:
        try:
            fault = Fault(**_body())
        except (FaultError, TypeError) as error:
            return _json({"message": str(error)}, 400)
        shop.faults.add(fault)
        return Response(status=204)

    @app.delete("/sandbox/faults")
    def clear_faults() -> Response:
        shop.faults.clear()
        return Response(status=204)

    @app.post("/sandbox/webhooks/deliver")
    def deliver() -> Response:
        sent = shop.state.sender(request.host_url.rstrip("/")).deliver()
        return _json([{"topic": one.topic, "status": one.status} for one in sent])

    @app.get("/sandbox/orders/<int:order_id>")
    def inspect(order_id: int) -> Response:
        with shop.state.lock:
            order = shop.state.order(order_id)
            return _json(
                {
                    "notes": shop.state.notes.get(order_id, []),
                    "meta_data": order.get("meta_data", []),
                    "emails": [mail for mail in shop.state.emails if mail["order_id"] == order_id],
                    "date_modified_gmt": order["date_modified_gmt"],
                }
            )


def _params() -> dict[str, str]:
    """The query; of a parameter that is given twice the last one counts, as in PHP."""
    return {key: values[-1] for key, values in request.args.lists()}


def _body() -> Json:
    try:
        body = json.loads(request.get_data() or b"{}")
    except ValueError:
        raise RefusedError(400, "rest_invalid_json", "Invalid JSON body passed.") from None
    return body if isinstance(body, dict) else {}


def _json(data: object, status: int = 200, headers: Mapping[str, str] | None = None) -> Response:
    response = Response(
        json.dumps(data, ensure_ascii=False), status=status, content_type="application/json; charset=UTF-8"
    )
    response.headers.extend(dict(headers or {}))
    return response
