//===- CApi.cpp - the C ABI of programs -----------------------------------===//

#include "CApi.h"
#include "ProgramData.h"

using namespace tilefuse;

int tilefuse_error_code(const tilefuse_error *error) {
  return static_cast<int>(error->error.code);
}
const char *tilefuse_error_message(const tilefuse_error *error) {
  return error->error.message.c_str();
}
const char *tilefuse_error_location(const tilefuse_error *error) {
  return error->error.location.c_str();
}
void tilefuse_error_free(tilefuse_error *error) { delete error; }

const void *tilefuse_bytes_data(const tilefuse_bytes *bytes) {
  return bytes->data.data();
}
size_t tilefuse_bytes_size(const tilefuse_bytes *bytes) {
  return bytes->data.size();
}
void tilefuse_bytes_free(tilefuse_bytes *bytes) { delete bytes; }

tilefuse_bytes *tilefuse_program_serialize(const tilefuse_program *program) {
  std::vector<std::byte> bytes = program->program.serialize();
  return new tilefuse_bytes{
      {reinterpret_cast<const char *>(bytes.data()), bytes.size()}};
}

int tilefuse_program_deserialize(const void *data, size_t size,
                                 tilefuse_program **program,
                                 tilefuse_error **error) {
  Expected<Program> result =
      Program::deserialize({static_cast<const std::byte *>(data), size});
  if (!result)
    return reportTo(error, result.error());
  *program = new tilefuse_program{*result};
  return 0;
}

void tilefuse_program_free(tilefuse_program *program) { delete program; }

size_t tilefuse_program_num_entries(const tilefuse_program *p) {
  return p->program.data().entries.size();
}
const char *tilefuse_program_entry_name(const tilefuse_program *p,
                                        size_t index) {
  const auto &entries = p->program.data().entries;
  return index < entries.size() ? entries[index].signature.entry.c_str()
                                : nullptr;
}
int tilefuse_program_select(const tilefuse_program *p, const char *entry,
                            tilefuse_program **selected,
                            tilefuse_error **error) {
  Expected<Program> result = p->program.select(entry ? entry : "");
  if (!result)
    return reportTo(error, result.error());
  *selected = new tilefuse_program{*result};
  return 0;
}

size_t tilefuse_program_num_saved(const tilefuse_program *p) {
  return p->program.signature().saved.size();
}
int tilefuse_program_saved(const tilefuse_program *p, size_t index,
                           int *kind, size_t *position) {
  const auto &saved = p->program.signature().saved;
  if (index >= saved.size())
    return static_cast<int>(ErrorCode::InvalidArgument);
  *kind = static_cast<int>(saved[index].kind);
  *position = saved[index].index;
  return 0;
}

const char *tilefuse_program_entry(const tilefuse_program *p) {
  return p->program.signature().entry.c_str();
}
const char *tilefuse_program_target(const tilefuse_program *p) {
  return p->program.target().c_str();
}
size_t tilefuse_program_num_inputs(const tilefuse_program *p) {
  return p->program.signature().inputs.size();
}
size_t tilefuse_program_num_outputs(const tilefuse_program *p) {
  return p->program.signature().outputs.size();
}
size_t tilefuse_program_workspace_bytes(const tilefuse_program *p) {
  return p->program.workspaceBytes();
}
size_t tilefuse_program_num_launches(const tilefuse_program *p) {
  return p->program.launches().size();
}

int tilefuse::describeArgument(const std::vector<ArgumentInfo> &infos,
                               size_t index, tilefuse_argument *argument) {
  if (index >= infos.size())
    return static_cast<int>(ErrorCode::InvalidArgument);
  const ArgumentInfo &info = infos[index];
  *argument = {info.name.c_str(),
               static_cast<tilefuse_dtype>(info.dtype),
               static_cast<int64_t>(info.shape.size()),
               info.shape.data(),
               info.strides.data(),
               info.alignment,
               info.getByteSize(),
               info.aliasResult,
               info.inPlace};
  return 0;
}

int tilefuse_program_input(const tilefuse_program *p, size_t index,
                           tilefuse_argument *argument) {
  return describeArgument(p->program.signature().inputs, index, argument);
}
int tilefuse_program_output(const tilefuse_program *p, size_t index,
                            tilefuse_argument *argument) {
  return describeArgument(p->program.signature().outputs, index, argument);
}

