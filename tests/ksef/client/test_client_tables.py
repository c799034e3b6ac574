"""Tables of limits and codes against the official contract, error bodies, environments, links, budget."""

from __future__ import annotations

import re
import subprocess
import sys
from collections.abc import Mapping
from datetime import date
from typing import TYPE_CHECKING, cast

import pytest
from hypothesis import given
from hypothesis import strategies as st

from core.ksef import environments
from core.ksef.encryption import sha256_base64
from core.ksef.environments import EnvironmentAddressError, custom
from core.ksef.errors import (
    AuthenticationFailed,
    Expired,
    Forbidden,
    KeyRejected,
    KsefError,
    KsefRefused,
    KsefUnavailable,
    Unauthorized,
    UnreadableAnswer,
)
from core.ksef.explanations import CodeKind, explain, explain_reason, known_codes
from core.ksef.limits import PUBLISHED, Group, group_of
from core.ksef.problems import error_for
from core.ksef.verification import invoice_link

if TYPE_CHECKING:
    pass

Json = Mapping[str, "Json"]


def _operations(spec: dict[str, object]) -> list[tuple[str, Json]]:
    paths = cast("Json", spec["paths"])
    return [
        (f"{method.upper()} {path}", operation)
        for path, methods in paths.items()
        for method, operation in methods.items()
    ]


def test_limits_are_the_published_ones(spec: dict[str, object]) -> None:
    """Every operation has the group and the numbers that the contract's 429 answer states."""
    checked = 0
    for name, operation in _operations(spec):
        text = str(operation["responses"]["429"]["description"])
        row = next(line for line in text.splitlines() if "Limity" in line)
        cells = [cell.strip() for cell in row.strip("|").split("|")][1:]
        numbers = [None if cell == "-" else int(cell) for cell in cells[:3]]
        group = Group(cells[3]) if cells[3] not in {"", "-"} else Group.ANONYMOUS
        rate = PUBLISHED[group_of(name)]
        if group is Group.ANONYMOUS and group_of(name) is Group.OTHER:
            # operations that this client does not have are counted as "other", the tighter group
            continue
        assert group_of(name) is group, name
        assert [rate.per_second, rate.per_minute, rate.per_hour] == numbers, name
        checked += 1
    assert checked > 60


def _codes(spec: dict[str, object], schema: str) -> set[int]:
    properties = cast("Json", spec["components"])["schemas"][schema]["properties"]
    return {int(code) for code in re.findall(r"^\| (\d+) \|", str(properties["status"]["description"]), re.M)}


@pytest.mark.parametrize(
    ("schema", "kind"),
    [
        ("SessionInvoiceStatusResponse", CodeKind.DOCUMENT),
        ("SessionStatusResponse", CodeKind.SESSION),
        ("AuthenticationOperationStatusResponse", CodeKind.SIGN_IN),
        ("CertificateEnrollmentStatusResponse", CodeKind.ENROLLMENT),
    ],
)
def test_every_status_of_the_contract_is_explained(
    spec: dict[str, object], schema: str, kind: CodeKind
) -> None:
    """Each status code that the contract names has a title in both languages, and no other has one."""
    assert known_codes(kind) == _codes(spec, schema)
    for code in known_codes(kind):
        found = explain(code, kind)
        assert found.known
        assert found.title.pl
        assert found.title.en
        assert bool(found.action.pl) == bool(found.action.en)


def test_every_exception_of_the_used_operations_is_explained(spec: dict[str, object]) -> None:
    """Each exception code of signing in, credentials, sessions and UPO has words in both languages."""
    areas = (" /auth/", "/sessions", " /certificates", " /tokens", "/query/personal/grants")
    used = [name for name, _ in _operations(spec) if any(area in name for area in areas)]
    wanted: set[int] = set()
    for name, operation in _operations(spec):
        if name in used:
            text = str(operation["responses"]["400"]["description"])
            wanted |= {int(code) for code in re.findall(r"^\|\s*(\d{4,5})\s*\|", text, re.M)}
    assert len(wanted) > 20
    assert wanted <= known_codes(CodeKind.EXCEPTION)


