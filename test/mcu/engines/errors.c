/*
 * Opens and runs images from files: arguments `FILE MEMORY_BYTES` over and over. Prints the status of opening and of running
 * each. Image and memory are heap blocks of exactly their size, so that a sanitizer sees what reaches out of them.
 */
#include <stdio.h>
#include <stdlib.h>

#include "thimble.h"

static uint8_t *read_file(const char *path, size_t *bytes) {
  FILE *file = fopen(path, "rb");
  if (file == NULL) abort();
  fseek(file, 0, SEEK_END);
  *bytes = (size_t)ftell(file);
  rewind(file);
  uint8_t *data = malloc(*bytes);
  if (fread(data, 1, *bytes, file) != *bytes) abort();
  fclose(file);
  return data;
}

int main(int count, char **arguments) {
  for (int i = 1; i + 1 < count; i += 2) {
    size_t image_bytes;
    uint8_t *image = read_file(arguments[i], &image_bytes);
    const size_t memory_bytes = strtoul(arguments[i + 1], NULL, 10);
    uint8_t *memory = malloc(memory_bytes);
    struct thimble model;
    const thimble_status opened = thimble_open(&model, image, image_bytes, memory, memory_bytes);
    printf("%d %d\n", opened, opened == THIMBLE_OK ? thimble_run(&model) : opened);
    thimble_close(&model);
    free(memory);
    free(image);
  }
  return 0;
}
