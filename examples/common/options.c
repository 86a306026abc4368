#include "options.h"

#include <errno.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "report.h"

#define OPTION_COLUMN 27 /* where the help's descriptions begin */

int ex_word_index(const char *words, const char *word)
{
    size_t length = strlen(word);
    for (int index = 0; words != NULL; index++) {
        size_t n = strcspn(words, "|");
        if (n == length && memcmp(words, word, n) == 0) return index;
        words = words[n] == '|' ? words + n + 1 : NULL;
    }
    return -1;
}

void ex_word(const char *words, int index, char *out, size_t size)
{
    out[0] = '\0';
    for (int i = 0; i < index && words != NULL; i++) {
        words = strchr(words, '|');
        if (words != NULL) words++;
    }
    if (words != NULL && index >= 0) snprintf(out, size, "%.*s", (int)strcspn(words, "|"), words);
}

static const ex_option *option_find(const ex_option *table, const char *name, size_t length)
{
    for (; table->help != NULL; table++) {
        const char *n = table->name;
        if (n != NULL && strlen(n) == length && memcmp(n, name, length) == 0) return table;
    }
    return NULL;
}

/* One of the table's names that begins as the unknown one does: most mistakes are in the tail. */
static const char *option_similar(const ex_option *table, const char *name, size_t length)
{
    const char *best = NULL;
    size_t best_length = 2;
    for (; table->help != NULL; table++) {
        if (table->name == NULL || (table->flags & EX_OPTION_INTERNAL) != 0) continue;
        size_t n = 0;
        while (n < length && table->name[n] == name[n] && name[n] != '\0') n++;
        if (n > best_length) {
            best = table->name;
            best_length = n;
        }
    }
    return best;
}

static int option_set_int(const ex_option *o, const char *text)
{
    char *end;
    errno = 0;
    long long v = strtoll(text, &end, 10);
    if (end == text || *end != '\0' || errno != 0)
        return ex_fail("--%s: expected a whole number, got '%s'", o->name, text);
    if ((double)v < o->min || (double)v > o->max)
        return ex_fail("--%s: expected %.0f to %.0f, got %lld", o->name, o->min, o->max, v);
    *(int64_t *)o->value = v;
    return 0;
}

static int option_set_real(const ex_option *o, const char *text)
{
    char *end;
    double v = strtod(text, &end);
    if (end == text || *end != '\0' || !isfinite(v))
        return ex_fail("--%s: expected a number, got '%s'", o->name, text);
    if (v < o->min || v > o->max) return ex_fail("--%s: expected %g to %g, got %s", o->name, o->min, o->max, text);
    *(double *)o->value = v;
    return 0;
}

static int option_set(const ex_option *o, const char *text)
{
    switch (o->kind) {
    case EX_INT: return option_set_int(o, text);
    case EX_REAL: return option_set_real(o, text);
    case EX_TEXT:
        if (strlen(text) >= EX_TEXT_SIZE) return ex_fail("--%s: longer than %d bytes", o->name, EX_TEXT_SIZE - 1);
        memcpy(o->value, text, strlen(text) + 1);
        return 0;
    case EX_CHOICE: {
        int index = ex_word_index(o->words, text);
        if (index < 0) return ex_fail("--%s: expected %s, got '%s'", o->name, o->words, text);
        *(int *)o->value = index;
        return 0;
    }
    case EX_HEADING: break;
    }
    return ex_fail("--%s: takes no value", o->name);
}

const char *ex_options_peek(const char *name, int argc, char **argv)
{
    const char *value = NULL;
    size_t length = strlen(name);
    for (int i = 1; i < argc; i++) {
        if (strncmp(argv[i], "--", 2) != 0 || strncmp(argv[i] + 2, name, length) != 0) continue;
        if (argv[i][2 + length] == '=') value = argv[i] + 3 + length;
        if (argv[i][2 + length] == '\0' && i + 1 < argc) value = argv[++i];
    }
    return value;
}

