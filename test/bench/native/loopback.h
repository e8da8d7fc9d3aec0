/* Non-blocking sockets of 127.0.0.1: both programs of the benchmark have one thread and one epoll. */
#ifndef LOOPBACK_H
#define LOOPBACK_H
#include <stddef.h>

/* All functions end the program with a message where the kernel refuses. */
int new_socket(void);
int listen_on_loopback(int *port);
int connect_to_loopback(int port);
int new_epoll(void);
void watch(int epoll, int fd, void *owner, int for_writing);
void watch_again(int epoll, int fd, void *owner, int for_writing);
void allow_many_files(void);
void fail(const char *what);
void send_at_once(int fd);
#endif
