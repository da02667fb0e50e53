"""Backups: one encrypted file of database, uploaded files and settings, and the way back from it."""
