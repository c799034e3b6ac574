"""The shop's GraphQL and token endpoints, as a Flask application."""

from __future__ import annotations

import hashlib
import hmac
import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from html import escape
from typing import Any
from urllib.parse import urlencode

from flask import Flask, Response, request
from graphql import DocumentNode, GraphQLError, GraphQLSchema, execute, parse, validate

from sandbox.shopify.cost import MOST_PER_QUERY, Bucket, cost_of
from sandbox.shopify.mutations import API_VERSION
from sandbox.shopify.resolvers import Resolver, type_of
from sandbox.shopify.state import Json, ShopState

GRAPHQL = "/admin/api/<version>/graphql.json"
TOKENS = "/admin/oauth/access_token"
AUTHORIZE = "/admin/oauth/authorize"


@dataclass(slots=True)
class Shop:
    """What the application works on.

    Attributes:
        state: orders and everything else.
        schema: what operations are checked and answered by.
        bucket: the app's points.
        settings: fields of ``Shop`` that differ from a Polish shop with gross prices.
        version: what the shop answers with.
        throttled, failing: how many operations are still refused that way.
        most_per_query: points that one query may cost.
        before: called with the name of each operation before it is carried out.
    """

    state: ShopState
    schema: GraphQLSchema
    bucket: Bucket
    settings: Json = field(default_factory=dict)
    version: str = API_VERSION
    throttled: int = 0
    failing: int = 0
    most_per_query: int = MOST_PER_QUERY
    before: Callable[[str], None] = lambda _name: None
    _documents: dict[str, DocumentNode] = field(default_factory=dict)

    def document(self, text: str) -> DocumentNode:
        """A valid document.

        Raises:
            GraphQLError: it cannot be parsed.
            InvalidError: the schema does not know what it asks for.
        """
        known = self._documents.get(text)
        if known is None:
            known = parse(text)
            problems = validate(self.schema, known)
            if problems:
                raise InvalidError(problems)
            self._documents[text] = known
        return known


class InvalidError(Exception):
    """An operation that does not fit the schema.

    Attributes:
        problems: all of them.
    """

    def __init__(self, problems: list[GraphQLError]) -> None:
        super().__init__(problems)
        self.problems = problems


def create_app(shop: Shop) -> Flask:
    """Make the application.

    Args:
        shop: the data it serves and changes.
    """
    app = Flask("sandbox.shopify", static_folder=None)

    @app.post(GRAPHQL)
    def graphql(version: str) -> Response:  # noqa: ARG001 - a version that is gone is answered by another
        token = shop.state.token(request.headers.get("X-Shopify-Access-Token", ""))
        if token is None:
            text = "[API] Invalid API key or access token (unrecognized login or wrong password)"
            return _json({"errors": text}, 401)
        try:
            body = json.loads(request.get_data())
        except ValueError:
            return _json({"errors": "Bad Request"}, 400)
        shop.before(str(body.get("operationName")))
        with shop.state.lock:
            answer = _answer(shop, body, token.scopes)
            if _changes(body):
                shop.state.save()
        return _json(answer, 200, {"X-Shopify-API-Version": shop.version})

    @app.post(TOKENS)
    def tokens() -> Response:
        with shop.state.lock:
            answer = _grant(shop.state, request.form.to_dict())
            shop.state.save()
            return answer

    @app.get(AUTHORIZE)
    def authorize() -> Response:
        """The page on which a merchant agrees to an app; its link leads back with a signed code."""
        asked = request.args.to_dict()
        if asked.get("client_id") != shop.state.client_id or not asked.get("redirect_uri"):
            return Response("unknown app or redirect_uri", 400, content_type="text/plain")
        with shop.state.lock:
            code = shop.state.new_code()
            shop.state.save()
        params = {
            "code": code,
            "shop": request.host,
            "state": asked.get("state", ""),
            "timestamp": str(int(shop.state.clock().timestamp())),
        }
        signed = "&".join(f"{name}={params[name]}" for name in sorted(params))
        seal = hmac.new(shop.state.client_secret.encode(), signed.encode(), hashlib.sha256).hexdigest()
        address = f"{asked['redirect_uri']}?{urlencode(params | {'hmac': seal})}"
        page = (
            '<!doctype html><html lang="en"><title>Install app</title><h1>Install app</h1>'
            f"<p>Scopes: {escape(asked.get('scope', ''))}</p>"
            f'<p><a href="{escape(address)}">Install</a></p></html>'
        )
        return Response(page, content_type="text/html; charset=utf-8")

    return app


