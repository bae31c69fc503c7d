/* Files, the terminal and the exit of the machine that debugs or emulates. */

#include "semihosting.h"

#define SYS_OPEN 0x01
#define SYS_CLOSE 0x02
#define SYS_WRITE0 0x04
#define SYS_READ 0x06
#define SYS_GET_CMDLINE 0x15
#define SYS_EXIT_EXTENDED 0x20
#define APPLICATION_EXIT 0x20026

static int32_t call(uint32_t operation, const void *arguments)
{
    register uint32_t r0 __asm("r0") = operation;
    register const void *r1 __asm("r1") = arguments;
    __asm volatile("bkpt 0xab" : "+r"(r0) : "r"(r1) : "memory");
    return (int32_t)r0;
}

int32_t open_file(const char *name, uint32_t length)
{
    const uint32_t arguments[] = {(uint32_t)name, 1 /* rb */, length};
    return call(SYS_OPEN, arguments);
}

uint32_t read_file(int32_t file, void *to, uint32_t size)
{
    const uint32_t arguments[] = {(uint32_t)file, (uint32_t)to, size};
    return size - (uint32_t)call(SYS_READ, arguments);
}

void close_file(int32_t file)
{
    const uint32_t arguments[] = {(uint32_t)file};
    call(SYS_CLOSE, arguments);
}

void print(const char *text)
{
    call(SYS_WRITE0, text);
}

int32_t command_line(char *to, uint32_t size)
{
    uint32_t arguments[] = {(uint32_t)to, size};
    return call(SYS_GET_CMDLINE, arguments) ? -1 : (int32_t)arguments[1];
}

void stop(int status)
{
    const uint32_t arguments[] = {APPLICATION_EXIT, (uint32_t)status};
    call(SYS_EXIT_EXTENDED, arguments);
    for (;;)
        ;
}
