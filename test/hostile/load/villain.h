/* A peer that misbehaves, over and over, each time on a new connection. No error of its sockets is one. */
#ifndef VILLAIN_H
#define VILLAIN_H
#include <stddef.h>

struct villain {
    /* -1 without a connection. */
    int fd;
    int kind;
    /* ms of the clock: of the next move, and of the end of the connection. */
    double next, end;
    size_t sent;
};

/* The ports of IMAP, POP3, SMTP, and of IMAP under TLS. */
void villains_use(int imap, int pop3, int smtp, int imaps);
/* Does what the villain has to do at this time. */
void villain_moves(struct villain *villain, double now);
#endif
