/* FXSAVE, XSAVE, the x87 environment and MXCSR in memory, against the host. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include <cpuid.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>

#include <narwhal/narwhal.h>
#include <narwhal/x86.h>

#include "../diff/rng.h"
#include "guest/x86/x87.h"

enum { CODE = 0x10000, DATA = 0x20000, STUB = 16, ROUNDS = 2000, AREA = 1024 };

/* The offsets are those that the reference below uses. */
struct test_case {
    uint8_t ymm[16][32];
    uint64_t rax, rdx;
    uint32_t mxcsr;
    uint32_t zeros;         /* 1: the upper halves of ymm0..15 are 0, 2: all of them is */
    struct x87_image image; /* at 536 */
    uint8_t rest[4];
    _Alignas(64) uint8_t area[AREA];
};

static const struct {
    const char *name;
    uint8_t code[6], size;
    bool x87_only;
} forms[] = {
    {"fldenv", {0xd9, 0x21}, 2, true},
    {"fldenv 16", {0x66, 0xd9, 0x21}, 3, true},
    {"fnstenv", {0xd9, 0x31}, 2, true},
    {"fnstenv 16", {0x66, 0xd9, 0x31}, 3, true},
    {"frstor", {0xdd, 0x21}, 2, true},
    {"frstor 16", {0x66, 0xdd, 0x21}, 3, true},
    {"fnsave", {0xdd, 0x31}, 2, true},
    {"fnsave 16", {0x66, 0xdd, 0x31}, 3, true},
    {"fxsave", {0x0f, 0xae, 0x01}, 3, false},
    {"fxsave64", {0x48, 0x0f, 0xae, 0x01}, 4, false},
    {"fxrstor", {0x0f, 0xae, 0x09}, 3, false},
    {"fxrstor64", {0x48, 0x0f, 0xae, 0x09}, 4, false},
    {"xsave", {0x0f, 0xae, 0x21}, 3, false},
    {"xsave64", {0x48, 0x0f, 0xae, 0x21}, 4, false},
    {"xsaveopt", {0x0f, 0xae, 0x31}, 3, false},
    {"xsaveopt64", {0x48, 0x0f, 0xae, 0x31}, 4, false},
    {"xsavec", {0x0f, 0xc7, 0x21}, 3, false},
    {"xsavec64", {0x48, 0x0f, 0xc7, 0x21}, 4, false},
    {"xrstor", {0x0f, 0xae, 0x29}, 3, false},
    {"xrstor64", {0x48, 0x0f, 0xae, 0x29}, 4, false},
    {"ldmxcsr", {0x0f, 0xae, 0x51, 0x18}, 4, false},
    {"stmxcsr", {0x0f, 0xae, 0x59, 0x18}, 4, false},
    {"vldmxcsr", {0xc5, 0xf8, 0xae, 0x51, 0x18}, 5, false},
    {"vstmxcsr", {0xc5, 0xf8, 0xae, 0x59, 0x18}, 5, false},
};
enum { FORMS = sizeof forms / sizeof *forms };

/* rdi = test case, rsi = code that finds the area at rcx */
void run_on_host(struct test_case *, const void *code);
__asm__(".pushsection .text\n"
        "run_on_host:\n"
        "  push %rbx\n"
        "  push %rdi\n"
        "  mov %rdi, %rbx\n"
        "  stmxcsr -4(%rsp)\n"
        "  mov -4(%rsp), %r8d\n"
        ".irp n, 0,1,2,3,4,5,6,7,8,9,10,11,12,13,14,15\n"
        "  vmovups 32*\\n(%rbx), %ymm\\n\n"
        ".endr\n"
        /* Zeros that were loaded may count as state in use all the same. */
        "  cmpl $1, 532(%rbx)\n"
        "  jb 2f\n"
        "  ja 1f\n"
        "  vzeroupper\n"
        "  jmp 2f\n"
        "1: vzeroall\n"
        "2:\n"
        "  ldmxcsr 528(%rbx)\n"
        "  frstor 536(%rbx)\n"
        "  mov 512(%rbx), %rax\n"
        "  mov 520(%rbx), %rdx\n"
        "  lea 704(%rbx), %rcx\n"
        "  call *%rsi\n"
        "  fnsave 536(%rbx)\n"
        "  stmxcsr 528(%rbx)\n"
        ".irp n, 0,1,2,3,4,5,6,7,8,9,10,11,12,13,14,15\n"
        "  vmovups %ymm\\n, 32*\\n(%rbx)\n"
        ".endr\n"
        "  mov %r8d, -4(%rsp)\n"
        "  ldmxcsr -4(%rsp)\n"
        "  vzeroupper\n"
        "  pop %rdi\n"
        "  pop %rbx\n"
        "  ret\n"
        ".popsection\n");
