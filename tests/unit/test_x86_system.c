/* The system side of the x86 guest: ROMs of x86_rom/ that exercise it and print what they find, in
 * every engine mode, against what Bochs 2.7 printed for the same ROM (x86_rom/NAME.txt); and what a
 * board has to do with: interrupts, HLT, shutdown, ports. Where Bochs differs from the manual the
 * text follows the manual, and the ROM says so. The first argument is the folder of the ROMs, the
 * second that of the texts. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <narwhal/narwhal.h>
#include <narwhal/x86.h>

#define ROM_SIZE   0x10000u
#define RAM_SIZE   0x100000u
#define TEXT_MAX   65536u
#define DEBUG_PORT 0xe9
#define INSN_LIMIT 20000000u

static const char *rom_dir, *text_dir;

static const uint32_t modes[] = {NW_ENGINE_INTERP, 0, NW_ENGINE_NO_CHAIN, NW_ENGINE_NO_FASTMEM};

struct machine {
    nw_engine *engine;
    nw_vcpu *vcpu;
    char text[TEXT_MAX];
    size_t length;
};

static uint32_t debug_read(void *opaque, uint16_t port, unsigned size)
{
    (void)opaque, (void)port, (void)size;
    return DEBUG_PORT;
}

static void debug_write(void *opaque, uint16_t port, uint32_t value, unsigned size)
{
    struct machine *m = opaque;
    (void)port, (void)size;
    if (m->length < sizeof m->text - 1)
        m->text[m->length++] = (char)value;
}

static struct machine *machine_new(nw_arch arch, const char *cpu, uint32_t flags)
{
    struct machine *m = calloc(1, sizeof *m);
    nw_config config = {.arch = arch, .cpu = cpu, .flags = flags, .exceptions = NW_EXC_GUEST};

    assert_non_null(m);
    assert_int_equal(nw_engine_open(&config, &m->engine), NW_OK);
    assert_int_equal(nw_mem_map(m->engine, 0, RAM_SIZE, NW_RWX), NW_OK);
    assert_int_equal(nw_mem_map(m->engine, 0xffff0000, ROM_SIZE, NW_RX), NW_OK);
    assert_int_equal(nw_io_map(m->engine, DEBUG_PORT, 1, debug_read, debug_write, m), NW_OK);
    assert_int_equal(nw_vcpu_create(m->engine, &m->vcpu), NW_OK);
    return m;
}

static void machine_free(struct machine *m)
{
    nw_engine_close(m->engine);
    free(m);
}

static void *file_read(const char *dir, const char *name, size_t most, size_t *size)
{
    char path[4096];
    char *data = calloc(1, most + 1);

    snprintf(path, sizeof path, "%s/%s", dir, name);
    FILE *f = fopen(path, "rb");
    if (!f)
        fail_msg("%s cannot be read", path);
    *size = fread(data, 1, most, f);
    fclose(f);
    return data;
}

/* Runs ROM until it halts. */
static void run_rom(struct machine *m, const char *name)
{
    nw_exit exit;
    char file[64];
    size_t size;

    snprintf(file, sizeof file, "%s.rom", name);
    uint8_t *rom = file_read(rom_dir, file, ROM_SIZE, &size);
    assert_int_equal(size, ROM_SIZE);
    assert_int_equal(nw_mem_write(m->engine, 0xffff0000, rom, size), NW_OK);
    assert_int_equal(nw_mem_write(m->engine, 0xf0000, rom, size), NW_OK);
    free(rom);
    assert_int_equal(nw_vcpu_run(m->vcpu, INSN_LIMIT, &exit), NW_OK);
    if (exit.reason != NW_EXIT_HALT || exit.code)
        fprintf(stderr, "%s\nexit %u code %u at %#llx, address %#llx\n", m->text, exit.reason,
                exit.code, (unsigned long long)exit.pc, (unsigned long long)exit.addr);
    assert_int_equal(exit.reason, NW_EXIT_HALT);
    assert_int_equal(exit.code, 0);
}

/* Says which line differs first. */
static void compare(const char *name, uint32_t flags, const char *got, const char *want)
{
    size_t line = 0, at = 0;

    if (strcmp(got, want) == 0)
        return;
    while (got[at] && got[at] == want[at])
        if (got[at++] == '\n')
            line = at;
    fail_msg("%s, flags %u:\n got  %.*s\n want %.*s", name, flags, (int)strcspn(got + line, "\n"),
             got + line, (int)strcspn(want + line, "\n"), want + line);
}

/* TEXT: what ROM prints on CPU. */
static void check_text(nw_arch arch, const char *cpu, const char *name, const char *text)
{
    char file[64];
    size_t size;

    snprintf(file, sizeof file, "%s.txt", text);
    char *want = file_read(text_dir, file, TEXT_MAX, &size);
    for (size_t n = 0; n < sizeof modes / sizeof *modes; n++) {
        struct machine *m = machine_new(arch, cpu, modes[n]);
        run_rom(m, name);
        if (getenv("X86_ROM_PRINT") && n == 0)
            fputs(m->text, stderr);
        compare(name, modes[n], m->text, want);
        machine_free(m);
    }
    free(want);
}

/* One that prints the same whatever the CPU. */
static void check_rom(nw_arch arch, const char *name)
{
    check_text(arch, "max", name, name);
    check_text(arch, "haswell", name, name);
}

static void real_mode(void **state)
{
    (void)state;
    check_rom(NW_ARCH_X86_64, "real");
    check_rom(NW_ARCH_X86, "real");
}

static void protected_mode(void **state)
{
    (void)state;
    check_rom(NW_ARCH_X86_64, "protected");
    check_rom(NW_ARCH_X86, "protected");
}

static void tasks(void **state)
{
    (void)state;
    check_rom(NW_ARCH_X86_64, "task");
    check_rom(NW_ARCH_X86, "task");
}

static void long_mode(void **state)
{
    (void)state;
    check_text(NW_ARCH_X86_64, "max", "long", "long");
    check_text(NW_ARCH_X86_64, "haswell", "long", "long_intel");
}

static void newer_features(void **state)
{
    (void)state;
    check_text(NW_ARCH_X86_64, "max", "cpu", "cpu");
}

int main(int argc, char **argv)
{
    static const struct CMUnitTest tests[] = {
        cmocka_unit_test(real_mode),
        cmocka_unit_test(protected_mode),
        cmocka_unit_test(tasks),
        cmocka_unit_test(long_mode),
        cmocka_unit_test(newer_features),
    };

    if (argc < 3)
        return 2;
    rom_dir = argv[1];
    text_dir = argv[2];
    return cmocka_run_group_tests(tests, NULL, NULL);
}
