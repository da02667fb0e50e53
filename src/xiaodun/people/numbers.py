"""How numbers of persons and phones are written, checked, recognised and masked."""

import re
import unicodedata
from datetime import date
from functools import lru_cache

import phonenumbers
from django.utils.translation import gettext_lazy as _
from id_validator import helper as id_numbers

from xiaodun.kit.crypto import blind_index
from xiaodun.people.choices import DocumentKind
from xiaodun.people.faults import Fault

# 17 digits and the check character of ISO 7064 MOD 11-2.
_EIGHTEEN = re.compile(r"\d{17}[\dX]")
# Passports, home-return permits, identity cards of Hong Kong and Macau: letters, digits and their brackets.
_ELSEWHERE = re.compile(r"[A-Z0-9][A-Z0-9()/-]{3,23}")
# National student numbers: G and the ID number, L and a temporary one; older ones have digits alone.
_STUDENT = re.compile(r"[A-Z]{0,2}\d{7,22}[\dX]")
_MOBILE = re.compile(r"1[3-9][0-9]{9}")
_MASK = "*"


def written(text: str) -> str:
    """A number as it is compared: half-width, upper case, without blanks and invisible characters."""
    if text.isascii() and text.isalnum():
        return text.upper()
    wide = unicodedata.normalize("NFKC", text).upper()
    return "".join(each for each in wide if unicodedata.category(each)[0] not in "CZ")


def is_masked(text: str | None) -> bool:
    """Whether this is what a page showed instead of the value; it means nothing when it comes back."""
    return text is not None and _MASK in text


def check_character(first_seventeen: str) -> str:
    """The last character of an ID number, by ISO 7064 MOD 11-2."""
    return str(id_numbers.generator_check_bit(first_seventeen)).upper()


def birth_date_in(number: str) -> date | None:
    """The date of birth that an ID number of 18 characters holds; none if there is no such day."""
    try:
        return date(int(number[6:10]), int(number[10:12]), int(number[12:14]))
    except ValueError:
        return None


def sex_in(number: str) -> str:
    """The sex that an ID number of 18 characters holds."""
    return "M" if int(number[16]) % 2 else "F"


def fault_in_document(kind: str, number: str, *, on: date) -> Fault | None:
    """What is wrong with the document, given as :func:`written` gives it, on the day ``on``."""
    if kind not in DocumentKind:
        return _KIND_UNKNOWN
    if kind == DocumentKind.OTHER and not number:
        return None
    if _EIGHTEEN.fullmatch(number):
        return _fault_in_eighteen(number, on=on)
    if kind == DocumentKind.RESIDENT:
        return _NOT_EIGHTEEN
    return None if _ELSEWHERE.fullmatch(number) else _NOT_A_DOCUMENT


# A student number mostly is G and the ID number of the same row: checked once.
@lru_cache(maxsize=4)
def _fault_in_eighteen(number: str, *, on: date) -> Fault | None:
    born = birth_date_in(number)
    if born is None or not on.year - 120 <= born.year or born > on:
        return _NO_SUCH_DAY
    return None if check_character(number[:17]) == number[17] else _CHECK_DIGIT


def fault_in_student_number(number: str, *, on: date) -> Fault | None:
    """What is wrong with a national student number, given as :func:`written` gives it."""
    if not _STUDENT.fullmatch(number):
        return _NOT_A_STUDENT_NUMBER
    # L numbers are temporary: their tail is counted up, not taken from an ID card.
    if number[0] == "G" and _EIGHTEEN.fullmatch(number[1:]) and _fault_in_eighteen(number[1:], on=on):
        return _STUDENT_CHECK_DIGIT
    return None


def read_phone(text: str) -> str | None:
    """The phone as ``+8613800000000``; none if nobody can be called there."""
    mobile = _MOBILE.fullmatch(text)
    if mobile is not None:
        return f"+86{text}" if _is_given_out(text[:7]) else None
    return _read_other_phone(unicodedata.normalize("NFKC", text))


