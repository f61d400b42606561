"""Sessions, tokens, failed sign-ins and the server's own values in the catalog of the root workspace."""

from __future__ import annotations

import msgspec
import sqlalchemy as sa

from evalwright.core.errors import NotFound
from evalwright.store.account_tables import ATTEMPTS, SESSIONS, SIGN_INS, TOKENS, VALUES
from evalwright.store.accounts.people import rows_as
from evalwright.store.accounts.records import PendingSignIn, Session, Token
from evalwright.store.database import reading, writing


class AccessStore:
    """How people and machines get in."""

    def __init__(self, engine: sa.Engine) -> None:
        self._engine = engine

    def add_session(self, session: Session) -> None:
        """Keep a new session, and forget those that have ended."""
        with writing(self._engine) as connection:
            connection.execute(sa.delete(SESSIONS).where(SESSIONS.c.expires_at < session.created_at))
            connection.execute(sa.insert(SESSIONS).values(msgspec.structs.asdict(session)))

    def session(self, hashed: str) -> Session | None:
        """The session whose cookie's value, present or previous, has this hash."""
        query = sa.select(SESSIONS).where(sa.or_(SESSIONS.c.hash == hashed, SESSIONS.c.previous_hash == hashed))
        with reading(self._engine) as connection:
            found = rows_as(Session, connection.execute(query))
        return found[0] if found else None

    def saw_session(self, hashed: str, now: float) -> None:
        """Note that a session was used."""
        with writing(self._engine) as connection:
            connection.execute(sa.update(SESSIONS).where(SESSIONS.c.hash == hashed).values(seen_at=now))

    def rotate_session(self, old: str, new: str, now: float) -> bool:
        """Give a session another hash; whether it still had the old one."""
        values = {"hash": new, "previous_hash": old, "rotated_at": now}
        with writing(self._engine) as connection:
            return bool(connection.execute(sa.update(SESSIONS).where(SESSIONS.c.hash == old).values(values)).rowcount)

    def end_session(self, hashed: str) -> None:
        """Sign one browser out."""
        with writing(self._engine) as connection:
            connection.execute(sa.delete(SESSIONS).where(SESSIONS.c.hash == hashed))

    def end_sessions(self, username: str, *, but: str = "") -> None:
        """Sign somebody out everywhere, but in the session of this hash."""
        where = (SESSIONS.c.username == username) & (SESSIONS.c.hash != but)
        with writing(self._engine) as connection:
            connection.execute(sa.delete(SESSIONS).where(where))

    def add_token(self, token: Token) -> None:
        """Keep a new token."""
        with writing(self._engine) as connection:
            connection.execute(sa.insert(TOKENS).values(msgspec.structs.asdict(token)))

    def token(self, token_id: str) -> Token | None:
        """The token of this public part."""
        with reading(self._engine) as connection:
            found = rows_as(Token, connection.execute(sa.select(TOKENS).where(TOKENS.c.id == token_id)))
        return found[0] if found else None

    def tokens(self, username: str) -> list[Token]:
        """Somebody's tokens, newest first."""
        query = sa.select(TOKENS).where(TOKENS.c.username == username).order_by(TOKENS.c.created_at.desc())
        with reading(self._engine) as connection:
            return rows_as(Token, connection.execute(query))

    def saw_token(self, token_id: str, now: float) -> None:
        """Note that a token was used."""
        with writing(self._engine) as connection:
            connection.execute(sa.update(TOKENS).where(TOKENS.c.id == token_id).values(used_at=now))

    def revoke_token(self, username: str, token_id: str, now: float) -> None:
        """End a token for good.

        Raises:
            NotFound: This person has no such token, or revoked it already.
        """
        mine = (TOKENS.c.id == token_id) & (TOKENS.c.username == username) & TOKENS.c.revoked_at.is_(None)
        with writing(self._engine) as connection:
            if not connection.execute(sa.update(TOKENS).where(mine).values(revoked_at=now)).rowcount:
                raise NotFound(f"you have no token {token_id!r} that still holds")

    def locked_until(self, who: str) -> float:
        """Until when nobody may sign in as this, 0 for no lock."""
        with reading(self._engine) as connection:
            query = sa.select(ATTEMPTS.c.locked_until).where(ATTEMPTS.c.who == who)
            return float(connection.execute(query).scalar() or 0.0)

    def count_failure(self, who: str, *, now: float, forget_s: float) -> int:
        """Note a failed sign-in; how many there were in a row, those longer ago than `forget_s` forgotten."""
        with writing(self._engine) as connection:
            query = sa.select(ATTEMPTS.c.failures, ATTEMPTS.c.updated_at).where(ATTEMPTS.c.who == who)
            row = connection.execute(query.with_for_update()).first()
            failures = 1 if row is None or now - row.updated_at > forget_s else row.failures + 1
            values = {"failures": failures, "updated_at": now}
            if row is None:
                connection.execute(sa.insert(ATTEMPTS).values(who=who, locked_until=0.0, **values))
            else:
                connection.execute(sa.update(ATTEMPTS).where(ATTEMPTS.c.who == who).values(values))
            return int(failures)

    def lock(self, who: str, until: float) -> None:
        """Let nobody sign in as this before a time."""
        with writing(self._engine) as connection:
            connection.execute(sa.update(ATTEMPTS).where(ATTEMPTS.c.who == who).values(locked_until=until))

    def forget_failures(self, who: str) -> None:
        """Forget failed sign-ins, after one that did not fail."""
        with writing(self._engine) as connection:
            connection.execute(sa.delete(ATTEMPTS).where(ATTEMPTS.c.who == who))

    def begin_sign_in(self, pending: PendingSignIn, now: float) -> None:
        """Keep a sign-in elsewhere that was begun, and forget those nobody finished."""
        with writing(self._engine) as connection:
            connection.execute(sa.delete(SIGN_INS).where(SIGN_INS.c.expires_at < now))
            connection.execute(sa.insert(SIGN_INS).values(msgspec.structs.asdict(pending)))

    def take_sign_in(self, state_hash: str, now: float) -> PendingSignIn | None:
        """The sign-in that was begun with this state; it can be taken once."""
        where = (SIGN_INS.c.state_hash == state_hash) & (SIGN_INS.c.expires_at >= now)
        with writing(self._engine) as connection:
            query = sa.delete(SIGN_INS).where(where).returning(*SIGN_INS.c)
            found = rows_as(PendingSignIn, connection.execute(query))
        return found[0] if found else None

    def value(self, name: str) -> str | None:
        """One of the server's own values."""
        with reading(self._engine) as connection:
            return connection.execute(sa.select(VALUES.c.value).where(VALUES.c.name == name)).scalar()

    def set_value(self, name: str, value: str | None) -> None:
        """Keep, or with None forget, one of the server's own values."""
        with writing(self._engine) as connection:
            connection.execute(sa.delete(VALUES).where(VALUES.c.name == name))
            if value is not None:
                connection.execute(sa.insert(VALUES).values(name=name, value=value))
