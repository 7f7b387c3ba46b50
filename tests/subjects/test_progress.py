"""How far work is: pieces add up, what was done never becomes less, and who does not listen is told nothing."""

import anyio
import anyio.to_thread
import pytest

from opsai_subjects.progress import Progress, await_also, unheard, work

pytestmark = pytest.mark.anyio


def stand(progress: Progress) -> tuple[float, float, str]:
    return progress.done, progress.total, progress.says


def test_work_that_nobody_listens_to_goes_on_all_the_same() -> None:
    begun = work(2, "stores")
    begun.did()

    assert (begun.done, begun.total) == (1, 2)


def test_pieces_of_work_add_up_and_the_words_are_those_of_the_last_that_goes_on() -> None:
    progress = Progress()
    before = stand(progress)
    with progress.heard():
        first = work(2, "PD's members")
        second = work(8, "metrics")
        first.did("PD's stores")
        second.did()
        second.did()
        both = stand(progress)
        second.reach(8)
    work(100, "another's")

    assert before == (0, 0, "")
    assert both == (3, 10, "metrics")
    assert stand(progress) == (9, 10, "PD's stores")


def test_work_never_goes_back_nor_beyond_its_whole() -> None:
    progress = Progress()
    with progress.heard():
        begun = work(3, "log files")
    begun.reach(1.5)
    begun.reach(0.5)
    part = progress.done
    for _ in range(5):
        begun.did()

    assert (part, progress.done) == (1.5, 3)


def test_who_waits_for_the_work_of_another_hears_of_it_too_and_of_each_piece_once() -> None:
    mine, shared = Progress(), Progress()
    with shared.heard():
        theirs = work(4, "metrics")
    with mine.heard():
        await_also(shared)
        await_also(shared)
        theirs.did()
        with shared.heard():
            work(6, "logs")

    assert stand(mine) == (1, 10, "logs")


def test_work_that_counts_steps_of_its_own_is_not_heard_of_in_those_it_is_made_of() -> None:
    progress = Progress()
    with progress.heard():
        looks = work(2, "playing the recording")
        with unheard():
            work(95, "metrics")
        looks.did()

    assert stand(progress) == (1, 2, "playing the recording")


async def test_work_in_tasks_and_threads_is_heard_where_the_block_is_waited_for() -> None:
    progress = Progress()

    async def one() -> None:
        work(1, "a task").did()

    with progress.heard():
        async with anyio.create_task_group() as group:
            group.start_soon(one)
            group.start_soon(one)
        await anyio.to_thread.run_sync(lambda: work(1, "a thread").did())

    assert stand(progress) == (3, 3, "a thread")
