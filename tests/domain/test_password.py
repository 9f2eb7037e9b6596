"""What a new password has to be, on both sides of each boundary."""

import pytest

from gal_friday.domain.password import CHARS_MAX, CHARS_MIN, WeakPassword, check_password

GOOD = "abcdefghijklmnop"


@pytest.mark.parametrize(
    "password",
    [
        GOOD[:CHARS_MIN],
        "correct horse battery staple",
        "пароль из четырёх слов",
        "李白一斗诗百篇长安市上酒家眠" * 2,
        (GOOD * 20)[:CHARS_MAX],
    ],
)
def test_length_is_what_counts(password: str) -> None:
    check_password(password, "alice")


@pytest.mark.parametrize(
    "password",
    [GOOD[: CHARS_MIN - 1], "", "x" * CHARS_MAX, "ababababababababab", (GOOD * 20)[: CHARS_MAX + 1], "x" * 1_000_000],
)
def test_what_will_be_guessed_or_cannot_be_kept_is_refused_and_not_quoted(password: str) -> None:
    with pytest.raises(WeakPassword) as refused:
        check_password(password, "alice")
    assert not password or password not in str(refused.value)


def test_the_name_is_no_password() -> None:
    with pytest.raises(WeakPassword, match="the name"):
        check_password("Alexandra.Smith-1", "alexandra smith")
    check_password("Alexandra has four words", "alexandra")


@pytest.mark.parametrize(
    "password, name, why",
    [
        ("abcdefghijklmn", "alice", "the password has 14 characters; 15 or more are asked for: four words do"),
        ("x" * 257, "alice", "the password has more than 256 characters; a shorter one is as good"),
        ("abcdeABCDEabcde", "alice", "the password says the same again and again; four words do"),
        ("abcdeabcdeabcdf", "alice", None),
        (
            "Alice-Alice-Alice-12345",
            "alice",
            "the password is the name; four words that have nothing to do with it do",
        ),
        ("Alice-Alice-Alice-123456", "alice", None),
        ("correct horse battery", "", None),
        ("correct horse battery", "...", None),
    ],
)
def test_what_is_said_of_a_password_that_will_not_do(password: str, name: str, why: str | None) -> None:
    if why is None:
        check_password(password, name)
        return
    with pytest.raises(WeakPassword) as refused:
        check_password(password, name)
    assert str(refused.value) == why
