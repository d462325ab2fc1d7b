/* Hooks of memory accesses: the accesses that an instruction makes, in order, with size and value.
 */
#include "uc_test.h"

#include <stdio.h>

static void x64(const uint8_t *code, size_t n, const char *expected)
{
    struct uct t;

    uct_x86(&t, 64, code, n);
    uct_set(&t, UC_X86_REG_RAX, 0x1122334455667788);
    uct_set(&t, UC_X86_REG_RDI, 0x2800);
    uct_set(&t, UC_X86_REG_RSI, 0x2900);
    uct_set(&t, UC_X86_REG_FPCW, 0x37f);
    for (uint64_t a = DATA; a < 0x4000; a += 8)
        uct_poke(&t, a, 0x0101010101010101 * (a >> 3 & 0xff), 8);
    uct_log(&t, "rwa");
    ok(uct_run(&t));
    uct_expect(&t, expected);
    uct_close(&t);
}

static void test_stack(void **state)
{
    (void)state;
    x64(BYTES("\x50\x59") /* push rax; pop rcx */,
        "w7ff8:8=1122334455667788 r7ff8:8 a7ff8:8=1122334455667788");
    x64(BYTES("\x66\x50\x6a\x05") /* push ax; push 5 */, "w7ffe:2=7788 w7ff6:8=5");
    x64(BYTES("\xe8\x00\x00\x00\x00\x59") /* call f; f: pop rcx */,
        "w7ff8:8=1005 r7ff8:8 a7ff8:8=1005");
    x64(BYTES(
            "\xff\x34\x25\x08\x20\x00\x00\x8f\x04\x25\x10\x20\x00\x00") /* push qword ptr [0x2008];
                                                                           pop qword ptr [0x2010] */
        ,
        "r2008:8 a2008:8=101010101010101 w7ff8:8=101010101010101 "
        "r7ff8:8 a7ff8:8=101010101010101 w2010:8=101010101010101");
    x64(BYTES("\x48\x89\xe5\xc9") /* mov rbp,rsp; leave */, "r8000:8 a8000:8=0");
    x64(BYTES("\xc8\x10\x00\x00") /* enter 16,0 */, "w7ff8:8=0");
    x64(BYTES("\x9c\x9d") /* pushfq; popfq */, "w7ff8:8=2 r7ff8:8 a7ff8:8=2");
}

static void test_moves(void **state)
{
    (void)state;
    x64(BYTES("\x88\x04\x25\x01\x20\x00\x00") /* mov [0x2001],al */, "w2001:1=88");
    x64(BYTES("\x66\x89\x04\x25\x03\x20\x00\x00") /* mov [0x2003],ax */, "w2003:2=7788");
    x64(BYTES("\x89\x04\x25\x05\x20\x00\x00\x48\x89\x04\x25\x09\x20\x00\x00") /* mov [0x2005],eax;
                                                                                 mov [0x2009],rax */
        ,
        "w2005:4=55667788 w2009:8=1122334455667788");
    x64(BYTES(
            "\xc6\x04\x25\x00\x20\x00\x00\xff\x48\xc7\x04\x25\x08\x20\x00\x00\xff\xff\xff\xff") /* mov
                                                                                                   byte ptr [0x2000],0xff; mov qword ptr [0x2008],-1 */
        ,
        "w2000:1=ff w2008:8=ffffffffffffffff");
    x64(BYTES("\x0f\xb6\x0c\x25\x09\x20\x00\x00\x48\x0f\xbf\x0c\x25\x11\x20\x00\x00\x48\x63\x0c\x25"
              "\x18\x20\x00\x00") /* movzx ecx,byte ptr [0x2009]; movsx rcx,word ptr [0x2011];
                                     movsxd rcx,dword ptr [0x2018] */
        ,
        "r2009:1 a2009:1=1 r2011:2 a2011:2=202 r2018:4 a2018:4=3030303");
    if (SINCE_2_1)
        x64(BYTES("\x0f\x38\xf0\x0c\x25\x10\x20\x00\x00") /* movbe ecx,[0x2010] */,
            "r2010:4 a2010:4=2020202");
    x64(BYTES("\x48\x8d\x0c\x25\x10\x20\x00\x00\x0f\x1f\x04\x25\x20\x20\x00\x00\x0f\x18\x0c\x25\x00"
              "\x20\x00\x00") /* lea rcx,[0x2010]; nop dword ptr [0x2020]; prefetcht0 [0x2000] */,
        "");
    x64(BYTES("\x48\x0f\x44\x0c\x25\x08\x20\x00\x00") /* cmovz rcx,[0x2008] */,
        "r2008:8 a2008:8=101010101010101");
}

