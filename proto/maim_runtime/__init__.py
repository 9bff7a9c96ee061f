"""What every service of ours needs: settings, logs, sockets, the life of a process, admin HTTP.

A toolbox: it knows the protocol's errors, addresses and streams, and nothing of edge or router.
"""