_Static_assert(offsetof(struct test_case, mxcsr) == 528 &&
                   offsetof(struct test_case, image) == 536 &&
                   offsetof(struct test_case, area) == 704,
               "as the code above has them");

struct machine {
    nw_engine *engine;
    nw_vcpu *vcpu;
};

static bool host_is_amd(void)
{
    unsigned a, b, c, d;
    return __get_cpuid(0, &a, &b, &c, &d) && b == 0x68747541; /* Auth */
}

static struct machine open_machine(uint32_t flags)
{
    struct machine m;
    nw_config config = {
        .arch = NW_ARCH_X86_64, .cpu = host_is_amd() ? NULL : "haswell", .flags = flags};
    assert_int_equal(nw_engine_open(&config, &m.engine), NW_OK);
    assert_int_equal(nw_mem_map(m.engine, CODE, 0x1000, NW_RWX), NW_OK);
    assert_int_equal(nw_mem_map(m.engine, DATA, 0x1000, NW_RW), NW_OK);
    assert_int_equal(nw_vcpu_create(m.engine, &m.vcpu), NW_OK);
    for (unsigned form = 0; form < FORMS; form++)
        assert_int_equal(nw_mem_write(m.engine, CODE + form * STUB, forms[form].code, 6), NW_OK);
    return m;
}

static nw_exit run_guest(struct machine *m, struct test_case *c, unsigned form)
{
    struct x86_state *s = x86_of(m->vcpu);
    uint64_t mxcsr;
    nw_exit exit;

    x87_set_control(s, c->image.cw);
    x87_from_image(s, &c->image);
    s->fpip = c->image.ip;
    s->fpcs = (uint16_t)c->image.cs;
    s->fpop = c->image.cs >> 16 & 0x7ff;
    s->fpdp = c->image.dp;
    s->fpds = (uint16_t)c->image.ds;
    memcpy(s->ymm, c->ymm, sizeof s->ymm);
    nw_reg_write(m->vcpu, NW_X86_MXCSR, c->mxcsr);
    s->gpr[X86_RAX] = c->rax;
    s->gpr[X86_RDX] = c->rdx;
    s->gpr[X86_RCX] = DATA;
    nw_reg_write(m->vcpu, NW_X86_RIP, CODE + form * STUB);
    assert_int_equal(nw_mem_write(m->engine, DATA, c->area, AREA), NW_OK);
    assert_int_equal(nw_vcpu_run(m->vcpu, 1, &exit), NW_OK);
    if (exit.reason == NW_EXIT_LIMIT)
        assert_int_equal(exit.pc, CODE + form * STUB + forms[form].size);
    assert_int_equal(nw_mem_read(m->engine, DATA, c->area, AREA), NW_OK);
    x87_to_image(s, &c->image);
    c->image.tw = x87_tag_word(s);
    c->image.ip = (uint32_t)s->fpip;
    c->image.cs = s->fpcs | (uint32_t)s->fpop << 16;
    c->image.dp = (uint32_t)s->fpdp;
    c->image.ds = s->fpds;
    memcpy(c->ymm, s->ymm, sizeof s->ymm);
    nw_reg_read(m->vcpu, NW_X86_MXCSR, &mxcsr);
    c->mxcsr = (uint32_t)mxcsr;
    return exit;
}

static void fill(struct rng *r, void *to, size_t size)
{
    uint8_t *bytes = to;
    while (size--)
        *bytes++ = (uint8_t)below(r, 256);
}

static void random_area(struct rng *r, uint8_t *area)
{
    static const uint64_t compacted = 1ull << 63;
    uint64_t used = below(r, 8), format = 0;
    uint32_t mxcsr = below(r, 3) ? below(r, 0x10000) : 0x1f80;

    fill(r, area, AREA);
    if (below(r, 2))
        memcpy(area + 24, &mxcsr, 4);
    else
        area[26] = area[27] = 0;
    memset(area + 512, 0, 64);
    if (below(r, 2))
        format = compacted | used | below(r, 8);
    memcpy(area + 512, &used, 8);
    memcpy(area + 520, &format, 8);
}