/* One callback for each access, wherever it lies. */
static void test_unaligned(void **state)
{
    (void)state;
    NEEDS_2_1();
    x64(BYTES(
            "\x48\x89\x04\x25\xfc\x2f\x00\x00\x48\x8b\x0c\x25\xfd\x2f\x00\x00") /* mov [0x2ffc],rax;
                                                                                   mov rcx,[0x2ffd]
                                                                                 */
        ,
        "w2ffc:8=1122334455667788 r2ffd:8 a2ffd:8=11223344556677");
    x64(BYTES(
            "\x66\x89\x04\x25\xff\x2f\x00\x00\x66\x8b\x0c\x25\xff\x2f\x00\x00") /* mov [0x2fff],ax;
                                                                                   mov cx,[0x2fff]
                                                                                 */
        ,
        "w2fff:2=7788 r2fff:2 a2fff:2=7788");
    x64(BYTES("\xff\x04\x25\xfe\x2f\x00\x00") /* inc dword ptr [0x2ffe] */,
        "r2ffe:4 a2ffe:4=ffff w2ffe:4=10000");
}

static void test_read_modify_write(void **state)
{
    (void)state;
    x64(BYTES("\x66\x01\x04\x25\x08\x20\x00\x00") /* add [0x2008],ax */,
        "r2008:2 a2008:2=101 w2008:2=7889");
    x64(BYTES(
            "\xfe\x04\x25\x08\x20\x00\x00\xf7\x1c\x25\x08\x20\x00\x00") /* inc byte ptr [0x2008];
                                                                           neg dword ptr [0x2008] */
        ,
        "r2008:1 a2008:1=1 w2008:1=2 r2008:4 a2008:4=1010102 w2008:4=fefefefe");
    x64(BYTES("\x87\x04\x25\x08\x20\x00\x00") /* xchg [0x2008],eax */,
        "r2008:4 a2008:4=1010101 w2008:4=55667788");
    x64(BYTES(
            "\xf0\xff\x04\x25\x08\x20\x00\x00\xf0\x0f\xc1\x04\x25\x10\x20\x00\x00") /* lock inc
                                                                                       dword ptr
                                                                                       [0x2008];
                                                                                       lock xadd
                                                                                       [0x2010],eax
                                                                                     */
        ,
        "r2008:4 a2008:4=1010101 w2008:4=1010102 r2010:4 a2010:4=2020202 w2010:4=5768798a");
    x64(BYTES("\x39\x04\x25\x08\x20\x00\x00\xf6\x04\x25\x10\x20\x00\x00\x01") /* cmp [0x2008],eax;
                                                                                 test byte ptr
                                                                                 [0x2010],1 */
        ,
        "r2008:4 a2008:4=1010101 r2010:1 a2010:1=2");
    x64(BYTES("\x0f\xba\x2c\x25\x08\x20\x00\x00\x05") /* bts dword ptr [0x2008],5 */,
        "r2008:4 a2008:4=1010101 w2008:4=1010121");
    x64(BYTES("\x0f\x94\x04\x25\x08\x20\x00\x00") /* setz byte ptr [0x2008] */, "w2008:1=0");
    x64(BYTES("\xd1\x24\x25\x08\x20\x00\x00") /* shl dword ptr [0x2008],1 */,
        "r2008:4 a2008:4=1010101 w2008:4=2020202");
    /* What fails to compare is written back. */
    x64(BYTES("\xf0\x0f\xb1\x0c\x25\x08\x20\x00\x00") /* lock cmpxchg [0x2008],ecx */,
        "r2008:4 a2008:4=1010101 w2008:4=1010101");
    x64(BYTES("\xf0\x48\x0f\xc7\x0c\x25\x10\x20\x00\x00") /* lock cmpxchg16b [0x2010] */,
        "r2010:8 a2010:8=202020202020202 r2018:8 a2018:8=303030303030303 "
        "w2010:8=202020202020202 w2018:8=303030303030303");
}

