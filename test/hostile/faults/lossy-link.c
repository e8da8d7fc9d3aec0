/* A network that loses, delays and reorders packets, for programs that run in one network namespace.
 *
 *   lossy-link LOSS DELAY JITTER
 *
 * LOSS is a percentage, DELAY and JITTER are ms. The program makes the interface `lossy` with the address 10.9.0.1.
 * A packet to 10.9.0.2 comes back as one from 10.9.0.2 to 10.9.0.1: so a connection to a port of 10.9.0.2 reaches the
 * server on that port of 10.9.0.1, and each of its packets goes through this program. Addresses are swapped, which
 * leaves every checksum as it is. Prints `ready`. SIGUSR1 loses all packets until the next SIGUSR1.
 * Ends with its standard input. */
#define _GNU_SOURCE
#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/if_tun.h>
#include <net/if.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

enum { MTU = 1500, QUEUE = 8192 };

struct packet {
    double due;
    size_t length;
    unsigned char bytes[MTU];
};

/* A heap by `due`. A full queue loses packets, as that of a router does. */
static struct packet *heap[QUEUE];
static int queued;
static volatile sig_atomic_t cut;

static void fail(const char *what) {
    perror(what);
    exit(1);
}

static void toggle(int signal) {
    (void)signal;
    cut = !cut;
}

static double now(void) {
    struct timespec time;
    clock_gettime(CLOCK_MONOTONIC, &time);
    return time.tv_sec * 1e3 + time.tv_nsec / 1e6;
}

static void set_address(int fd, struct ifreq *interface, unsigned long request, const char *text) {
    struct sockaddr_in *address = (struct sockaddr_in *)&interface->ifr_addr;
    memset(address, 0, sizeof *address);
    address->sin_family = AF_INET;
    inet_pton(AF_INET, text, &address->sin_addr);
    if (ioctl(fd, request, interface) < 0) fail("setting an address");
}

static void bring_up(int fd, const char *name) {
    struct ifreq interface = {0};
    strcpy(interface.ifr_name, name);
    if (ioctl(fd, SIOCGIFFLAGS, &interface) < 0) fail(name);
    interface.ifr_flags |= IFF_UP;
    if (ioctl(fd, SIOCSIFFLAGS, &interface) < 0) fail(name);
}

static int open_interface(void) {
    struct ifreq interface = {.ifr_flags = IFF_TUN | IFF_NO_PI};
    strcpy(interface.ifr_name, "lossy");
    int tun = open("/dev/net/tun", O_RDWR | O_NONBLOCK);
    if (tun < 0) fail("/dev/net/tun");
    if (ioctl(tun, TUNSETIFF, &interface) < 0) fail("TUNSETIFF");
    int fd = socket(AF_INET, SOCK_DGRAM, 0);
    if (fd < 0) fail("socket");
    bring_up(fd, "lo");
    set_address(fd, &interface, SIOCSIFADDR, "10.9.0.1");
    set_address(fd, &interface, SIOCSIFNETMASK, "255.255.255.0");
    bring_up(fd, "lossy");
    close(fd);
    return tun;
}

static void push(struct packet *packet) {
    int at = queued++;
    for (; at > 0 && heap[(at - 1) / 2]->due > packet->due; at = (at - 1) / 2) heap[at] = heap[(at - 1) / 2];
    heap[at] = packet;
}

static struct packet *pop(void) {
    struct packet *first = heap[0], *last = heap[--queued];
    int at = 0;
    for (int child; (child = 2 * at + 1) < queued; at = child) {
        if (child + 1 < queued && heap[child + 1]->due < heap[child]->due) child++;
        if (last->due <= heap[child]->due) break;
        heap[at] = heap[child];
    }
    heap[at] = last;
    return first;
}

static void swap_addresses(unsigned char *bytes) {
    unsigned char source[4];
    memcpy(source, bytes + 12, 4);
    memcpy(bytes + 12, bytes + 16, 4);
    memcpy(bytes + 16, source, 4);
}

static void take(int tun, double loss, double delay, double jitter) {
    for (;;) {
        struct packet *packet = malloc(sizeof *packet);
        if (packet == NULL) fail("malloc");
        ssize_t length = read(tun, packet->bytes, MTU);
        if (length < 0 && errno != EAGAIN) fail("read");
        int isIPv4 = length >= 20 && packet->bytes[0] >> 4 == 4;
        if (!isIPv4 || cut || queued == QUEUE || drand48() * 100 < loss) free(packet);
        else {
            swap_addresses(packet->bytes);
            packet->length = length;
            packet->due = now() + delay + (drand48() * 2 - 1) * jitter;
            push(packet);
        }
        if (length < 0) return;
    }
}

int main(int argc, char **argv) {
    if (argc != 4) {
        fputs("see the head of lossy-link.c\n", stderr);
        return 1;
    }
    signal(SIGUSR1, toggle);
    srand48(1);
    int tun = open_interface();
    puts("ready");
    fflush(stdout);
    struct pollfd polled[] = {{.fd = tun, .events = POLLIN}, {.fd = STDIN_FILENO, .events = POLLIN}};
    for (;;) {
        double wait = queued == 0 ? -1 : heap[0]->due - now();
        poll(polled, 2, queued == 0 ? -1 : wait < 0 ? 0 : (int)wait + 1);
        if (polled[1].revents & (POLLIN | POLLHUP)) return 0;
        take(tun, atof(argv[1]), atof(argv[2]), atof(argv[3]));
        while (queued > 0 && heap[0]->due <= now()) {
            struct packet *packet = pop();
            /* The kernel may refuse one, which then counts as lost. */
            if (write(tun, packet->bytes, packet->length) < 0 && errno != EAGAIN) perror("write");
            free(packet);
        }
    }
}