def test_every_reason_of_refusal_is_explained(spec: dict[str, object]) -> None:
    """Each reason code of a 403 says what to do."""
    schema = cast("Json", spec["components"])["schemas"]["ForbiddenProblemDetails"]
    text = str(schema["properties"]["reasonCode"]["description"])
    reasons = re.findall(r"^\| ([a-z-]+) \|", text, re.M)
    assert len(reasons) == 6
    assert all(explain_reason(reason).pl for reason in reasons)


def test_unknown_code_is_admitted() -> None:
    """A code in no table is not explained away."""
    found = explain(498)
    assert not found.known
    assert "498" in found.title.pl


def test_both_error_forms_are_read() -> None:
    """The older form and problem details give the same code, description and details."""
    old = {
        "exception": {
            "exceptionDetailList": [
                {"exceptionCode": 21405, "exceptionDescription": "Błąd walidacji.", "details": ["Pole x."]}
            ],
            "serviceCode": "00-trace-00",
        }
    }
    new = {
        "title": "Bad Request",
        "status": 400,
        "detail": "Żądanie jest nieprawidłowe.",
        "errors": [{"code": 21405, "description": "Błąd walidacji.", "details": ["Pole x."]}],
        "traceId": "trace",
    }
    for body, trace in ((old, "00-trace-00"), (new, "trace")):
        error = error_for("POST /x", 400, body)
        assert type(error) is KsefRefused
        assert (error.code, error.description) == (21405, "Błąd walidacji.")
        assert error.details == ("Pole x.",)
        assert error.trace_id == trace
        assert error.hint.pl


def test_several_errors_keep_all_their_words() -> None:
    """The code that decides comes first, and nothing of the others is lost."""
    body = {
        "title": "Bad Request",
        "errors": [
            {"code": 21405, "description": "Błąd walidacji.", "details": ["Pole x."]},
            {"code": 21470, "description": "Klucz wycofany.", "details": ["Klucz y."]},
        ],
    }
    error = error_for("POST /sessions/online", 400, body)
    assert isinstance(error, KeyRejected)
    assert error.details == ("Klucz y.", "21405 Błąd walidacji.", "Pole x.")


@pytest.mark.parametrize(
    ("status", "body", "expected"),
    [
        (410, {"title": "Gone", "detail": "Operacja wygasła."}, Expired),
        (401, {"title": "Unauthorized", "detail": "Wymagane jest uwierzytelnienie."}, Unauthorized),
        (
            400,
            {"title": "Bad Request", "errors": [{"code": 21115, "description": "x"}]},
            AuthenticationFailed,
        ),
        (400, {"title": "Bad Request", "errors": [{"code": 9105, "description": "x"}]}, AuthenticationFailed),
        (400, {"title": "Bad Request", "errors": [{"code": 99999, "description": "x"}]}, KsefRefused),
        (400, {"title": "Bad Request", "errors": []}, KsefRefused),
        (400, {"exception": {"exceptionDetailList": None}}, KsefRefused),
        (400, {"unexpected": 1}, UnreadableAnswer),
        (400, ["list"], UnreadableAnswer),
        (400, None, UnreadableAnswer),
        (503, None, KsefUnavailable),
    ],
)
def test_answer_becomes_the_fitting_exception(status: int, body: object, expected: type[Exception]) -> None:
    """Each refusing answer becomes one exception of the tree, unknown ones the general one."""
    assert type(error_for("POST /x", status, body)) is expected


@given(
    status=st.sampled_from([302, 400, 401, 403, 404, 410, 429, 500, 503]),
    body=st.recursive(
        st.none() | st.booleans() | st.integers() | st.text(),
        lambda inner: (
            st.lists(inner, max_size=3)
            | st.dictionaries(
                st.sampled_from(
                    [
                        "exception",
                        "exceptionDetailList",
                        "exceptionCode",
                        "title",
                        "status",
                        "errors",
                        "code",
                        "description",
                        "details",
                        "security",
                        "reasonCode",
                        "presentPermissions",
                    ]
                ),
                inner,
            )
        ),
        max_leaves=12,
    ),
)
def test_any_error_body_becomes_an_exception_of_the_tree(status: int, body: object) -> None:
    """However broken the body of a refusal is, it becomes one of our exceptions and can be shown."""
    error = error_for("POST /x", status, body)
    assert isinstance(error, KsefError)
    assert str(error).startswith("POST /x: ")


