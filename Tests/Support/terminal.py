# SPDX-License-Identifier: Apache-2.0
"""A terminal: a pseudo-terminal of the system, and what a terminal emulator (pyte) would show of
what is written to it.

    terminal.py COLUMNS ROWS

Prints the path of the device. Each line on standard input is then a command, and each answer a
line of JSON:

    screen                    the lines, without spaces behind them, and the cursor's row and column
    resize COLUMNS ROWS       gives the window another size
    scan dark|light           the QR codes that a reader (ZBar) finds in a picture of the screen,
                              with a light text on a dark ground or the other way round
    end                       ends this, without an answer
"""
import fcntl
import json
import os
import pty
import select
import signal
import struct
import sys
import termios

import pyte
import zbar

# Asks for the number of the device; the module `termios` does not know it.
TIOCGPTN = 0x80045430
# What ends what was written before a command; no program writes it.
END = b"\x1bP$end\x1b\\"
# Pixels of half a character, in which a module of a QR code is square.
SIDE = 4
COLOURS = {"dark": ("cccccc", "000000"), "light": ("000000", "ffffff")}
BLOCKS = {" ": (False, False), "\u2580": (True, False), "\u2584": (False, True),
          "\u2588": (True, True)}


class Terminal:
    def __init__(self, columns, rows):
        child, self.master = pty.fork()
        if child == 0:
            # Keeps the terminal from becoming that of anybody who opens it, and goes with it:
            # whoever started this may have blocked the signal that says so.
            signal.pthread_sigmask(signal.SIG_SETMASK, [])
            signal.pause()
        number = fcntl.ioctl(self.master, TIOCGPTN, bytes(4))
        self.path = "/dev/pts/%d" % struct.unpack("I", number)
        self.device = os.open(self.path, os.O_RDWR | os.O_NOCTTY)
        self.screen = pyte.Screen(columns, rows)
        self.stream = pyte.ByteStream(self.screen)
        self.unread = b""
        self.tell_size(columns, rows)

    def tell_size(self, columns, rows):
        fcntl.ioctl(self.device, termios.TIOCSWINSZ, struct.pack("HHHH", rows, columns, 0, 0))

    def read(self):
        self.unread += os.read(self.master, 65536)

    def catch_up(self):
        """Shows all that was written so far."""
        os.write(self.device, END)
        while END not in self.unread:
            self.read()
        written, self.unread = self.unread.split(END, 1)
        self.stream.feed(written)

    def answer(self, command, *arguments):
        self.catch_up()
        if command == "resize":
            columns, rows = map(int, arguments)
            self.screen.resize(rows, columns)
            self.tell_size(columns, rows)
        elif command == "scan":
            return self.codes(*COLOURS[arguments[0]])
        cursor = self.screen.cursor
        return {"lines": [line.rstrip() for line in self.screen.display],
                "row": cursor.y, "column": min(cursor.x, self.screen.columns - 1)}

    def codes(self, foreground, background):
        """A picture of the screen, in which letters are boxes, as a reader sees it."""
        picture = bytearray()
        for row in range(self.screen.lines):
            cells = [self.screen.buffer[row][column] for column in range(self.screen.columns)]
            for half in 0, 1:
                line = bytearray()
                for cell in cells:
                    ink = foreground if cell.fg == "default" else cell.fg
                    ground = background if cell.bg == "default" else cell.bg
                    is_filled = BLOCKS.get(cell.data, (True, False))[half] != cell.reverse
                    line += bytes([int((ink if is_filled else ground)[:2], 16)]) * SIDE
                picture += line * SIDE
        image = zbar.Image(
            self.screen.columns * SIDE, self.screen.lines * 2 * SIDE, "Y800", bytes(picture))
        zbar.ImageScanner().scan(image)
        return [symbol.data for symbol in image]


def main():
    terminal = Terminal(int(sys.argv[1]), int(sys.argv[2]))
    print(terminal.path, flush=True)
    commands = b""
    while True:
        ready, _, _ = select.select([terminal.master, 0], [], [])
        if terminal.master in ready:
            terminal.read()
        if 0 in ready:
            part = os.read(0, 4096)
            if not part:
                return
            commands += part
            *lines, commands = commands.split(b"\n")
            for line in lines:
                if line == b"end":
                    return
                print(json.dumps(terminal.answer(*line.decode().split())), flush=True)


main()
