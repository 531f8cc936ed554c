"""java: a chat server and its clients on a virtual machine, with its heap and its collector."""
