"""Writes what an experiment has given: tables for programs, a picture, a page."""
