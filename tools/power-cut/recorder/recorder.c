// SPDX-License-Identifier: Apache-2.0
//
// Preloaded into a program, records in order what it does to the files under one directory, what
// it forces to disk, and what it writes to standard output. It can also make the n-th of these
// operations fail. The replayer beside it knows the same format; see README.md.
//
//   POWER_CUT_ROOT       the directory to watch; an absolute path without links in it
//   POWER_CUT_RECORDING  the file to append to; nothing is recorded without it
//   POWER_CUT_FAULT      "N:lost", "N:kept" or "N:torn": the N-th operation answers EIO, without
//                        having been done, after it was done, or with half of a write done
//
// Each operation and its record are made under one lock that all recorded processes share, so the
// order in the recording is the order in which things happened.

#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <pthread.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/uio.h>
#include <unistd.h>

enum kind {
    KIND_BEGIN = 1,    // a program starts; inode of the root
    KIND_OPEN = 2,     // path, inode; flags say what came of it
    KIND_WRITE = 3,    // inode, offset, data
    KIND_TRUNCATE = 4, // inode, length in offset
    KIND_SYNC = 5,     // inode
    KIND_RENAME = 6,   // path, other path
    KIND_UNLINK = 7,   // path; also of an empty directory
    KIND_MKDIR = 8,    // path, inode
    KIND_OUTPUT = 9,   // data
    KIND_FOREIGN = 10, // path says what was done that the replayer cannot replay
};

enum flag {
    FLAG_CREATED = 1,
    FLAG_TRUNCATED = 2,
    FLAG_SYNCHRONOUS = 4, // opened with O_DSYNC or O_SYNC, or a write through such an opening
};

struct header {
    uint32_t magic;
    uint8_t kind;
    uint8_t flags;
    uint16_t path_length;
    uint32_t other_length;
    uint32_t process;
    uint64_t inode;
    int64_t offset;
    uint64_t data_length;
};

#define MAGIC 0x54554350u // "PCUT"
#define FILES_MAX 4096
#define RECORDING_FD 960

struct tracked {
    uint64_t device;
    uint64_t inode;
    int open_flags;
    int is_tracked;
};

static struct tracked files[FILES_MAX];
static pthread_mutex_t mutex = PTHREAD_MUTEX_INITIALIZER;
static char root[PATH_MAX];
static size_t root_length;
static int recording = -1;
static long fault_at;
static enum { OUTCOME_GOOD, OUTCOME_LOST, OUTCOME_KEPT, OUTCOME_TORN } fault_outcome;
static long operations;

__attribute__((constructor)) static void start(void);

// MARK: - The recording

static void lock(void) {
    start();
    pthread_mutex_lock(&mutex);
    if (recording >= 0) flock(recording, LOCK_EX);
}

static void unlock(void) {
    int saved = errno;
    if (recording >= 0) flock(recording, LOCK_UN);
    pthread_mutex_unlock(&mutex);
    errno = saved;
}

static void put(const void *bytes, size_t count) {
    const char *rest = bytes;
    while (count > 0) {
        ssize_t done = syscall(SYS_write, recording, rest, count);
        if (done <= 0) {
            static const char message[] = "power-cut recorder: the recording cannot be written\n";
            syscall(SYS_write, 2, message, sizeof message - 1);
            _exit(70);
        }
        rest += done;
        count -= (size_t)done;
    }
}

static void record(
    enum kind kind, int flags, const char *path, const char *other, uint64_t inode, int64_t offset,
    const void *data, size_t length) {
    if (recording < 0) return;
    int saved = errno;
    struct header header = {
        .magic = MAGIC, .kind = (uint8_t)kind, .flags = (uint8_t)flags,
        .path_length = (uint16_t)(path ? strlen(path) : 0),
        .other_length = (uint32_t)(other ? strlen(other) : 0),
        .process = (uint32_t)getpid(), .inode = inode, .offset = offset, .data_length = length};
    put(&header, sizeof header);
    put(path, header.path_length);
    put(other, header.other_length);
    put(data, length);
    errno = saved;
}

