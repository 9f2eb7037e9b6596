"""Two names that look alike are one person, and nobody acts under the name of a rule (I11)."""

import pytest

from gal_friday.domain.person import is_reserved, same_person
from gal_friday.domain.remark import MalformedRemark, name_of


@pytest.mark.parametrize(
    "other",
    [
        "ann",
        "Ann",
        "ANN",
        " ann ",
        "a n n",
        "ａｎｎ",
        "𝐚𝐧𝐧",
        "änn",
        "a\u0308nn",
        "ann\u200b",
        "\u202eann",
        "ann\u3164",  # a filler of Hangul: a letter that nobody sees
        "аnn",  # a Cyrillic а
    ],
    ids=ascii,
)
def test_names_that_look_alike_are_one_person(other: str) -> None:
    assert same_person("ann", other)
    assert same_person(other, "ann")


@pytest.mark.parametrize(
    "one, other",
    [("реtеr", "peter"), ("ΑΝΝ", "ann"), ("Straße", "STRASSE"), ("МАX", "max"), ("aliϲe", "ALIϹE"), ("aliϲe", "alice")],
)
def test_letters_of_another_script_make_nobody_else(one: str, other: str) -> None:
    assert same_person(one, other)


@pytest.mark.parametrize("other", ["anna", "an", "bob", "安", "ann2"], ids=ascii)
def test_other_names_are_other_people(other: str) -> None:
    assert not same_person("ann", other)


@pytest.mark.parametrize("name", ["policy", "Policy", "ｐｏｌｉｃｙ", "роlicy", "gal-friday", "GAL-FRIDAY"], ids=ascii)
def test_nobody_acts_under_the_name_of_a_rule(name: str) -> None:
    assert is_reserved(name)
    with pytest.raises(MalformedRemark, match="say who it is"):
        name_of(name)


@pytest.mark.parametrize("name", ["ann\u3164", "\u2800", "a\uffa0nn", "\u115f"], ids=ascii)
def test_what_nobody_sees_is_no_part_of_a_name(name: str) -> None:
    with pytest.raises(MalformedRemark, match="cannot be seen"):
        name_of(name)


def test_a_name_that_holds_such_a_word_is_a_name() -> None:
    assert name_of("policy team") == "policy team"
