//===- DeviceRun.cpp - one run on a device from host memory ---------------===//

#include "CudaDriver.h"
#include "tilefuse/Runtime.h"

using namespace tilefuse;
using namespace tilefuse::cuda;

namespace {

/// Device memory and events, freed at the end of a run.
struct Resources {
  const Driver &driver;
  std::vector<DevicePointer> memory;
  std::vector<Event> events;

  ~Resources() {
    for (DevicePointer pointer : memory)
      driver.memoryFree(pointer);
    for (Event event : events)
      driver.eventDestroy(event);
  }

  Expected<void *> allocate(size_t bytes) {
    DevicePointer pointer = 0;
    if (Status status = driver.memoryAllocate(&pointer, bytes ? bytes : 1);
        status != Success)
      return driver.makeError(status, "cannot allocate device memory");
    memory.push_back(pointer);
    return reinterpret_cast<void *>(pointer);
  }
};

DevicePointer toPointer(const void *address) {
  return reinterpret_cast<DevicePointer>(address);
}

} // namespace

Expected<std::vector<float>>
tilefuse::runOnDevice(const Program &program, int ordinal,
                      std::span<const void *const> inputs,
                      std::span<void *const> outputs, unsigned rounds) {
  Expected<LoadedProgram> loaded = program.loadOnDevice(ordinal);
  if (!loaded)
    return loaded.error();
  const Driver &driver = **Driver::get();
  Device device = 0;
  Context handle = nullptr;
  Status status = driver.deviceGet(&device, ordinal);
  if (status == Success)
    status = driver.primaryContextRetain(&handle, device);
  if (status != Success)
    return driver.makeError(status, "cannot open the device");
  PrimaryContext context(driver, device, handle);
  PrimaryContext::Scope scope(context);
  Resources resources{driver, {}, {}};

  const Signature &signature = program.signature();
  if (inputs.size() != signature.inputs.size() ||
      outputs.size() != signature.outputs.size())
    return Error{ErrorCode::InvalidArgument, "wrong number of arguments", {}};

  std::vector<const void *> deviceInputs;
  for (size_t i = 0; i < inputs.size(); ++i) {
    size_t bytes = signature.inputs[i].getByteSize();
    Expected<void *> address = resources.allocate(bytes);
    if (!address)
      return address.error();
    status = driver.copyToDevice(toPointer(*address), inputs[i], bytes);
    if (status != Success)
      return driver.makeError(status, "cannot copy an input");
    deviceInputs.push_back(*address);
  }
  auto allocatePoisoned = [&](size_t bytes) -> Expected<void *> {
    Expected<void *> address = resources.allocate(bytes);
    if (address && bytes)
      driver.fill8(toPointer(*address), 0xff, bytes);
    return address;
  };
  std::vector<void *> deviceOutputs;
  for (const ArgumentInfo &output : signature.outputs) {
    Expected<void *> address = allocatePoisoned(output.getByteSize());
    if (!address)
      return address.error();
    deviceOutputs.push_back(*address);
  }
  Expected<void *> workspace = allocatePoisoned(program.workspaceBytes());
  if (!workspace)
    return workspace.error();

  auto launch = [&] {
    return loaded->launch(nullptr, deviceInputs, deviceOutputs, *workspace);
  };
  if (auto ok = launch(); !ok)
    return ok.error();
  if (status = driver.streamSynchronize(nullptr); status != Success)
    return driver.makeError(status, "the run failed");
  for (size_t i = 0; i < outputs.size(); ++i) {
    status = driver.copyToHost(outputs[i], toPointer(deviceOutputs[i]),
                               signature.outputs[i].getByteSize());
    if (status != Success)
      return driver.makeError(status, "cannot copy an output");
  }

  std::vector<float> milliseconds;
  for (unsigned round = 0; round < rounds; ++round) {
    Event events[2] = {};
    for (Event &event : events) {
      driver.eventCreate(&event, 0);
      resources.events.push_back(event);
    }
    driver.eventRecord(events[0], nullptr);
    if (auto ok = launch(); !ok)
      return ok.error();
    driver.eventRecord(events[1], nullptr);
    driver.eventSynchronize(events[1]);
    float elapsed = 0;
    driver.eventElapsed(&elapsed, events[0], events[1]);
    milliseconds.push_back(elapsed);
  }
  return milliseconds;
}