static void start(void) {
    static int is_started;
    if (is_started) return;
    is_started = 1;
    const char *directory = getenv("POWER_CUT_ROOT");
    if (!directory || strlen(directory) >= sizeof root) return;
    strcpy(root, directory);
    root_length = strlen(root);
    const char *fault = getenv("POWER_CUT_FAULT");
    if (fault) {
        char *end;
        fault_at = strtol(fault, &end, 10);
        fault_outcome = strcmp(end, ":kept") == 0 ? OUTCOME_KEPT
            : strcmp(end, ":torn") == 0           ? OUTCOME_TORN
                                                  : OUTCOME_LOST;
    }
    const char *path = getenv("POWER_CUT_RECORDING");
    if (!path) return;
    int fd = (int)syscall(
        SYS_openat, AT_FDCWD, path, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0600);
    if (fd < 0) _exit(70);
    recording = fcntl(fd, F_DUPFD_CLOEXEC, RECORDING_FD);
    syscall(SYS_close, fd);
    if (recording < 0) _exit(70);
    struct stat status;
    if (stat(root, &status) != 0) _exit(70);
    flock(recording, LOCK_EX);
    record(KIND_BEGIN, 0, root, NULL, status.st_ino, 0, NULL, 0);
    flock(recording, LOCK_UN);
}

// MARK: - What is watched

// Makes a path absolute; answers whether it lies under the root.
static int is_watched(int directory, const char *path, char *absolute) {
    start();
    if (root_length == 0 || !path) return 0;
    if (path[0] == '/') {
        if (strlen(path) >= PATH_MAX) return 0;
        strcpy(absolute, path);
    } else {
        char base[PATH_MAX];
        if (directory == AT_FDCWD) {
            if (!getcwd(base, sizeof base)) return 0;
        } else {
            char link[64];
            snprintf(link, sizeof link, "/proc/self/fd/%d", directory);
            ssize_t length = readlink(link, base, sizeof base - 1);
            if (length < 0) return 0;
            base[length] = 0;
        }
        if (strlen(base) + 1 + strlen(path) >= PATH_MAX) return 0;
        strcpy(absolute, base);
        strcat(absolute, "/");
        strcat(absolute, path);
    }
    size_t length = strlen(absolute);
    while (length > 1 && absolute[length - 1] == '/') absolute[--length] = 0;
    return strncmp(absolute, root, root_length) == 0
        && (absolute[root_length] == '/' || absolute[root_length] == 0);
}

// The watched file behind a descriptor. Descriptors that the C library closed by itself are
// noticed by what is behind them now.
static struct tracked *tracked(int fd) {
    if (fd < 0 || fd >= FILES_MAX || !files[fd].is_tracked) return NULL;
    int saved = errno;
    struct stat status;
    if (fstat(fd, &status) != 0 || status.st_ino != files[fd].inode
        || status.st_dev != files[fd].device) {
        files[fd].is_tracked = 0;
    }
    errno = saved;
    return files[fd].is_tracked ? &files[fd] : NULL;
}

static void track(int fd, int open_flags) {
    struct stat status;
    if (fd < 0 || fd >= FILES_MAX || fstat(fd, &status) != 0) return;
    files[fd] = (struct tracked){
        .device = status.st_dev, .inode = status.st_ino, .open_flags = open_flags, .is_tracked = 1};
}

// Whether and how this operation fails. What cannot be done by half is not done.
static int fault(int can_tear) {
    if (fault_at == 0 || ++operations != fault_at) return OUTCOME_GOOD;
    return fault_outcome == OUTCOME_TORN && !can_tear ? OUTCOME_LOST : (int)fault_outcome;
}

static long failed(void) {
    errno = EIO;
    return -1;
}

// MARK: - Opening and closing

