#pragma once
/* Socket addresses as text and back: numeric IPv4 and IPv6 only, no look-ups. Any thread. */
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/socket.h>

enum { ADDRESS_TEXT_BYTES = 64 };

/* "127.0.0.1", "::1", "[::1]", "" and "*" (any, IPv6 and IPv4) with a port: 0 or -EINVAL. */
int address_parse(const char *host, uint16_t port, struct sockaddr_storage *sa, socklen_t *len);

/* "127.0.0.1:4711" or "[::1]:4711"; IPv4 addresses mapped into IPv6 are shown as IPv4. */
void address_print(const struct sockaddr_storage *sa, char *text, size_t size);

uint16_t address_port(const struct sockaddr_storage *sa);
void address_set_port(struct sockaddr_storage *sa, uint16_t port);
bool address_is_loopback(const struct sockaddr_storage *sa);
