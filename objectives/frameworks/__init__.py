"""Cooldown's rules and schedules in other frameworks; each module needs its framework, and nothing else imports it."""