static void random_case(struct rng *r, struct test_case *c)
{
    memset(c, 0, sizeof *c);
    fill(r, &c->image, sizeof c->image);
    c->image.cs &= 0x7ffffff;
    c->image.sw &= ~(~c->image.cw & 0x3f); /* nothing pending */
    if (below(r, 2)) {
        c->image = (struct x87_image){.cw = 0x37f, .tw = 0xffff};
        if (!below(r, 4))
            c->image.ip = 1;
        if (!below(r, 4))
            c->image.st[below(r, 8)][below(r, 10)] = 1;
    }
    c->zeros = below(r, 3);
    if (c->zeros < 2)
        fill(r, c->ymm, sizeof c->ymm);
    for (unsigned n = 0; c->zeros && n < 16; n++)
        memset(c->ymm[n] + 16, 0, 16);
    c->mxcsr = below(r, 3) ? below(r, 0x10000) : 0x1f80;
    c->rax = below(r, 8);
    random_area(r, c->area);
}

/* Only what exists: the upper halves of the image's words are reserved. */
static void normalise(struct test_case *c)
{
    c->image.cw &= 0xffff;
    c->image.sw &= 0xffff;
    c->image.tw &= 0xffff;
    c->image.ds &= 0xffff;
}

static void print_difference(const struct test_case *a, const struct test_case *b)
{
    const uint8_t *x = (const uint8_t *)a, *y = (const uint8_t *)b;
    unsigned shown = 0;
    for (unsigned n = 0; n < sizeof *a && shown < 24; n++)
        if (x[n] != y[n]) {
            printf(" [%s%u]%02x/%02x",
                   n < 512   ? "ymm"
                   : n < 704 ? "image"
                             : "area",
                   n < 512   ? n
                   : n < 704 ? n - 536
                             : n - 704,
                   x[n], y[n]);
            shown++;
        }
    printf("\n");
}

/* The host forgets the x87 pointers when it is interrupted, so it may try again. */
static bool agrees(const struct test_case *before, struct test_case *guest, struct test_case *host,
                   const uint8_t *code)
{
    normalise(guest);
    for (unsigned try = 0; try < 5; try++) {
        *host = *before;
        run_on_host(host, code);
        /* MXCSR_MASK: the host may have bits that the model lacks. */
        if (memcmp(before->area + 28, guest->area + 28, 4) != 0)
            memcpy(host->area + 28, guest->area + 28, 4);
        normalise(host);
        if (memcmp(host, guest, sizeof *host) == 0)
            return true;
    }
    return false;
}

static unsigned compare_form(struct machine *m, struct rng *r, uint8_t *code, unsigned form)
{
    static struct test_case before, host, guest;
    unsigned bad = 0;
    memcpy(code, forms[form].code, 6);
    code[forms[form].size] = 0xc3;
    for (unsigned n = 0; n < ROUNDS && bad < 3; n++) {
        random_case(r, &before);
        guest = before;
        if (run_guest(m, &guest, form).reason != NW_EXIT_LIMIT)
            continue; /* see test_faults */
        if (agrees(&before, &guest, &host, code))
            continue;
        bad++;
        printf("%s rax %d format %02x %02x%02x zeros %u ip %x sw %x tw %x differs",
               forms[form].name, (int)before.rax, before.area[512], before.area[527],
               before.area[520], before.zeros, before.image.ip, before.image.sw, before.image.tw);
        print_difference(&host, &guest);
    }
    return bad;
}

/* What counts as state in use, and which pointers are stored, differs between vendors and is
 * modelled after AMD's processors. */
