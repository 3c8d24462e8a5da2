//===- CApi.h - the handles of the C ABI ------------------------*- C++ -*-===//
#ifndef TILEFUSE_LIB_RUNTIME_CAPI_H
#define TILEFUSE_LIB_RUNTIME_CAPI_H

#include "tilefuse-c/tilefuse.h"
#include "tilefuse/Runtime.h"

#include <string>

struct tilefuse_program {
  tilefuse::Program program;
};

struct tilefuse_loaded {
  tilefuse::LoadedProgram loaded;
};

struct tilefuse_error {
  tilefuse::Error error;
};

struct tilefuse_bytes {
  std::string data;
};

namespace tilefuse {

/// Hands `failure` to a caller who wants it; returns its code.
inline int reportTo(tilefuse_error **error, const Error &failure) {
  if (error)
    *error = new tilefuse_error{failure};
  return static_cast<int>(failure.code);
}

/// Fills in `argument` from position `index`; non-zero when out of range.
int describeArgument(const std::vector<ArgumentInfo> &infos, size_t index,
                     tilefuse_argument *argument);

} // namespace tilefuse

#endif // TILEFUSE_LIB_RUNTIME_CAPI_H
