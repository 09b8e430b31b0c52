"""MariaDB's C client library by ctypes: plain statements, and prepared ones with results as texts."""

import ctypes
import ctypes.util

STRING, ULONG, MAX_BYTES = 254, ctypes.c_ulong, 1 << 16
ATTR_UPDATE_MAX_LENGTH, NO_DATA = 0, 100


class Bind(ctypes.Structure):
    """MYSQL_BIND of mariadb_stmt.h."""
    _fields_ = [("length", ctypes.POINTER(ULONG)), ("is_null", ctypes.c_char_p), ("buffer", ctypes.c_void_p),
                ("error", ctypes.c_void_p), ("indicator", ctypes.c_void_p), ("store", ctypes.c_void_p),
                ("fetch", ctypes.c_void_p), ("skip", ctypes.c_void_p), ("buffer_length", ULONG),
                ("offset", ULONG), ("length_value", ULONG), ("flags", ctypes.c_uint),
                ("pack_length", ctypes.c_uint), ("buffer_type", ctypes.c_int), ("error_value", ctypes.c_char),
                ("is_unsigned", ctypes.c_char), ("long_data_used", ctypes.c_char),
                ("is_null_value", ctypes.c_char), ("extension", ctypes.c_void_p)]


class Field(ctypes.Structure):
    """The beginning of MYSQL_FIELD, as long as the whole."""
    _fields_ = [("name", ctypes.c_char_p), ("org_name", ctypes.c_char_p), ("table", ctypes.c_char_p),
                ("org_table", ctypes.c_char_p), ("db", ctypes.c_char_p), ("catalog", ctypes.c_char_p),
                ("def", ctypes.c_char_p), ("length", ULONG), ("max_length", ULONG),
                ("lengths", ctypes.c_uint * 7), ("flags", ctypes.c_uint), ("decimals", ctypes.c_uint),
                ("charsetnr", ctypes.c_uint), ("type", ctypes.c_int), ("extension", ctypes.c_void_p)]


class Refused(Exception):
    """The server's error: number and text."""


def load():
    """The library, or None where there is none."""
    for name in ("libmariadb.so.3", ctypes.util.find_library("mariadb")):
        try:
            library = ctypes.CDLL(name) if name else None
        except OSError:
            continue
        if library:
            break
    else:
        return None
    for function in ("init", "real_connect", "stmt_init", "stmt_result_metadata", "fetch_field_direct",
                     "store_result"):
        getattr(library, "mysql_" + function).restype = ctypes.c_void_p
    for function in ("error", "stmt_error", "character_set_name"):
        getattr(library, "mysql_" + function).restype = ctypes.c_char_p
    library.mysql_stmt_affected_rows.restype = ctypes.c_ulonglong
    return library


class Connection:
    """One connection; a context manager."""

    def __init__(self, library, port, user=b"root", database=b"quanta"):
        self.library = library
        self.mysql = ctypes.c_void_p(library.mysql_init(None))
        if not library.mysql_real_connect(self.mysql, b"127.0.0.1", user, b"", database, port, None, 0):
            self.refuse()

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.library.mysql_close(self.mysql)

    def refuse(self):
        raise Refused(self.library.mysql_errno(self.mysql), self.library.mysql_error(self.mysql).decode())

    def check(self, failed):
        if failed:
            self.refuse()

    def execute(self, text):
        """mysql_real_query, its result stored and thrown away."""
        text = text.encode()
        self.check(self.library.mysql_real_query(self.mysql, text, ULONG(len(text))))
        result = self.library.mysql_store_result(self.mysql)
        if result:
            self.library.mysql_free_result(ctypes.c_void_p(result))

    def reset(self):
        """What a pool does before the next user of the connection."""
        self.check(self.library.mysql_ping(self.mysql))
        self.check(self.library.mysql_reset_connection(self.mysql))
        self.execute("SET autocommit=1")
        self.check(self.library.mysql_set_character_set(self.mysql, b"utf8mb4"))
        return self.library.mysql_character_set_name(self.mysql).decode()

    def query(self, text, *parameters):
        """Prepared, executed, stored: (names, rows of texts and None), or the number of changed rows."""
        statement = ctypes.c_void_p(self.library.mysql_stmt_init(self.mysql))
        try:
            return self.run(statement, text.encode(), [str(p).encode() for p in parameters])
        finally:
            self.library.mysql_stmt_close(statement)

    def run(self, statement, text, parameters):
        def check(failed):
            if failed:
                raise Refused(self.library.mysql_stmt_errno(statement),
                              self.library.mysql_stmt_error(statement).decode())

        check(self.library.mysql_stmt_prepare(statement, text, ULONG(len(text))))
        given = (Bind * max(1, len(parameters)))()
        for bind, value in zip(given, parameters):
            bind.buffer_type, bind.buffer_length = STRING, len(value)
            bind.buffer = ctypes.cast(ctypes.c_char_p(value), ctypes.c_void_p)
        if parameters:
            check(self.library.mysql_stmt_bind_param(statement, given))
        check(self.library.mysql_stmt_execute(statement))
        result = self.library.mysql_stmt_result_metadata(statement)
        if not result:
            return self.library.mysql_stmt_affected_rows(statement)
        result = ctypes.c_void_p(result)
        names = self.names(result)
        self.library.mysql_free_result(result)
        longest = ctypes.c_char(1)
        self.library.mysql_stmt_attr_set(statement, ATTR_UPDATE_MAX_LENGTH, ctypes.byref(longest))
        check(self.library.mysql_stmt_store_result(statement))
        return names, list(self.rows(statement, len(names), check))

    def names(self, result):
        fields = (ctypes.cast(self.library.mysql_fetch_field_direct(result, i), ctypes.POINTER(Field))
                  for i in range(self.library.mysql_num_fields(result)))
        return [field.contents.name.decode() for field in fields]

    def rows(self, statement, width, check):
        binds = (Bind * width)()
        texts = [ctypes.create_string_buffer(MAX_BYTES) for _ in binds]
        lengths = [ULONG() for _ in binds]
        nulls = [ctypes.create_string_buffer(1) for _ in binds]
        for bind, text, length, null in zip(binds, texts, lengths, nulls):
            bind.buffer_type, bind.buffer_length = STRING, MAX_BYTES
            bind.buffer = ctypes.cast(text, ctypes.c_void_p)
            bind.length = ctypes.pointer(length)
            bind.is_null = ctypes.cast(null, ctypes.c_char_p)
        check(self.library.mysql_stmt_bind_result(statement, binds))
        while True:
            state = self.library.mysql_stmt_fetch(statement)
            if state == NO_DATA:
                return
            check(state == 1)
            yield tuple(None if null.raw != b"\0" else text.raw[:length.value].decode()
                        for text, length, null in zip(texts, lengths, nulls))
