/* Loaded before libc into a process under test (LD_PRELOAD): below one folder the disk is full, or the process dies,
 * from a chosen moment on. Reads and all other folders are left alone.
 *
 *   SHIM_FOLDER   absolute path of the folder
 *   SHIM_BYTES    bytes that may still be written there (not set: any number)
 *   SHIM_CALLS    changes (writes, flushes, renames, new files and folders) that may still be made there
 *   SHIM_FLUSHES  flushes of SQLite's log that may still be made there: the next one fails after its records are written
 *   SHIM_DEADLY   set: the change that is too much is kill -9 instead of ENOSPC
 *   SHIM_REPORT   file that gets "bytes calls flushes struck" when the process leaves by itself
 *
 * A full disk stays full, a write that fits in part is short, and what frees space still works: as on a real one.
 * Memory maps are not seen; tests that need those mount a small tmpfs.
 */
#define _GNU_SOURCE
#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/types.h>
#include <sys/uio.h>
#include <unistd.h>

static const char *folder;
static size_t folder_length;
static long most_bytes = -1, most_calls = -1, most_flushes = -1;
static int deadly;
static atomic_long bytes, calls, flushes;
static atomic_int struck;

#define REAL(name) ((__typeof__(&name))dlsym(RTLD_NEXT, #name))

__attribute__((constructor)) static void set_up(void) {
    const char *given;
    if ((given = getenv("SHIM_BYTES"))) most_bytes = atol(given);
    if ((given = getenv("SHIM_CALLS"))) most_calls = atol(given);
    if ((given = getenv("SHIM_FLUSHES"))) most_flushes = atol(given);
    deadly = getenv("SHIM_DEADLY") != NULL;
    if ((folder = getenv("SHIM_FOLDER"))) folder_length = strlen(folder);
}

__attribute__((destructor)) static void report(void) {
    const char *path = getenv("SHIM_REPORT");
    FILE *out;
    /* The parse workers are loaded with this too, and change nothing. */
    if (path && calls && (out = fopen(path, "w"))) {
        fprintf(out, "%ld %ld %ld %d\n", (long)bytes, (long)calls, (long)flushes, (int)struck);
        fclose(out);
    }
}

static int below(const char *path) { return folder && path && strncmp(path, folder, folder_length) == 0; }

/* Whether the open file lies below the folder and its name ends so. */
static int is_called(int descriptor, const char *end) {
    char link[64], target[4096];
    snprintf(link, sizeof link, "/proc/self/fd/%d", descriptor);
    ssize_t length = readlink(link, target, sizeof target - 1), ending = strlen(end);
    if (length < ending) return 0;
    target[length] = 0;
    return below(target) && strcmp(target + length - ending, end) == 0;
}

static int is_below(int descriptor) { return is_called(descriptor, ""); }

static long strike(void) {
    struck = 1;
    if (deadly) kill(getpid(), SIGKILL);
    errno = ENOSPC;
    return -1;
}

/* How many of these bytes may be written; -1 if not even the change itself may be made. */
static long admit(long wanted) {
    long call = ++calls;
    long before = atomic_fetch_add(&bytes, wanted);
    if (most_calls >= 0 && call > most_calls) return strike();
    if (most_flushes >= 0 && flushes > most_flushes) return strike();
    if (most_bytes < 0 || before + wanted <= most_bytes) return wanted;
    return most_bytes > before ? most_bytes - before : strike();
}

#define WRITES(name, parameters, arguments, count)                          \
    ssize_t name parameters {                                               \
        long most = count;                                                  \
        if (is_below(descriptor) && (most = admit(count)) < 0) return -1;   \
        ssize_t done = REAL(name) arguments;                                \
        if (deadly && most < (long)count) strike();                         \
        return done;                                                        \
    }

WRITES(write, (int descriptor, const void *data, size_t size), (descriptor, data, most), size)
WRITES(pwrite, (int descriptor, const void *data, size_t size, off_t at), (descriptor, data, most, at), size)
WRITES(pwrite64, (int descriptor, const void *data, size_t size, off64_t at), (descriptor, data, most, at), size)

