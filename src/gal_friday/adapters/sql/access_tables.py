"""The tables of who is known: tokens, users, passkeys, sessions, one-time secrets. Never a secret itself."""

from sqlalchemy import Column, ForeignKey, Index, LargeBinary, Text

from gal_friday.adapters.sql.columns import Instant, Whole
from gal_friday.adapters.sql.metadata import declared

ACCESS_TOKENS = declared(
    "access_tokens",
    Column("token_id", Text, primary_key=True),
    Column("name", Text, nullable=False),
    Column("owner", Text, nullable=False),
    # What is left of the owner's name once everything that a glance overlooks is gone.
    Column("owner_key", Text, nullable=False),
    Column("role", Text, nullable=False),
    # JSON lists; NULL is all of them.
    Column("accounts", Text),
    Column("scopes", Text),
    # SHA-256 of 256 random bits.
    Column("digest", Text, nullable=False),
    Column("created", Instant, nullable=False),
    Column("created_by", Text, nullable=False),
    Column("expires", Instant, nullable=False),
    Column("last_used", Instant),
    Column("revoked", Instant),
)

USERS = declared(
    "users",
    Column("name_key", Text, primary_key=True),
    Column("name", Text, nullable=False),
    Column("role", Text, nullable=False),
    Column("accounts", Text),
    # argon2id, with its costs and salt; NULL where only a passkey lets this person in.
    Column("password", Text),
    Column("created", Instant, nullable=False),
    Column("disabled", Instant),
    Column("revision", Whole, nullable=False),
)

PASSKEYS = declared(
    "passkeys",
    Column("passkey_id", Text, primary_key=True),
    Column("name_key", Text, ForeignKey("users.name_key"), nullable=False),
    Column("name", Text, nullable=False),
    Column("public_key", LargeBinary, nullable=False),
    Column("sign_count", Whole, nullable=False),
    Column("added", Instant, nullable=False),
    Column("last_used", Instant),
    Index(None, "name_key"),
)

SESSIONS = declared(
    "sessions",
    # SHA-256 of the random id in the cookie.
    Column("digest", Text, primary_key=True),
    Column("name_key", Text, ForeignKey("users.name_key"), nullable=False),
    Column("began", Instant, nullable=False),
    Column("seen", Instant, nullable=False),
    Column("proven", Instant, nullable=False),
    Index(None, "name_key"),
    Index(None, "began"),
)

ONE_TIME_SECRETS = declared(
    "one_time_secrets",
    Column("digest", Text, primary_key=True),
    Column("purpose", Text, nullable=False),
    Column("name_key", Text, ForeignKey("users.name_key")),
    Column("expires", Instant, nullable=False),
    Index(None, "expires"),
)
