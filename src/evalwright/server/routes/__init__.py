"""The routes. A router goes into one of three lists; what is not in `OPEN` is denied without a session or token."""

from __future__ import annotations

from fastapi import APIRouter

from evalwright.server.routes import (
    agreement,
    audit,
    cases,
    comparisons,
    datasets,
    exports,
    gates,
    me,
    oidc,
    overview,
    projects,
    review,
    runs,
    schedules,
    session,
    setup,
    suites,
    transfer,
    trends,
    users,
    views,
    webhooks,
)

OPEN: tuple[APIRouter, ...] = (session.open_router, setup.router, oidc.router)
"""Reachable by anybody, under /api/v1: signing in and nothing else."""

SIGNED_IN: tuple[APIRouter, ...] = (session.router, me.router, users.router, projects.router, audit.router)
"""Under /api/v1, for anybody who is signed in."""

_READING = (overview, runs, cases, comparisons, trends, datasets, gates, suites, exports)

_WORKING = (transfer, schedules, webhooks, views)

IN_PROJECT: tuple[APIRouter, ...] = (
    *(module.router for module in _READING),
    *(module.router for module in _WORKING),
    audit.project_router,
    review.router,
    agreement.router,
)
"""Under /api/v1/projects/{project}, for members; each route says with `project_of(role)` which role it takes."""
