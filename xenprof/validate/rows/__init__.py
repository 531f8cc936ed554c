"""The rows of the comparison, by subject: what is published, and the experiment that repeats it."""
