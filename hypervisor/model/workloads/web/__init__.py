"""web: Apache's prefork server and clients outside that ask for a static file."""
