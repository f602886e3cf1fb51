"""Schoolgate: a school's web-filter logs, judged by its own e-safety policy. Start at tables.py, then night.py."""
