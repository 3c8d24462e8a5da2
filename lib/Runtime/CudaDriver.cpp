//===- CudaDriver.cpp - the CUDA driver, opened when first needed ---------===//

#include "CudaDriver.h"

#include <dlfcn.h>
#include <string>

using namespace tilefuse;
using namespace tilefuse::cuda;

namespace {

struct Opened {
  Driver driver{};
  Error error;
  bool ok = false;

  Opened() {
    void *library = dlopen("libcuda.so.1", RTLD_NOW | RTLD_LOCAL);
    if (!library) {
      error = {ErrorCode::NotFound,
               "no CUDA driver: libcuda.so.1 cannot be opened",
               {}};
      return;
    }
    const char *missing = nullptr;
    auto bind = [&](auto &function, const char *name) {
      void *symbol = dlsym(library, name);
      if (!symbol)
        missing = name;
      function = reinterpret_cast<std::remove_reference_t<decltype(function)>>(
          symbol);
    };
    bind(driver.init, "cuInit");
    bind(driver.deviceGetCount, "cuDeviceGetCount");
    bind(driver.deviceGet, "cuDeviceGet");
    bind(driver.deviceGetAttribute, "cuDeviceGetAttribute");
    bind(driver.deviceGetName, "cuDeviceGetName");
    bind(driver.primaryContextRetain, "cuDevicePrimaryCtxRetain");
    bind(driver.primaryContextRelease, "cuDevicePrimaryCtxRelease_v2");
    bind(driver.contextGet, "cuCtxGetCurrent");
    bind(driver.contextPush, "cuCtxPushCurrent_v2");
    bind(driver.contextPop, "cuCtxPopCurrent_v2");
    bind(driver.moduleLoadData, "cuModuleLoadDataEx");
    bind(driver.moduleUnload, "cuModuleUnload");
    bind(driver.moduleGetFunction, "cuModuleGetFunction");
    bind(driver.functionSetAttribute, "cuFuncSetAttribute");
    bind(driver.launch, "cuLaunchKernelEx");
    bind(driver.memoryAllocate, "cuMemAlloc_v2");
    bind(driver.memoryFree, "cuMemFree_v2");
    bind(driver.copyToDevice, "cuMemcpyHtoD_v2");
    bind(driver.copyToHost, "cuMemcpyDtoH_v2");
    bind(driver.fill8, "cuMemsetD8_v2");
    bind(driver.streamSynchronize, "cuStreamSynchronize");
    bind(driver.eventCreate, "cuEventCreate");
    bind(driver.eventDestroy, "cuEventDestroy_v2");
    bind(driver.eventRecord, "cuEventRecord");
    bind(driver.eventSynchronize, "cuEventSynchronize");
    bind(driver.eventElapsed, "cuEventElapsedTime");
    bind(driver.getErrorString, "cuGetErrorString");
    if (missing) {
      error = {ErrorCode::NotFound,
               std::string("the CUDA driver is too old: it has no ") + missing,
               {}};
      return;
    }
    if (Status status = driver.init(0); status != Success) {
      error = driver.makeError(status, "cannot initialise the CUDA driver");
      error.code = ErrorCode::NotFound;
      return;
    }
    ok = true;
  }
};

} // namespace

Expected<const Driver *> Driver::get() {
  static const Opened opened;
  if (!opened.ok)
    return opened.error;
  return &opened.driver;
}

Error Driver::makeError(Status status, const char *what) const {
  const char *text = nullptr;
  if (getErrorString(status, &text) != Success || !text)
    text = "unknown error";
  return {status == ErrorOutOfMemory ? ErrorCode::OutOfMemory
                                     : ErrorCode::Device,
          std::string(what) + ": " + text, {}};
}
