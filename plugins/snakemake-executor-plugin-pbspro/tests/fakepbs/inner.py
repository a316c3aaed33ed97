"""The inner Snakemake of a job, in place of `python -m snakemake`: hands what it was called with to
the process of its session that has imported Snakemake (forked.py), and ends as that does."""

import json
import os
import signal
import socket
import sys

for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
    signal.signal(number, signal.SIG_IGN)  # The other gets them too, and says how it ends.
umask = os.umask(0)
request = {"arguments": sys.argv[1:], "cwd": os.getcwd(), "env": dict(os.environ), "umask": umask}
with socket.socket(socket.AF_UNIX, socket.SOCK_SEQPACKET) as asked:
    asked.connect(f"\0pbs job {os.getsid(0)}")
    socket.send_fds(asked, [json.dumps(request).encode()], [0, 1, 2])
    status = asked.recv(16)
    asked.recv(1)  # until it has ended
# Without a status it was ended by a signal: that of a limit, or of qdel.
sys.exit(int(status) if status else 128 + signal.SIGTERM)