static void test_strings(void **state)
{
    (void)state;
    x64(BYTES("\xb9\x02\x00\x00\x00\xf3\xa4") /* mov ecx,2; rep movsb */,
        "r2900:1 a2900:1=20 w2800:1=20 r2901:1 a2901:1=20 w2801:1=20");
    x64(BYTES("\x48\xa5\xab\x66\xad") /* movsq; stosd; lodsw */,
        "r2900:8 a2900:8=2020202020202020 w2800:8=2020202020202020 "
        "w2808:4=55667788 r2908:2 a2908:2=2121");
    x64(BYTES("\xb9\x03\x00\x00\x00\xf3\xa6") /* mov ecx,3; repe cmpsb */,
        "r2800:1 a2800:1=0 r2900:1 a2900:1=20");
    x64(BYTES("\xfd\xb9\x02\x00\x00\x00\x66\xf3\xab") /* std; mov ecx,2; rep stosw */,
        "w2800:2=7788 w27fe:2=7788");
    x64(BYTES("\xae") /* scasb */, "r2800:1 a2800:1=0");
    x64(BYTES("\x31\xc9\xf3\xa4") /* xor ecx,ecx; rep movsb */, "");
}

static void test_vectors(void **state)
{
    (void)state;
    /* 16 bytes are two accesses of 8. */
    x64(BYTES("\x0f\x10\x04\x25\x09\x20\x00\x00\x0f\x29\x04\x25\x00\x21\x00\x00") /* movups
                                                                                     xmm0,[0x2009];
                                                                                     movaps
                                                                                     [0x2100],xmm0
                                                                                   */
        ,
        "r2009:8 a2009:8=201010101010101 r2011:8 a2011:8=302020202020202 "
        "w2100:8=201010101010101 w2108:8=302020202020202");
    x64(BYTES(
            "\x66\x0f\x6e\x0c\x25\x08\x20\x00\x00\xf3\x0f\x7e\x0c\x25\x10\x20\x00\x00\x66\x0f\xd6"
            "\x0c\x25\x20\x20\x00\x00\x66\x0f\x7e\x0c\x25\x28\x20\x00\x00") /* movd xmm1,[0x2008];
                                                                               movq xmm1,[0x2010];
                                                                               movq [0x2020],xmm1;
                                                                               movd [0x2028],xmm1 */
        ,
        "r2008:4 a2008:4=1010101 r2010:8 a2010:8=202020202020202 w2020:8=202020202020202 "
        "w2028:4=2020202");
    x64(BYTES("\xf3\x0f\x10\x04\x25\x08\x20\x00\x00\xf2\x0f\x11\x04\x25\x10\x20\x00\x00\x0f\x16\x04"
              "\x25\x18\x20\x00\x00") /* movss xmm0,[0x2008]; movsd [0x2010],xmm0; movhps
                                         xmm0,[0x2018] */
        ,
        "r2008:4 a2008:4=1010101 w2010:8=1010101 r2018:8 a2018:8=303030303030303");
    x64(BYTES("\x66\x0f\xfc\x04\x25\x10\x20\x00\x00") /* paddb xmm0,[0x2010] */,
        "r2010:8 a2010:8=202020202020202 r2018:8 a2018:8=303030303030303");
    x64(BYTES("\xf2\x0f\x58\x04\x25\x10\x20\x00\x00") /* addsd xmm0,[0x2010] */,
        "r2010:8 a2010:8=202020202020202");
}

