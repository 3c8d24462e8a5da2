//===- DeviceRun.h - one run on a device from host memory -------*- C++ -*-===//
//
// For tools and tests: allocates, copies in, runs, copies out. Programs that
// care for speed keep their data on the device and use LoadedProgram.
//
//===----------------------------------------------------------------------===//
#ifndef TILEFUSE_LIB_RUNTIME_DEVICERUN_H
#define TILEFUSE_LIB_RUNTIME_DEVICERUN_H

#include "tilefuse/Runtime.h"

namespace tilefuse {

/// Runs `program` on CUDA device `device`. `inputs` and `outputs` are host
/// addresses in the signature's order. Outputs and workspace are filled with
/// NaN bytes first, so that an element nobody wrote shows. Then times `rounds`
/// further runs with events and returns their milliseconds.
/// Errors: as Program::loadOnDevice and LoadedProgram::launch; OutOfMemory.
Expected<std::vector<float>> runOnDevice(const Program &program, int device,
                                         std::span<const void *const> inputs,
                                         std::span<void *const> outputs,
                                         unsigned rounds = 0);

} // namespace tilefuse

#endif // TILEFUSE_LIB_RUNTIME_DEVICERUN_H
