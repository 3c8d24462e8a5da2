//===- CudaRun.cpp - running a program on a CUDA device -------------------===//

#include "CudaDriver.h"
#include "ProgramData.h"

#include <cstring>

using namespace tilefuse;
using namespace tilefuse::cuda;

namespace {
constexpr size_t JitLogBytes = 4096;
constexpr uint64_t MaxGridX = 0x7fffffff, MaxGridYZ = 65535;
} // namespace

/// Owns the module, its functions and the constants on one device.
struct LoadedProgram::State {
  std::shared_ptr<const ProgramData> data;
  const Driver *driver = nullptr;
  std::unique_ptr<PrimaryContext> context;
  Module module = nullptr;
  std::vector<Function> functions;
  DevicePointer constants = 0;

  ~State() {
    if (!context)
      return;
    PrimaryContext::Scope scope(*context);
    if (scope.status != Success)
      return;
    if (constants)
      driver->memoryFree(constants);
    if (module)
      driver->moduleUnload(module);
  }
};

// The number of `sm_90a` is 90.
static int getArchitectureNumber(const std::string &target) {
  int number = 0;
  for (size_t i = 3; i < target.size() && isdigit(target[i]); ++i)
    number = number * 10 + (target[i] - '0');
  return number;
}

// Machine code runs on its own major version, feature-specific code (`a`) on
// exactly its own architecture, and PTX on anything from its own up.
static Expected<void> checkArchitecture(const Driver &driver, Device device,
                                        const ProgramData &data) {
  int major = 0, minor = 0;
  Status status =
      driver.deviceGetAttribute(&major, DeviceComputeMajor, device);
  if (status == Success)
    status = driver.deviceGetAttribute(&minor, DeviceComputeMinor, device);
  if (status != Success)
    return driver.makeError(status, "cannot query the device");
  int have = major * 10 + minor, want = getArchitectureNumber(data.target);
  bool exact = data.target.back() == 'a';
  if (exact ? have == want : have >= want)
    return {};
  return Error{ErrorCode::Unsupported,
               "the program is for " + data.target + ", the device is sm_" +
                   std::to_string(have),
               {}};
}

Expected<LoadedProgram> Program::loadOnDevice(int ordinal) const {
  const ProgramData &data = *impl;
  if (data.isHost())
    return Error{ErrorCode::InvalidArgument,
                 "the program is for the CPU, not for a CUDA device",
                 {}};
  Expected<const Driver *> opened = Driver::get();
  if (!opened)
    return opened.error();
  const Driver &driver = **opened;

  int count = 0;
  driver.deviceGetCount(&count);
  Device device = 0;
  if (ordinal < 0 || ordinal >= count ||
      driver.deviceGet(&device, ordinal) != Success)
    return Error{ErrorCode::NotFound,
                 "there is no CUDA device " + std::to_string(ordinal), {}};
  if (auto ok = checkArchitecture(driver, device, data); !ok)
    return ok.error();

  auto state = std::make_shared<LoadedProgram::State>();
  state->data = impl;
  state->driver = &driver;
  Context context = nullptr;
  if (Status status = driver.primaryContextRetain(&context, device);
      status != Success)
    return driver.makeError(status, "cannot open the device");
  state->context = std::make_unique<PrimaryContext>(driver, device, context);
  PrimaryContext::Scope scope(*state->context);
  if (scope.status != Success)
    return driver.makeError(scope.status, "cannot use the device");

  // Machine code for the same major version when there is some, else PTX.
  int major = 0;
  driver.deviceGetAttribute(&major, DeviceComputeMajor, device);
  bool useCubin = !data.cubin.empty() &&
                  major == getArchitectureNumber(data.target) / 10;
  std::string log(JitLogBytes, '\0');
  int options[] = {JitErrorLogBuffer, JitErrorLogBufferBytes};
  void *values[] = {log.data(), reinterpret_cast<void *>(log.size())};
  Status status = driver.moduleLoadData(
      &state->module, useCubin ? data.cubin.data() : data.ptx.c_str(), 2,
      options, values);
  if (status != Success) {
    Error error = driver.makeError(status, "cannot load the kernels");
    if (log[0])
      error.message += std::string("\n") + log.c_str();
    return error;
  }

  for (const KernelData &kernel : data.kernels) {
    Function function = nullptr;
    status = driver.moduleGetFunction(&function, state->module,
                                      kernel.name.c_str());
    // Also makes the code resident now rather than at the first launch.
    if (status == Success)
      status = driver.functionSetAttribute(
          function, FunctionMaxDynamicSharedBytes, kernel.sharedBytes);
    if (status != Success)
      return driver.makeError(
          status, ("cannot load kernel '" + kernel.name + "'").c_str());
    state->functions.push_back(function);
  }
  if (!data.constants.empty()) {
    status = driver.memoryAllocate(&state->constants, data.constants.size());
    if (status == Success)
      status = driver.copyToDevice(state->constants, data.constants.data(),
                                   data.constants.size());
    if (status != Success)
      return driver.makeError(status, "cannot load the constants");
  }
  return LoadedProgram(std::move(state), entryIndex);
}

