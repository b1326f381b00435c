"""A framework that starts a daemon when it is imported, and says its number."""

from __future__ import annotations

import subprocess
import sys

SLEEPER = "[sys.executable, '-c', 'import time; time.sleep(600)'], stdout=-3, start_new_session=True"
PARENT = f"import subprocess, sys; print(subprocess.Popen({SLEEPER}).pid)"
ended = subprocess.run([sys.executable, "-c", PARENT], stdout=subprocess.PIPE, text=True, check=True)
print("daemon", ended.stdout.strip(), flush=True)
