/* The mmap family and the heap. */
#define _GNU_SOURCE
#include <fcntl.h>
#include <stdint.h>
#include <stdlib.h>
#include <sys/auxv.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>
#include "check.h"

#define PAGE 4096

static char *anonymous(size_t size, int prot)
{
    return mmap(NULL, size, prot, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
}

static void mapping(void)
{
    char *p = anonymous(5 * PAGE, PROT_READ | PROT_WRITE);
    CHECK(p != MAP_FAILED && p[0] == 0 && p[5 * PAGE - 1] == 0);
    p[0] = 1;
    CHECK(munmap(p + PAGE, PAGE) == 0);
    CHECK_ERRNO(mprotect(p, 3 * PAGE, PROT_READ), ENOMEM);
    char *q =
        mmap(p + PAGE, PAGE, PROT_READ, MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED_NOREPLACE, -1, 0);
    CHECK(q == p + PAGE);
    CHECK_ERRNO(
        (long)mmap(p, PAGE, PROT_READ, MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED_NOREPLACE, -1, 0),
        EEXIST);
    q = mmap(p, PAGE, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED, -1, 0);
    CHECK(q == p && p[0] == 0);
    CHECK_ERRNO((long)mmap(NULL, 0, PROT_READ, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0), EINVAL);
    CHECK_ERRNO((long)mmap(NULL, PAGE, PROT_READ, MAP_ANONYMOUS, -1, 0), EINVAL);
    CHECK_ERRNO((long)mmap(NULL, PAGE, PROT_READ, MAP_PRIVATE, 99, 0), EBADF);
    CHECK_ERRNO(munmap(p + 1, PAGE), EINVAL);
    CHECK(munmap(p, 5 * PAGE) == 0);
    CHECK(munmap(p, 5 * PAGE) == 0);
}

static void moving(void)
{
    char *p = anonymous(2 * PAGE, PROT_READ | PROT_WRITE);
    strcpy(p + PAGE, "second");
    char *big = mremap(p, 2 * PAGE, 64 * PAGE, MREMAP_MAYMOVE);
    CHECK(big != MAP_FAILED && !strcmp(big + PAGE, "second") && big[63 * PAGE] == 0);
    CHECK(mremap(big, 64 * PAGE, 2 * PAGE, 0) == big);
    char *to = anonymous(4 * PAGE, PROT_READ | PROT_WRITE);
    CHECK(mremap(big, 2 * PAGE, 4 * PAGE, MREMAP_MAYMOVE | MREMAP_FIXED, to) == to);
    CHECK(!strcmp(to + PAGE, "second"));
    CHECK_ERRNO((long)mremap(big, PAGE, PAGE * 2, MREMAP_MAYMOVE), EFAULT);
    CHECK(madvise(to, 4 * PAGE, MADV_DONTNEED) == 0 && to[PAGE] == 0);
    unsigned char core[4];
    CHECK(mincore(to, 4 * PAGE, core) == 0);
    munmap(to, 4 * PAGE);
    CHECK_ERRNO(mincore(to, 4 * PAGE, core), ENOMEM);
}

static void files(void)
{
    char name[] = "/tmp/narwhal-memory-XXXXXX", buf[16];
    int fd = mkstemp(name);
    CHECK(fd >= 0 && ftruncate(fd, 3 * PAGE) == 0);
    unlink(name);
    CHECK(pwrite(fd, "hello", 5, PAGE) == 5);
    char *shared = mmap(NULL, 3 * PAGE, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
    char *private = mmap(NULL, 2 * PAGE, PROT_READ | PROT_WRITE, MAP_PRIVATE, fd, PAGE);
    CHECK(shared != MAP_FAILED && private != MAP_FAILED);
    CHECK(!memcmp(shared + PAGE, "hello", 5) && !memcmp(private, "hello", 5));
    private[0] = 'J';
    CHECK(shared[PAGE] == 'h');
    pid_t child = fork();
    if (!child) {
        shared[PAGE] = 'y';
        private[0] = 'X';
        _exit(0);
    }
    int status;
    CHECK(waitpid(child, &status, 0) == child && status == 0);
    CHECK(shared[PAGE] == 'y' && private[0] == 'J');
    CHECK(msync(shared, 3 * PAGE, MS_SYNC) == 0);
    CHECK(pread(fd, buf, 5, PAGE) == 5 && !memcmp(buf, "yello", 5));
    close(fd);
    munmap(shared, 3 * PAGE);
    munmap(private, 2 * PAGE);
}

static void heap(void)
{
    char *start = sbrk(0);
    CHECK(sbrk(3 * PAGE + 100) == start);
    memset(start, 5, 3 * PAGE + 100);
    CHECK(sbrk(-(3 * PAGE + 100)) == start + 3 * PAGE + 100 && sbrk(0) == start);
    CHECK(sbrk(2 * PAGE) == start && start[PAGE + 8] == 0);
    void *p[100];
    for (int i = 0; i < 100; i++)
        memset(p[i] = malloc(1000 * (size_t)(i + 1)), i, 1000 * (size_t)(i + 1));
    for (int i = 0; i < 100; i++) {
        CHECK(((unsigned char *)p[i])[1000 * (i + 1) - 1] == i);
        free(p[i]);
    }
}

/* Functions that return 1 and 2. */
#ifdef __arm__
static const uint32_t give[2][2] = {{0xe3a00001, 0xe12fff1e}, {0xe3a00002, 0xe12fff1e}};
#define PLATFORM "v"
#else /* mov eax, N; ret */
static const uint8_t give[2][8] = {{0xb8, 1, 0, 0, 0, 0xc3}, {0xb8, 2, 0, 0, 0, 0xc3}};
#ifdef __x86_64__
#define PLATFORM "x86_64"
#else
#define PLATFORM "i686"
#endif
#endif

/* Code written at run time, rewritten in place, and executed after mprotect. */
static void code(void)
{
    char *p = anonymous(PAGE, PROT_READ | PROT_WRITE | PROT_EXEC);
    int (*fn)(void) = (int (*)(void))(uintptr_t)p;
    for (int i = 0; i < 20; i++) {
        memcpy(p, give[i & 1], sizeof give[0]);
        __builtin___clear_cache(p, p + 8);
        CHECK(fn() == 1 + (i & 1));
    }
    int fds[2];
    CHECK(pipe(fds) == 0 && write(fds[1], give[0], 8) == 8 && read(fds[0], p, 8) == 8);
    __builtin___clear_cache(p, p + 8);
    CHECK(fn() == 1);
    munmap(p, PAGE);
}

static void start_up(void)
{
    CHECK(getauxval(AT_PAGESZ) == PAGE && getauxval(AT_CLKTCK) == 100 && !getauxval(AT_SECURE));
    CHECK(getauxval(AT_RANDOM) && getauxval(AT_PHNUM) && getauxval(AT_ENTRY));
    CHECK(!strncmp((const char *)getauxval(AT_PLATFORM), PLATFORM, sizeof PLATFORM - 1));
}

#ifdef __arm__
static void kernel_helpers(void)
{
    typedef int cmpxchg(int, int, volatile int *);
    volatile int value = 5;
    CHECK(*(int *)0xffff0ffc >= 5);
    CHECK(((cmpxchg *)0xffff0fc0)(5, 6, &value) == 0 && value == 6);
    CHECK(((cmpxchg *)0xffff0fc0)(5, 7, &value) != 0 && value == 6);
    typedef int cmpxchg64(const int64_t *, const int64_t *, volatile int64_t *);
    int64_t old = 0x1122334455667788, new = -2;
    volatile int64_t wide = old;
    CHECK(((cmpxchg64 *)0xffff0f60)(&old, &new, &wide) == 0 && wide == -2);
    CHECK(((cmpxchg64 *)0xffff0f60)(&old, &new, &wide) != 0);
    CHECK(((void *(*)(void))0xffff0fe0)() == __builtin_thread_pointer());
    ((void (*)(void))0xffff0fa0)();
}
#endif

#ifdef __arm__
/* Code written through one mapping and run through another, as JITs do: stale until flushed. */
static void code_by_two_mappings(void)
{
    int fd = memfd_create("code", 0);
    CHECK(fd >= 0 && ftruncate(fd, PAGE) == 0);
    char *w = mmap(NULL, PAGE, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
    void *x = mmap(NULL, PAGE, PROT_READ | PROT_EXEC, MAP_SHARED, fd, 0);
    CHECK(w != MAP_FAILED && x != MAP_FAILED);
    for (int i = 0; i < 20; i++) {
        memcpy(w, give[i & 1], sizeof give[0]);
        __builtin___clear_cache(x, (char *)x + sizeof give[0]);
        CHECK(((int (*)(void))x)() == 1 + (i & 1));
    }
    munmap(w, PAGE);
    munmap(x, PAGE);
    close(fd);
}
#endif

int main(void)
{
    setbuf(stdout, NULL);
    alarm(60);
    start_up();
#ifdef __arm__
    kernel_helpers();
#endif
    mapping();
    moving();
    files();
    heap();
    code();
#ifdef __arm__ /* x86 has no flush, and stores through another mapping are not seen */
    code_by_two_mappings();
#endif
    return CHECK_DONE();
}
