#define _GNU_SOURCE
#include "villain.h"
#include "../../bench/native/loopback.h"
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

enum kind { SLOW, GARBAGE, HALF_CLOSE, RESET, TLS_ABORT, FLOOD, KINDS };
enum { PAUSE = 1000, LIFE = 30000, CHUNK = 4096 };

static const char login[] = "a LOGIN villain secret\r\n";
/* The record header and the first bytes of a ClientHello (RFC 8446, section 4.1.2), which never ends. */
static const unsigned char hello[] = {22, 3, 1, 2, 0, 1, 0, 1, 252, 3, 3, 1, 2, 3, 4, 5, 6, 7, 8};
static int ports[4];

void villains_use(int imap, int pop3, int smtp, int imaps) {
    const int given[] = {imap, pop3, smtp, imaps};
    memcpy(ports, given, sizeof ports);
}

static void reset(struct villain *villain) {
    struct linger linger = {.l_onoff = 1, .l_linger = 0};
    setsockopt(villain->fd, SOL_SOCKET, SO_LINGER, &linger, sizeof linger);
    close(villain->fd);
}

static void send_some(struct villain *villain, const void *bytes, size_t length) {
    ssize_t sent = send(villain->fd, bytes, length, MSG_NOSIGNAL | MSG_DONTWAIT);
    if (sent > 0) villain->sent += sent;
}

static void begin(struct villain *villain, double now) {
    int port = villain->kind == TLS_ABORT ? ports[3] : villain->kind == GARBAGE ? ports[rand() % 4] : ports[0];
    villain->fd = connect_to_loopback(port);
    villain->sent = 0;
    villain->next = now + 50;
    double life = villain->kind == RESET ? 50 + rand() % 50 : villain->kind == TLS_ABORT ? 50 + rand() % 2000 : LIFE;
    villain->end = now + life;
}

static void finish(struct villain *villain, double now) {
    if (villain->kind == HALF_CLOSE || villain->kind == SLOW) close(villain->fd);
    else reset(villain);
    villain->fd = -1;
    villain->next = now + PAUSE;
}

/* True once the other side has closed the connection. FLOOD never reads. */
static int is_over(struct villain *villain) {
    char into[CHUNK];
    if (villain->kind == FLOOD) return 0;
    return recv(villain->fd, into, sizeof into, MSG_DONTWAIT) == 0;
}

static void misbehave(struct villain *villain, double now) {
    char noise[CHUNK];
    switch (villain->kind) {
    case SLOW:
        if (villain->sent < sizeof login - 1) send_some(villain, login + villain->sent, 1);
        villain->next = now + 500;
        return;
    case GARBAGE:
        for (size_t index = 0; index < sizeof noise; index++) noise[index] = rand();
        send_some(villain, noise, sizeof noise);
        break;
    case HALF_CLOSE:
        send_some(villain, login, sizeof login - 1);
        shutdown(villain->fd, SHUT_WR);
        break;
    case RESET:
        send_some(villain, login, sizeof login - 1);
        break;
    case TLS_ABORT:
        send_some(villain, hello, sizeof hello);
        break;
    case FLOOD:
        if (villain->sent == 0) send_some(villain, login, sizeof login - 1);
        for (size_t index = 0; index < sizeof noise; index++) noise[index] = "x NOOP\r\n"[index % 8];
        send_some(villain, noise, sizeof noise);
        villain->next = now + 20;
        return;
    }
    /* Done: the end of the connection is all that is still to come. */
    villain->next = villain->end;
}

void villain_moves(struct villain *villain, double now) {
    if (villain->fd < 0) {
        if (now >= villain->next) begin(villain, now);
    } else if (now >= villain->end || is_over(villain)) finish(villain, now);
    else if (now >= villain->next) misbehave(villain, now);
}
