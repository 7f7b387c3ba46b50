"""Undoing what the journal says is left."""

from opsai_lab.chaos.journal import Journal
from opsai_lab.errors import LabError
from opsai_lab.targets.harm import Harm
from opsai_lab.targets.target import Target, Tell


async def heal(target: Target, journal: Journal, tell: Tell) -> tuple[Harm, ...]:
    """Undo what is left, newest first; return what was undone, in that order.

    One that cannot be undone does not keep the others from it: they are undone, then LabError says which is left and why.
    """
    done: list[Harm] = []
    failed: list[str] = []
    for harm in reversed(journal.left()):
        try:
            await target.undo(harm)
            journal.undone(harm)
        except LabError as error:
            failed.append(f"{harm.says()}: {error}")
            continue
        done.append(harm)
        tell(f"undone: {harm.says()}")
    if failed:
        raise LabError(f"Not undone: {'; '.join(failed)} Then run `opsai deploy local heal` again.")
    return tuple(done)
