"""How each class of libxml2's schema errors is told: the table that :mod:`core.fa.xsd_errors` reads.

The keys are libxml2's error types; the class names follow the rules of XML Schema 1.0 part 1
(``xmlschemas.c`` of libxml2). Codes of findings are stable: documentation and tests refer to them.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Final

from core.findings import Text

_NO_HINT: Final = Text("", "")


@dataclass(frozen=True, slots=True)
class Rule:
    """How one class of errors is told.

    Attributes:
        code: the finding's code.
        form: finds the variable parts in libxml2's text, the element's name cut off.
        message: template over those parts, ``name`` (the element) and ``attribute``.
        hint: template over the same.
        of_value: an error about an element's value, of which one is enough for each element.
    """

    code: str
    form: re.Pattern[str]
    message: Text
    hint: Text = _NO_HINT
    of_value: bool = False


_WRITE_VALUE: Final = Text("Popraw wartość pola {name}.", "Correct the value of {name}.")
_FIXED: Final = Text("Wpisz {expected}.", "Write {expected}.")
_WRONG_VALUE: Final = Text(
    "Wartość „{value}” nie pasuje do pola {name}.", "The value '{value}' does not fit {name}."
)


def _value_rule(code: str, form: str, pl: str, en: str, hint: Text = _WRITE_VALUE) -> Rule:
    return Rule(code, re.compile(form, re.DOTALL), Text(pl, en), hint, of_value=True)


RULES: Final[dict[str, tuple[Rule, ...]]] = {
    "SCHEMAV_ELEMENT_CONTENT": (
        Rule(
            "xsd-missing-element",
            re.compile(r"Missing child element\(s\)\. Expected is (?:one of )?\( (?P<expected>.*) \)"),
            Text("W elemencie {name} brakuje elementu {expected}.", "{name} lacks the element {expected}."),
            Text("Uzupełnij brakujące dane.", "Fill in the missing data."),
        ),
        Rule(
            "xsd-unexpected-element",
            re.compile(
                r"This element is not expected\. Expected is (?:one of )?\( (?P<expected>.*) \)", re.DOTALL
            ),
            Text(
                "Element {name} stoi w niewłaściwym miejscu; powinien tu być {expected}.",
                "The element {name} does not belong here; expected is {expected}.",
            ),
            Text(
                "Uzupełnij brakujący element, usuń zbędny albo popraw kolejność.",
                "Add the missing element, remove the surplus one or correct the order.",
            ),
        ),
        Rule(
            "xsd-unexpected-element",
            re.compile(r"This element is not expected\."),
            Text(
                "Element {name} jest tu zbędny: nic więcej nie powinno w tym miejscu wystąpić.",
                "The element {name} is surplus: nothing more may stand here.",
            ),
            Text("Usuń ten element.", "Remove this element."),
        ),
    ),
    "SCHEMAV_CVC_PATTERN_VALID": (
        _value_rule(
            "xsd-pattern",
            r"The value '(?P<value>.*)' is not accepted by the pattern '(?P<limit>.*)'\.",
            "Wartość „{value}” pola {name} ma niewłaściwą postać.",
            "The value '{value}' of {name} has a wrong form.",
        ),
    ),
    "SCHEMAV_CVC_ENUMERATION_VALID": (
        _value_rule(
            "xsd-enumeration",
            r"The value '(?P<value>.*)' is not an element of the set \{(?P<limit>.*)\}\.",
            "Wartość „{value}” nie należy do wartości dozwolonych w polu {name}.",
            "The value '{value}' is none of the values allowed for {name}.",
            Text("Dozwolone wartości: {limit}.", "Allowed values: {limit}."),
        ),
    ),
    "SCHEMAV_CVC_MINLENGTH_VALID": (
        _value_rule(
            "xsd-empty",
            r"The value has a length of '0'; .*minimum length of '(?P<limit>\d+)'",
            "Pole {name} jest puste.",
            "{name} is empty.",
            Text(
                "Uzupełnij pole albo je pomiń, jeśli jest nieobowiązkowe.",
                "Fill it in, or omit it if optional.",
            ),
        ),
        _value_rule(
            "xsd-min-length",
            r"The value has a length of '(?P<value>\d+)'; .*minimum length of '(?P<limit>\d+)'",
            "Pole {name} jest za krótkie: liczba znaków {value}, najmniej {limit}.",
            "{name} is too short: {value} characters, at least {limit} needed.",
        ),
    ),
    "SCHEMAV_CVC_MAXLENGTH_VALID": (
        _value_rule(
            "xsd-max-length",
            r"The value has a length of '(?P<value>\d+)'; .*maximum length of '(?P<limit>\d+)'",
            "Pole {name} jest za długie: liczba znaków {value}, najwyżej {limit}.",
            "{name} is too long: {value} characters, at most {limit} allowed.",
            Text("Skróć tekst.", "Shorten the text."),
        ),
    ),
    "SCHEMAV_CVC_MININCLUSIVE_VALID": (
        _value_rule(
            "xsd-min-value",
            r"The value '(?P<value>.*)' is less than the minimum value allowed \('(?P<limit>.*)'\)",
            "Wartość „{value}” pola {name} jest za mała albo za wczesna; najmniejsza dozwolona to {limit}.",
            "The value '{value}' of {name} is too low or too early; the lowest allowed is {limit}.",
        ),
    ),
    "SCHEMAV_CVC_MAXINCLUSIVE_VALID": (
        _value_rule(
            "xsd-max-value",
            r"The value '(?P<value>.*)' is greater than the maximum value allowed \('(?P<limit>.*)'\)",
            "Wartość „{value}” pola {name} jest za duża albo za późna; największa dozwolona to {limit}.",
            "The value '{value}' of {name} is too high or too late; the highest allowed is {limit}.",
        ),
    ),
    "SCHEMAV_CVC_MINEXCLUSIVE_VALID": (
        _value_rule(
            "xsd-min-value",
            r"The value '(?P<value>.*)' must be greater than '(?P<limit>.*)'",
            "Wartość „{value}” pola {name} musi być większa niż {limit}.",
            "The value '{value}' of {name} must be greater than {limit}.",
        ),
    ),
    "SCHEMAV_CVC_TOTALDIGITS_VALID": (
        _value_rule(
            "xsd-total-digits",
            r"The value '(?P<value>.*)' has more digits than are allowed \('(?P<limit>.*)'\)",
            "Liczba „{value}” w polu {name} ma za wiele cyfr; najwyżej {limit}.",
            "The number '{value}' of {name} has too many digits; at most {limit}.",
        ),
    ),
    "SCHEMAV_CVC_FRACTIONDIGITS_VALID": (
        _value_rule(
            "xsd-fraction-digits",
            r"The value '(?P<value>.*)' has more fractional digits than are allowed \('(?P<limit>.*)'\)",
            "Liczba „{value}” w polu {name} ma za wiele miejsc po przecinku; najwyżej {limit}.",
            "The number '{value}' of {name} has too many decimal places; at most {limit}.",
        ),
    ),
    "SCHEMAV_CVC_DATATYPE_VALID_1_2_1": (
        _value_rule(
            "xsd-wrong-type",
            r"'(?P<value>.*)' is not a valid value of the (?:local )?atomic type(?: '(?P<limit>.*)')?\.",
            _WRONG_VALUE.pl,
            _WRONG_VALUE.en,
        ),
    ),
    "SCHEMAV_CVC_DATATYPE_VALID_1_2_3": (
        _value_rule(
            "xsd-wrong-type",
            r"'(?P<value>.*)' is not a valid value of the (?:local )?union type(?: '(?P<limit>.*)')?\.",
            _WRONG_VALUE.pl,
            _WRONG_VALUE.en,
        ),
    ),
    "SCHEMAV_CVC_ELT_5_2_2_2_2": (
        _value_rule(
            "xsd-fixed-value",
            r"The actual value '(?P<value>.*)' does not match the fixed value constraint '(?P<expected>.*)'",
            "Pole {name} ma wartość „{value}”, a może mieć tylko „{expected}”.",
            "{name} is '{value}', but may only be '{expected}'.",
            _FIXED,
        ),
    ),
    "SCHEMAV_CVC_AU": (
        Rule(
            "xsd-attribute-value",
            re.compile(
                r"The value '(?P<value>.*)' does not match the fixed value constraint '(?P<expected>.*)'"
            ),
            Text(
                "Atrybut {attribute} elementu {name} ma wartość „{value}”, a może mieć tylko „{expected}”.",
                "The attribute {attribute} of {name} is '{value}', but may only be '{expected}'.",
            ),
            _FIXED,
        ),
    ),
    "SCHEMAV_CVC_COMPLEX_TYPE_4": (
        Rule(
            "xsd-missing-attribute",
            re.compile(r"The attribute '(?P<attribute>.*)' is required but missing"),
            Text(
                "Element {name} nie ma obowiązkowego atrybutu {attribute}.",
                "The element {name} lacks the required attribute {attribute}.",
            ),
        ),
    ),
    "SCHEMAV_CVC_COMPLEX_TYPE_2_3": (
        Rule(
            "xsd-text-not-allowed",
            re.compile(r"Character content other than whitespace is not allowed"),
            Text(
                "W elemencie {name} jest tekst między elementami.",
                "There is text between the elements of {name}.",
            ),
            Text("Usuń ten tekst.", "Remove that text."),
        ),
    ),
    "SCHEMAV_CVC_ELT_1": (
        Rule(
            "xsd-wrong-root",
            re.compile(r"No matching global declaration available"),
            Text(
                "Główny element {name} nie jest elementem Faktura tej wersji (nazwa lub przestrzeń nazw).",
                "The root element {name} is not the Faktura of this structure (wrong name or namespace).",
            ),
            Text(
                "Sprawdź, w jakiej wersji FA jest dokument.", "Check which version of FA the document is in."
            ),
        ),
    ),
}
_ATTRIBUTE_NOT_ALLOWED: Final = Rule(
    "xsd-unexpected-attribute",
    re.compile(r"The attribute '(?P<attribute>.*)' is not allowed"),
    Text(
        "Element {name} ma niedozwolony atrybut {attribute}.",
        "The element {name} has an attribute that is not allowed: {attribute}.",
    ),
    Text("Usuń ten atrybut.", "Remove this attribute."),
)
_CHILDREN_NOT_ALLOWED: Final = Rule(
    "xsd-unexpected-element",
    re.compile(r"Element content is not allowed"),
    Text(
        "Pole {name} zawiera elementy, a może mieć tylko wartość.",
        "{name} contains elements, but may only hold a value.",
    ),
    of_value=True,
)
ANYWHERE: Final = (_ATTRIBUTE_NOT_ALLOWED, _CHILDREN_NOT_ALLOWED)
"""Tried for every type: libxml2 reports these under several, by whether the type is simple or complex."""

_AMOUNT: Final = Text(
    "Liczba z kropką, bez spacji, bez zer na początku, na przykład 1234.50.",
    "A number with a dot, without spaces and leading zeros, for example 1234.50.",
)
_DAY: Final = Text("Data w postaci RRRR-MM-DD.", "A date in the form YYYY-MM-DD.")
VALUE_HINTS: Final[tuple[tuple[re.Pattern[str], Text], ...]] = (
    (
        re.compile(r"^\[1-9\]\(\(\\d\[1-9\]\)\|\(\[1-9\]\\d\)\)\\d\{7\}$"),
        Text(
            "NIP to 10 cyfr bez kresek, spacji i przedrostka PL.",
            "A NIP is 10 digits without hyphens, spaces or the prefix PL.",
        ),
    ),
    (re.compile(r"^-\?\(|\}(?:TKwotowy2?|TIlosci|TProcentowy)$"), _AMOUNT),
    (re.compile(r"^\(\(\\d\{4\}\)-|\}TData[TU]?$"), _DAY),
    (
        re.compile(r"^\(\.\)\+@"),
        Text(
            "Adres e-mail, na przykład biuro@example.pl.", "An e-mail address, for example office@example.pl."
        ),
    ),
    (
        re.compile(r"\|M\\d\{9\}\|"),
        Text(
            "Numer KSeF ma 35 znaków, na przykład 5265877635-20250826-0100001AF629-AF.",
            "A KSeF number has 35 characters, for example 5265877635-20250826-0100001AF629-AF.",
        ),
    ),
)
"""What a pattern or a type of the schemas means, found by the text that libxml2 repeats."""
