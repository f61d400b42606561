"""Accounts of a server: users, projects and members, sessions, tokens, failed sign-ins."""

from __future__ import annotations

from evalwright.store.accounts.access import AccessStore
from evalwright.store.accounts.people import PeopleStore
from evalwright.store.accounts.records import Member, PendingSignIn, Project, Session, Token, User

__all__ = ["AccessStore", "Member", "PendingSignIn", "PeopleStore", "Project", "Session", "Token", "User"]
