"""One sign-in per seller, shared by all workers: threads, commands and processes.

The tokens lie sealed in the seller's row. Whoever finds them too old renews them under a lock, and looks at
the row once more after getting it, so that a crowd of workers asks KSeF once.
"""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime
from typing import Any

from connector_app.credentials import credential_of, seal_tokens, tokens_of
from connector_app.store.locks import lock
from connector_app.store.models import Seller
from connector_app.store.sessions import Sessions
from connector_app.vault import Vault
from core.ksef import auth
from core.ksef.auth import DEFAULT_MARGIN, Credential, Tokens
from core.ksef.client import KsefClient
from core.ksef.public_keys import PublicKeys

_ENDED = datetime(2000, 1, 1, tzinfo=UTC)


class SharedSignIn:
    """A seller's tokens.

    Args:
        seller: whose; read from the database.
        database: the installation's.
        vault: seals the tokens.
        client: of the seller's environment, for its NIP.
        keys: the Ministry's keys there.
    """

    def __init__(
        self,
        seller: Seller,
        database: Sessions,
        vault: Vault,
        client: KsefClient,
        keys: PublicKeys,
    ) -> None:
        self._seller_id, self._nip, self._environment = seller.id, seller.nip, seller.environment
        self._database, self._vault, self._client, self._keys = database, vault, client, keys
        self._tokens = tokens_of(vault, seller.tokens)

    def access(self) -> str:
        """A usable access token: the one at hand, another worker's, a refreshed one or a new sign-in's.

        The credential is unsealed only for a new sign-in: tokens that are still good go on working after a
        certificate has ended.

        Raises:
            SignInNeeded: a person has to sign outside the program.
            KsefError: KSeF did not let us in.
            KeyMaterialError: the certificate is no longer usable.
            VaultLocked: the credential cannot be decrypted.
        """
        if not self._is_usable():
            with lock(self._database, f"sign-in-{self._seller_id}"):
                self._look()
                if not self._is_usable():
                    self._renew()
        if self._tokens is None:
            raise AssertionError("renewing gives tokens or raises")
        return self._tokens.access

    def refused(self, access: str) -> None:
        """KSeF did not take an access token: the next one who asks gets another.

        The refresh token stays, and so do tokens that another worker has stored meanwhile.

        Args:
            access: the token that was refused.
        """
        with lock(self._database, f"sign-in-{self._seller_id}"):
            self._look()
            if self._tokens is not None and self._tokens.access == access:
                self._keep(replace(self._tokens, access_valid_until=_ENDED))

    def keep(self, tokens: Tokens) -> None:
        """Share the tokens of a sign-in that was made elsewhere; waiting work goes on with them."""
        with lock(self._database, f"sign-in-{self._seller_id}"):
            self._keep(tokens, hold=None)

    def forget(self) -> None:
        """Drop the tokens: the next one who asks signs in anew."""
        with lock(self._database, f"sign-in-{self._seller_id}"):
            self._keep(None)

    def _is_usable(self) -> bool:
        tokens = self._tokens
        return tokens is not None and tokens.access_valid_until > self._client.clock() + DEFAULT_MARGIN

    def _look(self) -> None:
        with self._database() as session:
            self._tokens = tokens_of(self._vault, session.get_one(Seller, self._seller_id).tokens)

    def _renew(self) -> None:
        tokens = auth.valid_access(self._client, self._nip, self._credential, self._keys, self._tokens)
        self._keep(tokens)

    def _credential(self) -> Credential:
        with self._database() as session:
            sealed = session.get_one(Seller, self._seller_id).credential
        return credential_of(self._vault, sealed, self._client.clock())

    def _keep(self, tokens: Tokens | None, **changes: Any) -> None:
        self._tokens = tokens
        with self._database.begin(self._seller_id) as session:
            row = session.get_one(Seller, self._seller_id)
            if row.environment != self._environment:
                return  # moved to another KSeF meanwhile, where these tokens are worth nothing
            row.tokens = seal_tokens(self._vault, tokens) if tokens else None
            for name, value in changes.items():
                setattr(row, name, value)