static int opening(int directory, const char *path, int flags, mode_t mode) {
    char absolute[PATH_MAX];
    if (!is_watched(directory, path, absolute)) {
        return (int)syscall(SYS_openat, directory, path, flags, mode);
    }
    lock();
    struct stat status;
    int was_there = fstatat(directory, path, &status, 0) == 0;
    int changes = (flags & O_CREAT && !was_there) || (flags & O_TRUNC && was_there);
    int outcome = changes ? fault(0) : OUTCOME_GOOD;
    int fd = outcome == OUTCOME_LOST ? -1 : (int)syscall(SYS_openat, directory, path, flags, mode);
    if (fd >= 0) {
        track(fd, flags);
        int created = flags & O_CREAT && !was_there;
        int emptied = flags & O_TRUNC && was_there && status.st_size > 0;
        int is_synchronous = (flags & O_DSYNC) != 0;
        if (fd < FILES_MAX) {
            record(
                KIND_OPEN,
                (created ? FLAG_CREATED : 0) | (emptied ? FLAG_TRUNCATED : 0)
                    | (is_synchronous ? FLAG_SYNCHRONOUS : 0),
                absolute, NULL, files[fd].inode, 0, NULL, 0);
        }
    }
    if (outcome) {
        if (fd >= 0) syscall(SYS_close, fd);
        if (fd >= 0 && fd < FILES_MAX) files[fd].is_tracked = 0;
        fd = (int)failed();
    }
    unlock();
    return fd;
}

#define TAKE_MODE                                                                                  \
    mode_t mode = 0;                                                                               \
    if (flags & (O_CREAT | __O_TMPFILE)) {                                                         \
        va_list list;                                                                              \
        va_start(list, flags);                                                                     \
        mode = va_arg(list, mode_t);                                                               \
        va_end(list);                                                                              \
    }

int open(const char *path, int flags, ...) {
    TAKE_MODE
    return opening(AT_FDCWD, path, flags, mode);
}
int open64(const char *path, int flags, ...) {
    TAKE_MODE
    return opening(AT_FDCWD, path, flags | O_LARGEFILE, mode);
}
int openat(int directory, const char *path, int flags, ...) {
    TAKE_MODE
    return opening(directory, path, flags, mode);
}
int openat64(int directory, const char *path, int flags, ...) {
    TAKE_MODE
    return opening(directory, path, flags | O_LARGEFILE, mode);
}
int creat(const char *path, mode_t mode) {
    return opening(AT_FDCWD, path, O_CREAT | O_WRONLY | O_TRUNC, mode);
}
int __open_2(const char *path, int flags) { return opening(AT_FDCWD, path, flags, 0); }
int __open64_2(const char *path, int flags) { return opening(AT_FDCWD, path, flags, 0); }

int close(int fd) {
    if (fd >= 0 && fd < FILES_MAX) files[fd].is_tracked = 0;
    if (fd == recording && fd >= 0) return 0;
    return (int)syscall(SYS_close, fd);
}

static int duplicated(int old, int fd) {
    struct tracked *file = tracked(old);
    if (file && fd >= 0 && fd < FILES_MAX) files[fd] = *file;
    return fd;
}
int dup(int fd) { return duplicated(fd, (int)syscall(SYS_dup, fd)); }
int dup2(int fd, int other) {
    if (other >= 0 && other < FILES_MAX && other != fd) files[other].is_tracked = 0;
    return duplicated(fd, other == fd ? fd : (int)syscall(SYS_dup3, fd, other, 0));
}

// MARK: - Writing

static ssize_t writing(int fd, const struct iovec *parts, int count, off_t offset) {
    struct tracked *file = tracked(fd);
    int is_output = fd == 1 && !file;
    if (!file && !is_output) {
        return offset < 0 ? syscall(SYS_writev, fd, parts, count)
                          : syscall(SYS_pwritev, fd, parts, count, offset, 0L);
    }
    size_t length = 0;
    for (int i = 0; i < count; i++) length += parts[i].iov_len;
    char *data = malloc(length ? length : 1);
    if (!data) _exit(70);
    size_t filled = 0;
    for (int i = 0; i < count; i++) {
        memcpy(data + filled, parts[i].iov_base, parts[i].iov_len);
        filled += parts[i].iov_len;
    }
    lock();
    ssize_t done;
    if (is_output) {
        // What is printed counts from the moment it may be seen.
        record(KIND_OUTPUT, 0, NULL, NULL, 0, 0, data, length);
        done = syscall(SYS_write, fd, data, length);
    } else {
        int64_t at = offset;
        if (offset < 0) {
            at = lseek(fd, 0, file->open_flags & O_APPEND ? SEEK_END : SEEK_CUR);
        }
        int outcome = fault(1);
        if (outcome == OUTCOME_TORN) length /= 2;
        done = outcome == OUTCOME_LOST ? -1
            : offset < 0    ? syscall(SYS_write, fd, data, length)
                            : syscall(SYS_pwrite64, fd, data, length, offset);
        if (done > 0) {
            int is_synchronous = (file->open_flags & O_DSYNC) != 0;
            record(
                KIND_WRITE, is_synchronous ? FLAG_SYNCHRONOUS : 0, NULL, NULL, file->inode, at,
                data, (size_t)done);
        }
        if (outcome) done = failed();
    }
    unlock();
    int saved = errno;
    free(data);
    errno = saved;
    return done;
}

