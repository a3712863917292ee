"""The shop's store: journal, projections, outbox, print queue and personal data in one SQLite file."""
