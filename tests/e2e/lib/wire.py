"""The MySQL protocol by hand, for what no client library would send."""

import socket
import struct

CAPABILITIES = 0x0001 | 0x0004 | 0x0008 | 0x0200 | 0x2000 | 0x8000 | 0x80000
COM_QUERY, COM_PING = 3, 14
ABORT = struct.pack("ii", 1, 0)


def packet(payload, sequence=0):
    """One physical packet."""
    return struct.pack("<I", len(payload))[:3] + bytes([sequence & 255]) + payload


def login(user=b"root", database=b"quanta", capabilities=CAPABILITIES):
    """The payload of a handshake response without a password."""
    return (struct.pack("<IIB23x", capabilities, 1 << 24, 45) + user + b"\0\0" + database + b"\0" +
            b"mysql_native_password\0")


class Wire:
    """A socket to the MySQL port; a context manager."""

    def __init__(self, port, timeout=900, greet=True):
        self.sock = socket.create_connection(("127.0.0.1", port), timeout)
        self.greeting = self.receive()[1] if greet else None

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.sock.close()

    def send(self, data):
        """Sends; False when the other side has gone."""
        try:
            self.sock.sendall(data)
            return True
        except OSError:
            return False

    def exactly(self, size):
        """That many bytes, or EOFError."""
        data = b""
        while len(data) < size:
            chunk = self.sock.recv(size - len(data))
            if not chunk:
                raise EOFError("the connection was closed")
            data += chunk
        return data

    def receive(self):
        """(sequence number, payload) of the next packet."""
        head = self.exactly(4)
        return head[3], self.exactly(int.from_bytes(head[:3], "little"))

    def log_in(self):
        """Goes through the handshake."""
        self.sock.sendall(packet(login(), 1))
        answer = self.receive()[1]
        assert answer[0] == 0, answer
        return self

    def command(self, code, text=b"", sequence=0):
        """Sends a command; the first packet of the answer."""
        self.sock.sendall(packet(bytes([code]) + text, sequence))
        return self.receive()[1]

    def rest(self):
        """What is left of the answer to the last command, of which one packet was received: its bytes."""
        self.sock.sendall(packet(bytes([COM_PING])))
        data = b""
        while True:
            sequence, payload = self.receive()
            if sequence == 1 and payload[:1] == b"\0":
                return data
            data += packet(payload, sequence)

    def drain(self, seconds=0.3):
        """Reads until the other side closes or is silent for so long; what came."""
        data, before = b"", self.sock.gettimeout()
        self.sock.settimeout(seconds)
        try:
            while len(data) < 1 << 24:
                chunk = self.sock.recv(65536)
                if not chunk:
                    break
                data += chunk
        except OSError:
            pass
        finally:
            self.sock.settimeout(before)
        return data

    def abort(self):
        """Closes with a reset."""
        self.sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, ABORT)
        self.sock.close()


def error_code(payload):
    """Code of an error packet, else 0."""
    return struct.unpack_from("<H", payload, 1)[0] if payload[:1] == b"\xff" else 0
