"""Logs as JSON lines on stderr; whoever runs the daemon keeps them."""

from __future__ import annotations

import sys

import structlog


def to_stderr() -> None:
    """Set logging up for a process. Events carry codes and ids, never what a member showed or told."""
    structlog.configure(
        processors=[
            structlog.processors.add_log_level,
            structlog.processors.TimeStamper(fmt="iso", utc=True),
            structlog.processors.format_exc_info,
            structlog.processors.JSONRenderer(),
        ],
        logger_factory=structlog.PrintLoggerFactory(sys.stderr),
        cache_logger_on_first_use=True,
    )
