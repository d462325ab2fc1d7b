/* The registers of x86: state at first, parts, segments, system registers, vectors, floating point.
 */
#include "uc_test.h"

static const struct {
    int id;
    uint64_t v;
} first64[] = {
    {UC_X86_REG_RAX, 0},        {UC_X86_REG_R15, 0},     {UC_X86_REG_RIP, 0},
    {UC_X86_REG_CR0, 0x11},     {UC_X86_REG_CR2, 0},     {UC_X86_REG_CR3, 0},
    {UC_X86_REG_CR4, 0x50200},  {UC_X86_REG_CR8, 0},     {UC_X86_REG_DR6, 0xffff0ff0},
    {UC_X86_REG_DR7, 0x400},    {UC_X86_REG_RFLAGS, 2},  {UC_X86_REG_CS, 0},
    {UC_X86_REG_SS, 0},         {UC_X86_REG_FS_BASE, 0}, {UC_X86_REG_GS_BASE, 0},
    {UC_X86_REG_FPCW, 0},       {UC_X86_REG_FPSW, 0},    {UC_X86_REG_MXCSR, 0},
    {UC_X86_REG_FPTAG, 0x5555}, {UC_X86_REG_XMM0, 0},
};

static void test_first(void **state)
{
    static const int modes[] = {UC_MODE_16, UC_MODE_32};
    uc_engine *uc;

    (void)state;
    ok(uc_open(UC_ARCH_X86, UC_MODE_64, &uc));
    for (size_t i = 0; i < sizeof first64 / sizeof first64[0]; i++) {
        uint64_t v[8] = {0};
        if (first64[i].id == UC_X86_REG_CR4 && !SINCE_2_1)
            continue;
        ok(uc_reg_read(uc, first64[i].id, v));
        assert_int_equal(v[0], first64[i].v);
    }
    ok(uc_close(uc));
    for (int i = 0; i < 2; i++) {
        uint64_t cr0 = 0, flags = 0, cs = 9, sp = 9;

        ok(uc_open(UC_ARCH_X86, (uc_mode)modes[i], &uc));
        ok(uc_reg_read(uc, UC_X86_REG_CR0, &cr0));
        ok(uc_reg_read(uc, UC_X86_REG_EFLAGS, &flags));
        ok(uc_reg_read(uc, UC_X86_REG_CS, &cs));
        ok(uc_reg_read(uc, UC_X86_REG_ESP, &sp));
        assert_int_equal(cr0, modes[i] == UC_MODE_16 ? 0 : 0x11);
        assert_int_equal(flags, 2);
        assert_int_equal(cs, 0);
        assert_int_equal(sp, 0);
        ok(uc_close(uc));
    }
}

static void test_parts(void **state)
{
    static const struct {
        int id;
        uint64_t v, rax;
    } rows[] = {
        {UC_X86_REG_RAX, 0x1122334455667788, 0x1122334455667788},
        {UC_X86_REG_AL, 0x99, 0x1122334455667799},
        {UC_X86_REG_AH, 0xaa, 0x112233445566aa99},
        {UC_X86_REG_AX, 0xbbcc, 0x112233445566bbcc},
    };
    struct uct t;

    (void)state;
    uct_x86(&t, 64, BYTES("\x90") /* nop */);
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        uct_set(&t, rows[i].id, rows[i].v);
        assert_int_equal(uct_get(&t, UC_X86_REG_RAX), rows[i].rax);
        assert_int_equal(uct_get(&t, rows[i].id), rows[i].v);
    }
    assert_int_equal(uct_get(&t, UC_X86_REG_EAX), 0x5566bbcc);
    /* Not as the CPU would: the upper half stays. */
    uct_set(&t, UC_X86_REG_EAX, 0x12345678);
    assert_int_equal(uct_get(&t, UC_X86_REG_RAX), 0x1122334412345678);
    uct_set(&t, UC_X86_REG_R9, 0x8877665544332211);
    assert_int_equal(uct_get(&t, UC_X86_REG_R9B), 0x11);
    assert_int_equal(uct_get(&t, UC_X86_REG_R9W), 0x2211);
    assert_int_equal(uct_get(&t, UC_X86_REG_R9D), 0x44332211);
    uct_set(&t, UC_X86_REG_R9B, 0xee);
    uct_set(&t, UC_X86_REG_SPL, 0x55);
    assert_int_equal(uct_get(&t, UC_X86_REG_R9), 0x88776655443322ee);
    assert_int_equal(uct_get(&t, UC_X86_REG_RSP), 0x8055);
    uct_set(&t, UC_X86_REG_BH, 7);
    uct_set(&t, UC_X86_REG_CH, 8);
    uct_set(&t, UC_X86_REG_DH, 9);
    assert_int_equal(uct_get(&t, UC_X86_REG_RBX), 0x700);
    assert_int_equal(uct_get(&t, UC_X86_REG_RCX), 0x800);
    assert_int_equal(uct_get(&t, UC_X86_REG_RDX), 0x900);
    uct_close(&t);
}