static void compare_all(uint32_t flags)
{
    if (!host_is_amd())
        skip();
    struct machine m = open_machine(flags);
    struct rng r = {0x9e3779b97f4a7c15};
    unsigned bad = 0;
    uint8_t *code =
        mmap(NULL, 4096, PROT_READ | PROT_WRITE | PROT_EXEC, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    assert_true(code != MAP_FAILED);
    for (unsigned form = 0; form < FORMS; form++)
        bad += compare_form(&m, &r, code, form);
    munmap(code, 4096);
    nw_engine_close(m.engine);
    assert_int_equal(bad, 0);
}

static void test_interpreter(void **state)
{
    (void)state;
    compare_all(NW_ENGINE_INTERP);
}

static void test_translator(void **state)
{
    (void)state;
    compare_all(0);
}

static unsigned form_of(const char *name)
{
    unsigned form = 0;
    while (strcmp(forms[form].name, name) != 0)
        form++;
    return form;
}

static void expect_gp(struct machine *m, struct test_case *c, const char *name)
{
    struct test_case after = *c;
    nw_exit exit = run_guest(m, &after, form_of(name));
    assert_int_equal(exit.reason, NW_EXIT_EXCEPTION);
    assert_int_equal(exit.code, 13);
    assert_int_equal(exit.error, 0);
    assert_memory_equal(after.ymm, c->ymm, sizeof c->ymm);
    assert_int_equal(after.mxcsr, c->mxcsr);
    assert_memory_equal(after.area, c->area, AREA);
}

static void put64(struct test_case *c, unsigned at, uint64_t v)
{
    memcpy(c->area + at, &v, 8);
}

static void test_faults(void **state)
{
    (void)state;
    static struct test_case good, c;
    struct machine m = open_machine(0);

    good.mxcsr = 0x1f80;
    good.rax = 7;
    good.image.cw = 0x37f;
    put64(&good, 512, 7);
    assert_int_equal(run_guest(&m, &good, form_of("xrstor")).reason, NW_EXIT_LIMIT);
    c = good;
    put64(&c, 24, 0x10000); /* reserved bits of MXCSR */
    expect_gp(&m, &c, "ldmxcsr");
    expect_gp(&m, &c, "fxrstor");
    expect_gp(&m, &c, "xrstor");
    c = good;
    put64(&c, 512, 8); /* a component that XCR0 lacks */
    expect_gp(&m, &c, "xrstor");
    c = good;
    put64(&c, 520, 1); /* reserved in the standard form */
    expect_gp(&m, &c, "xrstor");
    put64(&c, 520, 1ull << 63 | 3); /* XSTATE_BV has more than XCOMP_BV */
    expect_gp(&m, &c, "xrstor");
    c = good;
    put64(&c, 528, 1);
    expect_gp(&m, &c, "xrstor");
    nw_engine_close(m.engine);
}

/* Nothing is stored when a part of it cannot be. */
static void test_page_end(void **state)
{
    (void)state;
    static const uint8_t codes[][4] = {
        {0x0f, 0xae, 0x01}, {0x0f, 0xae, 0x21}, {0xdd, 0x31}, {0xd9, 0x31}, {0xdb, 0x39}};
    static const uint64_t places[] = {0x20ff0, 0x20fc0, 0x20fff, 0x20fe5, 0x20ff7};
    for (unsigned flags = 0; flags < 2; flags++) {
        struct machine m = open_machine(flags ? NW_ENGINE_INTERP : 0);
        struct x86_state *s = x86_of(m.vcpu);
        assert_int_equal(nw_mem_map(m.engine, DATA + 0x1000, 0x1000, NW_READ), NW_OK);
        for (unsigned n = 0; n < 5; n++) {
            uint8_t page[4096], zeros[4096] = {0};
            nw_exit exit;
            s->fptag = 0xff;
            s->fpcw = 0x37f;
            s->gpr[X86_RAX] = 7;
            s->gpr[X86_RCX] = places[n];
            assert_int_equal(nw_mem_write(m.engine, CODE + 0x800 + STUB * n, codes[n], 4), NW_OK);
            nw_reg_write(m.vcpu, NW_X86_RIP, CODE + 0x800 + STUB * n);
            assert_int_equal(nw_vcpu_run(m.vcpu, 1, &exit), NW_OK);
            assert_int_equal(exit.reason, NW_EXIT_FAULT);
            assert_int_equal(exit.addr & ~0xfffull, DATA + 0x1000);
            assert_int_equal(exit.access, NW_ACCESS_WRITE);
            assert_int_equal(s->fptag, 0xff);
            assert_int_equal(nw_mem_read(m.engine, DATA, page, 4096), NW_OK);
            assert_memory_equal(page, zeros, 4096);
        }
        nw_engine_close(m.engine);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_interpreter),
        cmocka_unit_test(test_translator),
        cmocka_unit_test(test_faults),
        cmocka_unit_test(test_page_end),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
