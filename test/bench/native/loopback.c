#define _GNU_SOURCE
#include "loopback.h"
#include <arpa/inet.h>
#include <errno.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/epoll.h>
#include <sys/resource.h>
#include <sys/socket.h>

enum { BACKLOG = 16384 };

void fail(const char *what) {
    perror(what);
    exit(1);
}

static struct sockaddr_in loopback(int port) {
    struct sockaddr_in address = {.sin_family = AF_INET, .sin_port = htons(port)};
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    return address;
}

/* Nagle's algorithm would hold a short line back until the peer has acknowledged the one before. */
void send_at_once(int fd) {
    int on = 1;
    setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
}

int new_socket(void) {
    int fd = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK, 0);
    if (fd < 0) fail("socket");
    return fd;
}

/* Listens on a free port, and tells which. */
int listen_on_loopback(int *port) {
    int fd = new_socket();
    struct sockaddr_in address = loopback(0);
    socklen_t size = sizeof address;
    if (bind(fd, (struct sockaddr *)&address, size) < 0) fail("bind");
    if (listen(fd, BACKLOG) < 0) fail("listen");
    if (getsockname(fd, (struct sockaddr *)&address, &size) < 0) fail("getsockname");
    *port = ntohs(address.sin_port);
    return fd;
}

/* The connection is under way when this returns. */
int connect_to_loopback(int port) {
    int fd = new_socket();
    send_at_once(fd);
    struct sockaddr_in address = loopback(port);
    if (connect(fd, (struct sockaddr *)&address, sizeof address) < 0 && errno != EINPROGRESS) fail("connect");
    return fd;
}

int new_epoll(void) {
    int epoll = epoll_create1(0);
    if (epoll < 0) fail("epoll_create1");
    return epoll;
}

static void control(int epoll, int operation, int fd, void *owner, int for_writing) {
    struct epoll_event event = {.events = EPOLLIN | (for_writing ? EPOLLOUT : 0), .data.ptr = owner};
    if (epoll_ctl(epoll, operation, fd, &event) < 0) fail("epoll_ctl");
}

void watch(int epoll, int fd, void *owner, int for_writing) {
    control(epoll, EPOLL_CTL_ADD, fd, owner, for_writing);
}

void watch_again(int epoll, int fd, void *owner, int for_writing) {
    control(epoll, EPOLL_CTL_MOD, fd, owner, for_writing);
}

void allow_many_files(void) {
    struct rlimit limit;
    if (getrlimit(RLIMIT_NOFILE, &limit) < 0) fail("getrlimit");
    limit.rlim_cur = limit.rlim_max;
    if (setrlimit(RLIMIT_NOFILE, &limit) < 0) fail("setrlimit");
}
