/* A crowd of mail programs before one proxy, by one thread: sessions that stay, logins that come and go, and peers
 * that misbehave.
 *
 *   crowd IMAP POP3 SMTP IMAPS LIVE RATE VILLAINS
 *
 * The first four are ports. LIVE sessions stay, an eighth of them under TLS; each says something once a minute. RATE
 * logins a second come and go, a quarter of them under TLS. Prints `ready` when all live sessions are logged in, and
 * from then on a line a second: the live sessions, the logins of this second, the median, the 99th percentile and the
 * maximum of their times in us from the connection to the yes, and the connections of villains.
 * A session that is refused, cut or not answered ends the program with a message. Ends with its standard input. */
#define _GNU_SOURCE
#include "../../bench/native/loopback.h"
#include "../../bench/native/stream.h"
#include "villain.h"
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <time.h>
#include <unistd.h>

enum { LINES = 512, EVENTS = 512, OPENING = 64, TICK = 10, TIMES = 100000, ROUND = 60000 };
enum state { FREE, CONNECTING, LOGIN, IDLE, ASKED, LEAVING };

struct step {
    const char *line, *answer;
};

struct script {
    /* The greeting comes first, without a line; the last step has no line. */
    struct step login[4];
    struct step noop;
    const char *logout;
};

static const struct script scripts[] = {
    {{{NULL, "* OK"}, {"1 LOGIN alice secret\r\n", "1 OK"}}, {"2 NOOP\r\n", "2 OK"}, "3 LOGOUT\r\n"},
    {{{NULL, "+OK"}, {"USER alice\r\n", "+OK"}, {"PASS secret\r\n", "+OK"}}, {"NOOP\r\n", "+OK"}, "QUIT\r\n"},
    {{{NULL, "220 "}, {"EHLO client.example.test\r\n", "250 "}, {"AUTH PLAIN AGFsaWNlAHNlY3JldA==\r\n", "235 "}},
     {"NOOP\r\n", "250 "},
     "QUIT\r\n"},
};

struct session {
    struct stream stream;
    const struct script *script;
    enum state state;
    int step, stays, under_tls, port;
    double begun;
    size_t received;
    char lines[LINES + 1];
    struct session *next_free;
};

static int epoll, ports[4], live, rate, villain_count;
static struct session *keepers, *free_visitors;
static struct villain *villains;
static int opened, logged_in, count_times;
static double times[TIMES];

static double now(void) {
    struct timespec time;
    clock_gettime(CLOCK_MONOTONIC, &time);
    return time.tv_sec * 1e3 + time.tv_nsec / 1e6;
}

static void say(struct session *session, const char *line) {
    ssize_t length = strlen(line);
    if (give(&session->stream, line, length) != length) give_up("the socket did not take", line);
}

/* Every fourth visitor and every eighth keeper uses TLS. */
static void open_session(struct session *session, int number, int one_in) {
    int protocol = number % 3;
    session->under_tls = number % one_in == 0;
    session->script = &scripts[session->under_tls ? 0 : protocol];
    session->port = session->under_tls ? ports[3] : ports[protocol];
    session->state = CONNECTING;
    session->step = 0;
    session->received = 0;
    session->begun = now();
    open_stream(&session->stream, epoll, session->port, session->under_tls, session);
}

static void visit(void) {
    static int number;
    struct session *session = free_visitors;
    if (session != NULL) free_visitors = session->next_free;
    else session = calloc(1, sizeof *session);
    if (session == NULL) fail("calloc");
    open_session(session, number++, 4);
}

static void leave(struct session *session) {
    close_stream(&session->stream);
    session->state = FREE;
    session->next_free = free_visitors;
    free_visitors = session;
}

static void keep_one_more(void) {
    if (opened == live) return;
    keepers[opened].stays = 1;
    open_session(&keepers[opened], opened, 8);
    opened++;
}

static void login_done(struct session *session) {
    session->state = IDLE;
    if (session->stays) {
        logged_in++;
        keep_one_more();
        return;
    }
    if (count_times < TIMES) times[count_times++] = now() - session->begun;
    session->state = LEAVING;
    session->stream.is_leaving = 1;
    say(session, session->script->logout);
}

