"""The prompts that a server offers."""

from opsai_server.prompts.compare_windows import compare_windows
from opsai_server.prompts.health_check import health_check
from opsai_server.prompts.investigate_ticket import investigate_ticket
from opsai_server.prompts.post_mortem import post_mortem
from opsai_server.prompts.prompt import Argument, Prompt, cluster_argument, ticket_argument
from opsai_server.tools.desks import Desks

WINDOW = (
    Argument("start", "When it begins, UTC: 2026-11-23T23:05:00Z.", "onset"),
    Argument("end", "When it ends; left out: now.", "onset", required=False),
    Argument(
        "baseline",
        "before (just before; so when left out), hour_ago, yesterday, last_week, or the time it starts.",
        "baseline",
        required=False,
    ),
    Argument("topic", "Only metrics of this topic.", "topic", required=False),
)


def prompts(desks: Desks) -> tuple[Prompt, ...]:
    """Return the prompts; on a server of several clusters they take `cluster` too."""
    several = len(desks.names) > 1
    which = (cluster_argument(required=True),) if several else ()
    whose = (cluster_argument(required=False),) if several else ()
    return (
        Prompt(
            "investigate_ticket",
            "Investigate a ticket",
            "Find the cause of a ticket, and hand in a diagnosis whose every claim the server checks.",
            (ticket_argument(), *whose),
            investigate_ticket,
        ),
        Prompt(
            "health_check",
            "Check the cluster's health",
            "Say how the cluster stands: what is violated, what is unknown, what is ticketed, what to do next.",
            which,
            health_check,
        ),
        Prompt(
            "compare_windows",
            "Compare two windows",
            "Say what was unusual in a stretch of time against a baseline.",
            # Hosts fill slash commands in by position: what is required stands first.
            (WINDOW[0], *which, *WINDOW[1:]),
            compare_windows,
        ),
        Prompt(
            "post_mortem",
            "Write a post-mortem",
            "Write the post-mortem of a ticket's incident from its report, inventing nothing.",
            (ticket_argument(), *whose),
            post_mortem,
        ),
    )
