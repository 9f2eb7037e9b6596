"""The table of commands. None of them is imported before it is called, so that ``--help`` stays quick."""

from collections.abc import Sequence

from cyclopts import App, CycloptsError, Group, Parameter

from gal_friday.cli import version
from gal_friday.cli.exit_status import WRONG_USAGE
from gal_friday.cli.output import STDIN, complain

_HELP = """Keeps a crypto trading system's book true: finds what differs from the exchange, and says exactly what.

It only ever reads from an exchange.
"""

_EPILOGUE = """Results go to stdout, everything else to stderr. Exit status: 0 reconciled, 1 discrepancies, \
2 wrong usage or configuration, 3 incomplete, 4 failed. Any command takes --debug. NO_COLOR is respected."""

_START, _RECONCILE, _LOOK, _DECIDE, _OPERATE = (
    Group.create_ordered(name) for name in ("Start here", "Reconcile", "Look", "Decide", "Book and database")
)

_COMMANDS = (
    (_START, "demo", "See it work: a simulated exchange, a book with known faults, one report"),
    (_START, "init", "Write a configuration to fill in"),
    (_START, "preflight", "Check keys, rights, clock, book and database before the first run"),
    (_RECONCILE, "run", "Reconcile accounts now"),
    (_RECONCILE, "serve", "Reconcile every account again and again, until it is stopped"),
    (_RECONCILE, "worker", "Carry out the runs of a fleet, together with other workers"),
    (_RECONCILE, "compare", "Compare two snapshot files or tables; no account, key or database needed"),
    (_RECONCILE, "scenario", "Run small stories about two books, and hold what they expect against what is found"),
    (_RECONCILE, "simulate", "Measure what is found and corrected in simulated worlds where much goes wrong"),
    (_LOOK, "reports", "List recorded reports"),
    (_LOOK, "report", "Show one recorded report, the latest by default"),
    (_LOOK, "replay", "Work a recorded report out again from what its run was told, byte for byte"),
    (_LOOK, "discrepancies", "List what is open, since when, and how often it was seen"),
    (_LOOK, "discrepancy", "Show one discrepancy: both sides, why, its history, what next"),
    (_LOOK, "adjustments", "List what was proposed and posted to the book; with an id, tell the whole life of one"),
)
_HOMES = {"report": "reports", "discrepancy": "discrepancies"}
"""Commands that live in the file of another."""

_GROUPS = (
    (
        _START,
        "config",
        "Check, show and explain the configuration",
        {
            "check": "Check the configuration and everything it refers to",
            "show": "Show the settings in effect; secrets stay references",
            "schema": "List everything that can be set",
        },
    ),
    (
        _OPERATE,
        "book",
        "Feed, show and export the embedded book",
        {
            "import": "Import snapshot files and Kraken exports",
            "show": "Show what the book holds",
            "export": "Write the book as a snapshot file",
        },
    ),
    (
        _LOOK,
        "journal",
        "Verify, show and hand out the record of everything that happened",
        {
            "verify": "Verify every entry, every signed head, and the rows that they speak of",
            "show": "Show entries, newest first",
            "export": "Write the journal as a file that can be verified offline",
            "anchor": "Hand the newest signed head to somewhere outside",
        },
    ),
    (
        _DECIDE,
        "review",
        "Decide about discrepancies; nothing is settled before a run sees it agree",
        {
            "queue": "List what needs a person, the first due first",
            "assign": "Say who is to look at it",
            "comment": "Write a note on it",
            "propose": "Ask for the repair that the last run worked out",
            "approve": "Approve a proposed adjustment, and post it to the book",
            "reject": "Turn a proposed adjustment down",
            "undo": "Propose what takes an applied adjustment back",
            "accept": "Live with it as it is, until an end",
            "dispute": "Take it up with the exchange",
            "snooze": "Put it aside until an end",
            "reopen": "Take a decision back",
        },
    ),
    (
        _DECIDE,
        "alerts",
        "See what people are told of, take it on, silence it, and try the channels",
        {
            "list": "List what is told now, the newest first",
            "ack": "Take an alert on: it neither repeats nor escalates, unless it gets worse",
            "test": "Send a test through every channel, or one",
            "silence": "Tell nobody of some alerts, until an end",
            "unsilence": "End a silence now",
            "silences": "List the silences in force",
            "outbox": "List what was told, what waits, and what no channel took",
        },
    ),
    (
        _DECIDE,
        "policy",
        "Show what may be corrected without a person, and try other limits on what was decided",
        {
            "show": "Show every limit in effect, and the id of the policy",
            "check": "Decide again what recorded runs decided, under other limits; nothing is changed",
        },
    ),
    (
        _OPERATE,
        "token",
        "Make, list and end the API tokens of programs",
        {
            "create": "Make a token, and print it: the only time that anybody sees it",
            "list": "List tokens, without their secrets",
            "revoke": "End a token, from the next call on",
        },
    ),
    (
        _OPERATE,
        "user",
        "Say who signs in, and what they may do",
        {
            "add": "Let somebody sign in",
            "list": "List who there is, with their role and accounts",
            "role": "Give somebody another role, or other accounts",
            "password": "Give somebody another password; their sessions end",
            "disable": "Let somebody in no more: their sessions end, their tokens are refused",
            "enable": "Let somebody in again",
            "link": "Print a link that signs somebody in, once",
        },
    ),
    (_OPERATE, "db", "Look after the database", {"upgrade": "Bring the tables up to date"}),
)


_CALLED = {"import": "import_", "list": "listed", "test": "sent"}
"""Commands whose functions have another name, because theirs means something else in this language or to its tools."""


def run(arguments: Sequence[str]) -> int:
    """Parse *arguments*, run the command they name and return its exit status.

    Raises:
        GalFridayError: whatever the command could not do.
    """
    try:
        status = build()(
            # The parser takes a lone hyphen for an option without a name.
            [STDIN if word == "-" else word for word in arguments],
            result_action="return_value",
            exit_on_error=False,
            print_error=False,
        )
    except CycloptsError as error:
        # The parser's list of commands is cut in the middle; the help has them all.
        what = str(error).partition(" Available commands:")[0].rstrip(".")
        complain(f"{what}; `{_named_by(error)} --help` shows what it takes")
        return WRONG_USAGE
    return status if isinstance(status, int) else 0


def build() -> App:
    """Return the application with every command registered by name alone."""
    app = App(
        name="gal-friday",
        help=_HELP,
        help_epilogue=_EPILOGUE,
        help_format="plaintext",
        version=lambda: f"gal-friday {version()}",
        version_flags=["--version", "-V"],
        suppress_keyboard_interrupt=False,
        default_parameter=Parameter(negative=(), show_default=False),
    )
    for group, name, summary in _COMMANDS:
        home = f"gal_friday.cli.{_HOMES.get(name, name)}:{name}"
        app.command(home, name=name, help=summary, group=group)
    for group, name, summary, commands in _GROUPS:
        app.command(_group(group, name, summary, commands))
    app.register_install_completion_command(add_to_startup=False)
    return app


def _group(listed: Group, name: str, summary: str, commands: dict[str, str]) -> App:
    group = App(name=name, help=summary, group=listed, version_flags=[], help_format="plaintext")
    for command, about in commands.items():
        function = _CALLED.get(command, command)
        group.command(f"gal_friday.cli.{name}:{function}", name=command, help=about)
    return group


def _named_by(error: CycloptsError) -> str:
    return " ".join(("gal-friday", *(error.command_chain or ())))