static void test_instruction_pointer(void **state)
{
    struct uct t;

    (void)state;
    uct_x86(&t, 64, BYTES("\x90") /* nop */);
    uct_set(&t, UC_X86_REG_RIP, 0x123456789a);
    assert_int_equal(uct_get(&t, UC_X86_REG_RIP), 0x123456789a);
    assert_int_equal(uct_get(&t, UC_X86_REG_EIP), 0x3456789a);
    assert_int_equal(uct_get(&t, UC_X86_REG_IP), 0x789a);
    uct_set(&t, UC_X86_REG_EIP, 0x1000);
    assert_int_equal(uct_get(&t, UC_X86_REG_RIP), 0x1000);
    uct_close(&t);
}

static void test_flags(void **state)
{
    struct uct t;

    (void)state;
    uct_x86(&t, 64, BYTES("\x9c\x58\xf9\x9c\x5b") /* pushfq; pop rax; stc; pushfq; pop rbx */);
    uct_set(&t, UC_X86_REG_EFLAGS, 0x8d5); /* O, S, Z, A, P, C */
    assert_int_equal(uct_get(&t, UC_X86_REG_EFLAGS), 0x8d7);
    assert_int_equal(uct_get(&t, UC_X86_REG_RFLAGS), 0x8d7);
    ok(uct_run(&t));
    assert_int_equal(uct_get(&t, UC_X86_REG_RAX), 0x8d7);
    uct_set(&t, UC_X86_REG_RFLAGS, 0x400);
    assert_int_equal(uct_get(&t, UC_X86_REG_RFLAGS), 0x402);
    ok(uct_run(&t));
    assert_int_equal(uct_get(&t, UC_X86_REG_RBX), 0x403);
    uct_set(&t, UC_X86_REG_EFLAGS, 0);
    assert_int_equal(uct_get(&t, UC_X86_REG_EFLAGS), 2);
    uct_close(&t);
}

/* Ids of the 64-bit mode say nothing in the others. */
static void test_narrow_modes(void **state)
{
    static const int absent[] = {UC_X86_REG_RAX, UC_X86_REG_RIP,   UC_X86_REG_R8,  UC_X86_REG_R8D,
                                 UC_X86_REG_SIL, UC_X86_REG_XMM8,  UC_X86_REG_CR8, UC_X86_REG_YMM9,
                                 UC_X86_REG_RSP, UC_X86_REG_RFLAGS};
    struct uct t;

    (void)state;
    for (int bits = 16; bits <= 32; bits += 16) {
        uct_x86(&t, bits, BYTES("\x90") /* nop */);
        for (size_t i = 0; i < sizeof absent / sizeof absent[0]; i++) {
            uint64_t v[8] = {0xa5a5a5a5a5a5a5a5};
            ok(uc_reg_write(t.uc, absent[i], v));
            ok(uc_reg_read(t.uc, absent[i], v));
            if (SINCE_2_1)
                assert_int_equal(v[0], 0xa5a5a5a5a5a5a5a5);
        }
        uct_set(&t, UC_X86_REG_EAX, 0x1122334455667788);
        assert_int_equal(uct_get(&t, UC_X86_REG_EAX), 0x55667788);
        uct_set(&t, UC_X86_REG_XMM7, 3);
        assert_int_equal(uct_get(&t, UC_X86_REG_XMM7), 3);
        uct_set(&t, UC_X86_REG_CR3, 0x5000);
        assert_int_equal(uct_get(&t, UC_X86_REG_CR3), 0x5000);
        uct_close(&t);
    }
}