static void test_x87(void **state)
{
    (void)state;
    x64(BYTES("\xdd\x04\x25\x08\x20\x00\x00\xd9\x1c\x25\x10\x20\x00\x00") /* fld qword ptr [0x2008];
                                                                             fstp dword ptr [0x2010]
                                                                           */
        ,
        "r2008:8 a2008:8=101010101010101 w2010:4=0");
    x64(BYTES("\xdf\x04\x25\x08\x20\x00\x00\xdf\x3c\x25\x10\x20\x00\x00") /* fild word ptr [0x2008];
                                                                             fistp qword ptr
                                                                             [0x2010] */
        ,
        "r2008:2 a2008:2=101 w2010:8=101");
    /* 10 bytes are 8 and 2. */
    x64(BYTES("\xdb\x2c\x25\x08\x20\x00\x00\xdb\x3c\x25\x21\x20\x00\x00") /* fld tbyte ptr [0x2008];
                                                                             fstp tbyte ptr [0x2021]
                                                                           */
        ,
        "r2008:8 a2008:8=101010101010101 r2010:2 a2010:2=202 w2021:8=101010101010101 w2029:2=202");
    x64(BYTES("\xd9\x3c\x25\x08\x20\x00\x00\xd9\x2c\x25\x08\x20\x00\x00\x0f\xae\x1c\x25\x10\x20\x00"
              "\x00") /* fnstcw [0x2008]; fldcw [0x2008]; stmxcsr [0x2010] */,
        "w2008:2=37f r2008:2 a2008:2=37f w2010:4=0");
}

static void test_32_bits(void **state)
{
    struct uct t;

    (void)state;
    uct_x86(&t, 32, BYTES("\x60\x61") /* pushad; popad */);
    uct_set(&t, UC_X86_REG_EAX, 0xa);
    uct_set(&t, UC_X86_REG_EDI, 0xd);
    uct_log(&t, "rw");
    ok(uct_run(&t));
    const char *reads = "r7fe0:4 r7fe4:4 r7fe8:4 r7ff0:4 r7ff4:4 r7ff8:4 r7ffc:4";
    char want[256];

    if (DIFFERS("pusha-order", "from the lowest address up"))
        snprintf(
            want, sizeof want, "%s %s",
            "w7ffc:4=a w7ff8:4=0 w7ff4:4=0 w7ff0:4=0 w7fec:4=8000 w7fe8:4=0 w7fe4:4=0 w7fe0:4=d",
            reads);
    else
        snprintf(
            want, sizeof want, "%s %s",
            "w7fe0:4=d w7fe4:4=0 w7fe8:4=0 w7fec:4=8000 w7ff0:4=0 w7ff4:4=0 w7ff8:4=0 w7ffc:4=a",
            reads);
    /* ESP is not read back. */
    uct_expect(&t, want);
    uct_forget(&t);
    uct_close(&t);
    uct_x86(
        &t, 16,
        BYTES(
            "\xe8\x00\x00\x58\x1e\xa3\x00\x20") /* call f; f: pop ax; push ds; mov [0x2000],ax */);
    uct_log(&t, "rwa");
    ok(uct_run(&t));
    uct_expect(&t, "w7ffe:2=1003 r7ffe:2 a7ffe:2=1003 w7ffe:2=0 w2000:2=1003");
    uct_close(&t);
}

static void arm(int mode, const uint8_t *code, size_t n, const char *expected)
{
    struct uct t;

    uct_arm(&t, mode, code, n);
    for (unsigned i = 0; i < 4; i++)
        uct_set(&t, UC_ARM_REG_R0 + (int)i, 0x100 + i);
    uct_set(&t, UC_ARM_REG_R4, DATA);
    uct_set(&t, UC_ARM_REG_FPEXC, 0x40000000);
    for (uint64_t a = DATA; a < 0x4000; a += 4)
        uct_poke(&t, a, 0x01010101 * (a >> 2 & 0xff), 4);
    uct_log(&t, "rwa");
    ok(uct_run(&t));
    uct_expect(&t, expected);
    uct_close(&t);
}

