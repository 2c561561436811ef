"""Run a command and print wall seconds, CPU seconds and peak memory in MiB of it and its descendants as JSON.

Node can't read the resource usage of its children. Peak memory is that of the largest single process, as getrusage has it.
"""

import json
import resource
import subprocess
import sys
import time

start = time.monotonic()
code = subprocess.run(sys.argv[1:], stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, check=False)
wall = time.monotonic() - start
usage = resource.getrusage(resource.RUSAGE_CHILDREN)
if code.returncode != 0:
    sys.stderr.write(code.stderr.decode(errors="replace")[-4000:])
# ru_maxrss is in KiB on Linux and in bytes on macOS.
peak = usage.ru_maxrss / (1024 * 1024 if sys.platform == "darwin" else 1024)
print(json.dumps({"wall": wall, "cpu": usage.ru_utime + usage.ru_stime, "peak": peak, "code": code.returncode}))
sys.exit(0 if code.returncode == 0 else 1)
