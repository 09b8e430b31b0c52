"""
Calls of functions: for each type of result the functions that give it, as templates.

In a template a letter in braces stands for an argument: {i} integer, {d} decimal, {s} text, {t} date or datetime, {D} date,
{T} datetime, {b} condition, {j} JSON, {p} path of JSON, {n} and {N} small numbers (also negative), {r} regular
expression, {R} one that matches no empty text, {u} unit of time, {f} format of a date.

Not asked, as MariaDB has its own ways: REPLACE with NULL, JSON_CONTAINS with a path that finds nothing, REGEXP_SUBSTR that finds
nothing (''), JSON_SEARCH of numbers, times with fractions beyond 838 hours, UNIX_TIMESTAMP and CONVERT_TZ beyond 1970 to 2038. A function is counted by the name before its first parenthesis, or
by the name before a colon.
"""

import re

from predicates import TIMES
from sqltree import Expr
from tables import literal

CALLS = {
    "int": """
        LENGTH({s}) OCTET_LENGTH({s}) CHAR_LENGTH({s}) CHARACTER_LENGTH({s}) BIT_LENGTH({s}) ASCII({s}) ORD({s})
        LOCATE('a',·{s}) LOCATE({s},·{s},·{n}) POSITION('e'·IN·{s}) INSTR({s},·{s}) STRCMP({s},·{s})
        FIND_IN_SET({s},·'red,a,green,alpha') FIELD({s},·'red',·'a',·{s}) FIELD({i},·1,·2,·{n}) INTERVAL({i},·-10,·0,·10,·500)
        ISNULL({s}) ISNULL({d}) CRC32({s}) BIT_COUNT({i}) bit_or:({i}·|·{n}) bit_and:({i}·&·255) bit_xor:({i}·^·{n})
        shift_left:({n}·<<·{n}) shift_right:({i}·>>·{n}) invert:(~{i}·&·1023) SIGN({d}) FLOOR({i}) CEIL({d}) CEILING({d}) ROUND({i},·-1)
        ROUND({i},·{N}) MOD({i},·{n}) TRUNCATE({i},·-2) ABS({i}) CAST({s}·AS·SIGNED) CAST({d}·AS·SIGNED) CAST({i}·AS·UNSIGNED)
        CONVERT({s},·SIGNED) CONVERT({d},·UNSIGNED) GREATEST({i},·{i},·{n}) LEAST({i},·{n}) NULLIF({i},·{n}) NVL({i},·{n})
        NVL2({s},·{i},·{n}) IFNULL({i},·{n}) COALESCE({i},·{i},·0) IF({b},·{i},·{n})
        YEAR({t}) QUARTER({t}) MONTH({t}) DAY({t}) DAYOFMONTH({t}) DAYOFWEEK({t}) DAYOFYEAR({t}) WEEKDAY({t}) HOUR({T})
        MINUTE({T}) SECOND({T}) MICROSECOND({T}) WEEK({t}) WEEK({t},·{m}) WEEKOFYEAR({t}) YEARWEEK({t}) YEARWEEK({t},·{m}) TO_DAYS({t})
        TO_SECONDS({t}) DATEDIFF({t},·{t}) TIMESTAMPDIFF({u},·{t},·{t}) EXTRACT({u}·FROM·{T}) EXTRACT({U}·FROM·{T})
        PERIOD_ADD(202400·+·MONTH({t}),·{N}) PERIOD_DIFF(202411,·200000·+·MONTH({t})) TIME_TO_SEC(SEC_TO_TIME({n}·*·1000))
        UNIX_TIMESTAMP(DATE'2024-01-01'·+·INTERVAL·{n}·MONTH) REGEXP_INSTR({s},·{r}) SOUNDS:({s}·SOUNDS·LIKE·{s})
        JSON_VALID({j}) JSON_VALID({s}) JSON_LENGTH({j}) JSON_LENGTH({j},·{p}) JSON_DEPTH({j}) JSON_CONTAINS({j},·'1')
        JSON_CONTAINS({j},·'"x"',·'$') JSON_EXISTS({j},·{p}) JSON_CONTAINS_PATH({j},·'one',·{p},·'$.b') JSON_EQUALS({j},·{j})
        JSON_CONTAINS_PATH({j},·'all',·{p},·'$.a') JSON_OVERLAPS({j},·{j})
        CRC32C({s}) LENGTHB({s}) rand:(RAND()·<·2) curdate:(CURDATE()·>=·DATE'2024-01-01') now:(NOW()·>=·{T}) utc_timestamp:(UTC_TIMESTAMP()·>·{t})
        INET_ATON(CONCAT({n},·'.0.',·{n},·'.9')) IS_IPV4({s}) IS_IPV6('fe80::1') IS_IPV4_COMPAT(INET6_ATON('::10.0.5.9'))
        IS_IPV4_MAPPED(INET6_ATON('::ffff:10.0.5.9')) UNCOMPRESSED_LENGTH(COMPRESS({s}))""",
    "dec": """
        ROUND({d}) ROUND({d},·{N}) TRUNCATE({d},·{N}) ABS({d}) MOD({d},·{d}) FLOOR({d}) CEILING({d})
        CAST({s}·AS·DECIMAL(12,3)) CAST({i}·AS·DECIMAL(20,2)) CAST({d}·AS·DECIMAL(9,1)) CONVERT({d},·DECIMAL(14,2))
        GREATEST({d},·{i}) LEAST({d},·{d},·1.5) NULLIF({d},·{d}) IFNULL({d},·{i}) COALESCE({d},·0.25) IF({b},·{d},·{i})
        NVL({d},·1.5)""",
    "double": """
        SQRT(ABS({d})) EXP(SIGN({d})) LN({n}) LOG({n}) LOG(2,·{n}) LOG2({n}) LOG10({n}) POW({n},·2) POWER(2,·{N})
        SIN({i}) COS({i}) TAN(SIGN({i})) COT({n}) ASIN(SIGN({i})) ACOS(SIGN({i})) ATAN({i}) ATAN({i},·{n}) ATAN2({i},·{n})
        RADIANS({i}) DEGREES({n}) PI() CAST({d}·AS·DOUBLE) CAST({s}·AS·DOUBLE)""",
    "str": """
        CONCAT({s},·{s}) CONCAT({s},·{i}) CONCAT({d},·{s}) CONCAT_WS('-',·{s},·NULL,·{s}) UPPER({s}) UCASE({s}) LOWER({s}) LCASE({s})
        SUBSTRING({s},·{N}) SUBSTRING({s},·{N},·{n}) SUBSTR({s}·FROM·{N}·FOR·{n}) MID({s},·{n},·{n}) LEFT({s},·{n}) RIGHT({s},·{n})
        SUBSTRING_INDEX({s},·'a',·{N}) REPLACE({s},·'a',·'oo') REVERSE({s}) REPEAT({s},·{n}) CONCAT('[',·SPACE({n}),·']')
        LPAD({s},·{n},·'xy') RPAD({s},·{n},·'-') INSERT({s},·{N},·{n},·{s}) LTRIM({s}) RTRIM({s}) TRIM({s}) TRIM(LEADING·'a'·FROM·{s})
        TRIM(TRAILING·'a'·FROM·{s}) TRIM(BOTH·'x'·FROM·{s}) HEX({s}) HEX({i}) BIN({n}) OCT({n}) CONV({n},·10,·16) CONV(HEX({n}),·16,·2)
        CHAR({n}·+·64·USING·utf8mb4) CAST(UNHEX(HEX({s}))·AS·CHAR) QUOTE({s}) SOUNDEX('Quanta') MAKE_SET({n},·'a',·{s},·'c')
        EXPORT_SET({n},·'Y',·'N',·',',·6) ELT({n},·'a',·{s},·'c') FORMAT({d},·2) FORMAT({i},·0) FORMAT({d},·{n},·'de_DE') NAME_CONST('x',·7)
        MD5({s}) SHA({s}) SHA1({s}) SHA2({s},·256) SHA2({s},·512) TO_BASE64({s}) CAST(FROM_BASE64(TO_BASE64({s}))·AS·CHAR)
        HEX(AES_ENCRYPT({s},·'key')) HEX(COMPRESS(''))
        CAST(AES_DECRYPT(AES_ENCRYPT({s},·'key'),·'key')·AS·CHAR) CAST(UNCOMPRESS(COMPRESS({s}))·AS·CHAR) DATABASE() SCHEMA()
        REGEXP_REPLACE({s},·{R},·'<>') REGEXP_REPLACE({s},·'([a-z])([a-z])',·'\\\\2\\\\1') NULLIF(REGEXP_SUBSTR({s},·{R}),·'')
        DAYNAME({t}) MONTHNAME({t}) DATE_FORMAT({t},·{f}) TIME_FORMAT(TIME({T}),·'%H-%i-%s') CAST({t}·AS·CHAR) CAST({i}·AS·CHAR)
        CAST({s}·AS·CHAR(3)) CAST({d}·AS·CHAR(20)) CONVERT({s}·USING·utf8mb4) CONVERT({d},·CHAR)
        INET_NTOA({n}·+·167773449) INET6_NTOA(INET6_ATON('fdfe::5a55'))
        NULLIF({s},·{s}) IFNULL({s},·'none') COALESCE({s},·{s}) NVL({s},·'none') NVL2({d},·{s},·'none') GREATEST({s},·{s}) LEAST({s},·{s},·'m')
        IF({b},·{s},·'none') JSON_QUOTE({s}) JSON_UNQUOTE(JSON_QUOTE({s})) JSON_EXTRACT({j},·{p}) JSON_UNQUOTE(JSON_EXTRACT({j},·{p}))
        JSON_VALUE({j},·{p}) JSON_QUERY({j},·{p}) JSON_TYPE({j}) JSON_TYPE(JSON_EXTRACT({j},·{p})) JSON_KEYS({j}) JSON_ARRAY({i},·{s},·NULL)
        JSON_OBJECT('k',·{s},·'n',·{i}) JSON_SET({j},·'$.a',·{i}) JSON_SET({j},·'$.new',·{s}) JSON_INSERT({j},·'$.z',·{s}) JSON_REPLACE({j},·{p},·7)
        JSON_REMOVE({j},·{q}) JSON_ARRAY_APPEND({j},·'$',·{i}) JSON_ARRAY_INSERT('[1,·2]',·'$[1]',·{s}) JSON_MERGE_PRESERVE({j},·{j})
        JSON_MERGE({j},·'[5]') JSON_MERGE_PATCH({j},·{j}) JSON_SEARCH({j},·'one',·'x') JSON_SEARCH({j},·'all',·'x%') JSON_COMPACT({j})
        JSON_LOOSE({j})""",
    "date": """
        MAKEDATE({y},·{n}) FROM_DAYS(TO_DAYS({t})·+·{N}) ADDDATE({D},·{N}) SUBDATE({D},·{n}) DATE({T}) LAST_DAY({t}) DATE({D})
        STR_TO_DATE(DATE_FORMAT({t},·'%d.%m.%Y'),·'%d.%m.%Y') CAST({T}·AS·DATE) CONVERT({T},·DATE)
        DATE_ADD({D},·INTERVAL·{N}·DAY) DATE_SUB({D},·INTERVAL·{n}·MONTH) DATE_ADD({D},·INTERVAL·'1-2'·YEAR_MONTH)
        TIMESTAMPADD({v},·{N},·{D}) DATE_ADD({D},·INTERVAL·{N}·QUARTER) IFNULL({D},·DATE'2024-01-01') GREATEST({D},·{D})""",
    "datetime": """
        TIMESTAMP({D}) TIMESTAMP({D},·'10:20:30') ADDTIME({T},·'01:02:03') SUBTIME({T},·'25:00:00') TIMESTAMPADD({v},·{N},·{T})
        FROM_UNIXTIME(1700000000·+·{n}·*·1000003) CONVERT_TZ(TIMESTAMP'2024-02-28·20:00:00'·+·INTERVAL·{n}·HOUR,·'+00:00',·'+05:30') DATE_ADD({T},·INTERVAL·{N}·HOUR)
        DATE_ADD({T},·INTERVAL·'1:30'·HOUR_MINUTE) DATE_SUB({T},·INTERVAL·'2·3'·DAY_HOUR) DATE_ADD({T},·INTERVAL·'1·2:3:4'·DAY_SECOND)
        DATE_ADD({T},·INTERVAL·{n}·WEEK) DATE_SUB({T},·INTERVAL·'4:5'·MINUTE_SECOND) CAST({D}·AS·DATETIME) CONVERT({T},·DATETIME)
        STR_TO_DATE(DATE_FORMAT({T},·'%Y-%m-%d·%H:%i:%s'),·'%Y-%m-%d·%H:%i:%s') COALESCE({T},·{T})""",
    "time": """
        TIME({T}) CAST({T}·AS·TIME) SEC_TO_TIME({i}) MAKETIME({n},·{n},·{n}) TIMEDIFF(TIME({T}),·TIME({T}))
        ADDTIME(TIME({T}),·'01:30:00') SUBTIME('10:00:00',·TIME({T}))""",
}