ssize_t write(int fd, const void *data, size_t length) {
    struct iovec part = {(void *)data, length};
    return writing(fd, &part, 1, -1);
}
ssize_t pwrite(int fd, const void *data, size_t length, off_t offset) {
    struct iovec part = {(void *)data, length};
    return writing(fd, &part, 1, offset);
}
ssize_t pwrite64(int fd, const void *data, size_t length, off_t offset) {
    return pwrite(fd, data, length, offset);
}
ssize_t writev(int fd, const struct iovec *parts, int count) {
    return writing(fd, parts, count, -1);
}
ssize_t pwritev(int fd, const struct iovec *parts, int count, off_t offset) {
    return writing(fd, parts, count, offset);
}
ssize_t pwritev64(int fd, const struct iovec *parts, int count, off_t offset) {
    return writing(fd, parts, count, offset);
}

int ftruncate(int fd, off_t length) {
    struct tracked *file = tracked(fd);
    if (!file) return (int)syscall(SYS_ftruncate, fd, length);
    lock();
    int outcome = fault(0);
    int result = outcome == OUTCOME_LOST ? 0 : (int)syscall(SYS_ftruncate, fd, length);
    if (outcome != OUTCOME_LOST && result == 0) {
        record(KIND_TRUNCATE, 0, NULL, NULL, file->inode, length, NULL, 0);
    }
    if (outcome) result = (int)failed();
    unlock();
    return result;
}
int ftruncate64(int fd, off_t length) { return ftruncate(fd, length); }

// MARK: - Forcing to disk

static int syncing(int fd, long call) {
    struct tracked *file = tracked(fd);
    if (!file) return (int)syscall(call, fd);
    lock();
    int outcome = fault(0);
    int result = outcome == OUTCOME_LOST ? 0 : (int)syscall(call, fd);
    if (outcome != OUTCOME_LOST && result == 0) {
        record(KIND_SYNC, 0, NULL, NULL, file->inode, 0, NULL, 0);
    }
    if (outcome) result = (int)failed();
    unlock();
    return result;
}
int fsync(int fd) { return syncing(fd, SYS_fsync); }
int fdatasync(int fd) { return syncing(fd, SYS_fdatasync); }

// MARK: - Names

static int naming(enum kind kind, const char *path, const char *other, mode_t mode) {
    char absolute[PATH_MAX], second[PATH_MAX] = "";
    int is_first = is_watched(AT_FDCWD, path, absolute);
    int is_second = other && is_watched(AT_FDCWD, other, second);
    int is_any = is_first || is_second;
    if (is_any) lock();
    int outcome = is_any ? fault(0) : OUTCOME_GOOD;
    int result = 0;
    if (outcome != OUTCOME_LOST) {
        switch (kind) {
        case KIND_RENAME: result = (int)syscall(SYS_rename, path, other); break;
        case KIND_MKDIR: result = (int)syscall(SYS_mkdir, path, mode); break;
        default: result = (int)syscall(mode ? SYS_rmdir : SYS_unlink, path); break;
        }
    }
    if (is_any && outcome != OUTCOME_LOST && result == 0) {
        struct stat status = {0};
        if (kind == KIND_MKDIR) stat(absolute, &status);
        if (kind == KIND_RENAME && !(is_first && is_second)) {
            record(KIND_FOREIGN, 0, "rename into or out of the root", NULL, 0, 0, NULL, 0);
        } else {
            record(kind, 0, absolute, other ? second : NULL, status.st_ino, 0, NULL, 0);
        }
    }
    if (outcome) result = (int)failed();
    if (is_any) unlock();
    return result;
}