int tilefuse_program_launch(const tilefuse_program *p, size_t index,
                            tilefuse_launch *launch) {
  const auto &data = p->program.data();
  const EntryData &entry = data.entries[p->program.selectedEntry()];
  if (index >= entry.launches.size())
    return static_cast<int>(ErrorCode::InvalidArgument);
  const LaunchData &from = entry.launches[index];
  const KernelData &kernel = data.kernels[from.kernel];
  *launch = {kernel.name.c_str(),
             {kernel.grid[0], kernel.grid[1], kernel.grid[2]},
             kernel.threads,
             kernel.sharedBytes,
             from.bytes,
             from.isFinish};
  return 0;
}

int tilefuse_program_run_on_host(const tilefuse_program *program,
                                 const void *const *inputs, size_t num_inputs,
                                 void *const *outputs, size_t num_outputs,
                                 void *workspace, unsigned threads,
                                 tilefuse_error **error) {
  Expected<void> ok = program->program.runOnHost(
      {inputs, num_inputs}, {outputs, num_outputs}, workspace, threads);
  return ok ? 0 : reportTo(error, ok.error());
}

int tilefuse_program_load(const tilefuse_program *program, int device,
                          tilefuse_loaded **loaded, tilefuse_error **error) {
  Expected<LoadedProgram> result = program->program.loadOnDevice(device);
  if (!result)
    return reportTo(error, result.error());
  *loaded = new tilefuse_loaded{*result};
  return 0;
}

void tilefuse_loaded_free(tilefuse_loaded *loaded) { delete loaded; }

int tilefuse_loaded_launch(const tilefuse_loaded *loaded, void *stream,
                           const void *const *inputs, size_t num_inputs,
                           void *const *outputs, size_t num_outputs,
                           void *workspace, tilefuse_error **error) {
  Expected<void> ok =
      loaded->loaded.launch(stream, {inputs, num_inputs},
                            {outputs, num_outputs}, workspace);
  return ok ? 0 : reportTo(error, ok.error());
}

namespace {

/// The addresses of a run in a block of words; see tilefuse_loaded_run.
struct Words {
  static constexpr size_t Head = 3;

  Words(const void *const *words, size_t count, const Signature &signature)
      : numInputs(signature.inputs.size()),
        fits(count == Head + numInputs + signature.outputs.size()),
        inputs(words + Head, fits ? numInputs : 0),
        outputs(const_cast<void *const *>(words) + Head + numInputs,
                fits ? count - Head - numInputs : 0),
        workspace(const_cast<void *>(words[2])) {}

  size_t numInputs;
  bool fits;
  std::span<const void *const> inputs;
  std::span<void *const> outputs;
  void *workspace;
};

int refuseWords(tilefuse_error **error) {
  return reportTo(error, {ErrorCode::InvalidArgument,
                          "a block of words does not fit the program", {}});
}

} // namespace

int tilefuse_loaded_run(const void *const *words, size_t num_words,
                        tilefuse_error **error) {
  if (num_words < Words::Head)
    return refuseWords(error);
  const auto *loaded = static_cast<const tilefuse_loaded *>(words[0]);
  Words run(words, num_words, loaded->loaded.signature());
  if (!run.fits)
    return refuseWords(error);
  Expected<void> ok = loaded->loaded.launch(
      const_cast<void *>(words[1]), run.inputs, run.outputs, run.workspace);
  return ok ? 0 : reportTo(error, ok.error());
}

int tilefuse_program_run(const void *const *words, size_t num_words,
                         tilefuse_error **error) {
  if (num_words < Words::Head)
    return refuseWords(error);
  const auto *program = static_cast<const tilefuse_program *>(words[0]);
  Words run(words, num_words, program->program.signature());
  if (!run.fits)
    return refuseWords(error);
  auto threads = reinterpret_cast<uintptr_t>(words[1]);
  Expected<void> ok = program->program.runOnHost(
      run.inputs, run.outputs, run.workspace, static_cast<unsigned>(threads));
  return ok ? 0 : reportTo(error, ok.error());
}
