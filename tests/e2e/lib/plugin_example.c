/*
 * An example of a plug-in: the strategy Custom with `name: Luhn` keeps card numbers without blanks and hyphens and
 * refuses those whose check digit is wrong; `name: Cents` keeps an amount such as "12.34 EUR" as whole cents.
 *
 *     cc -shared -fPIC -O2 -Isrc/storage -o plugins/example.so tests/e2e/lib/plugin_example.c
 */
#include <ctype.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "quanta_plugin.h"

/* ---- Luhn: String ---- */

static int luhn_open(const struct quanta_plugin_column *column, void **state, char *error,
                     size_t cap)
{
    *state = NULL;
    if (strcmp(column->type, "String") == 0)
        return 0;
    snprintf(error, cap, "found type %s; allowed: String", column->type);
    return -1;
}

static int luhn_map(void *state, const struct quanta_plugin_value *in,
                    struct quanta_plugin_value *out, char *room, size_t room_size, char *error,
                    size_t cap)
{
    size_t n = 0;
    int sum = 0;

    (void)state;
    if (in->kind != QUANTA_PLUGIN_TEXT || in->length >= room_size) {
        snprintf(error, cap, "a card number is a text");
        return -1;
    }
    for (size_t i = 0; i < in->length; i++) {
        if (isdigit((unsigned char)in->text[i]))
            room[n++] = in->text[i];
        else if (in->text[i] != ' ' && in->text[i] != '-') {
            snprintf(error, cap, "'%c' in a card number", in->text[i]);
            return -1;
        }
    }
    for (size_t i = 0; i < n; i++) {
        int digit = room[n - 1 - i] - '0';

        if (i % 2)
            digit = digit > 4 ? 2 * digit - 9 : 2 * digit;
        sum += digit;
    }
    if (n < 2 || sum % 10) {
        snprintf(error, cap, "the check digit is wrong");
        return -1;
    }
    *out = (struct quanta_plugin_value){.kind = QUANTA_PLUGIN_TEXT, .text = room, .length = n};
    return 0;
}

/* ---- Cents: Integer, with a currency among its settings ---- */

static int cents_open(const struct quanta_plugin_column *column, void **state, char *error,
                      size_t cap)
{
    *state = NULL;
    for (uint32_t i = 0; i < column->n_settings; i++)
        if (strcmp(column->settings[i].key, "currency") == 0)
            *state = strdup(column->settings[i].value);
    if (*state && strcmp(column->type, "Integer") == 0)
        return 0;
    snprintf(error, cap, "needs type Integer and the setting currency");
    free(*state);
    return -1;
}

static int cents_map(void *state, const struct quanta_plugin_value *in,
                     struct quanta_plugin_value *out, char *room, size_t room_size, char *error,
                     size_t cap)
{
    char unit[16] = "", text[64];
    long long whole;
    unsigned cents;

    (void)room;
    (void)room_size;
    if (in->kind == QUANTA_PLUGIN_INT) { /* what it made before */
        *out = *in;
        return 0;
    }
    if (in->kind == QUANTA_PLUGIN_TEXT && in->length < sizeof text) {
        memcpy(text, in->text, in->length);
        text[in->length] = 0;
        if (strcmp(text, "unknown") == 0) {
            out->kind = QUANTA_PLUGIN_NULL;
            return 0;
        }
        if (sscanf(text, "%lld.%2u %15s", &whole, &cents, unit) == 3 && strcmp(unit, state) == 0 &&
            whole >= 0 && whole < 1000000000) {
            *out = (struct quanta_plugin_value){.kind = QUANTA_PLUGIN_INT,
                                                .number = whole * 100 + cents};
            return 0;
        }
    }
    snprintf(error, cap, "an amount is a text such as 12.34 %s", (const char *)state);
    return -1;
}

static const struct quanta_plugin_mapper mappers[] = {
    {.name = "Luhn", .open = luhn_open, .map = luhn_map},
    {.name = "Cents", .open = cents_open, .close = free, .map = cents_map},
};

static const struct quanta_plugin example = {.abi = QUANTA_PLUGIN_ABI,
                                             .size = sizeof example,
                                             .version = "1.0",
                                             .n_mappers = sizeof mappers / sizeof *mappers,
                                             .mappers = mappers};

const struct quanta_plugin *quanta_plugin(void)
{
    return &example;
}
