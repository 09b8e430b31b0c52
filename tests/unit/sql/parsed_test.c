#include "sql/parsed.h"

#include <criterion/criterion.h>
#include <stdlib.h>
#include <string.h>

#include "reactor/budget.h"
#include "sql/parse.h"

static struct parsed *keep(const char *text, unsigned flags)
{
    return parsed_new(text, strlen(text), flags, NULL);
}

Test(parsed, statements_that_are_only_read_when_bound)
{
    static const char *const texts[] = {"SELECT a, ? FROM t WHERE b = ?",
                                        "INSERT INTO t VALUES (?, 1)",
                                        "UPDATE t SET a = ? WHERE b = 2",
                                        "DELETE FROM t WHERE a = ?"};

    for (size_t i = 0; i < sizeof texts / sizeof *texts; i++) {
        struct parsed *p = keep(texts[i], 0);
        cr_assert_not_null(p, "%s", texts[i]);
        cr_assert_str_eq(p->text, texts[i]);
        cr_assert_not_null(p->ast);
        parsed_put(p);
    }
}

Test(parsed, what_is_parsed_each_time)
{
    static const char *const texts[] = {"SELECT 1 INTO @a", "SELECT 1; SELECT 2", "SELECT FROM",
                                        "SET @a = 1", ""};

    for (size_t i = 0; i < sizeof texts / sizeof *texts; i++)
        cr_assert_null(keep(texts[i], 0), "%s", texts[i]);
    cr_assert_null(keep("SELECT 1", SQL_PARSE_QUANTA));

    char *text = malloc(20000);
    memset(text, ' ', 20000);
    memcpy(text, "SELECT 1", 8);
    cr_assert_null(parsed_new(text, 20000, 0, NULL));
    free(text);
}

Test(parsed, stays_while_somebody_has_it)
{
    struct parsed *p = keep("SELECT 'abc'", 0), *execution = parsed_get(p);

    parsed_put(p);
    cr_assert_str_eq(execution->text, "SELECT 'abc'");
    parsed_put(execution);
    parsed_put(NULL);
}

Test(parsed, memory_is_of_the_budget)
{
    struct budget budget;

    budget_init(&budget, "test", 1 << 20, NULL);
    struct parsed *p = parsed_new("SELECT 1", 8, 0, &budget);
    cr_assert_not_null(p);
    cr_assert_gt(budget.used, 0);
    parsed_put(p);
    cr_assert_eq(budget.used, 0);
    budget_init(&budget, "test", 100, NULL);
    cr_assert_null(parsed_new("SELECT 1", 8, 0, &budget));
    cr_assert_eq(budget.used, 0);
}
