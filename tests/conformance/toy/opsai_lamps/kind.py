"""KIND: the adapter as the entry point names it."""

from collections.abc import Mapping
from datetime import datetime

from opsai_lamps.facts import COOL, DARK, LIT, OUT
from opsai_lamps.street import LAMPS, Street
from opsai_subjects.config import ClusterSettings
from opsai_subjects.known_bug import KnownBug
from opsai_subjects.model import ParsedLine, utc
from opsai_subjects.subject import Examples, Page, Polled, Probe, Signal, Sources, Subject, SubjectKind


class LampKind(SubjectKind):
    """A street of lamps."""

    name = "lamps"
    about = "A street has lamps; each knows whether all of them are lit, and how hot they are. Entities: `lamp:north`."
    invariants = (LIT, COOL)
    signs = (DARK,)
    faults = (OUT,)
    signals: tuple[Signal, ...] = ()
    probes: tuple[Probe, ...] = ()
    scraped: frozenset[str] = frozenset()
    paths = (LAMPS,)
    endpoint = "any lamp"
    endpoint_roles = ("lamp",)
    polled: Mapping[str, tuple[Polled, ...]] = {"lamp": (Polled(path=LAMPS),)}
    examples = Examples(
        entity="lamp:north",
        node="north",
        roles=("lamp",),
        entities="'lamp:north'",
        invariant="lamp_lit",
        fault="lamp_out",
        topic="",
    )
    parts = ("lamp", "bulb")

    @property
    def knowledge(self) -> tuple[Page, ...]:
        """One page."""
        return (Page(id="bulbs", title="Bulbs", text="A bulb lasts a thousand nights."),)

    @property
    def fault_notes(self) -> Mapping[str, str]:
        """What the data does not say."""
        return {"lamp_out": "- Look up: a pole with no lamp on it is dark too."}

    @property
    def known_bugs(self) -> tuple[KnownBug, ...]:
        """None."""
        return ()

    def parse_log(self, line: str) -> ParsedLine | None:
        """Read `SECONDS LEVEL message`."""
        seconds, _, rest = line.partition(" ")
        level, _, message = rest.partition(" ")
        at = _at(seconds)
        return None if at is None else ParsedLine(at, level, "", message, {})

    def open(self, name: str, cluster: ClusterSettings, sources: Sources) -> Subject:
        """Return the street of that name."""
        return Street(self, name, cluster, sources)


def _at(seconds: str) -> datetime | None:
    return utc(int(seconds)) if seconds.isascii() and seconds.isdecimal() and len(seconds) <= 10 else None


KIND = LampKind()
