/* Mail servers and their lookup endpoint, with as little mail in them as possible: any user may log in.
 *
 * Prints the ports of IMAP, POP3, SMTP and HTTP, and ends with its standard input. In any mail protocol the
 * line `x DOWN n` is answered with n bytes, and `x UP n` with `x GO`, n bytes from the client, and `x OK`. */
#define _GNU_SOURCE
#include "loopback.h"
#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <unistd.h>

enum protocol { IMAP, POP3, SMTP, HTTP, PROTOCOLS };
enum { LINES = 4096, REPLIES = 2048, TAG = 32, CHUNK = 1 << 18, EVENTS = 256 };

struct peer {
    int fd;
    enum protocol protocol;
    int listens;
    int waits_to_write;
    /* Set once the last reply is written: the connection ends when the reply has gone out. */
    int is_leaving;
    /* The tag of a command whose literals or SASL response are still to come; empty without one. */
    char tag[TAG];
    /* Bytes of a download to send, and of an upload to receive. */
    size_t to_send, to_receive;
    size_t received, unsent;
    char lines[LINES + 1];
    char replies[REPLIES];
};

static const char *const greetings[PROTOCOLS] = {
    [IMAP] = "* OK [CAPABILITY IMAP4rev1 LITERAL+ SASL-IR ID IDLE AUTH=PLAIN] ready\r\n",
    [POP3] = "+OK ready\r\n",
    [SMTP] = "220 mx.example.test ESMTP\r\n",
    [HTTP] = "",
};

static int epoll;
static int ports[PROTOCOLS];
static char chunk[CHUNK];

static int begins(const char *text, const char *start) { return strncasecmp(text, start, strlen(start)) == 0; }

static void reply(struct peer *peer, const char *text) {
    size_t length = strlen(text);
    if (peer->unsent + length > REPLIES) return;
    memcpy(peer->replies + peer->unsent, text, length);
    peer->unsent += length;
}

static void reply_to_tag(struct peer *peer, const char *text) {
    char line[TAG + 128];
    snprintf(line, sizeof line, "%s %s\r\n", peer->tag, text);
    reply(peer, line);
    peer->tag[0] = '\0';
}

static void leave(struct peer *peer, const char *text) {
    reply(peer, text);
    peer->is_leaving = 1;
}

/* LOGIN comes with quoted strings or with literals of either kind (RFC 7888), AUTHENTICATE with or without an
 * initial response. */
static void imap(struct peer *peer, char *line) {
    size_t length = strlen(line);
    int continued = peer->tag[0] != '\0';
    const char *command = line;
    if (!continued) {
        size_t tag = strcspn(line, " ");
        if (tag >= TAG) tag = TAG - 1;
        memcpy(peer->tag, line, tag);
        peer->tag[tag] = '\0';
        command = line + tag + (line[tag] == ' ');
    }
    if (length > 1 && line[length - 1] == '}') {
        if (line[length - 2] != '+') reply(peer, "+ OK\r\n");
    } else if (!continued && begins(command, "AUTHENTICATE ") && strchr(command + 13, ' ') == NULL) {
        reply(peer, "+ \r\n");
    } else if (!continued && begins(command, "LOGOUT")) {
        reply(peer, "* BYE\r\n");
        reply_to_tag(peer, "OK logged out");
        peer->is_leaving = 1;
    } else if (continued || begins(command, "LOGIN") || begins(command, "AUTHENTICATE")) {
        reply_to_tag(peer, "OK [CAPABILITY IMAP4rev1 IDLE] logged in");
    } else {
        if (begins(command, "CAPABILITY")) reply(peer, "* CAPABILITY IMAP4rev1 SASL-IR ID IDLE AUTH=PLAIN\r\n");
        reply_to_tag(peer, "OK done");
    }
}

static void pop3(struct peer *peer, const char *line) {
    if (begins(line, "QUIT")) leave(peer, "+OK bye\r\n");
    else if (begins(line, "CAPA")) reply(peer, "+OK\r\nUSER\r\nSASL PLAIN\r\n.\r\n");
    else reply(peer, "+OK\r\n");
}

static void smtp(struct peer *peer, const char *line) {
    if (begins(line, "QUIT")) leave(peer, "221 2.0.0 bye\r\n");
    else if (begins(line, "EHLO")) reply(peer, "250-mx.example.test\r\n250-PIPELINING\r\n250 AUTH PLAIN LOGIN\r\n");
    else if (begins(line, "AUTH")) reply(peer, "235 2.7.0 welcome\r\n");
    else reply(peer, "250 2.0.0 OK\r\n");
}

static void mail(struct peer *peer, char *line) {
    if (begins(line, "x DOWN ")) peer->to_send = strtoull(line + 7, NULL, 10);
    else if (begins(line, "x UP ")) {
        peer->to_receive = strtoull(line + 5, NULL, 10);
        reply(peer, "x GO\r\n");
    } else if (peer->protocol == IMAP) imap(peer, line);
    else if (peer->protocol == POP3) pop3(peer, line);
    else smtp(peer, line);
}

