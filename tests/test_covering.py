"""The few combinations of `make test` have every pair that all combinations have."""

from itertools import product

from covering import covering, in_short, pairs


def test_every_pair_occurs_in_few_rows() -> None:
    rows = list(product("abcdefghijkl", range(14), ["torch", "optax", "keras", "sklearn"]))
    short = covering(rows)
    assert set().union(*map(pairs, short)) == set().union(*map(pairs, rows))
    # Of two factors alone that is every pair of them: no covering has fewer rows.
    assert 12 * 14 <= len(short) <= 1.2 * 12 * 14
    assert len(set(short)) == len(short)
    assert short == covering(rows)


def test_what_cannot_be_is_not_asked_for() -> None:
    rows = [row for row in product("abc", "xyz", range(3)) if row[:2] != ("a", "x")]
    short = covering(rows)
    assert set(short) <= set(rows)
    assert {row[:2] for row in short} == {row[:2] for row in rows}


def test_parts_may_be_others_than_pairs() -> None:
    rows = list(product("abc", "xyz"))
    assert [row[0] for row in covering(rows, parts=lambda row: [row[0]])] == ["a", "b", "c"]
    assert covering([]) == []


def test_the_others_are_marked() -> None:
    marked = in_short(["a", "b", "c"], ["b"])
    assert [(parameter.values, bool(parameter.marks)) for parameter in marked] == [
        (("a",), True),
        (("b",), False),
        (("c",), True),
    ]
