/* Mail clients: so many sessions at once through one port of a proxy, by one thread.
 *
 *   client PORT imap|pop3|smtp clear|tls|resumed sessions|exchanges|downloads|uploads COUNT
 *
 * Prints `ready` when the sessions are logged in (for `sessions`: at once). Every line of standard input is a
 * number of ms to be busy for; the answer is a line with the deeds done, the ms taken, the TLS sessions
 * resumed, and the tickets offered. Ends with its standard input. */
#define _GNU_SOURCE
#include "loopback.h"
#include "stream.h"
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <time.h>

enum { LINES = 2048, CHUNK = 1 << 18, TRANSFER = 1 << 24, EVENTS = 256, OPENING = 64 };
enum deed { SESSIONS, EXCHANGES, DOWNLOADS, UPLOADS };
enum state { CLOSED, CONNECTING, LOGIN, IDLE, EXCHANGE, DOWNLOAD, UPLOAD_GO, UPLOAD, UPLOAD_END, LOGOUT };

/* A line of the client, and the beginning of the line that completes the answer. */
struct step {
    const char *line, *answer;
};

struct script {
    const char *name;
    /* The greeting comes first, without a line; the last step has no answer. */
    struct step login[4];
    struct step exchange;
    const char *logout;
};

static const struct script scripts[] = {
    {"imap", {{NULL, "* OK"}, {"1 LOGIN alice secret\r\n", "1 OK"}}, {"2 NOOP\r\n", "2 OK"}, "3 LOGOUT\r\n"},
    {"pop3", {{NULL, "+OK"}, {"USER alice\r\n", "+OK"}, {"PASS secret\r\n", "+OK"}}, {"NOOP\r\n", "+OK"}, "QUIT\r\n"},
    {"smtp",
     {{NULL, "220 "}, {"EHLO client.example.test\r\n", "250 "}, {"AUTH PLAIN AGFsaWNlAHNlY3JldA==\r\n", "235 "}},
     {"NOOP\r\n", "250 "},
     "QUIT\r\n"},
};

struct session {
    struct stream stream;
    int step;
    enum state state;
    size_t received, left;
    char lines[LINES + 1];
};

static const struct script *script;
static enum deed deed;
static int epoll, port, uses_tls;
static char chunk[CHUNK];
static struct session *sessions;
static int count, opened, logged_in, busy;
static double started, deadline;
static unsigned long deeds, resumed, offered;

static double now(void) {
    struct timespec time;
    clock_gettime(CLOCK_MONOTONIC, &time);
    return time.tv_sec * 1e3 + time.tv_nsec / 1e6;
}

/* A line is far smaller than what a socket takes at once. */
static void say(struct session *session, const char *line) {
    ssize_t length = strlen(line);
    if (give(&session->stream, line, length) != length) give_up("the socket did not take", line);
}

static void open_session(struct session *session) {
    session->state = CONNECTING;
    session->step = 0;
    session->received = 0;
    open_stream(&session->stream, epoll, port, uses_tls, session);
}

/* Begins the next deed of a session that has none, until the time is over. */
static void begin_deed(struct session *session) {
    char line[32];
    if (now() >= deadline) {
        busy--;
        return;
    }
    switch (deed) {
    case SESSIONS:
        open_session(session);
        break;
    case EXCHANGES:
        session->state = EXCHANGE;
        say(session, script->exchange.line);
        break;
    case DOWNLOADS:
    case UPLOADS:
        session->state = deed == DOWNLOADS ? DOWNLOAD : UPLOAD_GO;
        session->left = TRANSFER;
        snprintf(line, sizeof line, "x %s %d\r\n", deed == DOWNLOADS ? "DOWN" : "UP", TRANSFER);
        say(session, line);
    }
}

static void deed_done(struct session *session) {
    deeds++;
    if (session->state != CLOSED) session->state = IDLE;
    begin_deed(session);
}

/* Opens the sessions that are to be kept, so many at once. */
static void login_done(struct session *session) {
    if (deed == SESSIONS) {
        session->state = LOGOUT;
        session->stream.is_leaving = 1;
        say(session, script->logout);
        return;
    }
    session->state = IDLE;
    logged_in++;
    if (opened < count) open_session(&sessions[opened++]);
    if (logged_in == count) puts("ready");
}

/* Null while a line counts for nothing: the earlier lines of an answer. */
static const char *awaited(const struct session *session) {
    switch (session->state) {
    case LOGIN:
        return script->login[session->step].answer;
    case EXCHANGE:
        return script->exchange.answer;
    case UPLOAD_GO:
        return "x GO";
    case UPLOAD_END:
        return "x OK";
    default:
        return NULL;
    }
}