static void take_line(void *owner, const char *line) {
    struct session *session = owner;
    if (session->state != LOGIN && session->state != ASKED) return;
    const struct script *script = session->script;
    const char *answer = session->state == LOGIN ? script->login[session->step].answer : script->noop.answer;
    if (strncmp(line, answer, strlen(answer)) != 0) {
        if (line[0] != '*' && line[3] != '-') give_up("the proxy said", line);
        return;
    }
    if (session->state == ASKED) session->state = IDLE;
    else {
        int last = session->step == 3 || script->login[session->step + 1].line == NULL;
        if (last) login_done(session);
        else say(session, script->login[++session->step].line);
    }
}

static int read_lines(struct session *session) {
    ssize_t got = take(&session->stream, session->lines + session->received, LINES - session->received);
    if (got < 0) return 0;
    if (got == 0) {
        if (session->state != LEAVING) give_up("the proxy closed", session->stays ? "a live session" : "a login");
        leave(session);
        return 0;
    }
    session->received = each_line(session->lines, session->received + got, take_line, session);
    return session->received < LINES;
}

static void handle(struct session *session) {
    if (session->state == CONNECTING) {
        if (!session->under_tls) wait_to_write(&session->stream, epoll, session, 0);
        else if (shake_hands(&session->stream, epoll, session) == UNFINISHED) return;
        session->state = LOGIN;
    }
    while (session->state != FREE && read_lines(session));
}

/* So many of the live sessions as keep to one question a minute each. */
static void ask_some(double elapsed) {
    static int turn;
    static double due;
    for (due += live * elapsed / ROUND; due >= 1; due--) {
        struct session *session = &keepers[turn++ % live];
        if (session->state == ASKED) give_up("no answer within a minute to", session->script->noop.line);
        session->state = ASKED;
        say(session, session->script->noop.line);
    }
}

static int by_value(const void *one, const void *other) {
    double a = *(const double *)one, b = *(const double *)other;
    return (a > b) - (a < b);
}

static void report(void) {
    int connected = 0;
    for (int index = 0; index < villain_count; index++) connected += villains[index].fd >= 0;
    qsort(times, count_times, sizeof *times, by_value);
    double median = count_times == 0 ? 0 : times[count_times / 2];
    double high = count_times == 0 ? 0 : times[count_times * 99 / 100];
    double most = count_times == 0 ? 0 : times[count_times - 1];
    printf("%d %d %.0f %.0f %.0f %d\n", logged_in, count_times, median * 1e3, high * 1e3, most * 1e3, connected);
    count_times = 0;
}

/* False once standard input has ended. */
static int goes_on(void) {
    struct pollfd input = {.fd = STDIN_FILENO, .events = POLLIN};
    char byte;
    return poll(&input, 1, 0) == 0 || read(STDIN_FILENO, &byte, 1) > 0;
}

static void serve(int timeout) {
    struct epoll_event events[EVENTS];
    int ready = epoll_wait(epoll, events, EVENTS, timeout);
    for (int index = 0; index < ready; index++) handle(events[index].data.ptr);
}

int main(int argc, char **argv) {
    if (argc != 8) give_up("see the head of", "crowd.c");
    signal(SIGPIPE, SIG_IGN);
    allow_many_files();
    use_tls(0);
    for (int index = 0; index < 4; index++) ports[index] = atoi(argv[index + 1]);
    live = atoi(argv[5]);
    rate = atoi(argv[6]);
    villain_count = atoi(argv[7]);
    keepers = calloc(live + 1, sizeof *keepers);
    villains = calloc(villain_count + 1, sizeof *villains);
    if (keepers == NULL || villains == NULL) fail("calloc");
    villains_use(ports[0], ports[1], ports[2], ports[3]);
    epoll = new_epoll();
    setvbuf(stdout, NULL, _IOLBF, 0);
    while (opened < live && opened < OPENING) keep_one_more();
    while (logged_in < live) serve(-1);
    puts("ready");
    double last = now(), second = last, due = 0;
    for (int index = 0; index < villain_count; index++) {
        villains[index] = (struct villain){.fd = -1, .kind = index % 6, .next = last + rand() % 3000};
    }
    while (goes_on()) {
        serve(TICK);
        double time = now(), elapsed = time - last;
        last = time;
        for (due += rate * elapsed / 1000; due >= 1; due--) visit();
        if (live > 0) ask_some(elapsed);
        for (int index = 0; index < villain_count; index++) villain_moves(&villains[index], time);
        if (time - second < 1000) continue;
        second += 1000;
        report();
    }
    return 0;
}
