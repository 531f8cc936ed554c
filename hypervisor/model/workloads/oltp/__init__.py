"""oltp: transactions on a database, with its buffer cache, its log and the writer of its data."""
