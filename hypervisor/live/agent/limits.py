"""Bounds of what an agent does for those who ask. All are our judgement."""

MOST_CONNECTIONS = 32  # for each socket that is listened on
MOST_HEAD_BYTES = 8192
MOST_LINE_BYTES = 2048  # of a request
HEAD_SECONDS = 10.0  # until a request is complete, and for the handshake of TLS
IDLE_SECONDS = 90.0  # between two requests; Prometheus asks every 15 or 60 seconds
SENDING_SECONDS = 30.0
MOST_SENT_BODIES = 8  # on their way at a time, however many take them: a reading has four
LONGEST_POLL_SECONDS = 20.0  # that a request waits for a poll

LEAST_PERIOD_SECONDS = 1
MOST_PERIOD_SECONDS = 3600
MOST_SAMPLE_HZ = 100
DEFAULT_SAMPLE_HZ = 50

MOST_CONFIG_BYTES = 65536
MOST_PASSWORD_BYTES = 72  # bcrypt knows no more of them
REMEMBERED_PASSWORDS = 100
WAITING_FOR_CHECKS = 8  # passwords that wait to be checked
WAITING_SECONDS = 10.0  # for such a check; Prometheus waits as long for an answer
FAILURES_OF_ADDRESS = 10  # wrong passwords of one address or /64 in a minute
FAILURES_OF_ALL = 60  # then each check takes longer, and is refused to who was wrong before
FAILURE_SECONDS = 60.0
DELAY_SECONDS = 1.0
REMEMBERED_NETWORKS = 3000  # three for each address