static void test_system(void **state)
{
    static const struct {
        int id;
        uint64_t v;
    } rows[] = {
        {UC_X86_REG_CR2, 0x1122334455667788},
        {UC_X86_REG_CR3, 0x12345000},
        {UC_X86_REG_CR4, 0x6b0},
        {UC_X86_REG_DR0, 0x1122334455667788},
        {UC_X86_REG_DR3, 0x42},
        {UC_X86_REG_CR8, 5},
        {UC_X86_REG_FS_BASE, 0xffff800000001000},
        {UC_X86_REG_GS_BASE, 0x7fff12345678},
        {UC_X86_REG_MXCSR, 0x1f80},
        {UC_X86_REG_FPCW, 0x37f},
        {UC_X86_REG_FIP, 0x1234567890},
        {UC_X86_REG_FDP, 0x55},
        {UC_X86_REG_FCS, 0x33},
        {UC_X86_REG_FOP, 0x7ff},
    };
    struct uct t;

    (void)state;
    uct_x86(&t, 64, BYTES("\x90") /* nop */);
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        if (rows[i].id == UC_X86_REG_CR8 && !SINCE_2_1)
            continue;
        uct_set(&t, rows[i].id, rows[i].v);
        assert_int_equal(uct_get(&t, rows[i].id), rows[i].v);
    }
    uct_close(&t);
}

static void test_segments_real_mode(void **state)
{
    struct uct t;

    (void)state;
    uct_x86(&t, 16,
            BYTES("\xa1\x10\x00\x26\xa3\x20\x00") /* mov ax,[0x10]; .byte 0x26; mov [0x20],ax */);
    for (int i = 0; i < 2; i++)
        uct_set(&t, i ? UC_X86_REG_DS : UC_X86_REG_ES, i ? 0x200 : 0x300);
    assert_int_equal(uct_get(&t, UC_X86_REG_DS), 0x200);
    uct_poke(&t, 0x2010, 0x1234, 2);
    ok(uct_run(&t));
    assert_int_equal(uct_get(&t, UC_X86_REG_AX), 0x1234);
    assert_int_equal(uct_mem(&t, 0x3020, 2), 0x1234);
    uct_close(&t);
}

/* begin and until are linear; IP is relative to CS. */
static void test_code_segment_real_mode(void **state)
{
    struct uct t;

    (void)state;
    uct_x86(&t, 16, BYTES("\x90\x90") /* nop; nop */);
    uct_set(&t, UC_X86_REG_CS, 0x80);
    ok(uct_run(&t));
    assert_int_equal(uct_get(&t, UC_X86_REG_IP), CODE + 2 - 0x800);
    uct_close(&t);
}

static void test_segments_64(void **state)
{
    uint64_t v = 0x33;
    struct uct t;

    (void)state;
    uct_x86(&t,
            64, BYTES("\x64\x48\x8b\x04\x25\x10\x00\x00\x00\x65\x48\x8b\x0c\x25\x18\x00\x00\x00") /* .byte 0x64; mov rax,[0x10]; .byte 0x65; mov rcx,[0x18] */);
    uct_set(&t, UC_X86_REG_CS, 0x33);
    uct_set(&t, UC_X86_REG_DS, 0x2b);
    uct_set(&t, UC_X86_REG_SS, 0x2b);
    assert_int_equal(uct_get(&t, UC_X86_REG_CS), 0x33);
    assert_int_equal(uct_get(&t, UC_X86_REG_SS), 0x2b);
    uct_set(&t, UC_X86_REG_FS_BASE, 0x2000);
    uct_set(&t, UC_X86_REG_GS_BASE, 0x3000);
    uct_poke(&t, 0x2010, 0x1111, 8);
    uct_poke(&t, 0x3018, 0x2222, 8);
    ok(uct_run(&t));
    assert_int_equal(uct_get(&t, UC_X86_REG_RAX), 0x1111);
    assert_int_equal(uct_get(&t, UC_X86_REG_RCX), 0x2222);
    /* FS and GS are looked up in the GDT. */
    fails(uc_reg_write(t.uc, UC_X86_REG_FS, &v), UC_ERR_EXCEPTION);
    v = 0;
    ok(uc_reg_write(t.uc, UC_X86_REG_FS, &v));
    uct_close(&t);
}

