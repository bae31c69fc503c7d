#ifndef SEMIHOSTING_H
#define SEMIHOSTING_H

#include <stdint.h>

int32_t open_file(const char *name, uint32_t length); /* below 0: none */
uint32_t read_file(int32_t file, void *to, uint32_t size); /* bytes read */
void close_file(int32_t file);
void print(const char *text);
int32_t command_line(char *to, uint32_t size); /* its length; below 0: none */
void stop(int status);

#endif
