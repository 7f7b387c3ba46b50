"""The budget counts what is spent and says what runs out."""

from hypothesis import given
from hypothesis import strategies as st

from opsai_agent.backend import Usage
from opsai_agent.budget import Budget, Limits


class Watch:
    """A clock that tests move."""

    def __init__(self) -> None:
        self.seconds = 100.0

    def __call__(self) -> float:
        return self.seconds


USAGES = st.builds(
    Usage,
    input_tokens=st.integers(0, 50_000),
    output_tokens=st.integers(0, 20_000),
    cache_read_tokens=st.integers(0, 500_000),
    cache_write_tokens=st.integers(0, 50_000),
    usd=st.one_of(st.none(), st.floats(0, 2, allow_nan=False)),
)


@given(st.lists(USAGES, max_size=30))
def test_tokens_that_count_are_those_read_anew_written_and_cached(usages: list[Usage]) -> None:
    budget = Budget(Limits(), Watch())

    for usage in usages:
        budget.spend(usage)

    assert budget.tokens == sum(u.input_tokens + u.output_tokens + u.cache_write_tokens for u in usages)
    assert budget.cache_read_tokens == sum(u.cache_read_tokens for u in usages)
    assert budget.steps == len(usages)


@given(st.lists(USAGES, max_size=30))
def test_dollars_are_unknown_once_one_price_was(usages: list[Usage]) -> None:
    budget = Budget(Limits(), Watch())

    for usage in usages:
        budget.spend(usage)

    known = [u.usd for u in usages if u.usd is not None]
    assert (budget.usd is None) == (len(known) < len(usages))
    assert budget.usd is None or abs(budget.usd - sum(known)) < 1e-6


@given(st.lists(USAGES, max_size=40), st.integers(1, 40))
def test_what_has_run_out_was_nearly_out(usages: list[Usage], steps: int) -> None:
    budget = Budget(Limits(steps=steps, tokens=100_000, seconds=None, usd=1.0), Watch())

    for usage in usages:
        budget.spend(usage)
        if budget.ran_out() is not None:
            assert budget.nearly_out() is not None


@given(st.integers(1, 40))
def test_the_first_step_is_never_cut_short(steps: int) -> None:
    budget = Budget(Limits(steps=steps), Watch())

    assert budget.ran_out() is None
    assert steps == 1 or budget.nearly_out() is None


def test_it_says_which_limit_is_reached() -> None:
    watch = Watch()
    budget = Budget(Limits(steps=3, tokens=1000, seconds=60.0, usd=0.5), watch)

    budget.spend(Usage(input_tokens=10, usd=0.6))
    assert budget.ran_out() == "the limit of $0.50 is reached ($0.60 used)"

    budget = Budget(Limits(steps=3, tokens=1000, seconds=60.0, usd=0.5), watch)
    budget.spend(Usage(input_tokens=1200))
    assert budget.ran_out() == "the limit of 1,000 tokens is reached (1,200 tokens used)"

    watch.seconds += 61
    assert Budget.ran_out(budget) == "the limit of 1,000 tokens is reached (1,200 tokens used)"
    budget = Budget(Limits(seconds=60.0), watch)
    watch.seconds += 61
    assert budget.ran_out() == "the limit of 60 s is reached (61 s used)"


def test_steps_are_kept_for_the_submission_and_one_correction() -> None:
    budget = Budget(Limits(steps=5, tokens=None, seconds=None, usd=None), Watch())

    said = []
    while budget.ran_out() is None:
        said.append(budget.nearly_out())
        budget.spend(Usage())

    assert said == [None, None, None, "3 steps of 5 steps are used", "4 steps of 5 steps are used"]


def test_a_step_as_large_as_the_largest_so_far_must_still_fit() -> None:
    budget = Budget(Limits(tokens=10_000), Watch())

    budget.spend(Usage(input_tokens=4_000))
    assert budget.nearly_out() is None
    budget.spend(Usage(input_tokens=2_500))

    assert budget.nearly_out() == "6,500 tokens of 10,000 tokens are used"


def test_what_is_left_is_said_in_words() -> None:
    budget = Budget(Limits(steps=3, tokens=1000, seconds=60.0, usd=0.5), Watch())

    budget.spend(Usage(input_tokens=250, usd=0.1))

    assert budget.left() == {"steps": "2 steps", "tokens": "750 tokens", "seconds": "60 s", "dollars": "$0.40"}


def test_without_a_known_price_the_dollar_limit_does_not_hold() -> None:
    budget = Budget(Limits(usd=0.01), Watch())

    budget.spend(Usage(input_tokens=10, usd=None))

    assert budget.ran_out() is None
    assert "dollars" not in budget.left()
