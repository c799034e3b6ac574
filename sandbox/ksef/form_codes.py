"""The form code that a session is opened for."""

from __future__ import annotations

from sandbox.ksef.call import Body
from sandbox.ksef.documents import FORM_CODES
from sandbox.ksef.errors import BadRequest


def read(body: Body) -> tuple[str, str]:
    """Read FormCode of the contract.

    Returns:
        systemCode and schemaVersion.

    Raises:
        BadRequest: 21405, a member is missing or the form is not supported.
    """
    code = (
        body.required_text("systemCode"),
        body.required_text("schemaVersion"),
        body.required_text("value"),
    )
    if code not in FORM_CODES:
        raise BadRequest(21405, "Wskazany kod formularza nie jest wspierany.")
    return code[0], code[1]
