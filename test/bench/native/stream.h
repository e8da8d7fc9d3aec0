/* A client's connection, in the clear or under TLS. All functions end the program where something fails. */
#ifndef STREAM_H
#define STREAM_H
#include <openssl/ssl.h>
#include <sys/types.h>

struct stream {
    int fd, waits_to_write;
    /* Set once the client has said that it leaves: from then on a reset counts as the end. */
    int is_leaving;
    /* Set where the handshake offers a ticket. */
    int offers;
    /* Null in the clear. */
    SSL *tls;
    /* The newest ticket, for the next connection; null before the first. */
    SSL_SESSION *ticket;
};

/* The state of a handshake. FULL had no ticket to offer, REFUSED offered one and got a full handshake. */
enum handshake { UNFINISHED, FULL, REFUSED, RESUMED };

void use_tls(int with_tickets);
/* Under TLS only after `use_tls`. */
void open_stream(struct stream *stream, int epoll, int port, int under_tls, void *owner);
enum handshake shake_hands(struct stream *stream, int epoll, void *owner);
/* The number of bytes; 0 at the end, -1 where none can be moved now. */
ssize_t take(struct stream *stream, void *into, size_t most);
ssize_t give(struct stream *stream, const void *bytes, size_t length);
void wait_to_write(struct stream *stream, int epoll, void *owner, int waits);
/* Calls `line` with each whole line, keeps the rest at the start of the text, and returns its length. */
size_t each_line(char *text, size_t length, void (*line)(void *owner, const char *line), void *owner);
void close_stream(struct stream *stream);
void give_up(const char *why, const char *what);
#endif