int rename(const char *path, const char *other) { return naming(KIND_RENAME, path, other, 0); }
int mkdir(const char *path, mode_t mode) { return naming(KIND_MKDIR, path, NULL, mode); }
int unlink(const char *path) { return naming(KIND_UNLINK, path, NULL, 0); }
int rmdir(const char *path) { return naming(KIND_UNLINK, path, NULL, 1); }

// MARK: - What the replayer cannot replay

// Done as asked, but the recording says so, and the replayer refuses it.
static void foreign(const char *what) {
    lock();
    record(KIND_FOREIGN, 0, what, NULL, 0, 0, NULL, 0);
    unlock();
}

#define FOREIGN_ON_FILE(fd, what)                                                                  \
    if (tracked(fd)) foreign(what);

int fallocate(int fd, int mode, off_t offset, off_t length) {
    FOREIGN_ON_FILE(fd, "fallocate")
    return (int)syscall(SYS_fallocate, fd, mode, offset, length);
}
int fallocate64(int fd, int mode, off_t offset, off_t length) {
    return fallocate(fd, mode, offset, length);
}
int posix_fallocate(int fd, off_t offset, off_t length) {
    return fallocate(fd, 0, offset, length) == 0 ? 0 : errno;
}
ssize_t copy_file_range(
    int source, off_t *from, int target, off_t *to, size_t length, unsigned flags) {
    FOREIGN_ON_FILE(target, "copy_file_range")
    return syscall(SYS_copy_file_range, source, from, target, to, length, flags);
}
ssize_t sendfile(int target, int source, off_t *offset, size_t length) {
    FOREIGN_ON_FILE(target, "sendfile")
    return syscall(SYS_sendfile, target, source, offset, length);
}
int link(const char *path, const char *other) {
    char absolute[PATH_MAX];
    if (is_watched(AT_FDCWD, other, absolute)) foreign("link");
    return (int)syscall(SYS_link, path, other);
}
int symlink(const char *target, const char *path) {
    char absolute[PATH_MAX];
    if (is_watched(AT_FDCWD, path, absolute)) foreign("symlink");
    return (int)syscall(SYS_symlink, target, path);
}
int truncate(const char *path, off_t length) {
    char absolute[PATH_MAX];
    if (is_watched(AT_FDCWD, path, absolute)) foreign("truncate");
    return (int)syscall(SYS_truncate, path, length);
}
int renameat2(int from, const char *path, int to, const char *other, unsigned flags) {
    char absolute[PATH_MAX];
    if (is_watched(to, other, absolute)) foreign("renameat2");
    return (int)syscall(SYS_renameat2, from, path, to, other, flags);
}
int renameat(int from, const char *path, int to, const char *other) {
    return renameat2(from, path, to, other, 0);
}

// Pages that are mapped for writing reach the disk without a call that could be recorded. LMDB
// maps its lock file so, which means nothing after a power cut; a data file must not be.
void *mmap(void *address, size_t length, int protection, int flags, int fd, off_t offset) {
    if (protection & PROT_WRITE && flags & MAP_SHARED && fd >= 0 && tracked(fd)) {
        char link[64], path[PATH_MAX];
        snprintf(link, sizeof link, "/proc/self/fd/%d", fd);
        ssize_t size = readlink(link, path, sizeof path - 1);
        path[size > 0 ? size : 0] = 0;
        const char *name = strrchr(path, '/');
        if (!name || strcmp(name, "/lock.mdb") != 0) foreign("mmap for writing");
    }
    return (void *)syscall(SYS_mmap, address, length, protection, flags, fd, offset);
}
void *mmap64(void *address, size_t length, int protection, int flags, int fd, off_t offset) {
    return mmap(address, length, protection, flags, fd, offset);
}
