//===- CApi.cpp - the C ABI of the compiler -------------------------------===//

#include "lib/Runtime/CApi.h"
#include "tilefuse-c/compile.h"
#include "tilefuse/Compile.h"

#include "llvm/ADT/StringSwitch.h"

using namespace tilefuse;

static CompileOptions toOptions(const tilefuse_compile_options *given) {
  CompileOptions options;
  if (!given)
    return options;
  auto set = [](std::string &field, const char *value) {
    if (value)
      field = value;
  };
  set(options.target, given->target);
  set(options.scheduleTarget, given->schedule_target);
  set(options.entry, given->entry);
  set(options.sourceName, given->source_name);
  options.assemble = !given->no_assemble;
  options.gradients = given->gradients != 0;
  return options;
}

static int finish(Expected<Program> result, tilefuse_program **program,
                  tilefuse_error **error) {
  if (!result)
    return reportTo(error, result.error());
  *program = new tilefuse_program{*result};
  return 0;
}

int tilefuse_compile(const char *source, size_t length,
                     const tilefuse_compile_options *options,
                     tilefuse_program **program, tilefuse_error **error) {
  return finish(compile({source, length}, toOptions(options)), program, error);
}

int tilefuse_recompile(const tilefuse_program *program,
                       tilefuse_program **result, tilefuse_error **error) {
  return finish(recompile(program->program), result, error);
}

int tilefuse_emit(const char *source, size_t length, const char *stage,
                  const tilefuse_compile_options *options,
                  tilefuse_bytes **text, tilefuse_error **error) {
  auto chosen = llvm::StringSwitch<std::optional<Stage>>(stage ? stage : "")
                    .Case("fuse", Stage::Fuse)
                    .Case("joint", Stage::Joint)
                    .Case("kernels", Stage::Kernels)
                    .Case("tile", Stage::Tile)
                    .Case("llvm", Stage::Llvm)
                    .Case("ptx", Stage::Ptx)
                    .Case("cubin", Stage::Cubin)
                    .Default(std::nullopt);
  if (!chosen)
    return reportTo(error, {ErrorCode::InvalidArgument,
                            std::string("unknown stage '") +
                                (stage ? stage : "") + "'",
                            {}});
  Expected<std::string> result =
      emit({source, length}, *chosen, toOptions(options));
  if (!result)
    return reportTo(error, result.error());
  *text = new tilefuse_bytes{std::move(*result)};
  return 0;
}