static void descriptor(struct uct *t, uint64_t at, uint32_t base, uint32_t limit, unsigned access)
{
    uint8_t d[8] = {(uint8_t)limit,
                    (uint8_t)(limit >> 8),
                    (uint8_t)base,
                    (uint8_t)(base >> 8),
                    (uint8_t)(base >> 16),
                    (uint8_t)access,
                    (uint8_t)(0xc0 | (limit >> 16 & 15)),
                    (uint8_t)(base >> 24)};

    ok(uc_mem_write(t->uc, at, d, sizeof d));
}

static void test_segments_32(void **state)
{
    uc_x86_mmr gdtr = {.base = 0x3000, .limit = 0x27};
    uint64_t v = 0x18;
    struct uct t;

    (void)state;
    uct_x86(&t, 32, BYTES("\x65\xa1\x04\x00\x00\x00") /* .byte 0x65; mov eax,[4] */);
    fails(uc_reg_write(t.uc, UC_X86_REG_GS, &v), UC_ERR_EXCEPTION);
    descriptor(&t, 0x3008, 0, 0xfffff, 0x9b);
    descriptor(&t, 0x3010, 0, 0xfffff, 0x93);
    descriptor(&t, 0x3018, 0x5000, 0xfffff, 0x93);
    ok(uc_reg_write(t.uc, UC_X86_REG_GDTR, &gdtr));
    uct_set(&t, UC_X86_REG_GS, 0x18);
    assert_int_equal(uct_get(&t, UC_X86_REG_GS), 0x18);
    uct_poke(&t, 0x5004, 0x12345678, 4);
    ok(uct_run(&t));
    assert_int_equal(uct_get(&t, UC_X86_REG_EAX), 0x12345678);
    uct_set(&t, UC_X86_REG_DS, 0x10);
    uct_set(&t, UC_X86_REG_SS, 0x10);
    uct_set(&t, UC_X86_REG_CS, 0x08);
    assert_int_equal(uct_get(&t, UC_X86_REG_CS), 0x08);
    ok(uct_run(&t));
    v = 0x100; /* beyond the limit */
    fails(uc_reg_write(t.uc, UC_X86_REG_DS, &v), UC_ERR_EXCEPTION);
    assert_int_equal(uct_get(&t, UC_X86_REG_DS), 0x10);
    if (DIFFERS("reg-base32", "FS_BASE cannot be written, GS_BASE neither written nor read")) {
        uct_set(&t, UC_X86_REG_FS_BASE, 0x6000);
        assert_int_equal(uct_get(&t, UC_X86_REG_FS_BASE), 0x6000);
        assert_int_equal(uct_get(&t, UC_X86_REG_GS_BASE), 0x5000);
    }
    uct_close(&t);
}

static void test_tables(void **state)
{
    struct uct t;

    (void)state;
    uct_x86(&t, 64, BYTES("\x0f\x01\x0c\x25\x00\x20\x00\x00\x0f\x01\x04\x25\x10\x20\x00\x00") /* sidt [0x2000]; sgdt [0x2010] */);
    for (int id = UC_X86_REG_IDTR; id <= UC_X86_REG_TR; id++) {
        bool system = id == UC_X86_REG_LDTR || id == UC_X86_REG_TR;
        uc_x86_mmr w = {0x28, 0x123456780000 + (unsigned)id, 0xfff, 0x8b00}, r = {1, 1, 1, 1};

        ok(uc_reg_write(t.uc, id, &w));
        ok(uc_reg_read(t.uc, id, &r));
        assert_int_equal(r.base, w.base);
        assert_int_equal(r.limit, w.limit);
        if (system)
            assert_int_equal(r.selector, w.selector);
        if (system)
            assert_int_equal(r.flags, w.flags);
    }
    ok(uct_run(&t));
    assert_int_equal(uct_mem(&t, 0x2000, 2), 0xfff);
    assert_int_equal(uct_mem(&t, 0x2002, 8), 0x123456780000 + UC_X86_REG_IDTR);
    assert_int_equal(uct_mem(&t, 0x2012, 8), 0x123456780000 + UC_X86_REG_GDTR);
    uct_close(&t);
}

