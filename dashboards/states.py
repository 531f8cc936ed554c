"""Names the states that a timeline shows, in the order of their numbers, and their colours."""

from collections.abc import Mapping

DOMAIN = {
    "none": "transparent",
    "blocked": "blue",
    "runnable": "orange",
    "running": "green",
    "paused": "purple",
    "shutdown": "text",
    "dying": "dark-red",
    "crashed": "red",
}
PRIORITY = {
    "unknown": "transparent",
    "parked": "purple",
    "over": "orange",
    "under": "green",
    "boost": "blue",
}
BALLOON = {
    "unknown": "transparent",
    "reached": "green",
    "growing": "blue",
    "shrinking": "light-blue",
    "no_driver": "text",
    "host_short": "red",
    "guest_short": "dark-orange",
    "maximum": "orange",
}
PROFILER = {
    "unknown": "transparent",
    "idle": "text",
    "reserved": "purple",
    "ready": "blue",
    "profiling": "green",
}
GOOD = {"failed": "red", "good": "green"}
ONLINE = {"offline": "text", "online": "green"}
UP = {"down": "red", "up": "green"}

STATES: Mapping[str, Mapping[str, str]] = {
    "domain": DOMAIN,
    "priority": PRIORITY,
    "balloon": BALLOON,
    "profiler": PROFILER,
    "good": GOOD,
    "online": ONLINE,
    "up": UP,
}
"""By the name that definitions use."""