ARGUMENT = re.compile(r"\{(\w)\}")
JSON = ['{"a": 1, "b": [1, 2, {"c": "x"}]}', '[1, "x", null, true, 2.50]', '{"a": {"b": {"c": []}}, "z": "y"}', '"text"', "17", "{}", "[]",
        '{"a": "Zürich \\\\u00e9", "b": null}', '[[1, 2], [3]]', "null"]
PATHS = ["$", "$.a", "$.b", "$.b[0]", "$[0]", "$[1]", "$.a.b", "$.b[2].c", "$.nothing", "$.a.b.c"]
REGULAR = ["[0-9]+", "^[a-m]", "a.*e", "(r|l)+", "[[:upper:]]", "\\\\bal", "x?", "e$", "[^a-z]", "."]
FORMATS = ["%Y-%m-%d", "%W %j", "%a %b %e", "%D %M %y", "%H:%i:%S.%f", "%h:%i %p", "%r", "%T", "%U %u %V %v", "%X %x", "%k %l", "%w %%", "%c/%d"]
UNITS = ["SECOND", "MINUTE", "HOUR", "DAY", "WEEK", "MONTH", "QUARTER", "YEAR"]
COMPOUND = ["YEAR_MONTH", "DAY_HOUR", "DAY_MINUTE", "DAY_SECOND", "HOUR_MINUTE", "HOUR_SECOND", "MINUTE_SECOND"]
EDGES = {"int": ["0", "-1", "9223372036854775807", "-9223372036854775807", "NULLIF(1, 1)"],
         "dec": ["0.00", "-0.005", "99999999999.99", "NULLIF(0.5, 0.5)"],
         "str": ["''", "'A'", "'日本'", "' x '", "'12.5e1'", "'a%_b'", "NULLIF('a', 'a')"],
         "date": ["DATE'1970-01-01'", "DATE'2024-02-29'", "DATE'1999-12-31'"],
         "datetime": ["TIMESTAMP'2024-12-31 23:59:59'", "TIMESTAMP'2000-02-29 00:00:00'"]}