static void test_arm(void **state)
{
    (void)state;
    arm(0, BYTES("\x07\x00\xa4\xe8\x60\x00\x14\xe9") /* stm r4!,{r0-r2}; ldmdb r4,{r5,r6} */,
        "w2000:4=100 w2004:4=101 w2008:4=102 r2004:4 a2004:4=101 r2008:4 a2008:4=102");
    arm(0, BYTES("\x03\x40\x2d\xe9\x07\x00\xbd\xe8") /* push {r0,r1,lr}; pop {r0,r1,r2} */,
        "w7ff4:4=100 w7ff8:4=101 w7ffc:4=0 r7ff4:4 a7ff4:4=100 r7ff8:4 a7ff8:4=101 r7ffc:4 "
        "a7ffc:4=0");
    arm(0, BYTES("\xd8\x00\xc4\xe1\xf0\x20\xc4\xe1") /* ldrd r0,r1,[r4,#8]; strd r2,r3,[r4] */,
        "r2008:4 a2008:4=2020202 r200c:4 a200c:4=3030303 w2000:4=102 w2004:4=103");
    arm(0,
        BYTES(
            "\x03\x00\x84\xe5\xb5\x00\xd4\xe1\x01\x10\xc4\xe5\xd9\x10\xd4\xe1\xb8\x20\xc4\xe1") /* str
                                                                                                   r0,[r4,#3]; ldrh r0,[r4,#5]; strb r1,[r4,#1]; ldrsb r1,[r4,#9]; strh r2,[r4,#8] */
        ,
        "w2003:4=100 r2005:2 a2005:2=0 w2001:1=1 r2009:1 a2009:1=2 w2008:2=102");
    if (SINCE_2_1)
        arm(0, BYTES("\xfe\x0f\x94\xe5") /* ldr r0,[r4,#0xffe] */, "r2ffe:4 a2ffe:4=ffff");
    arm(0, BYTES("\x9f\x0f\x94\xe1\x92\x1f\x84\xe1") /* ldrex r0,[r4,#0]; strex r1,r2,[r4] */,
        "r2000:4 a2000:4=0 r2000:4 a2000:4=0 w2000:4=102");
    arm(0, BYTES("\x92\x1f\x84\xe1") /* strex r1,r2,[r4] */, "");
    arm(0, BYTES("\x9f\x0f\xb4\xe1") /* ldrexd r0,r1,[r4] */, "r2000:8 a2000:8=101010100000000");
    arm(0,
        BYTES(
            "\x02\x0b\x94\xed\x03\x0a\x84\xed\x04\x0b\x94\xec\x02\x0a\x84\xec") /* vldr d0,[r4,#8];
                                                                                   vstr s0,[r4,#12];
                                                                                   vldmia
                                                                                   r4,{d0-d1};
                                                                                   vstmia r4,{s0-s1}
                                                                                 */
        ,
        "r2008:8 a2008:8=303030302020202 w200c:4=2020202 r2000:8 a2000:8=101010100000000 "
        "r2008:8 a2008:8=202020202020202 w2000:4=0 w2004:4=1010101");
    arm(0, BYTES("\x0f\x0a\x24\xf4\x6f\x00\x84\xf4") /* vld1.8 {d0,d1},[r4]; vst1.8 {d0[3]},[r4] */,
        "r2000:8 a2000:8=101010100000000 r2008:8 a2008:8=303030302020202 w2000:1=0");
    arm(0, BYTES("\x00\x50\xa0\x03\x00\x00\x94\x15\x04\x10\x94\x05") /* moveq r5,#0; ldrne r0,[r4];
                                                                        ldreq r1,[r4,#4] */
        ,
        "r2004:4 a2004:4=1010101");
}

