#include "stream.h"
#include "loopback.h"
#include <errno.h>
#include <openssl/err.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

enum { TLS_RECORD = 1 << 14 };

/* Null before `use_tls`. */
static SSL_CTX *context;
static int resumes;

void give_up(const char *why, const char *what) {
    fprintf(stderr, "%s %s\n", why, what);
    exit(1);
}

static int keep_ticket(SSL *tls, SSL_SESSION *ticket) {
    struct stream *stream = SSL_get_app_data(tls);
    if (stream->ticket != NULL) SSL_SESSION_free(stream->ticket);
    stream->ticket = ticket;
    return 1;
}

void use_tls(int with_tickets) {
    context = SSL_CTX_new(TLS_client_method());
    if (context == NULL) give_up("no memory for", "TLS");
    SSL_CTX_set_mode(context, SSL_MODE_ENABLE_PARTIAL_WRITE | SSL_MODE_ACCEPT_MOVING_WRITE_BUFFER | SSL_MODE_RELEASE_BUFFERS);
    /* The same key exchange with every proxy, whatever else its OpenSSL could do. */
    SSL_CTX_set1_groups_list(context, "X25519");
    resumes = with_tickets;
    if (!resumes) return;
    SSL_CTX_set_session_cache_mode(context, SSL_SESS_CACHE_CLIENT | SSL_SESS_CACHE_NO_INTERNAL);
    SSL_CTX_sess_set_new_cb(context, keep_ticket);
}

/* The connection is writable once it is made; TLS begins with the first `shake_hands`. */
void open_stream(struct stream *stream, int epoll, int port, int under_tls, void *owner) {
    stream->fd = connect_to_loopback(port);
    stream->waits_to_write = 1;
    stream->is_leaving = 0;
    watch(epoll, stream->fd, owner, 1);
    if (!under_tls) return;
    stream->tls = SSL_new(context);
    if (stream->tls == NULL) give_up("no memory for", "TLS");
    SSL_set_fd(stream->tls, stream->fd);
    SSL_set_app_data(stream->tls, stream);
    SSL_set_connect_state(stream->tls);
    stream->offers = resumes && stream->ticket != NULL;
    if (stream->offers) SSL_set_session(stream->tls, stream->ticket);
}

static ssize_t outcome(struct stream *stream, int result) {
    switch (SSL_get_error(stream->tls, result)) {
    case SSL_ERROR_WANT_READ:
    case SSL_ERROR_WANT_WRITE:
        return -1;
    case SSL_ERROR_ZERO_RETURN:
        return 0;
    default:
        if (!stream->is_leaving) give_up("TLS failed:", ERR_reason_error_string(ERR_peek_error()));
        return 0;
    }
}

enum handshake shake_hands(struct stream *stream, int epoll, void *owner) {
    ERR_clear_error();
    int result = SSL_do_handshake(stream->tls);
    if (result != 1) {
        if (outcome(stream, result) == 0) give_up("the proxy closed", "the handshake");
        wait_to_write(stream, epoll, owner, SSL_want_write(stream->tls));
        return UNFINISHED;
    }
    wait_to_write(stream, epoll, owner, 0);
    if (SSL_session_reused(stream->tls)) return RESUMED;
    return stream->offers ? REFUSED : FULL;
}

ssize_t take(struct stream *stream, void *into, size_t most) {
    if (stream->tls != NULL) {
        ERR_clear_error();
        int got = SSL_read(stream->tls, into, most);
        return got > 0 ? got : outcome(stream, got);
    }
    ssize_t got = recv(stream->fd, into, most, 0);
    if (got >= 0 || errno == EAGAIN) return got;
    if (!stream->is_leaving) fail("recv");
    return 0;
}

ssize_t give(struct stream *stream, const void *bytes, size_t length) {
    if (stream->tls != NULL) {
        ERR_clear_error();
        int sent = SSL_write(stream->tls, bytes, length < TLS_RECORD ? length : TLS_RECORD);
        return sent > 0 ? sent : outcome(stream, sent);
    }
    ssize_t sent = send(stream->fd, bytes, length, MSG_NOSIGNAL);
    if (sent < 0 && errno != EAGAIN) fail("send");
    return sent;
}

void wait_to_write(struct stream *stream, int epoll, void *owner, int waits) {
    if (waits != stream->waits_to_write) watch_again(epoll, stream->fd, owner, waits);
    stream->waits_to_write = waits;
}

/* A TLS connection is marked as shut down, so that OpenSSL lets its ticket be used again. */
size_t each_line(char *text, size_t length, void (*line)(void *owner, const char *line), void *owner) {
    char *start = text, *stop = text + length, *end;
    while ((end = memchr(start, '\n', stop - start)) != NULL) {
        *end = '\0';
        line(owner, start);
        start = end + 1;
    }
    memmove(text, start, stop - start);
    return stop - start;
}

void close_stream(struct stream *stream) {
    if (stream->tls != NULL) {
        SSL_set_shutdown(stream->tls, SSL_SENT_SHUTDOWN | SSL_RECEIVED_SHUTDOWN);
        SSL_free(stream->tls);
        stream->tls = NULL;
    }
    close(stream->fd);
}
