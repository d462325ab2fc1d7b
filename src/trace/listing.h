/* Listings: machine code as text, and the engine's log written to a file. */
#ifndef TRACE_LISTING_H
#define TRACE_LISTING_H

#include <narwhal/log.h>
#include <stdio.h>

struct listing;

/* Parses "in_asm,ir,out_asm,exec,int,mmu" (or "all"). False, with the unknown word in *BAD (points
 * into TEXT), when a word is none of these. */
bool listing_parse_kinds(const char *text, uint32_t *kinds, const char **bad);

/* A log sink that writes KINDS to FILE (borrowed). Null when memory or capstone is not to be had.
 */
struct listing *listing_new(uint32_t kinds, FILE *file);
void listing_free(struct listing *);
/* To give to nw_config.log; valid until listing_free. */
nw_log *listing_log(struct listing *);

/* ORDER LISTING: ARM's through capstone, then those of x86 through Zydis, which decodes for the
 * translator too: what runs can be listed. */
enum listing_isa { LISTING_ARM, LISTING_THUMB, LISTING_X86_16, LISTING_X86_32, LISTING_X86_64 };
/* What guest code of ARCH under a block's MODE word is. */
enum listing_isa listing_isa_of(nw_arch arch, uint32_t mode);

/* Called once per instruction. Undecodable bytes have an empty TEXT: of ARM the smallest unit, of
 * x86 all that are left, at most an instruction's 15. */
typedef void (*listing_line_fn)(void *opaque, uint64_t addr, const uint8_t *bytes, size_t size,
                                const char *text);
void listing_disassemble(struct listing *, enum listing_isa, uint64_t addr, const void *bytes,
                         size_t size, listing_line_fn, void *opaque);

#endif
