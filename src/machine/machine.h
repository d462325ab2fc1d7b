/* Boards: a table of memory, devices and wiring around one engine. */
#ifndef MACHINE_MACHINE_H
#define MACHINE_MACHINE_H

#include <narwhal/narwhal.h>

struct machine_options {
    const char *machine; /* board name */
    const char *cpu;     /* null: the board's own */
    uint64_t memory;     /* bytes of RAM; 0: the board's default */
    const char *kernel;  /* ARM: raw image or ELF file; x86: Linux bzImage */
    const char *bios;    /* ROM image of a PC */
    const char *append;  /* kernel command line, null for none */
    const char *initrd;  /* initial RAM disk file, null for none */
    uint32_t engine_flags;
    nw_log *log;
    /* Gets what the first serial line sends. */
    void (*transmit)(void *opaque, uint8_t byte);
    void *opaque;
};

/* Why something could not be done: one line, what is wrong and what to do. */
struct machine_error {
    char line[320];
};

struct machine;

/* Builds the board and loads the kernel. Null, with ERROR filled in, when that fails; nothing is
 * left behind then. */
struct machine *machine_open(const struct machine_options *, struct machine_error *error);
void machine_close(struct machine *);

/* Runs until machine_stop(), until the guest switches the machine off or resets it, or until
 * nothing can ever happen again: the CPU branches to itself or halts with interrupts masked. On
 * NW_EXIT_HALT, STOP and LIMIT nothing is wrong. */
nw_status machine_run(struct machine *, nw_exit *exit);
/* What the guest wanted when it ended machine_run. */
enum machine_wish { MACHINE_RUN, MACHINE_RESET, MACHINE_OFF };
enum machine_wish machine_wish(const struct machine *);
/* The status that the guest switched the machine off with; 0 where it gave none. */
int machine_status(const struct machine *);
/* Any thread. */
void machine_stop(struct machine *);
/* A byte for the first serial line; false when it cannot take it now. Any thread. */
bool machine_receive(struct machine *, uint8_t byte);
nw_vcpu *machine_vcpu(struct machine *);

/* The names of the boards, null-terminated, with one line of description each. */
struct machine_name {
    const char *name, *about;
};
extern const struct machine_name machine_names[];

#endif