/* The upstream of the protocol that the lookup names. nginx asks by HTTP/1.0 and wants the connection closed. */
static void lookup(struct peer *peer, const char *request) {
    const char *field = strcasestr(request, "\r\nAuth-Protocol: ");
    const char *name = field == NULL ? "" : field + 17;
    int port = ports[begins(name, "pop3") ? POP3 : begins(name, "smtp") ? SMTP : IMAP];
    int is_old = strstr(request, " HTTP/1.0\r\n") != NULL;
    char text[256];
    snprintf(text, sizeof text,
             "HTTP/1.1 200 OK\r\nContent-Length: 0\r\n%sAuth-Status: OK\r\nAuth-Server: 127.0.0.1\r\n"
             "Auth-Port: %d\r\n\r\n",
             is_old ? "Connection: close\r\n" : "", port);
    reply(peer, text);
    peer->is_leaving = is_old;
}

/* Terminates the request or line at `start`, and returns its length; 0 for an incomplete one. */
static size_t cut(struct peer *peer, char *start, size_t length) {
    const char *end = peer->protocol == HTTP ? "\r\n\r\n" : "\r\n";
    char *found = memmem(start, length, end, strlen(end));
    if (found == NULL) return 0;
    size_t taken = found - start + strlen(end);
    /* The first CRLF of a request's end stays, so that every field ends with one. */
    found[peer->protocol == HTTP ? 2 : 0] = '\0';
    return taken;
}

static void take_lines(struct peer *peer) {
    size_t from = 0;
    while (!peer->is_leaving) {
        if (peer->to_receive > 0 && from < peer->received) {
            size_t rest = peer->received - from;
            size_t upload = rest < peer->to_receive ? rest : peer->to_receive;
            from += upload;
            peer->to_receive -= upload;
            if (peer->to_receive == 0) reply(peer, "x OK\r\n");
        }
        char *start = peer->lines + from;
        size_t taken = cut(peer, start, peer->received - from);
        if (taken == 0) break;
        from += taken;
        if (peer->protocol == HTTP) lookup(peer, start);
        else mail(peer, start);
    }
    peer->received -= from;
    memmove(peer->lines, peer->lines + from, peer->received);
}

/* 0 once the connection is over; so with `transmit`. */
static int receive(struct peer *peer) {
    if (peer->to_receive > 0) {
        static char upload[CHUNK];
        size_t most = peer->to_receive < CHUNK ? peer->to_receive : CHUNK;
        ssize_t count = recv(peer->fd, upload, most, 0);
        if (count <= 0) return count < 0 && errno == EAGAIN;
        peer->to_receive -= count;
        if (peer->to_receive == 0) reply(peer, "x OK\r\n");
        return 1;
    }
    ssize_t count = recv(peer->fd, peer->lines + peer->received, LINES - peer->received, 0);
    if (count <= 0) return count < 0 && errno == EAGAIN;
    peer->received += count;
    take_lines(peer);
    return peer->received < LINES;
}

static int transmit(struct peer *peer) {
    while (peer->unsent > 0 || peer->to_send > 0) {
        int replies = peer->unsent > 0;
        size_t most = replies ? peer->unsent : peer->to_send < CHUNK ? peer->to_send : CHUNK;
        ssize_t count = send(peer->fd, replies ? peer->replies : chunk, most, MSG_NOSIGNAL);
        if (count < 0 && errno != EAGAIN) return 0;
        if (count < 0) break;
        if (!replies) peer->to_send -= count;
        else {
            peer->unsent -= count;
            memmove(peer->replies, peer->replies + count, peer->unsent);
        }
    }
    int waits = peer->unsent > 0 || peer->to_send > 0;
    if (waits != peer->waits_to_write) watch_again(epoll, peer->fd, peer, waits);
    peer->waits_to_write = waits;
    return waits || !peer->is_leaving;
}

static void close_peer(struct peer *peer) {
    close(peer->fd);
    free(peer);
}

static struct peer *new_peer(int fd, enum protocol protocol) {
    struct peer *peer = calloc(1, sizeof *peer);
    if (peer == NULL) fail("calloc");
    peer->fd = fd;
    peer->protocol = protocol;
    watch(epoll, fd, peer, 0);
    return peer;
}

static void accept_peers(const struct peer *listener) {
    for (;;) {
        int fd = accept4(listener->fd, NULL, NULL, SOCK_NONBLOCK);
        if (fd < 0) return;
        send_at_once(fd);
        struct peer *peer = new_peer(fd, listener->protocol);
        reply(peer, greetings[peer->protocol]);
        if (!transmit(peer)) close_peer(peer);
    }
}

static void serve(struct peer *peer, unsigned events) {
    if (peer->listens) accept_peers(peer);
    else {
        int lives = (events & ~(unsigned)EPOLLOUT) == 0 || receive(peer);
        if (!lives || !transmit(peer)) close_peer(peer);
    }
}

int main(void) {
    signal(SIGPIPE, SIG_IGN);
    allow_many_files();
    for (size_t index = 0; index < CHUNK; index++) chunk[index] = "0123456789abcde\n"[index % 16];
    epoll = new_epoll();
    for (int protocol = 0; protocol < PROTOCOLS; protocol++) {
        new_peer(listen_on_loopback(&ports[protocol]), protocol)->listens = 1;
    }
    watch(epoll, STDIN_FILENO, NULL, 0);
    printf("%d %d %d %d\n", ports[IMAP], ports[POP3], ports[SMTP], ports[HTTP]);
    fflush(stdout);
    struct epoll_event events[EVENTS];
    for (;;) {
        int count = epoll_wait(epoll, events, EVENTS, -1);
        for (int index = 0; index < count; index++) {
            if (events[index].data.ptr == NULL) return 0;
            serve(events[index].data.ptr, events[index].events);
        }
    }
}
