"""qsub, qselect, qstat and qdel of the made-up server: `client.py COMMAND FOLDER ARGUMENTS`."""

import json
import os
import pwd
import socket
import sys

command, folder, *arguments = sys.argv[1:]
try:
    connection = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
    connection.connect(os.path.join(folder, "socket"))
    request = [command, arguments, pwd.getpwuid(os.getuid()).pw_name]
    connection.sendall(json.dumps(request).encode() + b"\n")
    code, out, err = json.loads(connection.makefile().read())
except (OSError, ValueError):
    print(f"{command}: cannot connect to server fake (errno=111)", file=sys.stderr)
    sys.exit(255 if command == "qstat" else 162)
sys.stdout.write(out)
sys.stderr.write(err)
sys.exit(code)
