"""Random aggregates, and conditions of HAVING."""

from expressions import PLAIN
from sqltree import Expr, Joined


def aggregate(expressions):
    """COUNT, SUM, AVG, MIN, MAX over a column or an expression."""
    number = expressions.field("int", "dec")
    plain = expressions.field(*PLAIN)

    def argument(field):
        if not expressions.chance(0.22) or field.is_big:
            return field.expr()
        divides, expressions.divides = expressions.divides, False
        made = expressions.value(field.type, 1, field)
        expressions.divides = divides
        return made

    def call(kind, name, field, type_):
        return Expr(kind, type_, name + "(", argument(field), ")")

    choices = [(20, lambda: Expr("count(*)", "int", "COUNT(*)"))]
    if plain:
        choices += [
            (9, lambda: call("count", "COUNT", plain, "int")),
            (10, lambda: Expr("count distinct", "int", "COUNT(DISTINCT ", argument(plain),
                              ")")),
            (9, lambda: call("min", "MIN", plain, plain.type)),
            (9, lambda: call("max", "MAX", plain, plain.type))]
    if number:
        choices += [
            (16, lambda: call("sum", "SUM", number, "dec")),
            (10, lambda: call("avg", "AVG", number, "dec")),
            (2, lambda: Expr("sum distinct", "dec", expressions.rng.choice(["SUM", "AVG"]),
                             "(DISTINCT ", number.expr(), ")")),
            (3, lambda: Expr("/", "dec", call("sum", "SUM", number, "dec"), " / ",
                             Expr("count(*)", "int", "COUNT(*)"))),
            (2, lambda: Expr("-", "dec", call("max", "MAX", number, number.type), " - ",
                             call("min", "MIN", number, number.type))),
            (2, lambda: Expr("sum if", "dec", "SUM(IF(", expressions.predicate(0, None), ", ",
                             number.expr(), ", 0))")),
            (2, lambda: Expr("coalesce", "dec", "COALESCE(", call("sum", "SUM", number, "dec"),
                             ", 0)"))]
    flag, text = expressions.field("bool"), expressions.field("str")
    if flag:
        choices.append((3, lambda: Expr("sum bool", "dec", expressions.rng.choice(["SUM(", "AVG("]),
                                        flag.expr(), ")")))
    if number:
        choices.append((1, lambda: Expr("bit aggregate", "int", expressions.rng.choice(
            ["BIT_AND", "BIT_OR", "BIT_XOR"]) + "(", number.expr(), ")")))
    if number and expressions.divides:
        choices.append((2, lambda: Expr("variance", "double", expressions.rng.choice(
            ["STDDEV", "VARIANCE", "STDDEV_SAMP", "VAR_SAMP", "STD"]) + "(", number.expr(), ")")))
    if text and text.origin.split(".")[0] in ("things", "parts"):
        choices.append((4, lambda: Expr(
            "group_concat", "str", "GROUP_CONCAT(", expressions.rng.choice(["", "DISTINCT "]),
            text.expr(), " ORDER BY ", text.expr(), expressions.rng.choice(["", " DESC"]),
            expressions.rng.choice(["", " SEPARATOR '|'"]), ")")))
    if len([f for f in expressions.fields if f.type in PLAIN]) > 1:
        choices.append((2, lambda: Expr("count distinct", "int", "COUNT(DISTINCT ",
                                        plain.expr(), ", ", expressions.field(*PLAIN).expr(),
                                        ")")))
    return expressions.weighted(choices)()


def having(expressions, aggregates):
    """A condition on groups; `aggregates` are the select list's."""
    if aggregates and expressions.chance(0.3):
        item = expressions.rng.choice(aggregates)
        if item.expr.type in ("int", "dec", "bool"):
            return Expr("having alias", "bool", item.alias,
                        expressions.rng.choice([" > 1", " >= 2", " <> 0", " IS NOT NULL"]))
    count = Expr("count(*)", "int", "COUNT(*)")
    limits = [" > 1", " >= 2", " < 100", " BETWEEN 1 AND 50", " <> 3", " IN (1, 2, 3)"]
    made = Expr("having", "bool", count, expressions.rng.choice(limits))
    if expressions.chance(0.4):
        field = expressions.field(*PLAIN)
        if field and field.samples and field.type != "bool":
            name = expressions.rng.choice(["MIN(", "MAX("])
            other = Expr("having", "bool", name, field.expr(), ")",
                         expressions.rng.choice([" <= ", " >= ", " <> "]),
                         expressions.write(expressions.rng.choice(field.samples), field.type))
            word = expressions.weighted([(2, " OR "), (1, " AND ")])
            made = Joined("or" if word == " OR " else "and", "bool", "", word, "",
                          [made, other], 1)
    return made
