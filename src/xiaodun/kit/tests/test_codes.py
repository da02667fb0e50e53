"""Codes on paper and secrets of machines."""

from xiaodun.kit import codes


def test_a_code_is_found_however_it_is_typed():
    code = codes.new_code()
    kept = codes.code_digest(code, purpose="slip")
    full_width = "".join(chr(ord(letter) + 0xFEE0) for letter in code if letter != "-")
    for typed in (
        code,
        code.lower(),
        code.replace("-", ""),
        code.replace("-", " "),
        f" {code}\n",
        full_width,
    ):
        assert codes.code_digest(typed, purpose="slip") == kept
    assert codes.code_digest(code, purpose="tablet") != kept


def test_codes_have_no_letters_that_paper_confuses_and_do_not_repeat():
    made = {codes.new_code() for _ in range(500)}
    assert len(made) == 500
    assert {letter for code in made for letter in code} <= set(codes.ALPHABET) | {"-"}
    assert not set(codes.ALPHABET) & set("01OILU")


def test_a_secret_has_at_least_128_random_bits():
    made = {codes.new_secret() for _ in range(500)}
    assert len(made) == 500
    # Six bits a character.
    assert {len(secret) * 6 for secret in made} == {192}
    assert len({codes.secret_digest(secret) for secret in made}) == 500
