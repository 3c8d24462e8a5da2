// glibc has arc4random from 2.36 on, and libstdc++'s archive, built against that,
// asks for it. Defining it here lets the portable tools run on glibc 2.35.
#include <stdint.h>
#include <stdlib.h>
#include <sys/random.h>

uint32_t arc4random(void) {
  uint32_t value;
  if (getrandom(&value, sizeof value, 0) != sizeof value)
    abort();
  return value;
}