static void test_msr(void **state)
{
    static const struct {
        uint32_t id;
        uint64_t w, r;
    } rows[] = {
        {0xc0000080, 0x1122334455667788, 0x500}, /* EFER: nothing that may be changed */
        {0xc0000081, 0x1122334455667788, 0x1122334455667788},
        {0xc0000082, 0x1122334455667788, 0x1122334455667788},
        {0xc0000100, 0x1122334455667788, 0x1122334455667788},
        {0xc0000101, 0x1122334455667788, 0x1122334455667788},
        {0xc0000102, 0x1122334455667788, 0x1122334455667788},
        {0xc0000103, 0x11223344, 0x11223344},
        {0x174, 0x7788, 0x7788},
        {0x175, 0x1122334455667788, 0x1122334455667788},
        {0x176, 0x1122334455667788, 0x1122334455667788},
        {0x12345, 7, 0}, /* unknown: ignored */
    };
    struct uct t;

    (void)state;
    uct_x86(
        &t, 64,
        BYTES(
            "\xb9\x00\x01\x00\xc0\x0f\x32\xb9\x01\x01\x00\xc0\xb8\x05\x00\x00\x00\x31\xd2\x0f\x30") /* mov ecx,0xc0000100; rdmsr; mov ecx,0xc0000101; mov eax,5; xor edx,edx; wrmsr */);
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        uc_x86_msr m = {rows[i].id, rows[i].w};

        ok(uc_reg_write(t.uc, UC_X86_REG_MSR, &m));
        m.value = 0xdead;
        ok(uc_reg_read(t.uc, UC_X86_REG_MSR, &m));
        assert_int_equal(m.value, rows[i].r);
    }
    assert_int_equal(uct_get(&t, UC_X86_REG_FS_BASE), 0x1122334455667788);
    ok(uct_run(&t));
    assert_int_equal(uct_get(&t, UC_X86_REG_RDX), 0);
    assert_int_equal(uct_get(&t, UC_X86_REG_GS_BASE), 5);
    uct_close(&t);
}

static void test_vectors(void **state)
{
    uint8_t w[64], r[64];
    struct uct t;

    (void)state;
    for (unsigned i = 0; i < 64; i++)
        w[i] = (uint8_t)(i + 1);
    uct_x86(&t, 64, BYTES("\x0f\x28\xc8\x66\x0f\xfc\xc0") /* movaps xmm1,xmm0; paddb xmm0,xmm0 */);
    for (int i = 0; i < 16; i++) {
        w[0] = (uint8_t)(100 + i);
        ok(uc_reg_write(t.uc, UC_X86_REG_YMM0 + i, w));
    }
    for (int i = 0; i < 16; i++) {
        memset(r, 0, sizeof r);
        ok(uc_reg_read(t.uc, UC_X86_REG_YMM0 + i, r));
        assert_int_equal(r[0], 100 + i);
        assert_memory_equal(r + 1, w + 1, 31);
        ok(uc_reg_read(t.uc, UC_X86_REG_XMM0 + i, r));
        assert_int_equal(r[0], 100 + i);
        assert_memory_equal(r + 1, w + 1, 15);
    }
    /* XMM leaves the upper half of YMM as it is. */
    memset(r, 0xff, sizeof r);
    ok(uc_reg_write(t.uc, UC_X86_REG_XMM0, r));
    ok(uc_reg_read(t.uc, UC_X86_REG_YMM0, r));
    assert_int_equal(r[15], 0xff);
    assert_memory_equal(r + 16, w + 16, 16);
    ok(uct_run(&t));
    ok(uc_reg_read(t.uc, UC_X86_REG_XMM0, r));
    assert_int_equal(r[3], 0xfe);
    ok(uc_reg_read(t.uc, UC_X86_REG_YMM1, r));
    assert_int_equal(r[3], 0xff);
    /* AVX-512's are all there. */
    if (SINCE_2_1) {
        ok(uc_reg_write(t.uc, UC_X86_REG_ZMM31, w));
        memset(r, 0, sizeof r);
        ok(uc_reg_read(t.uc, UC_X86_REG_ZMM31, r));
        assert_memory_equal(r, w, 64);
        ok(uc_reg_read(t.uc, UC_X86_REG_XMM31, r));
        assert_memory_equal(r, w, 16);
    }
    uct_close(&t);
}

