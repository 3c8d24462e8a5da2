//===- CudaDriver.h - the CUDA driver, opened when first needed -*- C++ -*-===//
//
// Declares the few driver entry points that are used, so that neither a toolkit
// nor a driver is needed to build, and none to start.
//
//===----------------------------------------------------------------------===//
#ifndef TILEFUSE_LIB_RUNTIME_CUDADRIVER_H
#define TILEFUSE_LIB_RUNTIME_CUDADRIVER_H

#include "tilefuse/Error.h"

#include <cstddef>
#include <cstdint>

namespace tilefuse::cuda {

using Status = int;
using Device = int;
using DevicePointer = unsigned long long;
using Context = struct ContextImpl *;
using Module = struct ModuleImpl *;
using Function = struct FunctionImpl *;
using Stream = struct StreamImpl *;
using Event = struct EventImpl *;

constexpr Status Success = 0;
constexpr Status ErrorOutOfMemory = 2;

// Values of the driver API's enumerations.
constexpr int FunctionMaxDynamicSharedBytes = 8;
constexpr int DeviceComputeMajor = 75;
constexpr int DeviceComputeMinor = 76;
constexpr int JitErrorLogBuffer = 5;
constexpr int JitErrorLogBufferBytes = 6;
constexpr int LaunchAttributeClusterDimension = 4;

/// One launch attribute, as the driver lays it out.
struct LaunchAttribute {
  int id;
  char pad[4];
  union {
    char bytes[64];
    struct {
      unsigned x, y, z;
    } cluster;
  } value;
};

/// A launch's shape, as the driver lays it out.
struct LaunchConfig {
  unsigned gridX, gridY, gridZ;
  unsigned blockX, blockY, blockZ;
  unsigned sharedBytes;
  Stream stream;
  LaunchAttribute *attributes;
  unsigned attributeCount;
};

/// The driver's functions.
struct Driver {
  Status (*init)(unsigned);
  Status (*deviceGetCount)(int *);
  Status (*deviceGet)(Device *, int);
  Status (*deviceGetAttribute)(int *, int, Device);
  Status (*deviceGetName)(char *, int, Device);
  Status (*primaryContextRetain)(Context *, Device);
  Status (*primaryContextRelease)(Device);
  Status (*contextGet)(Context *);
  Status (*contextPush)(Context);
  Status (*contextPop)(Context *);
  Status (*moduleLoadData)(Module *, const void *, unsigned, int *, void **);
  Status (*moduleUnload)(Module);
  Status (*moduleGetFunction)(Function *, Module, const char *);
  Status (*functionSetAttribute)(Function, int, int);
  Status (*launch)(const LaunchConfig *, Function, void **, void **);
  Status (*memoryAllocate)(DevicePointer *, size_t);
  Status (*memoryFree)(DevicePointer);
  Status (*copyToDevice)(DevicePointer, const void *, size_t);
  Status (*copyToHost)(void *, DevicePointer, size_t);
  Status (*fill8)(DevicePointer, unsigned char, size_t);
  Status (*streamSynchronize)(Stream);
  Status (*eventCreate)(Event *, unsigned);
  Status (*eventDestroy)(Event);
  Status (*eventRecord)(Event, Stream);
  Status (*eventSynchronize)(Event);
  Status (*eventElapsed)(float *, Event, Event);
  Status (*getErrorString)(Status, const char **);

  /// Opens and initialises the driver once. Errors: NotFound.
  static Expected<const Driver *> get();

  /// An Error for a status that is not Success.
  Error makeError(Status status, const char *what) const;
};

/// A device's primary context, retained while alive.
class PrimaryContext {
public:
  PrimaryContext(const Driver &driver, Device device, Context context)
      : driver(driver), device(device), context(context) {}
  ~PrimaryContext() { driver.primaryContextRelease(device); }
  PrimaryContext(const PrimaryContext &) = delete;
  PrimaryContext &operator=(const PrimaryContext &) = delete;

  /// Makes the context current on this thread while alive. It mostly is already.
  class Scope {
  public:
    explicit Scope(const PrimaryContext &owner) : driver(owner.driver) {
      Context current = nullptr;
      if (driver.contextGet(&current) == Success && current == owner.context)
        return;
      status = driver.contextPush(owner.context);
      isPushed = status == Success;
    }
    ~Scope() {
      Context popped;
      if (isPushed)
        driver.contextPop(&popped);
    }
    Scope(const Scope &) = delete;
    Scope &operator=(const Scope &) = delete;
    Status status = Success;

  private:
    const Driver &driver;
    bool isPushed = false;
  };

private:
  const Driver &driver;
  Device device;
  Context context;
};

} // namespace tilefuse::cuda

#endif // TILEFUSE_LIB_RUNTIME_CUDADRIVER_H