ssize_t writev(int descriptor, const struct iovec *parts, int count) {
    long wanted = 0;
    for (int i = 0; i < count; i++) wanted += parts[i].iov_len;
    if (is_below(descriptor) && admit(wanted) < wanted) return strike();
    return REAL(writev)(descriptor, parts, count);
}

#define GROWS(name, type)                                                              \
    int name(int descriptor, type size) {                                              \
        struct stat now;                                                               \
        if (is_below(descriptor) && fstat(descriptor, &now) == 0 && size > now.st_size \
            && admit(0) < 0) return -1;                                                \
        return REAL(name)(descriptor, size);                                           \
    }

GROWS(ftruncate, off_t)
GROWS(ftruncate64, off64_t)

int fallocate(int descriptor, int mode, off_t at, off_t size) {
    if (is_below(descriptor) && admit(size) < size) return strike();
    return REAL(fallocate)(descriptor, mode, at, size);
}

/* These two return the error instead of setting errno. */
int posix_fallocate(int descriptor, off_t at, off_t size) {
    if (is_below(descriptor) && admit(size) < size) return strike(), ENOSPC;
    return REAL(posix_fallocate)(descriptor, at, size);
}

int posix_fallocate64(int descriptor, off64_t at, off64_t size) {
    if (is_below(descriptor) && admit(size) < size) return strike(), ENOSPC;
    return REAL(posix_fallocate64)(descriptor, at, size);
}

#define FLUSHES(name)                                           \
    int name(int descriptor) {                                  \
        if (is_called(descriptor, "-wal")) flushes++;           \
        if (is_below(descriptor) && admit(0) < 0) return -1;    \
        return REAL(name)(descriptor);                          \
    }

FLUSHES(fsync)
FLUSHES(fdatasync)

int rename(const char *from, const char *to) {
    if (below(to) && admit(0) < 0) return -1;
    return REAL(rename)(from, to);
}

int mkdir(const char *path, mode_t mode) {
    if (below(path) && access(path, F_OK) != 0 && admit(0) < 0) return -1;
    return REAL(mkdir)(path, mode);
}

#define OPENS(name)                                                                                 \
    int name(const char *path, int flags, ...) {                                                    \
        va_list rest;                                                                               \
        va_start(rest, flags);                                                                      \
        mode_t mode = va_arg(rest, mode_t);                                                         \
        va_end(rest);                                                                               \
        if ((flags & O_CREAT) && below(path) && access(path, F_OK) != 0 && admit(0) < 0) return -1; \
        return REAL(name)(path, flags, mode);                                                       \
    }

OPENS(open)
OPENS(open64)

/* The same by descriptors of folders, which is how an index is written. */
static int lies_below(int at, const char *path) { return path[0] == '/' ? below(path) : is_below(at); }

static int exists(int at, const char *path) { return faccessat(at, path, F_OK, AT_SYMLINK_NOFOLLOW) == 0; }

int renameat(int from_at, const char *from, int to_at, const char *to) {
    if (lies_below(to_at, to) && admit(0) < 0) return -1;
    return REAL(renameat)(from_at, from, to_at, to);
}

int mkdirat(int at, const char *path, mode_t mode) {
    if (lies_below(at, path) && !exists(at, path) && admit(0) < 0) return -1;
    return REAL(mkdirat)(at, path, mode);
}

#define OPENS_AT(name)                                                                                   \
    int name(int at, const char *path, int flags, ...) {                                                 \
        va_list rest;                                                                                    \
        va_start(rest, flags);                                                                           \
        mode_t mode = va_arg(rest, mode_t);                                                              \
        va_end(rest);                                                                                    \
        if ((flags & O_CREAT) && lies_below(at, path) && !exists(at, path) && admit(0) < 0) return -1;   \
        return REAL(name)(at, path, flags, mode);                                                        \
    }

OPENS_AT(openat)
OPENS_AT(openat64)
