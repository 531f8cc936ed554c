"""AIM7: users who each run the tests of a mix in random order."""