static void test_thumb(void **state)
{
    (void)state;
    arm(UC_MODE_THUMB,
        BYTES(
            "\x03\xb4\x0c\xbc\x60\x60\xd4\xf8\x01\x1f\xb4\xf9\x07\x00") /* push {r0,r1}; pop
                                                                           {r2,r3}; str r0,[r4,#4];
                                                                           ldr.w r1,[r4,#0xf01];
                                                                           ldrsh.w r0,[r4,#7] */
        ,
        "w7ff8:4=100 w7ffc:4=101 r7ff8:4 a7ff8:4=100 r7ffc:4 a7ffc:4=101 w2004:4=100 "
        "r2f01:4 a2f01:4=c1c0c0c0 r2007:2 a2007:2=200");
    arm(UC_MODE_THUMB,
        BYTES("\x03\xc4\xd4\xe9\x00\x01\x00\x4a\x00\xbf") /* stmia r4!,{r0,r1}; ldrd r0,r1,[r4]; ldr
                                                             r2,[pc,#0]; nop */
        ,
        "w2000:4=100 w2004:4=101 r2008:4 a2008:4=2020202 r200c:4 a200c:4=3030303 r1008:4 "
        "a1008:4=bf00");
}

/* ---- which are called ---- */

#define NAMED(n)                                                                                   \
    static void mem_##n(uc_engine *uc, uc_mem_type type, uint64_t address, int size, int64_t v,    \
                        void *user)                                                                \
    {                                                                                              \
        (void)uc;                                                                                  \
        (void)type;                                                                                \
        (void)size;                                                                                \
        (void)v;                                                                                   \
        uct_add(user, #n "%x", (unsigned)address);                                                 \
    }
NAMED(A)
NAMED(B)
NAMED(C)
NAMED(D)

/* The first byte of the access decides. */
static void test_ranges(void **state)
{
    struct uct t;

    (void)state;
    uct_x86(
        &t,
        64, BYTES("\x89\x04\x25\x00\x20\x00\x00\x89\x04\x25\x04\x20\x00\x00\x89\x04\x25\xfe\x1f\x00\x00\x8b\x04\x25\x00\x20\x00\x00") /* mov [0x2000],eax; mov [0x2004],eax; mov [0x1ffe],eax; mov eax,[0x2000] */);
    uct_hook_in(&t, UC_HOOK_MEM_WRITE, (void *)mem_A, 1, 0);
    uct_hook_in(&t, UC_HOOK_MEM_WRITE, (void *)mem_B, 0x2000, 0x2003);
    uct_hook_in(&t, UC_HOOK_MEM_WRITE, (void *)mem_C, 0x2001, 0x2002);
    uct_hook_in(&t, UC_HOOK_MEM_WRITE, (void *)mem_D, 0x2004, 0x2004);
    ok(uct_run(&t));
    uct_expect(&t, "A2000 B2000 A2004 D2004 A1ffe");
    uct_close(&t);
}

/* Of each half of 16 bytes. */
static void test_ranges_of_halves(void **state)
{
    struct uct t;

    (void)state;
    uct_x86(&t, 64, BYTES("\x0f\x10\x04\x25\x08\x20\x00\x00\x0f\x29\x04\x25\x00\x21\x00\x00")
            /* movups xmm0,[0x2008]; movaps [0x2100],xmm0 */);
    uct_hook_in(&t, UC_HOOK_MEM_READ, (void *)mem_A, 0x2010, 0x2017);
    uct_hook_in(&t, UC_HOOK_MEM_READ, (void *)mem_B, 0x2008, 0x2008);
    uct_hook_in(&t, UC_HOOK_MEM_READ, (void *)mem_C, 0x2011, 0x2011);
    uct_hook_in(&t, UC_HOOK_MEM_READ_AFTER, (void *)mem_C, 0x2008, 0x2017);
    uct_hook_in(&t, UC_HOOK_MEM_WRITE, (void *)mem_D, 0x2108, 0x210f);
    ok(uct_run(&t));
    uct_expect(&t, "B2008 C2008 A2010 C2010 D2108");
    uct_close(&t);
}

static void test_cached(void **state)
{
    struct uct t;
    uc_hook h;

    (void)state;
    uct_x86(
        &t, 64,
        BYTES("\xb9\x02\x00\x00\x00\x89\x0c\x25\x00\x20\x00\x00\x8b\x04\x25\x00\x30\x00\x00\xff\xc9"
              "\x75\xee") /* mov ecx,2; l: mov [0x2000],ecx; mov eax,[0x3000]; dec ecx; jne l */);
    ok(uct_run(&t));
    h = uct_hook(&t, UC_HOOK_MEM_WRITE, (void *)mem_A);
    ok(uct_run(&t));
    uct_expect(&t, "A2000 A2000");
    uct_hook_in(&t, UC_HOOK_MEM_READ, (void *)mem_B, 0x3000, 0x3000);
    ok(uct_run(&t));
    uct_expect(&t, "A2000 B3000 A2000 B3000");
    ok(uc_hook_del(t.uc, h));
    ok(uct_run(&t));
    uct_expect(&t, "B3000 B3000");
    uct_close(&t);
}

static void test_fetch(void **state)
{
    struct uct t;

    (void)state;
    uct_x86(&t, 64, BYTES("\x90\xff\xc0") /* nop; inc eax */);
    uct_hook_in(&t, UC_HOOK_MEM_FETCH, (void *)mem_A, CODE, CODE + 0xfff);
    ok(uct_run(&t));
    if (DIFFERS("mem-fetch", "is never called"))
        uct_expect(&t, "A1000 A1001");
    uct_close(&t);
}

/* ---- in the callback ---- */

static void stops(uc_engine *uc, uc_mem_type type, uint64_t address, int size, int64_t v,
                  void *user)
{
    mem_A(uc, type, address, size, v, user);
    ok(uc_emu_stop(uc));
}

/* A store is made, a load is not; the pc stays on the instruction. */
static void test_stop(void **state)
{
    static const int types[] = {UC_HOOK_MEM_READ, UC_HOOK_MEM_READ_AFTER};
    struct uct t;

    (void)state;
    NEEDS_2_1();
    uct_x86(&t, 64, BYTES("\x48\xff\xc3\x89\x0c\x25\x00\x20\x00\x00\x48\xff\xc3") /* inc rbx; mov [0x2000],ecx; inc rbx */);
    uct_set(&t, UC_X86_REG_RCX, 0x55);
    uct_hook(&t, UC_HOOK_MEM_WRITE, (void *)stops);
    ok(uct_run(&t));
    assert_int_equal(uct_mem(&t, DATA, 4), 0x55);
    assert_int_equal(uct_pc(&t), CODE + 3);
    assert_int_equal(uct_get(&t, UC_X86_REG_RBX), 1);
    uct_close(&t);
    for (int i = 0; i < 2; i++) {
        uct_x86(&t, 64, BYTES("\x48\xff\xc3\x8b\x0c\x25\x00\x20\x00\x00\x48\xff\xc3") /* inc rbx; mov ecx,[0x2000]; inc rbx */);
        uct_poke(&t, DATA, 0x55, 4);
        uct_hook(&t, types[i], (void *)stops);
        ok(uct_run(&t));
        assert_int_equal(uct_get(&t, UC_X86_REG_RCX), 0);
        assert_int_equal(uct_pc(&t), CODE + 3);
        assert_int_equal(uct_get(&t, UC_X86_REG_RBX), 1);
        uct_close(&t);
    }
}

/* A store into the block that runs has its instruction begun again, which is told once. */
static void test_store_into_block(void **state)
{
    struct uct t;

    (void)state;
    if (!DIFFERS("store-into-block", "it is told twice there"))
        skip();
    uct_x86(&t, 64, BYTES("\xc6\x05\x00\x00\x00\x00\x90\x90") /* mov byte ptr [rip],0x90; nop */);
    uct_hook(&t, UC_HOOK_MEM_WRITE, (void *)mem_A);
    ok(uct_run(&t));
    uct_expect(&t, "A1007");
    uct_close(&t);
    uct_x86(&t, 64,
            BYTES("\xf0\x80\x05\x00\x00\x00\x00\x00\x90") /* lock add byte ptr [rip],0; nop */);
    uct_hook(&t, UC_HOOK_MEM_WRITE, (void *)mem_A);
    ok(uct_run(&t));
    uct_expect(&t, "A1008");
    uct_close(&t);
}

static void jumps(uc_engine *uc, uc_mem_type type, uint64_t address, int size, int64_t v,
                  void *user)
{
    uint64_t to = CODE + 13;

    mem_A(uc, type, address, size, v, user);
    ok(uc_reg_write(uc, UC_X86_REG_RIP, &to));
}

static void test_jump(void **state)
{
    struct uct t;

    (void)state;
    uct_x86(&t, 64, BYTES("\x48\xff\xc3\x89\x0c\x25\x00\x20\x00\x00\x48\xff\xc3\x48\xff\xc2") /* inc rbx; mov [0x2000],ecx; inc rbx; inc rdx */);
    uct_set(&t, UC_X86_REG_RCX, 0x55);
    uct_hook(&t, UC_HOOK_MEM_WRITE, (void *)jumps);
    ok(uct_run(&t));
    assert_int_equal(uct_mem(&t, DATA, 4), 0x55);
    assert_int_equal(uct_pc(&t), t.end);
    assert_int_equal(uct_get(&t, UC_X86_REG_RBX), 1);
    assert_int_equal(uct_get(&t, UC_X86_REG_RDX), 1);
    uct_close(&t);
    uct_x86(&t, 64, BYTES("\x48\xff\xc3\x8b\x0c\x25\x00\x20\x00\x00\x48\xff\xc3\x48\xff\xc2") /* inc rbx; mov ecx,[0x2000]; inc rbx; inc rdx */);
    uct_poke(&t, DATA, 0x55, 4);
    uct_hook(&t, UC_HOOK_MEM_READ, (void *)jumps);
    ok(uct_run(&t));
    assert_int_equal(uct_get(&t, UC_X86_REG_RCX), 0);
    assert_int_equal(uct_get(&t, UC_X86_REG_RBX), 1);
    assert_int_equal(uct_get(&t, UC_X86_REG_RDX), 1);
    uct_close(&t);
}

static void supplies(uc_engine *uc, uc_mem_type type, uint64_t address, int size, int64_t v,
                     void *user)
{
    uint64_t value = 0x42;

    mem_A(uc, type, address, size, v, user);
    ok(uc_mem_write(uc, address, &value, (uint64_t)size));
}

/* What a hook of a read writes is what is read. */
static void test_supply(void **state)
{
    struct uct t;

    (void)state;
    uct_x86(&t, 64, BYTES("\x48\x8b\x0c\x25\x00\x20\x00\x00") /* mov rcx,[0x2000] */);
    uct_hook(&t, UC_HOOK_MEM_READ, (void *)supplies);
    ok(uct_run(&t));
    assert_int_equal(uct_get(&t, UC_X86_REG_RCX), 0x42);
    uct_close(&t);
}

static void test_pc(void **state)
{
    struct uct t;

    (void)state;
    uct_x86(&t,
            64, BYTES("\x48\xff\xc0\x89\x04\x25\x00\x20\x00\x00\x50\x8b\x0c\x25\x00\x20\x00\x00") /* inc rax; mov [0x2000],eax; push rax; mov ecx,[0x2000] */);
    uct_log(&t, "prw");
    ok(uct_run(&t));
    uct_expect(&t, "w2000:4=1@1003 w7ff8:8=1@100a r2000:4@100b");
    uct_close(&t);
}

int main(void)
{
    static const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_stack),     cmocka_unit_test(test_moves),
        cmocka_unit_test(test_unaligned), cmocka_unit_test(test_read_modify_write),
        cmocka_unit_test(test_strings),   cmocka_unit_test(test_vectors),
        cmocka_unit_test(test_x87),       cmocka_unit_test(test_32_bits),
        cmocka_unit_test(test_arm),       cmocka_unit_test(test_thumb),
        cmocka_unit_test(test_ranges),    cmocka_unit_test(test_ranges_of_halves),
        cmocka_unit_test(test_cached),    cmocka_unit_test(test_fetch),
        cmocka_unit_test(test_stop),      cmocka_unit_test(test_store_into_block),
        cmocka_unit_test(test_jump),      cmocka_unit_test(test_supply),
        cmocka_unit_test(test_pc),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
