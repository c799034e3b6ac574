"""GraphQL to one shop: operations in, data or a typed error out.

Shopify answers 200 also when it refuses; both ``errors`` and each mutation's ``userErrors`` are looked at.
"""

from __future__ import annotations

import random
import time
from collections.abc import Callable, Mapping

from tenacity import RetryCallState, Retrying, retry_if_exception, stop_after_attempt

from adapters.contract import ShopAuthFailed, ShopBusy, ShopError, ShopRefused, ShopUnavailable
from adapters.json_node import Node
from adapters.shopify.budget import CostBudget
from adapters.shopify.operations import API_VERSION, Operation
from adapters.shopify.tokens import TokenSource
from adapters.shopify.transport import Transport
from core.findings import Text

PATH = f"/admin/api/{API_VERSION}/graphql.json"
MAX_COST_EXCEEDED = "MAX_COST_EXCEEDED"

_LONGEST_MESSAGE = 300
_OURS_TO_REPEAT = frozenset({"INTERNAL_SERVER_ERROR", "TIMEOUT"})


class GraphClient:
    """Operations on one shop; not shared between threads.

    Args:
        transport: the shop.
        tokens: where the access token comes from.
        sleep: waits the given seconds.
        jitter: a number in [0, 1) that spreads the pauses.
    """

    def __init__(
        self,
        transport: Transport,
        tokens: TokenSource,
        *,
        sleep: Callable[[float], None] = time.sleep,
        jitter: Callable[[], float] = random.random,
    ) -> None:
        self._transport = transport
        self._tokens = tokens
        self._sleep = sleep
        self._jitter = jitter
        self._budget = CostBudget(transport.clock)
        self.version = ""

    @property
    def url(self) -> str:
        """Address of the shop."""
        return self._transport.url

    def close(self) -> None:
        """Give the connection back."""
        self._transport.close()

    def run(self, operation: Operation, variables: Mapping[str, object] | None = None) -> Node:
        """Run an operation.

        A query is repeated after a pause when no usable answer came. A mutation is repeated only when it
        certainly was not carried out (throttled, no connection).

        Args:
            operation: see :mod:`adapters.shopify.operations`.
            variables: its variables.

        Returns:
            ``data``, with the path of errors beginning at the operation's own fields.

        Raises:
            ShopUnavailable: with ``outcome_unknown`` when a mutation may have been carried out.
            ShopError: see :mod:`adapters.contract`.
        """
        retrying = Retrying(
            stop=stop_after_attempt(self._transport.limits.attempts),
            wait=self._pause,
            retry=retry_if_exception(self._is_worth_repeating),
            sleep=self._sleep,
            reraise=True,
        )
        return retrying(self._with_token, operation, variables or {})

    def change(self, operation: Operation, variables: Mapping[str, object], field: str) -> Node:
        """Run a mutation and look at its ``userErrors``.

        Args:
            operation: a mutation.
            variables: its variables.
            field: its only field.

        Returns:
            The payload.

        Raises:
            ShopRefused: Shopify names user errors; ``code`` is the first one's.
            ShopError: see :mod:`adapters.contract`.
        """
        payload = self.run(operation, variables).maybe(field)
        if payload is None:
            raise ShopUnavailable("the shop's answer lacks its result", outcome_unknown=True)
        problems = [
            (problem.text_of("message"), problem.text_of("code") if "code" in problem.fields() else "")
            for problem in payload.items("userErrors")
        ]
        if problems:
            said = "; ".join(message for message, _ in problems)[:_LONGEST_MESSAGE].rstrip(".")
            raise ShopRefused(f"the shop refused: {said}", code=problems[0][1], status=200)
        return payload

    def _pause(self, state: RetryCallState) -> float:
        """Seconds before the next attempt: what the shop asks for, else 1, 2, 4... with jitter."""
        error = state.outcome.exception() if state.outcome else None
        if isinstance(error, ShopBusy):
            return error.retry_after
        return float(2 ** (state.attempt_number - 1)) * (0.5 + self._jitter())

    def _is_worth_repeating(self, error: BaseException) -> bool:
        if isinstance(error, ShopBusy):
            return error.retry_after <= self._transport.limits.longest_pause
        return isinstance(error, ShopUnavailable) and not error.outcome_unknown

    def _with_token(self, operation: Operation, variables: Mapping[str, object]) -> Node:
        """One attempt; a token that the shop no longer takes is renewed once."""
        pause = self._budget.pause_before(operation.name)
        if pause > self._transport.limits.longest_pause:
            raise ShopBusy("the shop's cost budget is used up", retry_after=pause)
        if pause:
            self._sleep(pause)
        token = self._tokens.token()
        try:
            return self._once(operation, variables, token)
        except ShopAuthFailed as error:
            if error.status != 401 or not self._tokens.renew(token):
                raise
        return self._once(operation, variables, self._tokens.token())

    def _once(self, operation: Operation, variables: Mapping[str, object], token: str) -> Node:
        reply = self._transport.post_json(
            PATH,
            {"query": operation.text, "operationName": operation.name, "variables": dict(variables)},
            {"X-Shopify-Access-Token": token},
            writing=operation.writes,
        )
        self.version = reply.version
        self._budget.learn(operation.name, reply.data.get("extensions"))
        errors = reply.data.get("errors")
        if errors:
            raise self._error(operation, errors)
        data = reply.data.get("data")
        if not isinstance(data, dict):
            raise ShopUnavailable("the shop's answer has no data", outcome_unknown=operation.writes)
        return Node(data)

    def _error(self, operation: Operation, errors: object) -> ShopError:
        """The error for ``errors`` of a GraphQL answer; data beside them is not used."""
        first = next((one for one in errors if isinstance(one, dict)), {}) if isinstance(errors, list) else {}
        extensions = first.get("extensions")
        extensions = extensions if isinstance(extensions, dict) else {}
        code = str(extensions.get("code") or "")
        message = str(first.get("message") or (errors if isinstance(errors, str) else "no reason"))
        said = " ".join(message.split())[:_LONGEST_MESSAGE].rstrip(".")
        if code == "THROTTLED":
            return ShopBusy(
                "the shop's cost budget is used up",
                retry_after=self._budget.pause_when_throttled(operation.name),
            )
        if code == "ACCESS_DENIED":
            needed = str(extensions.get("requiredAccess") or "").replace("`", "").strip()
            return ShopAuthFailed(
                Text(f"aplikacji tego nie wolno: {said}", f"the app may not do this: {said}"),
                code=code,
                status=403,
                hint=Text(
                    f"Daj aplikacji to, czego potrzebuje: {needed}", f"Give the app what it needs: {needed}"
                )
                if needed
                else Text("Daj aplikacji więcej uprawnień.", "Give the app more scopes."),
            )
        if code in _OURS_TO_REPEAT:
            return ShopUnavailable(f"the shop failed: {said}", outcome_unknown=operation.writes)
        return ShopRefused(f"the shop refused the operation: {said}", code=code, status=200)
