"""The boundary to stacks that were recorded whole, beside a session's sample files."""

from xenprof.store.stackfile import read_stacks as read_stacks
