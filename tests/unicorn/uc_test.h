/*
 * What the tests of the Unicorn interface share. They include <unicorn/unicorn.h> only, so that
 * they build with Unicorn's headers too and run on its library: what they expect was true there
 * first.
 */
#ifndef UC_TEST_H
#define UC_TEST_H

#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>
#include <unicorn/unicorn.h>

#define CODE    0x1000 /* where code is put and starts */
#define DATA    0x2000 /* zeroes in the same 64 KiB of memory */
#define STACK   0x8000
#define UCT_PSP 0x7000
#define NOWHERE 0x900000 /* nothing is mapped there */

/* An engine with memory, code and a log of what its hooks were told. */
struct uct {
    uc_engine *uc;
    uc_arch arch;
    int mode;
    uint64_t begin, end; /* of the code, begin with the Thumb bit */
    char log[8192];
    size_t used;
    unsigned events, limit; /* the engine is stopped at so many events */
    bool with_pc;
};

#define BYTES(s) (const uint8_t *)(s), sizeof(s) - 1

/* x86 of 16, 32 or 64 bits; ARM with mode bits. 64 KiB at CODE, everything allowed, stack pointer
 * at STACK. */
void uct_x86(struct uct *t, int bits, const uint8_t *code, size_t n);
void uct_arm(struct uct *t, int mode, const uint8_t *code, size_t n);
/* A CPU of M profile, one of UC_CPU_ARM_CORTEX_M*, whose process stack pointer is UCT_PSP. It is
 * stopped at the first event. */
void uct_arm_m(struct uct *t, int model, const uint8_t *code, size_t n);
void uct_code(struct uct *t, uint64_t at, const uint8_t *code, size_t n);
void uct_close(struct uct *t);
/* An engine alone, without memory. */
uc_engine *uct_open(uc_arch arch, int mode);
/* A new context with what is saved now. */
uc_context *uct_saved(struct uct *t);

/* Runs the code from its begin to its end. */
uc_err uct_run(struct uct *t);

uint64_t uct_get(struct uct *t, int reg);
void uct_set(struct uct *t, int reg, uint64_t v);
uint64_t uct_pc(struct uct *t);
uint64_t uct_mem(struct uct *t, uint64_t at, unsigned size);
void uct_poke(struct uct *t, uint64_t at, uint64_t v, unsigned size);

/*
 * Adds hooks that write the log; kinds: c code, b block, r read, w write, a read-after, i
 * interrupt, u undefined instruction that is continued, U that is not, f faults continued, F faults
 * not continued; p adds the pc to each entry. The entries, in hex but for sizes, are c1000:4
 * b1000:16  r2000:8  w2000:4=55  a2000:2=1122  i80  u and for faults ru, wu, fu (unmapped), rp, wp,
 * fp (protected), with =value for writes. An entry gets
 * @pc where code or block hooks find another pc than they are told.
 */
void uct_log(struct uct *t, const char *kinds);
void uct_add(struct uct *t, const char *fmt, ...) __attribute__((format(printf, 2, 3)));
#define uct_expect(t, text)                                                                        \
    do {                                                                                           \
        assert_string_equal((t)->log, text);                                                       \
        uct_forget(t);                                                                             \
    } while (0)
void uct_forget(struct uct *t);

uc_hook uct_hook(struct uct *t, int type, void *callback);
uc_hook uct_hook_in(struct uct *t, int type, void *callback, uint64_t begin, uint64_t end);
uc_hook uct_hook_insn(struct uct *t, int insn, void *callback);

/* Is this our library? Which functions has it? */
bool uct_ours(void);
bool uct_at_least(unsigned major, unsigned minor);
void *uct_function(const char *name);

#define ok(call)           assert_int_equal(call, UC_ERR_OK)
#define fails(call, error) assert_int_equal(call, error)

/*
 * Guards what Unicorn's own library does otherwise: `if (DIFFERS("id", "reason")) assert...`. There
 * the id is printed and nothing asserted. doc/unicorn.md has a line for each id.
 */
bool uct_differs(const char *id);
#define DIFFERS(id, reason) uct_differs(id)

/*
 * What our library does not do, or not yet: UNMET ends a test there, `if (MET(...))` guards a part
 * of one. Both run on Unicorn's library, and on ours where UCT_UNMET is set, to see them fail.
 * doc/unicorn.md lists each of them.
 */
bool uct_unmet(const char *what);
#define MET(what) (!uct_unmet(what))
#define UNMET(what)                                                                                \
    do {                                                                                           \
        if (uct_unmet(what))                                                                       \
            skip();                                                                                \
    } while (0)

/* Guards what Unicorn 2.0 has not, or does otherwise. */
#define SINCE_2_1 uct_at_least(2, 1)
#define NEEDS_2_1()                                                                                \
    do {                                                                                           \
        if (!SINCE_2_1)                                                                            \
            skip();                                                                                \
    } while (0)

/* The functions that 2.0 has not. */
typedef uc_err (*uct_read2)(uc_engine *, int, void *, size_t *);
typedef uc_err (*uct_write2)(uc_engine *, int, const void *, size_t *);
typedef uc_err (*uct_read_batch2)(uc_engine *, int const *, void *const *, size_t *, int);
typedef uc_err (*uct_write_batch2)(uc_engine *, int const *, const void *const *, size_t *, int);
typedef uc_err (*uct_context_read2)(uc_context *, int, void *, size_t *);
typedef uc_err (*uct_context_write2)(uc_context *, int, const void *, size_t *);
typedef uc_err (*uct_vmem_read)(uc_engine *, uint64_t, uc_prot, void *, size_t);
typedef uc_err (*uct_vmem_translate)(uc_engine *, uint64_t, uc_prot, uint64_t *);

#endif
