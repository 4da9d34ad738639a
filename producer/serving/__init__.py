"""How it is served: the TCP server, a thread and a cursor for each client, and where a client goes on."""