int ex_options_parse(const ex_option *table, int argc, char **argv)
{
    for (int i = 1; i < argc; i++) {
        if (strncmp(argv[i], "--", 2) != 0 || argv[i][2] == '\0')
            return ex_fail("expected an option, got '%s'; --help lists them", argv[i]);
        const char *name = argv[i] + 2;
        size_t length = strcspn(name, "=");
        const ex_option *o = option_find(table, name, length);
        if (o == NULL || (o->flags & EX_OPTION_INTERNAL) != 0) {
            const char *similar = option_similar(table, name, length);
            if (similar != NULL)
                return ex_fail("unknown option --%.*s; did you mean --%s?", (int)length, name, similar);
            return ex_fail("unknown option --%.*s; --help lists them", (int)length, name);
        }
        const char *value = NULL;
        if (name[length] == '=')
            value = name + length + 1;
        else if (i + 1 < argc)
            value = argv[++i];
        if (value == NULL) return ex_fail("--%s: its value is missing", o->name);
        if (option_set(o, value) != 0) return -1;
    }
    return 0;
}

static void option_print(const ex_option *o, char *out, size_t size)
{
    char word[64];
    switch (o->kind) {
    case EX_INT: snprintf(out, size, "%lld", (long long)*(const int64_t *)o->value); return;
    case EX_REAL:
        /* Short where that is exact; 17 digits bring every double back. */
        snprintf(out, size, "%g", *(const double *)o->value);
        if (strtod(out, NULL) != *(const double *)o->value) snprintf(out, size, "%.17g", *(const double *)o->value);
        return;
    case EX_TEXT: snprintf(out, size, "%s", (const char *)o->value); return;
    case EX_CHOICE:
        ex_word(o->words, *(const int *)o->value, word, sizeof word);
        snprintf(out, size, "%s", word);
        return;
    case EX_HEADING: break;
    }
    out[0] = '\0';
}

char *ex_options_save(const ex_option *table)
{
    size_t size = 1, used = 0;
    for (const ex_option *o = table; o->help != NULL; o++) size += EX_TEXT_SIZE + 64;
    char *text = malloc(size);
    if (text == NULL) return NULL;
    text[0] = '\0';
    for (const ex_option *o = table; o->help != NULL; o++) {
        if (o->kind == EX_HEADING || (o->flags & EX_OPTION_LOCAL) != 0) continue;
        char value[EX_TEXT_SIZE];
        option_print(o, value, sizeof value);
        used += (size_t)snprintf(text + used, size - used, "%s=%s\n", o->name, value);
    }
    return text;
}

int ex_options_load(const ex_option *table, const char *text, const char *source)
{
    while (*text != '\0') {
        size_t line = strcspn(text, "\n"), name = strcspn(text, "=\n");
        char value[EX_TEXT_SIZE];
        const ex_option *o = option_find(table, text, name);
        if (name == line || o == NULL || line - name - 1 >= sizeof value)
            return ex_fail("%s: its settings hold the line '%.*s', which this program does not know", source,
                           line > 60 ? 60 : (int)line, text);
        memcpy(value, text + name + 1, line - name - 1);
        value[line - name - 1] = '\0';
        if (option_set(o, value) != 0) return -1;
        text += line + (text[line] == '\n');
    }
    return 0;
}

/* Breaks `text` at spaces so that lines begin at OPTION_COLUMN and end before column 100. */
static void option_wrap(const char *text)
{
    int column = OPTION_COLUMN;
    while (*text != '\0') {
        int n = (int)strcspn(text, " ");
        if (column + 1 + n > 100 && column > OPTION_COLUMN) {
            printf("\n%*s", OPTION_COLUMN, "");
            column = OPTION_COLUMN;
        }
        printf("%s%.*s", column > OPTION_COLUMN ? " " : "", n, text);
        column += n + 1;
        text += n + (text[n] == ' ');
    }
    putchar('\n');
}

void ex_options_help(const ex_option *table)
{
    static const char *const kinds[] = {"", "N", "X", "TEXT", "WORD"};
    for (; table->help != NULL; table++) {
        if ((table->flags & EX_OPTION_INTERNAL) != 0) continue;
        if (table->kind == EX_HEADING) {
            printf("\n%s\n", table->help);
            continue;
        }
        char value[EX_TEXT_SIZE], text[EX_TEXT_SIZE + 512];
        int n = printf("  --%s %s", table->name, kinds[table->kind]);
        printf("%*s", n < OPTION_COLUMN - 1 ? OPTION_COLUMN - n : 1, "");
        option_print(table, value, sizeof value);
        snprintf(text, sizeof text, "%s%s%s [%s]", table->help, table->words != NULL ? ": " : "",
                 table->words != NULL ? table->words : "", value[0] != '\0' ? value : "none");
        option_wrap(text);
    }
}