LoadedProgram::LoadedProgram(std::shared_ptr<const State> state, size_t entry)
    : state(std::move(state)), entryIndex(entry) {}

Expected<LoadedProgram> LoadedProgram::select(const std::string &entry) const {
  Expected<size_t> found = state->data->find(entry);
  if (!found)
    return found.error();
  return LoadedProgram(state, *found);
}

const Signature &LoadedProgram::signature() const {
  return state->data->entries[entryIndex].signature;
}

Expected<void> LoadedProgram::launch(void *stream,
                                     std::span<const void *const> inputs,
                                     std::span<void *const> outputs,
                                     void *workspace) const {
  const ProgramData &data = *state->data;
  const Driver &driver = *state->driver;
  const EntryData &entry = data.entries[entryIndex];
  if (auto ok = checkArguments(entry, inputs, outputs, workspace); !ok)
    return ok;
  PrimaryContext::Scope scope(*state->context);
  if (scope.status != Success)
    return driver.makeError(scope.status, "cannot use the device");

  constexpr size_t InlineArguments = 64;
  void *addressStorage[InlineArguments], *parameterStorage[InlineArguments];
  for (const LaunchData &launch : entry.launches) {
    const KernelData &kernel = data.kernels[launch.kernel];
    size_t count = launch.arguments.size();
    std::vector<void *> overflow;
    void **addresses = addressStorage, **parameters = parameterStorage;
    if (count > InlineArguments) {
      overflow.resize(2 * count);
      addresses = overflow.data();
      parameters = overflow.data() + count;
    }
    for (size_t i = 0; i < count; ++i) {
      addresses[i] = resolve(launch.arguments[i], inputs, outputs, workspace,
                             reinterpret_cast<void *>(state->constants));
      parameters[i] = &addresses[i];
    }
    if (kernel.grid[0] * kernel.cluster > MaxGridX || kernel.grid[1] > MaxGridYZ ||
        kernel.grid[2] > MaxGridYZ)
      return Error{ErrorCode::Unsupported,
                   "the grid of kernel '" + kernel.name +
                       "' is larger than the device allows",
                   {}};
    LaunchAttribute cluster{};
    cluster.id = LaunchAttributeClusterDimension;
    cluster.value.cluster = {kernel.cluster, 1, 1};
    LaunchConfig config{static_cast<unsigned>(kernel.grid[0] * kernel.cluster),
                        static_cast<unsigned>(kernel.grid[1]),
                        static_cast<unsigned>(kernel.grid[2]),
                        kernel.threads,
                        1,
                        1,
                        kernel.sharedBytes,
                        static_cast<Stream>(stream),
                        &cluster,
                        kernel.cluster > 1 ? 1u : 0u};
    Status status = driver.launch(&config, state->functions[launch.kernel],
                                  parameters, nullptr);
    if (status != Success)
      return driver.makeError(
          status, ("cannot launch kernel '" + kernel.name + "'").c_str());
  }
  return {};
}