static void get80(struct uct *t, int id, uint64_t v[2])
{
    v[0] = v[1] = 0;
    ok(uc_reg_read(t->uc, id, v));
}

/* ST counts from the top of the stack, FP does not. */
static void test_x87(void **state)
{
    uint64_t v[2], three[2] = {0xc000000000000000, 0x4000};
    struct uct t;

    (void)state;
    uct_x86(&t, 64, BYTES("\xdb\xe3\xd9\xe8\xd9\xee") /* fninit; fld1; fldz */);
    ok(uct_run(&t));
    assert_int_equal(uct_get(&t, UC_X86_REG_FPCW), 0x37f);
    assert_int_equal(uct_get(&t, UC_X86_REG_FPSW), 0x3000);
    get80(&t, UC_X86_REG_FP7, v);
    assert_int_equal(v[0], 0x8000000000000000);
    assert_int_equal(v[1], 0x3fff);
    get80(&t, UC_X86_REG_ST1, v);
    if (SINCE_2_1)
        assert_int_equal(v[1], 0x3fff);
    ok(uc_reg_write(t.uc, UC_X86_REG_ST0, three));
    get80(&t, SINCE_2_1 ? UC_X86_REG_FP6 : UC_X86_REG_ST0, v);
    assert_int_equal(v[0], three[0]);
    assert_int_equal(v[1], three[1]);
    uct_code(
        &t, CODE,
        BYTES("\xd8\xc1\xdd\x14\x25\x00\x20\x00\x00") /* fadd st,st(1); fst qword ptr [0x2000] */);
    if (SINCE_2_1) {
        ok(uct_run(&t));
        assert_int_equal(uct_mem(&t, DATA, 8), 0x4010000000000000);
    }
    uct_close(&t);
}

static void test_mmx(void **state)
{
    struct uct t;

    (void)state;
    uct_x86(&t, 64, BYTES("\x0f\x7f\x0c\x25\x00\x20\x00\x00") /* movq [0x2000],mm1 */);
    if (DIFFERS("reg-mm", "nothing is read or written, the call says OK")) {
        uct_set(&t, UC_X86_REG_MM1, 0x1122334455667788);
        assert_int_equal(uct_get(&t, UC_X86_REG_MM1), 0x1122334455667788);
        ok(uct_run(&t));
        assert_int_equal(uct_mem(&t, DATA, 8), 0x1122334455667788);
    }
    uct_close(&t);
}

static void test_masks(void **state)
{
    struct uct t;

    (void)state;
    uct_x86(&t, 64, BYTES("\x90") /* nop */);
    if (DIFFERS("reg-k", "nothing is read or written, the call says OK"))
        for (int i = 0; i < 8; i++) {
            uct_set(&t, UC_X86_REG_K0 + i, 0x1122334455667780 + (unsigned)i);
            assert_int_equal(uct_get(&t, UC_X86_REG_K0 + i), 0x1122334455667780 + (unsigned)i);
        }
    uct_close(&t);
}

int main(void)
{
    static const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_first),
        cmocka_unit_test(test_parts),
        cmocka_unit_test(test_instruction_pointer),
        cmocka_unit_test(test_flags),
        cmocka_unit_test(test_narrow_modes),
        cmocka_unit_test(test_system),
        cmocka_unit_test(test_segments_real_mode),
        cmocka_unit_test(test_code_segment_real_mode),
        cmocka_unit_test(test_segments_64),
        cmocka_unit_test(test_segments_32),
        cmocka_unit_test(test_tables),
        cmocka_unit_test(test_msr),
        cmocka_unit_test(test_vectors),
        cmocka_unit_test(test_x87),
        cmocka_unit_test(test_mmx),
        cmocka_unit_test(test_masks),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