static void take_line(void *owner, const char *line) {
    struct session *session = owner;
    const char *answer = awaited(session);
    if (answer == NULL) return;
    if (strncmp(line, answer, strlen(answer)) != 0) {
        if (line[0] != '*' && line[3] != '-') give_up("the proxy said", line);
        return;
    }
    if (session->state == EXCHANGE || session->state == UPLOAD_END) deed_done(session);
    else if (session->state == UPLOAD_GO) session->state = UPLOAD;
    else {
        const struct step *next = &script->login[++session->step];
        if (next->line == NULL) login_done(session);
        else say(session, next->line);
    }
}

static void upload(struct session *session) {
    while (session->left > 0) {
        ssize_t sent = give(&session->stream, chunk, session->left < CHUNK ? session->left : CHUNK);
        if (sent < 0) break;
        session->left -= sent;
    }
    wait_to_write(&session->stream, epoll, session, session->left > 0);
    if (session->left == 0) session->state = UPLOAD_END;
}

/* False when there is nothing more to read now. */
static int download(struct session *session) {
    static char into[CHUNK];
    ssize_t got = take(&session->stream, into, session->left < CHUNK ? session->left : CHUNK);
    if (got == 0) give_up("the proxy closed", "a download");
    if (got < 0) return 0;
    session->left -= got;
    if (session->left == 0) deed_done(session);
    return 1;
}

static int read_lines(struct session *session) {
    ssize_t got = take(&session->stream, session->lines + session->received, LINES - session->received);
    if (got < 0) return 0;
    if (got == 0) {
        if (session->state != LOGOUT) give_up("the proxy closed", "a session");
        close_stream(&session->stream);
        session->state = CLOSED;
        deed_done(session);
        return 0;
    }
    session->received = each_line(session->lines, session->received + got, take_line, session);
    return session->received < LINES;
}

/* False while TLS is not made. */
static int begin(struct session *session) {
    if (!uses_tls) {
        wait_to_write(&session->stream, epoll, session, 0);
        return 1;
    }
    enum handshake handshake = shake_hands(&session->stream, epoll, session);
    resumed += handshake == RESUMED;
    offered += handshake == RESUMED || handshake == REFUSED;
    return handshake != UNFINISHED;
}

/* TLS may hold bytes that epoll knows nothing of, so a session reads until there are none. */
static void handle(struct session *session) {
    if (session->state == CONNECTING) {
        if (!begin(session)) return;
        session->state = LOGIN;
    }
    if (session->state == UPLOAD) upload(session);
    while (session->state != CONNECTING && (session->state == DOWNLOAD ? download(session) : read_lines(session)));
    if (session->state == UPLOAD) upload(session);
}

static void serve_events(void) {
    struct epoll_event events[EVENTS];
    int ready = epoll_wait(epoll, events, EVENTS, -1);
    for (int index = 0; index < ready; index++) handle(events[index].data.ptr);
}

static void run(double ms) {
    deeds = resumed = offered = 0;
    started = now();
    deadline = started + ms;
    busy = count;
    for (int index = 0; index < count; index++) begin_deed(&sessions[index]);
    while (busy > 0) serve_events();
    printf("%lu %.3f %lu %lu\n", deeds, now() - started, resumed, offered);
}

int main(int argc, char **argv) {
    if (argc != 6) give_up("see the head of", "client.c");
    const char *const names[] = {"sessions", "exchanges", "downloads", "uploads"};
    signal(SIGPIPE, SIG_IGN);
    allow_many_files();
    port = atoi(argv[1]);
    for (size_t index = 0; index < 3; index++) if (strcmp(argv[2], scripts[index].name) == 0) script = &scripts[index];
    for (int index = 0; index < 4; index++) if (strcmp(argv[4], names[index]) == 0) deed = index;
    count = atoi(argv[5]);
    if (script == NULL || count < 1) give_up("see the head of", "client.c");
    uses_tls = strcmp(argv[3], "clear") != 0;
    if (uses_tls) use_tls(strcmp(argv[3], "resumed") == 0);
    sessions = calloc(count, sizeof *sessions);
    if (sessions == NULL) fail("calloc");
    memset(chunk, 'x', CHUNK);
    epoll = new_epoll();
    setvbuf(stdout, NULL, _IOLBF, 0);
    if (deed == SESSIONS) puts("ready");
    else {
        while (opened < count && opened < OPENING) open_session(&sessions[opened++]);
        while (logged_in < count) serve_events();
    }
    char line[64];
    while (fgets(line, sizeof line, stdin) != NULL) run(atof(line));
    return 0;
}
