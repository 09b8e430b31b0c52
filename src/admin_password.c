/* quanta-admin hash-password: the secret of a new password, for the users file. */
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <termios.h>
#include <unistd.h>

#include <openssl/crypto.h>

#include "admin.h"
#include "sql/users.h"

/* One line, without echo on a terminal. False at the end of input. */
static bool read_line(const char *prompt, char *line, int size)
{
    bool is_terminal = isatty(STDIN_FILENO);
    struct termios usual, silent;
    char *got;

    if (is_terminal && tcgetattr(STDIN_FILENO, &usual) == 0) {
        silent = usual;
        silent.c_lflag &= ~(tcflag_t)ECHO;
        fputs(prompt, stderr);
        tcsetattr(STDIN_FILENO, TCSAFLUSH, &silent);
        got = fgets(line, size, stdin);
        tcsetattr(STDIN_FILENO, TCSAFLUSH, &usual);
        fputc('\n', stderr);
    } else {
        got = fgets(line, size, stdin);
    }
    if (!got)
        return false;
    line[strcspn(line, "\r\n")] = 0;
    return true;
}

int admin_run_hash_password(bool native)
{
    char line[SHA256_CRYPT_PASSWORD_MAX + 3], text[USER_SECRET_TEXT];
    int rc = read_line("Password: ", line, sizeof line)
                 ? user_secret_make(line, strlen(line), native, text)
                 : -ENODATA;

    OPENSSL_cleanse(line, sizeof line);
    if (rc) {
        fprintf(stderr, ADMIN_PROGRAM ": hash-password: %s; allowed is a line of 1 to %d bytes\n",
                rc == -ERANGE || rc == -ENODATA ? "no such password" : strerror(-rc),
                SHA256_CRYPT_PASSWORD_MAX);
        return ADMIN_FAILED;
    }
    puts(text);
    return 0;
}