@lru_cache(maxsize=8192)
def _is_given_out(head: str) -> bool:
    """Whether mobile numbers begin so. The plan of numbers knows no more than their first seven digits."""
    return _read_other_phone(f"{head}0000") is not None


def _read_other_phone(text: str) -> str | None:
    try:
        number = phonenumbers.parse(text, "CN")
    except phonenumbers.NumberParseException:
        return None
    if not phonenumbers.is_valid_number(number):
        return None
    return phonenumbers.format_number(number, phonenumbers.PhoneNumberFormat.E164)


# --- blind indexes ---


def document_index(kind: str, number: str) -> str:
    """By which a document on record is found; ``number`` as :func:`written` gives it."""
    return blind_index(f"{kind}:{number}", context="people.identity.document")


def student_index(number: str) -> str:
    """By which a national student number on record is found; ``number`` as :func:`written` gives it."""
    return blind_index(number, context="people.identity.student")


def phone_index(phone: str) -> str:
    """By which a guardian's phone on record is found; ``phone`` as :func:`read_phone` gives it."""
    return blind_index(phone, context="people.guardian.phone")


# --- masks ---


def mask_number(number: str) -> str:
    """The first two and the last two characters: ``41**************2X``."""
    if len(number) <= 4:
        return _MASK * len(number)
    return f"{number[:2]}{_MASK * (len(number) - 4)}{number[-2:]}"


def mask_phone(phone: str) -> str:
    """``138****5678``; a number of another country by its last four digits."""
    national = phone.removeprefix("+86")
    if len(national) <= 7:
        return _MASK * len(national)
    head = national[:3] if national is not phone else ""
    return f"{head}{_MASK * (len(national) - len(head) - 4)}{national[-4:]}"


_KIND_UNKNOWN = Fault(
    "document-kind-unknown",
    _("This kind of identity document is not one that the student register knows."),
    _("Use 1, 6, 7, 8, 9, A or Z, or the name of the document."),
    field="document_kind",
)
_NOT_EIGHTEEN = Fault(
    "id-number-length",
    _("An ID number of a resident has 18 characters: digits, and perhaps an X at the end."),
    _("Compare the number with the card or the household register."),
    field="document_number",
)
_NO_SUCH_DAY = Fault(
    "id-number-birth-date",
    _("The date of birth inside the ID number is impossible."),
    _("Compare the number with the card or the household register."),
    field="document_number",
)
_CHECK_DIGIT = Fault(
    "id-number-check-digit",
    _("The last character of the ID number does not fit the others: one of them is mistyped."),
    _("Compare the number with the card or the household register."),
    field="document_number",
)
_NOT_A_DOCUMENT = Fault(
    "document-number-malformed",
    _("This is not the number of an identity document."),
    _("Give the number as the document shows it, or use kind Z without a number."),
    field="document_number",
)
_NOT_A_STUDENT_NUMBER = Fault(
    "student-number-malformed",
    _("This is not a national student number."),
    _("Copy it from the student register; it begins with G or L, or has digits alone."),
    field="student_number",
)
_STUDENT_CHECK_DIGIT = Fault(
    "student-number-check-digit",
    _("The last character of the student number does not fit the others: one of them is mistyped."),
    _("Copy the number from the student register again."),
    field="student_number",
)
NOT_A_PHONE = Fault(
    "phone-impossible",
    _("Nobody can be called at this number."),
    _("Give a mobile number, or a number with its area code."),
    field="phone",
)

# All that the checks above may find, for whoever keeps the code and says the words later.
FAULTS = (
    _KIND_UNKNOWN,
    _NOT_EIGHTEEN,
    _NO_SUCH_DAY,
    _CHECK_DIGIT,
    _NOT_A_DOCUMENT,
    _NOT_A_STUDENT_NUMBER,
    _STUDENT_CHECK_DIGIT,
    NOT_A_PHONE,
)