def test_refusal_with_odd_security_data_stays_a_refusal() -> None:
    """The free-form part of a 403 cannot hide the refusal."""
    body = {"title": "Forbidden", "reasonCode": "ip-not-allowed", "security": {"presentPermissions": 7}}
    error = error_for("POST /x", 403, body)
    assert isinstance(error, Forbidden)
    assert error.hint.pl


@pytest.mark.parametrize(
    ("url", "problem"),
    [
        ("http://example.com/v2", "not encrypted"),
        ("http://127.0.0.1.example.com/v2", "not encrypted"),
        ("ftp://127.0.0.1/", "no http"),
        ("127.0.0.1:8090/v2", "no http"),
        ("https://user:password@example.com/v2", "credentials"),
        ("https://example.com/v2?key=1", "query"),
        ("https://example.com:port/v2", "no address"),
        ("", "no http"),
    ],
)
def test_unsafe_addresses_are_refused(url: str, problem: str) -> None:
    """Unencrypted, credential-bearing and broken addresses make no environment."""
    with pytest.raises(EnvironmentAddressError, match=problem) as caught:
        custom(url, "https://example.com")
    assert "password" not in str(caught.value)


@pytest.mark.parametrize("host", ["localhost", "127.0.0.1", "127.8.9.1", "[::1]"])
def test_sandbox_on_this_machine_may_be_unencrypted(host: str) -> None:
    """http is allowed on the loopback interface, and trailing slashes do not double."""
    assert custom(f"http://{host}:8090/v2/", f"http://{host}:8090").api_url == f"http://{host}:8090/v2"


def test_official_environments_are_found_by_name() -> None:
    """Names are found in any case; all addresses are https."""
    assert environments.by_name("production") is environments.PRODUCTION
    with pytest.raises(KeyError):
        environments.by_name("PREPROD")
    for name in ("TEST", "DEMO", "PRODUCTION"):
        found = environments.by_name(name)
        assert custom(found.api_url, found.qr_url, latarnia_url=found.latarnia_url, name=name) == found


def test_link_of_code_one() -> None:
    """The link has NIP, day in Polish order and the hash in Base64URL without padding."""
    digest = "UtQp9Gpc51y-u3xApZjIjgkpZ01js-J8KflSPW8WzIE"
    link = invoice_link(
        "https://qr-test.ksef.mf.gov.pl/",
        "5265877635",
        date(2026, 2, 1),
        digest.replace("-", "+").replace("_", "/") + "=",
    )
    assert link == f"https://qr-test.ksef.mf.gov.pl/invoice/5265877635/01-02-2026/{digest}"


@pytest.mark.parametrize(
    ("nip", "digest"),
    [("526587763", sha256_base64(b"")), ("5265877635", "abc"), ("5265877635", "AAAA"), ("5265877635", "ł")],
)
def test_link_of_wrong_parts_is_refused(nip: str, digest: str) -> None:
    """A broken NIP or hash makes no link."""
    with pytest.raises(ValueError, match=r"NIP|SHA-256"):
        invoice_link("https://qr.ksef.mf.gov.pl", nip, date(2026, 2, 1), digest)


@pytest.mark.parametrize(
    "module", ["core.ksef.client", "core.ksef.interactive", "core.ksef.auth", "core.ksef.batch.upload"]
)
def test_import_needs_no_network_library(module: str) -> None:
    """Importing the client loads neither requests, signxml nor the limits library."""
    code = f"import sys, {module}; print(*sorted({{'requests', 'signxml', 'limits'}} & set(sys.modules)))"
    found = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert found.stdout.strip() == ""
