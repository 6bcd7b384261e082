# SPDX-License-Identifier: Apache-2.0
"""Becomes another program that takes signals as one started from a shell does. A program inherits
from its parent which signals are blocked and ignored, and test runners block most of them.

usage: unmasked.py PROGRAM [ARGUMENT ...]
"""
import os
import signal
import sys

signal.pthread_sigmask(signal.SIG_SETMASK, [])
for number in (signal.SIGINT, signal.SIGPIPE, signal.SIGTERM):
    signal.signal(number, signal.SIG_DFL)
os.execv(sys.argv[1], sys.argv[1:])