FIXED = {"n": ["0", "1", "2", "3", "7", "12"], "N": ["-100", "-3", "-1", "0", "1", "2", "5", "40"], "m": list("01234567"), "y": ["1999", "2024", "2023"],
         "u": UNITS, "v": UNITS, "U": COMPOUND, "p": [literal(p) for p in PATHS], "q": [literal(p) for p in PATHS[1:]],
         "r": [f"'{r}'" for r in REGULAR], "R": [f"'{r}'" for r in REGULAR if r != "x?"],
         "f": [literal(f) for f in FORMATS]}


class Calls:
    """Makes calls; the arguments come from the expressions of a statement."""

    def __init__(self):
        self.made = {kind: [t.replace("·", " ") for t in text.split()] for kind, text in CALLS.items()}

    def call(self, expressions, kind, depth):
        """A call that gives this type."""
        template = expressions.rng.choice(self.made[kind])
        name, colon, rest = template.partition(":")
        if not colon or "(" in name:
            name, rest = template.partition("(")[0], template
        parts = ARGUMENT.split(rest)
        parts[1::2] = [self._argument(expressions, letter, depth) for letter in parts[1::2]]
        return Expr(name.lower() + "()", kind, *(p for p in parts if p != ""))

    def _argument(self, expressions, letter, depth):
        rng = expressions.rng
        if letter in FIXED:
            return rng.choice(FIXED[letter])
        if letter == "b":
            return expressions.predicate(0, None)
        if letter == "j":
            return self._json(expressions)
        kind = {"i": "int", "d": "dec", "s": "str", "D": "date", "T": "datetime"}.get(letter) or rng.choice(TIMES)
        if rng.random() < 0.08:
            return Expr("edge value", kind, rng.choice(EDGES[kind]))
        return expressions.value(kind, min(depth - 1, 1))

    @staticmethod
    def _json(expressions):
        rng = expressions.rng
        if rng.random() < 0.6:
            return literal_json(rng.choice(JSON))
        number, text = expressions.value("int", 0), expressions.value("str", 0)
        return rng.choice([Expr("json_object()", "", "JSON_OBJECT('a', ", number, ", 'b', ", text, ")"),
                           Expr("json_array()", "", "JSON_ARRAY(", number, ", ", text, ", 'x')")])


def literal_json(text):
    """A literal whose backslashes are written as they must be."""
    return "'" + text.replace("'", "''") + "'"