def _changes(body: Json) -> bool:
    return str(body.get("query", "")).lstrip().startswith("mutation")


def _answer(shop: Shop, body: Json, scopes: frozenset[str]) -> Json:
    """Check, charge and execute one operation."""
    variables = body.get("variables") or {}
    try:
        document = shop.document(body.get("query", ""))
    except GraphQLError as error:
        return {"errors": [error.formatted]}
    except InvalidError as error:
        return {"errors": [one.formatted for one in error.problems]}
    cost = cost_of(shop.schema, document, variables)
    if cost > shop.most_per_query:
        message = f"Query cost is {cost}, which exceeds the single query max cost limit"
        return {"errors": [_error(f"{message} ({shop.most_per_query}).", "MAX_COST_EXCEEDED")]}
    if shop.throttled or cost > shop.bucket.refill():
        shop.throttled = max(shop.throttled - 1, 0)
        return {"errors": [_error("Throttled", "THROTTLED")], "extensions": _charged(shop, cost, None)}
    if shop.failing:
        shop.failing -= 1
        return {
            "errors": [_error("Internal error. Looks like something went wrong", "INTERNAL_SERVER_ERROR")]
        }
    result = execute(
        shop.schema,
        document,
        root_value={},
        variable_values=variables,
        operation_name=body.get("operationName"),
        field_resolver=Resolver(shop.state, scopes, shop.settings),
        type_resolver=type_of,
    )
    assert not hasattr(result, "__await__"), "nothing here is asynchronous"
    formatted = _formatted(result)
    # what was asked for has to be there, what was answered is paid
    actual = min(_objects(formatted.get("data")), cost)
    shop.bucket.available -= actual
    return {**formatted, "extensions": _charged(shop, cost, actual)}


def _formatted(result: Any) -> Json:
    formatted: Json = dict(result.formatted)
    return formatted


def _objects(data: object) -> int:
    """How many objects an answer holds."""
    if isinstance(data, dict):
        return 1 + sum(_objects(value) for value in data.values())
    return sum(_objects(value) for value in data) if isinstance(data, list) else 0


def _charged(shop: Shop, requested: int, actual: int | None) -> Json:
    return {
        "cost": {
            "requestedQueryCost": requested,
            "actualQueryCost": actual,
            "throttleStatus": shop.bucket.status(),
        }
    }


def _error(message: str, code: str) -> Json:
    return {"message": message, "extensions": {"code": code}}


def _grant(state: ShopState, form: Mapping[str, str]) -> Response:
    """The token endpoint: client credentials, refresh, code."""
    if (form.get("client_id"), form.get("client_secret")) != (state.client_id, state.client_secret):
        return _json({"error": "invalid_client", "error_description": "unknown client"}, 400)
    kind = form.get("grant_type")
    if kind == "client_credentials":
        return _json(state.grant(rotating=False))
    given, valid = (form.get("refresh_token", ""), state.refresh_tokens)
    if kind != "refresh_token":
        given, valid = form.get("code", ""), state.codes
    if given not in valid:
        return _json({"error": "invalid_grant", "error_description": "not valid or used up"}, 400)
    valid.remove(given)
    return _json(state.grant(rotating=True))


def _json(data: object, status: int = 200, headers: Mapping[str, str] | None = None) -> Response:
    text = json.dumps(data, ensure_ascii=False, default=str)
    response = Response(text, status=status, content_type="application/json; charset=utf-8")
    response.headers.extend(dict(headers or {}))
    return response
