"""Tables of accounts and of the audit log, which only the catalog of a server's root workspace uses."""

from __future__ import annotations

import sqlalchemy as sa

from evalwright.store.tables import METADATA

USERS = sa.Table(
    "users",
    METADATA,
    sa.Column("username", sa.String(64), primary_key=True),
    sa.Column("name", sa.String(200), nullable=False),
    sa.Column("email", sa.String(320), nullable=False),
    sa.Column("password_hash", sa.String(300)),
    sa.Column("admin", sa.Boolean, nullable=False),
    sa.Column("disabled", sa.Boolean, nullable=False),
    sa.Column("identity", sa.String(600), unique=True),
    sa.Column("created_at", sa.Float(53), nullable=False),
    sa.Column("password_changed_at", sa.Float(53)),
)

PROJECTS = sa.Table(
    "projects",
    METADATA,
    sa.Column("name", sa.String(63), primary_key=True),
    sa.Column("title", sa.String(200), nullable=False),
    sa.Column("created_at", sa.Float(53), nullable=False),
    sa.Column("created_by", sa.String(64), nullable=False),
)

MEMBERS = sa.Table(
    "members",
    METADATA,
    sa.Column("project", sa.String(63), primary_key=True),
    sa.Column("username", sa.String(64), sa.ForeignKey("users.username", ondelete="CASCADE"), primary_key=True),
    sa.Column("role", sa.String(20), nullable=False),
    sa.Column("added_at", sa.Float(53), nullable=False),
    sa.Column("added_by", sa.String(64), nullable=False),
    sa.Index("ix_members_username", "username"),
)

SESSIONS = sa.Table(
    "sessions",
    METADATA,
    sa.Column("hash", sa.String(64), primary_key=True),
    sa.Column("previous_hash", sa.String(64)),
    sa.Column("username", sa.String(64), sa.ForeignKey("users.username", ondelete="CASCADE"), nullable=False),
    sa.Column("csrf", sa.String(64), nullable=False),
    sa.Column("created_at", sa.Float(53), nullable=False),
    sa.Column("rotated_at", sa.Float(53), nullable=False),
    sa.Column("seen_at", sa.Float(53), nullable=False),
    sa.Column("expires_at", sa.Float(53), nullable=False),
    sa.Index("ix_sessions_previous_hash", "previous_hash"),
    sa.Index("ix_sessions_username", "username"),
)

TOKENS = sa.Table(
    "tokens",
    METADATA,
    sa.Column("id", sa.String(16), primary_key=True),
    sa.Column("username", sa.String(64), sa.ForeignKey("users.username", ondelete="CASCADE"), nullable=False),
    sa.Column("name", sa.String(200), nullable=False),
    sa.Column("hash", sa.String(64), nullable=False),
    sa.Column("scopes", sa.JSON, nullable=False),
    sa.Column("project", sa.String(63)),
    sa.Column("created_at", sa.Float(53), nullable=False),
    sa.Column("expires_at", sa.Float(53), nullable=False),
    sa.Column("used_at", sa.Float(53)),
    sa.Column("revoked_at", sa.Float(53)),
    sa.Index("ix_tokens_username", "username"),
)

ATTEMPTS = sa.Table(
    "sign_in_attempts",
    METADATA,
    sa.Column("who", sa.String(200), primary_key=True),
    sa.Column("failures", sa.Integer, nullable=False),
    sa.Column("locked_until", sa.Float(53), nullable=False),
    sa.Column("updated_at", sa.Float(53), nullable=False),
)

SIGN_INS = sa.Table(
    "oidc_sign_ins",
    METADATA,
    sa.Column("state_hash", sa.String(64), primary_key=True),
    sa.Column("provider", sa.String(64), nullable=False),
    sa.Column("nonce", sa.String(64), nullable=False),
    sa.Column("verifier", sa.String(128), nullable=False),
    sa.Column("browser_hash", sa.String(64), nullable=False),
    sa.Column("next", sa.String(500), nullable=False),
    sa.Column("expires_at", sa.Float(53), nullable=False),
)

VALUES = sa.Table(
    "server_values",
    METADATA,
    sa.Column("name", sa.String(64), primary_key=True),
    sa.Column("value", sa.Text, nullable=False),
)

AUDIT = sa.Table(
    "audit",
    METADATA,
    sa.Column("seq", sa.BigInteger, primary_key=True, autoincrement=False),
    sa.Column("at", sa.Float(53), nullable=False),
    sa.Column("actor", sa.String(200), nullable=False),
    sa.Column("action", sa.String(64), nullable=False),
    sa.Column("project", sa.String(63), nullable=False),
    sa.Column("subject", sa.String(500), nullable=False),
    sa.Column("detail", sa.Text, nullable=False),
    sa.Column("previous", sa.String(64), nullable=False),
    sa.Column("hash", sa.String(64), nullable=False),
    sa.Index("ix_audit_project", "project", "seq"),
    sa.Index("ix_audit_actor", "actor", "seq"),
)
