//===- HostHooks.cpp - what CPU kernels call back -------------------------===//

#include "HostHooks.h"

void tilefuse_assert_failed(const char *message) {
  tilefuse::HostFailure::report(message);
}
