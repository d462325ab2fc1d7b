/* Table-driven CRC-32 (ISO-HDLC), a byte at a time. */
#include "kernel.h"

const unsigned kernel_reps = 900;

uint64_t kernel(unsigned reps)
{
    static uint32_t table[256];
    static uint8_t data[65536];
    for (uint32_t i = 0; i < 256; i++) {
        uint32_t c = i;
        for (unsigned j = 0; j < 8; j++)
            c = c & 1 ? c >> 1 ^ 0xedb88320 : c >> 1;
        table[i] = c;
    }
    for (unsigned i = 0; i < sizeof data; i++)
        data[i] = (uint8_t)(i ^ i >> 7);
    uint32_t crc = ~0u;
    for (unsigned r = 0; r < reps; r++)
        for (unsigned i = 0; i < sizeof data; i++)
            crc = crc >> 8 ^ table[(crc ^ data[i]) & 0xff];
    return ~crc;
}
